"""certrenewd as the service that it is on Windows, and the application's service."""

import pytest

from lib.program import SERVICE
from lib.waiting import wait_until

KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\certrenewd"


@pytest.fixture
def installed(setup, make_pebble, xc, webhook):
    """The service is installed, not started; its first certificate is due."""
    xc.start()
    daemon = setup(make_pebble(), webhook)
    daemon.install()
    return daemon


def test_the_service_renews_and_is_commanded_over_its_pipe(installed, xc, wine, webhook):
    assert installed.start_service() == "running"
    webhook.wait_for("renewed", 60)
    old = xc.served("xc.example").thumbprint
    assert old == xc.thumbprint()
    assert installed.status("xc")["sha1"] == old
    result = installed.ok("renew", "xc", "--force")
    assert "verified" in result.text
    new = xc.served().thumbprint
    assert new not in (None, old)
    wait_until(lambda: xc.versions() == [new], what="the old one's retirement")
    installed.ok("reload")
    installed.stop_service()
    assert wine.service_state(SERVICE) == "stopped"
    assert wine.service_exit(SERVICE) == (0, 0)


def test_the_service_is_installed_as_it_should_be(installed, wine, binary, daemon):
    path = wine.registry(KEY, "ImagePath")
    assert path.startswith(f'"{wine.path(binary)}"'), path
    assert ' --config "C:\\' in path
    assert path.endswith('\\certrenewd\\certrenewd.yaml" run --service')
    assert wine.registry(KEY, "ObjectName") == "LocalSystem"
    assert wine.registry(KEY, "Start") == "0x2"
    assert "certificate" in wine.registry(KEY, "Description")
    assert daemon.ok("service", "install").code == 0, "it may be asked for again"
    daemon.uninstall()
    assert wine.service_state(SERVICE) is None


def test_a_task_watches_over_the_service_and_goes_with_it(installed, wine, daemon):
    """Wine's scheduler takes the description and keeps little of it: what stands in it is
    shown by unit/test_watch_task.c."""
    task = wine.drive / "windows/system32/tasks/certrenewd watch"
    assert task.exists()
    done = daemon("watch", "--dry-run")
    assert done.code == 1 and "no sign of life" in done.out, done
    daemon.uninstall()
    assert not task.exists()


def test_the_watcher_finds_a_service_that_is_well_and_one_that_is_gone(installed, wine,
                                                                      webhook, daemon):
    installed.start_service()
    webhook.wait_for("renewed", 60)
    beat = daemon.state / "heartbeat.json"
    wait_until(lambda: beat.exists() and b'"serves":\t"' in beat.read_bytes(),
               what="the heartbeat after the renewal")
    assert daemon("watch").code == 0
    installed.stop_service()
    assert '"stopped":\ttrue' in beat.read_text()
    beat.unlink()
    assert daemon("watch").code == 1
    assert "no sign of life" in webhook.wait_for("daemon_dead")["what"]


def test_a_broken_configuration_ends_the_service_with_an_error(installed, wine, daemon):
    daemon.config_path.write_text("nonsense: [\n")
    daemon.start_service()
    wait_until(lambda: wine.service_state(SERVICE) == "stopped", what="the end")
    assert wine.service_exit(SERVICE) != (0, 0)


def test_a_second_one_names_the_first_and_leaves_it_alone(installed, daemon, tmp_path):
    installed.start_service()
    second = daemon.wine.background(
        daemon.binary, "--config", daemon.wine.path(daemon.config_path), "run",
        log=tmp_path / "second.log")
    wait_until(lambda: not second.running(), what="the second one's end")
    assert second.process.returncode != 0
    assert "already" in second.text() or "another" in second.text(), second.text()
    assert installed.status("xc")["name"] == "xc"


def test_ctrl_c_ends_it_in_a_console(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble)
    daemon.start()
    assert daemon.stop() == 0
    assert "stopped" in daemon.log()


@pytest.fixture
def stuck(make_xc, setup, pebble):
    """stuck(**service): deployed once, and from now on its service hangs when it stops."""
    app = make_xc("stuck")
    other = make_xc("stuck one", service=f"Stuck {app.secure_port}")

    def configure(**service):
        other.start()
        daemon = setup(pebble, target=other.target(
            service={"windows": "auto", "timeout": "3s", **service}))
        daemon.ok("renew", "xc")
        other.misbehave(hang_stop=True)
        other.ctl("restart")
        return daemon, other

    yield configure
    other.abandon()


def test_stuck_in_stop_pending_is_reported_and_not_killed(stuck, wine):
    daemon, app = stuck()
    result = daemon("renew", "xc", "--force")
    assert result.code == 1, result
    assert f"'{app.service_name}' is still stopping after 3 s" in result.err
    assert "kill: yes" in result.err
    assert wine.service_state(app.service_name) == "stop_pending"
    assert app.processes(), "it was killed"


def test_stuck_in_stop_pending_is_killed_when_told_so(stuck):
    """Wine's SCM does not see that the process has ended: no start after it."""
    daemon, app = stuck(kill=True)
    result = daemon("renew", "xc", "--force")
    assert not app.processes()
    assert f"the process of the service '{app.service_name}' was ended" in result.text


def test_a_service_that_is_missing_burns_no_order(setup, pebble, xc):
    daemon = setup(pebble, target=xc.target(service={"windows": "No Such Service"}))
    result = daemon("renew", "xc")
    assert result.code == 1, result
    assert "No Such Service" in result.err
    assert pebble.requests("/order-plz") == 0


def test_the_exit_code_of_a_start_that_failed_is_put_in_words(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble)
    daemon.ok("renew", "xc")
    old, written = xc.served().thumbprint, xc.tls_json.read_bytes()
    xc.misbehave(refuse="no licence", except_=old)
    result = daemon("renew", "xc", "--force")
    assert result.code == 1, result
    assert "SAP Connector Service" in result.err
    assert "5" in result.err, "the service's own exit code is not told"
    assert xc.served().thumbprint == old
    assert xc.tls_json.read_bytes() == written
