"""Errands that renew: by another challenge, from another issuer, of other keys."""

import copy
import json

from lib.authority import Authority
from lib.ca_proxy import CaProxy, problem

from .checks import require
from .house import Errand, Renewing, program
from .scenarios import Scenario

HOUSE_CA = """#!/bin/sh
set -e
cd "$(dirname "$0")"
openssl x509 -req -in "$1" -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copy \\
    -set_serial 0x$(openssl rand -hex 15) -out leaf.pem 2>openssl.log
cat leaf.pem ca.pem > "$2"
"""


class ByDns(Renewing):
    """dns-01 by a web service."""

    name = "renewal by DNS"

    def arrange(self, lane):
        house = lane.house
        lane.daemon.config["resolvers"] = [f"127.0.0.1:{lane.pebble.dns}"]
        lane.daemon.config["dns_providers"] = {"mine": {
            "type": "httpreq", "url": f"{house.dns.url}/httpreq", "username": "user",
            "password": house.secret("httpreq", "pa55-w0rd"), "propagation": False,
            "ca_bundle": str(house.dns.ca_bundle)}}
        lane.certificate["challenge"] = {"type": "dns-01", "provider": "mine"}


class ByProgram(Renewing):
    """dns-01 by a program, alerts by a program, fixed files for a second target with
    programs around it that are told what was and what is."""

    name = "renewal by programs"

    def arrange(self, lane):
        tools = lane.house.folder
        update = program(tools / "update", """#!/bin/sh
case $1 in
present) curl -sS -d "{\\"host\\": \\"$2\\", \\"value\\": \\"$3\\"}" "$API/set-txt" ;;
cleanup) curl -sS -d "{\\"host\\": \\"$2\\"}" "$API/clear-txt" ;;
esac
""")
        lane.daemon.config["resolvers"] = [f"127.0.0.1:{lane.pebble.dns}"]
        lane.daemon.config["dns_providers"] = {"mine": {
            "type": "exec", "command": [update], "propagation": False, "environment": {
                "API": f"http://127.0.0.1:{lane.pebble.resolver_management}"}}}
        lane.daemon.config["alerts"] = {"pager": {
            "type": "program", "min": "notice",
            "command": [program(tools / "page", "#!/bin/sh\ncat >/dev/null\n")]}}
        lane.certificate["challenge"] = {"type": "dns-01", "provider": "mine"}
        lane.certificate["deploy"][0]["run"] = [{
            "command": [program(tools / "after", "#!/bin/sh\nexit 0\n"),
                        "{OldCertCommonName}", "{OldCertThumbprint}"],
            "changes": [str(lane.folder / "fixed/store.p12")]}]
        files = {what: str(lane.folder / f"fixed/{what}.pem") for what in ("key", "fullchain")}
        lane.certificate["deploy"].append({
            "name": "fixed", "store": {"type": "files", "files": files},
            "service": lane.xc.service(), "retire": {"after": "0s"},
            "verify": [{"connect": f"127.0.0.1:{lane.xc.secure_port}"}]})


class ByWebroot(Renewing):
    """http-01 by files below a folder that a web server serves."""

    name = "renewal by webroot"

    def arrange(self, lane):
        root = lane.folder / "webroot"
        root.mkdir(exist_ok=True)

        lane.house.serve(root, lane.pebble.http_port)
        lane.certificate["challenge"] = {"type": "http-01", "webroot": str(root)}


class LeftInWebroot(Errand):
    """A run that died has left its answer below the web server's folder."""

    name = "answer left in a webroot"
    words = ("renew", "xc")

    def arrange(self, lane):
        folder = lane.folder / "webroot/.well-known/acme-challenge"
        folder.mkdir(parents=True)
        (folder / "t0ken").write_text("t0ken.key")
        lane.certificate["challenge"] = {"type": "http-01",
                                         "webroot": str(lane.folder / "webroot")}
        path = lane.state / "certificates/xc/challenges.json"
        path.write_text(json.dumps({"challenges": [{
            "type": "http-01", "webroot": str(lane.folder / "webroot"), "token": "t0ken",
            "made_at": 1, "tries": 0}]}))

    def settle(self, lane, before):
        for _ in range(2):
            lane.daemon(*self.words)

    def check(self, lane, before):
        left = [path for path in (lane.folder / "webroot").rglob("*") if path.is_file()]
        require(not left, "it is still there", *left)


class ByAlpn(Renewing):
    """tls-alpn-01."""

    name = "renewal by TLS"

    def arrange(self, lane):
        lane.certificate["challenge"] = {
            "type": "tls-alpn-01", "listen": f"127.0.0.1:{lane.pebble.tls_port}"}


class FromProgram(Renewing):
    """The CA of the house is a program."""

    name = "renewal from a program"
    new_orders = 0

    def arrange(self, lane):
        from cryptography.hazmat.primitives import serialization
        tools = lane.house.folder / "ca"
        if not tools.exists():
            authority = Authority()
            program(tools / "sign", HOUSE_CA)
            (tools / "ca.key").write_bytes(authority.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))
            (tools / "ca.key").chmod(0o600)
            (tools / "ca.pem").write_text(authority.chain_pem)
            (tools / "root.pem").write_text(authority.root_pem)
        lane.daemon.config["issuers"]["house"] = {
            "type": "command", "ca_bundle": str(tools / "root.pem"),
            "command": [str(tools / "sign"), "{csr}", "{chain}"]}
        lane.certificate["issuers"] = ["house"]
        del lane.certificate["challenge"]


class SelfSigned(Renewing):
    """Nobody is asked."""

    name = "renewal self-signed"
    new_orders = 0

    def arrange(self, lane):
        lane.certificate["issuers"] = ["self-signed"]
        del lane.certificate["challenge"]


class FromFolder(Renewing):
    """Somebody has put a newer one into a folder."""

    name = "renewal from a folder"
    new_orders = 0

    def arrange(self, lane):
        folder, authority = lane.folder / "inbox", Authority()
        leaf = authority.issue("xc.example", days=4000)
        folder.mkdir()
        (folder / "new.key").write_text(leaf.key_pem)
        (folder / "new.key").chmod(0o600)
        (folder / "new.crt").write_text(leaf.fullchain_pem)
        lane.daemon.config["issuers"]["inbox"] = {"type": "store", "path": str(folder)}
        lane.certificate["issuers"] = ["inbox"]
        del lane.certificate["challenge"]


class Unfit(FromFolder):
    """What somebody has put into a folder lacks what is required."""

    name = "renewal from a folder refused"
    code = 1
    new_orders = 1
    versions = 2  # one that could not be removed goes with the next renewal

    def arrange(self, lane):
        super().arrange(lane)
        lane.certificate["require"] = ["clientAuth"]

    def settle(self, lane, before):
        lane.daemon.config["issuers"], lane.daemon.config["certificates"] = (
            lane.usual["issuers"], lane.usual["certificates"])
        lane.daemon.write()
        lane.let_time_pass()
        Scenario.settle(self, lane, before)

    def check(self, lane, before):
        pass  # the usual issuer has nothing to renew


class OfRequest(Errand):
    """The operator's own request, whose key is elsewhere."""

    name = "renewal of a request"
    words = ("renew", "own")
    new_orders = 2

    def arrange(self, lane):
        appliance = lane.house.appliance()
        appliance.chain.unlink(missing_ok=True)
        lane.daemon.config["certificates"]["own"] = {
            "hosts": ["own.example"], "issuers": ["pebble"], "csr": str(lane.house.csr),
            "challenge": lane.certificate["challenge"], "deploy": [{
                "name": "appliance", "verify_timeout": "3s", "retire": {"after": "0s"},
                "store": {"type": "files", "files": {"fullchain": str(appliance.chain)}},
                "service": {"command": ["/bin/true"]},
                "verify": [{"connect": f"127.0.0.1:{appliance.port}"}]}]}

    def settle(self, lane, before):
        for _ in range(4):
            said = lane.daemon("renew", "own")
            lane.let_time_pass("own")
        require(said.code == 3 and "is not due" in said.text, "it is not at its end", said)


class Refused(Renewing):
    """Another CA is configured and is asked too often; the first one is asked again."""

    name = "renewal that a CA refuses"
    code = 1

    def arrange(self, lane):
        house = lane.house
        if "busy" not in house.kept:
            busy = house.kept["busy"] = CaProxy(house.folder / "busy", lane.pebble)
            busy.rules["/order-plz"] = problem(429, "rateLimited", "too many requests",
                                               Retry_After="1000")
            lane.closers.append(busy.close)
        issuer = lane.daemon.config["issuers"]["pebble"]
        issuer["directory"] = house.kept["busy"].directory
        issuer["ca_bundle"] = str(house.kept["busy"].ca_bundle)

    def settle(self, lane, before):
        """An hour has passed, and the first CA is asked again."""
        lane.daemon.config["issuers"] = copy.deepcopy(lane.usual["issuers"])
        lane.daemon.write()
        for path in lane.state.glob("accounts/*/history.json"):
            path.unlink()
        lane.let_time_pass()
        Scenario.settle(self, lane, before)


class Revocation(Errand):
    """The operator revokes it because its key is known; another key waits for its
    certificate."""

    name = "revoke"
    words = ("revoke", "xc", "--reason", "keyCompromise", "--force")
    new_orders = 1

    def arrange(self, lane):
        path = lane.state / "certificates/xc/job.json"
        job = json.loads(path.read_text())
        folder = path.parent / "versions/7"
        folder.mkdir(mode=0o700)
        (folder / "key.pem").write_bytes((path.parent / "versions/1/key.pem").read_bytes())
        (folder / "key.pem").chmod(0o600)
        job["order_version"] = 7
        path.write_text(json.dumps(job))

    def settle(self, lane, before):
        """The operator repeats it until it is done."""
        for _ in range(3):
            if lane.xc.leaf() not in before["served"]:
                break
            lane.daemon(*self.words)
            lane.let_time_pass()
        Scenario.settle(self, lane, before)


ERRANDS = (ByDns, ByProgram, ByWebroot, LeftInWebroot, ByAlpn, FromProgram, SelfSigned, FromFolder, Unfit,
           OfRequest, Refused, Revocation)
