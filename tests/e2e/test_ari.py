"""When the CA says when to renew (RFC 9773), by a real CA that does, and by what it might
say instead."""

import datetime
import json
import re

import pytest

from lib.ca_proxy import Answer, make_proxy, problem  # noqa: F401
from lib.pebble import with_renewal_info

DAY, HOUR = 86400, 3600
DONE, NOTHING = 0, 3
ARI = "/draft-ietf-acme-ari-03/renewalInfo/"


def rfc3339(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def ca(make_pebble, make_proxy):
    pebble = make_pebble(binary=with_renewal_info(), validity_s=9 * DAY, nonce_reject=0)
    return make_proxy(pebble)


@pytest.fixture
def issued(setup, ca, xc):
    xc.start()
    daemon = setup(ca, key={"type": "ec-p256"})
    daemon.ok("renew", "xc")
    return daemon


def job(daemon):
    return json.loads((daemon.state / "certificates/xc/job.json").read_text())


def ask_now(daemon):
    """As if the CA's Retry-After had passed."""
    path = daemon.state / "certificates/xc/job.json"
    changed = {**job(daemon), "ari_ask_again_at": 1}
    path.write_text(json.dumps(changed))


def window(now, start, end, **more):
    return Answer(200, {"suggestedWindow": {"start": rfc3339(now + start),
                                            "end": rfc3339(now + end)}, **more},
                  type="application/json", Retry_After="21600")


def now_of(daemon):
    return job(daemon)["last_renewed_at"]


def test_the_ca_is_asked_right_after_issuance_and_its_moment_is_kept(issued, ca):
    first = job(issued)
    assert ca.count(ARI) == 1
    assert first["ari_start"] <= first["ari_at"] <= first["ari_end"]
    assert 5 * HOUR < first["ari_ask_again_at"] - first["last_renewed_at"] < 7 * HOUR
    assert "CA's advice (ARI)" in issued.ok("explain", "xc").out
    assert issued("renew", "xc").code == NOTHING
    assert ca.count(ARI) == 1, "asked again before its time"
    ask_now(issued)
    assert issued("renew", "xc").code == NOTHING
    assert ca.count(ARI) == 2
    assert job(issued)["ari_at"] == first["ari_at"], "the dice were rolled again"


def test_a_window_that_is_past_renews_now_and_names_the_predecessor(issued, ca, xc):
    old, now = xc.served().thumbprint, now_of(issued)
    before = job(issued)["ari_id"]
    ca.rules[ARI + before] = window(now, -2 * HOUR, -HOUR,
                                    explanationURL="https://ca.example/incident")
    ask_now(issued)
    result = issued.ok("renew", "xc")
    assert "the CA's advice (ARI)" in result.text
    assert "https://ca.example/incident" in result.text
    assert xc.serves_another(old)
    # The new one is asked about at once, and nothing is left of the old one's window.
    after = job(issued)
    assert after["ari_id"] != before and after["ari_at"] > now
    assert "ari_explanation" not in after or not after["ari_explanation"]
    assert re.search(r'order "\S+" is a replacement of "\S+"', ca.pebble.log())


def test_an_explanation_is_shown(issued, ca):
    now = now_of(issued)
    ca.rules[ARI] = window(now, DAY, 2 * DAY, explanationURL="https://ca.example/why")
    ask_now(issued)
    assert issued("renew", "xc").code == NOTHING
    assert "https://ca.example/why" in issued.ok("explain", "xc").out


@pytest.mark.parametrize("answer, least, most", [
    (problem(503, "serverInternal", "later"), 50, 70),
    (problem(404, "malformed", "ARI is not enabled"), 6 * HOUR - 10, 6 * HOUR + 10),
    (Answer(200, b"<html>", "text/html"), 6 * HOUR - 10, 6 * HOUR + 10),
    (Answer(200, {"suggestedWindow": {"start": "2026-13-01T00:00:00Z",
                                      "end": "never"}}), 6 * HOUR - 10, 6 * HOUR + 10),
])
def test_no_advice_keeps_nobody_from_anything(issued, ca, answer, least, most, xc):
    old = xc.served().thumbprint
    ca.rules[ARI] = answer
    ask_now(issued)
    result = issued("renew", "xc")
    assert result.code == NOTHING and "no advice from the CA" in result.text, result
    asked = (issued.state / "certificates/xc/job.json").stat().st_mtime
    assert least <= job(issued)["ari_ask_again_at"] - asked <= most
    issued.ok("renew", "xc", "--force")
    assert xc.serves_another(old)


def test_temporary_trouble_is_asked_about_ever_less_often(issued, ca):
    ca.rules[ARI] = problem(503, "serverInternal", "later")
    waits = []
    for _ in range(3):
        ask_now(issued)
        issued("renew", "xc")
        asked = (issued.state / "certificates/xc/job.json").stat().st_mtime
        waits.append(round((job(issued)["ari_ask_again_at"] - asked) / 60))
    assert waits == [1, 2, 4]


def test_another_ca_is_not_asked_about_it(issued, ca, make_pebble):
    other = make_pebble(binary=with_renewal_info(), nonce_reject=0)
    issued.config["issuers"]["pebble"].update(
        directory=other.directory, ca_bundle=str(other.ca_bundle))
    issued.write()
    ask_now(issued)
    assert issued("renew", "xc").code == NOTHING
    assert other.requests(ARI) == 0
