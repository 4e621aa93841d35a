"""Deployments that go wrong, wait, share a service, go back: what openssl sees, and what
the operator reads."""

import json
import os
import stat
import time
from pathlib import Path

import pytest

from lib.controlled import Controlled
from lib.waiting import port_answers, wait_until

KEY = {"type": "ec-p256"}
HINT_OF_ANOTHER_TRY = "it is tried again with the certificate at hand"


@pytest.fixture
def serving(setup, pebble, xc, webhook):
    """serving(**target): the application serves a certificate of ours. Gives (daemon, its
    thumbprint)."""

    def make(**target):
        xc.start()
        daemon = setup(pebble, webhook, target=xc.target(verify_timeout="3s", **target),
                       key=KEY)
        daemon.ok("renew", "xc")
        webhook.alerts.clear()
        return daemon, xc.served().thumbprint

    return make


def rolled_back(daemon, xc, webhook, old, written, words):
    """`renew --force` fails with `words`; everything is as it was, said once."""
    result = daemon("renew", "xc", "--force")
    assert result.code == 1, result
    for word in words:
        assert word in result.err, result
    assert "the old certificate is served again" in result.err
    assert xc.served().thumbprint == old
    assert xc.tls_json.read_bytes() == written
    assert xc.current() == old
    assert [a["event"] for a in webhook.alerts] == ["failed"], webhook.alerts
    alert = json.dumps(webhook.alerts[0])
    for word in words:
        assert word in alert, alert
    assert HINT_OF_ANOTHER_TRY in alert
    return result


def deployed_without_an_order(daemon, xc, pebble, old):
    orders = pebble.requests("/order-plz")
    daemon.ok("deploy", "xc")
    assert pebble.requests("/order-plz") == orders
    assert xc.serves_another(old)
    assert xc.versions() == [xc.served().thumbprint]


# ---- one target that fails


def test_a_service_that_is_missing_burns_no_order(setup, pebble, xc):
    ctl = str(xc.dir / "no-such-ctl")
    xc.start()
    daemon = setup(pebble, target=xc.target(
        service={"command": [ctl, "restart"], "status": [ctl, "status"]}))
    result = daemon("renew", "xc")
    assert result.code == 1, result
    assert ctl in result.err
    assert "preflight" in result.err
    assert pebble.requests("/order-plz") == 0
    assert xc.http()[0] == 200


def test_a_service_that_does_not_start_keeps_the_old_certificate(serving, xc, pebble,
                                                                 webhook):
    daemon, old = serving()
    written = xc.tls_json.read_bytes()
    xc.misbehave(refuse="licence server unreachable", except_=old)
    rolled_back(daemon, xc, webhook, old, written,
                ["refusing to start: licence server unreachable"])
    xc.misbehave()
    deployed_without_an_order(daemon, xc, pebble, old)


def test_a_renewal_that_waits_for_another_try_says_so(serving, xc, pebble):
    daemon, old = serving()
    xc.misbehave(refuse="no licence", except_=old)
    assert daemon("renew", "xc", "--force").code == 1
    orders = pebble.requests("/order-plz")
    result = daemon("renew", "xc")
    assert result.code == 3, result
    assert xc.refusal("no licence") in result.text
    assert "certrenewd deploy xc" in result.text
    assert pebble.requests("/order-plz") == orders
    assert xc.served().thumbprint == old


def test_the_daemon_tries_again_by_itself_and_says_recovered(serving, xc, pebble, webhook):
    daemon, old = serving()
    xc.misbehave(refuse="no licence", except_=old)
    assert daemon("renew", "xc", "--force").code == 1
    xc.misbehave()
    orders = pebble.requests("/order-plz")
    path = daemon.state / "certificates/xc/job.json"
    job = json.loads(path.read_text())
    assert job["deployment"]["next_at"] > time.time() + 30
    job["deployment"]["next_at"] = int(time.time()) + 2  # nobody waits a minute here
    path.write_text(json.dumps(job))
    daemon.start()
    webhook.wait_for("recovered")
    assert xc.serves_another(old)
    assert pebble.requests("/order-plz") == orders
    assert daemon.stop() == 0


def test_a_service_that_goes_on_serving_the_old_certificate_is_noticed(serving, xc, pebble,
                                                                       webhook):
    daemon, old = serving()
    written = xc.tls_json.read_bytes()
    xc.misbehave(serve_old=True)
    rolled_back(daemon, xc, webhook, old, written,
                [f"127.0.0.1:{xc.secure_port}", old, "verify"])
    xc.misbehave()
    deployed_without_an_order(daemon, xc, pebble, old)


def test_a_service_that_hangs_is_given_up_in_time(serving, xc, pebble, webhook):
    daemon, old = serving(service=xc.service(timeout="3s"))
    written = xc.tls_json.read_bytes()
    xc.misbehave(hang=True, except_=old)
    began = time.monotonic()
    rolled_back(daemon, xc, webhook, old, written, ["3 s"])
    assert time.monotonic() - began < 30
    xc.misbehave()
    deployed_without_an_order(daemon, xc, pebble, old)


def test_a_service_that_omits_the_chain_is_rolled_back(serving, xc, pebble, webhook):
    daemon, old = serving()
    written = xc.tls_json.read_bytes()
    xc.misbehave(omit_chain=True, except_=old)
    rolled_back(daemon, xc, webhook, old, written, ["chain"])
    assert len(xc.served().chain) == 2
    xc.misbehave()
    deployed_without_an_order(daemon, xc, pebble, old)


def test_a_service_that_dies_after_its_start_is_rolled_back(serving, xc, pebble, webhook):
    ctl = Controlled(xc)
    daemon, old = serving(service=ctl.service())
    written = xc.tls_json.read_bytes()
    ctl.after("status", f"grep -q {old} {xc.tls_json} || kill -9 $(cat {xc.dir}/xcctl.pid)")
    rolled_back(daemon, xc, webhook, old, written,
                [f"127.0.0.1:{xc.secure_port}", "onnection refused"])
    ctl.after("status", ":")
    deployed_without_an_order(daemon, xc, pebble, old)


def test_there_is_no_way_back_to_an_expired_certificate(setup, pebble, xc, authority, webhook):
    expired = authority.issue("xc.example", days=-1, age_days=30)
    xc.install(expired)
    xc.start()
    daemon = setup(pebble, webhook, target=xc.target(verify_timeout="3s"), key=KEY)
    xc.misbehave(refuse="no licence", except_=expired.thumbprint)
    result = daemon("renew", "xc")
    assert result.code == 1, result
    assert "the old certificate expired on" in result.err
    assert xc.thumbprint() != expired.thumbprint
    assert xc.refusal("no licence") in json.dumps(webhook.of("broken"))
    xc.misbehave()
    orders = pebble.requests("/order-plz")
    daemon.ok("deploy", "xc")
    assert pebble.requests("/order-plz") == orders
    assert xc.served().names == ["xc.example"]


# ---- a service that is stopped


def test_a_service_stopped_by_its_admin_is_switched_but_not_started(serving, xc, pebble,
                                                                    webhook):
    daemon, old = serving()
    xc.stop()
    result = daemon("renew", "xc", "--force")
    assert result.code == 1, result
    assert not port_answers(xc.secure_port)
    assert xc.thumbprint() != old
    assert xc.current() == xc.thumbprint()
    assert sorted(xc.versions()) == sorted([old, xc.thumbprint()])
    assert [a["event"] for a in webhook.alerts] == ["waiting_for_service"]
    assert daemon.status()["targets"][0]["end"] == "waiting"
    orders = pebble.requests("/order-plz")
    xc.start()
    running = xc.processes()
    daemon.ok("deploy", "xc")
    assert xc.processes() == running
    assert pebble.requests("/order-plz") == orders
    assert xc.serves_another(old)
    assert xc.versions() == [xc.served().thumbprint]


# ---- several targets


@pytest.fixture
def three(daemon, pebble, make_xc, webhook):
    """One certificate, three applications, all serving it. Gives {name: (app, ctl)}."""
    from conftest import issuer_of

    apps = {name: make_xc(name) for name in ("red", "green", "blue")}
    ctls = {name: Controlled(app) for name, app in apps.items()}
    for app in apps.values():
        app.start()
    daemon.configure(
        issuers={"pebble": issuer_of(pebble)},
        certificates={"xc": {
            "hosts": ["xc.example"], "issuers": ["pebble"], "key": KEY,
            "challenge": {"type": "http-01", "listen": f"127.0.0.1:{pebble.http_port}"},
            "deploy": [app.target(name=name, service=ctls[name].service(),
                                  verify_timeout="3s") for name, app in apps.items()]}},
        alerts={"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}})
    daemon.ok("renew", "xc")
    webhook.alerts.clear()
    return {name: (apps[name], ctls[name]) for name in apps}


def state_versions(daemon):
    return sorted(p.name for p in (daemon.state / "certificates/xc/versions").iterdir())


def test_of_three_targets_the_one_that_fails_is_retried_alone(three, daemon, pebble, webhook):
    old = three["red"][0].served().thumbprint
    red, green, blue = (three[name][0] for name in ("red", "green", "blue"))
    green.misbehave(refuse="no licence", except_=old)
    result = daemon("renew", "xc", "--force")
    assert result.code == 1, result
    new = red.served().thumbprint
    assert new != old
    assert blue.served().thumbprint == new
    assert green.served().thumbprint == old
    for app, _ in three.values():
        assert sorted(app.versions()) == sorted([old, new])
    assert state_versions(daemon) == ["1", "2"]
    assert [a["target"] for a in webhook.of("failed")] == ["green"]
    assert webhook.of("renewed") == []

    calls = {name: len(ctl.calls) for name, (_, ctl) in three.items()}
    orders = pebble.requests("/order-plz")
    green.misbehave()
    daemon.ok("deploy", "xc")
    assert green.served().thumbprint == new
    assert len(three["green"][1].calls) == calls["green"] + 1
    assert len(three["red"][1].calls) == calls["red"]
    assert len(three["blue"][1].calls) == calls["blue"]
    assert pebble.requests("/order-plz") == orders
    for app, _ in three.values():
        assert app.versions() == [new]
    assert state_versions(daemon) == ["2"]
    assert len(webhook.of("renewed")) == 1


def test_one_target_is_deployed_by_its_name(three, daemon, webhook):
    old = three["red"][0].served().thumbprint
    for app, _ in three.values():
        app.misbehave(refuse="no licence", except_=old)
    assert daemon("renew", "xc", "--force").code == 1
    assert sorted(a["target"] for a in webhook.of("failed")) == ["blue", "green", "red"]
    for app, _ in three.values():
        app.misbehave()
    daemon("deploy", "xc", "green")
    assert three["green"][0].serves_another(old)
    assert three["red"][0].served().thumbprint == old
    assert three["blue"][0].served().thumbprint == old
    result = daemon("deploy", "xc", "nix")
    assert result.code == 2
    assert "no target 'nix'" in result.err


@pytest.fixture
def shared(setup, daemon, pebble, xc, tmp_path):
    """Two targets of one certificate behind one service. Gives (ctl, path of the files)."""
    ctl = Controlled(xc)
    files = {name: str(tmp_path / f"copy/{name}.pem") for name in ("key", "fullchain")}
    (tmp_path / "copy").mkdir()
    xc.start()
    setup(pebble, key=KEY, deploy=[
        xc.target(name="app", service=ctl.service(), verify_timeout="3s"),
        {"name": "copy", "store": {"type": "files", "files": files},
         "service": ctl.service(), "verify_timeout": "3s", "retire": {"after": "0s"},
         "verify": [{"connect": f"127.0.0.1:{xc.secure_port}"}]}])
    daemon.ok("renew", "xc")
    return ctl, Path(files["fullchain"])


def test_targets_that_share_a_service_are_restarted_once(shared, daemon, xc):
    ctl, fullchain = shared
    assert ctl.calls == ["restart"]
    daemon.ok("renew", "xc", "--force")
    assert ctl.calls == ["restart"] * 2
    assert xc.served().chain[0] in fullchain.read_text()


def test_targets_that_share_a_service_go_back_together(shared, daemon, xc):
    _, fullchain = shared
    old, written = xc.served(), fullchain.read_bytes()
    xc.misbehave(refuse="no licence", except_=old.thumbprint)
    result = daemon("renew", "xc", "--force")
    assert result.code == 1
    assert xc.served() == old
    assert fullchain.read_bytes() == written
    ends = {t["name"]: t["end"] for t in daemon.status()["targets"]}
    assert ends == {"app": "rolled_back", "copy": "rolled_back"}
    xc.misbehave()
    daemon.ok("deploy", "xc")
    assert xc.served() != old
    assert xc.served().chain[0] in fullchain.read_text()


# ---- files, programs


def test_fixed_files_have_group_and_mode(setup, daemon, pebble, xc, tmp_path):
    folder = tmp_path / "etc"
    folder.mkdir()
    files = {name: str(folder / f"{name}.pem") for name in ("key", "fullchain", "cert",
                                                            "chain")}
    (folder / "config").write_text("old")
    xc.start()
    setup(pebble, key=KEY, deploy=[
        xc.target(),
        {"name": "copy", "service": "none",
         "store": {"type": "files", "files": files, "group": "www-data", "mode": "0640"},
         "verify": [{"connect": f"127.0.0.1:{xc.secure_port}"}]}])
    daemon.ok("renew", "xc")
    served = xc.served()
    key = Path(files["key"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o640
    assert key.group() == "www-data"
    assert key.read_text() == (xc.store / "key.pem").read_text()
    assert Path(files["cert"]).read_text() == served.chain[0]
    assert Path(files["chain"]).read_text() == served.chain[1]
    assert Path(files["fullchain"]).read_text() == "".join(served.chain)
    assert sorted(os.listdir(folder)) == sorted(["config", *(f"{n}.pem" for n in files)])


def program(tmp_path, text):
    path = tmp_path / "program.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_what_a_program_changed_is_put_back(serving, xc, tmp_path, webhook):
    config = tmp_path / "thumbprints.conf"
    config.write_text("none\n")
    config.chmod(0o604)
    daemon, old = serving(run=[{
        "command": [program(tmp_path, f"echo $CERTRENEWD_THUMBPRINT >{config}")],
        "changes": [str(config)]}])
    assert config.read_text() == old + "\n"
    written = xc.tls_json.read_bytes()
    xc.misbehave(refuse="no licence", except_=old)
    rolled_back(daemon, xc, webhook, old, written, [xc.refusal("no licence")])
    assert config.read_text() == old + "\n"
    assert stat.S_IMODE(config.stat().st_mode) == 0o604
    xc.misbehave()
    daemon.ok("deploy", "xc")
    assert config.read_text() == xc.served().thumbprint + "\n"


def test_a_program_that_fails_is_quoted_and_nothing_is_restarted(setup, pebble, xc, tmp_path,
                                                                 webhook):
    config = tmp_path / "thumbprints.conf"
    ctl = Controlled(xc)
    xc.start()
    daemon = setup(pebble, webhook, key=KEY, target=xc.target(
        service=ctl.service(),
        run=[{"command": [program(tmp_path, f"echo half >{config}; echo no more ink >&2; "
                                            "exit 4")], "changes": [str(config)]}]))
    result = daemon("renew", "xc")
    assert result.code == 1
    assert "no more ink" in result.err
    assert "everything is as it was" in result.err
    assert "no more ink" in json.dumps(webhook.of("failed"))
    assert not config.exists()
    assert not xc.tls_json.exists()
    assert not xc.store.is_symlink()
    assert ctl.calls == []
    assert xc.http()[0] == 200


# ---- rollback on command


def test_rollback_brings_the_old_one_back_and_keeps_it_until_deploy(serving, xc, pebble):
    daemon, old = serving(retire={"after": "1h"})
    daemon.ok("renew", "xc", "--force")
    new = xc.served().thumbprint
    assert new != old
    result = daemon.ok("rollback", "xc")
    assert "left alone until `certrenewd deploy xc`" in result.out
    assert xc.served().thumbprint == old
    assert xc.thumbprint() == old
    assert daemon("renew", "xc").code == 3
    assert xc.served().thumbprint == old
    assert daemon.status()["targets"][0]["mode"] == "operator"
    again = daemon("rollback", "xc")
    assert again.code == 3, again
    assert "nothing to roll back" in again.text
    orders = pebble.requests("/order-plz")
    daemon.ok("deploy", "xc")
    assert xc.served().thumbprint == new
    assert pebble.requests("/order-plz") == orders


def test_what_is_retired_cannot_be_rolled_back(serving, xc):
    daemon, old = serving()
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(old)
    result = daemon("rollback", "xc")
    assert result.code == 3, result
    assert "nothing to roll back: the old certificate is retired" in result.text


def test_after_something_was_put_back_rollback_says_what_is_left_to_do(serving, xc):
    daemon, old = serving(retire={"after": "1h"})
    daemon.config["inspect_every"] = {"files": "1s", "endpoints": "1s"}
    daemon.write()
    time.sleep(1.1)  # tls.json has notAfter: byte for byte the old one is put back
    daemon.ok("renew", "xc", "--force")
    new = xc.served().thumbprint
    (xc.store / "key.pem").unlink()
    time.sleep(1.2)
    daemon.ok("renew", "xc")
    assert (xc.store / "key.pem").exists(), "put back"
    result = daemon("rollback", "xc")
    assert result.code == 3, result
    assert "nothing to roll back: it was put back since" in result.text
    assert f"that one, {old}, is at hand until it is retired: name it in '{xc.tls_json}'" \
        in result.text

    xc.tls_json.write_text(xc.tls_json.read_text().replace(new, old))
    xc.ctl("restart")
    assert xc.served().thumbprint == old
    for _ in range(2):
        time.sleep(1.2)
        daemon("renew", "xc")
    assert xc.served().thumbprint == old
    assert daemon.status()["targets"][0]["mode"] == "operator"
    daemon.ok("deploy", "xc")
    assert xc.served().thumbprint == new


# ---- retire


def test_the_old_certificate_is_kept_until_its_time(serving, xc):
    daemon, old = serving(retire={"after": "8s"})
    daemon.ok("renew", "xc", "--force")
    new, verified = xc.served().thumbprint, time.time()
    daemon.start()
    assert sorted(xc.versions()) == sorted([old, new])
    wait_until(lambda: xc.versions() == [new], 40, "the old one's retirement")
    assert time.time() - verified > 4
    wait_until(lambda: state_versions(daemon) == ["2"], what="our copy's end")
    assert xc.served().thumbprint == new
    assert daemon.stop() == 0


def test_keep_1_leaves_one_old_version(serving, xc):
    daemon, first = serving(retire={"after": "0s", "keep": 1})
    daemon.ok("renew", "xc", "--force")
    second = xc.served().thumbprint
    assert sorted(xc.versions()) == sorted([first, second])
    (daemon.state / "breaker.json").unlink()
    daemon.ok("renew", "xc", "--force")
    third = xc.served().thumbprint
    assert sorted(xc.versions()) == sorted([second, third])


def test_a_predecessor_that_is_not_ours_is_left_and_noted(setup, pebble, xc, authority):
    foreign = authority.issue("xc.example", days=2)
    xc.install(foreign)
    xc.start()
    result = setup(pebble, key=KEY).ok("renew", "xc")
    assert xc.serves_another(foreign.thumbprint)
    assert sorted(xc.versions()) == sorted([foreign.thumbprint, xc.served().thumbprint])
    assert f"the predecessor {foreign.thumbprint} was not imported by us" in result.text


# ---- the daemon dies


def test_a_daemon_killed_while_the_service_restarts_ends_it_when_it_is_back(
        setup, make_pebble, xc, webhook):
    ctl, pebble = Controlled(xc), make_pebble(nonce_reject=0)
    ctl.before("restart", "sleep 2")
    xc.start()
    daemon = setup(pebble, webhook, key={"type": "ec-p256"},
                   target=xc.target(service=ctl.service()))
    daemon.start()
    wait_until(lambda: ctl.calls == ["restart"], 30, "the restart")
    daemon.kill()
    daemon.start()
    webhook.wait_for("renewed")
    assert xc.served().thumbprint == xc.thumbprint()
    assert xc.versions() == [xc.thumbprint()]
    assert pebble.requests("/order-plz") == 1
    assert pebble.requests("/finalize-order/") == 1
    assert daemon.stop() == 0
