"""The cheap half of `run`: tables, tests and patches belong together."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from table import PATCHES, TOP, features, lessons  # noqa: E402

FEATURES, LESSONS = features(), lessons()


def test_the_tables_are_there():
    assert len(FEATURES) >= 90
    assert len(LESSONS) >= 50


@pytest.mark.parametrize("row", FEATURES + LESSONS, ids=lambda row: row.test.text)
def test_the_test_that_is_named_is_there(row):
    assert row.test.exists(), f"{row.test.text}: there is no such test"


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row.patch_name)
def test_the_patch_still_applies(row):
    done = subprocess.run(["git", "apply", "--check", row.patch], cwd=TOP,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_patch_is_of_one_line():
    named = [row.patch_name for row in FEATURES]
    assert len(set(named)) == len(named)
    assert {path.stem for path in PATCHES.iterdir()} == set(named)
