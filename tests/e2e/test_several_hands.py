"""Several that want to write one thing: two servers with one folder, two commands with one
state directory, an operator who edits meanwhile."""

import json
import os
import socket
import subprocess

import pytest

from lib.controlled import Controlled
from lib.daemon import Certrenewd
from lib.waiting import wait_until

OURS = {"ours": {"type": "self-signed"}}


def certificate(app, name="xc", **target):
    return {"hosts": [f"{name}.example"], "issuers": ["ours"], "key": {"type": "ec-p256"},
            "deploy": [app.target(**target)]}


@pytest.fixture
def other(make_xc, xc):
    """A second server's application, whose configuration folder is the first one's."""
    app = make_xc("other")
    app.tls_json.parent.rmdir()
    app.tls_json.parent.symlink_to(xc.tls_json.parent)
    app.start()
    return app


@pytest.fixture
def pair(daemon, tmp_path, binary, xc, other):
    """Two certrenewd, with applications and state directories of their own."""
    second = Certrenewd(tmp_path / "second", binary)
    xc.start()
    daemon.configure(OURS, {"xc": certificate(xc)})
    second.configure(OURS, {"xc": certificate(other)})
    yield daemon, second
    second.close()


def start(daemon, *words):
    return subprocess.Popen(daemon._argv(words), stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=daemon._env())


def test_a_folder_is_kept_by_one_and_the_other_is_told_by_whom(pair, xc, other):
    first, second = pair
    first.ok("renew", "xc")
    kept = json.loads((xc.tls_json.parent / "tls.json.certrenewd").read_text())
    assert kept["host"] == socket.gethostname()
    assert kept["state_dir"] == str(first.state)
    assert sorted(os.listdir(xc.tls_json.parent)) == ["tls.json", "tls.json.certrenewd"]
    served = xc.thumbprint()
    refused = second("renew", "xc")
    assert refused.code == 1
    assert f"'{other.tls_json}' is kept by another certrenewd of this host " in refused.err
    assert f"its state directory '{first.state}', last written at {kept['time']})" in refused.err
    assert "`certrenewd deploy xc --take-over` here" in refused.err
    assert xc.thumbprint() == served
    assert not other.store.exists()
    assert not second.status("xc")["present"], "nothing was made for what cannot be brought in"

    taken = second("deploy", "xc", "--take-over")
    assert taken.code == 3
    assert "its folders are ours now, and `certrenewd renew` brings in the first" in taken.text
    first.ok("status", "xc")
    again = first("renew", "xc", "--force")
    assert again.code == 1
    assert f"its state directory '{second.state}'" in again.err
    assert first("fallback", "xc", "on").code == 1
    assert xc.thumbprint() == served


def test_a_lost_instance_and_a_new_name_of_the_machine_lock_nobody_out(pair, xc, webhook):
    first, second = pair
    first.config["alerts"] = {"ops": {"type": "webhook", "url": webhook.url}}
    first.write()
    owner = xc.tls_json.parent / "tls.json.certrenewd"
    first.ok("renew", "xc")
    before = json.loads(owner.read_text())

    (first.state / "instance.json").write_text('{"instance": "0123')
    first.ok("renew", "xc", "--force")
    told, = webhook.of("state_damaged")
    assert "instance.json" in told["what"] and ": set aside as '" in told["what"]
    now = json.loads(owner.read_text())
    assert now["instance"] != before["instance"]
    assert now["host"] == before["host"] and now["state_dir"] == before["state_dir"]
    refused = second("renew", "xc")
    assert refused.code == 1
    assert "is kept by another certrenewd of this host" in refused.err

    owner.write_text(json.dumps({**now, "host": "as-it-was-called"}))
    if "machine" in now:  # as a container, this one may not know which machine it is
        first.ok("renew", "xc", "--force")
        assert json.loads(owner.read_text())["host"] == socket.gethostname()
    owner.write_text(json.dumps({**now, "host": "the-original", "machine": "5" * 32}))
    refused = first("renew", "xc", "--force")
    assert refused.code == 1
    assert "is kept by the certrenewd of host 'the-original'" in refused.err


def test_of_two_that_begin_at_once_one_brings_it_in(pair, xc, other):
    running = [start(one, "renew", "xc") for one in pair]
    said = [(*one.communicate(timeout=60), one.returncode) for one in running]
    assert 0 in [code for _, _, code in said], said
    winner = [code for _, _, code in said].index(0)
    assert said[1 - winner][2] == 1, said
    assert "is kept by another certrenewd of this host" in said[1 - winner][1]
    served = (xc, other)[winner].served()
    assert served.thumbprint == xc.thumbprint() == pair[winner].status("xc")["sha1"]


def test_two_commands_at_once_are_one_and_a_refusal_that_names_it(daemon, xc):
    ctl = Controlled(xc)
    ctl.before("restart", "sleep 4")
    xc.start()
    daemon.configure(OURS, {"xc": certificate(xc, service=ctl.service())})
    first = start(daemon, "renew", "xc")
    wait_until(lambda: "restart" in ctl.calls, what="the first command's restart")
    refused = daemon("renew", "xc", "--force")
    assert refused.code == 1
    assert f"state directory '{daemon.state}' belongs to another certrenewd" in refused.err
    assert f"is held by process {first.pid}" in refused.err
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    assert xc.served().thumbprint == daemon.status("xc")["sha1"]
    assert ctl.calls == ["restart"]


def test_the_daemon_works_on_a_certificate_once_at_a_time_and_ends_as_it_began(daemon, xc):
    """Two commands and a new configuration, all while the first restart takes its time."""
    ctl = Controlled(xc)
    ctl.before("restart", "sleep 3")
    xc.start()
    daemon.configure(OURS, {"xc": certificate(xc, service=ctl.service())})
    daemon.start()
    wait_until(lambda: "restart" in ctl.calls, what="the restart")
    forced = start(daemon, "renew", "xc", "--force")
    alone = subprocess.run([*daemon._argv(["run"])], capture_output=True, text=True,
                           env=daemon._env(), timeout=60)
    assert alone.returncode == 1
    assert f"is held by process {daemon.process.pid}" in alone.stderr
    daemon.config["certificates"]["xc"]["deploy"][0]["retire"] = {"after": "2d"}
    daemon.write()
    daemon.reload()
    out, err = forced.communicate(timeout=60)
    assert forced.returncode == 0, out + err
    assert ctl.calls == ["restart", "restart"], "one after the other"
    status = daemon.status("xc")
    assert xc.served().thumbprint == status["sha1"]
    assert len(xc.versions()) == 2, "the second renewal was under the new configuration"
    assert daemon.stop() == 0


# ---- several certificates, one service ---------------------------------------

class Both:
    """One service that is two applications; counts its restarts."""

    def __init__(self, a, b):
        self.log = a.dir / "both.calls"
        self.script = a.dir / "both.sh"
        self.log.touch()
        self.script.write_text(
            f"#!/bin/sh\n[ $1 = status ] && exec {a.xcctl} {a.dir} status\n"
            f"echo $1 >>{self.log}\n"
            f"{a.xcctl} {a.dir} $1; one=$?\n{b.xcctl} {b.dir} $1 && exit $one\n")
        self.script.chmod(0o755)

    def service(self):
        return {"command": [str(self.script), "restart"],
                "status": [str(self.script), "status"], "timeout": "20s"}

    @property
    def restarts(self):
        return len(self.log.read_text().split())


@pytest.fixture
def two(daemon, make_xc):
    """Certificates 'a' and 'b', each with its own application, in one service."""
    apps = make_xc("a"), make_xc("b")
    both = Both(*apps)
    for app in apps:
        app.start()
    daemon.configure(OURS, {app.dir.name: certificate(app, app.dir.name,
                                                      service=both.service())
                            for app in apps})
    return daemon, *apps, both


def test_two_certificates_of_one_service_share_one_restart(two):
    daemon, a, b, both = two
    said = daemon.ok("renew", "a", "b").out
    assert both.restarts == 1
    for app in (a, b):
        assert app.served().thumbprint == daemon.status(app.dir.name)["sha1"]
        assert f"'{app.dir.name}' is served with {app.thumbprint()}" in said
    assert "'a' has its new certificate at hand; it is brought in with the next one" in said
    assert daemon("renew", "a", "b").code == 3
    assert both.restarts == 1


def test_the_daemon_shares_it_too_by_schedule_and_by_command(two):
    daemon, a, b, both = two
    daemon.start()
    for app in (a, b):
        wait_until(app.served, 30, "the first certificate")
    wait_until(lambda: not daemon.ok("status", "--json").json["daemon"]["running"])
    assert both.restarts == 1
    before = a.thumbprint(), b.thumbprint()
    daemon.ok("renew", "a", "b", "--force")
    assert both.restarts == 2
    for app, old in zip((a, b), before):
        assert app.served().thumbprint == app.thumbprint() != old
        assert daemon.status(app.dir.name)["targets"][0]["end"] == "done"
    assert daemon.stop() == 0


@pytest.mark.parametrize("bad", ["a", "b"])
def test_one_that_fails_leaves_the_other_deployed_and_served(two, bad):
    """Whoever of the two restarts: the other one is not taken down with it."""
    daemon, a, b, both = two
    daemon.ok("renew", "a", "b")
    first = {app: app.thumbprint() for app in (a, b)}
    wrong, right = (a, b) if bad == "a" else (b, a)
    wrong.misbehave(refuse="not this one", except_=first[wrong])
    failed = daemon("renew", "a", "b", "--force")
    assert failed.code == 1
    assert "not this one" in failed.text
    assert "is in place" not in failed.text
    assert right.served().thumbprint == right.thumbprint() != first[right]
    assert wrong.served().thumbprint == wrong.thumbprint() == first[wrong]
    assert daemon.status(right.dir.name)["targets"][0]["end"] == "done"
    assert daemon.status(wrong.dir.name)["targets"][0]["end"] == "rolled_back"


def test_one_that_failed_a_moment_ago_is_not_said_to_be_at_hand(two):
    daemon, a, b, both = two
    daemon.config["issuers"]["refuses"] = {"type": "command", "command": ["/bin/false", "{csr}", "{chain}"]}
    for name in ("a", "b"):
        daemon.config["certificates"][name]["issuers"] = ["refuses"]
    daemon.write()
    assert daemon("renew", "a", "b").code == 1
    again = daemon("renew", "a", "b")
    assert again.code == 3, again
    assert "at hand" not in again.text and "in place" not in again.text
    for name in ("a", "b"):
        assert f"'{name}' is due (there is no certificate yet), but the last try failed: " \
            in again.text
    assert again.text.count("or now with --force") == 2
    assert both.restarts == 0


# ---- soak --------------------------------------------------------------------

def test_what_does_not_last_through_its_soak_time_is_taken_back_by_the_daemon(daemon, xc,
                                                                             webhook):
    """The daemon looks by itself, also after a restart of its own."""
    xc.start()
    daemon.configure(OURS, {"xc": certificate(xc, retire={"after": "1d"})},
                     alerts={"ops": {"type": "webhook", "url": webhook.url,
                                     "min": "notice"}})
    daemon.ok("renew", "xc")
    old = xc.thumbprint()
    daemon.config["certificates"]["xc"]["deploy"][0]["soak"] = "20s"
    daemon.write()
    said = daemon.ok("renew", "xc", "--force")
    new = xc.thumbprint()
    assert new != old
    assert any("; watched until " in alert["what"] for alert in webhook.of("renewed")), said
    assert daemon.status("xc")["targets"][0]["watched_until"]
    assert ", watched until " in daemon.ok("status", "xc").out
    daemon.start()
    os.kill(xc.processes()[0], 9)
    wait_until(lambda: xc.served() and xc.served().thumbprint == old, 30, "the old one")
    failed = webhook.wait_for("failed")
    assert "it was served, and did not last through its soak time" in failed["what"]
    assert "the old certificate is served again" in failed["what"]
    wait_until(lambda: seen_served(daemon)["sha1"] == old, 5, "what is served, in `status`")
    assert seen_served(daemon)["differs"]
    assert "served, seen" not in daemon.ok("status", "xc").out
    assert daemon.stop() == 0


def seen_served(daemon):
    served, = daemon.status("xc")["views"]["targets"][0]["served"]
    return served
