"""kill -9 before every change that a command makes to a disk, and while it waits for the
application: forward, backward, into plain HTTP and out of it. After each death somebody is
served, and one more command ends the transaction."""

import json
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.controlled import Controlled
from lib.crash import CHANGES, kill_at, record
from lib.daemon import Certrenewd
from lib.pebble import Pebble
from lib.waiting import wait_until
from lib.xc import DEFAULT_SETTINGS, XcApp

# CERTRENEWD_CRASH=all: before every call of lib.crash.DISK; some minutes.
EVERYTHING = os.environ.get("CERTRENEWD_CRASH") == "all"
LANES = 4


class Lane:
    """A CA, an application and a certrenewd of their own: lanes run side by side."""

    def __init__(self, folder, binary, programs):
        from conftest import issuer_of

        folder.mkdir()
        self.pebble = Pebble(folder / "pebble", nonce_reject=0)
        self.xc = XcApp(folder / "xc", programs)
        self.daemon = Certrenewd(folder / "certrenewd", binary)
        self.folder = folder
        listen = f"127.0.0.1:{self.pebble.http_port}"
        self.daemon.configure(
            issuers={"pebble": issuer_of(self.pebble)},
            certificates={"xc": {
                "hosts": ["xc.example"], "issuers": ["pebble"], "key": {"type": "ec-p256"},
                "challenge": {"type": "http-01", "listen": listen},
                "deploy": [self.xc.target(name="xc", verify_timeout="5s")]}})
        self.xc.start()
        self.daemon.ok("renew", "xc")
        self.xc.settings.write_text(DEFAULT_SETTINGS)  # it was reset: there was no tls.json
        self.settings = self.xc.settings.read_bytes()

    def close(self):
        self.xc.misbehave()
        self.xc.ctl("stop", check=False)
        self.daemon.close()
        self.pebble.close()

    def allow_more(self):
        """So many certificates a day are not what the circuit breaker is for."""
        (self.daemon.state / "breaker.json").unlink(missing_ok=True)

    def orders(self):
        return self.pebble.requests("/order-plz")

    def finalized(self):
        return self.pebble.requests("/finalize-order/")

    # -- what has to hold at any moment

    def check_application_can_start(self):
        """tls.json is whole and names a certificate whose key is there."""
        folder = self.xc.dir.parent / f"{self.xc.store.name}.versions" / self.xc.thumbprint()

        def public(*argv):
            return subprocess.run(["openssl", *argv], capture_output=True, text=True,
                                  check=True).stdout

        assert public("pkey", "-in", folder / "key.pem", "-pubout") == public(
            "x509", "-in", folder / "cert.pem", "-noout", "-pubkey")

    def check_keys_are_private(self):
        for path in self.folder.rglob("*"):
            if path.is_symlink() or not path.is_file() or path.parent.name == "pebble":
                continue
            if b"PRIVATE KEY" in path.read_bytes():
                assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"

    def check_nothing_piles_up(self, new):
        assert self.xc.versions() == [new]
        versions = self.daemon.state / "certificates/xc/versions"
        assert len(list(versions.iterdir())) == 1, list(versions.iterdir())
        for path in self.folder.rglob("*"):
            if path.parent in (self.daemon.state, self.daemon.state / "alerts"):
                continue  # one at most, and the next writer of that file takes it
            for bad in (".certrenewd-new", ".certrenewd-old", ".damaged"):
                assert bad not in path.name, path
            if path.parent.parent.name == "saved":
                raise AssertionError(f"{path} is left")
        for saved in (self.daemon.state / "certificates/xc/targets/xc").glob("*/*"):
            raise AssertionError(f"{saved} is left")


@pytest.fixture
def lanes(tmp_path, binary, programs):
    made = []

    def make(i):
        lane = Lane(tmp_path / f"lane{i}", binary, programs)
        made.append(lane)
        return lane

    with ThreadPoolExecutor(LANES) as pool:
        opened = list(pool.map(make, range(LANES)))
    yield opened
    for lane in made:
        lane.close()


def sweep(lanes, calls, one):
    """one(lane, call) for every call; each lane takes the next when it is free."""
    left, lock, failures = list(calls), threading.Lock(), []

    def work(lane):
        while not failures:
            with lock:
                if not left:
                    return
                call = left.pop(0)
            try:
                one(lane, call)
            except Exception as e:
                failures.append(e)
                raise AssertionError(f"killed entering {call}: {e}") from e

    with ThreadPoolExecutor(LANES) as pool:
        for done in [pool.submit(work, lane) for lane in lanes]:
            done.result()


def worth_dying_at(calls):
    """The changes that succeed, and of several waits for a program the first."""
    last, chosen = None, []
    for call in calls:
        if call.name in ("wait4", "waitid"):
            if call.name != last:
                chosen.append(call)
        elif not call.failed and (call.name in CHANGES or EVERYTHING):
            chosen.append(call)
        last = call.name
    assert len(chosen) > 5, calls
    return chosen


def recorded(lane, *words, code=0):
    lane.allow_more()
    calls, done = record(lane.daemon, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return calls


def die(lane, call, *words):
    """After its last change of the transaction a run keeps its clock and its alerts; not
    every run has the same to keep."""
    at_the_end = any(name in call.words for name in ("clock.json", "/alerts", "/state>"))
    assert kill_at(lane.daemon, call, *words) or at_the_end, "it was not killed"


def has_served(lane, *wanted):
    """A restart may be under way without us; then somebody is served."""
    def look():
        served = lane.xc.served()
        return served is not None and served.thumbprint in wanted

    wait_until(look, 10, "one of the two certificates served")


# ---- forward


def test_killed_at_any_step_forward_the_next_run_ends_it(lanes):
    calls = recorded(lanes[0], "renew", "xc", "--force")

    def one(lane, call):
        lane.allow_more()
        old, orders, finalized = lane.xc.thumbprint(), lane.orders(), lane.finalized()
        die(lane, call, "renew", "xc", "--force")
        lane.check_application_can_start()
        lane.check_keys_are_private()
        has_served(lane, old, lane.xc.thumbprint())
        again = lane.daemon("renew", "xc")
        assert again.code in (0, 3), again
        if lane.xc.thumbprint() == old:
            # The order of the command was not begun, or not over: it is not due.
            lane.daemon.ok("renew", "xc", "--force")
        new = lane.xc.thumbprint()
        assert new != old
        assert lane.xc.served().thumbprint == new
        assert lane.orders() <= orders + 2
        assert lane.finalized() == finalized + 1
        lane.check_keys_are_private()
        lane.check_nothing_piles_up(new)

    sweep(lanes, worth_dying_at(calls), one)


# ---- back


def test_killed_at_any_step_of_a_rollback_the_old_one_is_served_in_the_end(lanes):
    def refuse(lane, old):
        lane.allow_more()
        lane.xc.misbehave(refuse="no licence", except_=old)

    first = lanes[0]
    refuse(first, first.xc.thumbprint())
    calls = recorded(first, "renew", "xc", "--force", code=1)
    first.xc.misbehave()
    first.daemon.ok("deploy", "xc")
    pointed = next(i for i, call in enumerate(calls)
                   if call.name == "renameat" and "tls.json" in call.words)

    def one(lane, call):
        old, written = lane.xc.thumbprint(), lane.xc.tls_json.read_bytes()
        refuse(lane, old)
        die(lane, call, "renew", "xc", "--force")
        orders = lane.orders()
        lane.check_application_can_start()
        lane.check_keys_are_private()
        again = lane.daemon("renew", "xc")
        assert again.code in (1, 3), again
        assert lane.xc.served().thumbprint == old
        assert lane.xc.tls_json.read_bytes() == written
        lane.xc.misbehave()
        lane.daemon.ok("deploy", "xc")
        assert lane.orders() == orders
        new = lane.xc.thumbprint()
        assert new != old
        assert lane.xc.served().thumbprint == new
        lane.check_nothing_piles_up(new)

    sweep(lanes, worth_dying_at(calls[pointed:]), one)


# ---- the daemon


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


# ---- plain HTTP and back


def back_to_https(lane, thumbprint):
    lane.daemon.ok("fallback", "xc", "off")
    assert lane.xc.served().thumbprint == thumbprint
    assert lane.xc.settings.read_bytes() == lane.settings
    lane.check_nothing_piles_up(thumbprint)
    assert not (lane.daemon.state / "certificates/xc/targets/xc/fallback.json").exists()
    assert lane.daemon.status()["targets"][0]["mode"] == "https"


def test_killed_at_any_step_into_plain_http_the_next_run_ends_it(lanes):
    calls = recorded(lanes[0], "fallback", "xc", "on")
    assert lanes[0].xc.http()[0] == 200
    back_to_https(lanes[0], lanes[0].daemon.status()["sha1"])

    def one(lane, call):
        served, written = lane.xc.served().thumbprint, lane.xc.tls_json.read_bytes()
        die(lane, call, "fallback", "xc", "on")
        lane.daemon("renew", "xc")
        if lane.xc.tls_json.exists():  # it had not begun, or is through with it
            assert lane.xc.tls_json.read_bytes() == written
            assert lane.xc.served().thumbprint == served
        else:
            assert lane.xc.http()[0] == 200
            assert lane.daemon.status()["targets"][0]["mode"] == "fallback"
        lane.daemon.ok("fallback", "xc", "on")
        assert lane.xc.http()[0] == 200
        assert not lane.xc.tls_json.exists()
        assert lane.xc.settings.read_bytes() != lane.settings
        back_to_https(lane, served)

    sweep(lanes, worth_dying_at(calls), one)


def test_killed_at_any_step_out_of_plain_http_the_next_run_ends_it(lanes):
    thumbprint = lanes[0].xc.thumbprint()
    lanes[0].daemon.ok("fallback", "xc", "on")
    calls = recorded(lanes[0], "fallback", "xc", "off")
    assert lanes[0].xc.served().thumbprint == thumbprint

    def one(lane, call):
        served, written = lane.xc.served().thumbprint, json.loads(lane.xc.tls_json.read_text())
        lane.daemon.ok("fallback", "xc", "on")
        die(lane, call, "fallback", "xc", "off")
        assert lane.daemon("renew", "xc").code in (0, 3)
        back_to_https(lane, served)
        assert json.loads(lane.xc.tls_json.read_text()) == written

    sweep(lanes, worth_dying_at(calls), one)
