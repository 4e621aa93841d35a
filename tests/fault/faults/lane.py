"""The surroundings of one run at a time: a CA, applications, a certrenewd and a webhook of
their own, with everything they keep on a disk. Lanes run side by side."""

import datetime
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import threading
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.x509 import load_pem_x509_certificate

from lib.daemon import Certrenewd
from lib.pebble import Pebble, issuer_of
from lib.waiting import port_answers
from lib.webhook import Webhook
from lib.xc import XcApp

# Of the control program: they belong to the process that runs, not to what is on disk.
NOT_KEPT = ("xcctl.pid", "xcctl.log", "xcctl.lock")


def leaf_at(port, name="localhost"):
    """SHA-1 of the certificate that is served; None when nobody completes a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, \
                context.wrap_socket(plain, server_hostname=name) as tls:
            return hashlib.sha1(tls.getpeercert(True)).hexdigest().upper()
    except OSError:
        return None


class App(XcApp):
    """An installation, its store and its name as a target."""

    def __init__(self, folder, programs):
        super().__init__(folder, programs)
        self.name = folder.name

    def leaf(self):
        return leaf_at(self.secure_port)

    def state(self):
        """What it serves: a thumbprint, "http", or None."""
        return self.leaf() or ("http" if port_answers(self.insecure_port) else None)

    def named(self):
        """What tls.json names; None when there is no tls.json."""
        return self.thumbprint() if self.tls_json.exists() else None

    def version(self, thumbprint):
        return self.store.parent / f"{self.store.name}.versions" / thumbprint


def end_strays(app):
    """Programs about this application that a run which died has left behind."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if str(app.dir).encode() in words:
                os.kill(int(path.parent.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


class Gate:
    """A way to a port of ours that can be shut: then whoever comes is sent away."""

    def __init__(self, port):
        self.shut, self._to = False, port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            if self.shut:
                client.close()
                continue
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self._to), timeout=60)
        except OSError:
            client.close()
            return
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listener.close()


class Lane:
    """`apps` applications xc0, xc1 ...; `pebble` are options of lib.pebble.Pebble. One
    certificate 'xc' for all of them."""

    def __init__(self, folder, build, apps=1, **pebble):
        self.folder, self.build = folder, build
        self.saved = folder / "saved"
        self._log_at, self._counted = 0, {}
        self.closers = []
        self.struck = None  # what an injector remembers of the last run here
        self.webhook = Webhook()
        self.pebble = Pebble(folder / "pebble", nonce_reject=0, **pebble)
        self.apps = [App(folder / f"xc{i}", build / "tests/support") for i in range(apps)]
        self.daemon = Certrenewd(folder / "certrenewd", build / "daemon/certrenewd")
        self.daemon.configure(issuers={"pebble": issuer_of(self.pebble)}, certificates={
            "xc": {"hosts": ["xc.example"], "issuers": ["pebble"],
                   "key": {"type": "ec-p256"},
                   "challenge": {"type": "http-01",
                                 "listen": f"127.0.0.1:{self.pebble.http_port}"},
                   "deploy": [self.target(app) for app in self.apps]}}, concurrency=1)

    @property
    def xc(self):
        return self.apps[0]

    @property
    def certificate(self):
        """Of the configuration; call daemon.write() after a change."""
        return self.daemon.config["certificates"]["xc"]

    @property
    def state(self):
        return self.daemon.state

    @staticmethod
    def target(app, **more):
        return app.target(name=app.name, verify_timeout="3s", **more)

    def tell(self, least="notice"):
        """Alerts go to the webhook from now on."""
        self.daemon.config["alerts"] = {"ops": {"type": "webhook", "url": self.webhook.url,
                                                "min": least}}
        self.daemon.write()

    def close(self):
        self.daemon.close()
        for app in self.apps:
            end_strays(app)
        for close in self.closers:
            close()
        self.pebble.close()
        self.webhook.close()

    # -- what the CA was asked

    def count(self, path):
        """How often the CA was asked for `path` since the lane was opened."""
        with open(self.pebble.folder / "pebble.log", "rb") as log:
            log.seek(self._log_at)
            new = log.read()
        whole = new.rfind(b"\n") + 1
        self._log_at += whole
        for asked in re.findall(rb"(?:GET|POST|HEAD) (/[a-z-]+)", new[:whole]):
            self._counted[asked.decode()] = self._counted.get(asked.decode(), 0) + 1
        return self._counted.get(path, 0)

    def orders(self):
        return self.count("/order-plz")

    def finalized(self):
        return self.count("/finalize-order")

    def asked(self):
        """How often the CA and the webhook were told something that changes what they know,
        since the lane was opened. Not by questions: a nonce, how an order is getting on."""
        self.count("")
        return len(self.webhook.requests) + sum(
            self._counted.get(path, 0) for path in (
                "/sign-me-up", "/order-plz", "/auth", "/chal", "/finalize-order",
                "/rollover-account-key", "/revoke-cert"))

    # -- the same beginning for every point

    def kept(self):
        """What a run may change on a disk."""
        return [p for p in self.folder.iterdir()
                if p.name not in ("pebble", "saved", "log")]

    def save(self):
        """What is on disk and served now is what restore() brings back."""
        shutil.rmtree(self.saved, ignore_errors=True)
        self.saved.mkdir()
        for path in self.kept():
            self._copy(path, self.saved / path.name)
        self._states = [app.state() for app in self.apps]

    def restore(self):
        for path in self.kept():
            self._empty(path)
        self.put_back(self.saved)
        for app, state in zip(self.apps, self._states):
            self.bring(app, state)
        self.webhook.answers = []
        self.webhook.alerts.clear()
        self.webhook.requests.clear()

    def put_back(self, source):
        for path in source.iterdir():
            self._copy(path, self.folder / path.name)

    def empty(self):
        """Nothing is on this lane's disk."""
        for path in self.kept():
            self._empty(path)

    @staticmethod
    def _empty(path):
        if path.is_symlink() or path.is_file():
            path.unlink()
            return
        for inner in path.iterdir():
            if inner.is_dir() and not inner.is_symlink():
                shutil.rmtree(inner)
            elif inner.name not in NOT_KEPT:
                inner.unlink()
        if not any(path.iterdir()):
            path.rmdir()

    @staticmethod
    def _copy(path, to):
        def skipped(folder, names):
            return [n for n in names if n in NOT_KEPT or n.endswith(".sock")]

        if path.is_symlink() or path.is_file():
            shutil.copy2(path, to, follow_symlinks=False)
        else:
            shutil.copytree(path, to, symlinks=True, ignore=skipped, dirs_exist_ok=True)

    @staticmethod
    def bring(app, state):
        """Restarts or stops the application until it is in that state."""
        if app.state() == state and state is not None:
            return
        if state is None:
            app.ctl("stop", check=False)
            return
        for _ in range(3):  # a port may be another program's for a moment
            if app.ctl("restart", check=False) == 0 and app.state() == state:
                return
        raise RuntimeError(f"{app.name} is not back in '{state}': {app.log()}")

    # -- what is remembered

    def job(self, name="xc"):
        path = self.state / f"certificates/{name}/job.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def let_time_pass(self, name="xc"):
        """A wait that was decided is over."""
        path = self.state / f"certificates/{name}/job.json"
        job, now = self.job(name), int(time.time())
        waits = [job.get(what, {}) for what in ("renewal", "deployment", "older")]
        waits += [target.get("fallback", {}) for target in job.get("targets", [])]
        for what in waits:
            if what.get("next_at"):
                what["next_at"] = now - 1
        if job:
            path.write_text(json.dumps(job))

    def in_hand(self, served):
        """Thumbprints of whole certificates in the state directory that were not served. One
        that has expired is of no use to anybody: in plain HTTP the last one lies there."""
        found = []
        for path in self.state.glob("certificates/xc/versions/*/fullchain.pem"):
            try:
                leaf = load_pem_x509_certificate(path.read_bytes())
            except ValueError:
                continue
            sha1 = leaf.fingerprint(hashes.SHA1()).hex().upper()
            if sha1 not in served and leaf.not_valid_after > datetime.datetime.utcnow():
                found.append(sha1)
        return found

    def mode(self, target="xc0"):
        """https, fallback or operator, as `status` says."""
        for said in self.daemon.status("xc")["targets"]:
            if said["name"] == target:
                return said["mode"]
        return None

    def pending(self):
        """Alerts that wait on disk."""
        return self.daemon.ok("status", "--json").json["alerts_pending"]

    def journals(self):
        """Every journal by its path below the state directory."""
        return {str(p.relative_to(self.state)): json.loads(p.read_text())
                for p in self.state.glob("certificates/*/**/journal.json")}
