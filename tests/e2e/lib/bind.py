"""BIND: a real name server on loopback, at a port of ours, that takes updates signed by
TSIG. Each has its own folder with configuration, zones and journals."""

import base64
import os
import re
import subprocess
from dataclasses import dataclass, field

import pytest

from .waiting import Background, free_port, wait_until

NAMED, DIG = "/usr/sbin/named", "/usr/bin/dig"
BITS = {"hmac-sha256": 256, "hmac-sha512": 512}


@dataclass
class TsigKey:
    name: str = "acme"
    algorithm: str = "hmac-sha256"
    secret: str = ""

    def __post_init__(self):
        if not self.secret:
            self.secret = base64.b64encode(os.urandom(BITS[self.algorithm] // 8)).decode()

    def statement(self):
        return (f'key "{self.name}" {{ algorithm {self.algorithm}; '
                f'secret "{self.secret}"; }};\n')


@dataclass
class Zone:
    """`records` are lines of a zone file. `updates` is what stands in the zone's block:
    'allow-update { key "acme"; };', or an update-policy; empty: nobody may."""
    name: str
    records: str = ""
    updates: str = ""
    servers: list = field(default_factory=lambda: ["127.0.0.1"])  # addresses of its NS
    whole: str = None  # the zone file as it is, sound or not

    def text(self):
        if self.whole is not None:
            return self.whole
        names = [f"ns{i}.{self.name}." for i in range(len(self.servers))]
        lines = ["$TTL 60", f"@ IN SOA {names[0]} admin.{self.name}. 1 3600 600 86400 1"]
        lines += [f"@ IN NS {name}" for name in names]
        lines += [f"{name} IN {'AAAA' if ':' in address else 'A'} {address}"
                  for name, address in zip(names, self.servers)]
        return "\n".join(lines) + "\n" + self.records + "\n"

    def statement(self):
        return f'zone "{self.name}" {{ type primary; file "{self.name}.zone"; {self.updates} }};\n'


def allow(key):
    """`updates` of a Zone: all that this key asks for."""
    return f'allow-update {{ key "{key.name}"; }};'


class Bind:
    """Starts at once and answers when the constructor returns. `server` is what rfc2136's
    `server:` and `resolvers:` name. `address` may be "::1"; other addresses of loopback are
    none of BIND's."""

    def __init__(self, folder, zones, keys=(), address="127.0.0.1"):
        if not os.path.exists(NAMED) or not os.path.exists(DIG):
            pytest.skip("bind9 and bind9-dnsutils are not installed")
        self.folder, self.address, self.port = folder, address, free_port()
        self.zones, self.keys = list(zones), list(keys)
        self._server = None
        folder.mkdir(parents=True, exist_ok=True)
        for zone in self.zones:
            (folder / f"{zone.name}.zone").write_text(zone.text())
        self.start()

    @property
    def server(self):
        return f"[{self.address}]:{self.port}" if self._v6 else f"{self.address}:{self.port}"

    @property
    def _v6(self):
        return ":" in self.address

    def _write_config(self):
        path = self.folder / "named.conf"
        path.write_text(
            "".join(key.statement() for key in self.keys) +
            f'options {{ directory "{self.folder}"; pid-file none; session-keyfile none;\n'
            f"listen-on port {self.port} {{ {'none' if self._v6 else self.address}; }};\n"
            f"listen-on-v6 port {self.port} {{ {self.address if self._v6 else 'none'}; }};\n"
            "recursion no; dnssec-validation no; notify no; empty-zones-enable no; };\n"
            "controls { };\n" +
            "".join(zone.statement() for zone in self.zones))
        return path

    def start(self):
        self._server = Background([NAMED, "-g", "-n", "1", "-c", self._write_config()],
                                  self.folder / "named.log")
        wait_until(self._answers, what="BIND answering")

    def _answers(self):
        assert self._server.running(), f"named ended: {self.log()[-2000:]}"
        return "\nfatal" not in self.log() and "status: " in self._dig("version.bind", "TXT", "CH")

    def stop(self):
        if self._server:
            self._server.kill()
            self._server = None

    close = stop

    def log(self):
        return (self.folder / "named.log").read_text(errors="replace")

    def _dig(self, name, rtype, rclass="IN"):
        return subprocess.run(
            [DIG, f"@{self.address}", "-p", str(self.port), "+tries=1", "+time=2", "+norecurse",
             "-q", name, "-t", rtype, "-c", rclass], capture_output=True, text=True).stdout

    def query(self, name, rtype="TXT"):
        """(rcode, the data of the answer's records of that type)"""
        said = self._dig(name, rtype)
        rcode = re.search(r"status: (\w+)", said)
        assert rcode, f"no answer from BIND: {said}"
        data = re.findall(rf"^[^;\s]\S*\s+\d+\s+IN\s+{rtype}\s+(.*)$", said, re.M)
        return rcode[1], data

    def texts(self, name):
        """The TXT records there, sorted."""
        return sorted(text.strip('"') for text in self.query(name)[1])
