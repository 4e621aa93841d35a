#!/usr/bin/python3
"""failed.py - the tests of a JUnit file that failed, as pytest is told them.

    failed.py FILE FOLDER

FILE is what pytest wrote for the tests in FOLDER. Prints PATH::NAME, a line each; nothing
when more than FEW failed, or one that is no test (a module that cannot be read): then
something is broken, and trying again would only hide it."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

FEW = 5


def failed(file, folder):
    found = {}
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        if case.find("failure") is None and case.find("error") is None:
            continue
        path = folder / f"{case.get('classname', '').replace('.', '/')}.py"
        if not path.is_file():
            return []
        found[f"{path}::{case.get('name')}"] = True
    return list(found) if len(found) <= FEW else []


def main():
    file, folder = map(Path, sys.argv[1:])
    for test in failed(file, folder) if file.exists() else []:
        print(test)


if __name__ == "__main__":
    main()
