"""The machine with systemd itself: what test_systemd.py and the service tests rely on."""

from lib.waiting import wait_until


def test_the_machine_runs_its_own_systemd_and_sees_our_files(machine, tmp_path):
    (tmp_path / "hello").write_text("hello")
    assert machine("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
    assert machine("cat", tmp_path / "hello").stdout == "hello"
    assert machine("cat", "/proc/1/comm").stdout == "systemd\n"


def test_the_application_runs_as_a_notify_unit_and_answers_on_our_loopback(machine, xc,
                                                                           authority):
    leaf = authority.issue("xc.example")
    xc.install(leaf)
    machine.unit("harness-xc.service", type="notify", start=True,
                 ExecStart=f"{xc.app} --dir {xc.dir} --store {xc.store}")
    assert machine.active("harness-xc.service") == "active"
    assert xc.served().thumbprint == leaf.thumbprint
    machine.ctl("stop", "harness-xc.service")
    assert machine.active("harness-xc.service") == "inactive"
    assert xc.served() is None


def test_a_killed_unit_has_failed_and_its_words_are_in_the_journal(machine, xc):
    xc.misbehave(refuse="no licence")
    unit = machine.unit("harness-dies.service",
                        ExecStart=f"{xc.app} --dir {xc.dir} --store {xc.store}")
    machine.ctl("start", unit, check=False)
    wait_until(lambda: machine.active(unit) == "failed", what="the unit's failure")
    wait_until(lambda: "refusing to start: no licence" in machine.journal(unit),
               what="its words in the journal")
