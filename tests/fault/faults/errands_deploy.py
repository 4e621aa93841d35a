"""Errands about what is deployed: damage that is mended, what is taken back, what a service
does meanwhile."""

import json
import shutil
import time

from .checks import require
from .house import Errand, Renewing
from .scenarios import Scenario, returned
from .seam import Seam


def xc_state(lane, *parts):
    return lane.state.joinpath("certificates/xc", *parts)


class Damaged(Errand):
    """Files of the state directory are damaged, one is a folder."""

    name = "damaged state"
    words = ("renew", "xc")

    def arrange(self, lane):
        xc_state(lane, "targets/xc0/journal.json").write_text("{")
        path = lane.state / "alerts/troubles.json"
        path.unlink(missing_ok=True)
        path.mkdir(parents=True)

    def leave(self, lane):
        """The next start, because nobody else can read what is damaged."""
        super().leave(lane)
        lane.daemon(*self.words)

    def settle(self, lane, before):
        for _ in range(3):
            lane.daemon("renew", "xc")
            lane.let_time_pass()
        super().settle(lane, before)
        for path in lane.folder.rglob("*.damaged-*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


class Resumed(Renewing):
    """A run died inside of a change, and left its half of the file."""

    name = "resumed change"

    def again(self, lane):
        super().again(lane)
        house = lane.house
        if "seam" not in house.kept:
            house.kept["seam"] = Seam(lane.build)
        house.kept["seam"].kill_at(lane.daemon, self.words, "hooks/change.c apply_file",
                                   "file_replace_if")
        lane.xc.tls_json.with_name("tls.json.certrenewd-new").write_text("{")
        xc_state(lane, "job.json.certrenewd-new").write_text("{")


class Mended(Damaged):
    """Our copy of the key that is served is damaged; the store has it."""

    name = "damaged key"
    new_orders = 1  # when that cannot be read either, or ours not be written

    def arrange(self, lane):
        xc_state(lane, "versions/1/key.pem").write_text("nonsense")

    def verify(self, lane, before, result):
        super().verify(lane, before, result)
        require(not result.died or lane.finalized() == before["finalized"],
                "after a death it was ordered anew, and not taken back from the store")


class Lost(Mended):
    """Our copy of the key that is served is not there; the store has it."""

    name = "lost key"

    def arrange(self, lane):
        xc_state(lane, "versions/1/key.pem").unlink()


class StoreDamaged(Errand):
    """The store has lost a part, and holds what a run that died has left."""

    name = "damaged store"
    words = ("deploy", "xc")

    def arrange(self, lane):
        (lane.xc.store / "chain.pem").unlink()
        folder = lane.xc.store.parent / f"{lane.xc.store.name}.versions"
        left = folder / ".certrenewd-new-left"
        left.mkdir(mode=0o700)
        shutil.copy(xc_state(lane, "versions/1/key.pem"), left / "key.pem")


class Settings(Renewing):
    """Another file of the application names the certificate too."""

    name = "settings"

    def arrange(self, lane):
        folder = lane.xc.settings.parent
        (folder / "port.json").write_text(json.dumps({"certificate": lane.xc.thumbprint()}))

    def check(self, lane, before):
        super().check(lane, before)
        path = lane.xc.settings.parent / "port.json"
        require(json.loads(path.read_text())["certificate"] == lane.xc.leaf() or
                f"'{path}' names the old certificate and is left alone" in before["said"],
                "a file of the application names the old one", path.read_text())


class Edited(Errand):
    """Somebody else's write comes between ours: one file has two names. Before, it is asked
    whether the application is idle."""

    name = "two names of a file"
    words = ("renew", "xc")
    new_orders = 1

    def again(self, lane):
        super().again(lane)
        (lane.xc.dir / "config/server2").symlink_to(lane.xc.tls_json.parent)
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.certificate["deploy"][0]["wait_for_extractions"] = "1m"
        lane.daemon.write()

    def settle(self, lane, before):
        """Nobody can take back by one name what was written by the other: the operator does
        away with it, and deploys."""
        (lane.xc.dir / "config/server2").unlink()
        for _ in range(2):  # the first may only end what was under way
            lane.let_time_pass()
            lane.daemon("deploy", "xc")
        Scenario.settle(self, lane, before)


class FirstRefused(Errand):
    """A second target gets files in a folder that is made for them, and its service does not
    start."""

    name = "new folder refused"
    words = ("renew", "xc")

    def arrange(self, lane):
        lane.certificate["deploy"].append({
            "name": "fixed", "store": {"type": "files", "files": {
                what: str(lane.folder / f"xc0/fixed/{what}.pem")
                for what in ("key", "fullchain")}},
            "service": {"command": ["/bin/false"]}, "retire": {"after": "0s"},
            "verify": [{"connect": f"127.0.0.1:{lane.xc.secure_port}"}]})

    def settle(self, lane, before):
        lane.certificate["deploy"][1]["service"]["command"] = ["/bin/true"]
        lane.daemon.write()
        lane.let_time_pass()
        Scenario.settle(self, lane, before)


class RolledBack(Errand):
    """The operator takes back a renewal, and the mode of tls.json was changed meanwhile."""

    name = "rollback of changed access"
    words = ("rollback", "xc")
    versions = 2
    new_orders = 1

    def again(self, lane):
        super().again(lane)
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.certificate["deploy"][0]["retire"] = {"after": "1h"}
        lane.daemon.write()
        lane.old = lane.xc.leaf()
        lane.daemon.ok("renew", "xc")
        lane.xc.tls_json.chmod(0o666)

    def settle(self, lane, before):
        for _ in range(2):
            lane.daemon("renew", "xc")
            lane.let_time_pass()


class Soaking(Errand):
    """What was deployed is watched for a while."""

    name = "soak"
    words = ("renew", "xc")

    def arrange(self, lane):
        lane.certificate["deploy"][0].update(soak="1m", retire={"after": "1h"})
        path = xc_state(lane, "targets/xc0/journal.json")
        journal = json.loads(path.read_text())
        journal.update(soak_until=int(time.time()) - 1, state="verified")
        path.write_text(json.dumps(journal))


class StillOnHttp(Errand):
    """It was taken to plain HTTP long ago, and its service has stopped since."""

    name = "fallback of a stopped service"
    words = ("fallback", "xc", "on")
    serves_at_any_moment = False

    def again(self, lane):
        super().again(lane)
        lane.sha1 = lane.xc.leaf()
        lane.daemon.ok("fallback", "xc", "on")
        lane.xc.ctl("stop")

    def settle(self, lane, before):
        lane.daemon.ok("fallback", "xc", "on")
        lane.daemon.ok("fallback", "xc", "off")

    def check(self, lane, before):
        require(lane.xc.leaf() == lane.sha1, f"{lane.xc.state()} is served")
        returned(lane)


class FallbackRefused(StillOnHttp):
    """It is to speak plain HTTP and refuses to start with it."""

    name = "fallback refused"

    def again(self, lane):
        Errand.again(self, lane)
        lane.sha1 = lane.xc.leaf()
        lane.xc.misbehave(refuse="no licence", except_=lane.sha1)

    def settle(self, lane, before):
        for _ in range(2):
            lane.daemon("renew", "xc")
            lane.let_time_pass()
        lane.xc.misbehave()
        super().settle(lane, before)


class ReturnRefused(StillOnHttp):
    """It is to come back from plain HTTP and refuses to."""

    name = "end of a fallback refused"
    words = ("fallback", "xc", "off")

    def again(self, lane):
        Errand.again(self, lane)
        lane.sha1 = lane.xc.leaf()
        lane.daemon.ok("fallback", "xc", "on")
        lane.xc.misbehave(refuse="no licence")

    def settle(self, lane, before):
        lane.xc.misbehave()
        lane.let_time_pass()
        lane.daemon("renew", "xc")
        lane.daemon("fallback", "xc", "off")


ERRANDS = (Damaged, Resumed, Mended, Lost, StoreDamaged, Settings, Edited, FirstRefused,
           RolledBack, Soaking, StillOnHttp, FallbackRefused, ReturnRefused)
