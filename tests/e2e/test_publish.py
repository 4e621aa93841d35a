"""`publish`: what the DNS has to say before a CA believes us, and whether it does."""

import json
import re

import pytest

from conftest import issuer_of
from lib.dns_services import DnsServices
from lib.waiting import free_port
from lib.zone import PebbleZone

RECORD = "_acme-challenge.a.example.com"
CA = "ca.example"


@pytest.fixture
def zone(pebble):
    return PebbleZone(pebble)


@pytest.fixture
def publish(daemon, pebble, tmp_path):
    """publish(challenge, hosts=, with_daemon=, provider=): runs it; gives its result."""

    def run(challenge, hosts=("a.example.com",), provider=None, resolvers=None, **issuer):
        provider = provider or {"type": "exec", "command": ["/bin/true"]}
        daemon.configure(
            issuers={"pebble": issuer_of(pebble, caa=[CA], **issuer)},
            resolvers=resolvers or [f"127.0.0.1:{pebble.dns}"],
            dns_providers={"mine": {"propagation": False, "timeout": "5s", **provider}},
            certificates={"shop": {
                "hosts": list(hosts), "issuers": ["pebble"], "challenge": challenge,
                "deploy": [{"name": "files", "verify": [{"connect": "127.0.0.1:9"}],
                            "store": {"type": "directory", "path": str(tmp_path / "live")}}]}})
        return daemon("publish", "shop", "--json")

    return run


def said(result):
    """(check, of) -> finding."""
    last = json.loads(result.out.splitlines()[-1])
    return {(f["check"], f["of"]): f for f in last["findings"]}


def account(daemon):
    return json.loads((daemon.state / "accounts/pebble/account.json").read_text())["url"]


DNS_01 = {"type": "dns-01", "provider": "mine"}


def test_a_delegation_that_is_missing_is_named_until_it_is_there(publish, zone, daemon,
                                                                 tmp_path):
    folder = tmp_path / "services"
    folder.mkdir()
    services = DnsServices(folder, publish=lambda name, values: None)
    provider = {"type": "acme-dns", "url": f"{services.url}/acme-dns",
                "ca_bundle": str(services.ca_bundle)}
    result = publish(DNS_01, provider=provider)
    assert result.code == 1, result
    wish = said(result)["CNAME", "a.example.com"]
    assert (wish["result"], wish["name"]) == ("failed", RECORD)
    assert f"it is missing, publish: {RECORD} CNAME {wish['value']}" in wish["text"]
    zone.post("/set-cname", host=f"{RECORD}.", target="elsewhere.example.com.")
    result = daemon("publish", "shop", "--json")
    assert "it leads to 'elsewhere.example.com', publish: " in \
        said(result)["CNAME", "a.example.com"]["text"]
    zone.post("/set-cname", host=f"{RECORD}.", target=f"{wish['value']}.")
    result = daemon("publish", "shop", "--json")
    assert result.code == 0, result
    assert said(result)["CNAME", "a.example.com"]["result"] == "ok"
    services.close()


def test_an_alias_is_looked_for(publish, zone):
    challenge = {**DNS_01, "alias": "proofs.example.net"}
    result = publish(challenge)
    assert result.code == 1
    assert f"publish: {RECORD} CNAME proofs.example.net" in result.out
    zone.post("/set-cname", host=f"{RECORD}.", target="proofs.example.net.")
    assert publish(challenge).code == 0


def test_a_provider_that_writes_the_zone_itself_needs_nothing(publish):
    result = publish(DNS_01)
    assert result.code == 0, result
    assert said(result)["dns-01", "a.example.com"]["text"] == \
        "nothing to publish: 'mine' puts the record into the zone itself"


def test_the_record_of_dns_persist_is_named_with_our_account(publish, zone, daemon):
    challenge = {"type": "dns-persist-01"}
    result = publish(challenge, hosts=["a.example.com", "*.b.example.com"])
    assert result.code == 1, result
    wish = said(result)["TXT", "a.example.com"]
    assert wish["name"] == "_validation-persist.a.example.com"
    assert wish["value"] == f"{CA}; accounturi={account(daemon)}"
    assert f'publish the TXT record "{wish["value"]}" there' in wish["text"]
    wild = said(result)["TXT", "*.b.example.com"]
    assert wild["value"].endswith("; policy=wildcard")
    for each in wish, wild:
        zone.post("/set-txt", host=f"{each['name']}.", value=each["value"])
    result = daemon("publish", "shop", "--json")
    assert result.code == 0, result
    assert "lets our account at 'pebble' in" in said(result)["TXT", "a.example.com"]["text"]


def test_without_the_names_of_the_ca_there_is_no_record_to_name(publish, daemon):
    publish({"type": "dns-persist-01"})
    del daemon.config["issuers"]["pebble"]["caa"]
    daemon.write()
    result = daemon("publish", "shop")
    assert result.code == 1
    assert "issuer 'pebble' does not tell its names in the DNS: give them as `caa:`" \
        in result.text


def test_caa_that_keeps_the_ca_out_is_told(publish, zone, daemon):
    challenge = {"type": "http-01", "webroot": str(daemon.folder)}
    result = publish(challenge)
    assert result.code == 0, result
    text = said(result)["CAA", "a.example.com"]["text"]
    assert f'a.example.com CAA 0 issue "{CA}; accounturi={account(daemon)}"' in text
    zone.post("/add-caa", host="a.example.com.",
              policies=[{"tag": "issue", "value": "other.example"}])
    result = publish(challenge)
    assert result.code == 1
    assert said(result)["CAA", "a.example.com"]["result"] == "failed"
    zone.post("/add-caa", host="a.example.com.",
              policies=[{"tag": "issue", "value": CA}])
    result = publish(challenge)
    assert result.code == 0, result
    assert "let 'pebble' issue" in said(result)["CAA", "a.example.com"]["text"]


def test_what_is_answered_here_needs_an_address_only(publish, daemon):
    result = publish({"type": "http-01", "webroot": str(daemon.folder)})
    assert "nothing to publish but the address where it is answered" in \
        said(result)["http-01", "a.example.com"]["text"]


def test_a_dns_that_does_not_answer_is_no_verdict(publish):
    result = publish({**DNS_01, "alias": "proofs.example.net"},
                     resolvers=[f"127.0.0.1:{free_port()}"])
    found = said(result)
    assert found["CNAME", "a.example.com"]["result"] == "note"
    assert "it cannot be seen whether it is there" in found["CNAME", "a.example.com"]["text"]
    assert found["CAA", "a.example.com"]["result"] == "note"
    assert result.code == 0, result


def test_a_ca_that_cannot_be_asked_is_told(publish, pebble):
    pebble.stop()
    result = publish(DNS_01)
    assert result.code == 1
    assert said(result)["account", "pebble"]["result"] == "failed"


def test_a_daemon_answers_the_same(publish, daemon):
    publish(DNS_01)
    daemon.start()
    result = daemon("publish", "shop")
    assert result.code == 0, result
    assert re.search("ok +dns-01 a.example.com: nothing to publish", result.out)
    assert "the DNS has what 'shop' needs" in result.out


def test_without_a_ca_there_is_nothing_to_publish(setup, pebble):
    daemon = setup(pebble, issuers=["self-signed"])
    del daemon.config["certificates"]["xc"]["challenge"]
    daemon.write()
    result = daemon("publish", "xc")
    assert result.code == 3
    assert "no issuer of 'xc' is a CA that looks at the DNS" in result.text
