"""The expired ladder on Windows: what tests/e2e has of it, and what is different here: kill
-9 behind each write of the fallback's journal, settings below config\\server*, and the
built-in firewall guard, which Wine has no netsh for."""

import json

import pytest

from lib.killing import STRIDE, run_and_kill, served_one_of
from lib.waiting import wait_until
from lib.xc import DEFAULT_SETTINGS

from test_fallback import (  # noqa: F401
    expired, short_lived, speaks_http, target_of, test_an_operators_own_tls_json_wins_until_deploy,
)
from test_ladder import (  # noqa: F401
    test_an_older_certificate_that_is_valid_still_is_served_again,
    test_fallback_off_needs_a_valid_certificate,
)

LANES = 2


@pytest.mark.parametrize("lane", range(LANES))
def test_killed_on_the_way_to_http_the_next_run_ends_it(dying, xc, tool, lane):
    """On the operator's word, with a certificate that is valid."""
    old, written = xc.thumbprint(), xc.tls_json.read_bytes()
    xc.settings.write_text(DEFAULT_SETTINGS)
    nth = 1 + lane
    while True:
        writes = run_and_kill(dying, nth, "fallback", "xc", "on", name="fallback.json")
        if writes >= nth:
            dying("renew", "xc")
        assert speaks_http(xc)
        assert target_of(dying)["mode"] == "fallback"
        dying.ok("fallback", "xc", "off")
        assert xc.tls_json.read_bytes() == written
        assert xc.settings.read_text() == DEFAULT_SETTINGS
        served_one_of(xc, old)
        assert tool.signs(old)
        if writes < nth:
            break
        nth += LANES * STRIDE
    assert nth > 3, "too few journal writes were seen"


@pytest.mark.parametrize("lane", range(LANES))
def test_killed_on_the_way_back_the_next_run_ends_it(dying, xc, tool, lane):
    old, written = xc.thumbprint(), xc.tls_json.read_bytes()
    nth = 1 + lane
    while True:
        dying.ok("fallback", "xc", "on")
        writes = run_and_kill(dying, nth, "fallback", "xc", "off")
        if writes >= nth:
            dying.ok("fallback", "xc", "off")
        assert xc.tls_json.read_bytes() == written
        served_one_of(xc, old)
        assert target_of(dying)["mode"] == "https"
        assert tool.signs(old)
        if writes < nth:
            break
        nth += LANES * STRIDE
    assert nth > 3, "too few journal writes were seen"


def test_the_firewall_that_cannot_be_set_keeps_https(setup, pebble, xc, webhook):
    xc.start()
    daemon = setup(pebble, webhook, target=xc.target(before_fallback="firewall"))
    daemon.ok("renew", "xc")
    served, written = xc.served(), xc.tls_json.read_bytes()
    result = daemon("fallback", "xc", "on")
    assert result.code == 1
    assert "no fallback, everything is left as it was, because before_fallback failed: " \
        in result.text
    assert "firewall rule 'certrenewd: plain HTTP of xtract-core'" in result.text
    assert xc.served() == served
    assert xc.tls_json.read_bytes() == written
    assert not target_of(daemon)["falling"]

    daemon.config["certificates"]["xc"]["deploy"][0]["even_if_guard_fails"] = True
    daemon.write()
    daemon.ok("fallback", "xc", "on")
    assert speaks_http(xc)
    told = json.dumps(webhook.of("fallback"))
    assert "it falls back all the same (even_if_guard_fails)" in told
    daemon.ok("fallback", "xc", "off")
    wait_until(lambda: xc.served() == served, what="HTTPS again")
