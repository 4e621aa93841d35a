"""The tables at the end of docs/acme.md: lessons and features, and what each line names."""

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DOCUMENT = TOP / "docs/acme.md"
PATCHES = TOP / "tests/features/patches"


class Test:
    """test_x.py::name of tests/e2e, windows/test_x.py::name, program::name of tests/unit."""

    def __init__(self, text):
        self.text = text
        self.where, _, self.name = text.partition("::")
        self.is_unit = not self.where.endswith(".py")

    def source(self):
        """The file that it is in; None when there is none."""
        if self.is_unit:
            return next((TOP / "tests/unit").glob(f"*/{self.where}.c"), None)
        folder = "tests" if self.where.startswith("windows/") else "tests/e2e"
        path = TOP / folder / self.where
        return path if path.exists() else None

    def exists(self):
        source = self.source()
        word = r"static void {}\(" if self.is_unit else r"^def {}\("
        return bool(source and re.search(word.format(re.escape(self.name)), source.read_text(),
                                         re.M))


class Lesson:
    def __init__(self, lesson, seen_at, test):
        self.lesson, self.seen_at, self.test = lesson, seen_at, Test(test)


class Feature:
    def __init__(self, feature, standard, test, patch):
        self.feature, self.standard, self.test = feature, standard, Test(test)
        self.patch_name, self.patch = patch, PATCHES / f"{patch}.patch"

    def __repr__(self):
        return f"{self.patch_name} ({self.feature})"


def _rows(header, kind):
    text = DOCUMENT.read_text()
    if text.count(header) != 1:
        raise ValueError(f"{DOCUMENT.name} has no table that begins with '{header}'")
    lines = text[text.index(header):].split("\n\n")[0].strip().splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [kind(*row[:2], *(cell.strip("`") for cell in row[2:])) for row in cells]


def lessons():
    return _rows("| lesson | seen at | test |", Lesson)


def features():
    return _rows("| feature | standard | test | patch |", Feature)
