"""What Wine 8 cannot show. A test that needs it names the entry; a skip for any other
reason fails the run. docs/windows.md lists them for administrators."""

import re

import pytest

SKIPS = {
    "cng": "CNG under Wine: keys live in memory only, reopening and EC keys are stubs",
}


def wine_cannot(what):
    """Skips the test for a listed reason."""
    pytest.skip(SKIPS[what])


def listed(reason):
    """Is this one of SKIPS, by its sentence or by its name?"""
    reason = re.sub(r"^Skipped: ", "", reason or "")
    return reason in SKIPS.values() or reason in SKIPS


def refuse_unlisted_skip(report):
    """pytest_runtest_logreport: what was skipped for another reason has failed."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if not listed(reason):
            report.outcome = "failed"
            report.longrepr = f"skipped for a reason that lib/skips.py does not list: {reason}"
