"""Each way to prove control of a name to a real CA: answered, seen, and taken away again,
also by a run that died; the next way when one fails; and what is looked at before an order
is burned."""

import http.server
import json
import re
import stat
import subprocess
import threading
import time

import pytest

from lib.bind import Bind, TsigKey, Zone, allow
from lib.ca_proxy import make_proxy  # noqa: F401
from lib.pebble import Pebble, issuer_of
from lib.waiting import free_port

DONE, FAILED = 0, 1
KEY = TsigKey("acme")
BROKEN = "$TTL 60\n@ IN SOA this is no zone\n"
CA_NAME = "ca.example"


@pytest.fixture(scope="module")
def bind(tmp_path_factory):
    made = Bind(tmp_path_factory.mktemp("bind"), [
        Zone("a.example", updates=allow(KEY), records="""
@ IN A 127.0.0.1
* IN A 127.0.0.1
dies IN A 127.0.0.1
ends IN A 127.0.0.1
_acme-challenge.there IN CNAME there.dyn
_acme-challenge.alias IN CNAME alias.dyn
"""),
        Zone("closed.example", records="@ IN A 127.0.0.1"),
        Zone("others.example", updates=allow(KEY), records="""
@ IN A 127.0.0.1
@ IN CAA 0 issue "letsencrypt.org"
"""),
        Zone("ours.example", updates=allow(KEY), records=f"""
@ IN A 127.0.0.1
@ IN CAA 0 issue "{CA_NAME}; validationmethods=dns-01"
"""),
        Zone("broken.example", whole=BROKEN),
    ], [KEY])
    yield made
    made.close()


@pytest.fixture(scope="module")
def ca(bind, tmp_path_factory):
    """A Pebble that asks BIND; its certificates live an hour, so that the breaker lets the
    tests be. Each test says its own names."""
    pebble = Pebble(tmp_path_factory.mktemp("ca"), validity_s=3600, nonce_reject=0,
                    dns_server=bind.server)
    yield pebble
    pebble.close()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "tsig.key"
    path.write_text(KEY.secret)
    path.chmod(0o600)
    return {"file": str(path)}


@pytest.fixture
def prove(setup, ca, bind, secret, xc, webhook):
    """prove(hosts, challenges...): a daemon that asks `ca` (or `at`) and BIND."""
    xc.start()

    def configure(hosts, *challenge, at=ca, propagation=False, issuer=(), **certificate):
        daemon = setup(at, webhook, hosts=hosts, challenge=list(challenge),
                       key={"type": "ec-p256"}, **certificate)
        daemon.config["resolvers"] = [bind.server]
        daemon.config["dns_providers"] = {"bind": {
            "type": "rfc2136", "server": bind.server, "propagation": propagation,
            "tsig": {"key": KEY.name, "algorithm": KEY.algorithm, "secret": secret}}}
        daemon.config["issuers"]["pebble"].update(issuer)
        daemon.write()
        return daemon

    return configure


DNS = {"type": "dns-01", "provider": "bind"}


def http_of(ca):
    return {"type": "http-01", "listen": ca.listen}


def alpn_of(ca):
    return {"type": "tls-alpn-01", "listen": f"127.0.0.1:{ca.tls_port}"}


def names_of(served):
    """With the IP addresses."""
    from cryptography import x509
    leaf = x509.load_pem_x509_certificate(served.chain[0].encode())
    san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(name.value) for name in san)


def leftovers(daemon):
    return daemon.state / "certificates/xc/challenges.json"


# ---- dns-01

def test_a_name_and_its_wildcard_by_dns_updates(prove, bind, xc):
    daemon = prove(["a.example", "*.a.example"], DNS)
    daemon.ok("renew", "xc")
    assert sorted(xc.served().names) == ["*.a.example", "a.example"]
    assert bind.texts("_acme-challenge.a.example") == []
    assert not leftovers(daemon).exists()


def test_a_cname_leads_to_where_the_record_goes(prove, bind, xc):
    daemon = prove(["there.a.example"], DNS)
    result = daemon.ok("renew", "xc")
    assert "'_acme-challenge.there.a.example' leads to 'there.dyn.a.example'" in result.text
    assert xc.served().names == ["there.a.example"]
    assert bind.texts("there.dyn.a.example") == []


def test_an_alias_is_taken_as_it_is_written(prove, bind, xc):
    daemon = prove(["alias.a.example"], {**DNS, "alias": "alias.dyn.a.example"})
    result = daemon.ok("renew", "xc")
    assert "leads to" not in result.text
    assert xc.served().names == ["alias.a.example"]


def test_a_record_that_is_not_seen_is_a_warning_and_no_veto(prove, xc, tmp_path):
    """We ask a server inside that knows the zone as it was."""
    inside = Bind(tmp_path / "inside", [Zone("a.example")])
    daemon = prove(["slow.a.example"], DNS, propagation="2s")
    daemon.config["resolvers"] = [inside.server]
    daemon.write()
    result = daemon.ok("renew", "xc")
    inside.close()
    assert re.search(r"warning: .*; the CA is asked anyway", result.text), result
    assert xc.served().names == ["slow.a.example"]


def test_a_provider_that_refuses_is_named_and_nothing_is_left(prove, bind, xc):
    daemon = prove(["closed.example"], DNS)
    result = daemon("renew", "xc")
    assert result.code == FAILED
    assert "DNS provider 'bind'" in result.err and "REFUSED" in result.err, result
    assert xc.served() is None and not leftovers(daemon).exists()


# ---- tls-alpn-01, addresses, international names

def test_a_name_and_an_address_by_a_handshake(prove, ca, xc):
    daemon = prove(["www.a.example", "127.0.0.1"], alpn_of(ca))
    daemon.ok("renew", "xc")
    assert names_of(xc.served()) == ["127.0.0.1", "www.a.example"]


def test_an_address_over_http(prove, ca, xc):
    daemon = prove(["www.a.example", "127.0.0.1"], http_of(ca))
    daemon.ok("renew", "xc")
    assert names_of(xc.served()) == ["127.0.0.1", "www.a.example"]


def test_an_international_name_is_proven_as_it_is_asked_for(prove, ca, xc):
    daemon = prove(["bücher.a.example"], DNS)
    daemon.ok("renew", "xc")
    assert xc.served().names == ["xn--bcher-kva.a.example"]


# ---- the next way when one fails

def test_a_challenge_that_fails_at_the_ca_is_followed_by_the_next(prove, ca, bind, xc):
    orders = ca.requests("/order-plz")
    daemon = prove(["www.a.example", "mail.a.example"],
                   {"type": "http-01", "listen": f"127.0.0.1:{free_port()}"}, DNS)
    result = daemon.ok("renew", "xc")
    assert "ordering again with the next challenge" in result.text
    assert re.search(r"http-01 for '(www|mail).a.example': .*; dns-01 is next", result.text)
    assert ca.requests("/order-plz") == orders + 2
    assert sorted(xc.served().names) == ["mail.a.example", "www.a.example"]


def test_the_words_of_both_are_told_when_none_does(prove, ca, bind):
    orders = ca.requests("/order-plz")
    daemon = prove(["closed.example"],
                   {"type": "http-01", "listen": f"127.0.0.1:{free_port()}"}, DNS)
    result = daemon("renew", "xc")
    assert result.code == FAILED
    assert "challenge failed for 'closed.example'" in result.err
    assert "DNS provider 'bind'" in result.err and "REFUSED" in result.err
    assert ca.requests("/order-plz") - orders <= 2


def test_a_way_that_cannot_be_gone_costs_no_order(prove, ca, xc):
    taken = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                            http.server.BaseHTTPRequestHandler)
    threading.Thread(target=taken.serve_forever, daemon=True).start()
    orders = ca.requests("/order-plz")
    port = taken.server_address[1]
    daemon = prove(["www.a.example"], {"type": "http-01", "listen": f"127.0.0.1:{port}"}, DNS)
    result = daemon.ok("renew", "xc")
    taken.shutdown()
    taken.server_close()
    assert f"{port}" in result.text and "dns-01 is next" in result.text
    assert ca.requests("/order-plz") == orders + 1
    assert xc.served().names == ["www.a.example"]


# ---- a run that dies

@pytest.fixture
def died(prove, ca, bind, make_proxy):
    """Killed between the record and its removal. Gives the daemon."""
    proxy = make_proxy(ca)
    daemon = prove(["dies.a.example"], DNS, at=proxy,
                   issuer={"directory": proxy.directory, "ca_bundle": str(proxy.ca_bundle)})
    proxy.hold("/chalZ/")
    daemon.start()
    proxy.wait_held()
    assert len(bind.texts("_acme-challenge.dies.a.example")) == 1
    daemon.kill()
    proxy.drop()
    return daemon


def test_what_a_killed_run_left_behind_is_removed(died, bind, xc):
    assert stat.S_IMODE(leftovers(died).stat().st_mode) == 0o600
    result = died.ok("renew", "xc")
    assert 'removed the TXT record "' in result.text
    assert "left behind by a run that was interrupted" in result.text
    assert bind.texts("_acme-challenge.dies.a.example") == []
    assert not leftovers(died).exists()
    assert xc.served().names == ["dies.a.example"]


def test_what_nobody_can_remove_any_more_is_told_once(died, bind, webhook, ca):
    died.config["dns_providers"]["other"] = died.config["dns_providers"].pop("bind")
    died.config["certificates"]["xc"]["challenge"] = [http_of(ca)]
    died.write()
    died.ok("renew", "xc")
    alert = webhook.wait_for("challenge")
    assert "DNS provider 'bind' is not configured any more" in alert["what"]
    assert "_acme-challenge.dies.a.example" in alert["what"]
    died("renew", "xc")
    assert len(webhook.of("challenge")) == 1
    assert leftovers(died).exists()
    (value,) = bind.texts("_acme-challenge.dies.a.example")
    died.config["dns_providers"]["bind"] = died.config["dns_providers"]["other"]
    died.write()
    died("renew", "xc")
    assert bind.texts("_acme-challenge.dies.a.example") == [], value


def test_a_webroot_is_cleaned_up_after_a_killed_run(prove, ca, make_proxy, tmp_path):
    root = tmp_path / "www"
    root.mkdir()
    proxy = make_proxy(ca)
    daemon = prove(["www.a.example"], {"type": "http-01", "webroot": str(root)}, at=proxy,
                   issuer={"directory": proxy.directory, "ca_bundle": str(proxy.ca_bundle)})
    proxy.hold("/chalZ/")
    daemon.start()
    proxy.wait_held()
    assert len(list(root.glob(".well-known/acme-challenge/[!.]*"))) == 1
    daemon.kill()
    proxy.drop()
    daemon.config["certificates"]["xc"]["challenge"] = [DNS]
    daemon.write()
    daemon.ok("renew", "xc")
    assert list(root.iterdir()) == []


# ---- CAA

def test_caa_that_forbids_the_ca_burns_no_order(prove, ca):
    orders = ca.requests("/order-plz")
    daemon = prove(["others.example"], DNS, issuer={"caa": [CA_NAME]})
    result = daemon("renew", "xc")
    assert result.code == FAILED
    assert f"at 'others.example' does not let '{CA_NAME}' issue for" in result.err, result
    assert f"publish 'others.example. CAA 0 issue \"{CA_NAME}\"'" in result.err
    assert ca.requests("/order-plz") == orders


def test_caa_that_forbids_a_challenge_leaves_the_others(prove, ca, xc):
    daemon = prove(["ours.example"], http_of(ca), DNS, issuer={"caa": [CA_NAME]})
    result = daemon.ok("renew", "xc")
    assert "dns-01 is next" in result.text and "validationmethods" in result.text
    assert xc.served().names == ["ours.example"]


def test_a_dns_that_fails_for_caa_is_a_warning(prove, ca):
    daemon = prove(["broken.example"], http_of(ca), issuer={"caa": [CA_NAME]})
    result = daemon("renew", "xc")
    assert re.search(r"warning: CAA of 'broken.example': .*SERVFAIL.*DNSSEC", result.text), (
        result)
    assert "challenge failed for 'broken.example'" in result.err, "it was asked anyway"


# ---- dns-persist-01

def test_a_record_to_publish_is_named_before_anything_is_ordered(prove, ca):
    orders = ca.requests("/order-plz")
    daemon = prove(["a.example", "*.a.example"], {"type": "dns-persist-01"}, issuer={"caa": [CA_NAME]})
    result = daemon("renew", "xc")
    assert result.code == FAILED
    url = json.loads((daemon.state / "accounts/pebble/account.json").read_text())["url"]
    assert f'publish the TXT record "{CA_NAME}; accounturi={url}; policy=wildcard"' in (
        result.err), result
    assert "'_validation-persist.a.example'" in result.err
    assert ca.requests("/order-plz") == orders


def publish(bind, name, text):
    """As the operator would."""
    script = (f"server 127.0.0.1 {bind.port}\nkey {KEY.algorithm}:{KEY.name} {KEY.secret}\n"
              f'update add {name} 60 TXT "{text}"\nsend\n')
    subprocess.run(["nsupdate"], input=script, text=True, check=True, capture_output=True)


@pytest.fixture
def persistent(bind, tmp_path, make_proxy):  # noqa: F811
    """A CA that offers dns-persist-01 alone: Pebble, which knows no such challenge, finds
    everything valid, and the proxy looks at the record when it is told to."""
    pebble = Pebble(tmp_path / "persistent", validity_s=3600, nonce_reject=0,
                    dns_server=bind.server, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
    proxy = make_proxy(pebble)
    proxy.looked = []

    def offer(answer):
        authorization = answer.json
        first = authorization["challenges"][0]
        authorization["challenges"] = [{
            "type": "dns-persist-01", "url": first["url"], "status": first["status"],
            "issuer-domain-names": [CA_NAME]}]
        answer.json = authorization

    def look(answer):
        proxy.looked.append(bind.texts("_validation-persist.stays.a.example"))

    proxy.rules = {"/authZ/": offer, "/chalZ/": look}
    yield proxy
    pebble.close()


def test_a_record_that_stays_is_all_that_a_name_and_its_wildcard_need(prove, bind, persistent):
    hosts = ["stays.a.example", "*.stays.a.example"]
    daemon = prove(hosts, {"type": "dns-persist-01"}, at=persistent, issuer={"caa": [CA_NAME]})
    daemon.ok("account", "register", "pebble")
    url = json.loads((daemon.state / "accounts/pebble/account.json").read_text())["url"]
    record = f"{CA_NAME}; accounturi={url}; policy=wildcard"
    publish(bind, "_validation-persist.stays.a.example", record)
    daemon.ok("renew", "xc")
    assert persistent.looked == [[record]] * 2, "once for each of the two names"
    assert persistent.count("/order-plz") == 1
    assert bind.texts("_acme-challenge.stays.a.example") == [], "nothing else was written"
    daemon.ok("renew", "xc", "--force")  # and it stays
    assert bind.texts("_validation-persist.stays.a.example") == [record]


def test_the_end_of_a_record_that_stays_is_told_once_and_shown(prove, ca, bind, webhook):
    """This CA does not offer dns-persist-01: http-01 is next, the record is watched."""
    daemon = prove(["ends.a.example"], {"type": "dns-persist-01"}, http_of(ca),
                   issuer={"caa": [CA_NAME]})
    daemon.ok("account", "register", "pebble")
    url = json.loads((daemon.state / "accounts/pebble/account.json").read_text())["url"]
    until = int(time.time()) + 5 * 86400
    publish(bind, "_validation-persist.ends.a.example",
            f"{CA_NAME}; accounturi={url}; persistUntil={until}")
    daemon.ok("renew", "xc")
    alert = webhook.wait_for("challenge")
    assert alert["severity"] == "warning"
    assert "the dns-persist-01 record of 'ends.a.example' ends on" in alert["what"]
    assert daemon.status()["persist_until"].startswith(
        time.strftime("%Y-%m-%dT%H:%M", time.gmtime(until)))
    job = daemon.state / "certificates/xc/job.json"
    job.write_text(json.dumps({**json.loads(job.read_text()), "persist_look_at": 0}))
    daemon("renew", "xc")
    assert len(webhook.of("challenge")) == 1
