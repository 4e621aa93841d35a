"""What the tests under Wine are made of: Wine itself, the application as a Windows service,
certrenewd.exe. The modules of tests/e2e/lib are part of this package too: the same CA, the
same webhook, the same programs that look from outside; and those of tests/fault/faults."""

from pathlib import Path

_TESTS = Path(__file__).resolve().parents[2]
__path__ += [str(_TESTS / "e2e/lib"), str(_TESTS / "fault/faults")]
