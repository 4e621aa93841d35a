"""A call at the seam to the system or to a library fails, or is the last thing that the
program does: certrenewd-seam (tests/fault/inject) instead of certrenewd."""

import subprocess
import tempfile
from pathlib import Path

from . import seams
from .injector import Injector, Point, Result
from .sites import Program

PROGRAM = "tests/fault/inject/certrenewd-seam"
TIMEOUT_S = 120
ABORTED = 134
# A point's number says which call it is, so that it means the same in every run: the site's
# address, which function it calls (one whose last act is a call shares its caller's), then
# how often it was reached.
CALLS_OF_A_SITE, FUNCTIONS = 100000, 1000


def number_of(call):
    place = call.address * FUNCTIONS + seams.NAMES.index(call.name)
    return place * CALLS_OF_A_SITE + call.nth


def call_of(n):
    place, nth = divmod(n, CALLS_OF_A_SITE)
    address, name = divmod(place, FUNCTIONS)
    return seams.Call(seams.NAMES[name], address, nth)


def run(daemon, words, env, binary=None):
    """Result of one command, with more in its environment."""
    argv = daemon._argv(words)
    if binary:
        argv[argv.index(str(daemon.binary))] = str(binary)
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=TIMEOUT_S, env=daemon._env(env))
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Result(False, code, done.stdout, done.stderr)


class Seam(Injector):
    """"io", "denied" and "transient" are kinds of a struct err; of a library's function they
    are what it returns when it fails."""

    name = "seam"
    kinds = ("io", "denied", "transient", "kill")

    def __init__(self, build):
        super().__init__(build)
        self.program = Program(str(build / PROGRAM))

    def available(self):
        if not (self.build / PROGRAM).exists():
            return "certrenewd-seam is not built: it needs an x86-64"
        return None

    def _point(self, call):
        site = self.program.of_call(call.name, call.address)
        return Point(number_of(call), call.name, site.where,
                     seams.group_of(call.name), seams.kinds_of(call.name))

    def _run(self, daemon, words, environment):
        with tempfile.TemporaryDirectory(dir=daemon.folder.parent / "log") as folder:
            log = Path(folder) / "seam.log"
            result = run(daemon, words, environment(log), self.build / PROGRAM)
            return seams.read(log), seams.fired(log), result

    def record(self, daemon, words):
        calls, _, result = self._run(daemon, words, seams.recording)
        return [self._point(call) for call in calls], result

    def inject(self, daemon, words, kind, n):
        call = call_of(n)

        def environment(log):
            return seams.failing(call, kind, log)

        _, name, result = self._run(daemon, words, environment)
        result.fired = name is not None
        if result.fired:
            result.point = self._point(call)
            # Small allocations that fail end the program on purpose: that is a death too.
            result.died = kind == "kill" or result.code == ABORTED
        return result

    def kill_at(self, daemon, words, place, name):
        """Lets a command die at the first call of that function in "file function"."""
        file, function = place.split(" ")
        (site,) = [site for site in self.program.sites.values() if site.name == name and
                   site.where.startswith(file) and site.where.endswith(function)]

        def environment(log):
            return seams.failing(seams.Call(name, site.address, 1), "kill", log)

        _, fired, result = self._run(daemon, words, environment)
        if not fired:
            raise RuntimeError(f"nothing died at {site.where}: {result!r}")
