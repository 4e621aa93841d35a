"""What is asked of a CA and not had: the certificate is taken all the same, and said once,
not with each renewal."""

import datetime

import pytest
from cryptography import x509

from lib.pebble import Pebble

DONE, FAILED = 0, 1


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    """It knows no profiles, and issues for an hour unless it is asked for more."""
    pebble = Pebble(tmp_path_factory.mktemp("ca"), validity_s=3600, nonce_reject=0)
    yield pebble
    pebble.close()


def test_a_profile_that_is_not_had_is_told_once(setup, ca, xc, webhook):
    xc.start()
    daemon = setup(ca, webhook, key={"type": "ec-p256"}, profile="shortlived")
    daemon.ok("renew", "xc")
    told = [alert["what"] for alert in webhook.of("ca_changed")]
    assert len(told) == 1 and "profile" in told[0], told
    daemon.ok("renew", "xc", "--force")
    assert [alert["what"] for alert in webhook.of("ca_changed")] == told


def test_the_dates_that_are_asked_for_are_issued(setup, ca, xc):
    xc.start()
    setup(ca, key={"type": "ec-p256"}, lifetime="30d", backdate="2h").ok("renew", "xc")
    leaf = x509.load_pem_x509_certificate(xc.served().chain[0].encode())
    now = datetime.datetime.utcnow()
    minutes = datetime.timedelta(minutes=3)
    assert abs(leaf.not_valid_before - now + datetime.timedelta(hours=2)) < minutes
    assert abs(leaf.not_valid_after - now - datetime.timedelta(days=30)) < minutes


def test_a_profile_that_is_required_orders_nothing_without_it(setup, ca, xc):
    xc.start()
    orders = ca.requests("/order-plz")
    daemon = setup(ca, key={"type": "ec-p256"},
                   profile={"name": "shortlived", "required": True})
    result = daemon("renew", "xc")
    assert result.code == FAILED and "'shortlived'" in result.err, result
    assert ca.requests("/order-plz") == orders
