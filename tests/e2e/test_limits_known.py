"""What a CA says about how often it may be asked holds for every certificate of the account,
survives us, and reaches the operator whole; a CA without published limits is not second-guessed.

What Let's Encrypt publishes is reckoned with in tests/unit/daemon/test_limits.c: no test asks
the real one."""

import json
import time

import pytest

from conftest import issuer_of
from lib.ca_proxy import make_proxy, problem, proxy, short_lived  # noqa: F401
from lib.served_files import ServedFiles

DONE, FAILED = 0, 1
UNPAUSE = "https://portal.example/sfe/v1/unpause?jwt=" + "eyJhbGciOiJIUzI1NiJ9." * 40 + "end"


@pytest.fixture
def app(tmp_path):
    served = ServedFiles(tmp_path / "app")
    yield served
    served.close()


@pytest.fixture
def daemon(daemon, proxy, app, webhook):  # noqa: F811
    daemon.configure(
        issuers={"ca": issuer_of(proxy)},
        certificates={name: {
            "hosts": [f"{name}.example"], "issuers": ["ca"], "key": {"type": "ec-p256"},
            "challenge": {"type": "http-01", "listen": f"127.0.0.1:{proxy.http_port}"},
            "deploy": [app.target(f"{name}.example")]} for name in ("a", "b")},
        alerts={"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}})
    return daemon


def refuses(proxy, words, **headers):
    proxy.rules["/order-plz"] = problem(429, "rateLimited", words, **headers)


def limits_of(daemon, name):
    (issuer,) = daemon.status(name)["issuers"]
    return issuer["limits"]


def test_a_wait_of_the_account_holds_for_every_certificate_and_for_force(daemon, proxy):
    refuses(proxy, "too many requests", Retry_After="1000")
    assert daemon("renew", "a").code == FAILED
    asked = proxy.count("/order-plz")
    for force in ([], ["--force"]):
        result = daemon("renew", "b", *force)
        assert result.code == FAILED
        assert "not asked before 20" in result.err
        assert "the CA said on 20" in result.err and "rateLimited: too many" in result.err
        daemon("renew", "a", "--force")
    assert proxy.count("/order-plz") == asked
    limits = limits_of(daemon, "b")
    assert limits["allowed"] is False and limits["ca"] is None and limits["rules"] == []
    assert "rateLimited: too many requests" in limits["text"]
    assert "not asked before" in daemon.ok("explain", "b").out
    assert "ca is not asked before" in daemon.ok("status", "b").out


def test_a_wait_for_names_holds_back_only_those(daemon, proxy):
    refuses(proxy, 'too many failed authorizations (5) for "a.example"', Retry_After="1000")
    assert daemon("renew", "a").code == FAILED
    proxy.rules.clear()
    daemon.ok("renew", "b")
    asked = proxy.count("/order-plz")
    assert "not asked before" in daemon("renew", "a", "--force").err
    assert proxy.count("/order-plz") == asked


def test_a_wait_ends(daemon, proxy):
    refuses(proxy, "too many requests", Retry_After="2")
    assert daemon("renew", "a").code == FAILED
    proxy.rules.clear()
    time.sleep(2.1)
    daemon.ok("renew", "a", "--force")
    daemon.ok("renew", "b")
    assert limits_of(daemon, "a") is None


def test_the_link_to_unpause_reaches_the_operator_whole(daemon, proxy, webhook):
    refuses(proxy, "Your account is temporarily prevented from requesting certificates for "
                   f"a.example and possibly others. Please visit: {UNPAUSE}")
    result = daemon("renew", "a")
    assert result.code == FAILED and UNPAUSE in result.err
    assert UNPAUSE in webhook.wait_for("failed")["what"]
    assert UNPAUSE in daemon.status("a")["renewal"]["text"]
    assert UNPAUSE in daemon.ok("status", "a").out
    assert UNPAUSE in daemon.ok("explain", "a").out


def test_of_an_unknown_ca_nothing_is_counted_or_said(daemon):
    daemon.ok("renew", "a", "--force")
    assert limits_of(daemon, "a") is None
    assert "CA's limits" not in daemon.ok("explain", "a").out
    assert not (daemon.state / "accounts/ca/history.json").exists()


def test_a_damaged_history_is_set_aside_and_told(daemon, proxy):
    daemon.ok("renew", "a")
    path = daemon.state / "accounts/ca/history.json"
    path.write_text("{\"orders\":")
    result = daemon.ok("status", "a", "--json")
    assert json.loads(result.out)["certificates"]
    assert not path.exists()
    assert list(path.parent.glob("history.json.damaged-*"))
    assert "history.json" in daemon.log() + result.err
