#!/usr/bin/python3
"""A CA that misbehaves to order.

    fake_ca.py FOLDER

Writes its TLS root to FOLDER/root.pem, prints the port it listens on (loopback) and serves
until its standard input is closed. Every first path segment is a CA of its own, configured
by that segment, "name=value" joined by ",": https://127.0.0.1:PORT/id=1,chall=fail/dir

  f=POINT:KIND:COUNT[:SKIP]+...  the COUNT next requests (after SKIP good ones) at POINT
                                 (dir nonce account acct order authz chall poll finalize
                                 cert ari) get KIND (see FAULTS)
  authz=valid    authorizations are valid already      chall=fail|quiet  the challenge fails
  offer=TYPE     the challenge type offered            token=TEXT        its token
  wait=N         polls until a challenge is valid      processing=N      polls in `processing`
  ra=N           Retry-After while processing          otherkey=1        issues for another key
  terms=1 eab=1  what the directory's meta demands     ari=1             has renewalInfo
  replaces=no    refuses orders with `replaces`        plain=POINT       an http:// URL there
  account=STATE  of accounts                           noloc=POINT       no Location there
  expires=past   orders are past their time
  order=invalid  orders come out invalid               order=quiet       the same, no reason
  offer=A;B      several types                         issuers=A;B       of dns-persist-01
  uri=ours|URL   its accounturi                        profiles=A;B      advertised
  profile=POINT  refuses any profile at order|finalize dates=no          refuses dates
  caa=A;B        caaIdentities                         alt=A;B           alternate chains to A, B
  moves=POINT    the first directory has an old URL    lower=1           lower-case header names
  nononce=1      Replay-Nonce at newNonce only         ipv6=long         addresses spelt out

It checks what a strict CA checks: nonce, url, kid or jwk, signature, content type, payloads.
GET .../log answers with the requests seen: [{"at": POINT, "payload": ..., "nonce": ...}].
"""
import base64
import datetime
import email.utils
import hashlib
import hmac
import http.server
import ipaddress
import json
import os
import ssl
import sys
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

EAB_KEY = b"0123456789abcdef0123456789abcdef"
ERROR = "urn:ietf:params:acme:error:"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def now():
    return datetime.datetime.utcnow()


def listed(options, name):
    return [each for each in options.get(name, "").split(";") if each]


def is_address(name):
    return name[0].isdigit() or ":" in name


def make_certificate(name, key, issuer=None, issuer_key=None, sans=(), ca=False):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - datetime.timedelta(hours=1))
        .not_valid_after(now() + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca, None), True)
    )
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), False)
    return builder.sign(issuer_key, hashes.SHA256())


ROOT_KEY = ec.generate_private_key(ec.SECP256R1())
ROOT = make_certificate("fake CA", ROOT_KEY.public_key(), None, ROOT_KEY, ca=True)


class Problem(Exception):
    def __init__(self, status, kind, detail, headers=None, **more):
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.body = dict(type=ERROR + kind, detail=detail, status=status, **more)


class Raw(Exception):
    """Any answer at all: status, headers, body."""

    def __init__(self, status, headers, body):
        super().__init__(status)
        self.answer = (status, headers, body)


HTML = {"Content-Type": "text/html; charset=utf-8"}


def reject(_):
    sub = [
        {"type": ERROR + "caa", "detail": "CAA forbids it",
         "identifier": {"type": "dns", "value": "a.example"}},
        {"type": ERROR + "rejectedIdentifier", "detail": "on our list",
         "identifier": {"type": "dns", "value": "b.example"}},
    ]
    raise Problem(403, "rejectedIdentifier", "some names were refused", subproblems=sub)


def fault(*args, **kwargs):
    def act(_):
        raise Problem(*args, **kwargs)
    return act


def raw(*answer):
    def act(_):
        raise Raw(*answer)
    return act


def limited_by_words(_):
    at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() + 120))
    raise Problem(429, "rateLimited", "too many certificates, retry after %s: see "
                  "https://ca.example/limits" % at)


def limited_by_date(_):
    at = email.utils.formatdate(time.time() + 120, usegmt=True)
    raise Problem(429, "rateLimited", "too many orders", {"Retry-After": at})


def redirect(handler):
    raise Raw(302, {"Location": handler.path + "x"}, b"")


def hang_up(handler):
    handler.close_connection = True
    raise ConnectionAbortedError


FAULTS = {
    "badnonce": fault(400, "badNonce", "not one of ours"),
    "429s": fault(429, "rateLimited", "too many orders", {"Retry-After": "120"}),
    "429d": limited_by_date,
    "500": raw(500, HTML, b"<h1>it broke</h1>"),
    "503": raw(503, {"Retry-After": "77"}, b""),
    "html": raw(200, HTML, b"<html>please log in</html>"),
    "array": raw(200, {"Content-Type": "application/json"}, b"[]"),
    "big": raw(200, {"Content-Type": "application/json"}, b'"' + b"x" * (10 << 20) + b'"'),
    "empty": raw(200, {}, b""),
    "redirect": redirect,
    "rejected": reject,
    "terms": fault(403, "userActionRequired", "new terms", instance="https://ca/terms"),
    "agree": fault(403, "userActionRequired", "agree again", {
        "Link": ["<https://ca.example/dir>;rel=index",
                 '<https://ca.example/terms/v2>; rel="terms-of-service"']}),
    "429t": limited_by_words,
    "paused": fault(429, "rateLimited", "your account is paused: visit "
                    "https://ca.example/unpause?jwt=" + "x" * 900 + "END"),
    "gone": fault(404, "malformed", "no such thing"),
    "noaccount": fault(400, "accountDoesNotExist", "who are you"),
    "needeab": fault(401, "externalAccountRequired", "bring a binding"),
    "malformed": fault(400, "malformed", "cannot read this"),
    "conflict": raw(409, HTML, b"being validated"),
    "notready": fault(403, "orderNotReady", "not yet"),
    "close": hang_up,
}


class CA:
    def __init__(self, base, options):
        self.base, self.options, self.log = base, options, []
        self.lock = threading.Lock()
        self.nonces, self.accounts, self.orders, self.authzs = [], {}, [], []
        self.faults, self.revoked, self.directories = [], set(), 0
        for each in filter(None, options.get("f", "").split("+")):
            point, kind, count, *skip = each.split(":")
            self.faults.append([point, kind, int(count), int(skip[0]) if skip else 0])

    def url(self, point, *rest):
        base = self.base
        if self.options.get("plain") == point:
            base = base.replace("https:", "http:")
        return "/".join([base, point, *map(str, rest)])

    def nonce(self):
        nonce = b64(os.urandom(12))
        self.nonces.append(nonce)
        return nonce

    def maybe_fail(self, point, handler):
        for each in self.faults:
            if each[0] not in (point, "any") or each[2] <= 0:
                continue
            if each[3] > 0:
                each[3] -= 1
                continue
            each[2] -= 1
            FAULTS[each[1]](handler)

    # ---- unsigned -----------------------------------------------------------------
    def directory(self):
        meta = {"website": "https://ca.example"}
        if "terms" in self.options:
            meta["termsOfService"] = "https://ca.example/terms"
        if "eab" in self.options:
            meta["externalAccountRequired"] = True
        if "profiles" in self.options:
            meta["profiles"] = {p: "all about " + p for p in listed(self.options, "profiles")}
        if "caa" in self.options:
            meta["caaIdentities"] = listed(self.options, "caa")
        points = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order",
                  "revokeCert": "revoke", "keyChange": "keychange"}
        if "ari" in self.options:
            points["renewalInfo"] = "ari"
        moves = self.options.get("moves") if self.directories == 0 else None
        self.directories += 1
        out = {name: self.url(point + ("old" if point == moves else ""))
               for name, point in points.items()}
        return 200, {}, {**out, "meta": meta}

    def renewal_info(self):
        return 200, {"Retry-After": "21600"}, {
            "suggestedWindow": {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z"},
            "explanationURL": "https://ca.example/why"}

    # ---- signed -------------------------------------------------------------------
    def check(self, body, url):
        jws = json.loads(body)
        header = json.loads(unb64(jws["protected"]))
        if header["url"] != url:
            raise Problem(403, "unauthorized", "url is " + header["url"])
        if ("jwk" in header) == ("kid" in header):
            raise Problem(400, "malformed", "jwk or kid")
        if header.get("nonce") not in self.nonces:
            raise Problem(400, "badNonce", "unknown nonce")
        self.nonces.remove(header["nonce"])
        if "jwk" in header:
            jwk = header["jwk"]
        else:
            account = self.accounts.get(header["kid"])
            if not account:
                raise Problem(400, "accountDoesNotExist", "unknown account")
            if account["state"] != "valid":
                raise Problem(401, "unauthorized", "the account is " + account["state"])
            jwk = account["jwk"]
        verify(jwk, header["alg"], jws)
        payload = unb64(jws["payload"]).decode()
        return header, jwk, payload

    def new_account(self, header, jwk, payload):
        asked = json.loads(payload)
        if "jwk" not in header:
            raise Problem(400, "malformed", "newAccount by kid")
        state = self.options.get("account", "valid")
        for url, account in self.accounts.items():
            if account["jwk"] == jwk:
                if account["state"] != "valid":
                    raise Problem(401, "unauthorized", "the account is " + account["state"])
                return 200, {"Location": url}, {"status": state}
        if asked.get("onlyReturnExisting"):
            raise Problem(400, "accountDoesNotExist", "no account with this key")
        if "terms" in self.options and not asked.get("termsOfServiceAgreed"):
            raise Problem(403, "userActionRequired", "agree first")
        if "eab" in self.options:
            check_binding(asked.get("externalAccountBinding"), jwk, self.url("account"))
        url = self.url("acct", len(self.accounts) + 1)
        self.accounts[url] = {"jwk": jwk, "contact": asked.get("contact", []),
                              "state": "valid"}
        headers = {} if self.options.get("noloc") == "account" else {"Location": url}
        return 201, headers, {"status": state}

    def change_key(self, header, jwk, payload):
        inner = json.loads(payload)
        protected = json.loads(unb64(inner["protected"]))
        asked = json.loads(unb64(inner["payload"]))
        if set(protected) != {"alg", "jwk", "url"} or protected["url"] != self.url("keychange"):
            raise Problem(400, "malformed", "inner header is %s" % sorted(protected))
        verify(protected["jwk"], protected["alg"], inner)
        if asked != {"account": header["kid"], "oldKey": jwk}:
            raise Problem(400, "malformed", "inner payload")
        for url, account in self.accounts.items():
            if account["jwk"] == protected["jwk"]:
                raise Problem(409, "malformed", "in use", {"Location": url})
        self.accounts[header["kid"]]["jwk"] = protected["jwk"]
        return 200, {}, {"status": "valid"}

    def revoke(self, header, jwk, payload):
        asked = json.loads(payload)
        cert = x509.load_der_x509_certificate(unb64(asked["certificate"]))
        if "jwk" in header and not is_key(jwk, cert.public_key()):
            raise Problem(403, "unauthorized", "not the key of the certificate")
        if asked.get("reason") == 0:
            raise Problem(400, "badRevocationReason", "leave zero out")
        if cert.serial_number in self.revoked:
            raise Problem(400, "alreadyRevoked", "was revoked")
        self.revoked.add(cert.serial_number)
        return 200, {}, b""

    def read_account(self, header, payload):
        account = self.accounts[header["kid"]]
        asked = json.loads(payload) if payload else {}
        account["state"] = asked.get("status", "valid")
        account["contact"] = asked.get("contact", account["contact"])
        return 200, {}, {"status": account["state"], "contact": account["contact"],
                         "orders": header["kid"] + "/orders"}

    def new_order(self, payload):
        asked = json.loads(payload)
        if "replaces" in asked and self.options.get("replaces") == "no":
            raise Problem(409, "alreadyReplaced", "it has been replaced")
        if self.options.get("dates") == "no" and ("notBefore" in asked or "notAfter" in asked):
            raise Problem(400, "malformed", "no dates here")
        if "profile" in asked and self.options.get("profile") == "order":
            raise Problem(400, "invalidProfile", "not for you")
        for each in asked["identifiers"]:
            if (each["type"] == "ip") != is_address(each["value"]):
                raise Problem(400, "malformed", "%(value)s is no %(type)s" % each)
        order = {"names": [i["value"] for i in asked["identifiers"]], "authzs": [],
                 "status": "pending", "polls": 0, "id": len(self.orders),
                 "profile": asked.get("profile")}
        for name in order["names"]:
            self.authzs.append({"name": name, "id": len(self.authzs), "polls": 0,
                                "status": self.options.get("authz", "pending"),
                                "chall": "pending", "error": None})
            order["authzs"].append(self.authzs[-1])
        self.orders.append(order)
        headers = {"Location": self.url("poll", order["id"])}
        if self.options.get("noloc") == "order":
            headers = {}
        return 201, headers, self.order_object(order)

    def identifier(self, name):
        if is_address(name):
            address = ipaddress.ip_address(name)
            long = self.options.get("ipv6") == "long"
            return {"type": "ip", "value": address.exploded if long else str(address)}
        return {"type": "dns", "value": name}

    def order_object(self, order):
        states = {a["status"] for a in order["authzs"]}
        quiet = self.options.get("chall") == "quiet"
        if order["status"] == "pending" and states == {"valid"}:
            order["status"] = "ready"
        elif order["status"] == "pending" and not quiet and states & {"invalid", "deactivated"}:
            order["status"] = "invalid"
        days = -1 if self.options.get("expires") == "past" else 1
        out = {"status": order["status"],
               "expires": (now() + datetime.timedelta(days=days)).isoformat() + "Z",
               "identifiers": [self.identifier(n) for n in order["names"]],
               "authorizations": [self.url("authz", a["id"]) for a in order["authzs"]],
               "finalize": self.url("finalize", order["id"])}
        if order["status"] == "valid":
            out["certificate"] = self.url("cert", order["id"])
        if order["status"] == "invalid" and self.options.get("order") == "invalid":
            out["error"] = {"type": ERROR + "badCSR", "detail": "weak key"}
        return out

    def poll(self, order):
        for authz in order["authzs"]:
            if authz["status"] == "pending" and authz["chall"] == "processing":
                authz["polls"] += 1
                if authz["polls"] > int(self.options.get("wait", 0)):
                    self.settle(authz)
        headers = {}
        if order["status"] == "processing":
            order["polls"] += 1
            if order["polls"] > int(self.options.get("processing", 0)):
                order["status"] = "valid"
                if self.options.get("order"):
                    order["status"] = "invalid"
            elif "ra" in self.options:
                headers["Retry-After"] = self.options["ra"]
        return 200, headers, self.order_object(order)

    def settle(self, authz):
        if "chall" not in self.options:
            authz["status"] = authz["chall"] = "valid"
            return
        authz["chall"] = "invalid"
        authz["error"] = {"type": ERROR + "connection", "detail": "192.0.2.1: refused"}
        if self.options["chall"] == "fail":
            authz["status"] = "invalid"

    def authorization(self, authz, payload):
        if payload:
            if json.loads(payload) != {"status": "deactivated"}:
                raise Problem(400, "malformed", "what is " + payload)
            authz["status"] = "deactivated"
        offers = listed(self.options, "offer") or ["http-01"]
        challenges = [self.challenge_object(authz, each) for each in offers]
        if "dns-01" not in offers:
            challenges.insert(0, {"type": "dns-01", "url": self.url("chall", "x"),
                                  "token": "d", "status": "pending"})
        name, wildcard = authz["name"], authz["name"].startswith("*.")
        out = {"status": authz["status"], "challenges": challenges,
               "identifier": self.identifier(name[2:] if wildcard else name)}
        return 200, {}, {**out, "wildcard": True} if wildcard else out

    def challenge_object(self, authz, kind):
        used = authz.get("used") in (None, kind)
        out = {"type": kind, "url": self.url("chall", authz["id"], kind),
               "status": authz["chall"] if used else "pending"}
        if kind != "dns-persist-01":
            out["token"] = self.options.get("token", "token-%d" % authz["id"])
        else:
            out["issuer-domain-names"] = listed(self.options, "issuers")
            uri = self.options.get("uri")
            if uri:
                out["accounturi"] = list(self.accounts)[-1] if uri == "ours" else uri
        if authz["error"] and used:
            out["error"] = authz["error"]
        return out

    def challenge(self, authz, payload, kind="http-01"):
        if json.loads(payload) != {} or authz["chall"] != "pending":
            raise Problem(400, "malformed", "challenge is " + authz["chall"])
        authz["chall"], authz["used"] = "processing", kind
        return 200, {}, {"type": "http-01", "url": self.url("chall", authz["id"]),
                         "status": "processing", "token": "t"}

    def finalize(self, order, payload):
        if self.order_object(order)["status"] != "ready":
            raise Problem(403, "orderNotReady", "order is " + order["status"])
        if order["profile"] and self.options.get("profile") == "finalize":
            raise Problem(400, "invalidProfile", "not for these names")
        csr = x509.load_der_x509_csr(unb64(json.loads(payload)["csr"]))
        sans = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = sans.get_values_for_type(x509.DNSName)
        names += map(str, sans.get_values_for_type(x509.IPAddress))
        if sorted(names) != sorted(order["names"]):
            raise Problem(400, "badCSR", "not the order's names")
        key = csr.public_key()
        if "otherkey" in self.options:
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
        leaf = make_certificate(order["names"][0][:60], key, ROOT, ROOT_KEY, list(sans))
        order["chain"] = [as_pem(leaf, ROOT)] + [
            as_pem(leaf, cross_signed(name)) for name in listed(self.options, "alt")]
        order["status"] = "processing"
        headers = {"Retry-After": self.options["ra"]} if "ra" in self.options else {}
        return 200, headers, self.order_object(order)

    def post(self, point, rest, header, jwk, payload):
        if point == "account":
            return self.new_account(header, jwk, payload)
        if point == "revoke":
            return self.revoke(header, jwk, payload)
        if "kid" not in header:
            raise Problem(400, "malformed", "only newAccount takes a jwk")
        if point == "acct":
            return self.read_account(header, payload)
        if point == "order":
            return self.new_order(payload)
        if point == "keychange":
            return self.change_key(header, jwk, payload)
        if point in ("poll", "cert") and payload:
            raise Problem(400, "malformed", "fetch with an empty payload")
        if point in ("authz", "chall"):
            authz = self.authzs[int(rest[0])]
            if point == "authz":
                return self.authorization(authz, payload)
            return self.challenge(authz, payload, *rest[1:])
        order = self.orders[int(rest[0])]
        if point == "poll":
            return self.poll(order)
        if point == "finalize":
            return self.finalize(order, payload)
        headers = {"Content-Type": "application/pem-certificate-chain"}
        if len(rest) == 1:
            links = ['<%s>;rel="alternate"' % self.url("cert", order["id"], i + 1)
                     for i in range(len(order["chain"]) - 1)]
            headers["Link"] = ['<%s>;rel="index"' % self.url("dir"), ", ".join(links[:2]),
                               ", ".join(links[2:])]
        return 200, headers, order["chain"][int(rest[1]) if rest[1:] else 0]


def as_pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def cross_signed(name):
    """The fake CA again, but issued by another root."""
    issuer = make_certificate(name, ROOT_KEY.public_key(), None, ROOT_KEY, ca=True)
    return make_certificate("fake CA", ROOT_KEY.public_key(), issuer, ROOT_KEY, ca=True)


def is_key(jwk, key):
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    point = key.public_numbers()
    number = {k: int.from_bytes(unb64(v), "big") for k, v in jwk.items() if k in "xy"}
    return (point.x, point.y) == (number.get("x"), number.get("y"))


def verify(jwk, alg, jws):
    data = (jws["protected"] + "." + jws["payload"]).encode()
    raw_signature = unb64(jws["signature"])
    number = {k: int.from_bytes(unb64(v), "big") for k, v in jwk.items() if k in "xyne"}
    if alg == "ES256":
        key = ec.EllipticCurvePublicNumbers(number["x"], number["y"], ec.SECP256R1())
        half = [int.from_bytes(p, "big") for p in (raw_signature[:32], raw_signature[32:])]
        key.public_key().verify(utils.encode_dss_signature(*half), data,
                                ec.ECDSA(hashes.SHA256()))
    elif alg == "ES384":
        key = ec.EllipticCurvePublicNumbers(number["x"], number["y"], ec.SECP384R1())
        half = [int.from_bytes(p, "big") for p in (raw_signature[:48], raw_signature[48:])]
        key.public_key().verify(utils.encode_dss_signature(*half), data,
                                ec.ECDSA(hashes.SHA384()))
    elif alg == "RS256":
        rsa.RSAPublicNumbers(number["e"], number["n"]).public_key().verify(
            raw_signature, data, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise Problem(400, "badSignatureAlgorithm", alg)


def check_binding(jws, jwk, url):
    if not jws:
        raise Problem(401, "externalAccountRequired", "no binding")
    header = json.loads(unb64(jws["protected"]))
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[header["alg"]]
    data = (jws["protected"] + "." + jws["payload"]).encode()
    mac = hmac.new(EAB_KEY, data, getattr(hashlib, digest)).digest()
    if (header["kid"], header["url"]) != ("kid-1", url) or mac != unb64(jws["signature"]):
        raise Problem(401, "unauthorized", "wrong binding")
    if json.loads(unb64(jws["payload"])) != jwk:
        raise Problem(401, "unauthorized", "binding of another key")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    cas, guard = {}, threading.Lock()

    def log_message(self, *_):
        pass

    def handle_any(self):
        scenario, point, *rest = self.path.lstrip("/").split("/")
        base = "https://%s/%s" % (self.headers["Host"], scenario)
        with self.guard:
            if scenario not in self.cas:
                options = dict(o.split("=", 1) for o in scenario.split(",") if "=" in o)
                self.cas[scenario] = CA(base, options)
            ca = self.cas[scenario]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        with ca.lock:
            self.answer(ca, point, rest, body, base)

    do_GET = do_HEAD = do_POST = handle_any

    def answer(self, ca, point, rest, body, base):
        try:
            answer = self.act(ca, point, rest, body, base)
        except Problem as problem:
            headers = {"Content-Type": "application/problem+json", **problem.headers}
            answer = problem.status, headers, problem.body
        except Raw as exact:
            answer = exact.answer
        except ConnectionAbortedError:
            return
        self.send(ca, point, *answer)

    def act(self, ca, point, rest, body, base):
        if point == "log":
            return 200, {}, ca.log
        entry = {"at": point, "method": self.command, "agent": self.headers["User-Agent"]}
        ca.log.append(entry)
        if self.command == "POST":
            if self.headers["Content-Type"] != "application/jose+json":
                raise Problem(415, "malformed", "content type")
            jws = json.loads(body)
            entry["payload"] = unb64(jws["payload"]).decode()
            entry["nonce"] = json.loads(unb64(jws["protected"]))["nonce"]
            ca.maybe_fail(point, self)
            if point.endswith("old"):
                raise Problem(404, "malformed", "not here any more")
            url = base + self.path[self.path.index("/", 1):]
            return ca.post(point, rest, *ca.check(body, url))
        ca.maybe_fail(point.rstrip("x"), self)
        if point.endswith("old"):
            raise Problem(404, "malformed", "not here any more")
        if point == "nonce":
            return 200, {}, b""
        return ca.directory() if point == "dir" else ca.renewal_info()

    def send(self, ca, point, status, headers, body):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **headers}
        self.send_response(status)
        if self.command != "GET" and ("nononce" not in ca.options or point == "nonce"):
            headers = {**headers, "Replay-Nonce": ca.nonce()}
        for name, value in headers.items():
            name = name.lower() if "lower" in ca.options else name
            for each in value if isinstance(value, list) else [value]:
                self.send_header(name, each)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    folder = sys.argv[1]
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = make_certificate("127.0.0.1", key.public_key(), ROOT, ROOT_KEY,
                            [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    with open(os.path.join(folder, "server.pem"), "wb") as out:
        out.write(key.private_bytes(serialization.Encoding.PEM,
                                    serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption()))
        out.write(leaf.public_bytes(serialization.Encoding.PEM))
    with open(os.path.join(folder, "root.pem"), "wb") as out:
        out.write(ROOT.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "server.pem"))
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
