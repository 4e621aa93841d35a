"""Each way to prove control of a name, with certrenewd.exe: the tests of
tests/e2e/test_challenges.py that fit, with the same BIND and the same CA."""

import pytest
from test_challenges import (  # noqa: F401
    bind, prove, secret,
    test_a_challenge_that_fails_at_the_ca_is_followed_by_the_next,
    test_a_cname_leads_to_where_the_record_goes,
    test_a_name_and_an_address_by_a_handshake,
    test_a_name_and_its_wildcard_by_dns_updates,
    test_caa_that_forbids_the_ca_burns_no_order,
)

from lib.pebble import Pebble


@pytest.fixture(scope="module")
def ca(wine, bind):  # noqa: F811
    """As there, but where certrenewd.exe may trust the file that says whom to trust."""
    pebble = Pebble(wine.drive / "CA that asks BIND", validity_s=3600, nonce_reject=0,
                    dns_server=bind.server)
    yield pebble
    pebble.close()
