"""A CA that misbehaves by rule and seeded dice: a proxy between certrenewd and Pebble.

    ca.rule("newOrder", rate_limited(1), times=1)       every kind of request has a name
    ca.rule(SIGNED, bad_nonce(), share=0.5)             in half of the cases
    ca.rule("order", changed(still_processing), times=3)

Rules act one after the other on the same exchange. Whether a rule with a share acts is
decided by dice that depend on the seed, the rule, who asks and how often he did, so that
threads do not change what they fall. The seed is in the log, which a failed test shows.

The proxy also counts what a CA limits: `ca.counts[name]["newOrder"]` (handled ones),
`ca.posts[path]` (answers to a challenge that were taken), `ca.impatient` (asked while a Retry-After stood),
`ca.reused_nonces`."""

import base64
import collections
import email.utils
import json
import os
import random
import re
import threading
import time
import zlib

import pytest

from .ca_proxy import Answer, CaProxy, problem

KINDS = {
    "/dir": "directory", "/nonce-plz": "newNonce", "/sign-me-up": "newAccount",
    "/my-account/": "account", "/order-plz": "newOrder", "/my-order/": "order",
    "/authZ/": "authorization", "/chalZ/": "challenge", "/finalize-order/": "finalize",
    "/certZ/": "certificate", "/revoke-cert": "revoke", "/rollover-account-key": "keyChange",
    "/renewal-info": "ari",
}
SIGNED = ("newAccount", "account", "newOrder", "order", "authorization", "challenge",
          "finalize", "certificate", "revoke", "keyChange")
OWNED = re.compile(r"https://[^/\"]+(/(?:my-order|authZ|chalZ|finalize-order|certZ)/[^\"\s>]+)")


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Exchange:
    """One request and, after forward(), its answer."""

    def __init__(self, ca, request, body):
        self.ca, self.request, self.body, self.answer = ca, request, body, None
        self.path = request.path
        self.kind = next((kind for part, kind in KINDS.items()
                          if request.path.startswith(part)), "other")
        self.header, self.payload = {}, None  # payload None: not signed; "": POST-as-GET
        if body:
            jws = json.loads(body)
            self.header = json.loads(decoded(jws["protected"]))
            self.payload = json.loads(decoded(jws["payload"]) or '""')
        self.name = ca.owners.get(self.path, "")
        if self.kind == "newOrder":
            self.name = self.payload["identifiers"][0]["value"]

    @property
    def host(self):
        return self.request.headers["Host"].rpartition(":")[0]

    def forward(self):
        """Pebble's answer, asked for once."""
        if self.answer is None:
            self.answer = self.ca.ask(self)
        return self.answer

    def refuse(self, answer):
        """The CA does nothing and says this, unless something was said already."""
        if self.answer is None:
            if self.body:
                answer.headers.setdefault("Replay-Nonce", self.ca.nonce())
            self.answer = answer


class Rule:
    def __init__(self, where, act, share=1.0, times=None, when=None):
        self.where = (where,) if isinstance(where, str) else where
        self.act, self.share, self.times, self.when = act, share, times, when
        self.fired = 0


class MisbehavingCa(CaProxy):
    def __init__(self, folder, pebble, seed=0):
        super().__init__(folder, pebble, names=("127.0.0.1", "localhost"))
        self.seed = int(os.environ.get("CERTRENEWD_SEED", seed))
        self.owners = {}  # path -> first name of its order
        self.counts = collections.defaultdict(collections.Counter)  # name -> kind: handled
        self.asked = collections.defaultdict(collections.Counter)  # name -> kind: asked
        self.posts = collections.Counter()  # path of a challenge: taken answers
        self.impatient = []
        self.exchanges = []
        self._misbehaviour, self._stands, self._nonces = [], {}, collections.Counter()
        self._lock, self._gate = threading.RLock(), threading.Lock()
        self._log = open(folder / "misbehaving.log", "w", buffering=1)
        self._log.write(f"CERTRENEWD_SEED={self.seed}\n")

    # ---- what it is told

    def rule(self, where, act, **options):
        self._misbehaviour.append(Rule(where, act, **options))
        return self._misbehaviour[-1]

    def behave(self):
        """Well from now on."""
        self._misbehaviour.clear()
        self._stands.clear()

    def stands(self, what, seconds):
        """A Retry-After of so many seconds for a kind of request or one path."""
        self._stands[what] = time.monotonic() + seconds

    # ---- what it counts

    @property
    def reused_nonces(self):
        return [nonce for nonce, times in self._nonces.items() if times > 1]

    def total(self, kind):
        return sum(each[kind] for each in self.counts.values())

    def payloads(self, kind):
        return [each.payload for each in self.exchanges if each.kind == kind]

    # ---- how it answers

    def nonce(self):
        return self._ask_pebble("HEAD", "/nonce-plz").headers["Replay-Nonce"]

    def ask(self, exchange):
        """Pebble deadlocks when a newOrder meets the reading of an authorization."""
        if exchange.kind in ("newOrder", "authorization"):
            with self._gate:
                answer = self._forward(exchange.request, exchange.body)
        else:
            answer = self._forward(exchange.request, exchange.body)
        if answer.status < 300:
            with self._lock:
                self.counts[exchange.name][exchange.kind] += 1
                if exchange.kind == "challenge" and exchange.payload == {}:
                    self.posts[exchange.path] += 1
        return answer

    def _answer(self, request, body):
        exchange = Exchange(self, request, body)
        fired = []
        with self._lock:
            self._count(exchange)
            for number, rule in enumerate(self._misbehaviour):
                if self._acts(number, rule, exchange):
                    rule.fired += 1
                    fired.append(rule)
        if exchange.host != self.host and exchange.kind != "directory":
            exchange.refuse(problem(404, "malformed", "nothing is here any more"))
        for rule in fired:
            rule.act(exchange)
        answer = exchange.forward()
        self._learn(exchange, answer)
        if answer.deliver == hang_up:  # libcurl sends it again on a new connection
            self._nonces.pop(exchange.header.get("nonce"), None)
        words = ", ".join(rule.act.__qualname__.split(".")[0] for rule in fired)
        self._log.write(f"{exchange.name or '-'} {exchange.kind} {request.path} "
                        f"{exchange.payload!r:.60} -> {answer.status} {words}\n")
        return answer

    def _count(self, exchange):
        self.exchanges.append(exchange)
        self.asked[exchange.name][exchange.kind] += 1
        if "nonce" in exchange.header:
            self._nonces[exchange.header["nonce"]] += 1
        now = time.monotonic()
        for what in (exchange.kind, exchange.path):
            if now < self._stands.get(what, 0):
                self.impatient.append((what, round(self._stands[what] - now, 2)))

    def _acts(self, number, rule, exchange):
        if exchange.kind not in rule.where:
            return False
        if rule.times is not None and rule.fired >= rule.times:
            return False
        if rule.when and not rule.when(exchange):
            return False
        nth = self.asked[exchange.name][exchange.kind]
        dice = random.Random(f"{self.seed} {number} {exchange.name} {exchange.kind} {nth}")
        return dice.random() < rule.share

    def _learn(self, exchange, answer):
        """Whatever the answer for a name leads to belongs to that name."""
        if not exchange.name:
            return
        text = answer.body.decode(errors="replace")
        text += " " + " ".join(str(v) for v in answer.headers.values())
        with self._lock:
            for path in OWNED.findall(text):
                self.owners.setdefault(path, exchange.name)

    def close(self):
        super().close()
        self._log.close()


# ---- what can go wrong: each gives act(exchange)


def bad_nonce():
    def act(exchange):
        exchange.refuse(problem(400, "badNonce", "that nonce is none of ours"))
    return act


def hang_up(handler, answer):
    handler.close_connection = True


def lost():
    """Handled, but the answer never arrives."""
    def act(exchange):
        exchange.forward().deliver = hang_up
    return act


def never_arrives():
    """Lost on the way to the CA."""
    def act(exchange):
        exchange.refuse(Answer(500))
        lost()(exchange)
    return act


def truncated():
    def half(handler, answer):
        handler.close_connection = True
        handler.give_head(answer)
        handler.wfile.write(answer.body[:len(answer.body) // 2])

    def act(exchange):
        exchange.forward().deliver = half
    return act


def slow(pieces=5, pause_s=0.1):
    """The body in drops."""
    def drip(handler, answer):
        handler.give_head(answer)
        size = max(1, len(answer.body) // pieces + 1)
        for at in range(0, len(answer.body), size):
            handler.wfile.write(answer.body[at:at + size])
            handler.wfile.flush()
            time.sleep(pause_s)

    def act(exchange):
        exchange.forward().deliver = drip
    return act


def hangs(seconds):
    """The head never comes."""
    def wait(handler, answer):
        time.sleep(seconds)
        handler.close_connection = True

    def act(exchange):
        exchange.forward().deliver = wait
    return act


def told_to_wait(status, seconds, as_date=False, kind="rateLimited", detail="not so fast"):
    """429 or 503 with Retry-After, which stands for this kind of request."""
    def act(exchange):
        value, stands_s = str(seconds), seconds
        if as_date:
            until = int(time.time()) + seconds
            value, stands_s = email.utils.formatdate(until, usegmt=True), until - time.time()
        exchange.refuse(problem(status, kind, detail, Retry_After=value))
        exchange.ca.stands(exchange.kind, stands_s)
    return act


def says(status, kind, detail, **more):
    """An ACME problem; `more`: members of it."""
    def act(exchange):
        answer = problem(status, kind, detail)
        answer.json = {**answer.json, **more}
        exchange.refuse(answer)
    return act


def instead(answer):
    """Any answer at all."""
    def act(exchange):
        exchange.refuse(Answer(answer.status, answer.body, **answer.headers))
        exchange.answer.headers.update(answer.headers)
    return act


def changed(change):
    """change(answer) alters what Pebble answered, if that was no error."""
    def act(exchange):
        answer = exchange.forward()
        if answer.status < 300:
            change(answer)
    return act


def members(**values):
    """Sets members of the JSON object; None takes one out."""
    def change(answer):
        object = {**answer.json, **values}
        answer.json = {k: v for k, v in object.items() if v is not None}
    return changed(change)


def lower_case_headers():
    def act(exchange):
        answer = exchange.forward()
        answer.headers = {name.lower(): value for name, value in answer.headers.items()}
    return act


def without_header(name):
    def act(exchange):
        answer = exchange.forward()
        answer.headers = {k: v for k, v in answer.headers.items() if k.lower() != name.lower()}
    return act


def with_header(name, value):
    def act(exchange):
        without_header(name)(exchange)
        exchange.forward().headers[name] = value
    return act


def advises(window, retry_after="21600", **more):
    """Answers for renewal information, which Pebble 2.4 has not: `window(path)` gives the
    body, or an Answer."""
    def act(exchange):
        if exchange.kind == "directory":
            url = f"https://{exchange.ca.host}:{exchange.ca.port}/renewal-info"
            members(renewalInfo=url)(exchange)
            return
        body = window(exchange.path)
        if not isinstance(body, Answer):
            body = Answer(200, body, "application/json", Retry_After=retry_after)
        exchange.refuse(body)
    return act


def advertises(**profiles):
    """Profiles in the directory's meta."""
    def change(answer):
        directory = answer.json
        directory["meta"] = {**directory.get("meta", {}), "profiles": profiles}
        answer.json = directory
    return changed(change)


@pytest.fixture
def make_misbehaving(tmp_path, request):
    """Puts a MisbehavingCa in front of a Pebble; its seed is of the test's name."""
    made = []

    def make(pebble, **options):
        options.setdefault("seed", zlib.crc32(request.node.name.encode()))
        made.append(MisbehavingCa(tmp_path / f"misbehaving{len(made)}", pebble, **options))
        return made[-1]

    yield make
    for ca in made:
        ca.close()
