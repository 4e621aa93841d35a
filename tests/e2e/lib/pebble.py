"""Pebble: a real ACME server on loopback. Its state is in memory and its roots are new at
every start; any name resolves to 127.0.0.1."""

import json
import os
import re
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from .authority import Authority
from .waiting import Background, free_port, port_answers, wait_until

SUPPORT = Path(__file__).resolve().parents[2] / "support"
PEBBLE, CHALLTESTSRV = "/usr/bin/pebble", "/usr/bin/pebble-challtestsrv"


class Pebble:
    """Starts at once. `http_port` is where http-01 is fetched: certrenewd's `listen`;
    `validate_at`, where something stands between the two. `tls_port` is where tls-alpn-01
    is. Names are looked up at challtestsrv, or at `dns_server` ("127.0.0.1:5353")."""

    def __init__(self, folder, *, validity_s=None, eab=None, strict=False, nonce_reject=5,
                 authz_reuse=0, http_port=None, validate_at=None, binary=PEBBLE,
                 dns_server=None, env=None):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.binary, self.dns_server, self.env = binary, dns_server, env or {}
        self.port, self.management, self.dns = free_port(), free_port(), free_port()
        self.tls_port, self._resolver_management = free_port(), free_port()
        self.http_port = http_port or free_port()
        self.validate_at = validate_at or self.http_port
        self.listen = f"127.0.0.1:{self.http_port}"  # for a challenge's `listen:`
        self.validity_s, self.eab, self.strict = validity_s, eab, strict
        self.nonce_reject, self.authz_reuse = nonce_reject, authz_reuse
        self._server = self._resolver = None
        self._lent_at, self.as_made = 0, True
        self._write_api_certificate()
        self._start_resolver()
        self.start()

    @property
    def directory(self):
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def resolver_management(self):
        """Where challtestsrv is told what to answer."""
        self.as_made = False
        return self._resolver_management

    @property
    def ca_bundle(self):
        """What `ca_bundle:` of the issuer names: trust in the API, not in what it issues."""
        return self.folder / "api-root.pem"

    def _write_api_certificate(self):
        authority = Authority("Pebble API")
        leaf = authority.issue("127.0.0.1", "localhost")
        self.ca_bundle.write_text(authority.root_pem)
        (self.folder / "api.pem").write_text(leaf.fullchain_pem)
        (self.folder / "api.key").write_text(leaf.key_pem)

    def _start_resolver(self):
        self._resolver = Background(
            [CHALLTESTSRV, "-dns01", f"127.0.0.1:{self.dns}", "-defaultIPv6", "",
             "-http01", "", "-https01", "", "-tlsalpn01", "",
             "-management", f"127.0.0.1:{self._resolver_management}"],
            self.folder / "resolver.log")

    def _write_config(self):
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.folder / "api.pem"),
            "privateKey": str(self.folder / "api.key"),
            "httpPort": self.validate_at, "tlsPort": self.tls_port, "ocspResponderURL": "",
            "externalAccountBindingRequired": bool(self.eab),
            "externalAccountMACKeys": self.eab or {},
            "domainBlocklist": ["blocked.example"],
        }
        if self.validity_s:
            config["certificateValidityPeriod"] = self.validity_s
        path = self.folder / "pebble.json"
        path.write_text(json.dumps({"pebble": config}, indent=1))
        return path

    def start(self, *, validity_s="unchanged"):
        """(Again) at the same address, with new accounts and roots."""
        if validity_s != "unchanged":
            self.validity_s = validity_s
        env = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1",
               "PEBBLE_WFE_NONCEREJECT": str(self.nonce_reject),
               "PEBBLE_AUTHZREUSE": str(self.authz_reuse), **self.env}
        argv = [self.binary, "-config", self._write_config(),
                "-dnsserver", self.dns_server or f"127.0.0.1:{self.dns}"]
        if self.strict:
            argv.append("-strict")
        self._server = Background(argv, self.folder / "pebble.log", env=env)
        wait_until(lambda: port_answers(self.port) and port_answers(self.management),
                   what="Pebble's port answering")

    def stop(self):
        """The CA is gone; its address stays ours for start()."""
        self.as_made = False
        if self._server:
            self._server.kill()
            self._server = None

    def restart(self, **changes):
        self.stop()
        self.start(**changes)

    def close(self):
        self.stop()
        self._resolver.kill()

    def _managed(self, path):
        context = ssl.create_default_context(cafile=self.ca_bundle)
        url = f"https://127.0.0.1:{self.management}{path}"
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            return answer.read().decode()

    def root(self):
        """PEM of the root that signs now."""
        return self._managed("/roots/0")

    def running(self):
        return self._server is not None and self._server.running()

    def lend(self, folder):
        """To a test, whose folder shows the log."""
        log = self.folder / "pebble.log"
        self._lent_at = log.stat().st_size
        (folder / f"pebble-{self.port}.log").symlink_to(log)
        return self

    def log(self):
        """Since it was lent."""
        with open(self.folder / "pebble.log", "rb") as log:
            log.seek(self._lent_at)
            return log.read().decode(errors="replace")

    def requests(self, path):
        """How often `path` (such as '/order-plz') has been asked for, over all starts."""
        return len(re.findall(f"(GET|POST|HEAD) {re.escape(path)}", self.log()))


class Lender:
    """Starting one costs as much as some orders: one that a test left as it was made goes
    on to the next that wants the same. `make(folder, **options)` gives a Pebble."""

    KEPT = 4

    def __init__(self, folder, make=Pebble):
        self._folder, self._make, self._count = folder, make, 0
        self._idle, self._lent = [], []  # (kind, pebble), the one used last at the end

    def lend(self, folder, **options):
        kind = repr(sorted(options.items()))
        idle = next((one for one in self._idle if one[0] == kind), None)
        if idle:
            self._idle.remove(idle)
        else:
            self._count += 1
            idle = (kind, self._make(self._folder / f"pebble{self._count}", **options))
        self._lent.append(idle)
        return idle[1].lend(folder)

    def take_back(self):
        """All that are lent; those that are not as they were made end."""
        for kind, pebble in self._lent:
            if pebble.as_made and pebble.running():
                self._idle.append((kind, pebble))
            else:
                pebble.close()
        self._lent = []
        while len(self._idle) > self.KEPT:
            self._idle.pop(0)[1].close()

    def close(self):
        for _, pebble in self._idle:
            pebble.close()
        self._idle = []


def with_renewal_info():
    """The path of a Pebble that has ARI; made by tests/support/pebble26 when missing."""
    made = subprocess.run([SUPPORT / "pebble26"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no Pebble with ARI: {made.stderr.strip()[-200:]}")
    return made.stdout.strip()


def issuer_of(pebble, **more):
    """An entry of `issuers:` for a Pebble."""
    return {"directory": pebble.directory, "agree_to_terms": True,
            "ca_bundle": str(pebble.ca_bundle), "request_timeout": "10s", **more}
