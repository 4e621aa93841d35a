"""scripts/lib/totals.py counts what ran, and loses nothing that failed."""

import subprocess
import sys
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parents[2] / "scripts/lib"
TOTALS, FAILED = LIB / "totals.py", LIB / "failed.py"

UNIT = """<testsuite>
<testcase name="test_a" status="run"><system-out>[==========] a: Running 2 test(s).
[ RUN      ] one
[       OK ] one
[ RUN      ] two
[  SKIPPED ] two
</system-out></testcase>
{more}</testsuite>"""
CRASHED = """<testcase name="test_b" status="fail"><system-out>[ RUN      ] three
[       OK ] three
[ RUN      ] four
AddressSanitizer: heap-use-after-free</system-out></testcase>"""
LEAKED = """<testcase name="test_c" status="fail"><system-out>[ RUN      ] five
[       OK ] five
LeakSanitizer</system-out></testcase>"""
PYTEST = """<testsuites><testsuite><testcase classname="e2e" name="good"/>
<testcase classname="e2e" name="bad"><failure message="no"/></testcase>
<testcase classname="e2e" name="left out"><skipped message="no kernel for it"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def total(tmp_path):
    def run(**files):
        results = tmp_path / "results"
        results.mkdir()
        (tmp_path / "logs").mkdir()
        for name, text in files.items():
            (results / name.replace("_", ".")).write_text(text)
        done = subprocess.run([sys.executable, TOTALS, results], capture_output=True,
                              text=True)
        return done.returncode, done.stdout.splitlines()

    return run


def test_every_test_of_a_unit_program_counts(total):
    code, lines = total(unit_xml=UNIT.format(more=""))
    assert (code, lines[-1]) == (0, "1 passed, 0 failed, 1 skipped")


def test_a_test_that_crashed_and_a_program_that_leaked_have_failed(total):
    code, lines = total(unit_xml=UNIT.format(more=CRASHED + LEAKED))
    assert (code, lines[-1]) == (1, "3 passed, 2 failed, 1 skipped")
    assert "failed: test_b: four" in lines
    assert "failed: test_c: the program itself (fail)" in lines


def test_failures_and_the_reasons_of_skips_are_listed(total):
    code, lines = total(e2e_xml=PYTEST, steps_tsv="style\tpassed\ntidy\tfailed\n")
    assert (code, lines[-1]) == (1, "2 passed, 2 failed, 1 skipped")
    assert "failed: e2e: bad" in lines
    assert "failed: tidy: see build/logs/tidy.log" in lines
    assert "skipped: e2e: left out: no kernel for it" in lines


WINE = """<testsuites><testsuite><testcase classname="test_unit" name="test_program[test_x]">
<system-out>[ RUN      ] one
[       OK ] one
skipped: no such thing under Wine
[ RUN      ] two
[  SKIPPED ] two
</system-out></testcase>
<testcase classname="test_unit" name="test_program[test_y]"><failure message="no"/>
<system-out>[ RUN      ] three
[       OK ] three
</system-out></testcase></testsuite></testsuites>"""


def test_the_programs_under_wine_count_as_their_tests(total):
    code, lines = total(windows_xml=WINE)
    assert (code, lines[-1]) == (1, "2 passed, 1 failed, 1 skipped")
    assert "failed: test_unit: test_program[test_y]: the program itself (failed)" in lines
    assert "skipped: test_unit: test_program[test_x]: two: no such thing under Wine" in lines


def again(*cases):
    return "<testsuites><testsuite>" + "".join(
        f'<testcase classname="e2e" name="{name}">{what}</testcase>'
        for name, what in cases) + "</testsuite></testsuites>"


def test_what_passed_when_it_was_repeated_is_counted_and_named(total):
    code, lines = total(e2e_xml=PYTEST, **{"e2e-again_xml": again(("bad", ""))})
    assert (code, lines[-1]) == (0, "2 passed, 0 failed, 1 skipped")
    assert "passed only when it was repeated: e2e: bad" in lines


def test_what_failed_twice_has_failed(total):
    ended_badly = again(("bad", ""), ("bad", '<error message="teardown"/>'))
    code, lines = total(e2e_xml=PYTEST, **{"e2e-again_xml": ended_badly})
    assert (code, lines[-1]) == (1, "1 passed, 1 failed, 1 skipped")
    assert "failed: e2e: bad" in lines


@pytest.mark.parametrize("count, repeated", [(1, 1), (5, 5), (6, 0)])
def test_only_a_few_that_failed_are_repeated(tmp_path, count, repeated):
    (tmp_path / "e2e.py").touch()
    file = tmp_path / "e2e.xml"
    file.write_text(again(("good", ""), *[(f"bad[{i}]", "<failure/>") for i in range(count)]))
    done = subprocess.run([sys.executable, FAILED, file, tmp_path], capture_output=True,
                          text=True)
    assert done.stdout.splitlines() == [f"{tmp_path}/e2e.py::bad[{i}]"
                                        for i in range(repeated)]


def test_a_module_that_cannot_be_read_is_not_repeated(tmp_path):
    file = tmp_path / "e2e.xml"
    file.write_text(again(("bad", "<error/>")))
    done = subprocess.run([sys.executable, FAILED, file, tmp_path], capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_step_that_ended_without_results_has_failed(total, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/e2e.log").write_text("Killed")
    done = subprocess.run([sys.executable, TOTALS, tmp_path / "results"],
                          capture_output=True, text=True)
    assert done.stdout == "failed: e2e: it ended without results\n0 passed, 1 failed, 0 skipped\n"
    assert done.returncode == 1


def test_nothing_run_is_no_success(total):
    assert total() == (1, ["0 passed, 0 failed, 0 skipped"])
