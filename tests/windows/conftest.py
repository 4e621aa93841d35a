"""Fixtures of the tests under Wine; README.md of tests/ says how to use them.

CERTRENEWD_EXE names the program under test (build/windows/daemon/certrenewd.exe); the
service and the tool of tests/windows are taken from the same build."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
pytest.register_assert_rewrite("test_renewal", "test_fallback", "test_deploy",
                               "test_tls_json", "test_drift", "test_challenges", "test_ari",
                               "test_rehearse_habit")

from lib.application import VENDOR_SERVICE, WindowsApp  # noqa: E402
from lib.authority import Authority  # noqa: E402
from lib.failure import pytest_runtest_makereport  # noqa: E402, F401
from lib.one_by_one import PebbleThroughOne  # noqa: E402
from lib.pebble import Lender, Pebble, issuer_of  # noqa: E402
from lib.program import WindowsCertrenewd  # noqa: E402
from lib.skips import refuse_unlisted_skip  # noqa: E402
from lib.tool import Tool  # noqa: E402
from lib.webhook import Webhook  # noqa: E402
from lib.wine import Wine  # noqa: E402

# Every path of every test has them.
FOLDER = "Prüfung mit Ümlauten"


def pytest_runtest_logreport(report):
    refuse_unlisted_skip(report)


EXE = Path(os.environ.get("CERTRENEWD_EXE", TOP / "build/windows/daemon/certrenewd.exe"))


@pytest.fixture(scope="session")
def binary(wine):
    """Where a program lies that may become a service: nobody else can write there."""
    assert EXE.exists(), f"{EXE} is not built"
    folder = wine.drive / "Program Files/certrenewd of the tests"
    folder.mkdir()
    return Path(shutil.copy(EXE, folder / "certrenewd.exe"))


@pytest.fixture(scope="session")
def programs():
    """The folder with xcservice.exe and wintool.exe."""
    return EXE.resolve().parents[1] / "tests/windows"


@pytest.fixture(scope="session")
def wine(tmp_path_factory):
    """A Windows for each worker."""
    wine = Wine.copied(tmp_path_factory.mktemp("wine") / "prefix")
    yield wine
    wine.end()


@pytest.fixture
def tmp_path(wine, request):
    """On drive C, where nobody but administrators can write the folders above."""
    name = re.sub(r"\W+", "-", request.node.name)[:60].strip("-")
    folder = wine.drive / FOLDER / name
    number = 1
    while folder.exists():
        number += 1
        folder = wine.drive / FOLDER / f"{name}-{number}"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def tool(wine, programs):
    """Asks stores and containers. LocalMachine\\My is empty before and after a test, and
    there is no key; on Windows the store is always there, so it is made here."""
    tool = Tool(wine, programs)
    tool("clear", "My")
    yield tool
    tool("clear", "My")
    tool("delete-keys")


def pebble_for_windows(folder, **options):
    if "http_port" in options:  # somebody else's server: not http.sys
        return Pebble(folder, **options)
    return PebbleThroughOne(folder, **options)


@pytest.fixture(scope="session")
def pebbles(wine):
    """Where certrenewd.exe may trust the files that say whom to trust."""
    lender = Lender(wine.drive / FOLDER / "pebbles", pebble_for_windows)
    yield lender
    lender.close()


@pytest.fixture
def make_pebble(tmp_path, pebbles):
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
def make_xc(tmp_path, wine, tool, programs):
    """Installs an application with its service; not started. The first one's service has
    the vendor's name."""
    made = []

    def make(name="xc", service=None, account=None):
        service = service or (f"{name} Service" if made else VENDOR_SERVICE)
        made.append(WindowsApp(tmp_path / name, wine, tool, programs, service, account))
        return made[-1]

    yield make
    for app in made:
        app.remove()


@pytest.fixture
def xc(make_xc):
    return make_xc()


@pytest.fixture
def daemon(tmp_path, wine, binary):
    """certrenewd.exe with folder tmp_path/certrenewd; configure() it first."""
    program = WindowsCertrenewd(tmp_path / "certrenewd", wine, binary)
    yield program
    program.close()


@pytest.fixture
def setup(daemon, xc):
    """setup(pebble, webhook=None, **certificate): as in tests/e2e. The Windows store takes
    RSA keys. http.sys of Wine binds every address, and hands an IP address as host only
    to requests that name it: the suite runs in a network namespace of its own."""

    def configure(pebble, webhook=None, target=None, **certificate):
        real = getattr(pebble, "pebble", pebble)  # lib.ca_proxy stands in front of one
        entry = {"hosts": ["xc.example"], "issuers": ["pebble"],
                 "challenge": {"type": "http-01", "listen": real.listen},
                 "deploy": [target or xc.target()]}
        entry.update(certificate)
        if entry.get("key", {}).get("type", "").startswith("ec-"):
            entry["key"] = {**entry["key"], "type": "rsa-2048"}
        alerts = webhook and {"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}}
        daemon.configure(issuers={"pebble": issuer_of(pebble)}, certificates={"xc": entry},
                         alerts=alerts)
        return daemon

    return configure


@pytest.fixture
def dying(setup, make_pebble, xc):
    """A certificate of ours is served, and may be renewed as often as the test wants."""
    xc.start()
    daemon = setup(make_pebble(nonce_reject=0), target=xc.target(verify_timeout="5s"))
    daemon.ok("renew", "xc")
    return daemon
