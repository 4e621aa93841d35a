"""`revoke`: the CA takes a certificate back, and the next one, with a new key, is served at
once."""

import json
import re
import ssl
import subprocess
import urllib.request

import pytest

from lib.ca_proxy import make_proxy, problem, proxy, short_lived  # noqa: F401
from lib.waiting import wait_until


def chain(daemon, n=None):
    versions = sorted((daemon.state / "certificates/xc/versions").iterdir(),
                      key=lambda p: int(p.name))
    return versions[-1 if n is None else n] / "fullchain.pem"


def openssl(*words, stdin=None):
    return subprocess.run(["openssl", *map(str, words)], input=stdin, capture_output=True,
                          text=True, check=True).stdout


def serial(path):
    return re.search("serial=(.*)", openssl("x509", "-in", path, "-noout", "-serial"))[1].lower()


def public_key(path):
    return openssl("x509", "-in", path, "-noout", "-pubkey")


def at_the_ca(pebble, number):
    """What Pebble says of a serial: Valid or Revoked, and the reason."""
    context = ssl.create_default_context(cafile=pebble.ca_bundle)
    url = f"https://127.0.0.1:{pebble.management}/cert-status-by-serial/{number}"
    with urllib.request.urlopen(url, context=context, timeout=10) as answer:
        return json.load(answer)


def job(daemon):
    return json.loads((daemon.state / "certificates/xc/job.json").read_text())


@pytest.fixture
def scene(setup, proxy, xc):
    """One certificate is served, its predecessor's place is kept."""
    xc.start()
    daemon = setup(proxy, target=xc.target(retire={"after": "24h"}))
    daemon.ok("renew", "xc")
    return daemon


@pytest.fixture(params=["alone", "with a daemon"])
def served(request, scene):
    if request.param == "with a daemon":
        scene.start()
    return scene


def test_one_that_is_served_is_only_revoked_when_forced(served, short_lived):
    number = serial(chain(served))
    said = served("revoke", "xc")
    assert said.code == 2
    assert "'xc' is served by 'xtract-core': once it is revoked, clients" in said.err
    assert "there is no way back; --force does it" in said.err
    assert at_the_ca(short_lived, number)["Status"] == "Valid"


def test_it_is_revoked_and_the_next_one_is_served_with_a_new_key(served, short_lived, xc):
    old, before = chain(served), xc.served().thumbprint
    number, old_key = serial(old), public_key(old)
    said = served.ok("revoke", "xc", "--force", "--reason", "superseded")
    assert "due: it was revoked" in said.text
    told = at_the_ca(short_lived, number)
    assert (told["Status"], told["Reason"]) == ("Revoked", 4)
    assert xc.served().thumbprint != before
    assert public_key(chain(served)) != old_key
    said = served("revoke", "xc")  # the new one is not the old one
    assert said.code == 2 and "--force does it" in said.err


def test_the_circuit_breaker_does_not_leave_a_revoked_one_in_service(
        setup, make_pebble, xc, webhook):
    """Two a day are what it allows certificates of a week; they are used up."""
    xc.start()
    daemon = setup(make_pebble(validity_s=7 * 86400, nonce_reject=0), webhook,
                   target=xc.target())
    daemon.ok("renew", "xc")
    daemon.ok("renew", "xc", "--force")
    said = daemon("renew", "xc", "--force")
    assert said.code == 1 and "the circuit breaker is open" in said.err
    before = xc.served().thumbprint
    daemon.ok("revoke", "xc", "--force")
    assert xc.served().thumbprint != before


def test_a_revoked_one_that_nothing_follows_is_called_so(scene, proxy, webhook):
    proxy.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not by us")
    assert scene("revoke", "xc", "--force").code == 1
    assert scene.status()["revoked"] is True
    assert "revoked      clients that look refuse it" in scene.ok("status").out


def test_its_own_key_may_ask_too(served, short_lived, xc):
    number, before = serial(chain(served)), xc.served().thumbprint
    (served.state / "accounts/pebble/account.json").unlink()  # an account is not needed
    served.ok("revoke", "xc", "--force", "--with-key", "--reason", "KEYCOMPROMISE")
    told = at_the_ca(short_lived, number)
    assert (told["Status"], told["Reason"]) == ("Revoked", 1)
    assert xc.served().thumbprint != before


def test_a_compromised_key_is_never_used_again(scene, short_lived, xc):
    scene.config["certificates"]["xc"]["key"] = {"type": "ec-p256", "reuse": True}
    scene.write()
    scene.ok("renew", "xc", "--force")
    key = public_key(chain(scene))
    scene.ok("renew", "xc", "--force")
    assert public_key(chain(scene)) == key  # reused
    scene.ok("revoke", "xc", "--force", "--reason", "keyCompromise")
    assert public_key(chain(scene)) != key
    second = public_key(chain(scene))
    scene.ok("renew", "xc", "--force")
    assert public_key(chain(scene)) == second


def test_what_waits_with_a_compromised_key_is_forgotten(scene, proxy, short_lived, xc):
    scene.config["certificates"]["xc"]["key"] = {"type": "ec-p256", "reuse": True}
    scene.write()
    scene.ok("renew", "xc", "--force")
    key = public_key(chain(scene))
    proxy.rules["/order-plz"] = problem(503, "serverInternal", "later")
    assert scene("renew", "xc", "--force").code == 1
    waiting = scene.state / f"certificates/xc/versions/{job(scene)['order_version']}"
    assert openssl("pkey", "-in", waiting / "key.pem", "-pubout") == key
    proxy.rules.clear()
    scene.ok("revoke", "xc", "--force", "--reason", "keyCompromise")
    assert public_key(chain(scene)) != key
    left = [p for p in (scene.state / "certificates/xc/versions").glob("*/key.pem")
            if not (p.parent / "fullchain.pem").exists()]
    assert not left


def test_nothing_goes_back_to_a_revoked_one(scene, xc):
    before = xc.served().thumbprint
    scene.ok("revoke", "xc", "--force")
    now = xc.served().thumbprint
    assert now != before
    said = scene("rollback", "xc")
    assert said.code == 3
    assert "the old certificate was revoked" in said.text
    assert xc.served().thumbprint == now


def test_a_deployment_that_fails_stays_forward(scene, xc):
    before = xc.served().thumbprint
    xc.misbehave(refuse="no thanks", except_=before)
    said = scene("revoke", "xc", "--force")
    assert said.code == 1
    assert "it is revoked, but what follows it is not served yet" in said.text
    assert "not taken back, because the old certificate was revoked" in said.text
    xc.misbehave()
    scene.ok("deploy", "xc")
    assert xc.served().thumbprint != before


def test_who_repeats_it_ends_it_and_revokes_nothing_more(scene, short_lived, xc):
    before = xc.served().thumbprint
    xc.misbehave(refuse="no thanks", except_=before)
    assert scene("revoke", "xc", "--force").code == 1
    number = serial(chain(scene))
    said = scene("revoke", "xc", "--force")
    assert f"{before} was revoked before" in said.text
    xc.misbehave()
    scene.ok("deploy", "xc")
    assert serial(chain(scene)) == number
    assert at_the_ca(short_lived, number)["Status"] == "Valid"
    scene("renew", "xc")
    scene.ok("revoke", "xc", "--force")  # now it is about that one
    assert at_the_ca(short_lived, number)["Status"] == "Revoked"


def test_when_the_next_one_cannot_be_had_it_is_tried_again(scene, proxy, xc):
    before = xc.served().thumbprint
    proxy.rules["/order-plz"] = problem(503, "serverInternal", "later")
    said = scene("revoke", "xc", "--force")
    assert said.code == 1
    assert "it is revoked, but what follows it is not served yet" in said.text
    proxy.rules.clear()
    assert re.search("verdict: renew +it was revoked", scene.ok("explain", "xc").out)
    scene.ok("renew", "xc", "--force")
    assert xc.served().thumbprint != before


def test_a_death_after_the_ca_has_done_it_still_renews(scene, proxy, short_lived, xc):
    number, before = serial(chain(scene)), xc.served().thumbprint
    scene.start()
    proxy.hold("/order-plz")
    asking = subprocess.Popen(scene._argv(["revoke", "xc", "--force"]), env=scene._env(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    proxy.wait_held()
    scene.kill()
    proxy.drop()
    asking.wait(20)
    assert at_the_ca(short_lived, number)["Status"] == "Revoked"
    assert xc.served().thumbprint == before
    scene.start()
    wait_until(lambda: xc.serves_another(before), what="the next certificate")
    assert "due: it was revoked" in scene.log()


def lost(answer):
    answer.status, answer.body = 502, b"<h1>Bad Gateway</h1>"
    answer.headers = {"Content-Type": "text/html"}


@pytest.mark.parametrize("rule", [lost, problem(503, "serverInternal", "later")],
                         ids=["the CA has done it", "it has not"])
def test_a_lost_answer_is_asked_for_again(scene, proxy, short_lived, xc, rule):
    number, before = serial(chain(scene)), xc.served().thumbprint
    proxy.rules["/revoke-cert"] = rule
    said = scene("revoke", "xc", "--force")
    assert said.code == 1
    assert "it is not known whether the CA has done it, and it is asked again" in said.err
    assert at_the_ca(short_lived, number)["Status"] == ("Revoked" if rule == lost else "Valid")
    assert xc.served().thumbprint == before
    proxy.rules.clear()
    scene.start()
    wait_until(lambda: xc.serves_another(before), what="the next certificate")
    assert at_the_ca(short_lived, number)["Status"] == "Revoked"


def test_a_revocation_that_cannot_be_ended_is_told(scene, proxy, webhook):
    scene.config["alerts"] = {"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}}
    scene.write()
    proxy.rules["/revoke-cert"] = problem(503, "serverInternal", "later")
    assert scene("revoke", "xc", "--force").code == 1
    scene("renew", "xc")
    alert = webhook.wait_for("failed")
    assert "it is asked again in some minutes" in alert["what"]
    assert "the revocation was asked for by `certrenewd revoke`" in alert["todo"]


def test_a_ca_that_refuses_changes_nothing(served, proxy, short_lived, xc):
    before = xc.served().thumbprint
    proxy.rules["/revoke-cert"] = problem(403, "unauthorized", "not yours")
    said = served("revoke", "xc", "--force")
    assert said.code == 1
    assert "revoke 'xc': " in said.err and "not yours" in said.err
    proxy.rules.clear()
    assert served("renew", "xc").code == 3
    assert xc.served().thumbprint == before


def test_a_request_with_the_key_of_a_revoked_one_is_refused(setup, short_lived, xc, tmp_path):
    request, live = tmp_path / "request.pem", tmp_path / "live.pem"

    def ask_with(key):
        openssl("req", "-new", "-key", key, "-subj", "/CN=xc.example", "-addext",
                "subjectAltName=DNS:xc.example", "-out", request)

    for name in ("first", "second"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                tmp_path / name)
    ask_with(tmp_path / "first")
    daemon = setup(short_lived, csr=str(request), target={
        "name": "files", "store": {"type": "files", "files": {"fullchain": str(live)}},
        "verify": [{"connect": f"127.0.0.1:{xc.secure_port}", "server_name": "xc.example"}],
        "verify_timeout": "1s"})
    daemon("renew", "xc")  # nobody serves it here
    number = serial(chain(daemon))
    said = daemon("revoke", "xc", "--reason", "keyCompromise")
    assert said.code == 2
    assert "has the key of a certificate that was revoked: make a new request" in said.text
    assert at_the_ca(short_lived, number)["Status"] == "Revoked"
    ask_with(tmp_path / "second")
    daemon("renew", "xc", "--force")
    assert serial(chain(daemon)) != number


@pytest.mark.parametrize("words, sentence, code", [
    (["xc", "--reason", "bored"], "--reason is unspecified, keyCompromise, "
     "affiliationChanged, superseded or cessationOfOperation, not 'bored'", 2),
    (["nobody"], "there is no certificate 'nobody' in", 2),
    (["xc"], "there is no certificate to revoke", 3),
])
def test_what_makes_no_sense_is_refused(setup, pebble, words, sentence, code):
    said = setup(pebble)("revoke", *words)
    assert said.code == code, said
    assert sentence in said.text


def test_what_no_ca_of_ours_issued_is_revoked_elsewhere(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble, issuers=["self-signed"], challenge=None)
    del daemon.config["certificates"]["xc"]["challenge"]
    daemon.write()
    daemon.ok("renew", "xc")
    said = daemon("revoke", "xc", "--force")
    assert said.code == 2
    assert "'xc' came from 'self-signed', which is no CA of this configuration" in said.err


def test_without_the_key_on_disk_it_cannot_sign(scene):
    folder = chain(scene).parent
    (folder / "key.pem").unlink()
    (folder / "key.store").write_text("")
    said = scene("revoke", "xc", "--force", "--with-key")
    assert said.code == 2
    assert "the key of 'xc' is not on this disk, so it cannot sign" in said.err
