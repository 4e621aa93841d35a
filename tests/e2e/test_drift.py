"""What somebody changed after us: told once, never undone, and taken back on command."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from lib.waiting import wait_until

NOTHING = 3


@pytest.fixture
def kept(setup, make_pebble, xc, webhook):
    """One certificate in service, looked at again at every command."""
    xc.start()
    daemon = setup(make_pebble(validity_s=3600, nonce_reject=0), webhook,
                   key={"type": "ec-p256"})
    daemon.config["inspect_every"] = {"files": "1s", "endpoints": "1s"}
    daemon.write()
    daemon.ok("renew", "xc")
    assert [alert["event"] for alert in webhook.alerts] == ["renewed"]
    return daemon


def look(daemon):
    """A pass that finds nothing due: it inspects, when a second or so has gone by."""
    time.sleep(1.2)
    result = daemon("renew", "xc")
    assert result.code == NOTHING, result


def mode(daemon):
    return daemon.status("xc")["targets"][0]["mode"]


def another(xc, authority):
    """The operator's own certificate in the store; gives its thumbprint."""
    leaf = authority.issue("xc.example")
    before = xc.tls_json.read_text()
    xc.install(leaf)
    xc.tls_json.write_text(before)
    return leaf.thumbprint


def rewrite(xc, **changes):
    document = json.loads(xc.tls_json.read_text())
    document["certificate"].update(changes.pop("certificate", {}))
    xc.tls_json.write_text(json.dumps({**document, **changes}, indent=4))


def told_once(daemon, webhook, words):
    """The one alert of the drift, however often it is looked at; it names the command."""
    for _ in range(3):
        look(daemon)
    alert, = webhook.of("drift")
    assert words in alert["what"], alert
    assert "`certrenewd deploy xc` brings" in alert["what"]
    assert (alert["certificate"], alert["target"]) == ("xc", "xtract-core")
    return alert


def taken_back(daemon, webhook, xc):
    """`deploy` makes it ours again, and says so once."""
    daemon.ok("deploy", "xc")
    ours = daemon.status("xc")["sha1"]
    assert (xc.served().thumbprint, xc.thumbprint(), mode(daemon)) == (ours, ours, "https")
    assert xc.store.resolve().name == ours
    look(daemon)
    assert len(webhook.of("drift")) == 1
    assert len(webhook.of("recovered")) == 1
    look(daemon)
    assert len(webhook.of("recovered")) == 1


def remove_tls_json(xc, authority):
    xc.tls_json.unlink()
    return "tls.json was removed"


def switch_tls_off(xc, authority):
    rewrite(xc, tlsEnabled=False)
    return "tls.json says that TLS is off"


def choose_another(xc, authority):
    theirs = another(xc, authority)
    rewrite(xc, certificate={"thumbprint": theirs})
    return f"tls.json names another certificate: {theirs}"


@pytest.mark.parametrize("operator", [remove_tls_json, switch_tls_off, choose_another])
def test_what_an_operator_did_to_tls_json_stays_until_deploy(kept, webhook, xc, authority,
                                                             operator):
    words = operator(xc, authority)
    theirs = xc.tls_json.read_bytes() if xc.tls_json.exists() else None
    told_once(kept, webhook, words)
    assert mode(kept) == "operator"
    process = (xc.dir / "xcctl.pid").read_text()
    assert "xc" in kept("renew", "xc", "--force").text
    assert (xc.tls_json.read_bytes() if xc.tls_json.exists() else None) == theirs
    assert (xc.dir / "xcctl.pid").read_text() == process, "it was restarted"
    assert mode(kept) == "operator"
    assert len(webhook.of("drift")) == 1
    taken_back(kept, webhook, xc)


def test_nothing_that_an_operator_uses_is_retired(kept, webhook, xc):
    old = xc.served().thumbprint
    process = (xc.dir / "xcctl.pid").read_text()
    rewrite(xc, tlsEnabled=False)
    look(kept)
    kept("renew", "xc", "--force")
    assert old in xc.versions(), "the running application may still need it"
    assert (xc.dir / "xcctl.pid").read_text() == process


def test_a_renewal_does_not_say_that_an_operators_target_serves_it(kept, xc):
    old = xc.served().thumbprint
    rewrite(xc, tlsEnabled=False)
    look(kept)
    result = kept("renew", "xc", "--force")
    assert xc.served().thumbprint == old
    assert "is served with" not in result.text, result
    assert "operator" in result.text, result


def test_a_store_that_points_elsewhere_is_told_and_taken_back(kept, webhook, xc, authority):
    theirs = another(xc, authority)
    link = Path(f"{xc.store}.new")
    link.symlink_to(os.readlink(xc.store).replace(kept.status("xc")["sha1"], theirs))
    os.replace(link, xc.store)
    told_once(kept, webhook, f"the store names another certificate: {theirs}")
    assert mode(kept) == "https"
    assert xc.store.resolve().name == theirs, "an inspection changes nothing"
    taken_back(kept, webhook, xc)


def test_a_store_without_its_link_is_told_and_taken_back(kept, webhook, xc):
    xc.store.unlink()
    told_once(kept, webhook, "the store")
    taken_back(kept, webhook, xc)


def test_a_key_that_was_exchanged_is_told_and_taken_back(kept, webhook, xc, authority):
    (xc.store / "key.pem").write_text(authority.issue("xc.example").key_pem)
    told_once(kept, webhook, f"the key '{xc.store}/key.pem' does not work for")
    taken_back(kept, webhook, xc)


def test_an_endpoint_that_serves_another_certificate_is_told(kept, webhook, xc, authority):
    """Somebody started the application by hand, with another tls.json for a moment."""
    ours, theirs = xc.tls_json.read_text(), another(xc, authority)
    rewrite(xc, certificate={"thumbprint": theirs})
    xc.ctl("restart")
    xc.tls_json.write_text(ours)
    told_once(kept, webhook, f"serves another certificate: {theirs}")
    assert mode(kept) == "https"
    taken_back(kept, webhook, xc)


def test_an_endpoint_that_went_silent_is_told_and_heals_by_itself(kept, webhook, xc):
    kept.config["certificates"]["xc"]["deploy"][0]["service"].pop("status")
    kept.write()
    xc.stop()
    told_once(kept, webhook, "does not answer")
    xc.start()
    look(kept)
    assert len(webhook.of("recovered")) == 1
    assert mode(kept) == "https"


def test_a_service_that_its_admin_stopped_is_no_drift(kept, webhook, xc):
    xc.stop()
    for _ in range(2):
        look(kept)
    assert webhook.of("drift") == []
    assert xc.served() is None, "it is not for us to start it"


def test_the_daemon_looks_by_itself_and_tells(kept, webhook, xc):
    kept.start()
    rewrite(xc, tlsEnabled=False)
    webhook.wait_for("drift", 15)
    wait_until(lambda: mode(kept) == "operator", what="mode operator")
    assert "mode operator" in kept.ok("status", "xc").out
    kept.ok("deploy", "xc")
    webhook.wait_for("recovered", 15)
    assert kept.stop() == 0
    assert len(webhook.of("drift")) == 1


def test_a_deployment_that_is_not_seen_any_more_is_no_reason_to_order(kept, xc, webhook):
    """Drift costs no certificate: neither the CA's nor the operator's."""
    shutil.rmtree(xc.tls_json.parent)
    before = kept.status("xc")["sha1"]
    told_once(kept, webhook, "tls.json was removed")
    assert kept.status("xc")["sha1"] == before
