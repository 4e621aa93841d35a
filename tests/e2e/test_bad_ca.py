"""A CA that misbehaves: whatever it does, the old certificate stays in service, tls.json is
not touched, there is one alert in the CA's words, and the next try waits its time."""

import datetime
import json
import re
import socket
import subprocess
import time

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from conftest import issuer_of
from lib.ca_proxy import Answer, make_proxy, problem, proxy, short_lived  # noqa: F401
from lib.waiting import Background, free_port, port_answers, wait_until

DONE, FAILED, USAGE, NOTHING, NO_DAEMON, DENIED = range(6)
EC = {"type": "ec-p256"}


class Scene:
    """An application in service whose certificate is due: its key type was changed."""

    def __init__(self, daemon, xc, webhook):
        self.daemon, self.xc, self.webhook = daemon, xc, webhook
        self.certificate = daemon.config["certificates"]["xc"]
        self.certificate["key"] = {"type": "ec-p384"}
        daemon.write()
        webhook.alerts.clear()
        self.old, self.tls_json = xc.served(), xc.tls_json.read_bytes()

    def nothing_changed(self):
        assert self.xc.served() == self.old
        assert self.xc.tls_json.read_bytes() == self.tls_json
        assert self.xc.versions() == [self.old.thumbprint]

    def fails(self, *patterns, alerts=1):
        """One try: the sentence, the alert, the back-off; all as before."""
        result = self.daemon("renew", "xc", timeout=60)
        assert result.code == FAILED, result
        failed = self.webhook.of("failed")
        assert len(failed) == alerts, failed
        for pattern in patterns:
            assert re.search(pattern, result.err, re.I), f"{pattern!r} not in {result.err}"
            assert re.search(pattern, failed[0]["what"], re.I), failed[0]
        self.nothing_changed()
        renewal = self.daemon.status()["renewal"]
        assert renewal["failures"] == 1
        assert self.next_in() > 1
        again = self.daemon("renew", "xc")
        assert again.code == NOTHING, again
        when = renewal["next_at"][:16].replace("T", " ")
        assert when in again.out and "--force" in again.out, (when, again.out)
        return result

    def next_in(self):
        """Seconds from the last failure to the next try."""
        renewal = self.daemon.status()["renewal"]
        last, next_at = (datetime.datetime.fromisoformat(renewal[k].rstrip("Z"))
                         for k in ("last_at", "next_at"))
        return (next_at - last).total_seconds()

    def heals(self, force=True):
        """The CA is well again."""
        self.daemon.ok("renew", "xc", *(["--force"] if force else []))
        assert self.xc.serves_another(self.old.thumbprint)
        assert self.webhook.of("recovered")
        assert self.xc.versions() == [self.xc.served().thumbprint]


@pytest.fixture
def scene(setup, proxy, xc, webhook):
    xc.start()
    daemon = setup(proxy, webhook, key=EC)
    daemon.config["issuers"]["pebble"].update(request_timeout="2s", order_timeout="3s")
    daemon.write()
    daemon.ok("renew", "xc")
    return Scene(daemon, xc, webhook)


HTML = Answer(200, b"<html><body>Please log in</body></html>", "text/html")
HUGE = Answer(200, b'{"x": "' + b"y" * (10 << 20) + b'"}', "application/json")
ROUND = Answer(302, b"", "text/plain", Location="/dir")


ANSWERS = {
    "500 everywhere": ("/", Answer(500, b"<h1>It broke</h1>", "text/html"), "500"),
    "503 at the order": ("/order-plz", Answer(503, b"", "text/plain"), "503"),
    "HTML everywhere": ("/", HTML, "html|JSON"),
    "HTML at the order": ("/order-plz", HTML, "html|JSON"),
    "10 MiB": ("/", HUGE, r"large|bytes|too (big|long|much)|more than"),
    "endless redirects": ("/", ROUND, "redirect"),
    "rejected": ("/order-plz", problem(403, "rejectedIdentifier", "we hate xc.example"),
                 "rejectedIdentifier.*we hate xc.example"),
    "deactivated": ("/order-plz", problem(403, "unauthorized", "account deactivated by us"),
                    "account deactivated by us"),
    "bad CSR": ("/finalize-order", problem(403, "badCSR", "the key is weak"),
                "the key is weak"),
}


def test_what_the_ca_answers_is_named_and_changes_nothing(scene, proxy):
    for count, (name, (path, answer, pattern)) in enumerate(ANSWERS.items(), 1):
        proxy.rules = {path: answer}
        result = scene.daemon("renew", "xc", "--force")
        assert result.code == FAILED, (name, result)
        assert re.search("issuer 'pebble': .*(" + pattern + ")", result.err, re.I), (name,
                                                                                 result)
        assert len(result.text) < 4000, name
        scene.nothing_changed()
        assert scene.daemon.status()["renewal"]["failures"] == count
    assert len(scene.webhook.of("failed")) == 1
    proxy.rules = {}
    scene.heals()
    recovered, = scene.webhook.of("recovered")
    assert recovered["withheld"] >= count - 1


def test_a_ca_that_is_not_there(scene, proxy):
    directory = scene.daemon.config["issuers"]["pebble"]["directory"]
    nobody = f"https://127.0.0.1:{free_port()}/dir"
    scene.daemon.config["issuers"]["pebble"]["directory"] = nobody
    scene.daemon.write()
    scene.fails("issuer 'pebble'", re.escape(nobody), "refused|connect")
    scene.daemon.config["issuers"]["pebble"]["directory"] = directory
    scene.daemon.write()
    scene.heals()


def test_a_rate_limit_is_told_in_the_cas_words_and_its_retry_after_is_kept(scene, proxy):
    proxy.rules["/order-plz"] = problem(429, "rateLimited", "too many orders, dear",
                                        Retry_After="7200")
    scene.fails("too many orders, dear")
    assert 7190 <= scene.next_in() <= 7210
    scene.daemon.start()
    time.sleep(1)
    assert proxy.count("/order-plz") == 2, "the daemon asked again before its time"
    assert scene.daemon.stop() == 0
    proxy.rules.clear()
    result = scene.daemon("renew", "xc", "--force")  # does not skip what the CA has said
    assert result.code == FAILED and "not asked before" in result.err, result
    (scene.daemon.state / "accounts/pebble/history.json").unlink()
    scene.heals()


def test_a_retry_after_that_is_a_date_is_kept_too(scene, proxy):
    when = datetime.datetime.utcnow() + datetime.timedelta(hours=3)
    proxy.rules["/order-plz"] = problem(
        429, "rateLimited", "later", Retry_After=when.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    scene.fails("later")
    assert 3 * 3600 - 20 <= scene.next_in() <= 3 * 3600 + 5


def test_a_ca_that_cannot_be_verified_is_not_spoken_to(scene, proxy, make_proxy, short_lived):
    for other, pattern in [(make_proxy(short_lived), "certificate|verif|trust"),
                           (make_proxy(short_lived, names=("other.example",)),
                            "certificate|name|match")]:
        issuer = scene.daemon.config["issuers"]["pebble"]
        issuer["directory"] = other.directory
        issuer["ca_bundle"] = str(proxy.ca_bundle if pattern.endswith("trust") else
                                  other.ca_bundle)
        scene.daemon.write()
        result = scene.daemon("renew", "xc", "--force")
        assert result.code == FAILED, result
        assert re.search(pattern, result.err, re.I), result
        assert other.seen == []
        scene.nothing_changed()


def test_a_challenge_that_failed_is_told_in_the_cas_words(scene, short_lived):
    other = free_port()  # the CA looks elsewhere
    scene.certificate["challenge"]["listen"] = f"127.0.0.1:{other}"
    # Pebble takes a name that it has seen proven on trust in one of a hundred orders,
    # PEBBLE_AUTHZREUSE=0 or not.
    scene.certificate["hosts"] = ["never-proven.example"]
    scene.daemon.write()
    result = scene.fails("never-proven.example", "refused|connection|fetch")
    assert re.search(r"urn:ietf|connection|unauthorized", result.err)
    assert not port_answers(other)
    scene.certificate["challenge"]["listen"] = f"127.0.0.1:{short_lived.http_port}"
    scene.daemon.write()
    scene.heals()


def test_an_order_that_is_processed_for_long_is_waited_for_and_not_ordered_again(
        scene, proxy, short_lived):
    def never_done(answer):
        order = answer.json
        if order["status"] == "valid":
            order["status"] = "processing"
            order.pop("certificate", None)
            answer.json = order

    proxy.rules.update({"/my-order/": never_done, "/finalize-order/": never_done})
    orders = short_lived.requests("/order-plz")
    scene.fails("processing", "3 s")
    proxy.rules.clear()
    scene.heals()
    assert short_lived.requests("/order-plz") == orders + 1
    assert short_lived.requests("/finalize-order") == 2


def without_intermediate(answer):
    end = b"-----END CERTIFICATE-----\n"
    answer.body = answer.body.split(end)[0] + end


def test_a_certificate_that_is_not_ours_is_refused_and_never_deployed(
        scene, proxy, authority):
    def other_key(answer):
        answer.body = authority.issue("xc.example", days=0.04).fullchain_pem.encode()

    def other_names(answer):
        keys = (scene.daemon.state / "certificates/xc/versions").glob("*/key.pem")
        newest = max(keys, key=lambda path: int(path.parent.name))
        key = load_pem_private_key(newest.read_bytes(), None)
        answer.body = authority.issue("evil.example", days=0.04,
                                      key=key).fullchain_pem.encode()

    def nonsense(answer):
        answer.body = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    for change, pattern in [
            (other_key, "is for another key"),
            (other_names, "accept the new certificate: .*"
                          "'evil.example' instead of 'xc.example'"),
            (without_intermediate, "accept the new certificate: .*"
                                   "no certificate of its own.*Pebble Intermediate"),
            (nonsense, "certificate")]:
        proxy.rules["/certZ/"] = change
        result = scene.daemon("renew", "xc", "--force")
        assert result.code == FAILED, result
        assert re.search(pattern, result.err), result
        scene.nothing_changed()
    proxy.rules.clear()
    scene.heals()


def test_the_second_issuer_is_asked_when_the_first_one_cannot(
        scene, proxy, make_pebble, short_lived):
    second = make_pebble(validity_s=3600, http_port=short_lived.http_port, nonce_reject=0)
    scene.daemon.config["issuers"]["second"] = issuer_of(second)
    scene.certificate.update(issuers=["pebble", "second"], failover_after=1)
    scene.daemon.write()
    proxy.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not by us")
    result = scene.daemon.ok("renew", "xc")
    assert "not by us" in result.text and "trying the next issuer" in result.text
    assert scene.xc.serves_another(scene.old.thumbprint)
    assert second.requests("/certZ/") == 1
    assert scene.daemon.status()["last_issuer"] == "second"
    assert scene.webhook.of("failed") == []


def test_both_issuers_words_are_told_when_neither_can(scene, proxy, make_proxy, make_pebble,
                                                      short_lived):
    other = make_proxy(short_lived)
    scene.daemon.config["issuers"]["second"] = issuer_of(other)
    scene.certificate.update(issuers=["pebble", "second"], failover_after=1)
    scene.daemon.write()
    proxy.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not by us")
    other.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not by them")
    scene.fails("issuer 'pebble'.*not by us", "issuer 'second'.*not by them")


def test_terms_that_were_not_agreed_to_are_named(make_pebble, setup, xc, webhook):
    pebble = make_pebble()
    xc.start()
    daemon = setup(pebble, webhook)
    daemon.config["issuers"]["pebble"]["agree_to_terms"] = False
    daemon.write()
    result = daemon("renew", "xc")
    assert result.code == FAILED, result
    assert "agree_to_terms" in result.err and "terms of service '" in result.err
    assert "agree_to_terms" in webhook.wait_for("failed")["what"]
    assert pebble.requests("/order-plz") == 0


def test_an_account_that_the_ca_lost_is_made_again_by_the_running_daemon(
        setup, short_lived, xc):
    xc.start()
    daemon = setup(short_lived, key=EC)
    daemon.start()
    wait_until(lambda: xc.served(), what="the first")
    old = xc.served().thumbprint
    account = daemon.state / "accounts/pebble/account.json"
    url = json.loads(account.read_text())["url"]
    short_lived.restart()
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(old)
    assert json.loads(account.read_text())["url"] != url
    assert daemon.stop() == 0


# ---- the challenge's port


def test_a_port_that_is_taken_is_named_with_its_owner_and_nothing_is_ordered(
        scene, proxy, short_lived, tmp_path):
    thief = Background(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1",
                        short_lived.http_port, "-d", tmp_path], tmp_path / "thief.log")
    try:
        wait_until(lambda: port_answers(short_lived.http_port), what="the thief")
        orders = proxy.count("/order-plz")
        scene.fails(rf"port {short_lived.http_port} is taken by 'python3' "
                    rf"\(process {thief.pid}\)", "webroot")
        assert proxy.count("/order-plz") == orders
    finally:
        thief.kill()
    scene.heals()


def test_the_responder_answers_on_ipv6(setup, make_pebble, xc, tmp_path):
    """Pebble comes by IPv4, so a relay asks us by IPv6 for it."""
    relay_log = tmp_path / "relay.log"
    pebble = make_pebble()
    port = free_port()
    relay = Background(["/usr/bin/python3", "-c", RELAY, pebble.http_port, port], relay_log)
    try:
        xc.start()
        setup(pebble, challenge={"listen": f"[::1]:{port}"}).ok("renew", "xc")
        assert xc.served() is not None
        assert "via ::1" in relay.text()
        with socket.socket(socket.AF_INET6) as probe:
            assert probe.connect_ex(("::1", port)) != 0
    finally:
        relay.kill()


RELAY = """
import http.client, http.server, sys
class Relay(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        upstream = http.client.HTTPConnection("::1", int(sys.argv[2]), timeout=5)
        upstream.request("GET", self.path, headers={"Host": self.headers["Host"]})
        answer = upstream.getresponse(); body = answer.read()
        print("via", upstream.sock.getpeername()[0] if upstream.sock else "::1", flush=True)
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Relay).serve_forever()
"""
