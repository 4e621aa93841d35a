"""The cheap half of `run`: every bug has its patch, and every patch applies."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from bugs import BUGS  # noqa: E402


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.patch)
def test_the_patch_still_applies(bug):
    done = subprocess.run(["git", "apply", "--check", bug.path], cwd=HERE.parents[2],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_patch_is_a_bug_and_the_ones_that_were_asked_for_are_there():
    assert {path.stem for path in HERE.glob("*.patch")} == {bug.patch for bug in BUGS}
    assert len(BUGS) >= 7
