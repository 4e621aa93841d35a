"""kill -9 of certrenewd.exe right behind its N-th journal write, and what has to hold after a
death. Under Wine a program is a process of ours; the kernel tells of each journal that is
renamed into its place."""

import ctypes
import os
import select
import struct
import time

from .waiting import wait_until

# Into plain HTTP and back: every second death in scripts/test; all: CERTRENEWD_FAULT=all.
STRIDE = 1 if os.environ.get("CERTRENEWD_FAULT") == "all" else 2

IN_MOVED_TO = 0x80
EVENT = struct.Struct("iIII")

libc = ctypes.CDLL(None, use_errno=True)


class JournalWrites:
    """Counts them as they happen, however busy the machine is."""

    def __init__(self, state, name=b"journal.json"):
        self._name = name
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        journals = list(state.glob("certificates/*/**/journal.json"))
        assert self._fd >= 0 and journals, f"nothing to watch below {state}"
        for folder in {journal.parent for journal in journals}:
            if libc.inotify_add_watch(self._fd, os.fsencode(folder), IN_MOVED_TO) < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), folder)

    def wait(self, seconds):
        """How many came; waits for the first so long."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return 0
        data, at, writes = os.read(self._fd, 65536), 0, 0
        while at < len(data):
            size = EVENT.unpack_from(data, at)[3]
            at += EVENT.size
            writes += data[at:at + size].rstrip(b"\0") == self._name
            at += size
        return writes

    def close(self):
        os.close(self._fd)


def run_and_kill(daemon, nth, *words, timeout=90, name="journal.json"):
    """Runs the command and kills it behind its nth write of a journal of that name. Gives
    how many were seen: fewer than nth, and it came to its end."""
    journals = JournalWrites(daemon.state, name.encode())
    process = daemon.wine.background(
        daemon.binary, "--config", daemon.wine.path(daemon.config_path), *words,
        log=daemon.folder / f"killed-{nth}.log")
    writes, deadline = 0, time.monotonic() + timeout
    try:
        while process.running():
            writes += journals.wait(0.02)
            if writes >= nth:
                process.kill()
                return writes
            if time.monotonic() > deadline:
                process.kill()
                raise TimeoutError(f"{words} did not end within {timeout} s:\n"
                                   f"{process.text()}")
        return writes + journals.wait(0)
    finally:
        journals.close()


# ---- what has to hold


def allow_more(daemon):
    """So many certificates a day are not what the circuit breaker is for."""
    (daemon.state / "breaker.json").unlink(missing_ok=True)


def served_one_of(xc, *wanted):
    def look():
        served = xc.served()
        return served is not None and served.thumbprint in wanted

    wait_until(look, 20, "one of the two certificates being served")


def nothing_is_left(xc, tool):
    """One entry, its key, and no container besides."""
    assert xc.versions() == [xc.thumbprint()]
    assert tool.containers() == [xc.container()]
    assert tool.signs(xc.thumbprint())
