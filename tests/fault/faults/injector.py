"""The contract of everything that disturbs a command.

An injector first records a run: a list of points, numbered in the order in which they are
reached. Then it runs the same command again in the same surroundings and lets point `n`
meet a fault of one of its `kinds`. What a fault did not meet is told (`fired` False), never
passed over.

    class Mine(Injector):
        name, kinds = "mine", ("fail",)
        def record(self, daemon, words): ...
        def inject(self, daemon, words, kind, n): ...

An injector is made once for a build (`Mine(build)`), used by several lanes at a time, and
keeps nothing about them except below `daemon.folder`."""

import dataclasses
from typing import NamedTuple


class Point(NamedTuple):
    """One place that a run reached."""

    n: int  # from 1, in the order of the run
    call: str  # "rename", "file_replace", "EVP_PKEY_new"
    site: str  # where in the source: the same in every run of one build
    target: str = ""  # what it was applied to; differs from run to run
    kinds: tuple = ()  # the faults that it can meet, out of the injector's
    failed: bool = False  # it failed by itself
    left_out: int = 0  # faults that it could meet too: `kinds` is a selection


@dataclasses.dataclass
class Result:
    """What came of a run. `code` is the exit code, 128 + signal if a signal ended it."""

    fired: bool
    code: int
    out: str = ""
    err: str = ""
    point: Point = None  # what the fault really met; None when it did not fire
    count: int = 0  # how many points this run reached
    died: bool = False  # it was meant to die and did
    disk: dict = None  # what is on the disk afterwards, when not what the run left
    model: object = None  # of that disk, when there may be another one: disk.Disk

    @property
    def text(self):
        return self.out + self.err

    def __repr__(self):
        return f"exit {self.code}, {self.point}\n{self.text}"


class Injector:
    name = ""
    kinds = ()
    once_a_site = True  # a call site meets each kind once; False: every point's kinds are its own

    def __init__(self, build):
        self.build = build

    def kind_of(self, kind):
        """What it counts as."""
        return kind

    def record(self, daemon, words):
        """(points, Result) of an undisturbed run of `certrenewd WORDS`."""
        raise NotImplementedError

    def inject(self, daemon, words, kind, n):
        """Result of a run whose point `n` meets a fault of that kind."""
        raise NotImplementedError

    def remember(self, lane, what, before, result):
        """A run in that lane met `what`; nobody has looked yet."""

    def remembered(self, lane, what):
        """(before, Result) for another try at the same point, without another run; None when
        one has to be made."""
        return None

    def aftermath(self, lane, result):
        """Whatever else happens to the surroundings before anybody looks."""

    def available(self):
        """Why it cannot work here; None when it can."""
        return None
