"""What is done while a fault happens. `Scenario.prepare` brings a lane to where the command
is about to run, `words` is the command, `settle` what a daemon would do by itself
afterwards, `check` what this scenario adds to what always has to hold."""

import json
import shutil
import time

from lib.waiting import wait_until
from lib.winacme import WinAcme, key_of, option
from lib.xc import DEFAULT_SETTINGS

from . import checks
from .checks import require
from .lane import Gate, Lane

ROUNDS = 6  # of a daemon, until everything has settled


class Scenario:
    name = ""
    words = ("renew", "xc")
    code = 0  # of a run that nothing disturbs
    apps = 1
    pebble = {}
    versions = 1  # that stay in the end
    new_orders = 1  # that an undisturbed run needs
    serves_at_any_moment = True
    tells_on = "err"  # what a command says that has failed; "out": there, too
    injectors = None  # those that are for it; None: all

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

    def command(self, lane):
        return self.words

    def kept(self, before):
        """How many certificates may stay."""
        return self.versions

    def again(self, lane):
        """The lane's disk is what it was: whatever else has to be."""

    def facts(self, lane):
        """What check() compares with; taken before the command."""
        return {"served": [app.state() for app in lane.apps], "orders": lane.orders(),
                "finalized": lane.finalized()}

    def settle(self, lane, before):
        """The daemon's next passes, until there is nothing to do. No human takes part."""
        said = []
        for _ in range(ROUNDS):
            said.append(lane.daemon("renew", "xc"))
            if self.is_through(lane, said[-1]):
                return
            lane.let_time_pass()
        raise checks.Violation("it does not come to its end by itself:\n" +
                               "\n".join(map(repr, said)))

    @staticmethod
    def is_through(lane, result):
        """Nothing is due, nothing waits for another try."""
        if result.code == 3 and "is not due" not in result.text:
            return False
        return result.code in (0, 3) and not lane.job().get("deployment", {}).get("count")

    def go_on(self, lane, before):
        """What an operator, or the world, does after that; it may restart applications."""

    def check(self, lane, before):
        pass

    # -- called by the sweep

    def verify(self, lane, before, result):
        """Everything that has to hold after a run that was disturbed."""
        before["said"] = result.text
        checks.ended_well(result, self)
        checks.at_any_moment(lane, before["served"], self.serves_at_any_moment)
        in_hand, finalized = lane.in_hand(before["served"]), lane.finalized()
        served = checks.all_done_but_said(lane, before["served"])
        self.settle(lane, before)
        checks.nobody_was_restarted(served)
        self.go_on(lane, before)
        require(not in_hand or lane.finalized() == finalized,
                f"{in_hand} was in hand, and another order was finalized")
        checks.in_the_end(lane, self.kept(before))
        orders = lane.orders() - before["orders"]
        require(orders <= self.new_orders + 1, f"{orders} new orders")
        finalized = lane.finalized() - before["finalized"]
        require(finalized <= self.new_orders, f"{finalized} orders were finalized")
        self.check(lane, before)


def renewed(lane, before):
    """Every application serves a certificate that it did not serve before, and only that
    is kept."""
    for app, old in zip(lane.apps, before["served"]):
        require(app.leaf() not in (None, old), f"{app.name}: the new one is not served")
        require(app.versions() == [app.leaf()], f"{app.name}: the old one is kept")


class FirstDeployment(Scenario):
    """The application speaks plain HTTP; there is no account, no state, no store."""

    name = "first deployment"

    def prepare(self, lane):
        for app in lane.apps:
            app.start()

    def check(self, lane, before):
        renewed(lane, before)


class Renewal(Scenario):
    """The certificate is due because its type of key was changed."""

    name = "renewal"

    def prepare(self, lane):
        for app in lane.apps:
            app.start()
        lane.daemon.ok("renew", "xc")
        for app in lane.apps:
            app.settings.write_text(DEFAULT_SETTINGS)  # as if there had been a tls.json
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.daemon.write()

    def check(self, lane, before):
        renewed(lane, before)


class ThreeTargets(Renewal):
    """One certificate for three applications, two of which share a service."""

    name = "three targets"
    apps = 3

    def prepare(self, lane):
        script = lane.folder / "shared.sh"
        first, second = lane.apps[:2]
        script.write_text(f"#!/bin/sh\n{first.xcctl} {first.dir} $1 && "
                          f"{second.xcctl} {second.dir} $1\n")
        script.chmod(0o755)
        for target in lane.certificate["deploy"][:2]:
            target["service"] = {"command": [str(script), "restart"],
                                 "status": [str(script), "status"], "timeout": "20s"}
        lane.daemon.write()
        super().prepare(lane)


class Rollback(Renewal):
    """The application refuses to start with the new certificate; later it does not."""

    name = "rollback"
    code = 1
    serves_at_any_moment = False  # between two restarts it has refused to start

    def prepare(self, lane):
        super().prepare(lane)
        lane.xc.misbehave(refuse="no licence", except_=lane.xc.leaf())

    def settle(self, lane, before):
        for _ in range(ROUNDS):
            lane.daemon("renew", "xc")
            if not self.unfinished(lane):
                break
            lane.let_time_pass()
        checks.is_served(lane.xc, before["served"][0])
        require(lane.xc.named() == before["served"][0], "tls.json names the refused one")
        lane.xc.misbehave()
        lane.let_time_pass()
        super().settle(lane, before)

    @staticmethod
    def unfinished(lane):
        return any(journal["intent"] != "none" or journal["end"] == "none"
                   for journal in lane.journals().values())


class Expired(Scenario):
    """The certificate has expired and the CA is gone; then plain HTTP is spoken."""

    name = "expired fallback"
    code = 1
    pebble = {"validity_s": 8}
    versions = 1

    def prepare(self, lane):
        lane.gate = Gate(lane.pebble.port)
        lane.closers.append(lane.gate.close)
        lane.daemon.config["issuers"]["pebble"]["directory"] = (
            f"https://127.0.0.1:{lane.gate.port}/dir")
        lane.daemon.write()
        lane.xc.start()
        lane.daemon.ok("renew", "xc")
        lane.xc.settings.write_text(DEFAULT_SETTINGS)
        expires = time.time() + 9
        lane.pebble.restart(validity_s=90 * 86400)
        shutil.rmtree(lane.state / "accounts")
        lane.daemon.ok("account", "register")
        time.sleep(max(0, expires - time.time()))
        lane.gate.shut = True

    def facts(self, lane):
        lane.gate.shut = True
        return {**super().facts(lane), "tls.json": lane.xc.tls_json.read_bytes()}

    def settle(self, lane, before):
        """The CA stays away until plain HTTP is spoken, then it is back."""
        for _ in range(ROUNDS):
            if lane.xc.state() == "http" and lane.mode() == "fallback":
                break
            lane.let_time_pass()
            lane.daemon("renew", "xc")
        require(lane.xc.state() == "http", "it does not fall back to plain HTTP")
        require(not lane.xc.tls_json.exists(), "tls.json is still there")
        lane.gate.shut = False
        lane.let_time_pass()
        super().settle(lane, before)

    def check(self, lane, before):
        renewed(lane, before)
        returned(lane)


def returned(lane):
    require(lane.xc.settings.read_text() == DEFAULT_SETTINGS,
            "settings that the product reset are not back", lane.xc.settings.read_text())
    require(lane.mode() == "https", f"the mode is '{lane.mode()}'")
    require(not (lane.state / "certificates/xc/targets/xc0/fallback.json").exists(),
            "fallback.json is left")


class Return(Expired):
    """Plain HTTP is spoken, and the CA is back."""

    name = "expired return"
    code = 0

    def prepare(self, lane):
        super().prepare(lane)
        lane.daemon("renew", "xc")
        if lane.xc.state() != "http":
            raise RuntimeError("it did not fall back")
        lane.let_time_pass()
        lane.gate.shut = False

    def facts(self, lane):
        return Scenario.facts(self, lane)

    def settle(self, lane, before):
        Scenario.settle(self, lane, before)


class StillAway(Return):
    """Plain HTTP is spoken, and the CA is still away; then it is back."""

    name = "expired and the CA away"
    code = 1

    def facts(self, lane):
        lane.gate.shut = True
        return super().facts(lane)

    def settle(self, lane, before):
        lane.gate.shut = False
        lane.let_time_pass()
        super().settle(lane, before)


class Retire(Scenario):
    """The old certificate has waited long enough."""

    name = "retire"
    code = None  # whichever: it has nothing to renew
    new_orders = 0

    def prepare(self, lane):
        lane.certificate["deploy"][0]["retire"] = {"after": "1h"}
        lane.daemon.write()
        lane.xc.start()
        lane.daemon.ok("renew", "xc")
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.daemon.write()
        lane.daemon.ok("renew", "xc")
        if len(lane.xc.versions()) != 2:
            raise RuntimeError("the old one is not kept")
        self.let_it_retire(lane)

    @staticmethod
    def let_it_retire(lane):
        """As if all of it had been a bit longer ago than `after`."""
        for name, journal in lane.journals().items():
            for what in (journal, *journal.get("replaced", [])):
                for instant in ("verified_at", "retire_at", "at"):
                    if what.get(instant):
                        what[instant] -= 3700
            (lane.state / name).write_text(json.dumps(journal))

    def kept(self, before):
        """When a key was found damaged, what we know nothing of any more is left, and told."""
        return 2 if before["said"].count("damaged") else 1

    def check(self, lane, before):
        if self.kept(before) == 1:
            require([lane.xc.leaf()] == before["served"], "another one is served")
            require(lane.xc.versions() == before["served"], "the old one is kept")


class Alert(Scenario):
    """No CA answers: a failure is told, after what could not be told before."""

    name = "alert delivery"
    code = 1
    new_orders = 1

    def prepare(self, lane):
        lane.gate = Gate(lane.pebble.port)
        lane.closers.append(lane.gate.close)
        lane.daemon.config["issuers"]["pebble"]["directory"] = (
            f"https://127.0.0.1:{lane.gate.port}/dir")
        lane.tell()
        lane.xc.start()
        lane.daemon.ok("renew", "xc")
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.daemon.write()

    def facts(self, lane):
        lane.gate.shut = True
        return super().facts(lane)

    def settle(self, lane, before):
        """A daemon starts, the CA is still away; then it is back."""
        lane.let_time_pass()
        lane.daemon("renew", "xc")
        self.deliver(lane, "failed")
        lane.gate.shut = False
        lane.let_time_pass()
        super().settle(lane, before)
        self.deliver(lane, "recovered")

    @staticmethod
    def deliver(lane, event):
        if lane.webhook.of(event) and not lane.pending():
            return
        lane.daemon.start()
        try:
            wait_until(lambda: lane.webhook.of(event) and not lane.pending(), 15, event)
        except TimeoutError:
            raise checks.Violation(
                f"'{event}' was not told: {[a['event'] for a in lane.webhook.alerts]}, "
                f"{lane.pending()} wait:\n{lane.daemon.log()[-3000:]}") from None
        finally:
            lane.daemon.stop()

    def check(self, lane, before):
        renewed(lane, before)
        told = [alert["id"] for alert in lane.webhook.of("failed")]
        require(len(set(told)) <= 2, f"told {len(set(told))} times", *lane.webhook.alerts)


class Registration(Scenario):
    """An account is made at the CA."""

    name = "account registration"
    words = ("account", "register")
    new_orders = 0

    def prepare(self, lane):
        lane.xc.start()

    def facts(self, lane):
        return {**super().facts(lane), "made": lane.count("/sign-me-up")}

    def settle(self, lane, before):
        for _ in range(2):
            if lane.daemon(*self.words).code in (0, 3):
                return
        lane.daemon.ok(*self.words)

    def check(self, lane, before):
        said = lane.daemon("account", "show", "--json")
        require(said.code == 0 and said.json["status"] == "valid", "no account works", said)
        require(not (lane.state / "accounts/pebble/key.new.pem").exists(),
                "key.new.pem is left")


class Rollover(Registration):
    """The account gets a new key."""

    name = "account key rollover"
    words = ("account", "rotate-key")

    def prepare(self, lane):
        super().prepare(lane)
        lane.daemon.ok("account", "register")

    def again(self, lane):
        """The CA has seen the account of the last time get another key."""
        shutil.rmtree(lane.state / "accounts")
        lane.daemon.ok("account", "register")

    def facts(self, lane):
        url = json.loads((lane.state / "accounts/pebble/account.json").read_text())["url"]
        return {**super().facts(lane), "url": url}

    def settle(self, lane, before):
        """Whatever key counts is found out by whoever needs the account next."""
        lane.daemon("account", "show")
        lane.daemon("account", "register")

    def check(self, lane, before):
        super().check(lane, before)
        said = lane.daemon("account", "show", "--json")
        require(said.json["url"] == before["url"], "it is another account", said)


class Import(Scenario):
    """What win-acme has is taken over: its account, its renewal, its task."""

    name = "import"
    new_orders = 0

    def prepare(self, lane):
        lane.xc.start()
        lane.daemon.ok("account", "register")
        account = lane.state / "accounts/pebble"
        url = json.loads((account / "account.json").read_text())["url"]
        theirs = WinAcme(lane.folder / "theirs", base_uri=lane.pebble.directory)
        theirs.account(key_of((account / "key.pem").read_bytes()), url)
        theirs.renewal("a1", "xc.example",
                       stores=[option("pem", Path=str(lane.folder / "pem"))])
        shutil.rmtree(lane.state)
        for name in ("var-lib", "cron"):
            (lane.folder / name).mkdir()
        lane.daemon.state = lane.folder / "var-lib/certrenewd"
        lane.daemon.enter = [
            "unshare", "-m", "sh", "-c",
            'mount --bind "$1" /var/lib && mount --bind "$2" /etc/cron.daily && '
            'shift 2 && exec "$@"', "sh", str(lane.folder / "var-lib"),
            str(lane.folder / "cron")]
        lane.daemon.aliases = {"/var/lib": str(lane.folder / "var-lib"),
                               "/etc/cron.daily": str(lane.folder / "cron")}
        lane.daemon.config_path.unlink()
        lane.theirs, lane.url = theirs, url

    def command(self, lane):
        return ("import", "win-acme", "--path", str(lane.theirs.program))

    def settle(self, lane, before):
        """The operator repeats a command that did not end; the configuration comes last."""
        if not lane.daemon.config_path.exists():
            lane.daemon.ok(*self.command(lane))

    def check(self, lane, before):
        said = lane.daemon("check-config")
        require(said.code == 0, "what was written is no configuration", said)
        accounts = list(lane.state.glob("accounts/*/account.json"))
        if "is not taken over" not in before["said"]:
            require(len(accounts) == 1, "the account was not taken over", *accounts)
            require(json.loads(accounts[0].read_text())["url"] == lane.url,
                    "another account was taken over")
        require((lane.state / "handover.json").exists(), "its task is not remembered")


class RollbackAfterRestart(Rollback):
    """The application starts, and goes on serving the old certificate; later the new one."""

    name = "rollback after a restart"

    def prepare(self, lane):
        super().prepare(lane)
        lane.xc.misbehave(serve_old=True, except_=lane.xc.leaf())


class RollbackByCommand(Scenario):
    """The operator takes back a deployment that went well."""

    name = "rollback by command"
    words = ("rollback", "xc")
    new_orders = 0
    versions = 2  # the new one is at hand, until the operator wants it again

    def prepare(self, lane):
        lane.certificate["deploy"][0]["retire"] = {"after": "1h"}
        lane.daemon.write()
        lane.xc.start()
        lane.daemon.ok("renew", "xc")
        lane.xc.settings.write_text(DEFAULT_SETTINGS)
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.daemon.write()
        lane.old = lane.xc.leaf()
        lane.daemon.ok("renew", "xc")

    def settle(self, lane, before):
        """Once it had begun it is ended; until then nothing has happened."""
        began = lane.xc.current() == lane.old or lane.xc.named() == lane.old
        for _ in range(2):
            lane.daemon("renew", "xc")
            lane.let_time_pass()
        state = lane.xc.state()
        require(state == lane.old or (not began and [state] == before["served"]),
                f"{state} is served, not {lane.old} as the operator wants it")
        require(lane.xc.current() == lane.xc.named() == state,
                f"the store names {lane.xc.current()}, tls.json {lane.xc.named()}")


class FallbackOn(Scenario):
    """The operator takes the application to plain HTTP."""

    name = "fallback by command"
    words = ("fallback", "xc", "on")
    new_orders = 0

    def prepare(self, lane):
        lane.xc.start()
        lane.daemon.ok("renew", "xc")
        lane.xc.settings.write_text(DEFAULT_SETTINGS)
        lane.sha1 = lane.xc.leaf()

    def settle(self, lane, before):
        """What was begun is ended, or it was not begun."""
        for _ in range(2):
            lane.daemon("renew", "xc")
            lane.let_time_pass()
        state = (lane.xc.state(), lane.mode(), lane.xc.named())
        require(state in (("http", "fallback", None), (lane.sha1, "https", lane.sha1)),
                f"it stays half way: {state}")

    def go_on(self, lane, before):
        """It is asked for, and back."""
        lane.daemon("fallback", "xc", "on")
        require((lane.xc.state(), lane.xc.named()) == ("http", None), "it is not on")
        lane.daemon("fallback", "xc", "off")

    def check(self, lane, before):
        require(lane.xc.leaf() == lane.sha1, f"{lane.xc.state()} is served")
        returned(lane)


class FallbackOff(FallbackOn):
    """The operator takes the application back to HTTPS."""

    name = "end of a fallback by command"
    words = ("fallback", "xc", "off")

    def prepare(self, lane):
        super().prepare(lane)
        lane.daemon.ok("fallback", "xc", "on")


ALL = (FirstDeployment, Renewal, ThreeTargets, Rollback, RollbackAfterRestart,
       RollbackByCommand, Expired, Return, StillAway, FallbackOn, FallbackOff, Retire, Alert,
       Registration, Rollover, Import)


def by_name(name):
    for scenario in ALL:
        if scenario.name == name:
            return scenario()
    raise KeyError(f"no scenario '{name}' among {', '.join(s.name for s in ALL)}")
