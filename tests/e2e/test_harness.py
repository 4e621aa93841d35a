"""The parts themselves: what the other tests rely on must be true first."""

import http.client
import ssl
import time
import urllib.request

from lib.misbehaving_ca import lost, make_misbehaving  # noqa: F401
from lib.served_files import ServedFiles


def test_pebble_issues_under_a_root_of_its_own_and_starts_again_at_the_same_address(pebble):
    address, root = pebble.directory, pebble.root()
    pebble.restart(validity_s=172800)
    assert pebble.directory == address
    assert pebble.root() != root


def test_the_application_serves_the_certificate_that_tls_json_names(xc, authority):
    leaf = authority.issue("xc.example")
    xc.install(authority.issue("other.example"))
    xc.install(leaf)
    xc.start()
    assert xc.served().thumbprint == leaf.thumbprint
    assert len(xc.served().chain) == 2
    assert xc.https() == (200, '{"version":"6.8.1.2"}')
    assert xc.http()[0] == 0


def test_the_application_speaks_http_and_forgets_its_settings_without_tls_json(xc):
    xc.start()
    assert xc.http() == (200, '{"version":"6.8.1.2"}')
    assert xc.https()[0] == 0
    assert "HTTP - Unrestricted" in xc.settings.read_text()


def test_the_application_refuses_to_start_with_words_of_its_own(xc, authority):
    leaf = authority.issue("xc.example")
    xc.install(leaf)
    xc.tls_json.write_text(xc.tls_json.read_text().replace(leaf.thumbprint, "0" * 40))
    assert xc.ctl("start", check=False) == 1
    assert f"no certificate with thumbprint {'0' * 40} in {xc.store}" in xc.log()
    assert xc.ctl("status", check=False) == 1
    xc.tls_json.write_text("{")
    assert xc.ctl("start", check=False) == 1
    assert "refusing to start: tls.json is not JSON" in xc.log()
    xc.stop()
    assert xc.ctl("status", check=False) == 3


def test_the_application_refuses_a_key_that_does_not_fit(xc, authority):
    leaf, other = authority.issue("xc.example"), authority.issue("xc.example")
    leaf.key_pem = other.key_pem
    xc.install(leaf)
    assert xc.ctl("start", check=False) == 1
    assert "its key does not work" in xc.log()


def test_the_application_misbehaves_as_told(xc, authority):
    old, new = authority.issue("xc.example"), authority.issue("xc.example")
    xc.install(old)
    xc.start()
    xc.install(new)
    xc.misbehave(serve_old=True)
    xc.ctl("restart")
    assert xc.served().thumbprint == old.thumbprint
    xc.misbehave(omit_chain=True)
    xc.ctl("restart")
    assert xc.served().thumbprint == new.thumbprint
    assert len(xc.served().chain) == 1
    xc.misbehave(refuse="no licence", except_=old.thumbprint)
    assert xc.ctl("restart", check=False) == 1
    assert xc.log() == "refusing to start: no licence\n"
    xc.misbehave(exit_after_s=1)
    xc.ctl("restart")
    time.sleep(2.5)
    assert xc.ctl("status", check=False) == 1


def test_openssl_verifies_a_name_only_under_its_root(xc, authority, tmp_path):
    from lib.handshake import verified_by_openssl

    xc.install(authority.issue("xc.example"))
    xc.start()
    root = authority.root_pem
    assert verified_by_openssl(xc.secure_port, "xc.example", root, tmp_path)
    assert not verified_by_openssl(xc.secure_port, "other.example", root, tmp_path)
    assert not verified_by_openssl(xc.secure_port, "xc.example",
                                   type(authority)().root_pem, tmp_path)


def test_the_webhook_receiver_remembers_what_it_accepted(webhook):
    from lib.handshake import curl

    webhook.answers = [500]
    body = '{"event": "failed"}'
    assert curl(webhook.url, "-d", body)[0] == 500
    assert curl(webhook.url, "-d", body)[0] == 204
    assert webhook.wait_for("failed") == {"event": "failed"}
    assert len(webhook.requests) == 2


def test_a_misbehaving_ca_throws_the_same_dice_again(make_misbehaving,  # noqa: F811
                                                    pebble):
    def fallen(seed):
        ca = make_misbehaving(pebble, seed=seed)
        rule = ca.rule("directory", lost(), share=0.5)
        context, seen = ssl.create_default_context(cafile=ca.ca_bundle), []
        for _ in range(20):
            before = rule.fired
            try:
                urllib.request.urlopen(ca.directory, context=context, timeout=10).close()
            except http.client.RemoteDisconnected:
                assert rule.fired == before + 1
            seen.append(rule.fired - before)
        return seen

    first = fallen(1)
    assert 0 < sum(first) < 20
    assert fallen(1) == first != fallen(2)


def test_served_files_serves_what_lies_there(tmp_path, authority):
    app = ServedFiles(tmp_path / "live")
    leaf = authority.issue("a.example")
    folder = tmp_path / "live/a.example"
    folder.mkdir()
    assert app.served("a.example") is None
    (folder / "key.pem").write_text(leaf.key_pem)
    (folder / "fullchain.pem").write_text(leaf.fullchain_pem)
    assert app.served("a.example").thumbprint == leaf.thumbprint
    assert app.served("b.example") is None
    app.close()
