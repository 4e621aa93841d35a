"""Tries points: each in a lane that is as it was when the points were recorded."""

import itertools
import random
import shutil
import threading
import time
import traceback
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple

from .checks import Violation
from .injector import Point
from .syscalls import SystemCalls, record_together


TIMES = 3  # runs differ by a call or two: how often a fault that found none is tried again


class Try(NamedTuple):
    """A point, the fault that it is to meet, and where."""

    scenario: str
    injector: str
    kind: str
    point: Point

    @property
    def key(self):
        """What makes a point distinct."""
        return (self.scenario, self.injector, self.kind, self.point.call, self.point.site)

    def __str__(self):
        return (f"{self.scenario}:{self.injector}:{self.kind}:{self.point.n} "
                f"({self.point.call} {self.point.target} in {self.point.site})")


class Outcome(NamedTuple):
    what: Try
    met: Point  # None: it did not fire
    violation: str  # None: everything held
    seconds: float


class NotFired(Violation):
    pass


def strike(lane, scenario, injector, what):
    """(facts before, Result) of a run that met its fault; None when it ended before its N-th
    call (its number is past what this run did)."""
    lane.struck = None
    for _ in range(TIMES):
        lane.restore()
        scenario.again(lane)
        before = scenario.facts(lane)
        result = injector.inject(lane.daemon, scenario.command(lane), what.kind, what.point.n)
        past = 0 < result.count < what.point.n  # an injector that does not count has 0
        if result.fired or past:
            break
    if not result.fired:
        if not past:
            raise NotFired(f"the fault did not fire, although the run came to "
                           f"{result.count}: {result!r}")
        return None
    injector.remember(lane, what, before, result)
    return before, result


def try_point(lane, scenario, injector, what):
    """Raises Violation when something does not hold. Gives what the fault met, None when it
    did not."""
    struck = injector.remembered(lane, what) or strike(lane, scenario, injector, what)
    if not struck:
        return None
    before, result = struck
    injector.aftermath(lane, result)
    try:
        scenario.verify(lane, before, result)
    except Violation as e:
        raise Violation(f"{e}\nIt met {result!r}") from e
    return result.point


def outcome_of(lane, scenario, injector, what):
    began, met, violation = time.monotonic(), None, None
    try:
        met = try_point(lane, scenario, injector, what)
    except Violation as e:
        met, violation = what.point, str(e)
    except Exception:
        violation = traceback.format_exc()
    return Outcome(what, met, violation, time.monotonic() - began)


def record(lane, scenario, injector, how=None):
    """The points of a run that nothing disturbs, which has to go well itself. `how`: another
    way to run it than injector.record."""
    lane.restore()
    scenario.again(lane)
    before = scenario.facts(lane)
    points, result = (how or injector.record)(lane.daemon, scenario.command(lane))
    if scenario.code not in (None, result.code):
        raise RuntimeError(f"'{scenario.name}' does not go well by itself: {result!r}")
    scenario.verify(lane, before, result)
    return points


def record_all(lane, scenario, injectors):
    """[(injector, its points)]: those who look at the same calls share a run."""
    together = [one for one in injectors if isinstance(one, SystemCalls)]
    shared = record(lane, scenario, None, partial(record_together, together)) \
        if together else []
    found = dict(zip(together, shared))
    for one in injectors:
        if one not in found:
            found[one] = record(lane, scenario, one)
    return [(one, found[one]) for one in injectors]


def tries_of(scenario, injector, points, kinds=None):
    """Every point with every fault of `kinds` (None: all) that it can meet; of a call site
    the first with each, when the injector wants no more."""
    every = [(kind, point) for point in points for kind in point.kinds
             if (not kinds or kind in kinds) and not (kind == "kill" and point.failed)]
    if injector.once_a_site:
        every.sort(key=lambda one: injector.kinds.index(one[0]))
    tries = {}
    for kind, point in every:
        one = Try(scenario.name, injector.name, kind, point)
        tries.setdefault(one.key if injector.once_a_site else (kind, point.n), one)
    return list(tries.values())


def rotated(tries, seed, frames=None):
    """Each site once, the kinds in turn. `frames`: so many of a site tell it from others."""
    kinds = itertools.cycle(sorted({one.kind for one in tries}))
    by_site = {}
    for one in tries:
        site = " < ".join(one.point.site.split(" < ")[:frames])
        by_site.setdefault((one.injector, one.point.call, site), []).append(one)
    chosen = []
    for _, several in sorted(by_site.items()):
        kind = next(kinds)
        fitting = [one for one in several if one.kind == kind]
        chosen.append(random.Random(f"{seed} {several[0].key}").choice(fitting or several))
    return chosen


def next_for(lane, left):
    """Which of [(injector, try)]: one at the point where this lane is, or else the first."""
    for i, (_, what) in enumerate(left if lane.struck else ()):
        if lane.struck[:2] == (what.scenario, what.point.n):
            return i
    return 0


class Lanes:
    """So many lanes of one scenario, each with threads of its own."""

    def __init__(self, scenario, folder, build, number):
        self.scenario, self.folder, self.build = scenario, Path(folder), build
        self.lanes, self._failed = [], []
        self.add(number)

    def add(self, number):
        """So many more."""
        first = len(self.lanes)
        threads = [threading.Thread(target=self._open, args=(self.folder / f"lane{first + i}",))
                   for i in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failed:
            self.close()
            raise self._failed[0]

    def _open(self, folder):
        for left in reversed(range(TIMES)):  # a port may be taken by another suite meanwhile
            try:
                (folder / "log").mkdir(parents=True)
                self.lanes.append(self.scenario.open(folder, self.build))
                return
            except Exception as e:
                shutil.rmtree(folder)
                if not left:
                    self._failed.append(e)

    def run(self, injector, tries, on_outcome, until=None):
        self.run_all([(injector, one) for one in tries], on_outcome, until)

    def run_all(self, tries, on_outcome, until=None, gate=None):
        """Every lane takes the next (injector, try) when it is free, and when the gate lets
        it. `until(outcome)` true: no more."""
        left, lock, stop = list(tries), threading.Lock(), []

        def work(lane):
            while not stop:
                with gate or nullcontext():
                    with lock:
                        if not left:
                            return
                        injector, what = left.pop(next_for(lane, left))
                    outcome = outcome_of(lane, self.scenario, injector, what)
                with lock:
                    on_outcome(outcome)
                    if until and until(outcome):
                        stop.append(True)

        threads = [threading.Thread(target=work, args=(lane,)) for lane in self.lanes]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            stop.append(True)  # when we are told to end, too

    def close(self):
        for lane in self.lanes:
            lane.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
