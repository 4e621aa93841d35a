"""The application: an installation laid out like Xtract Core, run by xcctl."""

import json
import subprocess
from pathlib import Path

from .handshake import curl, served
from .waiting import free_port

DEFAULT_SETTINGS = '{\n    "protocol": "HTTPS - Restricted to custom users",\n    "port": 0\n}\n'


class Installation:
    """A folder laid out like the product's, on free ports; no word about how it runs."""

    def __init__(self, folder):
        self.dir = Path(folder)
        self.insecure_port, self.secure_port = free_port(), free_port()
        self.tls_json = self.dir / "config/servers/tls.json"
        self.settings = self.dir / "config/server/web/general.json"
        self.tls_json.parent.mkdir(parents=True)
        self.settings.parent.mkdir(parents=True)
        self.settings.write_text(DEFAULT_SETTINGS)
        (self.dir / "listener.json").write_text(json.dumps({
            "insecurePort": self.insecure_port, "securePort": self.secure_port,
            "workerName": "worker.exe", "mode": "Localhost"}))

    def misbehave(self, **how):
        """From the next start on: refuse="words", serve_old, hang, omit_chain,
        exit_after_s; `except_` names a thumbprint with which it behaves. Nothing: behave."""
        path = self.dir / "misbehave.json"
        if "except_" in how:
            how["except"] = how.pop("except_")
        if how:
            path.write_text(json.dumps(how))
        else:
            path.unlink(missing_ok=True)

    def name_in_tls_json(self, leaf):
        self.tls_json.write_text(json.dumps({
            "tlsEnabled": True, "certificate": {"thumbprint": leaf.thumbprint}}, indent=4))

    def thumbprint(self):
        """What tls.json names."""
        return json.loads(self.tls_json.read_text("utf-8-sig"))["certificate"]["thumbprint"]

    def served(self, name="localhost"):
        return served(self.secure_port, name)

    def serves_another(self, thumbprint):
        """Is a certificate served, and not this one?"""
        now = self.served()
        return now is not None and now.thumbprint != thumbprint

    def https(self):
        """(status, body) of GET /version over HTTPS; status 0 when nobody answers."""
        return curl(f"https://127.0.0.1:{self.secure_port}/version")

    def http(self):
        return curl(f"http://127.0.0.1:{self.insecure_port}/version")


class XcApp(Installation):
    """Installed but not started. `programs` is the folder with xcapp and xcctl."""

    def __init__(self, folder, programs):
        super().__init__(folder)
        self.store = self.dir.parent / (self.dir.name + "-live")
        self.app = (Path(programs) / "xcapp").resolve()
        self.xcctl = (Path(programs) / "xcctl").resolve()
        (self.dir / "xcctl.conf").write_text(f"APP='{self.app}'\nSTORE='{self.store}'\n")

    def ctl(self, verb, check=True):
        done = subprocess.run([self.xcctl, self.dir, verb], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=90)
        if check and done.returncode:
            raise RuntimeError(f"xcctl {verb}: {done.stderr}")
        return done.returncode

    def start(self):
        self.ctl("start")

    def stop(self):
        self.ctl("stop")

    def processes(self):
        """Of the service that runs."""
        return [int((self.dir / "xcctl.pid").read_text())]

    def log(self):
        return (self.dir / "xcctl.log").read_text(errors="replace")

    def install(self, leaf):
        """A certificate that did not come from certrenewd, in the store and tls.json."""
        folder = Path(f"{self.store}.versions") / leaf.thumbprint
        folder.mkdir(parents=True)
        (folder / "key.pem").write_text(leaf.key_pem)
        (folder / "cert.pem").write_text(leaf.cert_pem)
        (folder / "chain.pem").write_text(leaf.chain_pem)
        (folder / "fullchain.pem").write_text(leaf.fullchain_pem)
        self.name_in_tls_json(leaf)

    def current(self):
        """The thumbprint that the store names now."""
        return self.store.resolve().name

    @staticmethod
    def refusal(words):
        """What certrenewd can tell of a start that was refused with these words."""
        return words

    def versions(self):
        """Thumbprints in the store."""
        folder = Path(f"{self.store}.versions")
        return sorted(p.name for p in folder.iterdir()) if folder.exists() else []

    def service(self, timeout="20s"):
        """For `service:` of a target."""
        return {"command": [str(self.xcctl), str(self.dir), "restart"],
                "status": [str(self.xcctl), str(self.dir), "status"], "timeout": timeout}

    def target(self, **overrides):
        """For `deploy:`, with the preset."""
        target = {
            "preset": "xtract-core", "install_dir": str(self.dir),
            "store": {"type": "directory", "path": str(self.store)},
            "service": self.service(),
            "verify": [{"connect": f"127.0.0.1:{self.secure_port}"}],
            "verify_timeout": "10s",
            "http": f"127.0.0.1:{self.insecure_port}",
            "retire": {"after": "0s"},
        }
        target.update(overrides)
        return {key: value for key, value in target.items() if value is not None}
