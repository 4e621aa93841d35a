"""The machine loses power at the N-th change: the run dies there, its disk is replaced by
one that the model of disk.py allows, and the applications start from that."""

from .disk import LOST, TORN, Disk, write
from .lane import NOT_KEPT
from .syscalls import SystemCalls, run_driver

ELSEWHERE = ("pebble", "saved", "log")

# Which of the changes that were not synced came through, and what is in files that were not.
# All combinations for up to two changes that wait; of more, these.
STATES = {
    "dropped": (lambda waiting: [], LOST),
    "names": (lambda waiting: waiting, LOST),
    "torn": (lambda waiting: waiting, TORN),
    "oldest": (lambda waiting: waiting[:1], LOST),
    "newest": (lambda waiting: waiting[-1:], LOST),
    "all but the oldest": (lambda waiting: waiting[1:], LOST),
}


def state_of(disk, kind):
    choose, data = STATES[kind]
    return disk.after_cut(choose(disk.pending), data)


def disk_of(daemon):
    return Disk(daemon.folder.parent, NOT_KEPT, ELSEWHERE, getattr(daemon, "aliases", None))


class PowerCut(SystemCalls):
    name = "power cut"
    kinds = tuple(STATES)

    def before(self, daemon):
        return disk_of(daemon)

    def points(self, calls, before):
        """A point's kinds are the states that no earlier point and kind gave."""
        disk = before
        seen, points = {frozenset(state_of(disk, "dropped").items())}, []
        for call in calls:
            kinds = []
            for kind in self.kinds:
                state = frozenset(state_of(disk, kind).items())
                if state not in seen:
                    seen.add(state)
                    kinds.append(kind)
            points.append(self._point(call)._replace(kinds=tuple(kinds), failed=False))
            disk.apply(call)
        return points

    def inject(self, daemon, words, kind, n):
        disk = disk_of(daemon)
        calls, result = run_driver(self.build, daemon, words, ["cut", "kill", str(n)])
        if result.fired:
            result.point = self._point(calls[-1])
            result.died = True
            for call in calls[:-1]:
                disk.apply(call)
            result.disk = state_of(disk, kind)
        return result

    def aftermath(self, lane, result):
        """The machine is on again."""
        for app in lane.apps:
            app.ctl("stop", check=False)
        lane.empty()
        write(result.disk, lane.folder)
        for app in lane.apps:
            app.ctl("start", check=False)
