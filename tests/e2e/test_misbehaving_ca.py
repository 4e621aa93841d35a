"""The client that no CA quirk stops: for every way in which a CA can misbehave, either the
certificate is obtained in the end, or the operator's sentence names the cause; and what the
CA limits was respected either way."""

import itertools
import re
import time

import pytest

from conftest import issuer_of
from lib.ca_proxy import Answer, problem
from lib.misbehaving_ca import (  # noqa: F401
    SIGNED, advertises, advises, bad_nonce, changed, hangs, instead, lost, lower_case_headers,
    make_misbehaving, members, never_arrives, says, slow, told_to_wait, truncated,
    with_header, without_header)
from lib.pebble import Pebble
from lib.served_files import ServedFiles

DONE, FAILED, USAGE, NOTHING = range(4)
number = itertools.count(1)


@pytest.fixture(scope="module")
def well(tmp_path_factory):
    """The Pebble behind all of them. Certificates of two hours: the circuit breaker lets
    many of them be issued in one day."""
    pebble = Pebble(tmp_path_factory.mktemp("well"), validity_s=7200, nonce_reject=0)
    yield pebble
    pebble.close()


@pytest.fixture(scope="module")
def long_lived(tmp_path_factory):
    pebble = Pebble(tmp_path_factory.mktemp("long"), validity_s=90 * 86400, nonce_reject=0)
    yield pebble
    pebble.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    served = ServedFiles(tmp_path_factory.mktemp("app") / "live")
    yield served
    served.close()


class Scene:
    def __init__(self, daemon, ca, app):
        self.daemon, self.ca, self.app = daemon, ca, app
        self.host = f"n{next(number)}.example"
        self.certificate = {
            "hosts": [self.host], "issuers": ["ca"], "key": {"type": "ec-p256"},
            "challenge": {"type": "http-01", "listen": f"127.0.0.1:{ca.http_port}"},
            "deploy": [app.target(self.host)]}
        self.issuer = issuer_of(ca, request_timeout="2s", order_timeout="6s")
        self.write()

    def write(self, **certificate):
        self.certificate.update(certificate)
        self.daemon.configure(issuers={"ca": self.issuer},
                              certificates={"a": self.certificate})

    def serial(self):
        served = self.app.served(self.host)
        return served and served.thumbprint

    def obtains(self, passes=1, orders=1, finalizes=1):
        """The certificate is there after so many passes at most. Gives what was said."""
        before, text = self.serial(), ""
        for _ in range(passes):
            time.sleep(max(0, max(self.ca._stands.values(), default=0) - time.monotonic()))
            result = self.renew()
            text += result.text
            if result.code == DONE:
                break
        assert result.code == DONE, text
        assert self.serial() not in (None, before)
        self.limits(orders, finalizes)
        return text

    def renew(self):
        """One that the CA is asked for: certrenewd keeps a Retry-After to the second."""
        for _ in range(30):
            result = self.daemon("renew", "a", "--force")
            if "not asked before" not in result.err:
                break
            time.sleep(0.1)
        return result

    def fails(self, *patterns, orders=1, finalizes=1):
        before = self.serial()
        result = self.daemon("renew", "a", "--force")
        assert result.code == FAILED, result
        for pattern in patterns:
            assert re.search(pattern, result.err), f"{pattern!r} not in: {result.err}"
        assert len(result.text) < 4000
        assert self.serial() == before
        self.limits(orders, finalizes)
        return result.text

    def limits(self, orders, finalizes):
        """What the CA counts, since the last look."""
        ca, counts = self.ca, self.ca.counts[self.host]
        assert counts["newOrder"] <= orders, counts
        assert counts["finalize"] <= finalizes, counts
        assert ca.total("newAccount") <= 2  # asked whether there is one, then made
        assert max(ca.posts.values(), default=0) <= 1, ca.posts
        assert ca.reused_nonces == []
        assert ca.impatient == []
        counts.clear()


@pytest.fixture
def make_scene(daemon, app, well, make_misbehaving):
    def make(pebble=well):
        return Scene(daemon, make_misbehaving(pebble), app)
    return make


@pytest.fixture
def scene(make_scene):
    return make_scene()


@pytest.fixture
def ca(scene):
    return scene.ca


# ---- nonces


def test_every_second_nonce_is_refused(scene, ca):
    rule = ca.rule(SIGNED, bad_nonce(), share=0.5)
    scene.obtains(passes=2)
    assert rule.fired > 0


def test_nine_nonces_in_a_row_are_refused(scene, ca):
    ca.rule("newOrder", bad_nonce(), times=9)
    scene.obtains()


def test_every_nonce_is_refused(scene, ca):
    ca.rule("newOrder", bad_nonce())
    scene.fails("newOrder: 10 nonces in a row were refused.*that nonce is none of ours",
                orders=0)


def test_no_answer_brings_a_nonce(scene, ca):
    ca.rule(SIGNED, without_header("Replay-Nonce"))
    scene.obtains()
    assert ca.asked[""]["newNonce"] >= 7


def test_a_refused_nonce_comes_without_another(scene, ca):
    ca.rule(SIGNED, without_header("Replay-Nonce"))
    ca.rule(SIGNED, bad_nonce(), share=0.3)
    scene.obtains(passes=2)


def test_no_nonce_is_to_be_had(scene, ca):
    ca.rule(("newNonce", "directory"), without_header("Replay-Nonce"))
    scene.fails("newNonce: .* without a usable Replay-Nonce", orders=0)


# ---- not now


@pytest.mark.parametrize("where, status, as_date", [
    ("newOrder", 429, False), ("newOrder", 503, True), ("finalize", 429, True),
    ("finalize", 503, False)])
def test_told_to_wait(scene, ca, where, status, as_date):
    ca.rule(where, told_to_wait(status, 2, as_date), times=1)
    text = scene.obtains(passes=2)
    assert "not so fast" in text


@pytest.mark.parametrize("where", ["order", "authorization", "certificate", "challenge"])
def test_told_to_wait_in_the_middle(scene, ca, where):
    """The order that was made is the one that is finished."""
    ca.rule(where, told_to_wait(503, 1), times=1)
    scene.obtains(passes=2)


def test_a_rate_limit_far_away_is_told_with_its_time(scene, ca):
    ca.rule("newOrder", told_to_wait(429, 36000, detail="too many certificates already "
                                     "issued, retry after 2027-01-01 12:00:00 UTC: see "
                                     "https://ca.example/limits"))
    scene.fails("rateLimited: too many certificates already issued, retry after "
                "2027-01-01 12:00:00 UTC: see https://ca.example/limits", orders=0)
    assert ca.asked[scene.host]["newOrder"] == 1
    result = scene.daemon("renew", "a")
    assert result.code == NOTHING, result
    assert ca.asked[scene.host]["newOrder"] == 1


# ---- answers that do not arrive whole


EVERYWHERE = ["directory", "newNonce", "newAccount", "newOrder", "authorization", "challenge",
              "order", "finalize", "certificate"]


@pytest.mark.parametrize("where", EVERYWHERE)
def test_an_answer_is_lost_though_the_request_was_handled(scene, ca, where):
    """A lost newOrder leaves one order too many at the CA: nobody can know it."""
    ca.rule(where, lost(), times=1)
    ca.check_nonces = False  # sent again by libcurl on a new connection
    scene.obtains(passes=2, orders=2 if where == "newOrder" else 1)


@pytest.mark.parametrize("where", EVERYWHERE)
def test_an_answer_is_truncated(scene, ca, where):
    ca.rule(where, truncated(), times=1)
    scene.obtains(passes=2, orders=2 if where == "newOrder" else 1)


@pytest.mark.parametrize("where", ["newOrder", "certificate"])
def test_an_answer_comes_in_drops(scene, ca, where):
    ca.rule(where, slow())
    scene.obtains()


def test_an_answer_never_comes(scene, ca):
    ca.rule("finalize", hangs(3), times=1)
    scene.obtains(passes=2)


def test_a_request_never_arrives(scene, ca):
    ca.rule("finalize", never_arrives(), times=2)
    ca.rule("certificate", never_arrives(), times=2)
    scene.obtains(passes=3)


# ---- what is said of orders


def status_after(first, then, times=1):
    """The first answers with status `first` say `then`."""
    left = [times]

    def change(answer):
        if answer.json.get("status") == first and left[0]:
            left[0] -= 1
            object = {**answer.json, "status": then}
            object.pop("certificate", None)
            answer.json = object
    return changed(change)


def test_an_order_is_processing_again_after_it_was_valid(scene, ca):
    seen = []

    def change(answer):
        if answer.json["status"] == "valid":
            seen.append(1)
            if len(seen) in (1, 2):
                answer.json = {**answer.json, "status": "processing"}
    ca.rule(("order", "finalize"), changed(change))
    scene.obtains()
    assert len(seen) == 3


def test_an_order_is_pending_though_its_authorizations_are_valid(scene, ca):
    ca.rule("order", status_after("ready", "pending", 5))
    scene.obtains()


def test_an_order_is_ready_again_after_it_was_finalized(scene, ca):
    ca.rule("order", status_after("processing", "ready", 1))
    scene.obtains()


def test_an_order_stays_processing_and_is_picked_up_later(scene, ca):
    ca.rule(("order", "finalize"), status_after("valid", "processing", 1000))
    scene.issuer["order_timeout"] = "2s"
    scene.write()
    scene.fails("wait for the certificate: the order is still 'processing' after 2 s")
    ca.behave()
    scene.obtains(orders=0, finalizes=0)


def test_an_order_that_is_processed_says_when_to_ask_again(scene, ca):
    ca.rule(("order", "finalize"), status_after("valid", "processing", 2))

    def later(exchange):
        if exchange.forward().json.get("status") == "processing":
            exchange.answer.headers["Retry-After"] = "1"
            ca.stands(f"/my-order/{exchange.path.rpartition('/')[2]}", 0.95)
    ca.rule(("order", "finalize"), later)
    began = time.monotonic()
    scene.obtains()
    assert time.monotonic() - began > 1.9


def test_an_order_is_not_ready_after_it_was_said_to_be(scene, ca):
    ca.rule("finalize", says(403, "orderNotReady", "give me a moment"), times=2)
    scene.obtains()


def test_an_order_is_never_ready_though_it_is_said_to_be(scene, ca):
    ca.rule("finalize", says(403, "orderNotReady", "give me a moment"))
    scene.fails("finalize the order: orderNotReady: give me a moment")
    assert ca.asked[scene.host]["finalize"] <= 5


def test_a_second_answer_to_a_challenge_is_a_conflict(scene, ca):
    """As a CA says it to the one whose first answer was lost."""
    def conflict(exchange):
        exchange.forward()
        exchange.answer = None
        exchange.refuse(problem(409, "malformed", "the challenge is being validated"))
    ca.rule("challenge", conflict, times=1)
    scene.obtains()


def test_a_challenge_that_is_not_pending_any_more_is_refused(scene, ca):
    """Handled, the answer lost; then it was valid already."""
    def refused(exchange):
        exchange.forward()
        exchange.answer = None
        exchange.refuse(problem(400, "malformed", "cannot update challenge: status valid"))
    ca.rule("challenge", refused, times=1)
    scene.obtains()


def test_identifiers_come_in_other_case_and_order(scene, ca):
    scene.write(hosts=[scene.host, f"www.{scene.host}"])

    def change(answer):
        object = answer.json
        for each in object["identifiers"]:
            each["value"] = each["value"].upper()
        object["identifiers"].reverse()
        answer.json = object
    ca.rule(("newOrder", "order", "finalize"), changed(change))
    ca.rule("certificate", told_to_wait(503, 1), times=1)  # and it is resumed
    scene.obtains(passes=2)


# ---- headers and bodies


def test_headers_are_lower_case(scene, ca):
    ca.rule(("directory", "newNonce", *SIGNED), lower_case_headers())
    scene.obtains()


@pytest.mark.parametrize("name", ["Content-Type", "Link", "Retry-After", "Cache-Control"])
def test_a_header_is_missing(scene, ca, name):
    ca.rule(("directory", "newNonce", *SIGNED), without_header(name))
    scene.obtains()


def test_the_account_has_no_location(scene, ca):
    ca.rule("newAccount", without_header("Location"))
    scene.fails("account.*Location|account.*URL", orders=0)


def test_the_order_has_no_location(scene, ca):
    ca.rule("newOrder", without_header("Location"))
    scene.fails("newOrder: .*(Location|URL)")


@pytest.mark.parametrize("type", ["text/plain", "application/octet-stream", "nonsense", ""])
def test_the_content_type_is_wrong(scene, ca, type):
    ca.rule(("directory", *SIGNED), with_header("Content-Type", type))
    scene.obtains()


@pytest.mark.parametrize("where", ["directory", "newOrder", "order", "certificate"])
def test_html_instead_of_an_answer(scene, ca, where):
    page = Answer(200, b"<html>Please <b>log in</b></html>", "text/html; charset=utf-8")
    rule = ca.rule(where, instead(page))
    scene.fails("answered 200 with text/html, not|text/html", orders=1)
    assert rule.fired <= 4
    ca.behave()
    scene.obtains()


def test_members_are_there_twice(scene, ca):
    def twice(answer):
        text = answer.body.decode().strip()
        answer.body = (text[:-1] + "," + text[1:]).encode()
    ca.rule(("directory", "newAccount", "newOrder", "order", "authorization", "challenge",
             "finalize"), changed(twice))
    scene.obtains()


def test_there_are_members_that_nobody_knows(scene, ca):
    ca.rule(("directory", "newAccount", "newOrder", "order", "authorization", "challenge",
             "finalize"), members(surprise={"status": "invalid", "list": [1, None, {}]},
                                  error=None, newThing="https://ca.example/new"))
    scene.obtains()


# ---- where things are


def test_the_directory_moves(scene, ca):
    """Under the running daemon, which knows the old URLs."""
    scene.daemon.config["concurrency"] = 1  # one connection, one directory kept
    scene.daemon.write()
    scene.daemon.start()
    scene.daemon.wait_log("renewed")
    old = scene.serial()
    ca.host = "localhost"
    for _ in range(2):
        if scene.daemon("renew", "a", "--force").code == DONE:
            break
    assert scene.serial() != old
    assert scene.daemon.stop() == 0
    assert ca.counts[scene.host]["newOrder"] == 2


def test_an_order_is_gone_when_it_is_picked_up(scene, ca):
    ca.rule("finalize", told_to_wait(503, 1))
    scene.fails("not so fast")
    ca.behave()
    ca.rule("order", says(404, "malformed", "no such order"), times=1)
    scene.obtains(passes=2)


# ---- what the CA wants of the operator


def test_the_operator_must_act(scene, ca):
    ca.rule("newOrder", says(403, "userActionRequired", "the terms have changed",
                             instance="https://ca.example/agree/17"))
    scene.fails("userActionRequired: the terms have changed", "https://ca.example/agree/17",
                "do what the CA asks for", orders=0)


# ---- renewal information, RFC 9773


def instant(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def window(start, end):
    return lambda path: {"suggestedWindow": {"start": instant(start), "end": instant(end)},
                         "explanationURL": "https://ca.example/why"}


ARI = ("directory", "ari")


def test_a_window_in_the_past_renews_and_the_circuit_breaker_ends_it(make_scene, long_lived):
    """Every new certificate gets one as well."""
    scene = make_scene(long_lived)
    scene.ca.rule(ARI, advises(window(-7200, -3600)))
    scene.obtains()
    text = scene.daemon.ok("renew", "a").text
    assert "the CA's advice (ARI)" in text
    scene.limits(1, 1)
    result = scene.daemon("renew", "a")
    assert result.code == FAILED, result
    assert "the circuit breaker is open: 2 certificates in 24 h" in result.err
    scene.limits(0, 0)


@pytest.mark.parametrize("answer", [
    {"suggestedWindow": {"start": "yesterday", "end": "tomorrow"}},
    {"suggestedWindow": {"start": "2026-12-02T00:00:00Z", "end": "2026-12-01T00:00:00Z"}},
    {"suggestedWindow": "soon"}, [], 7,
    Answer(200, b"<html>", "text/html"), Answer(404, b"", "text/plain"),
    problem(403, "unauthorized", "ARI feature not enabled"),
    Answer(500, b"", "text/plain")], ids=lambda a: str(getattr(a, "status", a))[:60])
def test_advice_that_is_none_stops_nothing(scene, ca, answer):
    ca.rule(ARI, advises(lambda path: answer))
    scene.obtains()
    result = scene.daemon("renew", "a")
    assert result.code == NOTHING, result
    scene.obtains()
    assert ca.asked[""]["ari"] <= 2


def test_a_window_far_away_leaves_the_age_to_decide(scene, ca):
    ca.rule(ARI, advises(window(3600 * 24 * 365, 3600 * 24 * 366)))
    scene.obtains()
    assert scene.daemon("renew", "a").code == NOTHING
    text = scene.daemon.ok("explain", "a").text
    due, = re.findall(r"verdict: not due\s+(\S+ \S+)", text)
    assert re.search(rf"renew.at.* {due}", text), text


def test_the_window_of_another_certificate_is_not_taken_over(scene, ca):
    """The CA is asked anew for a new certificate, by its own ID, and what it said of the
    one before is forgotten."""
    stale = []

    def of_the_first(path):
        stale.append(path)
        at = -3600 if path == stale[0] else 3600 * 24
        return window(at, at + 1800)(path)
    ca.rule(ARI, advises(of_the_first))
    scene.obtains()
    text = scene.daemon.ok("renew", "a").text
    assert "the CA's advice (ARI)" in text
    result = scene.daemon("renew", "a")
    assert result.code == NOTHING, result
    assert len(set(stale)) == 2


@pytest.mark.parametrize("status, kind, detail", [
    (409, "alreadyReplaced", "that one has a successor"),
    (403, "unauthorized", "requester account did not request the certificate being replaced"),
    (400, "malformed", "could not find an order for the certificate"),
    (500, "serverInternal", "ARI is broken"),
], ids=lambda value: value if isinstance(value, str) and " " not in value else "")
def test_a_predecessor_that_the_ca_will_not_hear_of_is_left_out(scene, ca, status, kind,
                                                                 detail):
    ca.rule(ARI, advises(window(3600, 7200)))
    scene.obtains()
    rule = ca.rule("newOrder", says(status, kind, detail),
                   when=lambda exchange: "replaces" in exchange.payload)
    scene.obtains()
    assert rule.fired == 1


def test_a_rate_limit_of_an_order_that_replaces_is_waited_for(scene, ca):
    ca.rule(ARI, advises(window(3600, 7200)))
    scene.obtains()
    ca.rule("newOrder", told_to_wait(429, 1), times=1)
    scene.obtains(passes=2)


# ---- profiles


PROFILES = {"shortlived": "https://ca.example/shortlived", "classic": "the usual"}


def test_a_profile_that_is_advertised_is_asked_for(scene, ca):
    ca.rule("directory", advertises(**PROFILES))
    scene.write(profile="shortlived")
    scene.obtains()
    assert [order.get("profile") for order in ca.payloads("newOrder")] == ["shortlived"]


def test_a_profile_that_is_not_advertised_is_left_out_and_noted(scene, ca):
    ca.rule("directory", advertises(**PROFILES))
    scene.write(profile="tlsserver")
    text = scene.obtains()
    assert re.search("does not offer the preferred profile, only: shortlived, classic", text)
    assert "profile" not in ca.payloads("newOrder")[0]


def test_a_profile_that_is_required_and_not_advertised_orders_nothing(scene, ca):
    ca.rule("directory", advertises(**PROFILES))
    scene.write(profile={"name": "tlsserver", "required": True})
    scene.fails("does not offer the profile 'tlsserver' that is required, only: "
                "shortlived, classic", orders=0)
    assert ca.payloads("newOrder") == []


@pytest.mark.parametrize("where", ["newOrder", "finalize"])
def test_a_profile_is_refused_though_it_is_advertised(scene, ca, where):
    ca.rule("directory", advertises(**PROFILES))
    scene.write(profile="shortlived")

    def with_profile(exchange):
        orders = ca.payloads("newOrder")
        return "profile" in orders[-1]
    ca.rule(where, says(400, "invalidProfile", "not for you"), when=with_profile)
    text = scene.obtains(orders=2)
    assert "invalidProfile: not for you" in text


@pytest.mark.parametrize("where", ["newOrder", "finalize"])
def test_a_required_profile_that_is_refused_is_told(scene, ca, where):
    ca.rule("directory", advertises(**PROFILES))
    ca.rule(where, says(400, "invalidProfile", "not for you"))
    scene.write(profile={"name": "shortlived", "required": True})
    scene.fails("invalidProfile: not for you")


# ---- dates, chains


def test_dates_that_are_refused_are_left_out(scene, ca):
    scene.write(lifetime="80m")
    rule = ca.rule("newOrder", says(400, "malformed", "NotBefore and NotAfter are not supported"),
                   when=lambda exchange: "notAfter" in exchange.payload)
    scene.obtains()
    assert rule.fired == 1


@pytest.mark.parametrize("act", [says(500, "serverInternal", "no"), truncated(), lost()],
                         ids=["500", "truncated", "lost"])
def test_another_chain_that_cannot_be_had_costs_nothing(scene, ca, act):
    """The CA's default is as good as any."""
    scene.write(chain="Another Root")

    def link(exchange):
        url = f"https://127.0.0.1:{ca.port}{exchange.path}/alternate/1"
        exchange.forward().headers["Link"] = f'<{url}>;rel="alternate"'
    ca.rule("certificate", link)
    ca.rule("certificate", act, when=lambda exchange: "alternate" in exchange.path)
    text = scene.obtains()
    assert "no chain from 'Another Root'" in text
