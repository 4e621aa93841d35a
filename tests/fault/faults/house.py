"""A house with one certificate in service, in which short errands are done: every call of the
seam that no scenario comes by is reached by one of them. They share the preparation, so a
lane of one is a lane of all (`family.py`)."""

import copy
import http.server
import socket
import ssl
import subprocess
import threading
from functools import partial

from lib.authority import Authority
from lib.bind import Bind, TsigKey, Zone, allow
from lib.dns_services import DnsServices
from lib.xc import DEFAULT_SETTINGS
from lib.zone import PebbleZone

from .checks import require
from .scenarios import Scenario


def program(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


class TlsServer:
    """Reads chain and key anew for each connection, and says no more than those."""

    def __init__(self, chain, key):
        self.chain, self.key = chain, key
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.chain, self.key)
                context.wrap_socket(client, server_side=True).close()
            except OSError:
                client.close()

    def close(self):
        self._listener.close()


class Surroundings:
    """What an errand may meet besides the lane's CA and application. It belongs to the test:
    nothing of it is on the lane's disk."""

    def __init__(self, lane):
        self._closers = lane.closers
        self.folder = lane.folder / "log/house"
        self.folder.mkdir()
        self.zone = PebbleZone(lane.pebble)
        self.dns = DnsServices(self.folder, publish=self.zone.publish)
        lane.closers.append(self.dns.close)
        self._web = None
        lane.closers.append(self.put_away)
        self.kept = {}  # what an errand has made once

    def bind(self):
        """A name server of a zone whose name server, by its records, does not answer."""
        if "bind" not in self.kept:
            key = TsigKey()
            self.kept["bind"] = Bind(self.folder / "bind", [
                Zone("example.com", updates=allow(key), servers=["127.0.0.9"])], [key])
            self._closers.append(self.kept["bind"].close)
        return self.kept["bind"]

    def silence(self):
        """A port where nobody ever answers."""
        if "silence" not in self.kept:
            self.kept["silence"] = socket.create_server(("127.0.0.1", 0), backlog=64)
            self._closers.append(self.kept["silence"].close)
        return self.kept["silence"].getsockname()[1]

    def _tls(self, name, prepare):
        if name not in self.kept:
            chain, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
            prepare(chain, key)
            self.kept[name] = TlsServer(chain, key)
            self._closers.append(self.kept[name].close)
        return self.kept[name]

    def appliance(self):
        """A server that keeps its key to itself, and its request `own.csr`."""
        self.csr = self.folder / "own.csr"
        return self._tls("own", lambda _, key: subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", self.csr, "-subj",
             "/CN=own.example", "-addext", "subjectAltName=DNS:own.example"],
            check=True, capture_output=True))

    def without_chain(self):
        """The port of a server that leaves its intermediate out."""
        def issue(chain, key):
            leaf = Authority().issue("xc.example")
            chain.write_text(leaf.cert_pem)
            key.write_text(leaf.key_pem)

        return self._tls("alone", issue).port

    def serve(self, root, port):
        """Files below a folder, until put_away()."""
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        self._web = http.server.ThreadingHTTPServer(("127.0.0.1", port),
                                                    partial(Quiet, directory=str(root)))
        threading.Thread(target=self._web.serve_forever, args=(0.02,), daemon=True).start()

    def put_away(self):
        """What an errand had for itself."""
        if self._web:
            self._web.shutdown()
            self._web.server_close()
            self._web = None

    def secret(self, name, text):
        """A file as the configuration names one."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return {"file": str(path)}


class Errand(Scenario):
    """`arrange` brings a lane that is as ever to where this command is about to run. What is
    under way afterwards is ended by the same command, or by what `settle` says."""

    code = None
    new_orders = 0
    injectors = ("seam",)  # a way to its call sites: the scenarios meet the other faults

    def prepare(self, lane):
        lane.xc.start()
        lane.daemon.ok("renew", "xc")
        lane.xc.settings.write_text(DEFAULT_SETTINGS)
        lane.house = Surroundings(lane)
        lane.usual = copy.deepcopy(lane.daemon.config)

    def arrange(self, lane):
        pass

    def again(self, lane):
        lane.daemon.config = copy.deepcopy(lane.usual)
        lane.daemon.enter = []
        lane.house.put_away()
        self.arrange(lane)
        lane.daemon.write()

    def verify(self, lane, before, result):
        self.leave(lane)
        super().verify(lane, before, result)
        lane.house.put_away()

    def leave(self, lane):
        """The command is over, and so is what went on beside it."""
        lane.daemon.enter = []

    codes = (0, 3)  # of the command when nothing disturbs it any more

    def settle(self, lane, before):
        said = lane.daemon(*self.command(lane))
        require(said.code in self.codes, "it does not go well the next time", said)


class Renewing(Errand):
    """A renewal by another way: what has to hold after one has to hold here."""

    code = 0
    new_orders = 1

    def again(self, lane):
        super().again(lane)
        lane.certificate["key"] = {"type": "ec-p384"}
        lane.daemon.write()

    def settle(self, lane, before):
        Scenario.settle(self, lane, before)

    def check(self, lane, before):
        from .scenarios import renewed
        renewed(lane, before)
