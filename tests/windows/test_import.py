"""`import win-acme` on the machine that win-acme ran on: what DPAPI protects can be opened,
its certificate in the store counts as ours, its task is let go at the end."""

import shutil

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from lib.pebble import issuer_of
from lib.waiting import wait_until
from lib.winacme import WinAcme, option


@pytest.fixture
def state(wine):
    """The default state directory: the import knows no other."""
    folder = wine.drive / "ProgramData/certrenewd"
    yield folder / "state"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def theirs(tmp_path, wine, tool, pebble):
    """win-acme's folders, with an account that only this machine can read."""
    made = WinAcme(tmp_path / "theirs", base_uri=pebble.directory)
    settings = made.program / "settings.json"
    settings.write_text(settings.read_text("utf-8-sig").replace(
        str(made.root), wine.path(made.root).replace("\\", "\\\\")))

    def encrypt(text):
        path = tmp_path / "secret.txt"
        path.write_text(text)
        sealed = tool("protect", wine.path(path))
        path.unlink()
        return sealed

    key = ec.generate_private_key(ec.SECP256R1())
    made.account(key, f"https://127.0.0.1:{pebble.port}/my-account/none",
                 protect="encrypted", encrypt=encrypt)
    return made


def test_an_imported_renewal_is_renewed_and_its_predecessor_goes_with_its_key(
        theirs, state, daemon, xc, pebble, authority, tool, wine):
    old = authority.issue("xc.example")
    container = xc.install(old)
    xc.start()
    theirs.renewal(
        "a1", "xc.example", csr=option("rsa"),
        stores=[option("store", StoreName="My",
                       AclRead=[f"NT SERVICE\\{xc.service_name}"])],
        installation=[option("script", Script=r"C:\scripts\xu-le.ps1")],
        History=[{"Success": True, "Thumbprints": [old.thumbprint]}])
    daemon.config_path.unlink(missing_ok=True)

    done = daemon("import", "win-acme", "--path", wine.path(theirs.program))
    assert done.code == 0, done
    assert "the account at" in done.err and "is taken over" in done.err, done
    assert (state / "handover.json").exists()
    config = yaml.safe_load(daemon.config_path.read_text())
    target = config["certificates"]["xc-example"]["deploy"][0]
    assert target["preset"] == "xtract-universal"
    assert target["store"]["access"] == [f"NT SERVICE\\{xc.service_name}"]

    # The application of the tests is laid out like Xtract Core, and Pebble is no public CA.
    issuer = next(iter(config["issuers"]))
    config["issuers"][issuer] = issuer_of(pebble)
    certificate = config["certificates"]["xc-example"]
    certificate["key"] = {"type": "rsa-2048"}
    certificate["challenge"] = {"listen": pebble.listen}
    certificate["deploy"] = [xc.target(store=target["store"])]
    daemon.config = config
    daemon.write()

    done = daemon.ok("renew", "xc-example")
    new = xc.served("xc.example").thumbprint
    assert new == xc.thumbprint() != old.thumbprint
    wait_until(lambda: daemon("renew", "xc-example").code == 3, what="nothing left to do")
    assert xc.versions() == [new]
    assert not tool.has_key(container), "it was win-acme's, and so it is ours now"
    # Wine's schtasks knows no /DISABLE: the operator hears what is left to do.
    assert "switch the task" in done.text and "switch it off by hand" in done.text

    done = daemon("import", "win-acme", "--undo")
    assert done.code == 0 and "is on, and is left so" in done.out, done
