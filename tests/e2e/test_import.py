"""`import win-acme`: its renewals become our configuration, its account ours, and its task
ends when the new certificate was seen served."""

import json
import os
import stat

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lib.daemon import Certrenewd
from lib.winacme import WinAcme, key_of, option

YUNIO_SCRIPT = r"""param($OldThumbprint, $NewThumbprint)
$file = "D:\Theobald Software\yunIO\config\servers\tls.json"
Copy-Item $file "$file.bak"
"""


@pytest.fixture
def winacme(tmp_path):
    return WinAcme(tmp_path / "theirs")


@pytest.fixture
def imported(tmp_path, binary):
    """certrenewd with /var/lib and /etc/cron.daily of its own."""
    lib, cron = tmp_path / "var-lib", tmp_path / "cron"
    lib.mkdir()
    cron.mkdir()
    enter = ["unshare", "-m", "sh", "-c",
             'mount --bind "$1" /var/lib && mount --bind "$2" /etc/cron.daily && '
             'shift 2 && exec "$@"', "sh", str(lib), str(cron)]
    program = Certrenewd(tmp_path / "ours", binary, enter=enter)
    program.state = lib / "certrenewd"
    program.cron = cron
    yield program
    program.close()


def preview(program, winacme):
    done = program.ok("import", "win-acme", "--path", winacme.program, "--dry-run")
    return yaml.safe_load(done.out), done.err


def test_a_renewal_with_the_vendors_script_becomes_its_preset(imported, winacme, tmp_path):
    script = tmp_path / "yunio-le.ps1"
    script.write_text(YUNIO_SCRIPT)
    winacme.renewal(
        "a1", "yunio.example.com",
        stores=[option("store", StoreName="My", AclRead=[r"NT Service\yunIO Service"],
                       KeepExisting=True)],
        installation=[option("script", Script=str(script),
                             ScriptParameters="{OldCertThumbprint} {CertThumbprint}")])
    config, notes = preview(imported, winacme)
    certificate = config["certificates"]["yunio-example-com"]
    assert certificate["hosts"] == ["yunio.example.com"]
    assert certificate["issuers"] == ["letsencrypt"]
    assert certificate["key"] == {"type": "rsa-3072", "reuse": False}
    assert certificate["challenge"] == {"listen": ":80"}
    assert certificate["deploy"] == [{
        "preset": "yunio", "install_dir": r"D:\Theobald Software\yunIO",
        "store": {"type": "windows", "name": "My", "access": [r"NT Service\yunIO Service"]},
        "retire": {"keep": 100}}]
    assert config["issuers"]["letsencrypt"] == {
        "directory": "https://acme-v02.api.letsencrypt.org/directory",
        "agree_to_terms": True}
    assert "add a channel under 'alerts'" in notes
    assert not imported.config_path.exists() and not imported.state.exists()


@pytest.mark.parametrize("script, preset", [
    ("xu-le.ps1", "xtract-universal"), ("BC-LE.PS1", "board-connector")])
def test_the_other_vendor_scripts_are_known_too(imported, winacme, script, preset):
    winacme.renewal("a1", "xu.example.com", stores=[option("store", StoreName="My")],
                    installation=[option("script", Script=rf"C:\scripts\{script}")])
    config, notes = preview(imported, winacme)
    assert config["certificates"]["xu-example-com"]["deploy"][0]["preset"] == preset
    assert "the script does not say where the product is" in notes


def test_other_scripts_run_with_their_parameters_as_they_stand(imported, winacme):
    winacme.renewal(
        "a1", "shop.example.com", "www.shop.example.com",
        csr=option("ec", ReusePrivateKey=True),
        validation=option("file-system", Path=r"C:\inetpub\shop"),
        stores=[option("store", StoreName="WebHosting")],
        installation=[option("script", Script=r"C:\ops\swap it.ps1",
                             ScriptParameters="'{OldCertThumbprint}' \"a b\" {CertThumbprint}")])
    config, notes = preview(imported, winacme)
    certificate = config["certificates"]["shop-example-com"]
    assert certificate["hosts"] == ["shop.example.com", "www.shop.example.com"]
    assert certificate["key"] == {"type": "ec-p384", "reuse": True}
    assert certificate["challenge"] == {"webroot": r"C:\inetpub\shop"}
    target = certificate["deploy"][0]
    assert target["store"] == {"type": "windows", "name": "WebHosting"}
    assert target["run"] == [{"command": [r"C:\ops\swap it.ps1", "{OldCertThumbprint}",
                                          "a b", "{CertThumbprint}"]}]
    assert target["verify"] == [{"connect": "shop.example.com:443"}]
    assert "check 'verify' and add 'service'" in notes
    assert "a PowerShell script is run for it" in notes


def test_what_cannot_be_taken_over_is_listed_and_left_to_win_acme(imported, winacme):
    winacme.renewal("a1", "ok.example.com", stores=[option("store", StoreName="My")])
    winacme.renewal("a2", "*.example.com", validation=option("azure"))
    winacme.renewal("a3", target=option("iis"))
    winacme.renewal("a4", "pfx.example.com", stores=[option("pfx")],
                    installation=[option("iis-bindings")])
    (winacme.endpoint / "other.renewal.json").write_text(json.dumps({"Id": "x"}))
    config, notes = preview(imported, winacme)
    assert sorted(config["certificates"]) == ["ok-example-com", "pfx-example-com"]
    for sentence in ["a wildcard cannot be validated by http-01: *.example.com",
                     "it is validated by dns-01 by Azure",
                     "its names come from names from IIS bindings",
                     "it is not kept any more in a PFX file",
                     "it is not installed any more into IIS bindings",
                     "other.renewal.json' does not hold the id that its name says"]:
        assert sentence in notes


def test_settings_that_matter_are_kept_or_named(imported, tmp_path):
    theirs = WinAcme(tmp_path / "simple", client="simple-acme", settings={
        "Proxy": {"Url": "http://proxy.example:3128", "Username": "u"},
        "Notification": {"SmtpServer": "mail.example"},
        "Csr": {"Rsa": {"KeyBits": 2048}}})
    theirs.renewal("a1", "a.example.com", stores=[option("store", StoreName="My")])
    config, notes = preview(imported, theirs)
    assert config["issuers"]["letsencrypt"]["proxy"] == "http://proxy.example:3128"
    assert config["certificates"]["a-example-com"]["key"]["type"] == "rsa-2048"
    assert "mail by 'mail.example' is not taken over" in notes
    assert "the proxy's user name and password are not taken over" in notes


def test_two_renewals_of_the_same_names_get_names_of_their_own(imported, winacme):
    for ident in ("a1", "a2"):
        winacme.renewal(ident, "a.example.com", stores=[option("store", StoreName="My")])
    config, _ = preview(imported, winacme)
    assert sorted(config["certificates"]) == ["a-example-com", "a-example-com-2"]


@pytest.mark.parametrize("case, sentence", [
    ("nothing", "no renewals of win-acme in"),
    ("no path", "give win-acme's program or configuration folder with --path"),
    ("another program", "import win-acme, not 'certbot'"),
    ("undo of nothing", "nothing was imported from win-acme here"),
])
def test_what_goes_wrong_is_said(imported, tmp_path, case, sentence):
    (tmp_path / "empty").mkdir()
    words = {"nothing": ["win-acme", "--path", tmp_path / "empty"], "no path": ["win-acme"],
             "another program": ["certbot"], "undo of nothing": ["win-acme", "--undo"]}[case]
    done = imported("import", *words)
    assert done.code in (2, 3) and sentence in done.err


def test_an_existing_configuration_is_not_overwritten(imported, winacme):
    winacme.renewal("a1", "a.example.com", stores=[option("store", StoreName="My")])
    imported.config_path.write_text("mine\n")
    done = imported("import", "win-acme", "--path", winacme.root)
    assert done.code == 2 and "exists and is not overwritten" in done.err
    assert imported.config_path.read_text() == "mine\n"


@pytest.mark.parametrize("key, protect, sentence", [
    ("p256", "plain", "is taken over: https://ca.example/acct/7"),
    ("rsa", "clear", "is taken over: https://ca.example/acct/7"),
    ("p384", "plain", "the account's key is of 384 bits"),
    ("p256", "encrypted", "it is encrypted for the Windows machine that win-acme ran on"),
])
def test_the_account_becomes_ours(imported, winacme, tmp_path, key, protect, sentence):
    made = {"p256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
            "rsa": lambda: rsa.generate_private_key(65537, 2048)}[key]()
    winacme.account(made, "https://ca.example/acct/7", protect=protect)
    winacme.renewal("a1", "a.example.com", stores=[option("pem", Path=str(tmp_path / "pem"))])
    done = imported("import", "win-acme", "--path", winacme.program)
    assert sentence in done.err and done.code == 0
    folder = imported.state / "accounts/letsencrypt"
    if "taken over:" not in sentence:
        assert "a new one is registered with the first order" in done.err
        assert not (folder / "key.pem").exists()
        return
    ours = key_of((folder / "key.pem").read_bytes())
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert ours.private_numbers() == made.private_numbers()
    assert json.loads((folder / "account.json").read_text())["url"].endswith("/acct/7")


def test_the_task_ends_when_the_new_certificate_was_seen_served(
        imported, pebble, authority, setup, xc, tmp_path):
    first = setup(pebble)  # registers the account that win-acme is said to have
    xc.install(authority.issue("xc.example"))
    xc.start()
    first.ok("renew", "xc")
    (xc.dir / "config/servers/tls.json.certrenewd").unlink()  # that one is gone
    account = first.state / "accounts/pebble"
    url = json.loads((account / "account.json").read_text())["url"]
    theirs = WinAcme(tmp_path / "theirs", base_uri=pebble.directory)
    theirs.account(key_of((account / "key.pem").read_bytes()), url)
    theirs.renewal("a1", "xc.example", stores=[option("pem", Path=str(tmp_path / "pem"))])
    client, endpoint = theirs.task[:-1].split(" renew (")
    script = imported.cron / f"{client}-{endpoint.replace('.', '_')}"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)

    done = imported.ok("import", "win-acme", "--path", theirs.program)
    assert f"its task '{theirs.task}' is switched off when" in done.out
    config = yaml.safe_load(imported.config_path.read_text())
    issuer = next(iter(config["issuers"]))
    assert config["issuers"][issuer]["directory"] == pebble.directory
    config["issuers"][issuer]["ca_bundle"] = str(pebble.ca_bundle)
    certificate = config["certificates"]["xc-example"]
    certificate["challenge"] = {"listen": f"127.0.0.1:{pebble.http_port}"}
    target = xc.target()
    target["store"] = {"type": "directory", "path": str(xc.store) + "-new"}
    (xc.dir / "xcctl.conf").write_text(
        f"APP='{xc.app}'\nSTORE='{target['store']['path']}'\n")
    certificate["deploy"] = [target]
    imported.config_path.write_text(yaml.safe_dump(config))
    assert os.access(script, os.X_OK)

    done = imported.ok("renew", "xc-example")
    assert f"the task '{theirs.task}' is switched off" in done.text
    assert not os.access(script, os.X_OK)
    shown = imported.ok("account", "show", "--json").json
    assert shown["url"] == url

    assert f"the task '{theirs.task}' is on" in imported.ok("import", "win-acme", "--undo").out
    assert os.access(script, os.X_OK)
