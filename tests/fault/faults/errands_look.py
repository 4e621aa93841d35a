"""Errands that look: nothing is renewed by them."""

import shutil
import signal

from lib.winacme import WinAcme, option

from .checks import require
from .house import Errand, program


class Status(Errand):
    """The operator looks how it stands; no daemon runs."""

    name = "status"
    words = ("status", "--json")


class Account(Errand):
    """The operator looks at the account."""

    name = "account show"
    words = ("account", "show")


class Asked(Errand):
    """The operator asks the daemon, which runs."""

    name = "status of the daemon"
    words = ("status",)

    def again(self, lane):
        super().again(lane)
        lane.daemon.start()

    def leave(self, lane):
        super().leave(lane)
        if lane.daemon.process:
            require(lane.daemon.stop() == 0, "the daemon did not end well", lane.daemon.log())


class AskedInVain(Asked):
    """The operator asks the daemon, which hangs."""

    name = "status of a daemon that hangs"

    def again(self, lane):
        super().again(lane)
        lane.daemon.process.process.send_signal(signal.SIGSTOP)

    def leave(self, lane):
        if lane.daemon.process:
            lane.daemon.process.process.send_signal(signal.SIGCONT)
        super().leave(lane)


class Watch(Errand):
    """The watcher finds no daemon and says so."""

    name = "watch"
    words = ("watch",)
    codes = (1,)
    tells_on = "out"  # what it found is what it was asked for

    def arrange(self, lane):
        lane.daemon.config["alerts"] = {"ops": {
            "type": "webhook", "url": lane.webhook.url, "min": "notice"}}

    def check(self, lane, before):
        require(lane.webhook.alerts, "nobody was told that the daemon is dead")
        left = list((lane.state / "watcher").rglob("queue/*.json"))
        require(not left, "what was told waits still", *left)


class WatchByAnEarlierConfiguration(Watch):
    """The configuration is refused: the watcher goes on by the last good one."""

    name = "watch by an earlier configuration"
    code = 2
    codes = (2,)

    def again(self, lane):
        super().again(lane)
        lane.daemon(*self.words)
        path = lane.daemon.config_path
        path.write_text(path.read_text() + "certifcates: {}\n")

    def settle(self, lane, before):
        super().settle(lane, before)
        lane.daemon.write()


class Rehearsal(Errand):
    """A rehearsal of the next renewal, with most ways to prove a name."""

    name = "rehearsal"
    words = ("rehearse", "xc")
    codes = (0, 1)

    def arrange(self, lane):
        config, house = lane.daemon.config, lane.house
        config["resolvers"] = [f"127.0.0.1:{lane.pebble.dns}"]
        config["issuers"]["pebble"]["caa"] = ["pebble.example"]
        config["issuers"]["house"] = {"type": "command",
                                      "command": ["/bin/true", "{csr}", "{chain}"]}
        lane.certificate["issuers"] = ["house", "pebble"]
        lane.certificate["challenge"] = [
            {"type": "dns-persist-01"},
            {"type": "http-01", "listen": f"127.0.0.1:{lane.pebble.http_port}"},
            {"type": "tls-alpn-01", "listen": f"127.0.0.1:{lane.pebble.tls_port}"}]
        page = program(house.folder / "page", "#!/bin/sh\ncat >/dev/null\n")
        config["alerts"] = {
            "ops": {"type": "webhook", "url": lane.webhook.url, "min": "notice"},
            "pager": {"type": "program", "command": [page], "min": "critical"}}
        lane.certificate["deploy"][0]["run"] = [
            {"command": [page], "changes": [str(lane.folder / "xc0/keystore")]}]


class RehearsalOfOrder(Errand):
    """A rehearsal with an order on trial."""

    name = "rehearsal with an order"
    words = ("rehearse", "xc")
    codes = (0, 1)
    new_orders = 4  # on trial

    def arrange(self, lane):
        config, house = lane.daemon.config, lane.house
        config["resolvers"] = [f"127.0.0.1:{lane.pebble.dns}"]
        config["dns_providers"] = {"web": {
            "type": "httpreq", "url": f"{house.dns.url}/httpreq", "username": "user",
            "password": house.secret("httpreq", "pa55-w0rd"), "propagation": "1s",
            "ca_bundle": str(house.dns.ca_bundle)}}
        config["issuers"]["pebble"]["staging"] = lane.pebble.directory.replace(
            "127.0.0.1", "localhost")
        lane.certificate["hosts"] = ["a.example.com"]
        lane.certificate["challenge"] = {"type": "dns-01", "provider": "web"}


class RehearsalOfSilentZone(RehearsalOfOrder):
    """The servers of the zone, where the record is looked for, do not answer."""

    name = "rehearsal of a silent zone"

    def arrange(self, lane):
        super().arrange(lane)
        lane.daemon.config["resolvers"] = [lane.house.bind().server]
        lane.daemon.config["dns_providers"]["web"]["propagation"] = "5s"


class RehearsalAtTakenPorts(Errand):
    """A rehearsal that finds the ports of its challenges taken."""

    name = "rehearsal at taken ports"
    words = ("rehearse", "xc")
    codes = (1,)

    def arrange(self, lane):
        taken = f"127.0.0.1:{lane.xc.secure_port}"
        lane.certificate["challenge"] = [{"type": "http-01", "listen": taken},
                                         {"type": "tls-alpn-01", "listen": taken}]


class RehearsalOfWebroot(Errand):
    """A rehearsal where a web server answers for the names."""

    name = "rehearsal by webroot"
    words = ("rehearse", "xc")

    def arrange(self, lane):
        (lane.folder / "webroot").mkdir(exist_ok=True)
        lane.certificate["challenge"] = {"type": "http-01",
                                         "webroot": str(lane.folder / "webroot")}


class Checked(Errand):
    """A configuration with an international name and a secret in a file is checked."""

    name = "configuration"
    words = ("check-config",)

    def arrange(self, lane):
        lane.certificate["hosts"] = ["bücher.example"]
        lane.daemon.config["issuers"]["pebble"]["eab"] = {
            "key_id": "kid", "hmac_key": lane.house.secret("eab", "c2VjcmV0LXNlY3JldC0xMg")}

    def settle(self, lane, before):
        super().settle(lane, before)
        lane.daemon.config_path.write_text((lane.saved / "certrenewd/certrenewd.yaml")
                                           .read_text())


class Unreadable(Errand):
    """The configuration that is named is a folder."""

    name = "no configuration"
    words = ("check-config",)

    def again(self, lane):
        super().again(lane)
        lane.daemon.config_path.unlink()
        lane.daemon.config_path.mkdir()

    def settle(self, lane, before):
        lane.daemon.config_path.rmdir()
        lane.daemon.write()


class Watched(Errand):
    """A certificate that nobody orders here is only looked at: in its folder, in the
    network."""

    name = "watched"
    words = ("renew", "seen")

    def arrange(self, lane):
        folder = lane.folder / "elsewhere"
        folder.mkdir(exist_ok=True)
        for part in ("fullchain.pem", "key.pem"):
            shutil.copy(lane.xc.store / part, folder / part)
        lane.daemon.config["issuers"]["nobody"] = {"type": "none"}
        lane.daemon.config["certificates"]["seen"] = {
            "hosts": ["xc.example"], "issuers": ["nobody"], "deploy": [{
                "name": "elsewhere",
                "store": {"type": "directory", "path": str(folder)},
                "verify": [{"connect": f"127.0.0.1:{lane.house.without_chain()}"}]}]}


class Imported(Errand):
    """What win-acme has is looked at; its script names where the product is."""

    name = "import looked at"

    def command(self, lane):
        return ("import", "win-acme", "--path", str(lane.folder / "theirs/program"),
                "--dry-run")

    def arrange(self, lane):
        (lane.folder / "theirs").mkdir()
        script = lane.folder / "theirs/yunio-le.ps1"
        script.write_text('$file = "/opt/yunIO/config/servers/tls.json"')
        theirs = WinAcme(lane.folder / "theirs")
        theirs.renewal("a1", "xc.example", stores=[option("store", StoreName="My")],
                       installation=[option("script", Script=str(script),
                                            ScriptParameters="{CertThumbprint}")])


LOOKS = (Status, Account, Asked, AskedInVain, Watch, WatchByAnEarlierConfiguration, Rehearsal,
         RehearsalAtTakenPorts, RehearsalOfWebroot, Checked, Unreadable, Watched, Imported)
WITH_ORDERS = (RehearsalOfOrder, RehearsalOfSilentZone)
