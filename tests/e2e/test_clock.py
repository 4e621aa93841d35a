"""Nothing is deleted and nothing falls back while nobody confirms the clock. Here the CA's
Date is moved instead of our clock: for the rule that is the same."""

import email.utils
import http.server
import json
import re
import ssl
import threading
import time

import pytest

from lib.ca_proxy import make_proxy, proxy, short_lived  # noqa: F401
from lib.daemon import SANITIZERS
from lib.waiting import wait_until

YEAR_S = 365 * 86400


@pytest.fixture
def kept(setup, proxy, xc, webhook):
    """One certificate in service, the clock confirmed by the CA behind the proxy."""
    xc.start()
    daemon = setup(proxy, webhook, key={"type": "ec-p256"})
    daemon.config["inspect_every"] = {"files": "1s", "endpoints": "1s"}
    daemon.write()
    daemon.ok("renew", "xc")
    assert clock(daemon)["confirmed"]
    webhook.alerts.clear()
    return daemon


def clock(daemon):
    return daemon.ok("status", "--json").json["clock"]


@pytest.mark.parametrize("offset_s, words", [
    (-YEAR_S, "ahead of the CA's"), (YEAR_S, "behind the CA's")])
def test_a_year_off_nothing_is_retired_until_the_date_is_right_again(
        kept, proxy, xc, webhook, offset_s, words):
    old = xc.served().thumbprint
    proxy.date_offset_s = offset_s
    kept.ok("renew", "xc", "--force")
    new = xc.served().thumbprint
    assert new != old, "a wrong clock is no reason to serve an old certificate"
    assert xc.versions() == sorted([old, new])
    assert not clock(kept)["confirmed"]
    assert words in clock(kept)["why"]
    alert, = webhook.of("clock_unconfirmed")
    assert alert["what"].startswith("the old certificate of 'xc' is not deleted, because "
                                    "the clock is not confirmed: the clock is 3153")
    assert words in alert["what"]
    assert "set the clock" in alert["todo"]

    time.sleep(1.2)
    kept("renew", "xc")  # looks at everything, and finds nothing else wrong
    assert xc.versions() == sorted([old, new])
    assert webhook.of("recovered") == []
    assert len(webhook.of("clock_unconfirmed")) == 1
    assert "not confirmed: the clock is 3153" in kept.ok("explain", "xc").out

    proxy.date_offset_s = 0
    kept.ok("renew", "xc", "--force")
    assert clock(kept)["confirmed"]
    assert xc.versions() == [xc.served().thumbprint]
    assert webhook.of("recovered")


def test_the_running_daemon_retires_when_the_ca_agrees_again(kept, proxy, xc, webhook):
    old = xc.served().thumbprint
    proxy.date_offset_s = -YEAR_S
    kept.start()
    kept.ok("renew", "xc", "--force")
    webhook.wait_for("clock_unconfirmed")
    assert old in xc.versions()
    proxy.date_offset_s = 60  # within the tolerance
    kept.ok("renew", "xc", "--force")
    wait_until(lambda: xc.versions() == [xc.served().thumbprint], what="the retirement")
    assert kept.stop() == 0


def test_a_year_off_there_is_no_fallback_but_by_command(kept, proxy, xc, webhook,
                                                       short_lived):
    served = expired(kept, short_lived, proxy, xc)
    proxy.date_offset_s = -YEAR_S
    proxy.rules["/order-plz"] = refuse
    for _ in range(2):
        assert kept("renew", "xc", "--force").code == 1
    assert xc.served().thumbprint == served
    assert webhook.of("fallback") == []
    assert webhook.of("expired")
    alert, = webhook.of("clock_unconfirmed")
    assert alert["target"] == "xtract-core"
    assert alert["what"].startswith("'xtract-core' would fall back to HTTP, but the clock is "
                                    "not confirmed: the clock is 3153")
    assert "`certrenewd fallback xc on` does it on your word" in alert["todo"]

    kept.ok("fallback", "xc", "on")
    assert xc.http() == (200, '{"version":"6.8.1.2"}')


def test_the_ladder_goes_on_when_the_clock_is_confirmed_again(kept, proxy, xc, webhook,
                                                             short_lived):
    served = expired(kept, short_lived, proxy, xc)
    proxy.rules["/order-plz"] = refuse
    proxy.date_offset_s = -10 * YEAR_S
    for _ in range(2):
        assert kept("renew", "xc", "--force").code == 1
    assert xc.served().thumbprint == served
    assert len(webhook.of("clock_unconfirmed")) == 1
    assert "by a clock that nobody confirms" in webhook.of("expired")[0]["what"]
    proxy.date_offset_s = 0
    kept("renew", "xc", "--force")
    assert xc.http() == (200, '{"version":"6.8.1.2"}')


def test_where_the_clock_is_right_the_same_failure_falls_back(kept, proxy, xc, webhook,
                                                             short_lived):
    expired(kept, short_lived, proxy, xc)
    proxy.rules["/order-plz"] = refuse
    assert kept("renew", "xc", "--force").code == 1
    assert xc.http() == (200, '{"version":"6.8.1.2"}')
    assert webhook.of("clock_unconfirmed") == []


@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumps_by_ten_years_orders_and_changes_nothing(
        kept, xc, webhook, short_lived, programs, years):
    """Ours, this time: everything has long expired, or is not valid for years."""
    moved = {"LD_PRELOAD": str(programs / "libmoved_clock.so"),
             "MOVED_CLOCK_S": str(years * YEAR_S),
             "ASAN_OPTIONS": f"{SANITIZERS['ASAN_OPTIONS']}:verify_asan_link_order=0"}
    served, written, versions = xc.served(), xc.tls_json.read_bytes(), xc.versions()
    orders = short_lived.requests("/order-plz")
    for words in (("renew", "xc"), ("renew", "xc"), ("renew", "xc", "--force")):
        assert kept(*words, env=moved).code in (1, 3)
    explained = kept("explain", "xc", env=moved).out
    assert re.search("not confirmed: the clock was moved 36(50 d|49 d 23 h) ", explained)
    assert (xc.served(), xc.tls_json.read_bytes(), xc.versions()) == (served, written, versions)
    assert short_lived.requests("/order-plz") == orders
    assert webhook.of("fallback") == webhook.of("renewed") == []
    if years > 0:
        told, = webhook.of("clock_unconfirmed")
        assert "'xtract-core' would fall back to HTTP, but the clock is not" in told["what"]

    kept("renew", "xc")  # by the right clock, at once
    assert clock(kept)["confirmed"]
    assert kept("renew", "xc").code == 3
    assert (xc.served(), xc.versions()) == (served, versions)
    assert short_lived.requests("/order-plz") == orders


def test_a_clock_that_no_ca_ever_confirmed_is_said_so(setup, proxy, xc):
    daemon = setup(proxy)
    proxy.pebble.stop()
    proxy.close()
    assert clock(daemon) == {"confirmed": False,
                             "why": "never confirmed by a CA or a webhook"}
    assert daemon("renew", "xc").code == 1
    assert not clock(daemon)["confirmed"]
    assert "clock not confirmed: never confirmed" in daemon.ok("status").out


def test_a_date_over_plain_http_confirms_nothing(setup, proxy, xc, webhook):
    """The receiver of the alerts answers with the right Date, but anybody could."""
    proxy.close()
    daemon = setup(proxy, webhook)
    daemon.start()
    webhook.wait_for("failed")
    time.sleep(0.3)
    assert not clock(daemon)["confirmed"]
    assert daemon.stop() == 0


@pytest.fixture
def receiver(tmp_path, authority):
    """A webhook over TLS. Gives (its entry for `alerts:`, what it has heard)."""
    leaf, heard = authority.issue("127.0.0.1"), []
    for name, text in (("root", authority.root_pem), ("chain", leaf.fullchain_pem),
                       ("key", leaf.key_pem)):
        (tmp_path / f"hook-{name}.pem").write_text(text)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response_only(204)
            self.send_header("Date", email.utils.formatdate(time.time(), usegmt=True))
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "hook-chain.pem", tmp_path / "hook-key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield {"type": "webhook", "url": f"https://127.0.0.1:{server.server_address[1]}/",
           "ca_bundle": str(tmp_path / "hook-root.pem"), "min": "notice"}, heard
    server.shutdown()
    server.server_close()


def test_a_webhook_over_tls_confirms_the_clock_too(setup, proxy, xc, receiver):
    entry, heard = receiver
    proxy.close()
    daemon = setup(proxy)
    daemon.config["alerts"] = {"ops": entry}
    daemon.write()
    daemon.start()
    wait_until(lambda: heard, what="an alert")
    wait_until(lambda: clock(daemon)["confirmed"], 5, "the confirmation")
    assert daemon.stop() == 0
    assert clock(daemon)["confirmed"]
    assert heard[0]["event"] == "failed"


# ---- of the tests


def refuse(answer):
    """For the proxy's rules: the CA has had enough of us."""
    answer.status = 500
    answer.json = {"type": "urn:ietf:params:acme:error:serverInternal", "detail": "no"}


def expired(daemon, pebble, proxy, xc):
    """The application serves an expired certificate of ours. Gives its thumbprint."""
    pebble.restart(validity_s=12)
    daemon.ok("renew", "xc", "--force")
    served = xc.served()
    wait_until(lambda: time.time() > ends(served) + 1, 40, "its end")
    return served.thumbprint


def ends(served):
    return ssl.cert_time_to_seconds(served.not_after)


def test_what_failed_by_a_wrong_clock_is_over_once_nothing_is_due(kept, webhook):
    """It had begun to renew on a clock that was ahead, and failed; then the clock was set
    right."""
    path = kept.state / "certificates/xc/job.json"
    job = json.loads(path.read_text())
    job["renewal"].update(count=3, text="expired", last_at=int(time.time()) - 60,
                          next_at=int(time.time()) - 1)
    path.write_text(json.dumps(job))
    (kept.state / "alerts/troubles.json").write_text(json.dumps({"open": [{
        "kind": "failed", "certificate": "xc", "target": None, "severity": 1,
        "told_at": int(time.time()) - 60, "withheld": 0,
        "heard": list(kept.config["alerts"])}]}))
    kept.start()
    assert webhook.wait_for("recovered")["certificate"] == "xc"
    wait_until(lambda: json.loads(path.read_text())["renewal"]["count"] == 0)
    assert kept.stop() == 0
