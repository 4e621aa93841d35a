#!/usr/bin/python3
"""The web services that DNS providers speak to, as strict as the real ones: an acme-dns
server, a service in lego's httpreq form, Cloudflare's API and Amazon Route 53.

    dns_services.py FOLDER

writes its TLS root to FOLDER/root.pem, prints "PORT PLAIN-PORT" (HTTPS and HTTP, loopback)
and serves until its standard input is closed. As a library: DnsServices(folder, publish).

Everything asked is in GET /log; POST /control sets the members of Settings, adds answers
that come instead of the next ones, or records that others have made:

    {"settings": {"route53_polls": 2}, "faults": {"cloudflare": [[502, {}, "<html>"]]},
     "route53_sets": [...], "cloudflare_records": [...]}
"""
import base64
import hashlib
import http.server
import json
import re
import ssl
import sys
import threading
import time
import uuid
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

if __package__:
    from . import route53_service
    from .authority import Authority
else:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import route53_service
    from authority import Authority

ACME_DNS_DOMAIN = "auth.example"


class Settings:
    """What the services accept and how they behave; tests change it."""

    def __init__(self):
        self.httpreq_user, self.httpreq_password = "user", "pa55-w0rd"
        self.cloudflare_token = "cf-t0ken-s3cr3t"
        self.cloudflare_zones = {"example.com": "z0ne1", "deep.example.com": "z0ne2",
                                 "example": "z0ne3"}
        self.cloudflare_page = 100
        self.route53_key = "AKIDEXAMPLE"
        self.route53_secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        self.route53_session = None
        self.route53_region = "us-east-1"
        self.route53_zones = [["Z1EXAMPLE", "example.com.", False],
                              ["Z2PRIVATE", "private.example.", True],
                              ["Z3TLD", "example.", False],
                              ["Z4TWICE", "twice.test.", False],
                              ["Z5TWICE", "twice.test.", False]]
        self.route53_polls = 0  # how often a change is PENDING
        self.clock_offset_s = 0


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, body, headers=None):
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers or {}


class Request:
    def __init__(self, handler, body):
        self.method, self.path = handler.command, handler.path
        self.headers, self.body = handler.headers, body
        parts = urlsplit(handler.path)
        self.plain_path, self.raw_query = parts.path, parts.query
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True,
                                    strict_parsing=bool(parts.query)))

    def json(self, *members):
        """The body: an object with exactly these members, all strings."""
        if self.headers.get("Content-Type") != "application/json":
            raise Refused(415, "not application/json")
        document = json.loads(self.body)
        if sorted(document) != sorted(members):
            raise Refused(400, f"members {sorted(document)}")
        return document


class AcmeDns:
    """joohoi/acme-dns: /register and /update; the last two values of an account."""

    def __init__(self, services):
        self.services, self.accounts = services, {}

    def answer(self, request):
        if (request.method, request.plain_path) == ("POST", "/register"):
            return 201, self.register(json.loads(request.body or "{}"))
        if (request.method, request.plain_path) == ("POST", "/update"):
            return 200, self.update(request)
        if (request.method, request.plain_path) == ("GET", "/health"):
            return 200, ""
        raise Refused(404, "404 page not found")

    def register(self, asked):
        account = {"username": str(uuid.uuid4()), "password": uuid.uuid4().hex + "-_xY",
                   "subdomain": str(uuid.uuid4()), "allowfrom": asked.get("allowfrom", [])}
        account["fulldomain"] = f"{account['subdomain']}.{ACME_DNS_DOMAIN}"
        self.accounts[account["username"]] = account
        return account

    def update(self, request):
        account = self.accounts.get(request.headers.get("X-Api-User"))
        if not account or request.headers.get("X-Api-Key") != account["password"]:
            raise Refused(401, {"error": "forbidden"})
        document = request.json("subdomain", "txt")
        if document["subdomain"] != account["subdomain"]:
            raise Refused(401, {"error": "forbidden"})
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", document["txt"]):
            raise Refused(400, {"error": "bad_txt"})
        values = self.services.records.get(account["fulldomain"], [])
        self.services.set_values(account["fulldomain"], (values + [document["txt"]])[-2:])
        return {"txt": document["txt"]}


class HttpReq:
    """lego's httpreq, /present and /cleanup, in both of its forms."""

    def __init__(self, services):
        self.services = services

    def answer(self, request):
        settings = self.services.settings
        pair = f"{settings.httpreq_user}:{settings.httpreq_password}".encode()
        expected = "Basic " + base64.b64encode(pair).decode()
        if request.headers.get("Authorization") != expected:
            raise Refused(401, f"who is {request.headers.get('Authorization')}?")
        if request.method != "POST" or request.plain_path not in ("/present", "/cleanup"):
            raise Refused(404, "no such thing")
        name, value = self.record_of(request)
        values = [v for v in self.services.records.get(name, []) if v != value]
        if request.plain_path == "/present":
            values.append(value)
        self.services.set_values(name, values)
        return 200, ""

    @staticmethod
    def record_of(request):
        """Of raw mode too, where the service makes them of what it is told."""
        if b'"keyAuth"' in request.body:
            document = request.json("domain", "token", "keyAuth")
            if not document["keyAuth"].startswith(document["token"] + "."):
                raise Refused(400, "another token's key authorization")
            digest = hashlib.sha256(document["keyAuth"].encode()).digest()
            return (f"_acme-challenge.{document['domain']}",
                    base64.urlsafe_b64encode(digest).rstrip(b"=").decode())
        document = request.json("fqdn", "value")
        if not document["fqdn"].endswith("."):
            raise Refused(400, "fqdn without a dot at its end")
        return document["fqdn"][:-1], document["value"]


class Cloudflare:
    """/client/v4/zones and their dns_records, for TXT."""

    def __init__(self, services):
        self.services, self.records = services, []  # id, zone, name, content, ttl

    def answer(self, request):
        settings = self.services.settings
        if request.headers.get("Authorization") != f"Bearer {settings.cloudflare_token}":
            self.refuse(403, 9109, "Invalid access token")
        if request.method == "GET" and request.plain_path == "/client/v4/zones":
            zones = [{"id": i, "name": n, "status": "active"}
                     for n, i in settings.cloudflare_zones.items()
                     if n == request.query["name"]]
            return 200, self.wrap(zones, 1, 1)
        match = re.fullmatch(r"/client/v4/zones/(\w+)/dns_records(?:/(\w+))?",
                             request.plain_path)
        if not match or match[1] not in settings.cloudflare_zones.values():
            self.refuse(404, 7003, "Could not route to this path, perhaps your object "
                                   "identifier is invalid?")
        verb = {"GET": self.list, "POST": self.create, "DELETE": self.delete}
        return verb[request.method](request, match[1], match[2])

    @staticmethod
    def refuse(status, code, message):
        raise Refused(status, {"success": False, "errors": [{"code": code,
                                                             "message": message}],
                               "messages": [], "result": None})

    @staticmethod
    def wrap(result, page, pages):
        return {"success": True, "errors": [], "messages": [], "result": result,
                "result_info": {"page": page, "total_pages": pages}}

    def list(self, request, zone, _):
        if request.query.get("type") != "TXT":
            self.refuse(400, 9000, "this test service knows TXT")
        found = [r for r in self.records
                 if r["zone"] == zone and r["name"] == request.query["name"]]
        size = self.services.settings.cloudflare_page
        page = int(request.query["page"])
        pages = max(1, -(-len(found) // size))
        return 200, self.wrap(found[(page - 1) * size:page * size], page, pages)

    def create(self, request, zone, _):
        if request.headers.get("Content-Type") != "application/json":
            self.refuse(400, 6003, "Invalid request headers")
        asked = json.loads(request.body)
        if sorted(asked) != ["content", "name", "ttl", "type"] or asked["type"] != "TXT":
            self.refuse(400, 9005, f"Content for {asked.get('type')} record is invalid")
        if not re.fullmatch(r'"[^"]+"', asked["content"]) or asked["ttl"] < 60:
            self.refuse(400, 9207, "the content must be quoted, the TTL 60 at least")
        zones = {i: n for n, i in self.services.settings.cloudflare_zones.items()}
        if not asked["name"].endswith("." + zones[zone]):
            self.refuse(400, 9999, "another zone's name")
        if any((r["zone"], r["name"], r["content"]) == (zone, asked["name"],
                                                        asked["content"])
               for r in self.records):
            self.refuse(400, 81058, "An identical record already exists.")
        self.records.append({**asked, "id": uuid.uuid4().hex, "zone": zone})
        self.publish(asked["name"])
        return 200, self.wrap(self.records[-1], 1, 1)

    def delete(self, _, zone, record_id):
        found = [r for r in self.records if (r["id"], r["zone"]) == (record_id, zone)]
        if not found:
            self.refuse(404, 81044, "Record does not exist.")
        self.records.remove(found[0])
        self.publish(found[0]["name"])
        return 200, self.wrap({"id": record_id}, 1, 1)

    def publish(self, name):
        self.services.set_values(name, [r["content"].strip('"') for r in self.records
                                        if r["name"] == name])


class DnsServices:
    """Starts at once. `publish(name, values)` is called when the texts at a name change."""

    def __init__(self, folder, publish=None):
        self.settings, self.publish = Settings(), publish
        self.records = {}  # name -> texts, over all services
        self.log, self.faults = [], {}
        self._lock = threading.Lock()
        self.services = {"acme-dns": AcmeDns(self), "httpreq": HttpReq(self),
                         "cloudflare": Cloudflare(self),
                         "route53": route53_service.Route53(self, Refused)}
        authority = Authority("DNS services")
        leaf = authority.issue("127.0.0.1", "localhost")
        self.ca_bundle = Path(folder) / "root.pem"
        self.ca_bundle.write_text(authority.root_pem)
        both = Path(folder) / "services.pem"
        both.write_text(leaf.fullchain_pem + leaf.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        self._servers = [self._serve(context), self._serve(None)]
        self.port, self.plain_port = (s.server_address[1] for s in self._servers)
        self.url = f"https://127.0.0.1:{self.port}"

    def of(self, service):
        """What was asked of it: {"method", "path", "body", "status"}."""
        return [each for each in self.log if each["service"] == service]

    def now(self):
        return time.time() + self.settings.clock_offset_s

    def set_values(self, name, values):
        self.records[name] = values
        if self.publish:
            self.publish(name, values)

    @staticmethod
    def _service_of(path):
        if path.startswith("/client/v4/"):
            return "cloudflare", path
        if path.startswith("/2013-04-01/"):
            return "route53", path
        for service in ("acme-dns", "httpreq"):
            if path.startswith(f"/{service}/"):
                return service, path[len(service) + 1:]
        return None, path

    def _control(self, document):
        for name, value in document.get("settings", {}).items():
            getattr(self.settings, name)  # known ones only
            setattr(self.settings, name, value)
        self.faults.update(document.get("faults", {}))
        self.services["route53"].add(document.get("route53_sets", []))
        self.services["cloudflare"].records.extend(document.get("cloudflare_records", []))
        if document.get("reset"):
            self.__dict__.update(settings=Settings(), log=[], faults={}, records={})
            self.services["cloudflare"].records.clear()
            self.services["route53"].sets.clear()
        return 200, {}

    def _ask(self, handler, body):
        """(status, body, headers) of one request; serialised."""
        service, handler.path = self._service_of(handler.path)
        if handler.path == "/log":
            return 200, {"log": self.log, "records": self.records,
                         "route53": self.services["route53"].listing(),
                         "cloudflare": self.services["cloudflare"].records}, {}
        if handler.path == "/control":
            return *self._control(json.loads(body)), {}
        request = Request(handler, body)
        headers = {}
        if self.faults.get(service):
            status, headers, answer = self.faults[service].pop(0)
        else:
            try:
                status, answer = self.services[service].answer(request)
            except Refused as refused:
                status, answer, headers = refused.status, refused.body, refused.headers
            except Exception as error:  # what the client sent made no sense
                status, answer = 400, f"{type(error).__name__}: {error}"
        self.log.append({"service": service, "method": request.method,
                         "path": request.path, "body": body.decode(), "status": status})
        return status, answer, headers

    def _serve(self, context):
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 64 * 1024  # an answer is one write
            disable_nagle_algorithm = True

            def handle_one(self):
                length = int(self.headers.get("Content-Length", 0))
                with services._lock:
                    status, answer, headers = services._ask(self, self.rfile.read(length))
                data = answer if isinstance(answer, str) else json.dumps(answer)
                self.send_response_only(status)
                self.send_header("Date", formatdate(services.now(), usegmt=True))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data.encode())))
                self.end_headers()
                self.wfile.write(data.encode())

            do_GET = do_POST = do_DELETE = do_PUT = handle_one

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *args: None  # clients that hung up, or do not trust us
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True,
                                                do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def close(self):
        for server in self._servers:
            server.shutdown()
            server.server_close()


def main():
    services = DnsServices(sys.argv[1])
    print(services.port, services.plain_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
