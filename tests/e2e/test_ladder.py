"""The expired ladder, rung by rung: what is told, what is tried again and when, and what
happens to a fallback that is interrupted, unwanted or overtaken."""

import pytest

from lib.ca_proxy import make_proxy, proxy, short_lived  # noqa: F401
from lib.controlled import Controlled
from lib.waiting import wait_until
from lib.xc import DEFAULT_SETTINGS
from test_fallback import DAY, KEY, script, speaks_http, target_of, wait_for_expiry


@pytest.fixture
def refusing(proxy):  # noqa: F811
    """The CA answers, and confirms the clock, but gives no certificate. `.relent()`."""

    def refuse(answer):
        answer.status = 500
        answer.json = {"type": "urn:ietf:params:acme:error:serverInternal", "detail": "closed"}

    proxy.rules["/order-plz"] = refuse
    proxy.relent = lambda: proxy.rules.pop("/order-plz")
    return proxy


@pytest.fixture
def expired(setup, refusing, xc, webhook, authority):
    """expired(**target): the application serves an expired certificate that somebody else
    has brought, and the CA refuses. Gives (daemon, control program)."""

    def make(**target):
        xc.install(authority.issue("xc.example", days=-0.01, age_days=1))
        xc.start()
        ctl = Controlled(xc)
        daemon = setup(refusing, webhook, key=KEY,
                       target=xc.target(**{"verify_timeout": "3s", "service": ctl.service(),
                                           **target}))
        daemon.config["inspect_every"] = {"files": "1s", "endpoints": "1s"}
        daemon.write()
        return daemon, ctl

    return make


def dies_in_restart(ctl, xc, tmp_path):
    """The next restart without tls.json kills certrenewd and leaves the application
    down."""
    armed = tmp_path / "armed"
    armed.touch()
    ctl.before("restart", f"[ -e {xc.tls_json} ] || [ ! -e {armed} ] || "
                          f"{{ rm {armed}; kill -9 $PPID; {xc.xcctl} {xc.dir} stop; exit 1; }}")
    return armed


def kill_while_falling(daemon, ctl, xc, tmp_path, *words):
    armed = dies_in_restart(ctl, xc, tmp_path)
    daemon(*words)
    wait_until(lambda: xc.http()[0] == 0, what="the application being down")
    assert not armed.exists(), "it never came so far"
    assert not xc.tls_json.exists()
    ctl.before("restart", ":")


def explained(daemon):
    return daemon.ok("explain", "xc").out


# ---- what is told


def test_every_rung_is_told(expired, refusing, xc, webhook):
    daemon, _ = expired()
    daemon.config["issuers"]["second"] = dict(daemon.config["issuers"]["pebble"])
    daemon.config["certificates"]["xc"]["issuers"] = ["pebble", "second"]
    daemon.write()
    daemon("renew", "xc")
    assert speaks_http(xc)
    told, = webhook.of("expired")
    assert "the certificate that 'xtract-core' serves expired on" in told["what"]
    assert "no issuer gave a new one" in told["what"]
    fallback, = webhook.of("fallback")
    for words in ("speaks plain HTTP now", "the issuers were asked 1 time in vain",
                  "issuer 'pebble'", "issuer 'second'", "closed",
                  "no before_fallback keeps others away from it"):
        assert words in fallback["what"], words
    assert "`certrenewd fallback xc off`" in fallback["todo"]
    assert "expired ladder    xtract-core: plain HTTP is served meanwhile, failed 1 time" \
        in explained(daemon)
    ladder = target_of(daemon)["ladder"]
    assert ladder["step"] == "renew" and "closed" in ladder["why"]
    assert "closed" in daemon.ok("status").out

    refusing.relent()
    webhook.alerts.clear()
    assert xc.settings.read_text() != DEFAULT_SETTINGS, "the product has reset it"
    daemon.ok("renew", "xc", "--force")
    assert xc.served() is not None
    assert xc.settings.read_text() == DEFAULT_SETTINGS
    recovered = [alert["what"] for alert in webhook.of("recovered") if alert["target"]]
    assert "is put back as it was before plain HTTP" in recovered[0]
    assert target_of(daemon)["ladder"] == {"step": "none", "why": "not expired"}
    assert "expired ladder" not in explained(daemon)


def test_a_guard_that_fails_is_tried_again_by_the_back_off(expired, xc, webhook, tmp_path):
    log = tmp_path / "guards"
    daemon, _ = expired(before_fallback=script(tmp_path, "on", f"echo on >>{log}; exit 2"))
    for _ in range(3):
        assert daemon("renew", "xc").code in (1, 3)
    assert log.read_text() == "on\n"
    broken, = webhook.of("broken")
    assert "no fallback, everything is left as it was, because before_fallback failed" \
        in broken["what"]
    assert "it is tried again 20" in broken["todo"]
    assert "fallback to HTTP  failed 1 time, next try 20" in explained(daemon)
    assert daemon.status()["fallback"]["failures"] == 1
    assert daemon("fallback", "xc", "on").code == 1, "the operator's word waits for nothing"
    assert log.read_text() == "on\non\n"


def test_of_two_targets_the_one_that_cannot_fall_back_does_not_keep_the_other(
        setup, refusing, make_xc, webhook, authority, tmp_path):
    log = tmp_path / "guards"
    stuck, free = make_xc("stuck"), make_xc("free")
    for app in (stuck, free):
        app.install(authority.issue("xc.example", days=-0.01, age_days=1))
        app.start()
    daemon = setup(refusing, webhook, key=KEY, deploy=[
        stuck.target(name="stuck", verify_timeout="3s",
                     before_fallback=script(tmp_path, "on", f"echo on >>{log}; exit 2")),
        free.target(name="free", verify_timeout="3s")])
    for _ in range(2):
        assert daemon("renew", "xc").code in (1, 3)
        assert speaks_http(free)
        assert stuck.served().thumbprint == stuck.thumbprint()
    assert log.read_text() == "on\n", "its back-off is not the other one's either"
    assert [alert["target"] for alert in webhook.of("fallback")] == ["free"]
    assert [alert["target"] for alert in webhook.of("broken")] == ["stuck"]
    targets = daemon.status()["targets"]
    assert [target["mode"] for target in targets] == ["https", "fallback"]
    assert [target["fallback"]["failures"] for target in targets] == [1, 0]
    refusing.relent()
    daemon.ok("renew", "xc", "--force")
    for app in (stuck, free):
        assert app.served().thumbprint == daemon.status()["sha1"]


def test_plain_http_that_does_not_come_up_is_not_tried_every_time(expired, xc, webhook):
    daemon, ctl = expired()
    xc.misbehave(refuse="no port is free", except_=xc.thumbprint())
    for _ in range(3):
        assert daemon("renew", "xc").code in (1, 3)
    assert ctl.calls == ["restart", "restart"]
    assert xc.served() is not None
    assert len(webhook.of("broken")) == 1
    assert webhook.of("fallback") == []


def test_without_a_guard_that_works_people_hear_of_it(expired, xc, webhook, tmp_path):
    daemon, _ = expired(even_if_guard_fails=True, before_fallback=script(
        tmp_path, "on", "echo nft is missing >&2; exit 2"))
    daemon("renew", "xc")
    assert speaks_http(xc)
    fallback, = webhook.of("fallback")
    assert "before_fallback failed, it falls back all the same" in fallback["what"]
    assert "nft is missing" in fallback["what"]


def test_a_service_stopped_by_its_admin_is_waited_for(expired, xc, webhook):
    daemon, ctl = expired()
    xc.stop()
    assert daemon("renew", "xc").code == 1
    assert ctl.calls == []
    assert xc.tls_json.exists()
    assert webhook.of("broken") == webhook.of("fallback") == []
    xc.start()
    daemon("renew", "xc")
    assert speaks_http(xc)


# ---- interrupted


def test_an_interrupted_fallback_is_ended_by_the_next_look(expired, xc, webhook, tmp_path):
    log = tmp_path / "guards"
    daemon, ctl = expired(before_fallback=script(tmp_path, "on", f"echo on >>{log}"))
    kill_while_falling(daemon, ctl, xc, tmp_path, "renew", "xc")
    assert target_of(daemon)["falling"]
    assert "interrupted while falling back to HTTP" in explained(daemon)
    assert "interrupted while falling back to HTTP" in daemon.ok("status").out
    daemon("renew", "xc")
    assert speaks_http(xc)
    assert log.read_text() == "on\n"
    assert target_of(daemon)["mode"] == "fallback"
    assert not target_of(daemon)["falling"]
    assert len(webhook.of("fallback")) == 1
    assert webhook.of("drift") == webhook.of("broken") == []


def test_the_running_daemon_ends_it_at_its_start(expired, xc, webhook, tmp_path):
    daemon, ctl = expired()
    kill_while_falling(daemon, ctl, xc, tmp_path, "renew", "xc")
    daemon.start()
    webhook.wait_for("fallback")
    assert speaks_http(xc)
    assert daemon.stop() == 0


def test_a_certificate_that_came_meanwhile_goes_to_https_at_once(
        expired, refusing, xc, webhook, tmp_path):
    daemon, ctl = expired()
    kill_while_falling(daemon, ctl, xc, tmp_path, "renew", "xc")
    refusing.relent()
    daemon.ok("renew", "xc", "--force")
    assert xc.served().thumbprint == xc.thumbprint()
    assert target_of(daemon)["mode"] == "https"
    assert webhook.of("broken") == []


def test_died_in_its_guard_and_a_certificate_came(expired, refusing, xc, webhook, tmp_path):
    """Nothing was changed yet: it never speaks plain HTTP, and the guard goes."""
    armed, log, without = (tmp_path / name for name in ("armed", "guards", "without"))
    armed.touch()
    daemon, ctl = expired(
        before_fallback=script(tmp_path, "on", f"echo on >>{log}; [ ! -e {armed} ] || "
                                               f"{{ rm {armed}; kill -9 $PPID; sleep 1; }}"),
        after_fallback=script(tmp_path, "off", f"echo off >>{log}"))
    ctl.before("restart", f"[ -e {xc.tls_json} ] || touch {without}")
    daemon("renew", "xc")
    assert not armed.exists() and target_of(daemon)["falling"]
    refusing.relent()
    daemon.ok("renew", "xc", "--force")
    assert xc.served().thumbprint == xc.thumbprint()
    assert not without.exists()
    assert log.read_text() == "on\noff\n"
    assert not target_of(daemon)["falling"]
    assert webhook.of("fallback") == []


def test_a_tls_json_that_somebody_wrote_meanwhile_wins(expired, xc, webhook, tmp_path,
                                                       authority):
    daemon, ctl = expired()
    kill_while_falling(daemon, ctl, xc, tmp_path, "renew", "xc")
    theirs = authority.issue("xc.example")
    xc.install(theirs)
    written = xc.tls_json.read_bytes()
    for _ in range(3):
        daemon("renew", "xc")
    assert xc.tls_json.read_bytes() == written
    assert xc.served().thumbprint == theirs.thumbprint, "a service that we had stopped"
    assert target_of(daemon)["mode"] == "operator"
    assert not target_of(daemon)["falling"]
    told = [alert for alert in webhook.alerts if "has written tls.json" in alert["what"]]
    assert len(told) == 1
    assert "`certrenewd deploy xc`" in told[0]["todo"]


def test_one_that_is_not_wanted_any_more_is_taken_back(expired, xc, webhook, tmp_path):
    daemon, ctl = expired()
    old, written = xc.thumbprint(), xc.tls_json.read_bytes()
    kill_while_falling(daemon, ctl, xc, tmp_path, "renew", "xc")
    daemon.config["certificates"]["xc"]["deploy"][0]["when_expired"] = "keep"
    daemon.write()
    daemon("renew", "xc")
    assert xc.tls_json.read_bytes() == written
    assert xc.served().thumbprint == old
    assert webhook.of("fallback") == []
    assert not target_of(daemon)["falling"]


def test_the_operators_own_fallback_is_ended_too(setup, pebble, xc, webhook, tmp_path):
    ctl = Controlled(xc)
    xc.start()
    daemon = setup(pebble, webhook, key=KEY, target=xc.target(service=ctl.service(),
                                                              when_expired="keep"))
    daemon.config["inspect_every"] = {"files": "1s", "endpoints": "1s"}
    daemon.write()
    daemon.ok("renew", "xc")
    kill_while_falling(daemon, ctl, xc, tmp_path, "fallback", "xc", "on")
    webhook.alerts.clear()
    daemon("renew", "xc")
    assert speaks_http(xc)
    assert target_of(daemon)["mode"] == "fallback"
    assert webhook.of("expired") == webhook.of("drift") == []
    daemon.ok("fallback", "xc", "off")
    assert xc.served().thumbprint == xc.thumbprint()


# ---- what is better than plain HTTP


def test_a_certificate_that_somebody_brought_by_hand_is_no_reason_for_http(
        setup, make_pebble, xc, webhook, authority):
    ca = make_pebble(validity_s=8)
    xc.start()
    daemon = setup(ca, webhook, key=KEY, target=xc.target(verify_timeout="3s"))
    daemon.ok("renew", "xc")
    ca.stop()
    wait_for_expiry(xc)
    theirs = authority.issue("xc.example")
    xc.install(theirs)
    written = xc.tls_json.read_bytes()
    daemon("renew", "xc")
    assert xc.tls_json.read_bytes() == written
    assert webhook.of("fallback") == []
    drift, = webhook.of("drift")
    assert "`certrenewd deploy xc`" in drift["what"] + (drift["todo"] or "")
    xc.ctl("restart")
    daemon("renew", "xc")
    assert xc.served().thumbprint == theirs.thumbprint
    assert xc.tls_json.read_bytes() == written


def test_a_revoked_certificate_that_has_not_expired_is_no_reason_for_http(
        setup, refusing, xc, webhook):
    refuse = refusing.rules["/order-plz"]
    refusing.relent()
    xc.start()
    daemon = setup(refusing, webhook, key=KEY, target=xc.target(verify_timeout="3s"))
    daemon.ok("renew", "xc")
    served, written = xc.served(), xc.tls_json.read_bytes()
    refusing.rules["/order-plz"] = refuse
    assert daemon("revoke", "xc", "--force").code == 1
    for _ in range(2):
        assert daemon("renew", "xc", "--force").code == 1
    assert daemon.status()["revoked"]
    assert target_of(daemon)["ladder"] == {"step": "none", "why": "not expired"}
    assert (xc.served(), xc.tls_json.read_bytes()) == (served, written)
    assert webhook.of("fallback") == webhook.of("expired") == []
    assert "closed" in webhook.of("failed")[0]["what"]
    refusing.relent()
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(served.thumbprint)


def test_a_certificate_of_the_ca_is_tried_at_once_whatever_failed_before_it(
        expired, refusing, xc, webhook):
    """On plain HTTP, because the one at hand cannot be deployed; that one is tried again by
    its back-off, and the next one is another."""
    daemon, ctl = expired()
    ctl.before("restart", f"[ ! -e {xc.tls_json} ] || "
                          f"{{ kill -9 $(cat {xc.dir}/xcctl.pid); exit 1; }}")
    refusing.relent()
    assert daemon("renew", "xc").code == 1
    for _ in range(2):
        assert daemon("deploy", "xc").code == 1
    daemon("renew", "xc")
    assert speaks_http(xc)
    assert "cannot be deployed" in webhook.of("fallback")[0]["what"]
    failed = daemon.status()
    assert failed["deployment"]["failures"] >= 3
    assert daemon("renew", "xc").code == 3, "its time has not come"
    assert speaks_http(xc)

    ctl.before("restart", ":")
    daemon.ok("renew", "xc", "--force")
    assert xc.served().thumbprint == daemon.status()["sha1"] != failed["sha1"]
    assert target_of(daemon)["mode"] == "https"


def test_an_older_certificate_that_is_valid_still_is_served_again(setup, make_pebble, xc,
                                                                  webhook):
    ca = make_pebble(validity_s=90 * DAY)
    xc.start()
    daemon = setup(ca, webhook, key=KEY, target=xc.target(
        verify_timeout="3s", retire={"after": "24h"}))
    daemon.ok("renew", "xc")
    older = xc.served().thumbprint
    ca.restart(validity_s=8)
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(older)
    ca.stop()
    wait_for_expiry(xc)
    daemon("renew", "xc")
    assert xc.served().thumbprint == older
    assert webhook.of("fallback") == []
    daemon("renew", "xc")
    assert xc.served().thumbprint == older, "nothing better has come"
    ca.start(validity_s=90 * DAY)
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(older)


def test_a_certificate_put_there_while_it_falls_back_brings_it_back_at_once(
        setup, refusing, xc, webhook, tmp_path, authority):
    """Somebody puts it into the store while our guard is run."""
    inbox, ready = tmp_path / "inbox", tmp_path / "ready"
    inbox.mkdir(mode=0o700)
    ready.mkdir(mode=0o700)
    xc.install(authority.issue("xc.example", days=-0.01, age_days=1))
    xc.start()
    leaf = authority.issue("xc.example")
    (ready / "xc.key").write_text(leaf.key_pem)
    (ready / "xc.pem").write_text(leaf.fullchain_pem)
    daemon = setup(refusing, webhook, issuers=["inbox", "pebble"], target=xc.target(
        verify_timeout="3s",
        before_fallback=script(tmp_path, "on", f"cp {ready}/* {inbox}/")))
    daemon.config["issuers"]["inbox"] = {"type": "store", "path": str(inbox)}
    daemon.write()
    daemon.start()
    webhook.wait_for("fallback")
    webhook.wait_for("recovered", 30)
    assert xc.served().thumbprint == leaf.thumbprint
    assert daemon.stop() == 0


# ---- the operator


def test_fallback_off_needs_a_valid_certificate(setup, make_pebble, xc, webhook):
    ca = make_pebble(validity_s=8)
    xc.start()
    daemon = setup(ca, webhook, key=KEY, target=xc.target(verify_timeout="3s"))
    daemon.ok("renew", "xc")
    ca.stop()
    wait_for_expiry(xc)
    daemon("renew", "xc")
    assert speaks_http(xc)
    result = daemon("fallback", "xc", "off")
    assert result.code == 1
    assert "'xc' has no valid certificate for 'xtract-core': the one at hand expired on" \
        in result.err
    assert "`certrenewd renew xc --force`" in result.err
    assert "`when_expired: keep`" in result.err
    assert speaks_http(xc)
    result = daemon("rollback", "xc")
    assert result.code == 3
    assert "it speaks plain HTTP now" in result.text


def test_a_target_that_left_the_configuration_on_http_is_told(expired, xc, webhook):
    daemon, _ = expired()
    daemon("renew", "xc")
    assert speaks_http(xc)
    troubles = daemon.state / "alerts/troubles.json"
    troubles.unlink()  # as if a day had passed: it is told again
    webhook.alerts.clear()
    daemon.config["certificates"]["xc"]["deploy"][0]["name"] = "renamed"
    daemon.write()
    daemon("renew", "xc")
    told, = [alert for alert in webhook.of("fallback") if alert["target"] == "xtract-core"]
    assert "target 'xtract-core' is no longer in the configuration, and speaks plain HTTP" \
        in told["what"]
    assert "`certrenewd fallback xc off`" in told["todo"]


def test_plain_http_is_told_again(expired, xc, webhook):
    daemon, _ = expired()
    daemon("renew", "xc")
    (daemon.state / "alerts/troubles.json").unlink()  # as if a day had passed
    webhook.alerts.clear()
    daemon("renew", "xc")
    told, = webhook.of("fallback")
    assert "'xtract-core' still speaks plain HTTP on" in told["what"]
    assert "closed" in told["what"]


def test_a_certificate_that_left_the_configuration_on_http_is_told(expired, xc, webhook):
    daemon, _ = expired()
    daemon("renew", "xc")
    assert speaks_http(xc)
    daemon.start()
    daemon.config["certificates"]["other"] = {**daemon.config["certificates"].pop("xc"),
                                              "hosts": ["other.example"]}
    daemon.write()
    daemon.reload()
    shrunk = webhook.wait_for("managed_set_shrank")
    assert "certificate 'xc' is no longer in the configuration" in shrunk["what"]
    assert "it speaks plain HTTP since we took it there" in shrunk["todo"]
    assert daemon.stop() == 0
