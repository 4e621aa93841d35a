"""As test_seam.py, on the other ways: the first deployment, back to what was served before,
to plain HTTP and back from it. Every `scripts/test` takes a call site or two of each, those
first that change what others see, from another place on each day; all of them, an hour:
CERTRENEWD_FAULT=all."""

import datetime
import shutil
import time

import pytest

from lib import seams
from lib.killing import allow_more, served_one_of
from lib.sites import Program
from test_fallback import speaks_http
from test_seam import ALL, CHANGES, SEAM, seam_program  # noqa: F401, F811

FEW, SECONDS = 1, 5  # of a way: at least so many, then no more when so long


class Way:
    words = ("renew", "xc")

    def __init__(self, dying, xc, tool):
        self.dying, self.xc, self.tool = dying, xc, tool

    def begin(self):
        """Everything is as it was before the command."""

    def end(self):
        """The next run has ended what was begun; then it is made to begin again."""

    def whole(self):
        """tls.json names what is served, by a key that signs."""
        assert self.xc.served().thumbprint == self.xc.thumbprint()
        assert self.tool.signs(self.xc.thumbprint())


class First(Way):
    """The application speaks plain HTTP, and certrenewd knows of nothing."""

    def begin(self):
        self.xc.stop()
        self.xc.tls_json.unlink(missing_ok=True)
        shutil.rmtree(self.dying.state / "certificates")
        self.xc.start()

    def end(self):
        if self.dying("renew", "xc").code not in (0, 3) or not self.xc.tls_json.exists():
            self.dying.ok("renew", "xc", "--force")  # the order was not over
        self.whole()


class Back(Way):
    """The operator takes a renewal back."""

    words = ("rollback", "xc")

    def begin(self):
        if self.dying.config["certificates"]["xc"]["deploy"][0]["retire"] != {"after": "1h"}:
            self.dying.config["certificates"]["xc"]["deploy"][0]["retire"] = {"after": "1h"}
            self.dying.write()
        self.old = self.xc.thumbprint()
        self.dying.ok("renew", "xc", "--force")
        self.new = self.xc.thumbprint()

    def end(self):
        self.dying("renew", "xc")
        served_one_of(self.xc, self.old, self.new)
        self.whole()
        self.dying("deploy", "xc")
        assert self.xc.thumbprint() == self.new
        self.whole()


class ToHttp(Way):
    """The operator takes it to plain HTTP."""

    words = ("fallback", "xc", "on")

    def begin(self):
        self.old, self.written = self.xc.thumbprint(), self.xc.tls_json.read_bytes()

    def end(self):
        self.dying("renew", "xc")
        self.dying("fallback", "xc", "on")
        assert speaks_http(self.xc)
        self.dying.ok("fallback", "xc", "off")
        self.as_before()

    def as_before(self):
        assert self.xc.tls_json.read_bytes() == self.written
        served_one_of(self.xc, self.old)
        self.whole()


class FromHttp(ToHttp):
    """The operator takes it back from plain HTTP."""

    words = ("fallback", "xc", "off")

    def begin(self):
        super().begin()
        self.dying.ok("fallback", "xc", "on")

    def end(self):
        self.dying("renew", "xc")
        self.dying("fallback", "xc", "off")
        self.as_before()


def chosen(calls):
    """Each site with a fault; of all, with every fault."""
    first = {}
    for call in calls:
        first.setdefault((call.name, call.address), call)
    if ALL:
        return [(call, kind) for call in first.values() for kind in seams.kinds_of(call.name)]
    changing = [call for call in first.values() if call.name in CHANGES]
    start = datetime.date.today().toordinal() % len(changing)
    return [(call, seams.kinds_of(call.name)[-1 if i % 2 else 0])
            for i, call in enumerate(changing[start:] + changing[:start])]


class Seam:
    """Runs the ways' commands with the program of the seam."""

    def __init__(self, wine, dying, program, log):
        self.wine, self.dying, self.binary, self.log = wine, dying, program, log
        self.program = Program(str(SEAM), "x86_64-w64-mingw32-")

    def run(self, way, call=None, kind=None):
        self.log.unlink(missing_ok=True)
        allow_more(self.dying)
        way.begin()
        where = self.wine.path(self.log)
        env = seams.failing(call, kind, where) if call else seams.recording(where)
        return self.wine.run(
            self.binary, "--config", self.wine.path(self.dying.config_path), *way.words,
            env=env, check=False, timeout=120)

    def fail(self, way, call, kind):
        done = self.run(way, call, kind)
        site = self.program.of_call(call.name, call.address)
        point = f"{site.where}: {call.name}: {kind}"
        assert seams.fired(self.log), f"{point} did not fire: {done}"
        try:
            allow_more(self.dying)
            way.end()
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{point}: {done}: {error}") from error


@pytest.mark.parametrize("ways", [(First, Back), (ToHttp, FromHttp)], ids=["https", "http"])
def test_whatever_fails_or_dies_at_the_seam_on_another_way_the_next_run_ends_it(
        dying, xc, tool, wine, tmp_path, seam_program, ways):  # noqa: F811
    seam = Seam(wine, dying, seam_program, tmp_path / "seam.log")
    for kind_of_way in ways:
        way = kind_of_way(dying, xc, tool)
        done = seam.run(way)
        assert done.returncode == 0, done
        tries, began, tried = chosen(seams.read(seam.log)), time.monotonic(), 0
        way.end()
        for call, kind in tries:
            if not ALL and tried >= FEW and time.monotonic() - began > SECONDS:
                break
            seam.fail(way, call, kind)
            tried += 1
        print(f"{kind_of_way.__name__}: {tried} of {len(tries)} points")
