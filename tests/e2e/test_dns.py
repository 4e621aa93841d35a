"""Updates of a real BIND by RFC 2136, and questions to it: hooks/dns.h and
hooks/resolver.h through tests/support/dns_probe."""

import http.server
import re
import ssl
import subprocess
import threading
import time
from datetime import datetime

import pytest

from lib.authority import Authority
from lib.bind import Bind, TsigKey, Zone, allow

RECORD = "_acme-challenge.www.a.example"
KEYS = [TsigKey("acme"), TsigKey("strong", "hmac-sha512"), TsigKey("other")]
BROKEN = "$TTL 60\n@ IN SOA this is no zone\n"


@pytest.fixture(scope="module")
def bind(tmp_path_factory):
    made = Bind(tmp_path_factory.mktemp("bind"), [
        Zone("a.example", updates=allow(KEYS[0]), records="""
www IN A 127.0.0.1
_acme-challenge.alias IN CNAME alias.auth.example.
_acme-challenge.loop IN CNAME _acme-challenge.circle
_acme-challenge.circle IN CNAME _acme-challenge.loop
@ IN CAA 0 issue "letsencrypt.org; validationmethods=dns-01"
@ IN CAA 128 tbs "unknown"
long IN TXT "one " "text"
"""),
        Zone("auth.example", updates=allow(KEYS[1])),
        Zone("policy.example",
             updates='update-policy { grant acme subdomain _acme-challenge.policy.example TXT; };'),
        Zone("closed.example"),
        Zone("broken.example", whole=BROKEN),
        Zone("far.example", servers=["127.0.0.77"]),
        Zone("half.example", servers=["127.0.0.1", "127.0.0.77"]),
    ], KEYS)
    yield made
    made.close()


class Probe:
    def __init__(self, program, bind):
        self.program, self.bind = program, bind

    def __call__(self, verb, **settings):
        settings = {"server": self.bind.server, "resolvers": self.bind.server, **settings}
        argv = [self.program, verb] + [f"{k}={v}" for k, v in settings.items() if v is not None]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60)

    def says(self, verb, **settings):
        """Lines of a run that succeeds."""
        done = self(verb, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def fails(self, verb, **settings):
        """The sentence of one that does not."""
        done = self(verb, **settings)
        assert done.returncode == 1, done
        return done.stderr.strip()


@pytest.fixture
def probe(programs, bind):
    return Probe(programs / "dns_probe", bind)


def signed(key=KEYS[0], **more):
    return {"key": key.name, "algorithm": key.algorithm, "secret": key.secret,
            "domain": "www.a.example", "record": RECORD, "value": "first", **more}


# ---- updates --------------------------------------------------------------


def test_a_value_is_added_beside_another_and_exactly_it_is_removed(probe, bind):
    probe.says("present", **signed(value="first"))
    probe.says("present", **signed(value="second"))
    probe.says("present", **signed(value="second"))
    assert bind.texts(RECORD) == ["first", "second"]
    probe.says("withdraw", **signed(value="first"))
    assert bind.texts(RECORD) == ["second"]
    probe.says("withdraw", **signed(value="first"))
    probe.says("withdraw", **signed(value="second"))
    assert bind.query(RECORD) == ("NXDOMAIN", [])


def test_a_signature_by_hmac_sha512_is_taken(probe, bind):
    name = "x.auth.example"
    probe.says("present", **signed(KEYS[1], record=name))
    assert bind.texts(name) == ["first"]


def test_long_values_are_split_into_strings(probe, bind):
    name, value = "long.auth.example", "v" * 600
    probe.says("present", **signed(KEYS[1], record=name, value=value))
    assert probe.says("txt", name=name) == [value]
    probe.says("withdraw", **signed(KEYS[1], record=name, value=value))
    assert bind.query(name) == ("NXDOMAIN", [])


def test_the_wrong_secret_is_named_with_its_key(probe, bind):
    said = probe.fails("present", **signed(TsigKey("acme")))
    assert said.startswith("refused: DNS provider 'ours': add TXT record")
    assert "BADSIG: the server's secret of TSIG key 'acme' (hmac-sha256) is another" in said
    assert bind.texts(RECORD) == []


def test_an_unknown_key_and_a_wrong_algorithm_are_named(probe):
    said = probe.fails("present", **signed(TsigKey("nobody")))
    assert "BADKEY: the server knows no TSIG key 'nobody' with algorithm hmac-sha256" in said
    said = probe.fails("present", **signed(TsigKey("acme", "hmac-sha512", KEYS[0].secret)))
    assert "BADKEY: the server knows no TSIG key 'acme' with algorithm hmac-sha512" in said


def test_a_key_without_the_right_and_no_key_are_refused_with_what_to_allow(probe):
    said = probe.fails("present", **signed(KEYS[2]))
    assert (f"update of zone 'a.example' at '{probe.bind.server}' refused (REFUSED, signed by "
            "TSIG key 'other'): the zone's `allow-update` or `update-policy` has to allow it"
            in said)
    said = probe.fails("present", domain="www.a.example", record=RECORD, value="x")
    assert "refused (REFUSED, not signed)" in said
    said = probe.fails("present", **signed(record="_acme-challenge.closed.example"))
    assert "update of zone 'closed.example'" in said and "(REFUSED, " in said


def test_an_update_policy_allows_what_it_says_and_nothing_else(probe, bind):
    name = "_acme-challenge.policy.example"
    probe.says("check", **signed(domain="policy.example"))
    probe.says("present", **signed(record=name))
    assert bind.texts(name) == ["first"]
    said = probe.fails("present", **signed(record="_acme-challenge.www.policy.example"))
    assert "(REFUSED, " in said


def test_a_zone_that_the_server_does_not_have_is_said(probe):
    said = probe.fails("present", **signed(record="_acme-challenge.b.test"))
    assert said.startswith("config: ")
    assert "knows no zone that '_acme-challenge.b.test' is in (REFUSED)" in said
    said = probe.fails("present", **signed(record="_acme-challenge.b.test", zone="b.test"))
    assert "(NOTAUTH, " in said and "`server` has to be its primary" in said
    said = probe.fails("present", **signed(record="x.b.test", zone="a.example"))
    assert "(NOTZONE, " in said and "correct `zone`" in said


def test_a_record_beside_a_cname_is_not_taken_for_added(probe):
    said = probe.fails("present", **signed(record="_acme-challenge.alias.a.example"))
    assert ("'_acme-challenge.alias.a.example' is a CNAME to 'alias.auth.example'" in said
            and "as the challenge's alias" in said)


def test_check_proves_key_and_right_without_a_change(probe, bind):
    before = bind.query("a.example", "SOA")
    probe.says("check", **signed())
    assert "BADSIG" in probe.fails("check", **signed(TsigKey("acme")))
    assert "(REFUSED, " in probe.fails("check", **signed(KEYS[2]))
    assert bind.query("a.example", "SOA") == before


def test_a_secret_that_is_no_base64_and_a_server_that_is_gone(probe):
    said = probe.fails("check", **signed(TsigKey("acme", secret="no base64!")))
    assert "the secret of TSIG key 'acme' ('secret') is not base64" in said
    assert "no base64!" not in said
    said = probe.fails("check", **signed(), server="127.0.0.77:53")
    assert said.startswith("transient: ") and "'127.0.0.77:53' by TCP" in said


def test_the_clock_is_the_reason_and_both_are_named(probe):
    said = probe.fails("present", **signed(), clock=7200)
    clocks = re.search(r"BADTIME: the server's clock says (\S+)Z and ours (\S+)Z, ", said)
    assert clocks, said
    apart = datetime.fromisoformat(clocks[2]) - datetime.fromisoformat(clocks[1])
    assert abs(apart.total_seconds() - 7200) < 60
    assert said.endswith("set the clock that is wrong")


# ---- questions ------------------------------------------------------------


def test_texts_are_joined_and_absence_is_told_apart(probe):
    assert probe.says("txt", name="long.a.example") == ["one text"]
    said = probe.fails("txt", name="no.a.example")
    assert said == f"not_found: 'no.a.example' does not exist (NXDOMAIN at '{probe.bind.server}')"
    said = probe.fails("txt", name="www.a.example")
    assert said.startswith("not_found: 'www.a.example' has no TXT record")


def test_servfail_is_named_with_name_server_and_dnssec(probe):
    said = probe.fails("txt", name="x.broken.example")
    assert said.startswith("refused: ask the DNS about 'x.broken.example': ")
    assert f"'{probe.bind.server}' answers SERVFAIL" in said and "DNSSEC chain" in said
    said = probe.fails("txt", name="elsewhere.test")
    assert "answers REFUSED about 'elsewhere.test': it does not resolve names for us" in said


def test_no_answer_is_transient(probe):
    said = probe.fails("txt", name="www.a.example", resolvers="127.0.0.77:53", timeout=2)
    assert said.startswith("transient: ") and "no answer from '127.0.0.77:53'" in said


def test_the_next_resolver_answers_where_the_first_does_not(probe, bind):
    both = f"127.0.0.77:53,{bind.server}"
    assert probe.says("txt", name="long.a.example", resolvers=both) == ["one text"]


def test_cnames_are_followed_to_their_end_and_circles_end(probe):
    assert probe.says("follow", name="_acme-challenge.alias.a.example") == ["alias.auth.example"]
    assert probe.says("follow", name="www.a.example") == ["www.a.example"]
    assert probe.says("follow", name="not.there.a.example") == ["not.there.a.example"]
    said = probe.fails("follow", name="_acme-challenge.loop.a.example")
    assert said.startswith("refused: ") and "in a circle" in said


def test_a_zone_is_found_with_its_servers_at_their_ports(probe, bind):
    assert probe.says("zone", name="_acme-challenge.x.y.a.example") == ["a.example", bind.server]
    assert probe.says("zone", name="alias.auth.example")[0] == "auth.example"
    assert probe.says("zone", name="far.example") == ["far.example", "127.0.0.77:53"]
    # A CNAME's answer speaks of the zone that it leads to; that is not its own.
    assert probe.says("zone", name="_acme-challenge.alias.a.example")[0] == "a.example"


def test_caa_records_are_found_up_the_tree(probe):
    lines = probe.says("caa", name="*.deep.www.a.example")
    assert lines[0] == "at a.example"
    assert sorted(lines[1:]) == ["critical tbs unknown",
                                 "issue letsencrypt.org; validationmethods=dns-01"]
    assert probe.says("caa", name="192.0.2.7") == ["at nowhere"]


# ---- waiting --------------------------------------------------------------


def test_a_record_is_awaited_at_the_servers_of_its_zone(probe, bind):
    probe.says("present", **signed(KEYS[1], record="wait.auth.example", value="v"))
    probe.says("await", name="wait.auth.example", value="v")
    said = probe.fails("await", name="wait.auth.example", value="other", timeout=1)
    assert said.startswith("transient: the TXT record 'wait.auth.example' is not seen everywhere")
    assert f"'{bind.server}' has other texts ('v')" in said and "name public `resolvers`" in said
    said = probe.fails("await", name="none.auth.example", value="v", timeout=1)
    assert f"'{bind.server}' answers NXDOMAIN" in said


def test_a_record_that_comes_late_is_seen(probe):
    name = "late.auth.example"
    timer = threading.Timer(1.5, probe.says, ["present"], signed(KEYS[1], record=name))
    timer.start()
    begun = time.monotonic()
    probe.says("await", name=name, value="first", timeout=20)
    assert time.monotonic() - begun < 8
    timer.join()


def test_a_server_that_lags_behind_is_named(tmp_path, programs):
    servers = ["127.0.0.1", "::1"]
    text = 'x IN TXT "v"'
    first = Bind(tmp_path / "first", [Zone("lag.example", text, servers=servers)])
    try:
        second = Bind(tmp_path / "second", [Zone("lag.example", servers=servers)],
                      address="::1")
        try:
            probe = Probe(programs / "dns_probe", first)
            said = probe.fails("await", name="x.lag.example", value="v", timeout=1,
                               resolvers=f"{first.server},{second.server}")
            assert f"'{second.server}' answers NXDOMAIN" in said
            assert first.server not in said
        finally:
            second.close()
    finally:
        first.close()


def test_servers_that_cannot_be_reached_do_not_stop_it(probe, bind):
    name = "x.far.example"
    said = probe.fails("await", name=name, value="v", timeout=4)
    assert "no server of zone 'far.example' answers here (is port 53 closed?)" in said
    assert f"'{name}' does not exist (NXDOMAIN at '{bind.server}')" in said


def test_our_resolvers_speak_for_servers_that_cannot_be_reached(tmp_path, programs):
    zones = [Zone("far.example", 'x IN TXT "v"', servers=["127.0.0.77"]),
             Zone("half.example", 'x IN TXT "v"', servers=["127.0.0.1", "127.0.0.77"])]
    bind = Bind(tmp_path / "bind", zones)
    try:
        probe = Probe(programs / "dns_probe", bind)
        probe.says("await", name="x.far.example", value="v", timeout=20)
        probe.says("await", name="x.half.example", value="v", timeout=20)
    finally:
        bind.close()


# ---- HTTPS ----------------------------------------------------------------


class OverHttps:
    """Hands DNS messages on to BIND by UDP (RFC 8484)."""

    def __init__(self, folder, bind):
        import socket
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.append((self.path, self.headers["Content-Type"]))
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                    line.settimeout(5)
                    line.sendto(body, (bind.address, bind.port))
                    answer = line.recv(65535)
                kind = "application/dns-message" if self.path == "/dns-query" else "text/html"
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        authority = Authority("DoH")
        leaf = authority.issue("127.0.0.1")
        (folder / "root.pem").write_text(authority.root_pem)
        (folder / "cert.pem").write_text(leaf.fullchain_pem)
        (folder / "key.pem").write_text(leaf.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.trust = folder / "root.pem"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://127.0.0.1:{self.server.server_port}/dns-query"


def test_questions_go_by_https_too(probe, bind, tmp_path):
    doh = OverHttps(tmp_path, bind)
    settings = {"resolvers": doh.url, "trust": doh.trust}
    assert probe.says("txt", name="long.a.example", **settings) == ["one text"]
    assert doh.seen[0] == ("/dns-query", "application/dns-message")
    said = probe.fails("txt", name="no.a.example", **settings)
    assert said == f"not_found: 'no.a.example' does not exist (NXDOMAIN at '{doh.url}')"
    wrong = doh.url.replace("/dns-query", "/")
    said = probe.fails("txt", name="a.example", trust=doh.trust, resolvers=wrong)
    assert said.startswith("refused: ") and "is no application/dns-message" in said
    said = probe.fails("txt", name="a.example", resolvers=doh.url)
    assert said.startswith("config: ")
    doh.server.shutdown()
