"""scripts/demo as its users run it: it agrees, or it says so and fails."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def demo():
    """demo(*options): (exit code, output, what is still running of it)."""
    with tempfile.TemporaryDirectory(prefix="crt-") as folder:  # short: it holds a socket

        def run(*options):
            done = subprocess.run(
                [TOP / "scripts/demo", *options], stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=400,
                env={**os.environ, "TMPDIR": folder})
            words = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
            running = [line for line in words.stdout.splitlines() if folder in line]
            return done.returncode, done.stdout + done.stderr, running

        yield run


def test_the_demo_shows_renewal_expiry_and_recovery_and_leaves_nothing_running(demo):
    code, text, running = demo()
    assert code == 0, text
    assert "DISAGREES" not in text
    for claim in ("serves another certificate", "and its key are gone", "answers plain HTTP",
                  "HTTPS answers", "'recovered' closes the trouble"):
        assert claim in text
    assert running == []


def test_the_demo_fails_when_the_application_does_not_start_with_the_new_certificate(demo):
    code, text, running = demo("--break-restart")
    assert code == 1, text
    assert "DISAGREES openssl: port" in text
    assert "serves another certificate" in text
    assert running == []
