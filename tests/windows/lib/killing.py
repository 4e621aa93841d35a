"""kill -9 of certrenewd.exe right behind its N-th journal write. Under Wine a program is a
process of ours; its journals are watched from outside, by what a replaced file looks like."""

import time


def _looks(state):
    """What every journal looks like now; another look is another write."""
    looks = {}
    for path in state.glob("certificates/*/**/journal.json"):
        try:
            found = path.stat()
        except OSError:
            continue
        looks[path] = (found.st_ino, found.st_mtime_ns)
    return looks


def run_and_kill(daemon, nth, *words, timeout=90):
    """Runs the command and kills it behind its nth journal write. Gives how many writes
    were seen: fewer than nth, and it came to its end."""
    before = _looks(daemon.state)
    process = daemon.wine.background(
        daemon.binary, "--config", daemon.wine.path(daemon.config_path), *words,
        log=daemon.folder / f"killed-{nth}.log")
    writes, deadline = 0, time.monotonic() + timeout
    while process.running():
        now = _looks(daemon.state)
        if now != before:
            writes += sum(now.get(path) != before.get(path) for path in now | before)
            before = now
            if writes >= nth:
                process.kill()
                return writes
        if time.monotonic() > deadline:
            process.kill()
            raise TimeoutError(f"{words} did not end within {timeout} s:\n{process.text()}")
        time.sleep(0.0005)
    return writes
