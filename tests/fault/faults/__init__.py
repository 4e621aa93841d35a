"""Faults everywhere: scenarios, what has to hold, ways to disturb them, and the sweep.

injector.py is the contract: a way to disturb a command. scenarios.py says what is done,
checks.py what has to hold afterwards, lane.py in what surroundings. sweep.py tries points."""

import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "tests/e2e"))
