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
