"""Whom the program believes: the roots of the machine, and nobody else."""

import pytest


@pytest.fixture
def api_root(tool, pebble, tmp_path):
    """Pebble's API is signed by a root that nobody knows yet; gives what makes it known."""
    added = []

    def trust():
        tool.add("Root", pebble.ca_bundle.read_text(), tmp_path)
        added.append(True)

    yield trust
    if added:
        tool("clear", "Root")


def issuer(pebble):
    return {"directory": pebble.directory, "agree_to_terms": True, "request_timeout": "10s"}


def configure(daemon, pebble, xc):
    daemon.configure(issuers={"pebble": issuer(pebble)}, certificates={"xc": {
        "hosts": ["xc.example"], "issuers": ["pebble"],
        "challenge": {"listen": pebble.listen}, "deploy": [xc.target()]}})


def test_an_unknown_root_is_refused_with_the_reason(daemon, pebble, xc):
    xc.start()
    configure(daemon, pebble, xc)
    result = daemon("renew", "xc")
    assert result.code == 1, result
    assert "127.0.0.1" in result.err and "ca_bundle" in result.err
    assert pebble.requests("/order-plz") == 0


def test_a_root_of_the_machine_is_trusted_without_a_bundle(daemon, pebble, xc, api_root):
    xc.start()
    configure(daemon, pebble, xc)
    api_root()
    daemon.ok("renew", "xc")
    assert xc.served("xc.example").thumbprint == xc.thumbprint()
