"""Certificates that we did not order: from a folder that others fill, from a program, from
ourselves; and those that are only watched."""

import http.server
import json
import ssl
import subprocess
import threading

import pytest

from lib.handshake import verified_by_openssl
from lib.waiting import wait_until

DONE, FAILED, NOTHING_TO_DO = 0, 1, 3


@pytest.fixture
def keep(daemon, xc, tmp_path):
    """keep(issuers, entries, webhook=None, target=None, **top): configures certificate 'xc'
    with these issuers, deployed into the started application."""
    xc.start()

    def configure(issuers, entries=None, webhook=None, target=None, top=None, **certificate):
        entry = {"hosts": ["xc.example"], "issuers": issuers,
                 "deploy": [target or xc.target()]}
        entry.update(certificate)
        alerts = webhook and {"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}}
        daemon.configure(issuers=entries or {}, certificates={"xc": entry}, alerts=alerts,
                         **(top or {}))
        return daemon

    return configure


def put(folder, name, leaf):
    """As certificates arrive: the key first."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.key").write_text(leaf.key_pem)
    (folder / f"{name}.crt").write_text(leaf.fullchain_pem)


# ---- store: whoever put it there

@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def from_store(keep, inbox):
    def configure(**more):
        return keep(["inbox"], {"inbox": {"type": "store", "path": str(inbox)}}, **more)

    return configure


def test_what_somebody_put_into_the_folder_is_deployed_and_served(
        from_store, inbox, xc, authority, tmp_path):
    leaf = authority.issue("xc.example", "other.example")
    put(inbox, "from-the-pki", leaf)
    put(inbox, "not-ours", authority.issue("shop.example"))
    daemon = from_store()
    result = daemon.ok("renew", "xc")
    assert xc.served().thumbprint == leaf.thumbprint
    assert xc.thumbprint() == leaf.thumbprint
    assert xc.https() == (200, '{"version":"6.8.1.2"}')
    assert verified_by_openssl(xc.secure_port, "xc.example", authority.root_pem, tmp_path)
    assert "from-the-pki.crt" in result.text
    assert daemon.status()["last_issuer"] == "inbox"
    # It stays where it was put.
    assert sorted(p.name for p in inbox.iterdir()) == [
        "from-the-pki.crt", "from-the-pki.key", "not-ours.crt", "not-ours.key"]


def test_the_daemon_finds_a_newer_one_and_retires_what_was_ordered_before(
        setup, pebble, from_store, inbox, xc, authority, webhook):
    setup(pebble).ok("renew", "xc")  # and the CA has confirmed our clock
    daemon = from_store(webhook=webhook)
    newer = authority.issue("*.example", days=3650, age_days=0)
    put(inbox, "newer", newer)
    daemon.start()
    wait_until(lambda: (now := xc.served()) and now.thumbprint == newer.thumbprint, 60,
               "the newer certificate in service")
    assert webhook.wait_for("renewed")
    wait_until(lambda: xc.versions() == [newer.thumbprint], 30, "the old one retired")
    assert daemon.stop() == 0


def test_nothing_newer_is_no_failure_until_it_is_due(from_store, inbox, xc, authority):
    put(inbox, "first", authority.issue("xc.example"))
    daemon = from_store()
    daemon.ok("renew", "xc")
    for words in (["renew", "xc"], ["renew", "xc", "--force"]):
        result = daemon(*words)
        assert result.code == NOTHING_TO_DO, result
        assert "nobody has put a newer certificate into its store yet" in result.text
    assert daemon.status()["renewal"]["failures"] == 0


def test_when_it_is_due_and_nobody_has_put_one_it_is_told(from_store, inbox, xc, authority,
                                                          webhook):
    late = authority.issue("xc.example", days=2, age_days=88)
    put(inbox, "late", late)
    daemon = from_store(webhook=webhook)
    daemon.ok("renew", "xc")
    assert xc.served().thumbprint == late.thumbprint
    result = daemon("renew", "xc")
    assert result.code == FAILED, result
    assert ("nobody has put a newer certificate for 'xc.example' there, and the one in hand "
            "ends on ") in result.text
    assert "late.crt, does not do: it is the one in hand" in result.text
    assert webhook.wait_for("failed")
    assert webhook.wait_for("expiring")
    # As soon as there is one, no back-off holds it up.
    newer = authority.issue("xc.example", age_days=0)
    put(inbox, "newer", newer)
    daemon.ok("renew", "xc")
    assert xc.served().thumbprint == newer.thumbprint
    assert webhook.wait_for("recovered")


def test_an_empty_folder_says_what_is_missing(from_store, inbox, authority):
    daemon = from_store()
    result = daemon("renew", "xc")
    assert result.code == FAILED
    assert "nobody has put a certificate for 'xc.example' there yet" in result.text
    assert str(inbox) in result.text
    leaf = authority.issue("xc.example")
    (inbox / "xc.crt").write_text(leaf.fullchain_pem)
    result = daemon("renew", "xc", "--force")
    assert "no unencrypted private key in" in result.text


def test_one_that_is_refused_is_told_and_its_key_is_not_kept(from_store, inbox, xc, authority):
    first = authority.issue("xc.example")
    put(inbox, "first", first)
    daemon = from_store(require=["clientAuth", "serverAuth"])
    daemon.ok("renew", "xc")
    put(inbox, "client", authority.issue("xc.example", days=200, age_days=0, client=True))
    daemon.ok("renew", "xc")
    put(inbox, "plain", authority.issue("xc.example", days=300, age_days=0))
    result = daemon("renew", "xc")
    assert result.code == FAILED, result
    assert "has no extended key usage clientAuth, the old one has it" in result.text
    versions = daemon.state / "certificates/xc/versions"
    assert len(list(versions.iterdir())) <= 2


def test_the_store_is_the_second_choice_when_the_ca_cannot(keep, inbox, xc, authority,
                                                           tmp_path):
    root = tmp_path / "root.pem"
    root.write_text(authority.root_pem)
    leaf = authority.issue("xc.example")
    put(inbox, "spare", leaf)
    daemon = keep(["dead", "inbox"],
                  {"dead": {"directory": "https://127.0.0.1:1/directory",
                            "ca_bundle": str(root), "request_timeout": "2s"},
                   "inbox": {"type": "store", "path": str(inbox)}},
                  challenge={"type": "http-01", "webroot": str(inbox)})
    result = daemon.ok("renew", "xc")
    assert "trying the next issuer" in result.text
    assert xc.served().thumbprint == leaf.thumbprint


# ---- self-signed

def test_a_self_signed_certificate_is_made_served_and_marked(keep, xc):
    daemon = keep(["self-signed"])
    warned = daemon.ok("check-config").text
    assert "self-signed" in warned
    daemon.ok("renew", "xc")
    served = xc.served()
    assert served.names == ["xc.example"]
    assert len(served.chain) == 1
    assert xc.https()[0] == 200
    assert daemon.status()["self_signed"] is True
    assert "self-signed" in daemon.ok("status", "xc").out
    assert daemon("renew", "xc").code == NOTHING_TO_DO
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(served.thumbprint)


def test_no_account_is_made_for_issuers_that_have_none(keep):
    daemon = keep(["self-signed"])
    daemon.ok("renew", "xc")
    assert not (daemon.state / "accounts").exists() or not list(
        (daemon.state / "accounts").iterdir())
    assert not (daemon.state / "breaker.json").exists()


# ---- command

@pytest.fixture
def house_ca(tmp_path, authority):
    """A CA of the house: a program that signs a request by openssl. Gives its path."""
    from cryptography.hazmat.primitives import serialization
    (tmp_path / "ca.key").write_bytes(authority.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    (tmp_path / "ca.pem").write_text(authority.chain_pem)
    (tmp_path / "root.pem").write_text(authority.root_pem)
    program = tmp_path / "house-ca"
    program.write_text(f"""#!/bin/sh
set -e
cd {tmp_path}
cp "$1" last.csr
openssl x509 -req -in "$1" -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copy \\
    -set_serial 0x$(openssl rand -hex 15) -out leaf.pem 2>openssl.log
cat leaf.pem ca.pem > "$2"
""")
    program.chmod(0o755)
    return program


def command_issuer(program, folder, **more):
    return {"house": {"type": "command", "command": [str(program), "{csr}", "{chain}"],
                      "ca_bundle": str(folder / "root.pem"), **more}}


def public_key_of(csr):
    return subprocess.run(["openssl", "req", "-in", csr, "-noout", "-pubkey"],
                          capture_output=True, text=True, check=True).stdout


def test_a_program_is_given_the_request_and_its_chain_is_served(keep, xc, house_ca, tmp_path,
                                                                authority):
    daemon = keep(["house"], command_issuer(house_ca, tmp_path))
    daemon.ok("renew", "xc")
    assert xc.served().names == ["xc.example"]
    assert verified_by_openssl(xc.secure_port, "xc.example", authority.root_pem, tmp_path)
    first = public_key_of(tmp_path / "last.csr")
    assert not (daemon.state / "certificates/xc/command").exists()
    daemon.ok("renew", "xc", "--force")
    assert public_key_of(tmp_path / "last.csr") != first
    # It counts as issued: the breaker looks after programs too.
    result = daemon("renew", "xc", "--force")
    assert result.code == FAILED
    assert "the circuit breaker is open: 2 certificates in 24 h" in result.text


def test_with_key_reuse_the_request_is_of_the_same_key(keep, xc, house_ca, tmp_path):
    daemon = keep(["house"], command_issuer(house_ca, tmp_path),
                  key={"type": "rsa-2048", "reuse": True})
    daemon.ok("renew", "xc")
    old, first = xc.served().thumbprint, public_key_of(tmp_path / "last.csr")
    daemon.ok("renew", "xc", "--force")
    assert public_key_of(tmp_path / "last.csr") == first
    assert xc.serves_another(old)


def fails(daemon, *sentences):
    result = daemon("renew", "xc")
    assert result.code == FAILED, result
    for sentence in sentences:
        assert sentence in result.text, result
    return result


def test_what_the_program_said_last_is_in_the_sentence(keep, xc, house_ca, tmp_path):
    house_ca.write_text("#!/bin/sh\necho 'CA offline: ask Petra' >&2\nexit 7\n")
    daemon = keep(["house"], command_issuer(house_ca, tmp_path))
    fails(daemon, "issuer 'house': ", "exited with code 7", "CA offline: ask Petra")
    assert xc.served() is None


def test_a_program_that_writes_nothing_or_the_wrong_thing_is_refused(
        keep, xc, house_ca, tmp_path, authority):
    daemon = keep(["house"], command_issuer(house_ca, tmp_path))
    house_ca.write_text("#!/bin/sh\nexit 0\n")
    fails(daemon, "ended well, but wrote no certificate", "{chain}")
    (tmp_path / "other.pem").write_text(authority.issue("xc.example").fullchain_pem)
    house_ca.write_text(f"#!/bin/sh\ncp {tmp_path}/other.pem \"$2\"\n")
    result = daemon("renew", "xc", "--force")
    assert result.code == FAILED
    assert "is for another key than the one in the order" in result.text
    assert xc.served() is None


def test_a_chain_that_does_not_end_at_the_bundle_is_refused(keep, xc, house_ca, tmp_path):
    from lib.authority import Authority
    (tmp_path / "root.pem").write_text(Authority("Somebody else").root_pem)
    daemon = keep(["house"], command_issuer(house_ca, tmp_path))
    fails(daemon, "accept the new certificate", "it does not end at a CA of '")
    assert xc.served() is None


def test_a_program_that_hangs_is_ended(keep, house_ca, tmp_path):
    house_ca.write_text("#!/bin/sh\necho waiting for approval\nsleep 600\n")
    daemon = keep(["house"], command_issuer(house_ca, tmp_path, timeout="2s"))
    fails(daemon, "did not end within 2 s", "waiting for approval")


# ---- none: only watched

class TlsServer:
    """Somebody else's server; serve(leaf) changes its certificate."""

    def __init__(self, folder):
        self.folder = folder
        self.server = None

    def serve(self, leaf):
        self.close()
        (self.folder / "served.pem").write_text(leaf.key_pem + leaf.fullchain_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "served.pem")
        address = self.server.server_address if self.server else ("127.0.0.1", 0)
        self.server = http.server.ThreadingHTTPServer(
            address, http.server.BaseHTTPRequestHandler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()


@pytest.fixture
def tls_server(tmp_path):
    server = TlsServer(tmp_path)
    yield server
    server.close()


@pytest.fixture
def watch(daemon, tls_server, webhook):
    def configure(**target):
        entry = {"name": "theirs", "verify": [{"connect": f"127.0.0.1:{tls_server.port}"}]}
        entry.update(target)
        daemon.configure(
            issuers={}, certificates={"xc": {"hosts": ["xc.example"], "issuers": ["none"],
                                             "deploy": [entry]}},
            alerts={"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}})
        return daemon

    return configure


def test_what_is_only_watched_is_told_when_it_runs_out_and_when_it_is_renewed(
        watch, tls_server, webhook, authority):
    dying = authority.issue("xc.example", days=20, age_days=70)
    tls_server.serve(dying)
    daemon = watch()
    result = daemon("renew", "xc")
    assert result.code == NOTHING_TO_DO, result
    assert "only watched (issuers: [none]): nothing is ordered or deployed here" in result.text
    alert = webhook.wait_for("expiring")
    assert alert["severity"] == "notice"
    assert dying.thumbprint in alert["what"]
    assert "nobody has renewed it yet" in alert["what"]
    assert "whoever orders this certificate has to renew it" in alert["todo"]

    for days, severity in ((13, "warning"), (6, "critical")):
        tls_server.serve(authority.issue("xc.example", days=days, age_days=90 - days))
        daemon("renew", "xc")
        assert webhook.of("expiring")[-1]["severity"] == severity

    tls_server.serve(authority.issue("xc.example", days=-1, age_days=91))
    daemon("renew", "xc")
    assert "has expired on" in webhook.wait_for("expired")["what"]

    fresh = authority.issue("xc.example", days=90)
    tls_server.serve(fresh)
    daemon("renew", "xc")
    assert fresh.thumbprint in webhook.wait_for("recovered")["what"]
    changed = webhook.of("renewed")
    assert "another certificate is seen at 127.0.0.1" in changed[0]["what"]
    assert fresh.thumbprint in changed[-1]["what"]


def test_status_and_explain_show_what_is_seen(watch, tls_server, authority, tmp_path):
    leaf = authority.issue("xc.example", days=60)
    tls_server.serve(leaf)
    soon = authority.issue("xc.example", days=5, age_days=85)
    (tmp_path / "on-disk.pem").write_text(soon.fullchain_pem)
    daemon = watch(store={"type": "files", "files": {
        "fullchain": str(tmp_path / "on-disk.pem"), "key": str(tmp_path / "on-disk.key")}})
    assert "nothing was looked at yet" in daemon.ok("status", "xc").out
    daemon("renew", "xc")
    status = daemon.status()
    assert status["sha1"] == soon.thumbprint
    seen = {one["where"]: one for one in status["watched"]}
    assert seen[str(tmp_path / "on-disk.pem")]["step"] == "critical"
    assert seen[f"127.0.0.1:{tls_server.port}"]["step"] == "well"
    out = daemon.ok("status", "xc").out
    assert "only watched: nothing is ordered" in out
    assert leaf.thumbprint in out and soon.thumbprint in out
    explained = daemon.ok("explain", "xc").out
    for words in ("only watched", "notice", "warning", "critical", "expired"):
        assert words in explained, explained
    # Neither the file nor anything beside it was touched.
    assert not (tmp_path / "on-disk.key").exists()


def test_commands_that_would_act_are_refused(watch, tls_server, authority):
    tls_server.serve(authority.issue("xc.example"))
    daemon = watch()
    for words in (["deploy", "xc"], ["rollback", "xc"], ["fallback", "xc", "on"]):
        result = daemon(*words)
        assert result.code == NOTHING_TO_DO, result
        assert "only watched" in result.text


def test_an_endpoint_that_shows_nothing_is_told_and_its_time_runs_on(
        watch, tls_server, webhook, authority):
    leaf = authority.issue("xc.example")
    tls_server.serve(leaf)
    daemon = watch()
    daemon("renew", "xc")
    tls_server.close()
    tls_server.server = None
    daemon("renew", "xc")
    alert = webhook.wait_for("drift")
    assert "no certificate is seen at 127.0.0.1" in alert["what"]
    assert "does not answer" in alert["what"]
    assert daemon.status()["sha1"] == leaf.thumbprint


def test_the_daemon_watches_by_itself(watch, tls_server, webhook, authority):
    tls_server.serve(authority.issue("xc.example", days=3, age_days=87))
    daemon = watch()
    daemon.start()
    assert webhook.wait_for("expiring")["severity"] == "critical"
    assert daemon.stop() == 0
    log = daemon.log()
    assert json.dumps("order")[1:-1] + ":" not in log.replace("whoever orders", "")
