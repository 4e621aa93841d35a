"""The bugs that the sweep must find: one patch each, with the scenario, the injector and the
faults that find it, and call sites near the bug, which are tried first."""

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent


class Bug(NamedTuple):
    patch: str
    words: str
    scenario: str
    injector: str
    kinds: tuple  # None: every one that the injector has
    near: str = "$."  # a regular expression; what follows is tried in an order of chance

    @property
    def path(self):
        return HERE / f"{self.patch}.patch"


BUGS = (
    Bug("no-fsync", "no fsync before the rename", "renewal", "power cut", None,
        "take_file"),
    Bug("pointed-before-stored", "pointed before stored", "renewal", "seam", ("kill",),
        "hooks/store_directory"),
    Bug("retire-before-verify", "retire before verify", "rollback after a restart",
        "seam", ("kill", "io"), "hooks/deploy_"),
    Bug("no-direction", "no direction", "rollback by command", "seam", ("kill",),
        "hooks/saved"),
    Bug("not-exclusive", "exclusive creation dropped", "leftovers", "seam", ("kill",),
        "hooks/change"),
    Bug("no-baseline", "baseline not recorded", "rollback", "seam", ("io", "transient"),
        "hooks/deploy_service"),
    Bug("no-observation", "observation skipped", "renewal", "seam", ("kill",),
        "hooks/deploy_group"),
)
