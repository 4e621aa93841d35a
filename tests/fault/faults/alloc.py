"""An allocation that a library makes finds no memory: tests/fault/inject/alloc.c in front of
the C library's."""

import bisect
import subprocess
import tempfile
from pathlib import Path

from .injector import Injector, Point
from .seam import ABORTED, run
from .sites import Program

LIBRARY = "tests/fault/inject/liballoc_faults.so"
# In the program: the call that went into the library.
OURS = "program"


class Exported:
    """The names of a library's functions by their offsets: those that it exports."""

    def __init__(self, path):
        text = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True,
                              text=True, check=True).stdout
        found = sorted((int(words[0], 16), words[2].split("@")[0])
                       for words in map(str.split, text.splitlines()) if len(words) == 3)
        self._offsets = [offset for offset, _ in found]
        self._names = [name for _, name in found]

    def at(self, offset):
        i = bisect.bisect_right(self._offsets, offset) - 1
        return self._names[i] if i >= 0 else "?"


class Place:
    """Where an allocation was made: frames from the inside to the outside."""

    def __init__(self, line):
        what, number, *frames = line.split()
        self.fired, self.crashed = what == "fired", what == "crashed"
        self.number = int(number, 16)
        self.frames = [(name, int(offset, 16)) for name, offset in
                       (frame.rsplit("+", 1) for frame in frames)]

    def ours(self):
        """The address of our call; None on a library's own thread."""
        name, offset = self.frames[-1] if self.frames else ("", 0)
        return offset if name == OURS else None


class Allocations(Injector):
    name = "allocations"
    kinds = ("no memory",)

    def __init__(self, build):
        super().__init__(build)
        self.program = Program(str(build / "daemon/certrenewd"))
        self._libraries = {}
        self.crashes = set()  # functions of libraries that use the NULL that they got
        self._where = {None: "a thread of a library"}

    def available(self):
        if not (self.build / LIBRARY).exists():
            return "liballoc_faults.so is not built: it does not go with AddressSanitizer"
        return None

    def _exported(self, name):
        if not self._libraries:
            text = subprocess.run(["ldd", self.program.path], capture_output=True, text=True,
                                  check=True).stdout
            for words in map(str.split, text.splitlines()):
                path = next((word for word in words if word.startswith("/")), None)
                if path:
                    self._libraries[Path(path).name.split(".")[0].split("-")[0]] = path
        known = self._libraries.get(name)
        if isinstance(known, str):
            known = self._libraries[name] = Exported(known)
        return known

    def _named(self, frame):
        name, offset = frame
        exported = self._exported(name)
        return exported.at(offset) if exported else f"{name}+{offset:x}"

    def _point(self, place):
        """Its site: our call, and which function of the library wanted memory for it."""
        ours = place.ours()
        inner = [frame for frame in place.frames if frame[0] != OURS]
        entry = self._named(inner[-1]) if inner else "?"
        wanted = "; ".join(dict.fromkeys(self._named(frame) for frame in inner[:3]))
        return Point(place.number, entry, f"{self._where[ours]} < {wanted}",
                     " < ".join(f"{name}+{offset:x}" for name, offset in inner), self.kinds)

    def _run(self, daemon, words, env):
        with tempfile.TemporaryDirectory(dir=daemon.folder.parent / "log") as folder:
            log = Path(folder) / "alloc.log"
            result = run(daemon, words, {"LD_PRELOAD": str(self.build / LIBRARY),
                                         "ALLOC_LOG": str(log), **env})
            lines = log.read_text().splitlines() if log.exists() else []
        places = [Place(line) for line in lines]
        unknown = [address for address in {place.ours() for place in places}
                   if address not in self._where]
        if unknown:
            self._where.update(self.program.where(unknown))
        return places, result

    def record(self, daemon, words):
        places, result = self._run(daemon, words, {})
        return [self._point(place) for place in places], result

    def inject(self, daemon, words, kind, n):
        places, result = self._run(daemon, words, {"ALLOC_PLACE": f"{n:x}"})
        fired = [place for place in places if place.fired]
        result.fired = bool(fired)
        if fired:
            result.point = self._point(fired[0])
            # Our own small allocations give up, and libraries have crashes of their own:
            # what is left then is as after a death.
            result.died = result.code == ABORTED or self._library_crashed(places)
        return result

    def _library_crashed(self, places):
        """Told by where the program was, or by who handed NULL to libc."""
        crash = next((place for place in places if place.crashed), None)
        if not crash or not crash.frames or crash.frames[0][0] in (OURS, "libc"):
            return False
        self.crashes.add(self._named(crash.frames[0]))
        return True
