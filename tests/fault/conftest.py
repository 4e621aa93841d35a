"""The quick sweep's setting: CERTRENEWD_BUILD names the build (build/release)."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from faults import TOP, every, sweep  # noqa: E402

FRAMES = 2  # of a call site: how it is told from another one here
SEED = os.environ.get("CERTRENEWD_SEED", "1")


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("CERTRENEWD_BUILD", TOP / "build/release")).resolve()


class Sites:
    """Which were tried, in this run of the tests."""

    def __init__(self):
        self.seen = set()
        self.met = set()  # (function, where) of the seam's
        self.tests = set()  # names of the tests that have tried theirs

    def new_of(self, tries):
        """One for each site that nobody tried before."""
        left = {}
        for one in tries:
            site = " < ".join(one.point.site.split(" < ")[:FRAMES])
            left.setdefault((one.injector, one.point.call, site), []).append(one)
        fresh = [several for key, several in left.items() if key not in self.seen]
        self.seen.update(left)
        return sweep.rotated([one for several in fresh for one in several[:12]], SEED,
                             FRAMES)

    def take(self, test, outcomes):
        """What came of the tries of a test; asserts that everything held."""
        self.tests.add(test)
        self.met.update((o.met.call, o.met.site) for o in outcomes
                        if o.what.injector == "seam" and o.met)
        print(f"{test}: {len(outcomes)} points")
        bad = [f"{o.what}\n{o.violation}" for o in outcomes if o.violation]
        assert not bad, "\n\n".join(bad[:5])


@pytest.fixture(scope="session")
def sites():
    return Sites()


@pytest.fixture(scope="session")
def injectors(build):
    return every.injectors(build)
