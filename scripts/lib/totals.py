#!/usr/bin/python3
"""totals.py - counts everything that scripts/test ran.

    totals.py RESULTS

RESULTS holds JUnit files of ctest and pytest and steps.tsv (name TAB passed|failed). Prints
what failed and why something was skipped, then "N passed, N failed, N skipped" as the last
line. Exits 1 when something failed or nothing ran. A unit test's program counts as its
cmocka tests. NAME-again.xml are tests of NAME.xml that failed and were run once more: those
that passed then count as passed, and are named."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from itertools import zip_longest
from pathlib import Path

EXPECTED = {"style-tests": "style.xml", "unit": "unit.xml", "kill": "kill.xml",
            "fault": "fault.xml", "e2e": "e2e.xml", "demo": "demo.xml",
            "windows": "windows.xml"}
PROGRAMS = ("unit.xml", "kill.xml")  # by ctest


def cases_of(path):
    return list(ElementTree.parse(path).getroot().iter("testcase")) if path.exists() else []


def key(case):
    return f"{case.get('classname')}: {case.get('name')}"


def is_bad(case):
    return case.find("failure") is not None or case.find("error") is not None


class Totals:
    def __init__(self):
        self.passed, self.failed, self.skipped, self.repeated = 0, [], [], []

    def add_program(self, case, log):
        """One unit test program, as ctest saw it."""
        fault = None if case.get("status") == "run" else case.get("status")
        self.add_cmocka(case.get("name"), case.findtext("system-out") or "", fault, log)

    def add_cmocka(self, name, text, fault, log):
        """The tests of one program by its output; `fault`: what else was wrong with it."""
        ran = re.findall(r"\[ RUN +\] (\S+)", text)
        passed = re.findall(r"\[ +OK \] (\S+)", text)
        skipped = re.findall(r"\[ +SKIPPED \] (\S+)", text)
        self.passed += len(passed)
        skipped = list(dict.fromkeys(skipped))
        reasons = re.findall(r"(?m)^skipped: (.*)", text)[:len(skipped)]
        self.skipped += [(f"{name}: {test}", reason) for test, reason in zip_longest(
            skipped, reasons, fillvalue=f"see build/logs/{log}.log")]
        lost = [test for test in ran if test not in passed and test not in skipped]
        self.failed += [f"{name}: {test}" for test in lost]
        if fault and not lost:
            self.failed.append(f"{name}: the program itself ({fault})")
        elif not ran:
            self.failed.append(f"{name}: no test in it")

    def add_case(self, case):
        """One test of pytest; one that ran a cmocka program counts as that."""
        name = key(case)
        skipped, text = case.find("skipped"), case.findtext("system-out") or ""
        bad = is_bad(case)
        if "[ RUN " in text:
            self.add_cmocka(name, text, "failed" if bad else None, "windows")
        elif bad:
            self.failed.append(name)
        elif skipped is not None:
            self.skipped.append((name, skipped.get("message") or "no reason given"))
        else:
            self.passed += 1

    def add_file(self, path):
        again = cases_of(path.with_name(f"{path.stem}-again.xml"))
        bad = {key(case) for case in again if is_bad(case)}
        repeated = {key(case): case for case in again if key(case) not in bad}
        for case in cases_of(path):
            if path.name in PROGRAMS:
                self.add_program(case, path.stem)
            elif is_bad(case) and key(case) in repeated:
                self.repeated.append(key(case))
                self.add_case(repeated[key(case)])
            else:
                self.add_case(case)

    def add_step(self, name, result):
        if result == "passed":
            self.passed += 1
        else:
            self.failed.append(f"{name}: see build/logs/{name}.log")


def collect(folder):
    totals = Totals()
    steps = folder / "steps.tsv"
    for line in steps.read_text().splitlines() if steps.exists() else []:
        totals.add_step(*line.split("\t"))
    for step, name in EXPECTED.items():
        if (folder / name).exists():
            totals.add_file(folder / name)
        elif (folder.parent / "logs" / f"{step}.log").exists():
            totals.failed.append(f"{step}: it ended without results")
    return totals


def main():
    totals = collect(Path(sys.argv[1]))
    for name in totals.failed:
        print(f"failed: {name}")
    for name in totals.repeated:
        print(f"passed only when it was repeated: {name}")
    for name, reason in totals.skipped:
        print(f"skipped: {name}: {reason}")
    print(f"{totals.passed} passed, {len(totals.failed)} failed, "
          f"{len(totals.skipped)} skipped")
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
