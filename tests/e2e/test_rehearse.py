"""`rehearse`: everything that a renewal does, at the CA's staging directory, and nothing is
touched; spares are proven by the daemon once a month; staging and production share nothing."""

import hashlib
import json
import re
import socket
import time

import pytest

from conftest import issuer_of
from lib.ca_proxy import make_proxy, problem, short_lived  # noqa: F401
from lib.waiting import wait_until


def snapshot(*folders, without=("rehearsals.json", "accounts/", "lock", "control.sock",
                                "clock.json", "alerts/", "heartbeat.json")):
    """What lies there: path to digest."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest()
            for folder in folders for p in folder.rglob("*")
            if p.is_file() and not any(part in str(p) for part in without)}


def bundle(tmp_path, *authorities):
    path = tmp_path / "bundle.pem"
    path.write_text("".join(a.ca_bundle.read_text() for a in authorities))
    return str(path)


@pytest.fixture
def real(make_proxy, short_lived):  # noqa: F811
    return make_proxy(short_lived)


@pytest.fixture
def staging(make_proxy, make_pebble, short_lived):  # noqa: F811
    """Another CA, that looks at the same port."""
    return make_proxy(make_pebble(http_port=short_lived.http_port, validity_s=3600,
                                  nonce_reject=0))


@pytest.fixture
def scene(setup, real, staging, xc, tmp_path):
    """One certificate is served; its CA has a staging directory."""
    xc.start()
    daemon = setup(real)
    daemon.config["issuers"]["pebble"] = issuer_of(
        real, staging=staging.directory, ca_bundle=bundle(tmp_path, real, staging))
    daemon.write()
    daemon.ok("renew", "xc")
    return daemon


@pytest.fixture(params=["alone", "with a daemon"])
def served(request, scene):
    if request.param == "with a daemon":
        scene.start()
        wait_until(lambda: not scene.ok("status", "--json").json["daemon"]["running"],
                   what="the first look")
    return scene


def last_line(result):
    return json.loads(result.out.splitlines()[-1])


def findings(result):
    return {(f["check"], f["of"]): f for f in last_line(result)["findings"]}


# -- the command

def test_everything_is_tried_and_nothing_is_touched(served, real, staging, xc):
    before = snapshot(served.state, xc.dir, xc.store.parent / f"{xc.store.name}.versions")
    orders, thumbprint = real.count("/order-plz"), xc.served().thumbprint
    said = served.ok("rehearse", "xc")
    for line in ("ok +directory pebble: https://", "ok +account pebble: https://.* is valid",
                 "note +caa pebble: the CA does not tell its names",
                 "ok +challenge pebble: every name can be proven",
                 "ok +staging pebble: https://.*, with the account https://",
                 "ok +order pebble: a certificate was obtained there, and thrown away",
                 "ok +target xtract-core: it could be deployed now",
                 "ok +clock: confirmed", "note +alerts: nobody is told of trouble"):
        assert re.search(line, said.out), f"{line} in\n{said.out}"
    assert "rehearsal of 'xc': all is well" in said.out
    assert real.count("/order-plz") == orders
    assert staging.count("/order-plz") == 1
    assert xc.served().thumbprint == thumbprint
    after = snapshot(served.state, xc.dir, xc.store.parent / f"{xc.store.name}.versions")
    assert after == before


def test_the_trial_account_is_another(scene, real, staging):
    scene.ok("rehearse")
    accounts = scene.state / "accounts"
    ours = json.loads((accounts / "pebble/account.json").read_text())
    trial = json.loads((accounts / "pebble.staging/account.json").read_text())
    assert ours["directory"] == real.directory and trial["directory"] == staging.directory
    keys = {(accounts / name / "key.pem").read_text() for name in ("pebble", "pebble.staging")}
    assert len(keys) == 2
    registered = staging.count("/sign-me-up")
    scene.ok("rehearse")
    assert staging.count("/sign-me-up") == registered


def test_for_programs_each_check_is_an_object(served):
    found = findings(served.ok("rehearse", "xc", "--json"))
    assert found["order", "pebble"]["result"] == "ok"
    assert found["target", "xtract-core"]["result"] == "ok"
    assert found["clock", None]["result"] == "ok"
    assert found["alerts", None]["result"] == "note"


def test_a_trial_order_that_fails_fails_the_rehearsal(scene, staging, real, xc):
    staging.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not this one")
    thumbprint = xc.served().thumbprint
    said = scene("rehearse", "xc", "--json")
    assert said.code == 1
    found = findings(said)
    assert found["order", "pebble"]["result"] == "failed"
    assert "not this one" in found["order", "pebble"]["text"]
    assert re.match("rehearsal of 'xc': 1 of .* checks failed; the first: order pebble: ",
                    last_line(said)["text"])
    assert xc.served().thumbprint == thumbprint
    assert scene("renew", "xc").code == 3  # no back-off, nothing due


def test_a_certificate_for_another_key_fails_the_rehearsal(scene, staging, authority):
    leaf = authority.issue("xc.example")

    def other(answer):
        answer.body = leaf.fullchain_pem.encode()

    staging.rules["/certZ/"] = other
    said = scene("rehearse", "xc")
    assert said.code == 1
    assert "is for another key" in said.text


def test_a_certificate_with_other_names_fails_the_rehearsal(scene, staging, authority):
    leaf = authority.issue("other.example")

    def other(answer):
        answer.body = leaf.fullchain_pem.encode()

    staging.rules["/certZ/"] = other
    said = scene("rehearse", "xc")
    assert said.code == 1
    assert "order pebble" in said.err


def test_a_target_that_could_not_be_deployed_fails_the_rehearsal(scene, xc):
    xc.tls_json.write_text("[1]")
    said = scene("rehearse", "xc")
    assert said.code == 1
    assert re.search("failed +target xtract-core: '.*tls.json'", said.out)  # named once


def test_a_channel_that_cannot_be_reached_fails_the_rehearsal(scene, webhook, tmp_path):
    program = tmp_path / "tell"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    scene.config["alerts"] = {"ops": {"type": "webhook", "url": webhook.url},
                              "pager": {"type": "program", "command": [str(program)]}}
    scene.write()
    said = scene.ok("rehearse", "xc")
    assert re.search("ok +alerts ops: it can be reached", said.out)
    assert re.search("ok +alerts pager: its program is there; whom it reaches cannot be tried "
                     "without an alert", said.out)
    assert not webhook.alerts  # nobody was told anything
    webhook.close()
    scene.config["alerts"]["ops"]["url"] = "http://127.0.0.1:9/secret-path"
    scene.write()
    said = scene("rehearse", "xc")
    assert said.code == 1
    assert re.search("failed +alerts ops: ", said.out)
    assert "secret-path" not in said.text


def test_an_issuer_without_staging_is_tried_as_far_as_no_order_is_needed(setup, real, xc):
    xc.start()
    daemon = setup(real)
    said = daemon.ok("rehearse", "xc")
    assert "account pebble: there is none yet; the first order makes one" in said.out
    assert ("staging pebble: no directory for trials is known (`staging:` names one): "
            "nothing was ordered") in said.out
    assert real.count("/order-plz") == 0
    daemon.ok("renew", "xc")
    orders = real.count("/order-plz")
    assert re.search("account pebble: https://.* is valid", daemon.ok("rehearse").out)
    assert real.count("/order-plz") == orders


def test_terms_that_were_not_agreed_to_fail_the_rehearsal(setup, real, xc):
    xc.start()
    daemon = setup(real)
    daemon.config["issuers"]["pebble"]["agree_to_terms"] = False
    daemon.write()
    said = daemon("rehearse", "xc")
    assert said.code == 1
    assert "there is none yet, and none can be made: the CA asks to agree" in said.text


def test_a_binding_that_is_missing_fails_the_rehearsal(setup, make_pebble, xc):
    xc.start()
    pebble = make_pebble(eab={"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUA"
                                       "sUDkMTQ12W"})
    said = setup(pebble)("rehearse", "xc")
    assert said.code == 1
    assert "the CA binds accounts to one that you have with it already (eab)" in said.text


def test_a_ca_that_is_not_there_fails_the_rehearsal(scene, short_lived):
    short_lived.stop()
    said = scene("rehearse", "xc")
    assert said.code == 1
    assert re.search("failed +(account|directory) pebble: ", said.out)
    assert re.search("ok +challenge pebble: every name can be proven", said.out)


@pytest.mark.parametrize("trials", [True, False], ids=["with trials", "without"])
def test_a_ca_that_is_not_there_hides_nothing_that_is_not_well_here(scene, short_lived,
                                                                    trials):
    if not trials:
        del scene.config["issuers"]["pebble"]["staging"]
        scene.write()
    short_lived.stop()
    with socket.create_server(("127.0.0.1", short_lived.http_port)):
        said = scene("rehearse", "xc")
    assert said.code == 1
    assert re.search("failed +(account|directory) pebble: ", said.out)
    assert re.search(rf"failed +challenge pebble: .*{short_lived.http_port}.*", said.out)
    assert re.search("will fail because (account|directory) pebble: .*; and because challenge "
                     "pebble: ", scene.status("xc")["rehearsal"]["text"])


SERVING_80 = """ip link set lo up
/usr/bin/python3 -m http.server 80 --bind 127.0.0.1 >/dev/null 2>&1 & server=$!
until grep -q ' 0100007F:0050 ' /proc/net/tcp; do sleep 0.1; done
"$@"; code=$?; kill $server; exit $code"""


def test_a_web_server_that_is_down_is_noted(setup, real, xc, tmp_path):
    """In a network of its own, where the CA is not to be had and port 80 is ours."""
    daemon = setup(real, challenge={"type": "http-01", "webroot": str(tmp_path)})
    daemon.enter = ["unshare", "-n"]
    noted = findings(daemon("rehearse", "xc", "--json"))
    assert noted["challenge", "pebble"]["result"] == "ok"
    one = noted["challenge", "http-01"]
    assert one["result"] == "note"
    assert (f"nobody listens on port 80 here: is the web server of '{tmp_path}' running?"
            in one["text"])
    daemon.enter = ["unshare", "-n", "sh", "-c", SERVING_80, "serving"]
    noted = findings(daemon("rehearse", "xc", "--json"))
    assert ("challenge", "http-01") not in noted and ("challenge", "pebble") in noted


def test_without_a_ca_there_is_nothing_to_rehearse(setup, pebble):
    daemon = setup(pebble, issuers=["self-signed"])
    del daemon.config["certificates"]["xc"]["challenge"]
    daemon.write()
    said = daemon("rehearse")
    assert said.code == 3 and "no certificate has a CA to rehearse with" in said.out
    said = daemon("rehearse", "xc")
    assert "issuers: none of them is a CA that is asked by ACME" in said.out


def test_a_name_that_nobody_knows_is_refused(setup, pebble):
    said = setup(pebble)("rehearse", "nobody")
    assert said.code == 2 and "there is no certificate 'nobody'" in said.err


# -- spares

@pytest.fixture
def spared(setup, real, staging, xc, tmp_path, webhook):
    """Two issuers; the first has issued, the second has a staging directory only of its own."""
    xc.start()
    daemon = setup(real, webhook, issuers=["pebble", "spare"])
    daemon.config["issuers"]["spare"] = issuer_of(
        real, staging=staging.directory, ca_bundle=bundle(tmp_path, real, staging))
    daemon.write()
    daemon.ok("renew", "xc")
    return daemon


def remembered(daemon, **changes):
    """The record of the spare, changed first."""
    path = daemon.state / "certificates/xc/rehearsals.json"
    if changes:
        record = {"issuer": "spare", "at": 0, "next_at": 1, "well": True, "ordered": False,
                  "text": "", **changes}
        path.write_text(json.dumps({"issuers": [record]}))
        path.chmod(0o600)
    if not path.exists():
        return None
    return json.loads(path.read_text())["issuers"][0]


def test_a_spare_is_given_its_turn_within_a_day(spared, staging):
    spared.start()
    wait_until(lambda: remembered(spared), what="rehearsals.json")
    record = remembered(spared)
    assert record["issuer"] == "spare" and record["at"] == 0
    assert time.time() < record["next_at"] <= time.time() + 86400
    assert staging.count("/order-plz") == 0


def test_a_spare_is_proven_once_a_month(spared, staging, webhook):
    remembered(spared, next_at=1)
    spared.start()
    wait_until(lambda: remembered(spared)["at"], what="the rehearsal")
    record = remembered(spared)
    assert record["well"] and record["ordered"]
    assert 27 * 86400 < record["next_at"] - time.time() < 31 * 86400
    assert staging.count("/order-plz") == 1
    assert not webhook.of("rehearsal_failed") and not webhook.of("recovered")


def test_a_spare_that_fails_is_told_until_it_is_well_again(spared, staging, webhook):
    staging.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not this one")
    remembered(spared, next_at=1)
    spared.start()
    alert = webhook.wait_for("rehearsal_failed")
    assert alert["severity"] == "warning" and alert["target"] == "issuer spare"
    assert "rehearsal of 'xc' with issuer 'spare': order spare: " in alert["what"]
    assert "not this one" in alert["what"]
    assert "it would not be there when it is needed" in alert["todo"]
    assert 21 * 3600 < remembered(spared)["next_at"] - time.time() <= 86400
    # A renewal says nothing of the spare.
    spared.ok("renew", "xc", "--force")
    webhook.wait_for("renewed")
    assert not webhook.of("recovered")
    staging.rules.clear()
    spared.ok("rehearse", "xc")
    alert = webhook.wait_for("recovered")
    assert alert["target"] == "issuer spare"
    assert "a certificate was obtained on trial" in alert["what"]


def test_a_spare_that_failed_on_trial_is_well_when_it_has_issued(spared, staging, webhook):
    staging.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not this one")
    remembered(spared, next_at=1)
    spared.start()
    webhook.wait_for("rehearsal_failed")
    spared.config["certificates"]["xc"]["issuers"] = ["spare", "pebble"]
    spared.write()
    spared.reload()
    spared.ok("renew", "xc", "--force")
    alert = webhook.wait_for("recovered")
    assert alert["target"] == "issuer spare"
    assert alert["what"] == "a certificate came from it"


def test_the_account_of_a_spare_is_there_before_it_is_needed(spared):
    remembered(spared, next_at=1)
    spared.start()
    wait_until(lambda: remembered(spared)["at"], what="the rehearsal")
    assert json.loads((spared.state / "accounts/spare/account.json").read_text())["url"]


def test_a_damaged_record_is_begun_anew(spared, webhook):
    path = spared.state / "certificates/xc/rehearsals.json"
    path.write_text("{}")
    spared.start()
    assert "not a list of rehearsals" in webhook.wait_for("state_damaged")["what"]
    wait_until(lambda: remembered(spared), what="rehearsals.json")


# -- staging and production

def test_from_staging_to_production_everything_is_new(setup, real, staging, xc, tmp_path):
    xc.start()
    daemon = setup(staging)
    both = bundle(tmp_path, real, staging)
    daemon.config["issuers"]["pebble"] = issuer_of(staging, ca_bundle=both)
    daemon.write()
    daemon.ok("renew", "xc")
    on_staging = xc.served().thumbprint
    key = (daemon.state / "accounts/pebble/key.pem").read_text()
    daemon.start()
    daemon.config["issuers"]["pebble"].update(directory=real.directory,
                                              staging=staging.directory)
    daemon.write()
    daemon.reload()
    wait_until(lambda: xc.serves_another(on_staging), what="the certificate of production")
    assert "due: it is of a CA's directory for trials" in daemon.log()
    account = json.loads((daemon.state / "accounts/pebble/account.json").read_text())
    assert account["directory"] == real.directory
    assert (daemon.state / "accounts/pebble/key.pem").read_text() != key
    assert "belongs to https://" in daemon.log()


def test_a_staging_certificate_that_cannot_be_replaced_is_told(setup, real, staging, xc,
                                                               tmp_path, webhook):
    xc.start()
    daemon = setup(staging, webhook)
    daemon.config["issuers"]["pebble"] = issuer_of(
        staging, ca_bundle=bundle(tmp_path, real, staging))
    daemon.write()
    daemon.ok("renew", "xc")
    real.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not this one")
    daemon.config["issuers"]["pebble"].update(directory=real.directory,
                                              staging=staging.directory)
    daemon.write()
    said = daemon("renew", "xc")
    assert said.code == 1 and "not this one" in said.text
    assert "not this one" in webhook.wait_for("failed")["what"]
