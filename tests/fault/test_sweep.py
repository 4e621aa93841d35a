"""The quick sweep: each call site once over all scenarios, the faults in turn. The whole is
tests/fault/run."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from faults import scenarios, sweep

LANES = 2 * (os.cpu_count() or 2)  # they wait, for the CA and for applications
AHEAD = 2  # scenarios whose lanes are made ready meanwhile
# Of these ways a sample: a site of theirs is dear, or there are very many.
AT_MOST = {"power cut": 8, "allocations": 6}
# Cheap ones first: a site is tried where it is met first.
ORDER = ("account registration", "account key rollover", "import", "retire",
         "alert delivery", "first deployment", "renewal", "rollback", "rollback after a restart",
         "rollback by command",
         "fallback by command", "end of a fallback by command", "expired fallback",
         "expired return", "three targets")


@pytest.fixture(scope="module")
def lanes(build, tmp_path_factory):
    """lanes(name): of that scenario; those of the next ones are opened meanwhile."""
    gate, opened = threading.Semaphore(AHEAD), {}
    tmp_path_factory.getbasetemp()  # made here, before threads want it at the same moment

    def open_them(name):
        gate.acquire()
        folder = tmp_path_factory.mktemp("fault")
        return sweep.Lanes(scenarios.by_name(name), folder, build, LANES)

    pool = ThreadPoolExecutor(AHEAD)
    for name in ORDER:
        opened[name] = pool.submit(open_them, name)

    def take(name):
        return opened.pop(name).result()

    take.done = gate.release
    yield take
    for waiting in opened.values():
        waiting.cancel()
    for _ in ORDER:
        gate.release()
    pool.shutdown()
    for waiting in opened.values():
        if not waiting.cancelled() and not waiting.exception():
            waiting.result().close()


def test_the_quick_sweep_leaves_no_scenario_out():
    assert sorted(ORDER) == sorted(scenario.name for scenario in scenarios.ALL)


@pytest.mark.parametrize("name", ORDER)
def test_whatever_fails_or_dies_somebody_is_served_and_it_comes_to_its_end(
        name, lanes, injectors, sites):
    outcomes = []
    with lanes(name) as opened:
        try:
            for injector in injectors:
                points = sweep.record(opened.lanes[0], opened.scenario, injector)
                tries = sweep.tries_of(opened.scenario, injector, points)
                chosen = sites.new_of(tries)[:AT_MOST.get(injector.name)]
                opened.run(injector, chosen, outcomes.append)
        finally:
            lanes.done()
    sites.take(name, outcomes)
