"""What the tests under Wine are made of: Wine itself, the application as a Windows service,
certrenewd.exe. The modules of tests/e2e/lib are part of this package too: the same CA, the
same webhook, the same programs that look from outside."""

from pathlib import Path

__path__.append(str(Path(__file__).resolve().parents[2] / "e2e/lib"))
