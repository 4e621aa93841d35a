"""What happens when the state directory is not as certrenewd left it: not ours, damaged,
full. What is true is read from the certificate, the store and the port."""

import os
import re
import shutil
import subprocess

import pytest

from lib.ca_proxy import make_proxy, short_lived  # noqa: F401
from lib.waiting import wait_until

DONE, FAILED, USAGE, NOTHING, NO_DAEMON, DENIED = range(6)
NOBODY = 65534
EC = {"type": "ec-p256"}


@pytest.fixture
def first(setup, short_lived, xc, webhook):
    """The application serves the first certificate; no daemon runs."""
    xc.start()
    daemon = setup(short_lived, webhook, key=EC)
    daemon.ok("renew", "xc")
    webhook.alerts.clear()
    return daemon


def run(daemon, **how):
    """`run`, which is expected to end by itself."""
    return subprocess.run(daemon._argv(["run"]), capture_output=True, text=True, timeout=20,
                          env=daemon._env(), **how)


# ---- not ours


def test_a_state_directory_of_another_account_is_refused(setup, short_lived):
    daemon = setup(short_lived)
    daemon.state.mkdir(mode=0o700)
    os.chown(daemon.state, NOBODY, NOBODY)
    result = run(daemon)
    assert result.returncode in (USAGE, DENIED), result
    assert str(daemon.state) in result.stderr
    assert re.search("nobody|65534", result.stderr), result.stderr
    assert list(daemon.state.iterdir()) == []


def test_a_state_directory_that_is_open_to_others_is_refused_with_the_way_out(
        setup, short_lived):
    daemon = setup(short_lived)
    daemon.state.mkdir()
    daemon.state.chmod(0o755)
    result = run(daemon)
    assert result.returncode == DENIED, result
    assert f"chmod 0700 '{daemon.state}'" in result.stderr
    assert daemon("renew", "xc").code == DENIED
    assert short_lived.requests("/dir") == 0


def test_a_state_directory_that_is_a_file_is_refused(setup, short_lived):
    daemon = setup(short_lived)
    daemon.state.write_text("no folder")
    result = run(daemon)
    assert result.returncode in (FAILED, USAGE), result
    assert f"'{daemon.state}'" in result.stderr
    assert daemon.state.read_text() == "no folder"


@pytest.fixture
def read_only(first):
    """The state directory on a medium that cannot be written."""
    subprocess.run(["mount", "--bind", first.state, first.state], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", first.state], check=True)
    with pytest.raises(OSError):
        (first.state / "probe").write_text("x")
    yield first
    subprocess.run(["umount", "-l", first.state], check=True)


def test_a_state_directory_that_cannot_be_written_is_named_and_nothing_is_ordered(
        read_only, xc, short_lived):
    orders, served = short_lived.requests("/order-plz"), xc.served()
    for result in (read_only("renew", "xc", "--force"), read_only("deploy", "xc")):
        assert result.code == FAILED, result
        assert str(read_only.state) in result.err
        assert "cannot be locked: see that this account may write there" in result.err
        assert "read-only file system" in result.err.lower(), result
        assert "another certrenewd" not in result.err
    assert run(read_only).returncode == FAILED
    assert short_lived.requests("/order-plz") == orders
    assert xc.served() == served


def test_a_state_directory_that_cannot_be_written_can_still_be_looked_at(read_only, xc):
    told = read_only("status")
    assert told.code == DONE and xc.served().thumbprint in told.out, told
    assert "Read-only file system" in told.err
    assert "retires old" not in told.out  # the first has no old one
    assert read_only.ok("status", "--json").json["certificates"][0]["name"] == "xc"
    assert "clock" in read_only.ok("explain", "xc").out


def test_an_account_that_cannot_make_its_state_directory_is_told_which_one(
        setup, short_lived, tmp_path):
    daemon = setup(short_lived)
    needed = {p for folder in (daemon.folder, short_lived.folder)
              for p in (folder, *folder.parents)}
    opened = [p for p in needed if not p.stat().st_mode & 1]
    modes = [p.stat().st_mode & 0o7777 for p in opened]
    for path, mode in zip(opened, modes):
        path.chmod(mode | 0o055)
    daemon.config_path.chmod(0o644)
    try:
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.run(["mkdir", daemon.state], check=True, user=NOBODY, group=NOBODY,
                           stderr=subprocess.DEVNULL)
        result = run(daemon, user=NOBODY, group=NOBODY, extra_groups=[])
        assert result.returncode in (FAILED, DENIED), result
        assert str(daemon.state) in result.stderr
        assert "permission" in result.stderr.lower()
    finally:
        for path, mode in zip(opened, modes):
            path.chmod(mode)


# ---- damaged


def torn(path):
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def scribbled(path):
    path.write_bytes(b"\x00\xff\xfe" * 50)


FILES = [
    "certificates/xc/job.json", "certificates/xc/journal.json",
    "certificates/xc/targets/xtract-core/journal.json", "accounts/pebble/account.json",
    "accounts/pebble/key.pem", "breaker.json", "clock.json", "alerts/troubles.json",
    "instance.json", "certificates/xc/versions/1/key.pem",
    "certificates/xc/versions/1/fullchain.pem",
]


def aside(path):
    """What was set aside instead of this file, or of its folder."""
    return [p for top in (path, path.parent)
            for p in top.parent.glob(f"{top.name}.*-*") if not p.name.endswith(".json")]


@pytest.mark.parametrize("damage", [torn, emptied, scribbled])
def test_a_damaged_state_file_is_set_aside_and_reported_and_costs_no_order(
        first, xc, short_lived, webhook, damage):
    served = xc.served().thumbprint
    for name in FILES:
        path = first.state / name
        if not path.exists():
            path.write_text('{"open": []}')
            path.chmod(0o600)
        webhook.alerts.clear()
        damage(path)
        first.ok("explain", "xc")  # reads breaker.json too
        result = first("renew", "xc")
        looked_again = "journal" in name  # verified once more, not restarted
        assert result.code == NOTHING or (looked_again and result.code == DONE), (
            name, result)
        assert "is told to use it" not in result.text
        reported = [a["what"] for a in webhook.of("state_damaged")]
        assert len(reported) == 1, (name, reported)
        assert path.name in reported[0] and "set aside as" in reported[0], reported
        assert aside(path), name
    assert short_lived.requests("/order-plz") == 1
    assert xc.served().thumbprint == served
    webhook.alerts.clear()
    first.ok("renew", "xc", "--force")
    assert xc.served().thumbprint != served
    assert xc.versions() == [xc.served().thumbprint]
    assert webhook.of("state_damaged") == []


def test_what_a_death_left_set_aside_is_taken_back_from_the_store(first, xc, short_lived):
    served = xc.served().thumbprint
    orders = short_lived.requests("/order-plz")
    version = first.state / "certificates/xc/versions/1"
    for left in ("nothing", "the key"):
        kept = version.with_name("1.damaged-20261121T190650.000Z")
        version.rename(kept)
        if left == "the key":
            version.mkdir(mode=0o700)
            shutil.copy2(kept / "key.pem", version)
        assert first("renew", "xc").code == NOTHING
        assert (version / "fullchain.pem").read_bytes() == (
            kept / "fullchain.pem").read_bytes(), left
        shutil.rmtree(kept)
    assert short_lived.requests("/order-plz") == orders
    assert xc.served().thumbprint == served


def test_a_daemon_that_runs_finds_damage_by_a_question_and_tells_it(first, webhook, xc):
    first.start()
    wait_until(lambda: not first.ok("status", "--json").json["daemon"]["running"],
               what="rest")
    torn(first.state / "certificates/xc/job.json")
    assert first.status()["sha1"] == xc.served().thumbprint
    assert "job.json" in webhook.wait_for("state_damaged")["what"]
    assert first.stop() == 0


def test_a_key_that_is_lost_everywhere_is_replaced_by_a_new_order(first, xc, webhook):
    served = xc.served().thumbprint
    scribbled(first.state / "certificates/xc/versions/1/key.pem")
    scribbled(xc.store / "key.pem")
    first.ok("renew", "xc")
    assert "key.pem" in webhook.wait_for("state_damaged")["what"]
    assert xc.served().thumbprint not in (served, None)


def test_an_order_whose_key_was_damaged_is_not_finalized_with_another(
        setup, make_proxy, short_lived, xc):
    proxy = make_proxy(short_lived)
    xc.start()
    daemon = setup(proxy, key=EC)
    proxy.hold("/chalZ/")
    daemon.start()
    proxy.wait_held()
    assert daemon.stop() == 0
    proxy.drop()
    scribbled(daemon.state / "certificates/xc/versions/1/key.pem")
    result = daemon.ok("renew", "xc")
    assert xc.served() is not None, result
    assert "set aside" in (daemon.log() + result.text)


# ---- full


@pytest.fixture
def small_disk(tmp_path, setup, short_lived, xc, webhook):
    """The state directory on a file system that fill() fills."""
    xc.start()
    daemon = setup(short_lived, webhook, key=EC)
    daemon.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs",
                    daemon.state], check=True)
    ballast = daemon.state / "ballast"

    def fill():
        with pytest.raises(OSError), open(ballast, "wb", buffering=0) as out:
            while True:
                out.write(b"x" * 4096)

    daemon.fill, daemon.make_room = fill, ballast.unlink
    yield daemon
    daemon.close()
    subprocess.run(["umount", "-l", daemon.state], check=True)


def test_a_full_disk_is_named_nothing_is_lost_and_room_heals_it(small_disk, xc, webhook,
                                                                short_lived):
    small_disk.ok("renew", "xc")
    served, accounts = xc.served().thumbprint, short_lived.requests("/sign-me-up")
    orders = short_lived.requests("/order-plz")
    small_disk.fill()
    result = small_disk("renew", "xc", "--force")
    assert result.code == FAILED, result
    assert "no space left" in result.err.lower() and str(small_disk.state) in result.err
    assert "another certrenewd" not in result.err
    assert short_lived.requests("/order-plz") == orders
    assert xc.served().thumbprint == served
    small_disk.make_room()
    small_disk.ok("renew", "xc", "--force")
    assert xc.served().thumbprint != served
    assert short_lived.requests("/sign-me-up") == accounts


def test_a_disk_that_fills_under_the_daemon_is_an_alert_and_no_end(small_disk, xc, webhook):
    small_disk.start()
    wait_until(lambda: xc.served(), what="the first")
    wait_until(lambda: not small_disk.ok("status", "--json").json["daemon"]["running"],
               what="rest")
    served = xc.served().thumbprint
    small_disk.fill()
    result = small_disk("renew", "xc", "--force")
    assert result.code == FAILED, result
    assert "no space left" in result.err.lower()
    assert "no space left" in webhook.wait_for("failed")["what"].lower()
    assert xc.served().thumbprint == served
    small_disk.make_room()
    small_disk.ok("renew", "xc", "--force")
    webhook.wait_for("recovered")
    assert xc.served().thumbprint != served
    assert small_disk.stop() == 0


def test_nothing_of_the_state_is_readable_by_others_and_no_temporary_file_stays(first):
    leftovers = [p for p in first.state.rglob("*") if "tmp" in p.name or p.name[0] == "."]
    assert leftovers == []
    assert not [p for p in first.state.rglob("*") if p.stat().st_mode & 0o077]
