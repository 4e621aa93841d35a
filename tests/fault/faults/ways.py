"""What else the full sweep takes: scenarios with a lane of their own, and the errands."""

from . import errands
from .scenarios import ALL, Alert, Renewal, Scenario


class Leftovers(Renewal):
    """Of another run, long ago: half written files under the names that are needed now."""

    name = "leftovers"

    def prepare(self, lane):
        super().prepare(lane)
        folder = lane.state / "certificates/xc"
        for path in (lane.xc.tls_json, folder / "job.json", folder / "journal.json",
                     folder / "targets/xc0/journal.json"):
            path.with_name(path.name + ".certrenewd-new").write_text("left " * 2000)


class Outage(Alert):
    """No CA answers for once; at the next try it does."""

    name = "outage"

    def settle(self, lane, before):
        lane.gate.shut = False
        lane.let_time_pass()
        Scenario.settle(self, lane, before)


WAYS = (Leftovers, Outage)
EVERY = ALL + WAYS + errands.ALL


def by_name(name):
    for scenario in EVERY:
        if scenario.name == name:
            return scenario()
    raise KeyError(f"no scenario '{name}' among {', '.join(s.name for s in EVERY)}")
