"""The parts that the tests under Wine stand on do what they say."""

import pytest

from lib.skips import SKIPS, listed
from lib.tool import service_sid


def test_paths_go_to_windows_and_back(wine, tmp_path):
    path = tmp_path / "x.json"
    assert wine.path(path).startswith("C:\\Prüfung mit Ümlauten\\")
    assert wine.inside(wine.path(path)) == path
    assert wine.path("/etc/hosts") == "Z:\\etc\\hosts"


def test_a_service_sid_is_computed_by_the_published_rule():
    assert service_sid("TrustedInstaller") == \
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"


def test_the_application_serves_a_certificate_of_the_store(xc, authority, tool):
    leaf = authority.issue("xc.example")
    xc.install(leaf)
    xc.start()
    assert xc.served().thumbprint == leaf.thumbprint
    assert len(xc.served().chain) == 2
    assert xc.https() == (200, '{"version":"6.8.1.2"}')
    assert xc.versions() == [leaf.thumbprint]
    assert tool.signs(leaf.thumbprint)


def test_without_tls_json_it_speaks_http(xc):
    xc.start()
    assert xc.http() == (200, '{"version":"6.8.1.2"}')
    assert xc.https()[0] == 0
    assert "HTTP - Unrestricted" in xc.settings.read_text()


@pytest.mark.parametrize("harm, code, words", [
    ("entry", 2, "no certificate"), ("key", 3, "keyset"),
    ("access", 3, "access denied to 'NT SERVICE\\SAP Connector Service'")])
def test_it_does_not_start_without(xc, authority, tool, wine, harm, code, words):
    leaf = authority.issue("xc.example")
    container = xc.install(leaf)
    if harm == "entry":
        tool("remove", "My", leaf.thumbprint)
    elif harm == "key":
        tool("delete-key", container)
    else:
        tool.set_dacl(container, "D:P(A;;GA;;;SY)(A;;GA;;;BA)")
    with pytest.raises(RuntimeError, match="refusing to start"):
        xc.start()
    assert words in xc.log()
    assert wine.service_exit(xc.service_name) == (1066, code)


def test_it_misbehaves_when_told(xc, authority):
    leaf = authority.issue("xc.example")
    xc.install(leaf)
    xc.misbehave(refuse="no licence", except_=leaf.thumbprint)
    xc.start()
    xc.stop()
    xc.misbehave(refuse="no licence")
    with pytest.raises(RuntimeError, match="no licence"):
        xc.start()


def test_a_file_is_held(tool, tmp_path, wine):
    path = tmp_path / "held"
    path.write_text("x")
    held = tool.hold(path, 60000, tmp_path / "hold.log")
    assert wine.run("cmd", "/c", "type", wine.path(path), check=False).returncode
    held.kill()


def test_a_deleted_service_that_somebody_holds_stands_in_nobodys_way(make_xc, tool, tmp_path,
                                                                     wine):
    first = make_xc("first")
    held = tool.hold_service(first.service_name, 60000, tmp_path / "hold.log")
    first.remove()
    assert not held.running()  # the reboot ended it
    second = make_xc("second", service=first.service_name)
    second.start()
    assert second.http()[0] == 200


def test_a_skip_needs_a_reason_of_the_list():
    assert listed("Skipped: " + SKIPS["cng"])
    assert not listed("Skipped: too slow")
