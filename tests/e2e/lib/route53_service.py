"""Amazon Route 53 as far as TXT records go (API version 2013-04-01): zones by name, sets of
records, changes. Signatures are computed again from what really arrived, by the words of
AWS's documentation and not by our code; a wrong one is answered as AWS does."""

import calendar
import hashlib
import hmac
import re
import time
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
SKEW_S = 15 * 60


def _stamp(at):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, request, scope, signed, stamp):
    """Signature Version 4 of a request; `scope` is [date, region, service, terminator]."""
    pairs = sorted((quote(k, safe="-._~"), quote(v, safe="-._~"))
                   for k, v in parse_qsl(request.raw_query, keep_blank_values=True))
    canonical = "\n".join([
        request.method, quote(request.plain_path, safe="/-._~"),
        "&".join(f"{k}={v}" for k, v in pairs),
        "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed),
        ";".join(signed), hashlib.sha256(request.body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope),
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope:
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def _tag(name):
    return f"{{{NAMESPACE}}}{name}"


class Route53:
    def __init__(self, services, refused):
        self.services, self.refused = services, refused
        self.sets = {}  # (zone id, name with its dot) -> {"ttl", "values"[, "id"]}
        self.pending = {}  # change id -> polls left

    def add(self, sets):
        """[{"zone", "name", "ttl", "values"[, "id"]}]: made by others."""
        for each in sets:
            self.sets[each["zone"], each["name"]] = each

    def listing(self):
        return [{**kept, "zone": zone, "name": name}
                for (zone, name), kept in sorted(self.sets.items())]

    # ---- who asks ------------------------------------------------------------

    def fail(self, status, code, message):
        raise self.refused(status, (
            f'<?xml version="1.0"?>\n<ErrorResponse xmlns="{NAMESPACE}"><Error>'
            f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
            "</Error><RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId>"
            "</ErrorResponse>"), {"Content-Type": "text/xml"})

    def authenticate(self, request):
        settings = self.services.settings
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), "
            r"Signature=([0-9a-f]{64})", request.headers.get("Authorization", ""))
        if not match:
            self.fail(403, "MissingAuthenticationToken", "Missing Authentication Token")
        key, scope, signed = match[1], match[2].split("/"), match[3].split(";")
        stamp = request.headers["X-Amz-Date"]
        if key != settings.route53_key:
            self.fail(403, "InvalidClientTokenId",
                      "The security token included in the request is invalid.")
        if scope != [stamp[:8], settings.route53_region, "route53", "aws4_request"]:
            self.fail(403, "SignatureDoesNotMatch", "Credential should be scoped to a "
                      f"valid region, not '{scope[1]}'.")
        needed = {"host", "x-amz-date"}
        if settings.route53_session:
            needed.add("x-amz-security-token")
        if not needed <= set(signed) or signed != sorted(signed):
            self.fail(403, "SignatureDoesNotMatch", "not all headers are signed")
        if request.headers.get("X-Amz-Security-Token") != settings.route53_session:
            self.fail(403, "InvalidClientTokenId", "The security token is invalid.")
        self.check_time(stamp)
        if signature(settings.route53_secret, request, scope, signed, stamp) != match[4]:
            self.fail(403, "SignatureDoesNotMatch", "The request signature we calculated "
                      "does not match the signature you provided. Check your AWS Secret "
                      "Access Key and signing method.")

    def check_time(self, stamp):
        at = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        now = self.services.now()
        if at < now - SKEW_S:
            self.fail(403, "SignatureDoesNotMatch",
                      f"Signature expired: {stamp} is now earlier than "
                      f"{_stamp(now - SKEW_S)} ({_stamp(now)} - 15 min.)")
        if at > now + SKEW_S:
            self.fail(403, "SignatureDoesNotMatch",
                      f"Signature not yet current: {stamp} is still later than "
                      f"{_stamp(now + SKEW_S)} ({_stamp(now)} + 15 min.)")

    # ---- what is asked -------------------------------------------------------

    def answer(self, request):
        self.authenticate(request)
        path = request.plain_path[len("/2013-04-01"):]
        if request.method == "GET" and path == "/hostedzonesbyname":
            return 200, self.list_zones(request.query)
        match = re.fullmatch(r"/hostedzone/(\w+)/rrset/?", path)
        if match:
            if match[1] not in [zone for zone, _, _ in self.services.settings.route53_zones]:
                self.fail(404, "NoSuchHostedZone",
                          f"No hosted zone found with ID: {match[1]}")
            if request.method == "GET":
                return 200, self.list_sets(match[1], request.query)
            return 200, self.change(match[1], request)
        match = re.fullmatch(r"/change/(\w+)", path)
        if request.method == "GET" and match and match[1] in self.pending:
            return 200, self.change_info("GetChange", match[1])
        self.fail(404, "NoSuchThing", path)
        return None

    @staticmethod
    def document(name, content):
        return (f'<?xml version="1.0"?>\n<{name} xmlns="{NAMESPACE}">{content}</{name}>')

    def list_zones(self, query):
        """From `dnsname` on, ordered by reversed labels, as AWS does it."""
        def order(name):
            return list(reversed(name.rstrip(".").split(".")))

        found = sorted((zone for zone in self.services.settings.route53_zones
                        if order(zone[1]) >= order(query["dnsname"])),
                       key=lambda zone: order(zone[1]))[:int(query["maxitems"])]
        return self.document("ListHostedZonesByNameResponse", "<HostedZones>" + "".join(
            f"<HostedZone><Id>/hostedzone/{zone}</Id><Name>{name}</Name>"
            "<CallerReference>r</CallerReference><Config><Comment>a &amp; b</Comment>"
            f"<PrivateZone>{str(private).lower()}</PrivateZone></Config>"
            "<ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>"
            for zone, name, private in found) +
            f"</HostedZones><DNSName>{query['dnsname']}</DNSName><IsTruncated>false"
            "</IsTruncated><MaxItems>100</MaxItems>")

    @staticmethod
    def set_text(name, kept):
        return ("<ResourceRecordSet>"
                f"<Name>{name.replace('*', chr(92) + '052')}</Name><Type>TXT</Type>" +
                (f"<SetIdentifier>{kept['id']}</SetIdentifier><Weight>1</Weight>"
                 if "id" in kept else "") +
                f"<TTL>{kept['ttl']}</TTL><ResourceRecords>" + "".join(
                    f"<ResourceRecord><Value>{escape(value)}</Value></ResourceRecord>"
                    for value in kept["values"]) + "</ResourceRecords></ResourceRecordSet>")

    def list_sets(self, zone, query):
        """From `name` on: the set after it when it has none."""
        if query.get("type") != "TXT":
            self.fail(400, "InvalidInput", "this test service knows TXT")
        wanted = query["name"].rstrip(".") + "."
        found = [(name, kept) for (z, name), kept in sorted(self.sets.items())
                 if z == zone and name >= wanted][:int(query["maxitems"])]
        return self.document("ListResourceRecordSetsResponse", "<ResourceRecordSets>" +
                             "".join(self.set_text(*each) for each in found) +
                             "</ResourceRecordSets><IsTruncated>false</IsTruncated>"
                             "<MaxItems>1</MaxItems>")

    def change(self, zone, request):
        if request.headers.get("Content-Type") not in ("application/xml", "text/xml"):
            self.fail(400, "InvalidInput", "not XML")
        root = ElementTree.fromstring(request.body)
        if root.tag != _tag("ChangeResourceRecordSetsRequest"):
            self.fail(400, "InvalidInput", root.tag)
        for change in root.iter(_tag("Change")):
            self.apply(zone, change.find(_tag("Action")).text,
                       change.find(_tag("ResourceRecordSet")))
        change_id = f"C{len(self.pending)}EXAMPLE"
        self.pending[change_id] = self.services.settings.route53_polls
        return self.change_info("ChangeResourceRecordSets", change_id)

    def apply(self, zone, action, asked):
        name = asked.find(_tag("Name")).text
        ttl = int(asked.find(_tag("TTL")).text)
        values = [each.text for each in asked.iter(_tag("Value"))]
        zone_name = {z: n for z, n, _ in self.services.settings.route53_zones}[zone]
        kept = self.sets.get((zone, name))
        if asked.find(_tag("Type")).text != "TXT" or not name.endswith("." + zone_name):
            self.invalid(f"RRSet with DNS name {name} is not permitted in zone {zone_name}")
        for value in values:
            if not re.fullmatch(r'"(\\.|[^"\\]){0,255}"( "(\\.|[^"\\]){0,255}")*', value):
                self.invalid(f"Invalid Resource Record: '{value}' should be enclosed in "
                             "quotation marks")
        if len(set(values)) != len(values) or not values:
            self.invalid("Duplicate Resource Record, or none")
        if action == "UPSERT":
            self.sets[zone, name] = {"ttl": ttl, "values": values}
        elif action == "DELETE":
            if not kept or kept["ttl"] != ttl or sorted(kept["values"]) != sorted(values):
                self.invalid("Tried to delete resource record set but the values provided "
                             "do not match the current values")
            del self.sets[zone, name]
            values = []
        else:
            self.invalid(f"the tests expect no {action}")
        self.services.set_values(unquote(name.rstrip(".")),
                                 [re.sub(r'" "', "", value)[1:-1] for value in values])

    def invalid(self, message):
        raise self.refused(400, self.document(
            "InvalidChangeBatch", f"<Messages><Message>{escape(message)}</Message></Messages>"
            "<RequestId>r</RequestId>"), {"Content-Type": "text/xml"})

    def change_info(self, action, change_id):
        status = "PENDING" if self.pending[change_id] else "INSYNC"
        self.pending[change_id] = max(0, self.pending[change_id] - 1)
        return self.document(f"{action}Response", (
            f"<ChangeInfo><Id>/change/{change_id}</Id><Status>{status}</Status>"
            "<SubmittedAt>2026-11-21T01:02:03.456Z</SubmittedAt></ChangeInfo>"))
