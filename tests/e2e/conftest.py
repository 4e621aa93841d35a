"""Fixtures of the end-to-end tests; README.md of tests/ says how to use them.

CERTRENEWD_BINARY names the program under test (build/asan/daemon/certrenewd); the programs
of tests/support are taken from the same build."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.authority import Authority  # noqa: E402
from lib.daemon import Certrenewd  # noqa: E402
from lib.failure import pytest_runtest_makereport  # noqa: E402, F401
from lib.machine import Machine  # noqa: E402
from lib.pebble import Lender, issuer_of  # noqa: E402
from lib.webhook import Webhook  # noqa: E402
from lib.xc import XcApp  # noqa: E402

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary():
    path = Path(os.environ.get("CERTRENEWD_BINARY", TOP / "build/asan/daemon/certrenewd"))
    assert path.exists(), f"{path} is not built"
    return path.resolve()


@pytest.fixture(scope="session")
def programs():
    """The folder with xcapp, xcctl and service_probe."""
    named = os.environ.get("CERTRENEWD_SUPPORT")
    if named:
        return Path(named)
    built = os.environ.get("CERTRENEWD_BINARY", TOP / "build/asan/daemon/certrenewd")
    return Path(built).resolve().parents[1] / "tests/support"


@pytest.fixture(scope="session")
def pebbles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pebbles")
    folder.chmod(0o711)  # what certrenewd trusts is looked up by other accounts too
    lender = Lender(folder)
    yield lender
    lender.close()


@pytest.fixture
def make_pebble(tmp_path, pebbles):
    """Gives a Pebble with the options of lib.pebble.Pebble."""
    yield lambda **options: pebbles.lend(tmp_path, **options)
    pebbles.take_back()


@pytest.fixture
def pebble(make_pebble):
    return make_pebble()


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def webhook():
    receiver = Webhook()
    yield receiver
    receiver.close()


@pytest.fixture
def make_xc(tmp_path, programs):
    """Installs an application that xcctl runs; not started."""
    made = []

    def make(name="xc"):
        made.append(XcApp(tmp_path / name, programs))
        return made[-1]

    yield make
    for app in made:
        app.misbehave()
        app.ctl("stop", check=False)


@pytest.fixture
def xc(make_xc):
    return make_xc()


@pytest.fixture
def daemon(tmp_path, binary):
    """certrenewd with folder tmp_path/certrenewd; configure() it first."""
    program = Certrenewd(tmp_path / "certrenewd", binary)
    yield program
    program.close()


@pytest.fixture
def setup(daemon, xc):
    """setup(pebble, webhook=None, **certificate): configures one certificate 'xc' for
    localhost, deployed into the installed application. Gives the daemon. The key is one
    that costs no CPU to make; the default's are made under Wine, in the demo, for nginx."""

    def configure(pebble, webhook=None, target=None, **certificate):
        entry = {"hosts": ["xc.example"], "issuers": ["pebble"], "key": {"type": "ec-p256"},
                 "challenge": {"type": "http-01", "listen": f"127.0.0.1:{pebble.http_port}"},
                 "deploy": [target or xc.target()]}
        if "csr" in certificate:  # it has its key
            del entry["key"]
        entry.update(certificate)
        alerts = webhook and {"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}}
        daemon.configure(issuers={"pebble": issuer_of(pebble)}, certificates={"xc": entry},
                         alerts=alerts)
        return daemon

    return configure


@pytest.fixture(scope="session")
def machine(tmp_path_factory, programs):
    """A booted systemd, one for the session. Units of a test carry names of their own."""
    folder = tmp_path_factory.mktemp("machine")
    booted = Machine(folder, binds=[tmp_path_factory.getbasetemp(), TOP, programs])
    yield booted
    booted.close()
