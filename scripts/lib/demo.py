#!/usr/bin/python3
"""demo.py - the demo itself; scripts/demo builds what it needs and starts it.

    demo.py TOP [--break-restart]

What certrenewd says is shown; what is claimed is asked of openssl, curl and the disk."""

import re
import shutil
import signal
import sys
import tempfile
import textwrap
import time
from pathlib import Path

TOP = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(TOP / "tests/e2e"))

from lib.daemon import Certrenewd  # noqa: E402
from lib.handshake import verified_by_openssl  # noqa: E402
from lib.pebble import Pebble  # noqa: E402
from lib.waiting import wait_until  # noqa: E402
from lib.webhook import Webhook  # noqa: E402
from lib.xc import DEFAULT_SETTINGS, XcApp  # noqa: E402

HOST = "xc.example"
DAY = 86400
SHORT_S = 40  # the certificate that expires before our eyes
# Steps and events of the log that are worth a line on the screen.
SHOWN = ("decide", "preflight", "order", "challenge", "finalize", "download", "stored",
         "pointed", "restarted", "verified", "retired", "failed", "expired", "fallback",
         "recovered", "renewed")
COLOURED = sys.stdout.isatty()


class Disagreement(Exception):
    pass


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURED else text


def part(number, title):
    print("\n" + paint("1;44", f" {number}. {title} ".ljust(78)), flush=True)


def tell(text):
    print(paint("36", text), flush=True)


def show(text):
    """What certrenewd says."""
    for line in text.rstrip().splitlines():
        for row in textwrap.wrap(line, 96, subsequent_indent="        ") or [""]:
            print("  " + paint("2", row), flush=True)


def claim(who, text, true):
    """A claim that `who`, a program not ours, has to confirm."""
    mark = paint("1;32", "agrees   ") if true else paint("1;31", "DISAGREES")
    print(f"{mark} {paint('1', who)}: {text}", flush=True)
    if not true:
        raise Disagreement(f"{who}: {text}")


def eventually(condition, timeout):
    try:
        return bool(wait_until(condition, timeout, interval=0.1))
    except TimeoutError:
        return False


class Demo:
    def __init__(self, folder, break_restart):
        self.folder, self.break_restart = folder, break_restart
        self.pebble = self.webhook = self.xc = self.certrenewd = None

    def open(self):
        build = TOP / "build/release"
        self.xc = XcApp(self.folder / "xtract-core", build / "tests/support")
        self.webhook = Webhook()
        self.certrenewd = Certrenewd(self.folder / "etc", build / "daemon/certrenewd")
        self.pebble = Pebble(self.folder / "ca", validity_s=2 * DAY + 5)

    def close(self):
        if self.certrenewd:
            self.certrenewd.close()
        if self.xc:
            self.xc.ctl("stop", check=False)
        if self.webhook:
            self.webhook.close()
        if self.pebble:
            self.pebble.close()

    def configure(self, *more_hosts, **renew):
        certificate = {
            "hosts": [HOST, *more_hosts], "issuers": ["pebble"],
            "challenge": {"type": "http-01", "listen": f"127.0.0.1:{self.pebble.http_port}"},
            "deploy": [self.xc.target()],
        }
        if renew:
            certificate["renew"] = renew
        self.certrenewd.configure(
            issuers={"pebble": {"directory": self.pebble.directory, "agree_to_terms": True,
                                "ca_bundle": str(self.pebble.ca_bundle)}},
            certificates={"xc": certificate},
            alerts={"ops": {"type": "webhook", "url": self.webhook.url, "min": "notice"}})

    def steps(self, since=0):
        """What the daemon has logged about the certificate behind offset `since`: the last
        line of each step, in order."""
        steps = {}
        for line in self.certrenewd.log()[since:].splitlines():
            match = re.match(r"\S+ (\w+ +)cert=xc run=\S+ ((\w+).*)", line)
            if match and match[3] in SHOWN:
                steps.pop(match[3], None)
                steps[match[3]] = match[1] + match[2]
        return "\n".join(steps.values())

    # -- the parts

    def prepare(self):
        tell(f"An application with a certificate for {HOST} that has 2 days left, from a "
             "local ACME CA.")
        self.xc.start()
        self.configure()
        self.certrenewd.ok("renew", "xc")
        self.xc.settings.write_text(DEFAULT_SETTINGS)  # as its operator chose them
        self.webhook.alerts.clear()
        served = self.xc.served(HOST)
        claim("openssl", f"port {self.xc.secure_port} serves {served and served.thumbprint} "
              f"until {served and served.not_after}", served is not None)
        return served.thumbprint

    def renewal(self):
        part(1, "A certificate with 2 days left is renewed")
        old = self.prepare()
        self.pebble.restart(validity_s=90 * DAY)
        self.configure(at="2d")
        if self.break_restart:
            self.xc.misbehave(refuse="licence server unreachable", except_=old)
        tell("\nThe operator wants it renewed when 2 days are left.  certrenewd explain xc")
        time.sleep(5)
        show(self.certrenewd("explain", "xc").out)
        tell("\nThe daemon starts and finds it due.  certrenewd run")
        self.certrenewd.start()
        done = eventually(lambda: self.webhook.of("renewed") or self.webhook.of("failed"), 40)
        gone = eventually(lambda: old not in self.xc.versions(), 10)
        show(self.steps())
        print()
        served = self.xc.served(HOST)
        claim("openssl", f"port {self.xc.secure_port} serves another certificate, "
              f"{served.thumbprint}, until {served.not_after}",
              done and served.thumbprint != old)
        claim("openssl", f"it verifies for {HOST} under the CA's root",
              verified_by_openssl(self.xc.secure_port, HOST, self.pebble.root(),
                                  self.folder))
        claim("tls.json", "names it too", self.xc.thumbprint() == served.thumbprint)
        claim("the disk", f"the old one, {old}, and its key are gone", gone)

    def expiry(self):
        part(2, "The CA is gone and a certificate expires")
        self.pebble.restart(validity_s=SHORT_S)
        tell(f"A name is added, so it is renewed; this time the CA gives {SHORT_S} s.")
        before = self.xc.served(HOST).thumbprint
        self.configure(f"www.{HOST}")
        self.certrenewd.reload()
        short = eventually(lambda: self.xc.serves_another(before), 20)
        served = self.xc.served(HOST)
        claim("openssl", f"port {self.xc.secure_port} serves {' and '.join(served.names)} "
              f"until {served.not_after}", short and len(served.names) == 2)
        eventually(lambda: len(self.xc.versions()) == 1, 10)
        self.pebble.stop()
        since = len(self.certrenewd.log())
        claim("curl", "the CA does not answer any more", not self.ca_answers())
        tell(f"\nWaiting for the end: about {SHORT_S} s ...")
        http = eventually(lambda: self.xc.http()[0] == 200, SHORT_S + 40)
        alert = eventually(lambda: self.webhook.of("fallback"), 15)
        show(self.steps(since))
        print()
        claim("curl", f"the application answers plain HTTP on port {self.xc.insecure_port}: "
              f"{self.xc.http()[1]}", http)
        claim("openssl", f"nothing is served on port {self.xc.secure_port}",
              self.xc.served(HOST) is None)
        claim("the webhook", "the operator was told", alert)
        show(self.webhook.of("fallback")[0].get("text", ""))

    def recovery(self):
        part(3, "The CA returns")
        since = len(self.certrenewd.log())
        self.pebble.start(validity_s=90 * DAY)
        tell("Nobody touches certrenewd; its next attempt finds the CA ...")
        https = eventually(lambda: self.xc.https()[0] == 200, 100)
        told = eventually(lambda: self.webhook.of("recovered"), 15)
        show(self.steps(since))
        print()
        served = self.xc.served(HOST)
        claim("curl", f"HTTPS answers on port {self.xc.secure_port}: {self.xc.https()[1]}",
              https)
        claim("openssl", f"{served and served.thumbprint} until "
              f"{served and served.not_after}, verified under the CA's root",
              verified_by_openssl(self.xc.secure_port, HOST, self.pebble.root(),
                                  self.folder))
        claim("curl", f"nothing answers plain HTTP on port {self.xc.insecure_port}",
              self.xc.http()[0] == 0)
        claim("the disk", "the settings that the application reset are back",
              "HTTPS - Restricted" in self.xc.settings.read_text())
        claim("the webhook", "'recovered' closes the trouble", told)

    def ca_answers(self):
        from lib.handshake import curl

        return curl(self.pebble.directory)[0] != 0

    def run(self):
        self.renewal()
        self.expiry()
        self.recovery()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="certrenewd-demo."))
    demo = Demo(folder, "--break-restart" in sys.argv[2:])
    try:
        demo.open()
        demo.run()
    except (Disagreement, AssertionError, RuntimeError, TimeoutError) as trouble:
        print(paint("1;31", f"\nThe demo has failed: {trouble}"), flush=True)
        if demo.certrenewd:
            show(re.sub(r"(?m)^", "log: ", demo.certrenewd.log()[-3000:]))
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        demo.close()
        shutil.rmtree(folder, ignore_errors=True)
    took = time.monotonic() - began
    print(paint("1;32", f"\nEverything agreed, in {took:.0f} s. Nothing is left running."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
