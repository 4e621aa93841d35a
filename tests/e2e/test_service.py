"""certrenewd installed as a service of a real systemd, keeping another service's
certificate: started by its hardened unit, watched, reloaded, stopped, rebooted, killed."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from lib.pebble import Lender
from lib.waiting import free_port, wait_until

UNIT = "certrenewd.service"
NOBODY = 65534
WATCH, TIMER = "certrenewd-watch.service", "certrenewd-watch.timer"


@pytest.fixture
def tmp_path():
    """Not below /tmp: the unit has one of its own."""
    folder = Path(tempfile.mkdtemp(prefix="certrenewd-", dir="/srv"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pebbles(tmp_path):
    """The unit reads there whom to trust."""
    lender = Lender(tmp_path / "pebbles")
    yield lender
    lender.close()


@pytest.fixture
def machine_of_our_own(tmp_path, programs, binary):
    """A booted machine for this test alone, with certrenewd where the package puts it."""
    from conftest import TOP
    from lib.machine import Machine

    booted = Machine(tmp_path / "machine", binds=[tmp_path, TOP, programs])
    shutil.copy(binary, booted.root / "usr/sbin/certrenewd")
    units = booted.root / "etc/systemd/system"
    for name in (UNIT, WATCH, TIMER):
        (units / name).write_text((TOP / "packaging" / name).read_text())
    # A sanitizer looks for leaks with ptrace, which the units do not permit.
    for name in (UNIT, WATCH):
        (units / f"{name}.d").mkdir()
        (units / f"{name}.d/asan.conf").write_text(
            "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")
    (booted.root / "etc/certrenewd").mkdir()
    booted.ctl("daemon-reload")
    yield booted
    booted.close()


def open_what_is_configured(machine):
    """The drop-in as the README tells to make it."""
    done = machine("certrenewd", "sandbox", check=True)
    path = machine.root / "etc/systemd/system" / f"{UNIT}.d/paths.conf"
    path.parent.mkdir(exist_ok=True)
    path.write_text(done.stdout)
    machine.ctl("daemon-reload")
    return done.stdout


@pytest.fixture
def installed(machine_of_our_own, pebble, make_xc, webhook):
    """certrenewd.yaml in /etc for an application that runs as xc.service; not started."""
    import yaml

    from conftest import issuer_of

    machine, xc = machine_of_our_own, make_xc()
    machine.unit("xc.service", type="notify", start=True,
                 ExecStart=f"{xc.app} --dir {xc.dir} --store {xc.store}")

    def configure(action="restart", **top):
        target = xc.target(service={"systemd": "xc.service", "action": action,
                                    "timeout": "10s"})
        path = machine.root / "etc/certrenewd/certrenewd.yaml"
        path.write_text(yaml.safe_dump({
            "issuers": {"pebble": issuer_of(pebble)},
            "certificates": {"xc": {
                "hosts": ["xc.example"], "issuers": ["pebble"],
                "challenge": {"type": "http-01", "listen": f"127.0.0.1:{pebble.http_port}"},
                "deploy": [target]}},
            "alerts": {"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}},
            **top}))
        path.chmod(0o600)

    configure()
    open_what_is_configured(machine)
    machine.configure, machine.xc = configure, xc
    return machine


def certrenewd(machine, *words):
    return machine("certrenewd", *words, timeout=120)


def test_an_enabled_unit_keeps_the_certificate_of_another_unit(installed, webhook):
    machine, xc = installed, installed.xc
    before = machine.main_pid("xc.service")
    machine.ctl("enable", "--now", UNIT)
    webhook.wait_for("renewed", 60)
    assert machine.active(UNIT) == "active"
    assert xc.served().names == ["xc.example"]
    assert machine.main_pid("xc.service") != before
    state = machine.root / "var/lib/certrenewd"
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "certificates/xc").is_dir()
    assert "renewed" in machine.journal(UNIT)


@pytest.mark.parametrize("unit", [UNIT, WATCH])
def test_the_unit_is_little_exposed(machine_of_our_own, unit):
    """Threshold 20 is an exposure of 2.0."""
    done = machine_of_our_own("systemd-analyze", "security", "--no-pager", "--threshold=20",
                              unit)
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level" in done.stdout


def test_the_watcher_tells_that_the_daemon_is_gone_from_its_own_unit(installed, webhook):
    machine = installed
    timer = machine.root / "etc/systemd/system" / TIMER
    timer.write_text(re.sub(r"=\d+min", "=1s", timer.read_text())
                     .replace("AccuracySec=30s", "AccuracySec=100ms"))
    machine.ctl("daemon-reload")
    machine.ctl("enable", "--now", UNIT)
    webhook.wait_for("renewed", 60)
    wait_until(lambda: ended(machine), 30, "the transaction's end")
    machine.ctl("start", WATCH)
    assert machine.ctl("show", "-P", "Result", WATCH) == "success", machine.journal(WATCH)
    machine.ctl("stop", UNIT)
    (machine.root / "var/lib/certrenewd/heartbeat.json").unlink()
    machine.ctl("enable", "--now", "certrenewd-watch.timer")
    told = webhook.wait_for("daemon_dead", 30)
    assert "no sign of life" in told["what"]
    wait_until(lambda: machine.ctl("show", "-P", "Result", WATCH) == "exit-code",
               what="the failed unit")


def test_the_sandbox_is_closed_but_for_what_is_configured(installed, tmp_path):
    """Seen by a shell in the daemon's own mount namespace."""
    machine, xc = installed, installed.xc
    machine.ctl("start", UNIT)
    inside = ["nsenter", "-t", str(machine.main_pid(UNIT)), "-m", "--"]
    for open_one in (xc.tls_json.parent, xc.store.parent, Path("/var/lib/certrenewd")):
        done = machine(*inside, "touch", open_one / "probe")
        assert done.returncode == 0, done.stderr
        machine("rm", open_one / "probe")
    for closed in ("/etc", "/etc/certrenewd", "/usr/sbin", "/var/lib", "/srv"):
        done = machine(*inside, "touch", f"{closed}/probe")
        assert done.returncode == 1 and "Read-only file system" in done.stderr, closed
    status = machine("cat", f"/proc/{machine.main_pid(UNIT)}/status").stdout
    assert re.search(r"^CapEff:\s+0000000000000401$", status, re.M)  # CHOWN, NET_BIND
    assert re.search(r"^Seccomp:\s+2$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)


def test_files_of_another_account_are_kept_its_own_by_the_rights_of_the_drop_in(installed,
                                                                               webhook):
    machine, xc = installed, installed.xc
    xc.tls_json.write_text("{}")
    for path in (xc.dir, *xc.dir.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert "CAP_DAC_OVERRIDE" in open_what_is_configured(machine)
    machine.ctl("start", UNIT)
    webhook.wait_for("renewed", 60)
    assert xc.served().names == ["xc.example"]
    facts = xc.tls_json.stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (NOBODY, NOBODY, 0o600)
    assert xc.thumbprint() == xc.served().thumbprint


def test_without_its_drop_in_the_daemon_says_which_folder_is_closed(installed, pebble):
    machine, xc = installed, installed.xc
    (machine.root / "etc/systemd/system" / f"{UNIT}.d/paths.conf").unlink()
    machine.ctl("daemon-reload")
    machine.ctl("start", UNIT)
    wait_until(lambda: "certrenewd sandbox >" in machine.journal(UNIT), what="the warning")
    assert f"mkdir -p /etc/systemd/system/{UNIT}.d, " in machine.journal(UNIT)
    assert f"'{xc.tls_json.parent}' is read-only" in machine.journal(UNIT)
    wait_until(lambda: "Read-only file system" in machine.journal(UNIT), what="the failure")
    assert pebble.requests("/order-plz") == 0


def test_a_reboot_and_a_kill_in_the_middle_of_a_deployment_lose_nothing(installed, webhook,
                                                                        pebble):
    machine, xc = installed, installed.xc
    machine.ctl("add-wants", "multi-user.target", "xc.service")
    machine.ctl("enable", "--now", UNIT)
    webhook.wait_for("renewed", 60)
    old = xc.served().thumbprint

    # The application hangs in its start: tls.json names the new one, nobody serves it.
    xc.misbehave(hang=True)
    renewal = subprocess.Popen([*machine.enter, "certrenewd", "renew", "xc", "--force"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: xc.thumbprint() != old, 30, "the new name in tls.json")
    new, orders = xc.thumbprint(), pebble.requests("/order-plz")
    machine.ctl("kill", "--signal=KILL", UNIT)
    renewal.wait(30)
    xc.misbehave()
    wait_until(lambda: xc.served() and xc.served().thumbprint == new, 90,
               "the new certificate served after the death")
    wait_until(lambda: ended(machine), 60, "the transaction's end")
    assert xc.thumbprint() == new

    machine.reboot()
    wait_until(lambda: machine.active(UNIT) == "active", 60, "the daemon after the reboot")
    assert wait_until(xc.served, 60, "the application after the reboot").thumbprint == new
    assert certrenewd(machine, "renew", "xc").returncode == 3
    assert pebble.requests("/order-plz") == orders


def ended(machine, name="xc"):
    """Is the last deployment through?"""
    done = certrenewd(machine, "status", name, "--json")
    return done.returncode == 0 and [
        target["end"] for target in json.loads(done.stdout)["certificates"][0]["targets"]
    ] == ["done"]


def test_systemd_knows_how_it_stands_and_watches_it(installed):
    machine = installed
    machine.ctl("start", UNIT)
    wait_until(lambda: "1" in machine.ctl("show", "-P", "StatusText", UNIT),
               what="the status text")
    assert machine.ctl("show", "-P", "WatchdogUSec", UNIT) == "5min"
    assert machine.ctl("show", "-P", "LimitCORE", UNIT) == "0"


def test_systemctl_reload_reads_the_configuration_and_refuses_a_broken_one(installed,
                                                                          webhook):
    machine = installed
    machine.ctl("start", UNIT)
    webhook.wait_for("renewed", 60)
    pid = machine.main_pid(UNIT)
    path = machine.root / "etc/certrenewd/certrenewd.yaml"
    good = path.read_text()
    path.write_text(good + "nonsense: 1\n")
    machine.ctl("reload", UNIT)
    rejected = webhook.wait_for("config_rejected", 30)
    assert "nonsense" in json.dumps(rejected)
    path.write_text(good)
    machine.ctl("reload", UNIT)
    wait_until(lambda: "configuration read again" in machine.journal(UNIT),
               what="the configuration read again")
    assert machine.main_pid(UNIT) == pid


def test_a_stop_is_clean_and_quick(installed, webhook):
    machine = installed
    machine.ctl("start", UNIT)
    webhook.wait_for("renewed", 60)
    machine.ctl("stop", UNIT)
    assert machine.ctl("show", "-P", "Result", UNIT) == "success"
    assert machine.ctl("show", "-P", "ExecMainStatus", UNIT) == "0"
    assert installed.xc.https()[0] == 200


def test_a_killed_daemon_is_started_again_by_systemd(installed, webhook):
    machine = installed
    text = (machine.root / "etc/systemd/system" / UNIT).read_text()
    (machine.root / "etc/systemd/system" / UNIT).write_text(
        text.replace("RestartSec=10s", "RestartSec=1s"))
    machine.ctl("daemon-reload")
    machine.ctl("start", UNIT)
    webhook.wait_for("renewed", 60)
    pid = machine.main_pid(UNIT)
    machine.ctl("kill", "--signal=KILL", UNIT)
    wait_until(lambda: machine.active(UNIT) == "active" and machine.main_pid(UNIT) != pid,
               what="the daemon started again")
    assert certrenewd(machine, "renew", "xc").returncode == 3


def test_a_unit_that_refuses_the_new_certificate_keeps_the_old_one_and_is_quoted(installed,
                                                                                webhook):
    machine, xc = installed, installed.xc
    machine.ctl("start", UNIT)
    webhook.wait_for("renewed", 60)
    old, written = xc.served().thumbprint, xc.tls_json.read_bytes()
    xc.misbehave(refuse="licence server unreachable", except_=old)
    done = certrenewd(machine, "renew", "xc", "--force")
    assert done.returncode == 1
    assert xc.served().thumbprint == old
    assert xc.tls_json.read_bytes() == written
    alert = webhook.wait_for("failed")
    text = json.dumps(alert)
    assert "xc.service" in text
    assert "refusing to start: licence server unreachable" in text
    assert len(webhook.of("failed")) == 1


def test_a_reload_is_enough_where_the_operator_says_so(installed, webhook):
    machine, xc = installed, installed.xc
    machine.ctl("start", UNIT)
    webhook.wait_for("renewed", 60)  # from HTTP to HTTPS: the unit of the application restarts
    machine.unit("xc.service", type="notify",
                 ExecStart=f"{xc.app} --dir {xc.dir} --store {xc.store}",
                 ExecReload="/bin/kill -HUP $MAINPID")
    machine.configure(action="reload")
    machine.ctl("reload", UNIT)
    pid, old = machine.main_pid("xc.service"), xc.served().thumbprint
    wait_until(lambda: "configuration read again" in machine.journal(UNIT),
               what="the configuration read again")
    done = certrenewd(machine, "renew", "xc", "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    assert xc.serves_another(old)
    assert machine.main_pid("xc.service") == pid


def test_a_missing_unit_burns_no_order(installed, pebble):
    machine = installed
    path = machine.root / "etc/certrenewd/certrenewd.yaml"
    path.write_text(path.read_text().replace("xc.service", "no-such.service"))
    done = certrenewd(machine, "renew", "xc")
    assert done.returncode == 1
    assert re.search(r"no-such\.service", done.stdout + done.stderr)
    assert pebble.requests("/order-plz") == 0


def test_a_unit_stopped_by_its_admin_is_not_started(installed, webhook):
    machine, xc = installed, installed.xc
    machine.ctl("stop", "xc.service")
    machine.ctl("start", UNIT)
    webhook.wait_for("waiting_for_service", 60)
    assert machine.active("xc.service") == "inactive"
    assert xc.thumbprint() == xc.versions()[0]
    machine.ctl("start", "xc.service")
    assert xc.served().thumbprint == xc.thumbprint()
    done = certrenewd(machine, "deploy", "xc")
    assert done.returncode in (0, 3), done.stdout + done.stderr


def test_nginx_keeps_port_80_and_gets_its_certificates_from_the_hardened_unit(
        machine_of_our_own, tmp_path, make_pebble):
    """By webroot, through a kill in the middle of a deployment and a reboot."""
    import yaml

    from conftest import issuer_of
    from lib.handshake import served

    machine, http, https = machine_of_our_own, free_port(), free_port()
    www, live = tmp_path / "www", tmp_path / "live/shop"
    www.mkdir()
    www.chmod(0o755)
    config = tmp_path / "nginx.conf"

    def site(tls):
        listen = (f"listen 127.0.0.1:{https} ssl; ssl_certificate {live}/fullchain.pem;"
                  f" ssl_certificate_key {live}/key.pem;" if tls else "")
        config.write_text(
            f"pid {tmp_path}/nginx.pid; error_log stderr; user root; events {{}}\n"
            f"http {{ access_log off; server {{ listen 127.0.0.1:{http}; {listen}\n"
            f"  root {www}; }} }}\n")

    site(tls=False)
    machine.unit("nginx-shop.service", type="forking", start=True,
                 PIDFile=f"{tmp_path}/nginx.pid", ExecStart=f"/usr/sbin/nginx -c {config}",
                 ExecReload="/bin/sh -c 'sleep 2; kill -HUP $MAINPID'")
    machine.ctl("add-wants", "multi-user.target", "nginx-shop.service")
    pebble = make_pebble(http_port=http)
    path = machine.root / "etc/certrenewd/certrenewd.yaml"
    path.write_text(yaml.safe_dump({
        "issuers": {"pebble": issuer_of(pebble)},
        "certificates": {"shop": {
            "hosts": ["shop.example"], "issuers": ["pebble"],
            "challenge": {"type": "http-01", "webroot": str(www)},
            "deploy": [{
                "name": "nginx",
                "store": {"type": "directory", "path": str(live), "group": "www-data"},
                "service": {"systemd": "nginx-shop.service", "action": "reload"},
                "run": [{"command": ["/bin/cp", f"{config}.tls", str(config)],
                         "changes": [str(config)]}],
                "verify": [{"connect": f"127.0.0.1:{https}"}],
                "retire": {"after": "0s"}}]}}}))
    path.chmod(0o600)
    site(tls=True)
    config.rename(f"{config}.tls")
    site(tls=False)
    open_what_is_configured(machine)
    machine.ctl("enable", "--now", UNIT)

    def shown():
        now = served(https, "shop.example")
        return now and now.thumbprint

    def ends_after(old):
        wait_until(lambda: shown() not in (None, old), 90, "the new certificate")
        wait_until(lambda: ended(machine, "shop"), 60, "the transaction's end")
        return shown()

    first = ends_after(None)
    assert served(https, "shop.example").names == ["shop.example"]
    renewal = subprocess.Popen([*machine.enter, "certrenewd", "renew", "shop", "--force"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    link = live.resolve()
    wait_until(lambda: live.resolve() != link, 30, "the link to the second")
    machine.ctl("kill", "--signal=KILL", UNIT)
    renewal.wait(30)
    orders = pebble.requests("/order-plz")
    second = ends_after(first)
    assert (live / "key.pem").stat().st_mode & 0o777 == 0o640
    assert machine("stat", "-c", "%G", live / "key.pem").stdout == "www-data\n"

    machine.reboot()
    wait_until(lambda: machine.active(UNIT) == "active", 60, "the daemon after the reboot")
    assert wait_until(shown, 60, "nginx after the reboot") == second
    assert certrenewd(machine, "renew", "shop").returncode == 3
    assert pebble.requests("/order-plz") == orders
