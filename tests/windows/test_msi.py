"""The installer: silent, upgraded in place, removed; what an administrator wrote stays."""

import subprocess
import time

import pytest

from conftest import TOP, issuer_of
from lib.program import SERVICE, WindowsCertrenewd
from lib.waiting import wait_until

KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\certrenewd"
SOURCE = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\certrenewd"


@pytest.fixture(scope="module")
def packages(binary, tmp_path_factory):
    """The installers of two versions."""
    folder = tmp_path_factory.mktemp("msi")
    made = []
    for version in ("0.1.0", "0.2.0"):
        made.append(folder / f"certrenewd-{version}.msi")
        subprocess.run([TOP / "packaging/windows/msi", binary, version, made[-1]], check=True)
    return made


class Installer:
    def __init__(self, wine, packages):
        self.wine, self.packages = wine, packages
        self.program = wine.drive / "Program Files/certrenewd/certrenewd.exe"
        self.data = wine.drive / "ProgramData/certrenewd"
        self.config = self.data / "certrenewd.yaml"
        self.sample = self.data / "certrenewd.sample.yaml"

    def __call__(self, verb, package, *properties, timeout=180):
        return self.wine.run("msiexec", verb, self.wine.path(package), "/qn", *properties,
                             timeout=timeout, check=False).returncode


@pytest.fixture
def installer(wine, packages):
    installer = Installer(wine, packages)
    yield installer
    for package in packages:
        installer("/x", package, "PURGE=1")


@pytest.fixture
def program(installer, wine):
    """The first version is installed; its configuration lies where it belongs."""
    assert installer("/i", installer.packages[0]) == 0
    daemon = WindowsCertrenewd(installer.data, wine, installer.program)
    daemon.state = installer.data / "state"
    return daemon


def configure(program, pebble, xc):
    program.config = {
        "issuers": {"pebble": issuer_of(pebble)},
        "certificates": {"xc": {
            "hosts": ["xc.example"], "issuers": ["pebble"],
            "challenge": {"type": "http-01", "listen": pebble.listen},
            "deploy": [xc.target()]}}}
    program.write()


def test_installed_renewed_upgraded_and_removed(installer, program, pebble, xc, wine, tool):
    second = installer.packages[1]
    assert installer.program.exists()
    assert installer.sample.read_bytes() == \
        (TOP / "packaging/windows/certrenewd.sample.yaml").read_bytes()
    assert not installer.config.exists(), "it would stand in the way of an import"
    installer.sample.write_text("# my notes\n")
    assert wine.service_state(SERVICE) == "stopped", "nobody has said what to renew yet"
    assert wine.registry(KEY, "ImagePath").startswith('"C:\\Program Files\\certrenewd\\')
    assert wine.registry(SOURCE, "EventMessageFile").lower().endswith("certrenewd.exe")
    assert wine.registry(SOURCE, "TypesSupported") == "0x7"

    xc.start()
    configure(program, pebble, xc)
    written = installer.config.read_text()
    assert wine.start_service(SERVICE) == "running"
    wait_until(lambda: xc.served() is not None, 60, "the first certificate served")
    old = xc.served().thumbprint

    assert installer("/i", second) == 0
    assert wine.service_state(SERVICE) in ("running", "start_pending")
    assert installer.config.read_text() == written
    assert installer.sample.read_text() == "# my notes\n"
    program.ok("renew", "xc", "--force")
    assert xc.serves_another(old)

    assert installer("/x", second) == 0
    assert wine.service_state(SERVICE) is None
    assert not wine.registry(SOURCE)
    assert not installer.program.exists()
    assert installer.config.read_text() == written
    assert installer.sample.read_text() == "# my notes\n"
    assert list((installer.data / "state/accounts").rglob("*key*"))
    assert tool.signs(xc.thumbprint())
    assert xc.served() is not None


def test_an_older_version_does_not_replace_a_newer_one(installer):
    first, second = installer.packages
    assert installer("/i", second) == 0
    assert installer("/i", first) != 0
    assert installer.program.exists()


def test_a_folder_that_somebody_else_made_is_refused_and_nothing_is_installed(installer, wine):
    installer.data.mkdir()
    assert installer("/i", installer.packages[0]) != 0
    assert wine.service_state(SERVICE) is None
    assert not installer.program.exists()
    installer.data.rmdir()


def test_purge_takes_configuration_and_state_too(installer):
    package = installer.packages[0]
    assert installer("/i", package) == 0
    assert installer.sample.exists()
    assert installer("/x", package, "PURGE=1") == 0
    assert not installer.data.exists()


def test_an_upgrade_waits_for_the_transaction_under_way(installer, program, pebble, xc, wine):
    """The application takes long to stop; the service under way ends its step first."""
    xc.start()
    configure(program, pebble, xc)
    wine.start_service(SERVICE)
    wait_until(lambda: xc.served() is not None, 60, "the first certificate served")
    old, finalized = xc.thumbprint(), pebble.requests("/finalize-order/")
    renewal = wine.background(program.binary, "renew", "xc", "--force",
                              log=installer.data / "renew.log")
    wait_until(lambda: pebble.requests("/finalize-order/") > finalized, what="the order's end")
    began = time.monotonic()
    assert installer("/i", installer.packages[1]) == 0
    assert time.monotonic() - began < 170
    wait_until(lambda: not renewal.running(), what="the command's end")
    wait_until(lambda: xc.serves_another(old) and xc.served().thumbprint == xc.thumbprint(),
               60, "the renewal being finished by one of the two")
