"""The machine loses power at the N-th change: the run dies there, its disk is replaced by
one that the model of disk.py allows, and the applications start from that."""

import dataclasses

from .cuts import Cuts
from .disk import Disk, write
from .lane import NOT_KEPT
from .syscalls import SystemCalls, run_driver

ELSEWHERE = ("pebble", "saved", "log")
SENDS = ("write", "sendto", "sendmsg")


def disk_of(daemon):
    return Disk(daemon.folder.parent, NOT_KEPT, ELSEWHERE, getattr(daemon, "aliases", None))


def applications(daemon):
    """The addresses that are only looked at."""
    return {where for certificate in daemon.config.get("certificates", {}).values()
            for target in certificate["deploy"]
            for where in (target.get("http"),
                          *(look.get("connect") for look in target.get("verify", ())))}


class Outside:
    """Who has been told what: a disk that is the same before and after a request is not the
    same case, because the CA or the webhook knows more. Handshakes with applications tell
    them nothing."""

    def __init__(self, looked_at):
        self._looked_at, self._peers = looked_at, {}
        self.told = ""  # by which ways through our code the last was said

    def hear(self, call):
        """True: somebody was told something."""
        if call["whose"] != "own" or not call["target"].startswith("socket"):
            return False
        if call["call"] == "connect":
            self._peers[call["number"]] = call["target"].partition(" ")[2]
        if call["call"] not in SENDS or \
                self._peers.get(call["number"]) in self._looked_at:
            return False
        self.told = call["stack"]
        return True


class PowerCut(SystemCalls):
    """A point's kinds are the names of states of its disk (cuts.py): those that no earlier
    point gave after the same was said to the CA."""

    name = "power cut"
    kinds = ()  # its points' own
    once_a_site = False

    def kind_of(self, kind):
        return "state"

    def before(self, daemon):
        return disk_of(daemon), Outside(applications(daemon))

    def points(self, calls, before):
        disk, outside = before
        seen, points, same = {}, [], False
        seen[outside.told] = {Cuts(disk).now()}
        for call in calls:
            cuts = Cuts(disk) if not same else None
            point = self._point(call)._replace(kinds=(), failed=False)
            if cuts:
                names, left_out = cuts.new(seen.setdefault(outside.told, set()), call["n"])
                point = point._replace(kinds=tuple(names), left_out=left_out)
            points.append(point)
            same = not disk.apply(call) and not outside.hear(call)
        return points

    def inject(self, daemon, words, kind, n):
        disk = disk_of(daemon)
        calls, result = run_driver(self.build, daemon, words, ["cut", "kill", str(n)])
        if result.fired:
            result.died = True
            for call in calls[:-1]:
                disk.apply(call)
            result.point, result.model = self._point(calls[-1]), disk
            self._leave(result, kind)
        return result

    @staticmethod
    def _leave(result, kind):
        """The disk that this kind of cut leaves."""
        result.disk, name = Cuts(result.model).tree(kind)
        result.point = result.point._replace(kinds=(name,))

    def remember(self, lane, what, before, result):
        lane.struck = (what.scenario, what.point.n, lane.asked(), dict(before), result)

    def remembered(self, lane, what):
        """The same moment left another disk, as long as all that was done about the last one
        told nobody anything: a CA cannot be taken back to what it knew. Where the CA is sent
        away for a while, every try has its run."""
        if not lane.struck or hasattr(lane, "gate"):
            return None
        scenario, n, asked, before, result = lane.struck
        if (scenario, n, asked) != (what.scenario, what.point.n, lane.asked()):
            return None
        again = dataclasses.replace(result)
        self._leave(again, what.kind)
        return dict(before), again

    def aftermath(self, lane, result):
        """The machine is on again."""
        for app in lane.apps:
            app.ctl("stop", check=False)
        lane.empty()
        write(result.disk, lane.folder)
        for app in lane.apps:
            app.ctl("start", check=False)
