"""A machine with a real systemd: a container booted from an overlay on a cached Debian 12
(tests/support/nspawn-root). It shares the host's loopback and sees the folders given at
their own paths, so that what runs inside and what checks outside speak of the same files."""

import os
import shutil
import subprocess
from pathlib import Path

from .waiting import Background, wait_until

NSPAWN_ROOT = Path(__file__).resolve().parents[2] / "support/nspawn-root"


class MachineError(Exception):
    pass


def _children(pid):
    try:
        tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(task) for task in tasks]


def _is_init(pid):
    """The first process of a pid namespace below ours."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return len(line.split()) > 2 and line.split()[-1] == "1"


class Cgroup:
    """A group of its own for each machine, in each hierarchy that systemd uses: two machines
    in one group would end each other's services."""

    def __init__(self, name):
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        self.folders = [
            Path(where) / name for _, where, kind, options, *_ in mounts
            if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options)]

    def wrap(self, argv):
        """argv that enters the groups first."""
        for folder in self.folders:
            folder.mkdir(exist_ok=True)
        script = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done'
        return ["sh", "-c", f'{script}; shift; exec "$@"', "sh", *self.folders, "--", *argv]

    def remove(self):
        wait_until(lambda: not any([self._remove(top) for top in self.folders]), 10,
                   "the removal of the machine's cgroup")

    @staticmethod
    def _remove(top):
        """True while something is left: the kernel frees a group with its last process."""
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return True
        return False


class Machine:
    """Boots at once; close() leaves no process, mount or cgroup."""

    def __init__(self, folder, binds=()):
        self.folder = Path(folder)
        self.name = f"crt-{os.getpid()}-{os.urandom(2).hex()}"
        self.cgroup, self._binds = Cgroup(self.name), binds
        self._nspawn = self._init = None
        self.root = self._mount()
        try:
            self._boot(binds)
        except BaseException:
            self.close()
            raise

    def reboot(self):
        """Shuts down in order and boots again on the same disk."""
        self("systemctl", "poweroff", check=False)
        self._nspawn.process.wait(60)
        self.cgroup.remove()
        self._boot(self._binds)

    def _mount(self):
        made = subprocess.run([NSPAWN_ROOT], capture_output=True, text=True)
        if made.returncode:
            raise MachineError(f"nspawn-root: {made.stderr}")
        lower, over = made.stdout.strip(), self.folder / "overlay"
        over.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", over], check=True)
        for part in ("upper", "work", "root"):
            (over / part).mkdir()
        options = f"lowerdir={lower},upperdir={over}/upper,workdir={over}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, over / "root"],
                       check=True)
        return over / "root"

    def _boot(self, binds):
        argv = ["systemd-nspawn", "-D", self.root, "--boot", "--quiet", "--register=no",
                "--keep-unit", "-M", self.name, "--console=pipe"]
        argv += [f"--bind={path}" for path in binds]
        self._nspawn = Background(self.cgroup.wrap(argv), self.folder / "console.log",
                                  env={"PATH": os.environ["PATH"]})
        self._init = wait_until(self._find_init, 60, "the machine's first process")
        wait_until(lambda: self("systemctl", "is-system-running").stdout.strip()
                   in ("running", "degraded"), 60, "the machine's boot")

    def _find_init(self):
        if not self._nspawn.running():
            raise MachineError(f"nspawn ended: {self._nspawn.text()[-2000:]}")
        return next((pid for pid in _children(self._nspawn.pid) if _is_init(pid)), None)

    @property
    def enter(self):
        """Put in front of an argument vector: runs it inside, in a unit-less group of the
        machine's own, with nothing of our environment but what `env` adds."""
        return ["nsenter", "-t", str(self._init), "-m", "-u", "-i", "-p", "--"]

    def __call__(self, *argv, timeout=60, check=False):
        done = subprocess.run(
            [*self.enter, *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=timeout,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"})
        if check and done.returncode:
            raise MachineError(f"{argv}: {done.stdout}{done.stderr}")
        return done

    def ctl(self, *words, check=True, timeout=60):
        return self("systemctl", *words, check=check, timeout=timeout).stdout.strip()

    def unit(self, name, *, start=False, description="for tests", type="simple", **service):
        """Writes NAME (ExecStart=... and so on as keywords) and reloads the manager."""
        lines = ["[Unit]", f"Description={description}", "StartLimitIntervalSec=0",
                 "[Service]", f"Type={type}"]
        lines += [f"{key}={value}" for key, value in service.items()]
        (self.root / "etc/systemd/system" / name).write_text("\n".join(lines) + "\n")
        self.ctl("daemon-reload")
        if start:
            self.ctl("start", name)
        return name

    def active(self, unit):
        return self.ctl("is-active", unit, check=False)

    def main_pid(self, unit):
        return int(self.ctl("show", "-P", "MainPID", unit))

    def journal(self, unit):
        return self("journalctl", "-u", unit, "-o", "cat", "--no-pager").stdout

    def close(self):
        if self._nspawn:
            if self._init:
                try:
                    os.kill(self._init, 9)
                except ProcessLookupError:
                    pass
            self._nspawn.kill()
        for mount in (self.root, self.root.parent):
            subprocess.run(["umount", "-l", mount], stderr=subprocess.DEVNULL)
        self.cgroup.remove()
        shutil.rmtree(self.folder / "overlay", ignore_errors=True)
