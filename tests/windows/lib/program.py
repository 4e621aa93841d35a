"""certrenewd.exe under Wine: in a console, or installed as the service that it is."""

import signal

from .daemon import Certrenewd, Result
from .waiting import wait_until

SERVICE = "certrenewd"


class WindowsCertrenewd(Certrenewd):
    """The words of lib.daemon.Certrenewd. Paths in the configuration are ours; they are
    written as Windows sees them."""

    def __init__(self, folder, wine, binary):
        super().__init__(folder, binary)
        self.wine = wine
        self.as_service = False

    def _for_windows(self, value):
        if isinstance(value, dict):
            return {key: self._for_windows(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._for_windows(item) for item in value]
        if isinstance(value, str) and value.startswith(str(self.wine.prefix.parent)):
            return self.wine.path(value)
        return value

    def write(self):
        ours = self.config
        self.config = self._for_windows(ours)
        super().write()
        self.config = ours

    def __call__(self, *words, timeout=120, env=None):
        done = self.wine.run(self.binary, "--config", self.wine.path(self.config_path),
                             *words, timeout=timeout, check=False, env=env)
        return Result(done.argv, done)

    # -- the daemon

    def start(self, wait=True):
        """`run` in a console, whose output is the log."""
        self.process = self.wine.background(
            self.binary, "--config", self.wine.path(self.config_path), "run",
            log=self.log_path)
        if wait:
            wait_until(lambda: "certrenewd" in self.log() and " keeps " in self.log() or
                       self._ended(), what="the daemon's first words")

    def reload(self):
        self.ok("reload")

    def stop(self, timeout=30):
        """Ctrl-C; gives the exit code."""
        code = self.process.stop(signal.SIGINT, timeout)
        self.process = None
        return code

    # -- as a service

    def install(self):
        self.ok("service", "install")
        self.as_service = True

    def start_service(self):
        return self.wine.start_service(SERVICE)

    def stop_service(self):
        self.wine.stop_service(SERVICE)

    def uninstall(self):
        if self.as_service:
            self.as_service = False
            try:
                self.stop_service()
                self.ok("service", "uninstall")
                self.wine.service_has_gone(SERVICE)
            except TimeoutError:
                self.wine.forget_service(SERVICE)

    def close(self):
        super().close()
        self.uninstall()
