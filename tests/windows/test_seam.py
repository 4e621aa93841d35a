"""A call at the seam fails, or is the last thing that certrenewd.exe does (tests/fault): the
store, the service control manager, files, keys, the network. Somebody is served afterwards,
and the next run ends what was begun and leaves nothing behind.

Every `scripts/test` takes a few call sites. All of them, half an hour: CERTRENEWD_FAULT=all.
"""

import os
import shutil
import time

import pytest

from conftest import EXE
from lib import seams
from lib.killing import allow_more, nothing_is_left, served_one_of
from lib.sites import Program

SEAM = EXE.parents[1] / "tests/fault/inject/certrenewd-seam.exe"
ALL = os.environ.get("CERTRENEWD_FAULT") == "all"
LANES = 2
# Of these functions a few sites are always tried: they change what others see.
CHANGES = ("key_create", "entry_add", "record_write", "file_replace", "file_replace_keeping",
           "service_apply", "entry_delete", "key_delete", "windows_grant", "seal",
           "file_remove", "record_remove", "unit_act")
FEW, SECONDS = 3, 20  # of a lane: at least so many, then no more when so long


@pytest.fixture
def seam_program(wine, binary):
    """Beside the program under test, where nobody else can write."""
    assert SEAM.exists(), f"{SEAM} is not built"
    return shutil.copy(SEAM, binary.parent / "certrenewd-seam.exe")


@pytest.fixture
def renewal(dying, wine, tmp_path, seam_program):
    """renew(env) renews with the program of the seam; the log is read by us."""
    log = tmp_path / "seam.log"

    def renew(call=None, kind=None):
        log.unlink(missing_ok=True)
        allow_more(dying)
        where = wine.path(log)
        env = seams.failing(call, kind, where) if call else seams.recording(where)
        return wine.run(seam_program, "--config", wine.path(dying.config_path), "renew", "xc",
                        "--force", env=env, check=False, timeout=120)

    renew.log = log
    return renew


def points(calls, lane):
    """Each site once with every fault. Of a few: first those that change something, once."""
    first = {}
    for call in calls:
        first.setdefault((call.name, call.address), call)
    chosen = [(call, kind) for call in first.values() for kind in seams.kinds_of(call.name)]
    if not ALL:
        sites = sorted(first.values(), key=lambda call: CHANGES.index(call.name)
                       if call.name in CHANGES else len(CHANGES))
        chosen = [(call, seams.kinds_of(call.name)[-1 if i % 2 else 0])
                  for i, call in enumerate(sites)]
    return chosen[lane::LANES]


def holds(dying, xc, tool, wine, old):
    """Now, and after one more run without faults."""
    assert tool.signs(xc.thumbprint()), "tls.json names a certificate that cannot sign"
    if wine.service_state(xc.service_name) == "running":
        served_one_of(xc, old, xc.thumbprint())
    allow_more(dying)
    again = dying("renew", "xc")
    assert again.code in (0, 3), again
    if xc.thumbprint() == old:
        dying.ok("renew", "xc", "--force")  # the order was not over: it is not due
    assert xc.thumbprint() != old
    assert xc.served().thumbprint == xc.thumbprint()
    nothing_is_left(xc, tool)


@pytest.mark.parametrize("lane", range(LANES))
def test_whatever_fails_or_dies_at_the_seam_the_next_run_ends_it(dying, renewal, xc, tool, wine,
                                                                 lane):
    program = Program(str(SEAM), "x86_64-w64-mingw32-")
    done = renewal()
    assert done.returncode == 0, done
    calls = seams.read(renewal.log)
    chosen = points(calls, lane)
    assert len(chosen) > 40, "too few call sites were seen"
    began, tried = time.monotonic(), 0
    for call, kind in chosen:
        if not ALL and tried >= FEW and time.monotonic() - began > SECONDS:
            break
        old, site = xc.thumbprint(), program.of_call(call.name, call.address)
        done = renewal(call, kind)
        point = f"{site.where}: {call.name}: {kind}"
        assert seams.fired(renewal.log), f"{point} did not fire: {done}"
        try:
            holds(dying, xc, tool, wine, old)
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{point}: {done}: {error}") from error
        tried += 1
    print(f"{tried} of {len(chosen)} points")
