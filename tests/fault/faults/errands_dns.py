"""Errands to the DNS: a rehearsal writes a record by each kind of provider and removes it."""

import json

from .checks import require
from .house import Errand, program

HOST = "a.example.com"
RECORD = f"_acme-challenge.{HOST}"

ACME_SH = """#!/usr/bin/env sh
dns_ours_add() {
  OURS_Token="${OURS_Token:-$(_readaccountconf_mutable OURS_Token)}"
  [ "$OURS_Token" ] || { _err "OURS_Token is not set"; return 1; }
  _saveaccountconf_mutable OURS_Token "$OURS_Token"
}
dns_ours_rm() {
  [ "$(_readaccountconf_mutable OURS_Token)" ]
}
"""


class ByProvider(Errand):
    """dns-01 is rehearsed."""

    words = ("rehearse", "xc")

    def arrange(self, lane):
        lane.daemon.config["resolvers"] = [f"127.0.0.1:{lane.pebble.dns}"]
        lane.daemon.config["dns_providers"] = {"mine": {
            "propagation": False, "timeout": "3s", **self.provider(lane, lane.house)}}
        lane.certificate["hosts"] = [HOST]
        lane.certificate["challenge"] = {"type": "dns-01", "provider": "mine"}

    def provider(self, lane, house):
        raise NotImplementedError

    def web(self, house, kind, **more):
        return {"type": kind, "ca_bundle": str(house.dns.ca_bundle), **more}

    def check(self, lane, before):
        left = {name: texts for name, texts in lane.house.dns.records.items()
                if texts and name == RECORD}
        require(not left, f"a record is left: {left}")


class Cloudflare(ByProvider):
    """dns-01 is rehearsed, at Cloudflare."""

    name = "rehearsal by Cloudflare"

    def provider(self, lane, house):
        return self.web(house, "cloudflare", url=house.dns.url,
                        token=house.secret("cloudflare", "cf-t0ken-s3cr3t"))


class Route53(ByProvider):
    """dns-01 is rehearsed, at Route 53."""

    name = "rehearsal by Route 53"

    def provider(self, lane, house):
        return self.web(house, "route53", url=house.dns.url, access_key_id="AKIDEXAMPLE",
                        secret_access_key=house.secret(
                            "route53", house.dns.settings.route53_secret))


class AcmeDns(ByProvider):
    """dns-01 is rehearsed, at an acme-dns server; its account is there."""

    name = "rehearsal by acme-dns"

    def provider(self, lane, house):
        return self.web(house, "acme-dns", url=f"{house.dns.url}/acme-dns")

    def again(self, lane):
        super().again(lane)
        kept = lane.state / "dns/mine.json"
        if "acme-dns" not in lane.house.kept:
            lane.daemon(*self.words)
            lane.house.kept["acme-dns"] = kept.read_text()
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        kept.write_text(lane.house.kept["acme-dns"])
        kept.chmod(0o600)
        lane.house.zone.cname(RECORD, json.loads(kept.read_text())[HOST]["fulldomain"])

    def verify(self, lane, before, result):
        super().verify(lane, before, result)
        lane.house.zone.no_cname(RECORD)


class Published(AcmeDns):
    """What the DNS needs is told."""

    name = "publish"
    words = ("publish", "xc")


class AcmeSh(ByProvider):
    """dns-01 is rehearsed, by a script of acme.sh's form."""

    name = "rehearsal by acme.sh"

    def provider(self, lane, house):
        return {"type": "acme.sh",
                "script": program(house.folder / "dns_ours.sh", ACME_SH),
                "environment": {"OURS_Token": house.secret("ours", "t0ken")}}


class Rfc2136(ByProvider):
    """dns-01 is rehearsed, by a dynamic update of a real BIND."""

    name = "rehearsal by update"

    def provider(self, lane, house):
        bind = house.bind()
        key = bind.keys[0]
        return {"type": "rfc2136", "server": bind.server, "zone": "example.com",
                "tsig": {"key": key.name, "algorithm": key.algorithm,
                         "secret": house.secret("tsig", key.secret)}}


class ByHttps(ByProvider):
    """The name servers are asked by HTTPS, and none answers like one."""

    name = "resolver by HTTPS"
    codes = (0, 1)

    def arrange(self, lane):
        super().arrange(lane)
        lane.daemon.config["resolvers"] = [f"{lane.house.dns.url}/dns-query"]

    def provider(self, lane, house):
        return self.web(house, "httpreq", url=f"{house.dns.url}/httpreq", username="user",
                        password=house.secret("httpreq", "pa55-w0rd"))


ERRANDS = (Cloudflare, Route53, AcmeDns, Published, AcmeSh, Rfc2136, ByHttps)
