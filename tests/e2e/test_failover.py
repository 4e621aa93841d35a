"""Several issuers for one certificate: an outage asks the next one at once, a refusal after
so many in a row; a rate limit that ends in time is waited for; spares have an account before
they are needed."""

import json
import re

import pytest

from lib.ca_proxy import make_proxy, problem, proxy, short_lived  # noqa: F401
from lib.pebble import Pebble, issuer_of
from lib.waiting import wait_until

DONE, FAILED, NOTHING = 0, 1, 3
REFUSAL = problem(403, "rejectedIdentifier", "not by us")
BUSY = problem(503, "serverInternal", "back soon", Retry_After="30")


@pytest.fixture(scope="module")
def spare(tmp_path_factory):
    """The second CA; it issues for an hour and is asked by every test here."""
    pebble = Pebble(tmp_path_factory.mktemp("spare"), validity_s=3600, nonce_reject=0)
    yield pebble
    pebble.close()


@pytest.fixture
def pair(setup, proxy, spare, xc, short_lived, webhook):
    """A certificate of 'pebble' (behind `proxy`) that is due, with 'spare' behind it."""
    spare.http_port = short_lived.http_port
    xc.start()
    daemon = setup(proxy, webhook, key={"type": "ec-p256"}, issuers=["pebble"])
    daemon.ok("renew", "xc")
    daemon.config["issuers"]["spare"] = issuer_of(spare)
    certificate = daemon.config["certificates"]["xc"]
    certificate.update(issuers=["pebble", "spare"], key={"type": "ec-p384"})
    # both CAs fetch from where `spare` looks
    certificate["challenge"]["listen"] = f"127.0.0.1:{spare.validate_at}"
    short_lived.stop()
    short_lived.validate_at = spare.validate_at
    short_lived.start()
    daemon.write()
    return daemon


def test_an_outage_asks_the_next_issuer_at_once(pair, proxy, spare, xc):
    old = xc.served().thumbprint
    proxy.rules["/order-plz"] = BUSY
    result = pair.ok("renew", "xc")
    assert "back soon" in result.text and "trying the next issuer" in result.text
    assert xc.serves_another(old)
    assert pair.status()["last_issuer"] == "spare"
    assert " from 'spare', valid until" in result.text
    explained = pair.ok("explain", "xc").out
    assert re.search("failed at +pebble, last .*back soon", explained), explained


def test_a_refusal_asks_the_next_issuer_after_so_many_in_a_row(pair, proxy, xc, webhook):
    old = xc.served().thumbprint
    proxy.rules["/order-plz"] = REFUSAL
    for left in (2, 1):
        result = pair("renew", "xc", "--force")
        assert result.code == FAILED
        assert f"the next issuer after {left} more refusals" in result.text
        assert "issuer 'pebble': newOrder: rejectedIdentifier: not by us" in result.text
    assert xc.served().thumbprint == old
    result = pair.ok("renew", "xc", "--force")
    assert "trying the next issuer" in result.text
    assert pair.status()["last_issuer"] == "spare"
    # What the first one said is kept; its refusals begin anew.
    rows = json.loads((pair.state / "certificates/xc/job.json").read_text())["issuers"]
    row = next(row for row in rows if row["name"] == "pebble")
    assert "not by us" in row["text"] and row["refusals"] == 0


def test_a_rate_limit_that_ends_in_time_is_waited_for(pair, proxy, spare):
    orders = spare.requests("/order-plz")
    proxy.rules["/order-plz"] = problem(429, "rateLimited", "too many", Retry_After="60")
    result = pair("renew", "xc")
    assert result.code == FAILED and "rateLimited: too many" in result.text
    assert spare.requests("/order-plz") == orders
    (pair.state / "accounts/pebble/history.json").unlink()
    # An hour's certificate does not wait until it has expired.
    proxy.rules["/order-plz"] = problem(429, "rateLimited", "too many", Retry_After="7200")
    pair.ok("renew", "xc", "--force")
    assert pair.status()["last_issuer"] == "spare"


def test_without_any_certificate_nobody_waits(pair, proxy, xc):
    proxy.rules["/order-plz"] = REFUSAL
    certificates = pair.state / "certificates"
    certificates.rename(pair.state / "certificates.away")
    pair.ok("renew", "xc")
    assert pair.status()["last_issuer"] == "spare"


def test_a_spare_has_an_account_before_it_is_needed(pair, proxy, spare, xc):
    account = pair.state / "accounts/spare/account.json"
    assert not account.exists()
    pair.start()
    wait_until(account.exists, what="an account at the spare")
    assert "url" in json.loads(account.read_text())
    assert pair.stop() == 0


def test_a_spare_that_registers_nobody_is_told(pair, make_proxy, spare, webhook):
    refusing = make_proxy(spare)
    refusing.rules["/sign-me-up"] = problem(403, "unauthorized", "no accounts for you")
    pair.config["issuers"]["spare"] = issuer_of(refusing)
    pair.write()
    pair.start()
    alert = webhook.wait_for("rehearsal_failed")
    assert "no account could be made at 'spare'" in alert["what"]
    assert "no accounts for you" in alert["what"]
    assert pair.stop() == 0
