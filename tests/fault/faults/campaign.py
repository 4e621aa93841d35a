"""A whole sweep: every scenario, every injector, as many points as the time allows."""

import datetime
import json
import random
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from . import seam, sweep
from .family import Family
from .house import Errand
from .ways import by_name

# How much of the time a scenario gets; those that need little come first, and what they
# leave is for the others.
WEIGHTS = {"account registration": 0.3, "account key rollover": 0.2, "import": 0.3,
           "rollback by command": 0.4, "fallback by command": 0.4, "alert delivery": 0.3,
           "outage": 0.3, "retire": 0.4, "expired fallback": 0.6,
           "expired and the CA away": 0.4,
           "end of a fallback by command": 0.7, "three targets": 3.5}
ERRANDS = 1.5  # all of them
# Of a scenario's time; every state of a disk is wanted, of the others every call site.
SHARES = {"system calls": 2, "power cut": 6, "seam": 2, "allocations": 1}


def ordered(tries, seed):
    """Every site and every kind early, then the rest: whatever time is left, what was
    tried is spread evenly."""
    first = sweep.rotated(tries, seed)
    chosen = set(first)
    rest = [one for one in tries if one not in chosen]
    random.Random(f"{seed}").shuffle(rest)
    return first + rest


class Campaign:
    """Collects what was tried. `tell` gets a line at a time."""

    def __init__(self, injectors, folder, lanes=4, seed=1, tell=print):
        self.injectors, self.folder, self.lanes = injectors, folder, lanes
        self.ways = {injector.name: injector for injector in injectors}
        self.seed, self.tell = seed, tell
        self.began = time.time()
        self.known, self.outcomes, self.points = {}, [], {}
        self.built = self._built()
        self.cuts = {}  # of a scenario: [[point, its new states, those left out], ...]

    def run(self, scenarios, kinds=None, minutes=None, first=False):
        """`minutes` None: to the end. `first`: until something does not hold. While one
        scenario is tried the next one gets ready."""
        until = minutes and time.monotonic() + minutes * 60
        errands = [one for one in scenarios if isinstance(one, Errand)]
        scenarios = sorted([one for one in scenarios if one not in errands],
                           key=self._weight)
        with ThreadPoolExecutor(1) as pool:
            ready = [pool.submit(self._ready, scenario) for scenario in scenarios[:1]]
            try:
                if errands:
                    left = ERRANDS + sum(self._weight(s) for s in scenarios)
                    self._family(errands, kinds, minutes and minutes * 60 * ERRANDS / left,
                                 first)
                for i, scenario in enumerate(scenarios):
                    if first and self.violations():
                        return
                    lanes, recorded = ready.pop().result()
                    ready += [pool.submit(self._ready, s) for s in scenarios[i + 1:i + 2]]
                    left = sum(self._weight(s) for s in scenarios[i:])
                    share = until and (until - time.monotonic()) * \
                        self._weight(scenario) / left
                    with lanes:
                        self._scenario(scenario, lanes, recorded, kinds, share, first)
                    shutil.rmtree(lanes.folder, ignore_errors=True)
            finally:
                for one in ready:
                    one.result()[0].close()

    def _ready(self, scenario):
        """(its lanes, what was recorded in one of them)"""
        folder = self.folder / scenario.name.replace(" ", "-")
        lanes = sweep.Lanes(scenario, folder, self.injectors[0].build, self.lanes)
        try:
            return lanes, sweep.record_all(lanes.lanes[0], scenario, self.injectors)
        except BaseException:
            lanes.close()
            raise

    def _family(self, errands, kinds, seconds, first):
        """They share their lanes."""
        end = seconds and time.monotonic() + seconds
        folder = self.folder / "errands"
        with Family(errands, folder, self.injectors[0].build, self.lanes) as family:
            for injector in self.injectors:
                if injector.name not in Errand.injectors:
                    continue
                tries = []
                for scenario, points in family.record(injector):
                    tries += self._known(scenario, injector, points, kinds)
                self._try(family, "errands", injector, tries, end, first)
        shutil.rmtree(folder, ignore_errors=True)

    def _built(self):
        """When the programs under test were: places in them are told by addresses."""
        build = self.injectors[0].build
        return {path: path.stat().st_mtime_ns for path in (
            build / name for name in ("daemon/certrenewd", seam.PROGRAM)) if path.exists()}

    @staticmethod
    def _weight(scenario):
        return WEIGHTS.get(scenario.name, 1)

    def violations(self):
        return [outcome for outcome in self.outcomes if outcome.violation]

    def _scenario(self, scenario, lanes, recorded, kinds, seconds, first):
        began, left = time.monotonic(), sum(SHARES[one.name] for one in self.injectors)
        for injector, points in recorded:
            share = SHARES[injector.name] / left
            left -= SHARES[injector.name]
            end = seconds and (
                time.monotonic() + (began + seconds - time.monotonic()) * share)
            tries = self._known(scenario, injector, points, kinds)
            self._try(lanes, scenario.name, injector, tries, end, first)
            if first and self.violations():
                break

    def _known(self, scenario, injector, points, kinds):
        """The tries of a scenario, which are written down."""
        tries = sweep.tries_of(scenario, injector, points, kinds)
        self.points[(scenario.name, injector.name)] = len(points)
        for one in tries:
            key = (scenario.name, injector.name, injector.kind_of(one.kind))
            self.known[key] = self.known.get(key, 0) + 1
        if not injector.once_a_site:
            self.cuts[scenario.name] = [[point.n, len(point.kinds), point.left_out]
                                        for point in points if point.kinds]
        return tries

    def _try(self, lanes, name, injector, tries, end, first):
        before = len(self.outcomes)

        def on_outcome(outcome):
            self.outcomes.append(outcome)
            if outcome.violation:
                self.tell(f"VIOLATION {outcome.what}\n{outcome.violation[:2000]}")

        def until(outcome):
            return (first and outcome.violation) or (end and time.monotonic() > end)

        if tries:
            lanes.run(injector, ordered(tries, self.seed), on_outcome, until)
        if self._built() != self.built:
            raise RuntimeError("the programs were built anew while they were tried")
        new = self.outcomes[before:]
        self.tell(f"{name}, {injector.name}: {len(new)} of {len(tries)} points tried, "
                  f"{sum(1 for o in new if o.violation)} violations")

    def results(self):
        """What the report is made of; plain data."""
        return {
            "date": datetime.datetime.utcfromtimestamp(self.began).strftime(
                "%Y-%m-%d %H:%M UTC"),
            "seconds": round(time.time() - self.began), "seed": self.seed,
            "lanes": self.lanes,
            "recorded": [[*key, count] for key, count in self.points.items()],
            "known": [[*key, count] for key, count in self.known.items()],
            "cuts": self.cuts,
            "seam": sorted({(site.name, site.where) for injector in self.injectors
                            if injector.name == "seam"
                            for site in injector.program.sites.values()}),
            "tried": [{"scenario": o.what.scenario, "injector": o.what.injector,
                       "kind": self.ways[o.what.injector].kind_of(o.what.kind),
                       "state": o.what.kind, "n": o.what.point.n,
                       "call": (o.met or o.what.point).call,
                       "site": (o.met or o.what.point).site,
                       "met": o.met is not None, "violation": o.violation,
                       "seconds": round(o.seconds, 2)} for o in self.outcomes],
        }

    def save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.results()))


def _place(call, site):
    """A call site by its functions: lines move when something is mended."""
    return call, re.sub(r":\d+", "", site)


def again(results, injectors, folder, lanes, tell=print):
    """Tries once more, with the programs as they are now, what did not hold in `results`:
    each site that did not, with the fault of then. What holds takes the old entry's place;
    a site that is not there any more is said to be gone, and stays."""
    ways = {injector.name: injector for injector in injectors}
    bad = [entry for entry in results["tried"] if entry["violation"]]
    for name in dict.fromkeys(entry["scenario"] for entry in bad):
        scenario = by_name(name)
        with sweep.Lanes(scenario, folder / name.replace(" ", "-"), injectors[0].build,
                         lanes) as opened:
            for way in dict.fromkeys(e["injector"] for e in bad if e["scenario"] == name):
                entries = [e for e in bad if (e["scenario"], e["injector"]) == (name, way)]
                _again(opened, ways[way], entries, tell)
    return sum(1 for entry in bad if entry["violation"])


def _again(lanes, injector, entries, tell):
    points = sweep.record(lanes.lanes[0], lanes.scenario, injector)
    for entry in entries:
        place = _place(entry["call"], entry["site"])
        fitting = [p for p in points if _place(p.call, p.site) == place
                   and entry["state"] in p.kinds]
        fitting.sort(key=lambda p: abs(p.n - entry["n"]))
        if not fitting:
            tell(f"gone: {entry['call']} in {entry['site']}")
            continue
        outcomes = []
        lanes.run(injector, [sweep.Try(entry["scenario"], entry["injector"], entry["state"],
                                       point) for point in fitting[:3]], outcomes.append)
        violations = [o.violation for o in outcomes if o.violation]
        entry["violation"] = violations[0] if violations else None
        entry["met"] = any(o.met for o in outcomes)
        entry["again"] = True
        tell(f"{'still bad' if violations else 'holds now'}: {outcomes[0].what}" +
             (f"\n{violations[0][:1500]}" if violations else ""))
