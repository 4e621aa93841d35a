"""tests/bench/run prints its figures. None is asserted: only that they are there."""

import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def test_the_bench_prints_a_figure_for_everything_that_it_promises():
    done = subprocess.run(
        [TOP / "tests/bench/run", "--renewals", "1", "--certificates", "2", "--idle", "1"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    for key in ("ec-p256", "rsa-2048"):
        for program in ("certrenewd", "uacme"):
            assert re.search(rf"^{program}, {key} +[\d.]+ +[\d.]+ +\d+ +\d+ +[\d.]+$",
                             done.stdout, re.M), done.stdout
    for figure in ("RssAnon", "resident", "wake-ups", "CPU"):
        assert re.search(rf"^{figure} +[\d.]+ ", done.stdout, re.M), done.stdout
