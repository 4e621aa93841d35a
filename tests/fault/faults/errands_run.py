"""Errands of the daemon while it runs, and of the service manager."""

import json
import time

from .house import Errand, Renewing, program
from .scenarios import Scenario
from .systemd_bus import SystemBus

# The daemon's life: it is asked, it works, its log is put aside, it is told to reload, to end.
# A renewal that is asked for would cut the rehearsal short, sooner or later: it waits.
SESSION = """#!/bin/sh
plain=$1 config=$2 socket=$3 pause=$4 asked=$5
shift 5
"$@" &
daemon=$!
left=100
while kill -0 $daemon 2>/dev/null && [ ! -S "$socket" ] && [ $left -gt 0 ]; do
    sleep 0.02
    left=$((left - 1))
done
left=150
while [ "$asked" = "renew xc" ] && kill -0 $daemon 2>/dev/null && [ $left -gt 0 ] &&
    grep -Eq '"at":[[:space:]]*1,' "${socket%/*}/certificates/xc/rehearsals.json"; do
    sleep 0.02
    left=$((left - 1))
done
"$plain" --config "$config" $asked
kill -HUP $daemon
sleep $pause
kill -TERM $daemon
wait $daemon
"""


class Running(Errand):
    """The daemon starts, looks, rehearses, is asked and told, and ends."""

    name = "daemon"
    words = ("run",)
    pause_s = 0.3
    asked = "renew xc"
    new_orders = 1

    def arrange(self, lane):
        log = lane.folder / "logs/certrenewd.log"
        log.parent.mkdir(mode=0o700)
        log.write_text("long ago " * 7300)  # the next lines do not fit
        lane.daemon.config["log"] = {"file": str(log), "max_size": "64k", "keep": 0}
        lane.daemon.config["alerts"] = {"ops": {
            "type": "webhook", "url": lane.webhook.url, "min": "critical"}}
        rehearsed = lane.state / "certificates/xc/rehearsals.json"
        job = lane.job()
        job["last_renewed_at"] = int(time.time()) - 7200
        (lane.state / "certificates/xc/job.json").write_text(json.dumps(job))
        rehearsed.write_text(json.dumps({"issuers": [], "certificate": {
            "at": 1, "next_at": int(time.time()) - 9, "outcome": "will_succeed"}}))

    def again(self, lane):
        super().again(lane)
        self.begin(lane)

    def begin(self, lane):
        session = program(lane.house.folder / "session", SESSION)
        lane.daemon.enter = [session, f"{lane.build}/daemon/../daemon/certrenewd",
                             str(lane.daemon.config_path),
                             str(lane.state / "control.sock"), str(self.pause_s), self.asked]

    def settle(self, lane, before):
        Scenario.settle(self, lane, before)


class Logging(Running):
    """The daemon keeps some of its old logs."""

    name = "daemon that keeps logs"

    def arrange(self, lane):
        super().arrange(lane)
        lane.daemon.config["log"]["keep"] = 2


class Inspecting(Running):
    """The daemon looks after a renewal whether a file still names the old one."""

    name = "daemon that inspects"
    asked = "status"
    versions = 2

    def again(self, lane):
        Errand.again(self, lane)
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.certificate["deploy"][0]["retire"] = {"after": "1h"}
        lane.daemon.write()
        lane.daemon.ok("renew", "xc")
        job = lane.job()
        job["inspected_files_at"] = 1
        (lane.state / "certificates/xc/job.json").write_text(json.dumps(job))
        self.begin(lane)

    def arrange(self, lane):
        pass


class Stopped(Running):
    """The daemon is told to end while a CA does not answer."""

    name = "daemon and a silent CA"
    asked = "status"

    def arrange(self, lane):
        super().arrange(lane)
        lane.daemon.config["issuers"]["pebble"]["directory"] = (
            f"https://127.0.0.1:{lane.house.silence()}/dir")
        lane.certificate["key"] = {"type": "ec-p384"}

    def settle(self, lane, before):
        lane.daemon.config = lane.usual
        lane.daemon.write()
        lane.let_time_pass()
        super().settle(lane, before)


class ByUnit(Renewing):
    """The service is a unit of systemd."""

    name = "renewal of a unit"

    def again(self, lane):
        super().again(lane)
        if "bus" not in lane.house.kept:
            lane.house.kept["bus"] = SystemBus(lane.house.folder / "bus", lane.xc)
            lane.closers.append(lane.house.kept["bus"].close)
        lane.daemon.enter = ["env", f"DBUS_SYSTEM_BUS_ADDRESS={lane.house.kept['bus'].address}"]

    def arrange(self, lane):
        lane.certificate["deploy"][0]["service"] = {"systemd": "app.service"}

    def leave(self, lane):
        pass


class RehearsalOfUnit(ByUnit):
    """A rehearsal where the service is a unit of systemd."""

    name = "rehearsal of a unit"
    words = ("rehearse", "xc")
    code = 0
    new_orders = 0

    def again(self, lane):
        super().again(lane)
        lane.certificate["key"] = lane.usual["certificates"]["xc"]["key"]
        lane.daemon.write()

    def settle(self, lane, before):
        Errand.settle(self, lane, before)

    def check(self, lane, before):
        pass


ERRANDS = (Running, Logging, Inspecting, Stopped, ByUnit, RehearsalOfUnit)
