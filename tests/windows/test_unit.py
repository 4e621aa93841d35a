"""Every program of tests/windows/unit, under Wine. scripts/lib/totals.py counts its cmocka
tests one by one from the output."""

import re
from pathlib import Path

import pytest

from conftest import EXE
from lib.skips import listed

FOLDER = EXE.parents[1] / "tests/windows/unit"
PROGRAMS = sorted(Path(FOLDER).glob("*.exe"))


def test_there_are_programs():
    assert PROGRAMS, f"nothing is built in {FOLDER}"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_program(program, wine, tmp_path):
    done = wine.run(program, check=False, timeout=120, cwd=tmp_path)
    text = done.stdout + done.stderr
    print(text)
    assert done.returncode == 0, text[-6000:]
    assert re.search(r"\[ +OK \]", text), "no test in it"
    for reason in re.findall(r"^skipped: (.*)", text, re.M):
        assert listed(reason), f"not in lib/skips.py: {reason}"
    skipped = set(re.findall(r"\[  SKIPPED \] (\S+)", text))
    assert len(skipped) <= len(re.findall(r"^skipped: ", text, re.M)), \
        f"skipped without 'skipped: REASON' on a line: {skipped}"
