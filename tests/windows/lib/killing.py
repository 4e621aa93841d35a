"""kill -9 of certrenewd.exe right behind its N-th journal write. Under Wine a program is a
process of ours; the kernel tells of each journal that is renamed into its place."""

import ctypes
import os
import select
import struct
import time

IN_MOVED_TO = 0x80
EVENT = struct.Struct("iIII")

libc = ctypes.CDLL(None, use_errno=True)


class JournalWrites:
    """Counts them as they happen, however busy the machine is."""

    def __init__(self, state):
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
            writes += data[at:at + size].rstrip(b"\0") == b"journal.json"
            at += size
        return writes

    def close(self):
        os.close(self._fd)


def run_and_kill(daemon, nth, *words, timeout=90):
    """Runs the command and kills it behind its nth journal write. Gives how many writes
    were seen: fewer than nth, and it came to its end."""
    journals = JournalWrites(daemon.state)
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
