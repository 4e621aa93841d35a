"""The bugs that the sweep must find: one patch each, with the scenario, the injector and the
faults that are looked at first."""

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent


class Bug(NamedTuple):
    patch: str
    words: str
    scenario: str
    injector: str
    kinds: tuple  # None: every one that the injector has

    @property
    def path(self):
        return HERE / f"{self.patch}.patch"


BUGS = (
    Bug("no-fsync", "no fsync before the rename", "renewal", "power cut", None),
    Bug("pointed-before-stored", "pointed before stored", "renewal", "seam", ("kill",)),
    Bug("retire-before-verify", "retire before verify", "rollback after a restart",
        "seam", ("kill", "io")),
    Bug("no-direction", "no direction", "rollback by command", "seam", ("kill",)),
    Bug("not-exclusive", "exclusive creation dropped", "leftovers", "seam", ("kill",)),
    Bug("no-baseline", "baseline not recorded", "rollback", "seam", ("io", "transient")),
    Bug("no-observation", "observation skipped", "renewal", "seam", ("kill",)),
)
