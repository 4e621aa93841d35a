"""Free ports, waiting, and processes that leave nothing behind."""

import collections
import os
import random
import signal
import socket
import subprocess
import time

# What one worker of the tests was given and has not bound yet, another one must not get.
_SHARES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
# Nor the next server of the same test, nor another suite; what older tests were given is free
# again.
_given = collections.deque()
_GIVEN_MOST = 400


def _reserve(port):
    """A name of the network that this port is in: whoever has it may use the port. None:
    somebody else has, in whatever process, who may bind it later."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0certrenewd-tests-port-{port}")
    except OSError:
        name.close()
        return None
    return name


def free_port():
    """A port below the ephemeral range, so that no outgoing connection takes it meanwhile."""
    for _ in range(10000):
        port = random.randrange(11000 + _SHARE, 32000, _SHARES)
        name = _reserve(port)
        if not name:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                name.close()
                continue
        _given.append(name)
        if len(_given) > _GIVEN_MOST:
            _given.popleft().close()
        return port
    raise OSError("no port of 127.0.0.1 between 11000 and 32000 is free")


def wait_until(condition, timeout=20, what="the condition", interval=0.05):
    """Gives condition()'s first true value; raises with `what` when it never comes."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {timeout} s")
        time.sleep(interval)


def port_answers(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


class Background:
    """A program running in its own process group with its output in a file."""

    def __init__(self, argv, log, env=None, cwd=None):
        self.argv = [str(a) for a in argv]
        self.log = str(log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=env, cwd=cwd, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def text(self):
        with open(self.log, "r", errors="replace") as log:
            return log.read()

    def stop(self, sig=signal.SIGTERM, timeout=20):
        """Ends it and its group; gives the exit code (negative: the signal)."""
        if self.running():
            self.process.send_signal(sig)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.argv[0]} did not end within {timeout} s of {sig!r}")
        return self.process.returncode

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)
