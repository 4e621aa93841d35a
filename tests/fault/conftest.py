"""The quick sweep's setting: CERTRENEWD_BUILD names the build (build/release)."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from faults import TOP  # noqa: E402


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("CERTRENEWD_BUILD", TOP / "build/release")).resolve()
