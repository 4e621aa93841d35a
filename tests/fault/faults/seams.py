"""certrenewd-seam: what it recorded, and how to make it fail. See inject/seam.h."""

import re
from collections import namedtuple
from pathlib import Path

INJECT = Path(__file__).resolve().parents[1] / "inject"

# The nth call of a site. address: as certrenewd-seam knows it.
Call = namedtuple("Call", "name address nth")

# How a function of each group fails, besides that it may be the last thing that happens.
KINDS = {"files": ("io", "denied"), "process": ("io",), "service": ("io", "transient"),
         "keys": ("io",), "net": ("io", "transient"), "store": ("io", "denied")}
# How the functions of a library fail is not for us to choose.
LIBRARY = ("io",)


def _rows():
    rows = {}
    for path in sorted(INJECT.glob("rows*.h")):
        for how, group, name in re.findall(r"^(SEAM\w*)\((\w+), (\w+)", path.read_text(), re.M):
            rows[name] = (group, how)
    return rows


ROWS = _rows()


NAMES = sorted(ROWS)


def group_of(name):
    return ROWS[name][0]


def kinds_of(name):
    group, how = ROWS[name]
    if how == "SEAM_KILL":
        return ("kill",)
    return KINDS.get(group, LIBRARY) + ("kill",)


def read(log):
    """The calls in their order."""
    calls, counts = [], {}
    for what, name, address in _lines(log):
        if what == "call":
            key = (name, int(address, 16))
            counts[key] = counts.get(key, 0) + 1
            calls.append(Call(*key, counts[key]))
    return calls


def fired(log):
    """The name of the function that failed; None: none did."""
    return next((name for what, name, _ in _lines(log) if what == "fired"), None)


def _lines(log):
    path = Path(log)
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def recording(log):
    """For the environment of a run that is written down."""
    return {"SEAM_LOG": str(log)}


def failing(call, kind, log, lasting=False):
    """For the environment of a run in which the call fails; lasting: so do the later ones."""
    env = {"SEAM_LOG": str(log), "SEAM_SITE": f"{call.address:x}", "SEAM_NTH": str(call.nth),
           "SEAM_NAME": call.name, "SEAM_KIND": kind}
    return {**env, "SEAM_LAST": "1"} if lasting else env
