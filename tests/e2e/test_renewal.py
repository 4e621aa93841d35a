"""The main job, against a real CA and a real application: from notAfter to a certificate
seen in service, and the old one deleted."""

import json
import re
import stat
from pathlib import Path

import pytest

from lib.handshake import verified_by_openssl
from lib.waiting import port_answers, wait_until

DAY = 86400
DONE, NOTHING_TO_DO, USAGE = 0, 3, 2


@pytest.fixture
def first(setup, pebble, xc):
    """The application serves the first certificate. Gives (daemon, its thumbprint)."""
    xc.start()
    daemon = setup(pebble)
    daemon.ok("renew", "xc")
    return daemon, xc.served().thumbprint


def test_the_first_certificate_is_ordered_deployed_and_served(setup, pebble, xc, tmp_path):
    xc.start()
    result = setup(pebble).ok("renew", "xc")
    served = xc.served("xc.example")
    assert served.names == ["xc.example"]
    assert served.subject.endswith("CN = xc.example")
    assert len(served.chain) == 2
    assert verified_by_openssl(xc.secure_port, "xc.example", pebble.root(), tmp_path)
    assert xc.https() == (200, '{"version":"6.8.1.2"}')
    assert xc.http()[0] == 0
    assert "verified" in result.text


def test_tls_json_is_made_as_the_product_writes_it(first, xc):
    served = xc.served()
    written = json.loads(xc.tls_json.read_text())
    assert written["tlsEnabled"] is True
    certificate = written["certificate"]
    assert certificate["thumbprint"] == served.thumbprint
    assert certificate["subjectAltName"] == "xc.example"
    assert certificate["issuer"].startswith("CN=Pebble Intermediate CA ")
    assert re.fullmatch(r"\d{8}T\d{6}\.000Z", certificate["notAfter"])


def test_the_store_is_a_link_to_the_version_that_is_served(first, xc):
    _, thumbprint = first
    assert xc.store.is_symlink()
    assert xc.store.resolve() == Path(f"{xc.store}.versions") / thumbprint
    key = xc.store / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert sorted(p.name for p in xc.store.glob("*.pem")) == [
        "cert.pem", "chain.pem", "fullchain.pem", "key.pem"]


def test_a_certificate_that_is_not_due_is_left_alone(first, xc, pebble):
    daemon, thumbprint = first
    orders = pebble.requests("/order-plz")
    result = daemon("renew", "xc")
    assert result.code == NOTHING_TO_DO, result
    assert xc.served().thumbprint == thumbprint
    assert pebble.requests("/order-plz") == orders


def test_force_renews_what_is_not_due_and_deletes_the_old_one_with_its_key(first, xc):
    daemon, old = first
    daemon.ok("renew", "xc", "--force")
    new = xc.served().thumbprint
    assert new != old
    assert xc.thumbprint() == new
    assert xc.versions() == [new]


def test_a_new_key_is_made_at_each_renewal(first, xc):
    daemon, _ = first
    before = (xc.store / "key.pem").read_text()
    daemon.ok("renew", "xc", "--force")
    assert (xc.store / "key.pem").read_text() != before


def test_a_key_is_kept_where_the_operator_wants_it(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble, key={"type": "ec-p256", "reuse": True})
    daemon.ok("renew", "xc")
    before = (xc.store / "key.pem").read_text()
    daemon.ok("renew", "xc", "--force")
    assert (xc.store / "key.pem").read_text() == before


@pytest.mark.parametrize("kind, words", [
    ("rsa-2048", "2048 bit"), ("rsa-3072", "3072 bit"), ("rsa-4096", "4096 bit"),
    ("ec-p256", "256 bit"), ("ec-p384", "384 bit")])
def test_every_type_of_key_is_issued_and_served(setup, pebble, xc, kind, words):
    from subprocess import run

    xc.start()
    setup(pebble, key={"type": kind}).ok("renew", "xc")
    text = run(["openssl", "x509", "-noout", "-text"], input=xc.served().chain[0],
               capture_output=True, text=True).stdout
    assert f"Public-Key: ({words})" in text


def test_every_name_is_in_the_certificate_and_the_first_is_the_common_name(setup, pebble, xc):
    names = ["xc.example", "www.xc.example", "bücher.example"]
    xc.start()
    setup(pebble, hosts=names).ok("renew", "xc")
    served = xc.served()
    assert sorted(served.names) == ["www.xc.example", "xc.example", "xn--bcher-kva.example"]
    assert served.subject.endswith("CN = xc.example")


def test_a_certificate_that_became_due_is_renewed_by_the_daemon(make_pebble, setup, xc,
                                                                webhook):
    pebble = make_pebble(validity_s=2 * DAY + 5)
    xc.start()
    daemon = setup(pebble, webhook)
    daemon.ok("renew", "xc")
    old = xc.served().thumbprint
    webhook.wait_for("renewed")
    webhook.alerts.clear()
    pebble.restart(validity_s=90 * DAY)
    daemon.config["certificates"]["xc"]["renew"] = {"at": "2d"}
    daemon.write()
    wait_until(lambda: "verdict: renew" in daemon.ok("explain", "xc").out,
               what="its moment")
    daemon.start()
    alert = webhook.wait_for("renewed", 40)
    assert alert["certificate"] == "xc"
    assert xc.served().thumbprint not in (old, None)
    wait_until(lambda: xc.versions() == [xc.served().thumbprint], what="the old one deleted")
    assert daemon.stop() == 0


def test_the_daemon_leaves_alone_what_is_not_due(first, xc, pebble):
    daemon, thumbprint = first
    orders = pebble.requests("/order-plz")
    daemon.start()
    assert daemon("renew", "xc").code == NOTHING_TO_DO
    assert daemon.stop() == 0
    assert pebble.requests("/order-plz") == orders
    assert xc.served().thumbprint == thumbprint


def test_the_running_daemon_renews_on_command(first, xc):
    daemon, old = first
    daemon.start()
    result = daemon.ok("renew", "xc", "--force")
    assert "verified" in result.text
    assert xc.served().thumbprint != old
    assert daemon.stop() == 0


def test_status_says_what_openssl_sees(first, xc):
    daemon, thumbprint = first
    status = daemon.status("xc")
    assert status["sha1"] == thumbprint
    assert status["hosts"] == ["xc.example"]
    people = daemon.ok("status").out
    assert "xc" in people


def test_the_account_survives_and_is_used_again(first, pebble):
    daemon, _ = first
    accounts = pebble.requests("/sign-me-up")
    daemon.ok("renew", "xc", "--force")
    assert pebble.requests("/sign-me-up") == accounts


def test_an_account_that_the_ca_lost_is_made_again(first, pebble, xc):
    daemon, old = first
    pebble.restart()
    daemon.ok("renew", "xc", "--force")
    assert xc.served().thumbprint != old


def test_the_responder_listens_only_while_the_ca_looks(first, pebble):
    daemon, _ = first
    daemon.start()
    assert not port_answers(pebble.http_port)
    daemon.ok("renew", "xc", "--force")
    assert not port_answers(pebble.http_port)
    assert daemon.stop() == 0


def test_external_account_binding(make_pebble, setup, xc, daemon):
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    pebble = make_pebble(eab={"kid-1": key})
    xc.start()
    setup(pebble)
    result = daemon("renew", "xc")
    assert result.code == 1
    assert "give the issuer 'eab: " in result.err
    secret = daemon.folder / "eab.key"
    secret.write_text(key)
    secret.chmod(0o600)
    daemon.config["issuers"]["pebble"]["eab"] = {
        "key_id": "kid-1", "hmac_key": {"file": "eab.key"}}
    daemon.write()
    result = daemon("renew", "xc", "--force")
    assert result.code == DONE, result
    assert key not in result.text
    assert xc.served() is not None


def test_webroot_leaves_nothing_in_the_folder(setup, make_pebble, make_xc, xc, tmp_path):
    """The web server that keeps port 80 is python's here."""
    from lib.waiting import Background, free_port

    webroot, port = tmp_path / "www", free_port()
    webroot.mkdir()
    server = Background(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1", port,
                         "-d", webroot], tmp_path / "www.log")
    try:
        wait_until(lambda: port_answers(port), what="the web server")
        pebble = make_pebble(http_port=port)
        xc.start()
        setup(pebble, challenge={"type": "http-01", "webroot": str(webroot)}).ok("renew", "xc")
        assert xc.served() is not None
        assert [p for p in webroot.rglob("*") if p.is_file()] == []
        assert "/.well-known/acme-challenge/" in server.text()
    finally:
        server.kill()


def test_two_certificates_are_renewed_by_one_command(daemon, pebble, make_xc):
    from conftest import issuer_of

    apps = [make_xc("one"), make_xc("two")]
    challenge = {"type": "http-01", "listen": pebble.listen}
    for app in apps:
        app.start()
    daemon.configure(
        issuers={"pebble": issuer_of(pebble)},
        certificates={app.dir.name: {
            "hosts": [f"{app.dir.name}.example"], "issuers": ["pebble"],
            "challenge": challenge, "deploy": [app.target()]} for app in apps})
    daemon.ok("renew", "one", "two")
    for app in apps:
        assert app.served().names == [f"{app.dir.name}.example"]


def test_an_unknown_certificate_is_a_mistake_of_usage(first):
    daemon, _ = first
    result = daemon("renew", "nix")
    assert result.code == USAGE, result
    assert "'nix'" in result.err


def test_state_is_for_its_owner_only(first):
    daemon, _ = first
    for path in [daemon.state, *daemon.state.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode & 0o077 == 0 or path.is_symlink(), f"{path} is {mode:o}"
