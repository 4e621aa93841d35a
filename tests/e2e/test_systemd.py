"""base/service.h against a real systemd: what it sees, what it restarts, and whose words it
brings back when a unit will not run."""

import os
import signal
import subprocess
import time

import pytest

from lib.daemon import SANITIZERS
from lib.waiting import wait_until


@pytest.fixture
def probe(machine, programs):
    """probe(verb, unit, timeout_s): (exit code, output)."""

    def run(verb, unit, timeout_s=10, user=()):
        done = subprocess.run(
            [*machine.enter, *user, programs / "service_probe", verb, unit, str(timeout_s)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            env={"PATH": "/usr/bin:/bin", **SANITIZERS})
        return done.returncode, (done.stdout + done.stderr).strip()

    return run


@pytest.fixture
def app_unit(machine, xc, authority):
    """A unit that runs the installed application, with a certificate; not started."""
    xc.install(authority.issue("xc.example"))
    made = []

    def make(name, type="notify", **service):
        service.setdefault("ExecReload", "/bin/kill -HUP $MAINPID")
        made.append(machine.unit(
            name, type=type, ExecStart=f"{xc.app} --dir {xc.dir} --store {xc.store}",
            **service))
        return name

    yield make
    for name in made:
        machine.ctl("kill", "--signal=KILL", name, check=False)
        machine.ctl("stop", name, check=False)


def test_a_missing_unit_is_missing_and_cannot_be_restarted(probe):
    assert probe("inspect", "no-such.service") == (0, "missing")
    code, said = probe("restart", "no-such.service")
    assert code == 1
    assert said.startswith("not")
    assert "no-such.service" in said


def test_whether_we_may_restart_it_is_known_beforehand(probe, app_unit, machine):
    unit = app_unit("xc-rights.service")
    machine.ctl("start", unit)
    before = machine.main_pid(unit)
    assert probe("check", unit) == (0, "")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    code, said = probe("check", unit, user=nobody)
    assert code == 1
    assert said.startswith(f"denied: we are not allowed to restart '{unit}' (a polkit rule for "
                           "org.freedesktop.systemd1.manage-units may allow it): systemd refuses: ")
    assert machine.main_pid(unit) == before
    assert probe("check", "no-such.service") == (
        1, "not_found: the service 'no-such.service' does not exist")


def test_a_running_unit_is_running_and_gets_a_new_process(probe, app_unit, machine, xc):
    unit = app_unit("xc-runs.service")
    machine.ctl("start", unit)
    before = machine.main_pid(unit)
    assert probe("inspect", unit) == (0, "running")
    assert probe("restart", unit) == (0, "")
    assert machine.main_pid(unit) != before
    assert xc.https()[0] == 200


def test_the_suffix_of_a_unit_may_be_left_out(probe, app_unit, machine):
    machine.ctl("start", app_unit("xc-suffix.service"))
    assert probe("inspect", "xc-suffix") == (0, "running")


def test_a_unit_stopped_by_its_admin_is_stopped(probe, app_unit, machine):
    unit = app_unit("xc-stopped.service")
    assert probe("inspect", unit) == (0, "stopped")
    machine.ctl("start", unit)
    machine.ctl("stop", unit)
    assert probe("inspect", unit) == (0, "stopped")


def test_a_unit_that_was_killed_has_failed(probe, app_unit, machine):
    unit = app_unit("xc-killed.service")
    machine.ctl("start", unit)
    machine.ctl("kill", "--signal=KILL", unit)
    wait_until(lambda: machine.active(unit) == "failed", what="the unit's failure")
    assert probe("inspect", unit) == (0, "failed")
    assert probe("start", unit) == (0, "")
    assert machine.active(unit) == "active"


def test_a_unit_that_refuses_to_start_is_quoted(probe, app_unit, machine, xc):
    unit = app_unit("xc-refuses.service")
    machine.ctl("start", unit)
    xc.misbehave(refuse="no licence for server 'XC 7'")
    code, said = probe("restart", unit)
    assert code == 1
    assert unit in said
    assert "status 1" in said
    assert said.endswith("refusing to start: no licence for server 'XC 7'")


def test_words_of_an_earlier_failure_are_not_quoted(probe, app_unit, machine, xc):
    unit = app_unit("xc-earlier.service")
    xc.misbehave(refuse="the old reason")
    assert probe("start", unit)[0] == 1
    xc.misbehave(refuse="the new reason")
    code, said = probe("start", unit)
    assert code == 1
    assert "the new reason" in said
    assert "the old reason" not in said


def test_a_unit_that_hangs_in_activating_is_given_up_in_time(probe, app_unit, machine, xc):
    unit = app_unit("xc-hangs.service", TimeoutStartSec=60)
    xc.misbehave(hang=True)
    began = time.monotonic()
    code, said = probe("start", unit, 3)
    assert code == 1
    assert 2.5 < time.monotonic() - began < 9
    assert said.startswith("transient: ")
    assert "is still 'activating' after 3 s" in said
    xc.misbehave()
    assert probe("start", unit) == (0, ""), "a hanging start is in nobody's way"


def test_a_simple_unit_that_dies_at_once_is_noticed(probe, app_unit, xc):
    unit = app_unit("xc-simple.service", type="simple")
    xc.misbehave(refuse="no licence")
    code, said = probe("restart", unit)
    assert code == 1
    assert "refusing to start: no licence" in said


def test_a_unit_that_systemd_starts_again_and_again_is_no_success(probe, app_unit, xc):
    unit = app_unit("xc-again.service", type="simple", Restart="always", RestartSec="100ms")
    xc.misbehave(refuse="no licence")
    code, said = probe("restart", unit)
    assert code == 1
    assert "no licence" in said


def test_a_unit_at_its_start_limit_is_started_all_the_same(probe, machine, app_unit, xc):
    unit = app_unit("xc-limit.service")
    path = machine.root / "etc/systemd/system" / unit
    path.write_text(path.read_text().replace("StartLimitIntervalSec=0",
                                             "StartLimitIntervalSec=600\nStartLimitBurst=2"))
    machine.ctl("daemon-reload")
    xc.misbehave(refuse="no licence")
    for _ in range(3):
        machine.ctl("start", unit, check=False)
    wait_until(lambda: "repeated too quickly" in machine.journal(unit), what="the limit")
    xc.misbehave()
    assert probe("start", unit) == (0, "")


def test_a_reload_keeps_the_process_and_serves_the_new_certificate(probe, app_unit, machine,
                                                                   xc, authority):
    unit = app_unit("xc-reload.service")
    machine.ctl("start", unit)
    before, leaf = machine.main_pid(unit), authority.issue("xc.example")
    xc.install(leaf)
    assert probe("reload", unit) == (0, "")
    assert machine.main_pid(unit) == before
    wait_until(lambda: xc.served().thumbprint == leaf.thumbprint,
               what="the new certificate served")


def test_a_unit_without_reload_says_so(probe, app_unit, machine):
    unit = app_unit("xc-noreload.service", ExecReload="")
    machine.ctl("start", unit)
    code, said = probe("reload", unit)
    assert code == 1
    assert unit in said
    assert "reload" in said.replace(f"reload '{unit}'", "")


def test_a_masked_unit_is_the_operators_business(probe, machine):
    machine.ctl("mask", "xc-masked.service")
    code, said = probe("restart", "xc-masked.service")
    machine.ctl("unmask", "xc-masked.service")
    assert code == 1
    assert said.startswith("config: ")
    assert "masked" in said


def test_nginx_is_restarted_like_anything_else(probe, machine, tmp_path):
    config = tmp_path / "nginx.conf"
    config.write_text(f"pid {tmp_path}/nginx.pid; error_log stderr;\n"
                      f"events {{}} http {{ access_log off; }}\n")
    unit = machine.unit("nginx-probe.service", type="forking", start=True,
                        PIDFile=f"{tmp_path}/nginx.pid",
                        ExecStart=f"/usr/sbin/nginx -c {config}",
                        ExecReload="/bin/kill -HUP $MAINPID")
    try:
        assert probe("restart", unit) == (0, "")
        assert probe("reload", unit) == (0, "")
        config.write_text("nonsense;")
        code, said = probe("restart", unit)
        assert code == 1
        assert 'unknown directive "nonsense"' in said
    finally:
        machine.ctl("stop", unit, check=False)


def test_without_a_bus_the_sentence_says_what_is_missing(programs):
    """On the machine of the tests itself, whose first process may not be systemd."""
    done = subprocess.run(
        [programs / "service_probe", "inspect", "xc.service"], capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], **SANITIZERS,
             "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"})
    assert done.returncode == 1
    assert "cannot reach systemd over D-Bus" in done.stderr
    assert signal.SIGSEGV != -done.returncode
