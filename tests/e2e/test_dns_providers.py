"""dns-01 by each kind of provider that a web service, a program or a script is: an order of
a name and its wildcard at a real CA, which finds both values and nothing afterwards. The
services (lib/dns_services.py) refuse what the real ones would refuse."""

import json

import pytest

from lib.dns_services import ACME_DNS_DOMAIN, DnsServices
from lib.pebble import issuer_of
from lib.zone import PebbleZone

NAMES = ["a.example.com", "*.a.example.com"]
RECORD = "_acme-challenge.a.example.com"
DONE, FAILED = 0, 1


@pytest.fixture
def resolver(pebble):
    return PebbleZone(pebble)


@pytest.fixture
def services(tmp_path, resolver):
    folder = tmp_path / "services"
    folder.mkdir()
    made = DnsServices(folder, publish=resolver.publish)
    yield made
    made.close()


@pytest.fixture
def secret(tmp_path):
    """secret(text): as the configuration names one."""
    def make(text):
        path = tmp_path / f"secret-{len(list(tmp_path.glob('secret-*')))}"
        path.write_text(text)
        path.chmod(0o600)
        return {"file": str(path)}

    return make


@pytest.fixture
def order(daemon, pebble, xc):
    """order(**provider): one order of NAMES by that provider; gives its result."""
    xc.start()

    def run(names=NAMES, **provider):
        daemon.configure(
            issuers={"pebble": issuer_of(pebble)},
            resolvers=[f"127.0.0.1:{pebble.dns}"],
            dns_providers={"mine": {"propagation": False, "timeout": "10s", **provider}},
            certificates={"shop": {
                "hosts": names, "issuers": ["pebble"],
                "challenge": {"type": "dns-01", "provider": "mine"},
                "deploy": [xc.target()]}})
        return daemon("renew", "shop")

    return run


def obtained(result, xc):
    assert result.code == DONE, result
    assert len(xc.versions()) == 1


def cleaned(services, service):
    """Both values were there, none is left, and nothing had to be refused."""
    assert services.records == {RECORD: []}
    assert [each for each in services.of(service) if each["status"] >= 300] == []


@pytest.mark.parametrize("mode", ["default", "raw"])
def test_httpreq(order, services, secret, xc, mode):
    obtained(order(type="httpreq", url=f"{services.url}/httpreq", username="user", mode=mode,
                   password=secret("pa55-w0rd"), ca_bundle=str(services.ca_bundle)), xc)
    cleaned(services, "httpreq")
    assert [each["path"] for each in services.of("httpreq")] == [
        "/present", "/present", "/cleanup", "/cleanup"]


def test_cloudflare(order, services, secret, xc):
    obtained(order(type="cloudflare", url=services.url, token=secret("cf-t0ken-s3cr3t"),
                   ca_bundle=str(services.ca_bundle)), xc)
    cleaned(services, "cloudflare")
    assert services.services["cloudflare"].records == []


def test_route53(order, services, secret, xc):
    services.settings.route53_polls = 1
    obtained(order(type="route53", url=services.url, access_key_id="AKIDEXAMPLE",
                   secret_access_key=secret(services.settings.route53_secret),
                   ca_bundle=str(services.ca_bundle)), xc)
    cleaned(services, "route53")
    assert services.services["route53"].sets == {}


def test_acme_dns(order, services, resolver, daemon, xc):
    provider = {"type": "acme-dns", "url": f"{services.url}/acme-dns",
                "ca_bundle": str(services.ca_bundle)}
    first = order(**provider)
    assert first.code == FAILED, first
    accounts = json.loads((daemon.state / "dns/mine.json").read_text())
    target = accounts["a.example.com"]["fulldomain"]
    assert f"make the record '{RECORD}. CNAME {target}.' once" in first.text, first
    assert accounts["a.example.com"]["password"] not in first.text + daemon.log()
    assert target.endswith(ACME_DNS_DOMAIN)

    resolver.cname(RECORD, target)
    obtained(daemon("renew", "shop", "--force"), xc)
    assert len(services.records[target]) == 2
    assert [each["status"] for each in services.of("acme-dns")
            if each["path"] != "/health"] == [201, 200, 200]


def write_program(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_exec(order, pebble, xc, tmp_path):
    """A program in lego's form, which here tells the CA's resolver itself."""
    program = write_program(tmp_path / "update", f"""#!/bin/sh
        echo "$@" >> {tmp_path}/calls
        case $1 in
        present) curl -sS -d "{{\\"host\\": \\"$2\\", \\"value\\": \\"$3\\"}}" "$API/set-txt" ;;
        cleanup) curl -sS -d "{{\\"host\\": \\"$2\\"}}" "$API/clear-txt" ;;
        esac
        """)
    obtained(order(type="exec", command=[program], environment={
        "API": f"http://127.0.0.1:{pebble.resolver_management}"}), xc)
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    assert [call[0] for call in calls] == ["present", "present", "cleanup", "cleanup"]
    assert {call[1] for call in calls} == {f"{RECORD}."}
    assert {call[2] for call in calls[:2]} == {call[2] for call in calls[2:]}


def test_acme_sh(order, daemon, services, secret, xc, tmp_path):
    """A script of ours in the form of acme.sh's; none of theirs is tested."""
    script = write_program(tmp_path / "dns_ours.sh", """#!/usr/bin/env sh
        dns_ours_add() {
          OURS_Token="${OURS_Token:-$(_readaccountconf_mutable OURS_Token)}"
          [ "$OURS_Token" ] || { _err "OURS_Token is not set"; return 1; }
          _saveaccountconf_mutable OURS_Token "$OURS_Token"
          export _H1="Authorization: Bearer $OURS_Token"
          _body='{"type":"TXT","name":"'$1'","content":"\\"'$2'\\"","ttl":60}'
          _contains "$(_post "$_body" "$API/zones/z0ne1/dns_records" "" "POST" \\
            "application/json")" '"success": true'
        }
        dns_ours_rm() {
          export _H1="Authorization: Bearer $(_readaccountconf_mutable OURS_Token)"
          _id=$(_get "$API/zones/z0ne1/dns_records?type=TXT&name=$1&page=1" |
            tr '{' '\\n' | grep -- "$2" | _egrep_o '"id": *"[0-9a-f]*"' | cut -d '"' -f 4)
          _contains "$(_post "" "$API/zones/z0ne1/dns_records/$_id" "" "DELETE")" '"success": true'
        }
        """)
    obtained(order(type="acme.sh", script=script, environment={
        "API": f"{services.url}/client/v4", "CA_BUNDLE": str(services.ca_bundle),
        "OURS_Token": secret("cf-t0ken-s3cr3t")}), xc)
    cleaned(services, "cloudflare")
    kept = daemon.state / "dns/mine.saved"
    assert kept.read_text().startswith("SAVED_OURS_Token ")
    assert kept.stat().st_mode & 0o777 == 0o600


def test_what_the_provider_refuses_reaches_the_operator_and_costs_no_validation(
        order, services, secret, pebble, daemon):
    result = order(type="cloudflare", url=services.url, token=secret("wr0ng-t0ken"),
                   ca_bundle=str(services.ca_bundle))
    assert result.code == FAILED
    assert "DNS provider 'mine'" in result.text, result
    assert "Zone.DNS:Edit" in result.text
    assert "wr0ng-t0ken" not in result.text + daemon.log()
    assert pebble.requests("/chalZ/") == 0
