"""scripts/demo as its users run it: it agrees, or it says so and fails."""

import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def demo(*options):
    done = subprocess.run([TOP / "scripts/demo", *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=400)
    return done.returncode, done.stdout + done.stderr


def running():
    words = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    return [line for line in words.splitlines() if "certrenewd-demo." in line]


def test_the_demo_shows_renewal_expiry_and_recovery_and_leaves_nothing_running():
    code, text = demo()
    assert code == 0, text
    assert "DISAGREES" not in text
    for claim in ("serves another certificate", "and its key are gone", "answers plain HTTP",
                  "HTTPS answers", "'recovered' closes the trouble"):
        assert claim in text
    assert running() == []


def test_the_demo_fails_when_the_application_does_not_start_with_the_new_certificate():
    code, text = demo("--break-restart")
    assert code == 1, text
    assert "DISAGREES openssl: port" in text
    assert "serves another certificate" in text
    assert running() == []
