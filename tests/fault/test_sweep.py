"""The quick sweep: each call site once over all scenarios, the faults in turn. The whole is
tests/fault/run.

Runs wait more than they work (for the CA, for applications), so all scenarios are tried side
by side: each is recorded in a lane of its own, then the sites are dealt out in the order of
ORDER, and those with many get more lanes."""

import os
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from faults import scenarios, sweep

CORES = os.cpu_count() or 2
RECORDED_AT_ONCE = 2 * CORES  # scenarios: that is work, not waiting
LANES = 5 * CORES  # that try points at the same moment
POINTS_OF_A_LANE = 15  # more than that: another lane, because one has to be made ready first
# Of these ways a sample: a site of theirs is dear, or there are very many.
AT_MOST = {"power cut": 8, "allocations": 6}
# Cheap ones first: a site is tried where it is met first.
ORDER = ("account registration", "account key rollover", "import", "retire",
         "alert delivery", "first deployment", "renewal", "rollback", "rollback after a restart",
         "rollback by command",
         "fallback by command", "end of a fallback by command", "expired fallback",
         "expired return", "expired and the CA away", "three targets")


class Part:
    """What one scenario has to do with it."""

    def __init__(self, name, folder, build, injectors):
        self.name, self.folder, self.build, self.injectors = name, folder, build, injectors
        self.scenario = scenarios.by_name(name)
        self.recorded, self.chosen, self.outcomes = [], [], []
        self.lanes, self.problem = None, None

    def record(self):
        try:
            self.lanes = sweep.Lanes(self.scenario, self.folder, self.build, 1)
            self.recorded = sweep.record_all(self.lanes.lanes[0], self.scenario,
                                             self.injectors)
        except Exception:
            self.problem = traceback.format_exc()

    def choose(self, sites):
        for injector, points in self.recorded:
            tries = sweep.tries_of(self.scenario, injector, points)
            fresh = sites.new_of(tries)[:AT_MOST.get(injector.name)]
            self.chosen += [(injector, one) for one in fresh]

    def run(self, gate):
        """Every lane takes the next when the gate lets it."""
        try:
            self.lanes.add((len(self.chosen) - 1) // POINTS_OF_A_LANE)
            self.lanes.run_all(self.chosen, self.outcomes.append, gate=gate)
        except Exception:
            self.problem = traceback.format_exc()

    def close(self):
        if self.lanes:
            self.lanes.close()


@pytest.fixture(scope="module")
def parts(build, tmp_path_factory, injectors, sites):
    """All of it, tried: {name: Part}."""
    top = tmp_path_factory.mktemp("fault")
    parts = [Part(name, top / name.replace(" ", "-"), build, injectors) for name in ORDER]
    gate = threading.Semaphore(LANES)
    try:
        with ThreadPoolExecutor(RECORDED_AT_ONCE) as pool:
            list(pool.map(Part.record, reversed(parts)))  # those that take long first
        for part in parts:
            part.choose(sites)
        left = [part for part in reversed(parts) if part.chosen]
        with ThreadPoolExecutor(max(len(left), 1)) as pool:
            list(pool.map(lambda part: part.run(gate), left))
        yield {part.name: part for part in parts}
    finally:
        for part in parts:
            part.close()


def test_the_quick_sweep_leaves_no_scenario_out():
    assert sorted(ORDER) == sorted(scenario.name for scenario in scenarios.ALL)


@pytest.mark.parametrize("name", ORDER)
def test_whatever_fails_or_dies_somebody_is_served_and_it_comes_to_its_end(
        name, parts, sites):
    part = parts[name]
    assert not part.problem, part.problem
    assert len(part.outcomes) == len(part.chosen)
    sites.take(name, part.outcomes)
