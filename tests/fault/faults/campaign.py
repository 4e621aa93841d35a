"""A whole sweep: every scenario, every injector, as many points as the time allows."""

import datetime
import json
import random
import shutil
import time

from . import sweep

# How much of the time a scenario gets; those that need little come first, and what they
# leave is for the others.
WEIGHTS = {"account registration": 0.3, "account key rollover": 0.3, "import": 0.3,
           "retire": 0.5, "alert delivery": 0.7, "three targets": 1.5}


def ordered(tries, seed):
    """Every site and every kind early, then the rest: whatever time is left, what was
    tried is spread evenly."""
    first = sweep.rotated(tries, seed)
    chosen = {one.key for one in first}
    rest = [one for one in tries if one.key not in chosen]
    random.Random(f"{seed}").shuffle(rest)
    return first + rest


class Campaign:
    """Collects what was tried. `tell` gets a line at a time."""

    def __init__(self, injectors, folder, lanes=4, seed=1, tell=print):
        self.injectors, self.folder, self.lanes = injectors, folder, lanes
        self.seed, self.tell = seed, tell
        self.began = time.time()
        self.known, self.outcomes, self.points, self.errors = {}, [], {}, []

    def run(self, scenarios, kinds=None, minutes=None, first=False):
        """`minutes` None: to the end. `first`: until something does not hold."""
        until = minutes and time.monotonic() + minutes * 60
        scenarios = sorted(scenarios, key=self._weight)
        for i, scenario in enumerate(scenarios):
            left = sum(self._weight(s) for s in scenarios[i:])
            share = until and (until - time.monotonic()) * self._weight(scenario) / left
            self._scenario(scenario, kinds, share, first)
            if first and self.violations():
                return

    @staticmethod
    def _weight(scenario):
        return WEIGHTS.get(scenario.name, 1)

    def violations(self):
        return [outcome for outcome in self.outcomes if outcome.violation]

    def _scenario(self, scenario, kinds, seconds, first):
        began, folder = time.monotonic(), self.folder / scenario.name.replace(" ", "-")
        with sweep.Lanes(scenario, folder, self.injectors[0].build, self.lanes) as lanes:
            left = len(self.injectors)
            for injector in self.injectors:
                end = seconds and (
                    time.monotonic() + (began + seconds - time.monotonic()) / left)
                left -= 1
                self._injector(lanes, injector, kinds, end, first)
                if first and self.violations():
                    break
        shutil.rmtree(folder, ignore_errors=True)

    def _injector(self, lanes, injector, kinds, end, first):
        scenario, before = lanes.scenario, len(self.outcomes)
        points = sweep.record(lanes.lanes[0], scenario, injector)
        tries = sweep.tries_of(scenario, injector, points, kinds and [
            kind for kind in kinds if kind in injector.kinds])
        self.points[(scenario.name, injector.name)] = len(points)
        for one in tries:
            key = (scenario.name, injector.name, one.kind)
            self.known[key] = self.known.get(key, 0) + 1

        def on_outcome(outcome):
            self.outcomes.append(outcome)
            if outcome.violation:
                self.tell(f"VIOLATION {outcome.what}\n{outcome.violation[:2000]}")

        def until(outcome):
            return (first and outcome.violation) or (end and time.monotonic() > end)

        if tries:
            lanes.run(injector, ordered(tries, self.seed), on_outcome, until)
        new = self.outcomes[before:]
        self.tell(f"{scenario.name}, {injector.name}: {len(new)} of {len(tries)} points "
                  f"tried, {sum(1 for o in new if o.violation)} violations")

    def results(self):
        """What the report is made of; plain data."""
        return {
            "date": datetime.datetime.utcfromtimestamp(self.began).strftime(
                "%Y-%m-%d %H:%M UTC"),
            "seconds": round(time.time() - self.began), "seed": self.seed,
            "lanes": self.lanes,
            "recorded": [[*key, count] for key, count in self.points.items()],
            "known": [[*key, count] for key, count in self.known.items()],
            "tried": [{"scenario": o.what.scenario, "injector": o.what.injector,
                       "kind": o.what.kind, "n": o.what.point.n,
                       "call": (o.met or o.what.point).call,
                       "site": (o.met or o.what.point).site,
                       "met": o.met is not None, "violation": o.violation,
                       "seconds": round(o.seconds, 2)} for o in self.outcomes],
        }

    def save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.results()))
