"""The program dies, or the system refuses, at its N-th system call that changes anything:
tests/fault/driver counts over all threads and children."""

import os
import subprocess
import tempfile
from pathlib import Path

from . import symbols
from .injector import Injector, Point, Result

FIELDS = ("n", "tid", "program", "whose", "call", "kinds", "result", "target", "other",
          "number", "offset", "stack", "data")
TIMEOUT_S = 120
# The service, which stays, and what scripts use and what changes nothing: not followed.
LEFT = ("xcapp", "cat", "grep", "readlink", "sed", "sleep", "tail", "flock")


def read_log(path):
    """(lines as dictionaries in the order of their numbers, count, exit code, fired)."""
    lines = path.read_text(errors="surrogateescape").split("\n")
    end = lines[-2].split("\t")
    if end[0] != "end":
        raise RuntimeError(f"the driver's log {path} has no end")
    calls = [dict(zip(FIELDS, line.split("\t"))) for line in lines[:-2]]
    for call in calls:
        call["n"] = int(call["n"])
    return (sorted(calls, key=lambda call: call["n"]), int(end[1]), int(end[2]),
            end[3] == "1")


def run_driver(build, daemon, words, driver_words):
    """(log, Result) of one run under the driver. Children that live on keep the files that
    output goes to, so nobody waits for those to be closed."""
    with tempfile.TemporaryDirectory(dir=daemon.folder.parent / "log") as folder:
        log, out, err = (Path(folder) / name for name in ("log", "out", "err"))
        inner = daemon._argv(words)[len(daemon.enter):]
        left = [word for name in LEFT for word in ("--leave", name)]
        argv = [*daemon.enter, str(build / "tests/fault/faultdriver"), *driver_words,
                str(log), *left, "--", *inner]
        with open(out, "wb") as to_out, open(err, "wb") as to_err:
            code = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=to_out,
                                  stderr=to_err, timeout=TIMEOUT_S,
                                  env=daemon._env({"ASAN_OPTIONS": "detect_leaks=0"}),
                                  ).returncode
        text = [path.read_text(errors="replace") for path in (out, err)]
        if code == 125 or not os.path.getsize(log):
            raise RuntimeError(f"{' '.join(argv)}: {text[1]}")
        calls, count, code, fired = read_log(log)
    return calls, Result(fired, code, *text, count=count)


class SystemCalls(Injector):
    name = "system calls"
    kinds = ("kill", "eio", "enospc", "eacces", "eintr", "emfile")

    def __init__(self, build):
        super().__init__(build)
        self.symbols = symbols.of(build / "daemon/certrenewd")

    def available(self):
        if not (self.build / "tests/fault/faultdriver").exists():
            return "the driver is not built: it needs libunwind and an x86-64 Linux"
        return None

    def _point(self, call):
        if call["whose"] == "own":
            site = self.symbols.site(call["stack"])
        else:
            site = f"program {call['program']}: {Path(call['target']).name}"
        kinds = tuple(k for k in self.kinds if k in call["kinds"].split(","))
        return Point(call["n"], call["call"], site, call["target"], kinds,
                     call["result"].startswith("-"))

    def before(self, daemon):
        """What points() has to know of the time before the run."""

    def points(self, calls, before):
        """Of a recorded run."""
        return [self._point(call) for call in calls]

    def record(self, daemon, words):
        (points,), result = record_together([self], daemon, words)
        return points, result

    def inject(self, daemon, words, kind, n):
        calls, result = run_driver(self.build, daemon, words, ["inject", kind, str(n)])
        if result.fired:
            result.point = self._point(calls[0])
            # libuv gives up when it cannot make the pipe for its signals: a death too.
            result.died = kind == "kill" or (
                result.code == 134 and (kind, result.point.call) == ("emfile", "pipe2"))
        return result


def record_together(injectors, daemon, words):
    """([points of each injector], Result) of one run: they look at the same calls."""
    before = [injector.before(daemon) for injector in injectors]
    calls, result = run_driver(injectors[0].build, daemon, words, ["record"])
    injectors[0].symbols.learn([call["stack"] for call in calls if call["whose"] == "own"])
    return [injector.points(calls, known)
            for injector, known in zip(injectors, before)], result
