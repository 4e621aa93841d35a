"""The cheap half of `run --mutants`: every patch still applies."""

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
MUTANTS = sorted((HERE / "mutants").glob("*.patch"))


def test_there_are_at_least_twelve():
    assert len(MUTANTS) >= 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda path: path.stem)
def test_the_patch_still_applies(mutant):
    done = subprocess.run(["git", "apply", "--check", mutant], cwd=HERE.parents[1],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
