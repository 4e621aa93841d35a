"""Renewals by the other ways: what else the seam is called for. Each is a renewal, so that
everything which has to hold after one has to hold here. The full sweep takes them."""

import http.server
import threading
from functools import partial

from lib.authority import Authority

from .checks import require
from .scenarios import ALL, Alert, Renewal, Scenario

EXEC = """#!/bin/sh
case $1 in
present) curl -sS -d "{\\"host\\": \\"$2\\", \\"value\\": \\"$3\\"}" "$API/set-txt" ;;
cleanup) curl -sS -d "{\\"host\\": \\"$2\\"}" "$API/clear-txt" ;;
esac
"""
HOUSE_CA = """#!/bin/sh
set -e
cd "$(dirname "$0")"
openssl x509 -req -in "$1" -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copy \\
    -set_serial 0x$(openssl rand -hex 15) -out leaf.pem 2>openssl.log
cat leaf.pem ca.pem > "$2"
"""


def program(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


class ByDns(Renewal):
    """dns-01 by a program; a log of its own, alerts by a program, fixed files for a second
    target with a program after it."""

    name = "renewal by DNS"

    def prepare(self, lane):
        config, tools = lane.daemon.config, lane.folder / "tools"
        tools.mkdir()
        config["resolvers"] = [f"127.0.0.1:{lane.pebble.dns}"]
        config["dns_providers"] = {"mine": {
            "type": "exec", "command": [program(tools / "update", EXEC)],
            "propagation": False, "environment": {
                "API": f"http://127.0.0.1:{lane.pebble.resolver_management}"}}}
        config["alerts"] = {"pager": {"type": "program", "min": "notice", "command": [
            program(tools / "page", "#!/bin/sh\ncat >/dev/null\n")]}}
        config["log"] = {"file": str(lane.folder / "logs/certrenewd.log")}
        lane.certificate["challenge"] = {"type": "dns-01", "provider": "mine"}
        files = {what: str(lane.folder / f"fixed/{what}.pem") for what in ("key", "fullchain")}
        lane.certificate["deploy"].append({
            "name": "fixed", "store": {"type": "files", "files": files},
            "service": lane.xc.service(),
            "verify": [{"connect": f"127.0.0.1:{lane.xc.secure_port}"}],
            "retire": {"after": "0s"},
            "run": [{"command": [program(tools / "after", "#!/bin/sh\nexit 0\n")]}]})
        lane.daemon.write()
        super().prepare(lane)


class ByWebroot(Renewal):
    """http-01 by files below a folder that a web server serves."""

    name = "renewal by webroot"

    def prepare(self, lane):
        root = lane.folder / "webroot"
        root.mkdir()

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", lane.pebble.http_port), partial(Quiet, directory=str(root)))
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        lane.closers.append(lambda: (server.shutdown(), server.server_close()))
        lane.certificate["challenge"] = {"type": "http-01", "webroot": str(root)}
        lane.daemon.write()
        super().prepare(lane)


class ByAlpn(Renewal):
    """tls-alpn-01."""

    name = "renewal by TLS"

    def prepare(self, lane):
        lane.certificate["challenge"] = {
            "type": "tls-alpn-01", "listen": f"127.0.0.1:{lane.pebble.tls_port}"}
        lane.daemon.write()
        super().prepare(lane)


class WithoutCa(Renewal):
    """Nobody confirms the clock, so nothing is deleted: two that were served, and at most
    one of an attempt that failed."""

    new_orders = 0
    versions = 3

    def prepare(self, lane):
        super().prepare(lane)
        (lane.state / "breaker.json").unlink(missing_ok=True)  # it is not what is tried

    def check(self, lane, before):
        require(lane.xc.leaf() not in (None, *before["served"]), "the new one is not served")
        require(len(lane.xc.versions()) == 2, "too many in the store", lane.xc.versions())


class ByProgram(WithoutCa):
    """The CA of the house is a program."""

    name = "renewal by a program"

    def prepare(self, lane):
        from cryptography.hazmat.primitives import serialization
        tools, authority = lane.folder / "tools", Authority()
        tools.mkdir()
        (tools / "ca.key").write_bytes(authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        (tools / "ca.key").chmod(0o600)
        (tools / "ca.pem").write_text(authority.chain_pem)
        (tools / "root.pem").write_text(authority.root_pem)
        lane.daemon.config["issuers"]["house"] = {
            "type": "command", "ca_bundle": str(tools / "root.pem"),
            "command": [program(tools / "sign", HOUSE_CA), "{csr}", "{chain}"]}
        lane.certificate["issuers"] = ["house"]
        del lane.certificate["challenge"]
        lane.daemon.write()
        super().prepare(lane)


class SelfSigned(WithoutCa):
    """Nobody is asked."""

    name = "renewal self-signed"

    def prepare(self, lane):
        lane.certificate["issuers"] = ["self-signed"]
        del lane.certificate["challenge"]
        lane.daemon.write()
        super().prepare(lane)


class PlainHttp(Scenario):
    """The operator switches to plain HTTP, and later back."""

    name = "plain HTTP by command"
    words = ("fallback", "xc", "on")
    new_orders = 0

    def prepare(self, lane):
        lane.xc.start()
        lane.daemon.ok("renew", "xc")

    def settle(self, lane, before):
        for _ in range(2):
            lane.daemon("renew", "xc")
            lane.let_time_pass()

    def go_on(self, lane, before):
        lane.daemon.ok("fallback", "xc", "off")

    def check(self, lane, before):
        require([lane.xc.state()] == before["served"], f"{lane.xc.state()} is served")


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


WAYS = (ByDns, ByWebroot, ByAlpn, ByProgram, SelfSigned, PlainHttp, Leftovers, Outage)
EVERY = ALL + WAYS


def by_name(name):
    for scenario in EVERY:
        if scenario.name == name:
            return scenario()
    raise KeyError(f"no scenario '{name}' among {', '.join(s.name for s in EVERY)}")
