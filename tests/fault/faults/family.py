"""Errands on shared lanes: what is recorded of each, and the tries of all of them, whichever
lane is free."""

import threading

from . import sweep


class Family:
    """Lanes that were opened for one of `scenarios` serve all of them."""

    def __init__(self, scenarios, folder, build, number):
        self.scenarios = {scenario.name: scenario for scenario in scenarios}
        self.lanes = sweep.Lanes(next(iter(self.scenarios.values())), folder, build, number)

    def _each(self, things, work):
        """work(lane, thing) in every lane at once, until one is True; the first exception
        is raised."""
        left, lock, failed, stop = list(things), threading.Lock(), [], []

        def take(lane):
            while not failed and not stop:
                with lock:
                    if not left:
                        return
                    thing = left.pop(0)
                try:
                    if work(lane, thing):
                        stop.append(True)
                except Exception as e:
                    failed.append(e)

        threads = [threading.Thread(target=take, args=(lane,)) for lane in self.lanes.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    def record(self, injector):
        """[(scenario, its points)], in the order of `scenarios`."""
        found = {}

        def record(lane, scenario):
            found[scenario.name] = sweep.record(lane, scenario, injector)

        self._each(self.scenarios.values(), record)
        return [(scenario, found[name]) for name, scenario in self.scenarios.items()]

    def run(self, injector, tries, on_outcome, until=None):
        """As Lanes.run(), over all scenarios."""
        lock = threading.Lock()

        def run(lane, what):
            outcome = sweep.outcome_of(lane, self.scenarios[what.scenario], injector, what)
            with lock:
                on_outcome(outcome)
                return until and until(outcome)

        self._each(tries, run)

    def close(self):
        self.lanes.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
