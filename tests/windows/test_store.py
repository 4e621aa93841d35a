"""The Windows certificate store: entries, keys in their containers, who may read them."""

import json

import pytest

from lib.skips import wine_cannot
from lib.tool import service_sid
from lib.waiting import wait_until

LATER = {"after": "24h"}


@pytest.fixture
def first(setup, pebble, xc):
    """first(**target): a certificate of ours is served. Gives (daemon, its thumbprint)."""

    def make(**target):
        xc.start()
        daemon = setup(pebble, target=xc.target(**target))
        daemon.ok("renew", "xc")
        return daemon, xc.served().thumbprint

    return make


def test_a_renewal_knows_service_ports_and_store_by_the_preset_alone(setup, pebble, xc, tool):
    xc.start()
    daemon = setup(pebble, target={"preset": "xtract-core", "install_dir": str(xc.dir)})
    daemon.ok("renew", "xc")
    thumbprint = xc.served("xc.example").thumbprint
    assert xc.thumbprint() == thumbprint
    entry = tool.entries()[thumbprint]
    assert entry["machine"] and not entry["archived"]
    assert entry["provider"] == "Microsoft Enhanced RSA and AES Cryptographic Provider"
    assert "xc.example" in entry["friendly_name"]
    assert tool.signs(thumbprint)


def test_intermediates_go_to_ca_and_roots_nowhere(first, tool, authority):
    roots = set(tool.entries("Root"))
    first()
    assert set(tool.entries("Root")) == roots
    assert len(tool.entries("CA")) >= 1


def test_two_in_a_row_have_containers_of_their_own(first, xc, tool):
    daemon, old = first(retire=LATER)
    old_container = xc.container()
    daemon.ok("renew", "xc", "--force")
    new = xc.served().thumbprint
    assert new != old
    assert xc.versions() == sorted([old, new])
    assert xc.container(new) != old_container
    assert tool.signs(old) and tool.signs(new), "one key was written over the other"


def test_the_old_entry_and_its_container_go_together(first, xc, tool):
    daemon, old = first()
    old_container = xc.container()
    daemon.ok("renew", "xc", "--force")
    assert old not in tool.entries()
    assert not tool.has_key(old_container)
    assert tool.containers() == [xc.container()]


def test_a_foreign_predecessor_is_left_with_its_key_and_said(setup, pebble, xc, tool,
                                                             authority):
    """Wine keeps no CERT_ARCHIVED_PROP_ID: on Windows the entry is hidden, too."""
    theirs = authority.issue("xc.example", days=20)
    container = xc.install(theirs)
    xc.start()
    result = setup(pebble).ok("renew", "xc", "--force")
    assert xc.serves_another(theirs.thumbprint)
    assert f"the predecessor {theirs.thumbprint} was not imported by us" in result.text
    assert theirs.thumbprint in tool.entries()
    assert tool.has_key(container) and tool.signs(theirs.thumbprint)


def test_the_service_and_whoever_could_before_may_read_the_key(setup, pebble, xc, tool,
                                                               authority):
    other = service_sid("Backup Agent")
    container = xc.install(authority.issue("xc.example", days=20))
    tool.set_dacl(container, f"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GR;;;{other})"
                  f"(A;;GR;;;{service_sid(xc.service_name)})")
    xc.start()
    setup(pebble).ok("renew", "xc", "--force")
    dacl = tool.dacl(xc.container())
    assert service_sid("SAP Connector Service") in dacl
    assert other in dacl
    assert ";;;SY)" in dacl and ";;;BA)" in dacl
    effective = [ace for ace in dacl.split("(")[1:] if "IO" not in ace.split(";")[1]]
    assert not [ace for ace in effective if ";;;WD)" in ace or ";;;BU)" in ace], dacl


def test_an_account_that_is_named_may_read_the_key(first, xc, tool):
    first(store={"type": "windows", "access": ["NT SERVICE\\SAP Connector Service",
                                               "NT SERVICE\\Backup Agent"]})
    dacl = tool.dacl(xc.container())
    assert service_sid("Backup Agent") in dacl
    assert service_sid("SAP Connector Service") in dacl


def test_a_stripped_access_list_is_given_back_and_told(setup, make_pebble, xc, tool, webhook):
    xc.start()
    daemon = setup(make_pebble(nonce_reject=0), webhook)
    daemon.config["inspect_every"] = {"files": "1s", "endpoints": "1h"}
    daemon.write()
    daemon.ok("renew", "xc")
    container, sid = xc.container(), service_sid("SAP Connector Service")
    tool.set_dacl(container, "D:P(A;;GA;;;SY)(A;;GA;;;BA)")
    daemon.start()
    told = webhook.wait_for("drift", 30)
    assert "may not read the private key" in told["what"]
    assert "SAP Connector Service" in told["what"]
    assert "put back" in told["what"]
    assert sid in tool.dacl(container)
    assert daemon.stop() == 0
    xc.ctl("restart")
    assert xc.served().thumbprint == xc.thumbprint()


def test_a_key_that_is_kept_stays_in_its_container_with_its_access(setup, pebble, xc, tool):
    xc.start()
    daemon = setup(pebble, key={"type": "rsa-2048", "reuse": True})
    daemon.ok("renew", "xc")
    old, container, dacl = xc.thumbprint(), xc.container(), tool.dacl(xc.container())
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(old)
    assert xc.container() == container
    assert tool.dacl(container) == dacl
    assert xc.versions() == [xc.thumbprint()]


def test_no_key_is_left_on_disk_once_the_store_has_it(first, xc):
    daemon, _ = first()
    kept = [p for p in daemon.state.rglob("*") if p.is_file()
            and p.parent.parent.name == "versions" and "key" in p.name]
    assert [(p.name, p.read_bytes()) for p in kept] == [("key.store", b"")]
    for path in daemon.state.rglob("*"):
        assert not path.is_file() or b"BEGIN PRIVATE KEY" not in path.read_bytes() or \
            "accounts" in path.parts, f"{path} holds a key"


def test_the_newest_certificate_of_the_store_is_deployed(daemon, xc, tool, authority):
    old = authority.issue("xc.example", days=30, age_days=5)
    new = authority.issue("xc.example", days=90)
    stranger = authority.issue("other.example", days=300)
    xc.install(old)
    xc.start()
    for leaf, container in ((new, "enrolled"), (stranger, "stranger")):
        tool.import_leaf(leaf, daemon.folder, container)
    tool.add("Root", authority.root_pem, daemon.folder)
    daemon.configure(issuers={"pki": {"type": "store"}}, certificates={"xc": {
        "hosts": ["xc.example"], "issuers": ["pki"], "deploy": [xc.target()]}})
    daemon.ok("renew", "xc")
    assert xc.served().thumbprint == new.thumbprint
    written = json.loads(xc.tls_json.read_text())["certificate"]
    assert written["thumbprint"] == new.thumbprint
    entries = tool.entries()
    assert entries[new.thumbprint]["container"] == "enrolled"
    assert stranger.thumbprint in entries
    assert service_sid("SAP Connector Service") in tool.dacl("enrolled")
    assert daemon("renew", "xc").code == 3


def test_an_ec_key_is_refused_without_experimental(setup, xc, pebble, daemon):
    setup(pebble)
    daemon.config["certificates"]["xc"]["key"] = {"type": "ec-p256"}
    daemon.write()
    result = daemon("check-config")
    assert result.code == 2, result
    assert "experimental" in result.err


def test_an_ec_key_is_served_where_it_is_allowed(setup, xc, pebble, daemon):
    wine_cannot("cng")
    setup(pebble, target=xc.target(store={"type": "windows", "experimental": True}))
    daemon.config["certificates"]["xc"]["key"] = {"type": "ec-p256"}
    daemon.write()
    xc.start()
    daemon.ok("renew", "xc")
    assert xc.served().thumbprint == xc.thumbprint()
