"""Wine without a display: a prefix made once and kept under the user's cache, a copy for
each worker, and what the tests do in it."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .waiting import Background, wait_until

LOADER, SERVER = "/usr/lib/wine/wine64", "/usr/bin/wineserver"
# How a prefix is made; a change makes a new one.
RECIPE = [["wineboot", "-i"], ["winecfg", "-v", "win10"]]
KEPT_DAYS = 30


def _version():
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "wine64"],
                          capture_output=True, text=True, check=True).stdout


def _cache():
    home = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", "/root"), ".cache")
    return Path(home) / "certrenewd"


def _forget_old(cache, template):
    for other in cache.glob("wine-*"):
        if other != template and other.stat().st_mtime < time.time() - KEPT_DAYS * 86400:
            shutil.rmtree(other, ignore_errors=True)


def template():
    """The folder of the prefix that others are copied from; made when it is missing."""
    mark = hashlib.sha256(repr((RECIPE, _version())).encode()).hexdigest()[:12]
    cache = _cache()
    made = cache / f"wine-{mark}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "wine.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            partial = cache / "wine-partial"
            shutil.rmtree(partial, ignore_errors=True)
            wine = Wine(partial)
            for words in RECIPE:
                wine.run(*words, timeout=180)
            wine.end()
            partial.rename(made)
        os.utime(made)
        _forget_old(cache, made)
    return made


class Done:
    """What a program did: exit code and text, line ends as here."""

    def __init__(self, argv, returncode, stdout, stderr):
        self.argv, self.returncode = argv, returncode
        self.stdout = stdout.decode(errors="replace").replace("\r\n", "\n")
        self.stderr = stderr.decode(errors="replace").replace("\r\n", "\n")

    def __repr__(self):
        words = " ".join(map(str, self.argv))
        return f"{words} -> {self.returncode}\n{self.stdout}{self.stderr}"


class Wine:
    """One prefix: a Windows of its own, with its registry, services and port 80."""

    def __init__(self, prefix):
        self.prefix = Path(prefix)
        self.drive = self.prefix / "drive_c"

    @classmethod
    def copied(cls, prefix):
        """A fresh one, with its server running until end()."""
        subprocess.run(["cp", "-a", "--reflink=auto", template(), prefix], check=True)
        wine = cls(prefix)
        try:
            wine.start()
        except BaseException:
            wine.end()
            raise
        return wine

    def start(self):
        """Services end with the last program unless the server was told to stay."""
        subprocess.run([SERVER, "-p"], env=self.env(), check=True)
        self.run("wineboot")

    def reboot(self):
        """Nothing that ran survives, and what was marked to be deleted is gone."""
        self.end()
        self.start()

    def env(self, **more):
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "TZ")}
        return {**keep, "HOME": str(self.prefix.parent), "LC_ALL": "C.UTF-8",
                "WINEPREFIX": str(self.prefix), "WINEARCH": "win64", "WINEDEBUG": "-all",
                "WINELOADER": LOADER, "WINEDLLOVERRIDES": "winemenubuilder.exe=", **more}

    def path(self, path):
        """A path of ours as Windows sees it."""
        path = Path(path).absolute()
        if path.is_relative_to(self.drive):
            return "C:\\" + str(path.relative_to(self.drive)).replace("/", "\\")
        return "Z:" + str(path).replace("/", "\\")

    def inside(self, path):
        """And back."""
        assert path[1:3] == ":\\", path
        top = self.drive if path[0] in "cC" else Path("/")
        return top / path[3:].replace("\\", "/")

    def argv(self, *words):
        return [LOADER, *map(str, words)]

    def run(self, *words, timeout=60, check=True, env=None, cwd=None):
        """A program to its end."""
        argv = self.argv(*words)
        # Files, not pipes: what Wine starts meanwhile would keep a pipe open.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                  timeout=timeout, cwd=cwd, env=self.env(**(env or {})))
            out.seek(0)
            err.seek(0)
            done = Done(argv, done.returncode, out.read(), err.read())
        if check and done.returncode:
            raise AssertionError(done)
        return done

    def background(self, *words, log, env=None):
        return Background(self.argv(*words), log, env=self.env(**(env or {})))

    def end(self):
        subprocess.run([SERVER, "-k"], env=self.env())
        subprocess.run([SERVER, "-w"], env=self.env(), timeout=60)

    # -- services

    def service_state(self, name):
        """"running", "stopped", "start_pending" ...; None: there is none."""
        done = self.run("sc", "query", name, check=False)
        state = re.search(r"STATE\s+: \d+\s+(\w+)", done.stdout)
        return state and state[1].lower()

    def service_exit(self, name):
        """(Windows' exit code, the service's own)."""
        text = self.run("sc", "query", name).stdout
        return tuple(int(re.search(rf"{word}_EXIT_CODE\s+: (\d+)", text)[1])
                     for word in ("WIN32", "SERVICE"))

    def start_service(self, name, timeout=30):
        self.run("net", "start", name, check=False)
        wait_until(lambda: self.service_state(name) not in ("start_pending", "stop_pending"),
                   timeout, f"the service '{name}' having started")
        return self.service_state(name)

    def stop_service(self, name, timeout=30):
        self.run("net", "stop", name, check=False)
        wait_until(lambda: self.service_state(name) in ("stopped", None), timeout,
                   f"the service '{name}' having stopped")

    def service_has_gone(self, name, timeout=5):
        """After its deletion. The SCM keeps a deleted service while anybody has a handle,
        and refuses a new one of that name until then; Wine's SCM can forget the handle of
        a program that was killed. The others shall not pay for it: Windows is rebooted."""
        try:
            wait_until(lambda: self.service_state(name) is None, timeout)
        except TimeoutError:
            self.forget_service(name)

    def forget_service(self, name):
        """Whatever became of it, and of everything else that runs."""
        self.reboot()
        self.run("sc", "delete", name, check=False)  # Wine did not write it down
        wait_until(lambda: self.service_state(name) is None, 10,
                   f"'{name}' being gone after a reboot")

    # -- registry

    def registry(self, key, name=None):
        """The text of a value; None: there is none. Without a name: is there such a key?"""
        words = ["reg", "query", key] + (["/v", name] if name else [])
        done = self.run(*words, check=False)
        if not name:
            return done.returncode == 0
        match = re.search(rf"{re.escape(name)}\s+REG_\w+\s+(.*)", done.stdout)
        return match and match[1].strip()
