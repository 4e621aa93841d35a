"""The application as Windows runs it: a service laid out like Xtract Core, its certificate
in LocalMachine\\My, its key in a container."""

import os
import shutil
import signal
from pathlib import Path

from .xc import Installation

VENDOR_SERVICE = "SAP Connector Service"


class WindowsApp(Installation):
    """Installed, its service made, not started. Has the words of lib.xc.XcApp."""

    def __init__(self, folder, wine, tool, programs, service=VENDOR_SERVICE, account=None):
        super().__init__(folder)
        self.wine, self.tool = wine, tool
        self.service_name = service
        self.abandoned = False
        shutil.copy(programs / "xcservice.exe", self.dir / "service.exe")
        install = (self.dir / "service.exe", "install", service,
                   account or f"NT SERVICE\\{service}")
        if wine.run(*install, check=False).returncode:  # one of that name was left behind
            wine.forget_service(service)
            wine.run(*install)

    def ctl(self, verb, check=True):
        if verb in ("stop", "restart"):
            self.wine.stop_service(self.service_name)
        if verb in ("start", "restart"):
            said = self.log()
            state = self.wine.start_service(self.service_name)
            if state == "stopped" and self.log() == said:
                # It says why it refuses: here Wine's SCM gave it up before it ran.
                state = self.wine.start_service(self.service_name)
            if check and state != "running":
                raise RuntimeError(f"'{self.service_name}' is {state}: {self.log()}")

    def start(self):
        self.ctl("start")

    def stop(self):
        self.ctl("stop")

    def remove(self):
        if self.abandoned:
            return
        self.misbehave()
        if self.wine.service_state(self.service_name) not in ("running", "stopped"):
            self.kill()
        try:
            self.ctl("stop", check=False)
        except TimeoutError:  # Wine's SCM has lost sight of it
            self.kill()
            self.wine.forget_service(self.service_name)
            return
        self.wine.run(self.dir / "service.exe", "uninstall", self.service_name, check=False)
        self.wine.service_has_gone(self.service_name)

    def log(self):
        path = self.dir / "service.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def install(self, leaf, container=None):
        """A certificate that did not come from certrenewd, in the store and tls.json. Its
        key may be read by the service's account, as the vendor's manual has it done."""
        from .tool import service_sid

        container = container or f"foreign-{leaf.thumbprint[:8]}"
        self.tool.import_leaf(leaf, self.dir, container)
        self.tool.set_dacl(container, "D:P(A;;GA;;;SY)(A;;GA;;;BA)"
                           f"(A;;GR;;;{service_sid(self.service_name)})")
        self.name_in_tls_json(leaf)
        return container

    def current(self):
        """What tls.json names, when the store has it."""
        named = self.thumbprint()
        return named if named in self.tool.entries() else None

    @staticmethod
    def refusal(words):
        """The SCM passes on a number (app/app.h: APP_TOLD_TO_REFUSE), no words."""
        return "exit code 5 of its own"

    def abandon(self):
        """Ended, and left to Wine's SCM, which does not notice: the service stops for ever.
        Use a service of its own name."""
        self.kill()
        self.abandoned = True

    def processes(self):
        """Of its program, in our prefix."""
        ours = f"WINEPREFIX={self.wine.prefix}\0".encode()
        mine = self.wine.path(self.dir / "service.exe").encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cmdline").read_bytes().split(b"\0")[0] == mine and \
                        ours in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def kill(self):
        """kill -9, for one that does not stop."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def versions(self):
        """Thumbprints in LocalMachine\\My that are not archived; a test begins with none."""
        return sorted(t for t, e in self.tool.entries().items() if not e["archived"])

    def container(self, thumbprint=None):
        """Where the key of an entry lies (of the one that tls.json names)."""
        return self.tool.entries()[thumbprint or self.thumbprint()]["container"]

    def target(self, **overrides):
        """For `deploy:`, with the preset: store and service are the preset's."""
        target = {
            "preset": "xtract-core", "install_dir": str(self.dir),
            "verify": [{"connect": f"127.0.0.1:{self.secure_port}"}],
            "verify_timeout": "10s",
            "http": f"127.0.0.1:{self.insecure_port}",
            "retire": {"after": "0s"},
        }
        target.update(overrides)
        return {key: value for key, value in target.items() if value is not None}
