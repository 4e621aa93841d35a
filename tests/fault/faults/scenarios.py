"""What is done while a fault happens. `Scenario.prepare` brings a lane to where the command
is about to run, `words` is the command, `settle` what a daemon would do by itself
afterwards, `check` what this scenario adds to what always has to hold."""

from . import checks
from .checks import require
from .lane import Lane

ROUNDS = 6  # of a daemon, until everything has settled


class Scenario:
    name = ""
    words = ("renew", "xc")
    code = 0  # of a run that nothing disturbs
    apps = 1
    pebble = {}
    versions = 1  # that stay in the end
    new_orders = 1  # that an undisturbed run needs

    def open(self, folder, build):
        """A lane that is prepared and saved."""
        lane = Lane(folder, build, self.apps, **self.pebble)
        try:
            self.prepare(lane)
            lane.save()
        except BaseException:
            lane.close()
            raise
        return lane

    def prepare(self, lane):
        raise NotImplementedError

    def facts(self, lane):
        """What check() compares with; taken before the command."""
        return {"served": [app.state() for app in lane.apps], "orders": lane.orders(),
                "finalized": lane.finalized()}

    def settle(self, lane, before):
        """The daemon's next passes, until there is nothing to do. No human takes part."""
        said = []
        for _ in range(ROUNDS):
            said.append(lane.daemon("renew", "xc"))
            job = lane.job()
            waits = any(job.get(what, {}).get("count") for what in ("renewal", "deployment"))
            if said[-1].code in (0, 3) and not waits:
                return
            lane.let_time_pass()
        raise checks.Violation("it does not come to its end by itself:\n" +
                               "\n".join(map(repr, said)))

    def check(self, lane, before):
        pass

    # -- called by the sweep

    def verify(self, lane, before, result):
        """Everything that has to hold after a run that was disturbed."""
        checks.ended_well(result, self)
        checks.at_any_moment(lane, before["served"])
        self.settle(lane, before)
        checks.in_the_end(lane, self.versions)
        orders = lane.orders() - before["orders"]
        require(orders <= self.new_orders + 1, f"{orders} new orders")
        finalized = lane.finalized() - before["finalized"]
        require(finalized <= self.new_orders, f"{finalized} orders were finalized")
        self.check(lane, before)


class Renewal(Scenario):
    """The certificate is due because its type of key was changed."""

    name = "renewal"

    def prepare(self, lane):
        for app in lane.apps:
            app.start()
        lane.daemon.ok("renew", "xc")
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.daemon.write()

    def check(self, lane, before):
        for app, old in zip(lane.apps, before["served"]):
            require(app.leaf() not in (None, old), f"{app.name}: the old one is served")
            require(app.versions() == [app.leaf()], f"{app.name}: the old one is kept")


ALL = (Renewal,)


def by_name(name):
    for scenario in ALL:
        if scenario.name == name:
            return scenario()
    raise KeyError(f"no scenario '{name}' among {', '.join(s.name for s in ALL)}")
