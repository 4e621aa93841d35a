"""When time has run out: plain HTTP, said aloud, and back by itself. Certificates here live
for some seconds."""

import json
import re
import time

import pytest

from lib.controlled import Controlled
from lib.waiting import wait_until
from lib.xc import DEFAULT_SETTINGS

KEY = {"type": "ec-p256"}
DAY = 86400
LIFE_S = 10


@pytest.fixture
def short_lived(make_pebble):
    return make_pebble(validity_s=LIFE_S)


def wait_for_expiry(xc):
    """openssl says when; a second more, because it counts in seconds."""
    import datetime

    until = datetime.datetime.strptime(xc.served().not_after, "%b %d %H:%M:%S %Y %Z")
    time.sleep(max(0, until.replace(tzinfo=datetime.timezone.utc).timestamp() + 1.1
                   - time.time()))


@pytest.fixture
def expired(setup, short_lived, xc, webhook):
    """expired(**target): the application serves an expired certificate of ours, and the CA
    is gone. Gives (daemon, thumbprint)."""

    def make(**target):
        xc.start()
        daemon = setup(short_lived, webhook, key=KEY,
                       target=xc.target(**{"verify_timeout": "3s", **target}))
        daemon.ok("renew", "xc")
        xc.settings.write_text(DEFAULT_SETTINGS)
        short_lived.stop()
        webhook.alerts.clear()
        wait_for_expiry(xc)
        return daemon, xc.served().thumbprint

    return make


def script(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return {"command": [str(path)]}


def speaks_http(xc):
    status, body = xc.http()
    return status == 200 and "6.8.1.2" in body and xc.served() is None


def target_of(daemon):
    return daemon.status()["targets"][0]


# ---- by itself


def test_it_falls_back_when_the_ca_is_gone_and_returns_when_it_is_back(
        setup, make_pebble, xc, webhook):
    ca = make_pebble(validity_s=12)
    xc.start()
    daemon = setup(ca, webhook, key=KEY, target=xc.target(verify_timeout="3s"))
    daemon.start()
    webhook.wait_for("renewed")
    ca.stop()
    xc.settings.write_text(DEFAULT_SETTINGS)
    old = xc.served().thumbprint

    fallback = webhook.wait_for("fallback", 60)
    assert fallback["severity"] == "critical"
    assert "speaks plain HTTP now" in json.dumps(fallback)
    assert f"127.0.0.1:{xc.insecure_port}" in json.dumps(fallback)
    assert "expired" in json.dumps(fallback)
    assert webhook.of("expired")
    assert speaks_http(xc)
    assert not xc.tls_json.exists()
    assert xc.settings.read_text() != DEFAULT_SETTINGS
    assert len(webhook.of("fallback")) == 1
    assert target_of(daemon)["mode"] == "fallback"

    ca.start(validity_s=90 * DAY)
    webhook.wait_for("recovered", 90)
    assert xc.serves_another(old)
    assert xc.settings.read_text() == DEFAULT_SETTINGS
    daemon.wait_log("is put back as it was before plain HTTP")
    assert target_of(daemon)["mode"] == "https"
    wait_until(lambda: xc.versions() == [xc.thumbprint()], what="the old one's retirement")
    assert daemon.stop() == 0


def test_a_round_that_fails_after_expiry_falls_back(expired, xc, webhook, short_lived):
    daemon, old = expired()
    written = json.loads(xc.tls_json.read_text())
    result = daemon("renew", "xc")
    assert result.code == 1, result
    assert f"127.0.0.1 port {short_lived.port}" in result.err
    assert "or by `certrenewd renew xc --force`" in webhook.of("failed")[0]["todo"]
    assert speaks_http(xc)
    assert len(webhook.of("fallback")) == 1
    seen, = daemon.status()["views"]["targets"][0]["served"]
    assert seen["differs"] and not seen["sha1"] and seen["problem"], seen
    short_lived.start(validity_s=90 * DAY)
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(old)
    again = json.loads(xc.tls_json.read_text())
    assert list(again) == list(written)
    assert again["certificate"]["thumbprint"] == xc.served().thumbprint
    assert xc.settings.read_text() == DEFAULT_SETTINGS


def test_what_is_old_waits_for_https_before_it_is_retired(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble, key=KEY, target=xc.target(retire={"after": "3s"}))
    daemon.ok("renew", "xc")
    daemon.ok("renew", "xc", "--force")
    daemon.ok("fallback", "xc", "on")
    time.sleep(3)
    for _ in range(2):
        result = daemon("renew", "xc")
        assert result.code == 3 and "retire" not in result.text, result
    assert len(xc.versions()) == 2
    daemon.ok("fallback", "xc", "off")
    time.sleep(3)
    daemon("renew", "xc")
    assert xc.versions() == [xc.thumbprint()] == [xc.served().thumbprint]


def test_a_certificate_that_was_never_ours_falls_back_too(expired, xc):
    daemon, _ = expired()
    daemon.config["certificates"] = {"other": daemon.config["certificates"]["xc"]}
    daemon.write()
    daemon("renew", "other")
    assert speaks_http(xc)


def test_when_expired_keep_never_falls_back(expired, xc, webhook):
    daemon, old = expired(when_expired="keep")
    for _ in range(3):
        assert daemon("renew", "xc", "--force").code == 1
    assert xc.served().thumbprint == old
    assert webhook.of("fallback") == []
    assert webhook.of("expired")[0]["severity"] == "critical"


def test_a_clock_that_was_never_confirmed_keeps_https(expired, xc, webhook):
    daemon, old = expired()
    (daemon.state / "clock.json").unlink()
    assert daemon("renew", "xc", "--force").code == 1
    assert xc.served().thumbprint == old
    assert webhook.of("fallback") == []
    alert = json.dumps(webhook.of("clock_unconfirmed"))
    assert "never confirmed" in alert
    assert "`certrenewd fallback xc on`" in alert
    daemon.ok("fallback", "xc", "on")
    assert speaks_http(xc)


def test_a_certificate_that_cannot_be_deployed_three_times_leads_to_http(
        setup, short_lived, xc, webhook):
    ctl = Controlled(xc)
    xc.start()
    daemon = setup(short_lived, webhook, key=KEY,
                   target=xc.target(verify_timeout="3s", service=ctl.service()))
    daemon.ok("renew", "xc")
    old = xc.served().thumbprint
    short_lived.stop()
    wait_for_expiry(xc)
    ctl.before("restart",
               f"[ ! -e {xc.tls_json} ] || grep -q {old} {xc.tls_json} || "
               f"{{ kill -9 $(cat {xc.dir}/xcctl.pid); echo no licence >&2; exit 1; }}")
    short_lived.start(validity_s=90 * DAY)
    assert daemon("renew", "xc", "--force").code == 1
    orders = short_lived.requests("/order-plz")
    assert daemon("deploy", "xc").code == 1
    assert xc.http()[0] == 0
    assert daemon("deploy", "xc").code == 1
    result = daemon("renew", "xc")
    assert speaks_http(xc), result
    assert "cannot be deployed" in json.dumps(webhook.of("fallback"))
    ctl.before("restart", ":")
    daemon.ok("deploy", "xc")
    assert short_lived.requests("/order-plz") == orders
    assert xc.serves_another(old)


# ---- guards


def test_guards_run_around_plain_http(expired, xc, tmp_path, short_lived):
    log = tmp_path / "guards"
    daemon, _ = expired(
        before_fallback=script(tmp_path, "on", f"[ -e {xc.tls_json} ] && echo on >>{log}"),
        after_fallback=script(tmp_path, "off", f"[ -e {xc.tls_json} ] && echo off >>{log}"))
    daemon("renew", "xc")
    assert speaks_http(xc)
    assert log.read_text() == "on\n"
    daemon("renew", "xc", "--force")
    assert log.read_text() == "on\n"
    short_lived.start(validity_s=90 * DAY)
    daemon.ok("renew", "xc", "--force")
    assert log.read_text() == "on\noff\n"
    assert xc.served() is not None


def test_a_guard_that_fails_keeps_https(expired, xc, tmp_path, webhook):
    daemon, old = expired(
        before_fallback=script(tmp_path, "on", "echo nft is missing >&2; exit 2"))
    written = xc.tls_json.read_bytes()
    assert daemon("renew", "xc").code == 1
    assert xc.served().thumbprint == old
    assert xc.tls_json.read_bytes() == written
    assert xc.settings.read_text() == DEFAULT_SETTINGS
    assert webhook.of("fallback") == []
    alert = json.dumps(webhook.of("broken"))
    assert "no fallback, everything is left as it was" in alert
    assert "nft is missing" in alert
    assert target_of(daemon)["mode"] == "https"


def test_even_if_guard_fails_falls_back_all_the_same(expired, xc, tmp_path, webhook):
    daemon, _ = expired(even_if_guard_fails=True, before_fallback=script(
        tmp_path, "on", "echo nft is missing >&2; exit 2"))
    daemon("renew", "xc")
    assert speaks_http(xc)
    assert len(webhook.of("fallback")) == 1


def test_a_fallback_that_does_not_come_up_is_taken_back(expired, xc, webhook):
    daemon, old = expired()
    written = xc.tls_json.read_bytes()
    xc.misbehave(refuse="no port is free", except_=old)
    assert daemon("renew", "xc").code == 1
    assert xc.served().thumbprint == old
    assert xc.tls_json.read_bytes() == written
    alert = json.dumps(webhook.of("broken"))
    assert xc.refusal("no port is free") in alert
    assert "tls.json is back and the service runs with it" in alert
    assert target_of(daemon)["mode"] == "https"


# ---- the operator


def test_fallback_on_and_off_by_command(setup, pebble, xc, webhook):
    xc.start()
    daemon = setup(pebble, webhook, key=KEY)
    daemon.ok("renew", "xc")
    xc.settings.write_text(DEFAULT_SETTINGS)
    served, written = xc.served(), xc.tls_json.read_bytes()
    orders = pebble.requests("/order-plz")
    told = daemon.ok("fallback", "xc", "on").out
    assert "plain HTTP" in told
    for step, doing in (("copied", "copying tls.json and settings"),
                        ("moved", "moving tls.json into the state directory"),
                        ("restarted", "restarting the service without it"),
                        ("answered", "waiting for plain HTTP to answer")):
        assert re.search(rf"{step}\b.*{doing}", told), told
    assert speaks_http(xc)
    daemon.ok("fallback", "xc", "on")
    assert daemon("renew", "xc").code == 3
    assert speaks_http(xc)
    daemon.ok("fallback", "xc", "off")
    assert xc.served() == served
    assert xc.tls_json.read_bytes() == written
    assert xc.settings.read_text() == DEFAULT_SETTINGS
    assert pebble.requests("/order-plz") == orders
    assert daemon("fallback", "xc", "sideways").code == 2


def test_a_setting_that_somebody_edits_on_plain_http_is_kept_and_told(setup, pebble, xc,
                                                                      webhook):
    xc.start()
    daemon = setup(pebble, webhook, key=KEY)
    daemon.ok("renew", "xc")
    daemon.ok("fallback", "xc", "on")
    xc.settings.write_text('{"port": 8077}')
    daemon.ok("fallback", "xc", "off")
    assert xc.served() is not None
    assert xc.settings.read_text() == '{"port": 8077}'
    told = webhook.of("recovered")[-1]["what"]
    assert (f"'{xc.settings}' was changed by somebody while plain HTTP was spoken and stays "
            "as it is: see whether what the product had reset") in told


def test_a_service_stopped_by_its_admin_is_not_started_as_http(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble, key=KEY)
    daemon.ok("renew", "xc")
    xc.stop()
    result = daemon("fallback", "xc", "on")
    assert result.code == 1
    assert "stopped" in result.err
    assert xc.tls_json.exists()
    assert xc.http()[0] == 0


def test_an_operators_own_tls_json_wins_until_deploy(expired, xc, webhook, short_lived,
                                                     authority):
    daemon, old = expired()
    daemon("renew", "xc")
    assert speaks_http(xc)
    theirs = authority.issue("xc.example")
    xc.install(theirs)
    xc.ctl("restart")
    written = xc.tls_json.read_bytes()
    webhook.alerts.clear()
    short_lived.start(validity_s=90 * DAY)
    daemon("renew", "xc", "--force")
    assert xc.served().thumbprint == theirs.thumbprint
    assert xc.tls_json.read_bytes() == written
    assert target_of(daemon)["mode"] == "operator"
    assert "an operator has written tls.json" in json.dumps(webhook.alerts)
    orders = short_lived.requests("/order-plz")
    daemon("renew", "xc")
    assert xc.tls_json.read_bytes() == written
    daemon.ok("deploy", "xc")
    assert short_lived.requests("/order-plz") == orders
    assert xc.served().thumbprint not in (old, theirs.thumbprint)
    assert target_of(daemon)["mode"] == "https"
    assert theirs.thumbprint in xc.versions()


def test_an_operators_own_tls_json_wins_while_the_ca_is_still_gone(expired, xc, webhook,
                                                                   authority):
    daemon, _ = expired()
    daemon("renew", "xc")
    assert speaks_http(xc)
    webhook.alerts.clear()
    xc.ctl("stop")
    result = daemon("renew", "xc")
    assert "'xtract-core' was taken to plain HTTP, and it is not seen there: " \
        in result.err, result
    assert "still speaks" not in result.err
    assert target_of(daemon)["mode"] == "fallback"
    theirs = authority.issue("xc.example")
    xc.install(theirs)
    xc.ctl("restart")
    webhook.alerts.clear()
    for _ in range(2):
        daemon("renew", "xc")
        assert target_of(daemon)["mode"] == "operator"
    assert xc.served().thumbprint == theirs.thumbprint
    assert webhook.of("fallback") == []
    taken, = webhook.of("drift")
    assert "an operator has written tls.json while plain HTTP was served" in taken["what"]
    assert "`certrenewd deploy xc` takes the target back; until then the guard of " \
        "before_fallback and the settings that plain HTTP changed stay" in taken["todo"]


def test_deploy_does_not_replace_a_valid_certificate_by_an_expired_one(expired, xc,
                                                                       authority):
    daemon, old = expired()
    theirs = authority.issue("xc.example")
    xc.install(theirs)
    written = xc.tls_json.read_bytes()
    for _ in range(2):  # named only, then served, too
        result = daemon("deploy", "xc")
        assert result.code == 1, result
        assert "'xc' has no valid certificate for 'xtract-core': the one at hand " \
            "expired on " in result.err
        assert "then `certrenewd renew xc --force`; what is there, " \
            f"{theirs.thumbprint}, is valid until " in result.err
        assert xc.tls_json.read_bytes() == written
        xc.ctl("restart")
        assert xc.served().thumbprint == theirs.thumbprint
    (daemon.state / "clock.json").unlink()
    daemon.ok("deploy", "xc")  # a clock that nobody confirms locks nobody out
    assert xc.served().thumbprint == old
