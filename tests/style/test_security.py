"""docs/security.md: every threat names tests, and each of them exists."""

import re
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/features"))

from table import Test  # noqa: E402

HEADER = "| threat | what stops it | tests |"


def rows():
    """[(threat, what stops it, [test])]"""
    text = (TOP / "docs/security.md").read_text()
    assert text.count(HEADER) == 1
    lines = text[text.index(HEADER):].split("\n\n")[0].strip().splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(threat, defence, re.findall(r"`([^`]+)`", tests))
            for threat, defence, tests in cells]


def exists(name):
    where, _, function = name.partition("::")
    if where.startswith("windows/") and not where.endswith(".py"):
        source = TOP / "tests/windows/unit" / f"{where.removeprefix('windows/')}.c"
        return source.exists() and re.search(
            rf"static void {re.escape(function)}\(", source.read_text())
    return Test(name).exists()


def test_every_threat_has_a_defence_and_a_test():
    assert len(rows()) >= 40
    for threat, defence, tests in rows():
        assert threat and defence and tests, threat


@pytest.mark.parametrize("name", sorted({name for *_, tests in rows() for name in tests}))
def test_the_test_that_is_named_is_there(name):
    assert exists(name), f"{name}: there is no such test"


def test_a_test_that_is_not_there_is_noticed():
    assert not exists("test_hostile.py::test_nothing")
    assert not exists("test_no_such::name")
    assert not exists("windows/test_control::name")
