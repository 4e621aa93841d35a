"""What somebody changed after us. An operator's decision is told and left until `deploy`; what
nobody can want is put back, with one restart a day at most."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from lib.waiting import wait_until

DONE, FAILED, NOTHING = 0, 1, 3


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


def look(daemon, code=NOTHING):
    """A pass that finds nothing due: it inspects, when a second or so has gone by."""
    time.sleep(1.2)
    result = daemon("renew", "xc")
    assert result.code == code, result


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
    assert xc.current() == ours
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
    process = xc.processes()
    assert "xc" in kept("renew", "xc", "--force").text
    assert (xc.tls_json.read_bytes() if xc.tls_json.exists() else None) == theirs
    assert xc.processes() == process, "it was restarted"
    assert mode(kept) == "operator"
    assert len(webhook.of("drift")) == 1
    taken_back(kept, webhook, xc)


def test_a_tls_json_that_is_no_json_is_told_with_the_way_out(kept, webhook, xc):
    """Which works: `deploy` alone refuses to write over it."""
    ours = xc.served().thumbprint
    xc.tls_json.write_text("tlsEnabled: yes")
    told_once(kept, webhook, f"left to you: repair '{xc.tls_json}', or move it away; then "
                             f"`certrenewd deploy xc` brings {ours} back")
    file = kept.status("xc")["views"]["targets"][0]["configuration"]
    assert file["tls_enabled"] is None and "not JSON" in file["problem"]
    assert "TLS is off" not in kept.ok("status", "xc").out
    refused = kept("deploy", "xc")
    assert refused.code == FAILED and "not JSON" in refused.text
    xc.tls_json.rename(xc.tls_json.with_suffix(".away"))
    kept.ok("deploy", "xc")
    assert json.loads(xc.tls_json.read_text())["certificate"]["thumbprint"] == ours


def test_a_folder_that_another_certrenewd_took_is_told_with_the_way_out(kept, webhook, xc):
    keeper = Path(f"{xc.tls_json}.certrenewd")
    keeper.write_text(json.dumps({**json.loads(keeper.read_text()), "host": "elsewhere",
                                  "machine": "5" * 64, "instance": "4" * 32}))
    rewrite(xc, tlsEnabled=False)
    look(kept)
    alert, = webhook.of("drift")
    assert "left to you: " in alert["what"] and "brings" not in alert["what"], alert
    assert "certrenewd of host 'elsewhere'" in alert["what"], alert
    assert "`certrenewd deploy xc --take-over` here" in alert["what"], alert
    kept.ok("deploy", "xc", "--take-over")


def test_nothing_that_an_operator_uses_is_retired(kept, webhook, xc):
    old = xc.served().thumbprint
    process = xc.processes()
    rewrite(xc, tlsEnabled=False)
    look(kept)
    kept("renew", "xc", "--force")
    assert old in xc.versions(), "the running application may still need it"
    assert xc.processes() == process


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


# ---- put back by itself ----------------------------------------------------

def put_back(daemon, webhook, xc, words, how="; put back"):
    """One look puts it back, tells it once and closes it once; another finds nothing."""
    ours = daemon.status("xc")["sha1"]
    look(daemon, DONE)
    alert, = webhook.of("drift")
    assert words in alert["what"] and how in alert["what"], alert
    assert len(webhook.of("recovered")) == 1
    look(daemon)
    assert (len(webhook.of("drift")), len(webhook.of("recovered"))) == (1, 1)
    assert (xc.served().thumbprint, xc.thumbprint(), mode(daemon)) == (ours, ours, "https")
    assert xc.current() == ours


def renewed(daemon, xc):
    """A second certificate; gives tls.json as it was with the first one, and both names."""
    before, first = xc.tls_json.read_bytes(), xc.thumbprint()
    daemon.ok("renew", "xc", "--force")
    return before, first, xc.thumbprint()


def lose_the_link(xc):
    xc.store.unlink()
    return "the store lost what it had"


def lose_the_entry(xc):
    shutil.rmtree(xc.store.resolve())
    return "the store lost what it had"


def lose_the_key(xc):
    (xc.store / "key.pem").unlink()
    return "the store lost what it had"


def open_the_key(xc):
    (xc.store / "key.pem").chmod(0o644)
    return "key.pem' has mode 0644, not 0600"


def spoil_the_key(xc):
    (xc.store / "key.pem").write_text("no key")
    return "key.pem"


@pytest.mark.parametrize("lose", [lose_the_link, lose_the_entry, lose_the_key, open_the_key,
                                  spoil_the_key])
def test_what_the_store_lost_is_put_back_without_a_restart(kept, webhook, xc, lose):
    processes, words = xc.processes(), lose(xc)
    put_back(kept, webhook, xc, words, "put back; the application was not restarted")
    assert xc.processes() == processes
    assert (xc.store / "key.pem").stat().st_mode & 0o777 == 0o600
    xc.ctl("restart")
    assert xc.served().thumbprint == xc.thumbprint(), "what was put back works"


def test_a_restored_tls_json_is_put_back(kept, webhook, xc):
    """From a backup; the application has not noticed yet."""
    before, first, _ = renewed(kept, xc)
    processes = xc.processes()
    xc.tls_json.write_bytes(before)
    put_back(kept, webhook, xc, f"tls.json is again as it was for an earlier certificate, {first}")
    assert xc.processes() == processes


def test_a_restored_store_link_is_put_back(kept, webhook, xc):
    kept.config["certificates"]["xc"]["deploy"][0]["retire"] = {"after": "1h"}
    kept.write()
    _, first, second = renewed(kept, xc)
    link = Path(f"{xc.store}.new")
    link.symlink_to(os.readlink(xc.store).replace(second, first))
    os.replace(link, xc.store)
    put_back(kept, webhook, xc, f"the store names an earlier certificate: {first}")


def test_a_restored_tls_json_that_was_read_is_put_back_with_one_restart(kept, webhook, xc):
    """The whole machine went back to before the renewal, the application with it."""
    kept.config["certificates"]["xc"]["deploy"][0]["retire"] = {"after": "1h"}
    kept.write()
    before, first, second = renewed(kept, xc)
    ours = xc.tls_json.read_bytes()
    xc.tls_json.write_bytes(before)
    xc.ctl("restart")
    assert xc.served().thumbprint == first
    put_back(kept, webhook, xc, first, "put back, with a restart of the application")
    processes = xc.processes()
    assert xc.tls_json.read_bytes() == ours

    xc.tls_json.write_bytes(before)
    xc.ctl("restart")
    processes = xc.processes()
    for _ in range(2):
        look(kept)
    assert xc.processes() == processes, "one restart a day"
    assert xc.thumbprint() == first
    again = webhook.of("drift")[1:]
    assert len(again) == 1 and "it is put back when a restart is due" in again[0]["what"]
    assert "`certrenewd deploy xc`" in again[0]["what"]
    kept.ok("deploy", "xc")
    assert xc.served().thumbprint == second


def window(begins_in_s, lasts_s):
    """A maintenance window, and when it begins in UTC, as a heartbeat says it."""
    begin = int(time.time() + begins_in_s) // 60 * 60
    times = "-".join(time.strftime("%H:%M", time.localtime(at)) for at in (begin, begin + lasts_s))
    return [times], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin))


def test_a_failed_deploy_is_over_when_a_look_sees_it_mended_by_hand(kept, webhook, xc):
    kept.config["inspect_every"]["endpoints"] = "6h"
    kept.write()
    good = xc.tls_json.read_text()
    xc.tls_json.write_text('{ "tlsEnabled": tru')
    result = kept("deploy", "xc")
    assert result.code == FAILED and "JSON" in result.err, result
    assert kept.status("xc")["deployment"]["failures"] == 1
    look(kept)
    assert kept.status("xc")["deployment"]["failures"] == 1
    assert not webhook.of("recovered")
    xc.tls_json.write_text(good)
    look(kept)
    assert kept.status("xc")["deployment"]["failures"] == 0
    assert [alert["target"] for alert in webhook.of("recovered")] == ["xtract-core"]


def test_what_needs_a_restart_is_put_back_in_its_maintenance_window(kept, webhook, xc):
    target = kept.config["certificates"]["xc"]["deploy"][0]
    target["retire"] = {"after": "1h"}
    target["maintenance_window"], begins = window(720, 1800)
    kept.write()
    before, first, second = renewed(kept, xc)
    xc.tls_json.write_bytes(before)
    xc.ctl("restart")
    processes = xc.processes()
    for _ in range(2):
        look(kept)
    assert (xc.processes(), xc.thumbprint()) == (processes, first)
    drift, = webhook.of("drift")
    assert "it is put back when a restart is due, 20" in drift["what"]
    assert "or now with `certrenewd deploy xc`" in drift["what"]
    kept.config["inspect_every"] = {"files": "12h", "endpoints": "12h"}
    kept.write()
    kept.start()
    wait_until((kept.state / "heartbeat.json").exists, what="the first heartbeat")
    wait_until(lambda: heartbeat(kept)["next_at"] == begins, what="the window in its plan")
    assert kept.stop() == 0

    target["maintenance_window"], _ = window(-7200, 14400)
    kept.config["inspect_every"] = {"files": "1s", "endpoints": "12h"}
    kept.write()
    look(kept, DONE)
    assert xc.processes() != processes
    assert xc.served().thumbprint == xc.thumbprint() == second
    assert len(webhook.of("recovered")) == 1


def heartbeat(daemon):
    certificate, = json.loads((daemon.state / "heartbeat.json").read_text())["certificates"]
    return certificate


def test_a_restart_that_was_lost_is_made_up_for(kept, webhook, xc):
    """The files are right, and what runs was started before they were."""
    kept.config["certificates"]["xc"]["deploy"][0]["retire"] = {"after": "1h"}
    kept.write()
    before, first, _ = renewed(kept, xc)
    ours = xc.tls_json.read_bytes()
    xc.tls_json.write_bytes(before)
    xc.ctl("restart")
    xc.tls_json.write_bytes(ours)
    put_back(kept, webhook, xc, f"serves an earlier certificate: {first}",
             "put back, with a restart of the application")


def test_a_healing_that_does_not_help_is_no_storm_of_restarts(kept, webhook, xc):
    kept.config["certificates"]["xc"]["deploy"][0].update(retire={"after": "1h"},
                                                          verify_timeout="1s")
    kept.write()
    before, first, second = renewed(kept, xc)
    xc.tls_json.write_bytes(before)
    xc.ctl("restart")
    xc.misbehave(serve_old=True)
    look(kept, FAILED)
    drift, = webhook.of("drift")
    assert "putting it back failed" in drift["what"]
    assert xc.served().thumbprint == first
    processes = xc.processes()
    for _ in range(2):
        time.sleep(1.2)
        kept("renew", "xc")
    assert xc.processes() == processes, "it was restarted again"
    assert len(webhook.of("drift")) == 1
    xc.misbehave()
    kept.ok("deploy", "xc")
    assert xc.served().thumbprint == second


def test_a_stopped_service_gets_its_files_and_is_not_started(kept, webhook, xc):
    before, _, second = renewed(kept, xc)
    xc.stop()
    xc.tls_json.write_bytes(before)
    look(kept, FAILED)
    drift, = webhook.of("drift")
    assert "put back; its service is stopped and is not started" in drift["what"]
    assert xc.thumbprint() == second
    assert xc.served() is None
    assert len(webhook.of("waiting_for_service")) == 1
    xc.start()
    kept.ok("deploy", "xc")
    assert xc.served().thumbprint == second


def test_settings_that_were_restored_with_tls_json_name_ours_again(kept, webhook, xc):
    xc.settings.write_text(json.dumps({"thumbprint": xc.thumbprint().lower(), "port": 0}))
    settings = xc.settings.read_bytes()
    _, _, second = renewed(kept, xc)
    assert json.loads(xc.settings.read_text())["thumbprint"] == second.lower()
    xc.settings.write_bytes(settings)
    put_back(kept, webhook, xc, "names the certificate of before")
    assert json.loads(xc.settings.read_text())["thumbprint"] == second.lower()


def test_nothing_is_put_back_for_an_operator(kept, webhook, xc):
    before, *_ = renewed(kept, xc)
    rewrite(xc, tlsEnabled=False)
    look(kept)
    assert mode(kept) == "operator"
    xc.tls_json.write_bytes(before)
    (xc.store / "key.pem").unlink()
    look(kept)
    assert xc.tls_json.read_bytes() == before
    assert not (xc.store / "key.pem").exists()
    assert len(webhook.of("drift")) == 1


def test_a_certificate_that_cannot_be_served_is_nobodys_choice(kept, webhook, xc):
    """Told; the next renewal writes it."""
    rewrite(xc, certificate={"thumbprint": "00" * 20})
    told_once(kept, webhook, "names a certificate that cannot be served")
    assert mode(kept) == "https"
    assert xc.thumbprint() == "00" * 20
    kept.ok("renew", "xc", "--force")
    assert xc.thumbprint() == xc.served().thumbprint


# ---- noticed at once -------------------------------------------------------

@pytest.fixture
def listening(kept):
    """A daemon that would not look by itself for hours."""
    kept.config["inspect_every"] = {"files": "12h", "endpoints": "12h"}
    kept.write()
    kept.start()
    wait_until(lambda: kept.status("xc")["inspected_files_at"], what="the first look")
    return kept


def passes(daemon):
    """How often it has looked, as job.json is written at the end of each pass."""
    return (daemon.state / "certificates/xc/job.json").stat().st_mtime_ns


def test_a_change_is_noticed_within_seconds_and_our_own_ends(listening, webhook, xc):
    begun = time.monotonic()
    (xc.store / "key.pem").chmod(0o644)
    webhook.wait_for("drift", 15)
    assert time.monotonic() - begun < 15
    wait_until(lambda: (xc.store / "key.pem").stat().st_mode & 0o777 == 0o600, 10,
               "the key closed again")
    webhook.wait_for("recovered", 10)
    seen = [passes(listening)]
    for _ in range(6):  # our own writing is looked at once or twice, and that is all
        time.sleep(2.5)
        seen.append(passes(listening))
    assert len(set(seen[-2:])) == 1, seen
    assert len(webhook.of("drift")) == 1


def test_an_operators_tls_json_is_noticed_where_the_folder_was_away(listening, webhook, xc):
    away = xc.tls_json.parent.with_name("away")
    ours = xc.tls_json.read_text()
    xc.tls_json.parent.rename(away)
    alert = webhook.wait_for("drift", 15)
    assert "tls.json was removed" in alert["what"]
    away.rename(xc.tls_json.parent)
    assert xc.tls_json.read_text() == ours
    assert mode(listening) == "operator"


# ---- the four views --------------------------------------------------------

def differing(views):
    target, = views["targets"]
    parts = {"ca": views["ca"], **{name: target[name] for name in ("configuration", "store")}}
    served, = target["served"]
    return {name for name, view in {**parts, "served": served}.items() if view["differs"]}


def test_status_shows_file_store_served_and_ca_side_by_side(kept, xc):
    leaf = xc.served()
    views = kept.status("xc")["views"]
    target, = views["targets"]
    served, = target["served"]
    assert differing(views) == set()
    assert {leaf.thumbprint} == {view["sha1"] for view in (
        views["ca"], target["configuration"], target["store"], served)}
    assert views["ca"]["issuer"] == "pebble" and int(views["ca"]["serial"], 16)
    assert not views["ca"]["revoked"]
    assert (target["store"]["state"], target["store"]["key_usable"]) == ("right", True)
    assert served["connect"] == f"127.0.0.1:{xc.secure_port}"
    assert served["not_after"] == views["ca"]["not_after"] and served["seen_at"]

    kept.ok("renew", "xc", "--force")
    served, = kept.status("xc")["views"]["targets"][0]["served"]
    assert served["sha1"] == xc.served().thumbprint != leaf.thumbprint, "as of the deployment"

    rewrite(xc, tlsEnabled=False)
    (xc.store / "key.pem").chmod(0o640)
    views = kept.status("xc")["views"]
    assert differing(views) == {"configuration", "store"}
    store = views["targets"][0]["store"]
    assert not store["key_usable"] and store["key_readers"].endswith(" 0640")
    assert "mode 0640, not 0600" in store["problem"]
    lines = kept.ok("status", "xc").out.splitlines()
    marked = [line for line in lines if line.startswith("  ! ")]
    assert [line.split()[1] for line in marked] == ["tls.json", "store"], lines
    assert "TLS is off" in marked[0] and "mode 0640, not 0600" in marked[1]
    assert "views" not in json.loads(kept.ok("status", "--json").out)["certificates"][0]


def test_status_calls_the_key_of_another_certificate_by_what_it_does(kept, xc, authority):
    theirs = authority.issue("xc.example")
    xc.install(theirs)
    xc.store.unlink()
    xc.store.symlink_to(f"{xc.store.name}.versions/{theirs.thumbprint}")
    store = kept.status("xc")["views"]["targets"][0]["store"]
    assert (store["state"], store["sha1"], store["problem"]) == (
        "other", theirs.thumbprint, None)
    assert store["key_usable"] and store["differs"]
    key, = (line for line in kept.ok("status", "xc").out.splitlines() if "! store" in line)
    assert f"{theirs.thumbprint}, key signs, read by " in key
    (xc.store / "key.pem").write_text(authority.issue("xc.example").key_pem)
    key, = (line for line in kept.ok("status", "xc").out.splitlines() if "! store" in line)
    assert "key not usable" in key and "does not work for" in key
