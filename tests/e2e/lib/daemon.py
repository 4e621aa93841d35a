"""certrenewd itself: its configuration, its commands, and the running daemon."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import yaml

from .waiting import Background, wait_until

SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
              "UBSAN_OPTIONS": "print_stacktrace=1"}


class _Dumper(yaml.SafeDumper):
    """Writes values out each time: certrenewd refuses aliases."""

    def ignore_aliases(self, data):
        return True


class Result:
    def __init__(self, argv, done):
        self.argv, self.code = argv, done.returncode
        self.out, self.err = done.stdout, done.stderr
        self.text = self.out + self.err

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"{' '.join(map(str, self.argv))} -> {self.code}\n{self.out}{self.err}"


class Certrenewd:
    """One configuration and state directory below `folder`. `enter` is put in front of
    every command, such as the way into a machine."""

    def __init__(self, folder, binary, enter=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = Path(binary).resolve()
        self.enter = list(enter)
        self.config_path = self.folder / "certrenewd.yaml"
        self.state = self.folder / "state"
        self.log_path = self.folder / "certrenewd.log"
        self.config = {}
        self.process = None

    def configure(self, issuers, certificates, alerts=None, **top):
        """Writes the configuration; keep changing self.config and call write()."""
        self.config = {"state_dir": str(self.state), "issuers": issuers,
                       "certificates": certificates, **top}
        if alerts:
            self.config["alerts"] = alerts
        self.write()

    def write(self):
        self.config_path.write_text(yaml.dump(self.config, Dumper=_Dumper, sort_keys=False))
        self.config_path.chmod(0o600)

    def _argv(self, words):
        return [*self.enter, str(self.binary), "--config", str(self.config_path), *words]

    def _env(self, extra=None):
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TZ")}
        return {**keep, "LANG": "C.UTF-8", **SANITIZERS, **(extra or {})}

    def __call__(self, *words, timeout=120, env=None):
        """One command to its end. A sanitizer's finding is an error of the test."""
        argv = self._argv(words)
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=timeout,
                              env=self._env(env))
        result = Result(argv, done)
        self._check_sanitizers(result.err)
        return result

    def ok(self, *words, **options):
        result = self(*words, **options)
        if result.code:
            raise AssertionError(result)
        return result

    def status(self, name="xc"):
        """The certificate's object of `status NAME --json`."""
        answer = self.ok("status", name, "--json").json
        for certificate in answer.get("certificates", [answer]):
            if certificate.get("name", name) == name:
                return certificate
        raise AssertionError(f"status says nothing of '{name}': {answer}")

    # -- the daemon

    def start(self, wait=True):
        """`run` in the background; returns when the control channel is there."""
        self.process = Background(self._argv(["run"]), self.log_path, env=self._env())
        if wait:
            wait_until(lambda: (self.state / "control.sock").exists() or self._ended(),
                       what="the daemon's control socket")

    def _ended(self):
        if not self.process.running():
            raise AssertionError(f"the daemon ended at once:\n{self.log()[-4000:]}")
        return False

    def reload(self):
        self.process.process.send_signal(signal.SIGHUP)

    def stop(self, timeout=30):
        """SIGTERM; gives the exit code."""
        code = self.process.stop(timeout=timeout)
        self.process = None
        self._check_sanitizers(self.log())
        return code

    def kill(self):
        self.process.kill()
        self.process = None

    def close(self):
        if self.process:
            self.process.kill()
            self.process = None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_log(self, pattern, timeout=30, after=0):
        """The first match of the regular expression in the log behind offset `after`."""
        return wait_until(lambda: re.search(pattern, self.log()[after:]), timeout,
                          f"log line '{pattern}'")

    @staticmethod
    def _check_sanitizers(text):
        for words in ("AddressSanitizer", "LeakSanitizer", "runtime error:"):
            if words in text:
                raise AssertionError(text[max(0, text.index(words) - 500):][:6000])
