#!/usr/bin/python3
"""bench.py - one renewal by the running daemon beside uacme, and the daemon at rest.

    bench.py TOP [--renewals N] [--certificates N] [--idle SECONDS]

Both speak to the same Pebble through a relay that counts connections; requests are counted
in Pebble's log. The daemon's part of a renewal ends when the certificate is in hand: what
follows, the deployment, is left out. Its account is warm and it has renewed before; so has
uacme. Medians are printed; no figure is asserted."""

import argparse
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(TOP / "tests/e2e"))

from lib.authority import Authority  # noqa: E402
from lib.daemon import Certrenewd  # noqa: E402
from lib.pebble import Pebble  # noqa: E402
from lib.waiting import Background, free_port, port_answers, wait_until  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


class Relay:
    """A TCP relay in front of the CA that counts connections; it reads nothing."""

    def __init__(self, to):
        self.to, self.connections = to, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self.to))
            for one, other in ((client, server), (server, client)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


class SniServer:
    """Serves for every server name what lies in FOLDER/<name>/, read at each handshake."""

    def __init__(self, folder):
        leaf = Authority().issue("nobody.example")
        self.folder = folder
        (folder / "nobody.pem").write_text(leaf.fullchain_pem + leaf.key_pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "nobody.pem")
        self.context.sni_callback = self._choose
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _choose(self, connection, name, _):
        folder = self.folder / (name or "")
        if name and (folder / "fullchain.pem").exists():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "fullchain.pem", folder / "key.pem")
            connection.context = context

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            client.settimeout(5)
            with self.context.wrap_socket(client, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def cpu_s(pid):
    """CPU seconds of all threads so far, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass  # a thread that has just ended
    return total / 1e9


def memory_kib(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def wakeups(pid):
    """Voluntary context switches of all threads: each is a sleep that ended."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


class Bench:
    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.pebble = Pebble(folder / "ca", validity_s=3600, nonce_reject=0)
        self.relay = Relay(self.pebble.port)
        self.directory = f"https://127.0.0.1:{self.relay.port}/dir"
        self.live = folder / "live"
        self.live.mkdir()
        self.server = SniServer(self.live)
        self.daemons = []

    def close(self):
        for daemon in self.daemons:
            daemon.close()
        self.server.close()
        self.relay.close()
        self.pebble.close()

    def count(self):
        """(requests, connections) at the CA so far."""
        return self.pebble.requests("/"), self.relay.connections

    # -- certrenewd

    def certificate(self, host, key):
        files = {part: str(self.live / host / f"{part}.pem") for part in ("key", "fullchain")}
        return {"hosts": [host], "issuers": ["pebble"], "key": {"type": key},
                "challenge": {"type": "http-01",
                              "listen": f"127.0.0.1:{self.pebble.http_port}"},
                "deploy": [{"store": {"type": "files", "files": files},
                            "verify": [{"connect": f"127.0.0.1:{self.server.port}"}],
                            "service": "none", "retire": {"after": "0s"}}]}

    def daemon(self, name, certificates):
        for entry in certificates.values():
            (self.live / entry["hosts"][0]).mkdir(exist_ok=True)
        daemon = Certrenewd(self.folder / name, TOP / "build/release/daemon/certrenewd")
        daemon.configure({"pebble": {"directory": self.directory, "agree_to_terms": True,
                                     "ca_bundle": str(self.pebble.ca_bundle)}}, certificates)
        self.daemons.append(daemon)
        return daemon

    def one_renewal(self, daemon, name):
        """(wall, cpu, requests, connections) from the order to the certificate in hand, as
        seen in the daemon's log."""
        pid, seen = daemon.process.pid, len(daemon.log())
        before, cpu, began = self.count(), cpu_s(pid), None
        command = subprocess.Popen(daemon._argv(["renew", name, "--force"]),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while command.poll() is None:
            text = daemon.log()[seen:]
            if began is None and " order: " in text:
                began, cpu = time.monotonic(), cpu_s(pid)
            if " stored: " in text:
                ended = time.monotonic()
                figures = (ended - (began or ended), cpu_s(pid) - cpu)
                break
            time.sleep(0.0005)
        if command.wait(60):
            raise RuntimeError(f"the renewal failed:\n{daemon.log()[-2000:]}")
        after = self.count()
        return (*figures, after[0] - before[0], after[1] - before[1])

    def certrenewd(self, key):
        daemon = self.daemon(f"daemon-{key}", {"one": self.certificate(f"{key}.example", key)})
        daemon.start()
        wait_until(lambda: "renewed" in daemon.log(), 60, "the first certificate")
        rows = [self.one_renewal(daemon, "one") for _ in range(self.options.renewals)]
        memory = memory_kib(daemon.process.pid, "VmHWM")
        daemon.stop()
        return [statistics.median(column) for column in zip(*rows)] + [memory]

    # -- uacme

    def prepare_uacme(self):
        """A web server for its challenges and a bundle in which it trusts the CA."""
        self.www = self.folder / "www"
        (self.www / ".well-known/acme-challenge").mkdir(parents=True)
        self.hook = self.folder / "hook"
        self.hook.write_text(
            '#!/bin/sh\n# METHOD TYPE IDENT TOKEN AUTH\n[ "$2" = http-01 ] || exit 1\n'
            f'file={self.www}/.well-known/acme-challenge/"$4"\n'
            'case $1 in begin) printf %s "$5" >"$file" ;; *) rm -f "$file" ;; esac\n')
        self.hook.chmod(0o755)
        self.web = Background(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1",
                               self.pebble.http_port, "-d", self.www],
                              self.folder / "www.log")
        wait_until(lambda: port_answers(self.pebble.http_port), what="the web server")
        self.uacme_run("new", "-y")

    def uacme_run(self, *words):
        bundle, system = self.pebble.ca_bundle, "/etc/ssl/certs/ca-certificates.crt"
        argv = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"',
                str(bundle), system, "uacme", "-c", str(self.folder / "uacme"),
                "-a", self.directory, "-h", str(self.hook), *words]
        began = time.monotonic()
        pid = os.posix_spawn("/usr/bin/unshare", argv, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, str(self.folder / "uacme.log"),
             os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2)])
        _, status, usage = os.wait4(pid, 0)
        if status:
            raise RuntimeError("uacme: " + (self.folder / "uacme.log").read_text())
        return (time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)

    def uacme(self, key):
        kind = ["-t", "EC", "-b", "256"] if key == "ec-p256" else ["-t", "RSA", "-b", "2048"]
        rows = []
        for turn in range(self.options.renewals + 1):
            before = self.count()
            time.sleep(1.1)  # it names files by the second
            wall, cpu, memory = self.uacme_run("-f", *kind, "issue", f"{key}.uacme.example")
            after = self.count()
            if turn:
                rows.append((wall, cpu, after[0] - before[0], after[1] - before[1], memory))
        return [statistics.median(column) for column in zip(*rows)]

    # -- at rest

    def at_rest(self):
        n, idle_s = self.options.certificates, self.options.idle
        self.pebble.restart(validity_s=90 * 86400)
        daemon = self.daemon("rest", {
            f"c{i}": self.certificate(f"c{i}.example", "ec-p256") for i in range(n)})
        daemon.start()
        wait_until(lambda: daemon.log().count(" renewed: ") >= n, 60 + 5 * n,
                   f"{n} certificates")
        daemon.stop()
        daemon.start()  # as after a boot
        time.sleep(min(75, idle_s))  # the workers let go of their sessions
        pid = daemon.process.pid
        before, cpu = wakeups(pid), cpu_s(pid)
        time.sleep(idle_s)
        figures = {"RssAnon": f"{memory_kib(pid, 'RssAnon') / 1024:.1f} MiB",
                   "resident": f"{memory_kib(pid, 'VmRSS') / 1024:.1f} MiB",
                   "wake-ups": f"{(wakeups(pid) - before) * 60 / idle_s:.1f} a minute",
                   "CPU": f"{(cpu_s(pid) - cpu) * 60000 / idle_s:.2f} ms a minute"}
        daemon.stop()
        return figures


def row(name, figures):
    wall, cpu, requests, connections, memory = figures
    print(f"{name:24} {wall * 1000:9.1f} {cpu * 1000:9.1f} {requests:9.0f} "
          f"{connections:11.0f} {memory / 1024:9.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--renewals", type=int, default=15)
    parser.add_argument("--certificates", type=int, default=100)
    parser.add_argument("--idle", type=float, default=120)
    options = parser.parse_args(sys.argv[2:])
    with tempfile.TemporaryDirectory(prefix="certrenewd-bench.") as folder:
        bench = Bench(Path(folder), options)
        try:
            print(f"One renewal, warm account, median of {options.renewals}\n"
                  f"{'':24} {'wall ms':>9} {'CPU ms':>9} {'requests':>9} {'connections':>11} "
                  f"{'peak MiB':>9}", flush=True)
            ours = {key: bench.certrenewd(key) for key in ("ec-p256", "rsa-2048")}
            bench.prepare_uacme()
            try:
                for key, figures in ours.items():
                    row(f"certrenewd, {key}", figures)
                    theirs = bench.uacme(key)
                    row(f"uacme, {key}", theirs)
                    print(f"{'':24} {figures[0] / theirs[0]:8.3f}x "
                          f"{figures[1] / theirs[1]:8.3f}x", flush=True)
            finally:
                bench.web.kill()
            rest = bench.at_rest()
            print(f"\nAt rest with {options.certificates} certificates, over "
                  f"{options.idle:.0f} s")
            for name, figure in rest.items():
                print(f"{name:24} {figure}", flush=True)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
