"""kill -9 of certrenewd.exe behind each journal write: somebody is served afterwards, and
the next run ends what was begun and leaves nothing behind."""

import pytest

from lib.killing import run_and_kill
from lib.waiting import wait_until

LANES = 3


@pytest.fixture
def dying(setup, make_pebble, xc):
    """A certificate of ours is served, and may be renewed as often as the test wants."""
    xc.start()
    daemon = setup(make_pebble(nonce_reject=0), target=xc.target(verify_timeout="5s"))
    daemon.ok("renew", "xc")
    return daemon


def allow_more(daemon):
    """So many certificates a day are not what the circuit breaker is for."""
    (daemon.state / "breaker.json").unlink(missing_ok=True)


def served_one_of(xc, *wanted):
    def look():
        served = xc.served()
        return served is not None and served.thumbprint in wanted

    wait_until(look, 20, "one of the two certificates being served")


def nothing_is_left(xc, tool):
    """One entry, its key, and no container besides."""
    assert xc.versions() == [xc.thumbprint()]
    assert tool.containers() == [xc.container()]
    assert tool.signs(xc.thumbprint())


@pytest.mark.parametrize("lane", range(LANES))
def test_killed_behind_any_journal_write_the_next_run_ends_it(dying, xc, tool, wine, lane):
    nth = 1 + lane
    while True:
        allow_more(dying)
        old = xc.thumbprint()
        writes = run_and_kill(dying, nth, "renew", "xc", "--force")
        assert tool.signs(xc.thumbprint()), "tls.json names a certificate that cannot sign"
        if wine.service_state(xc.service_name) == "running":
            served_one_of(xc, old, xc.thumbprint())
        again = dying("renew", "xc")
        assert again.code in (0, 3), again
        if xc.thumbprint() == old:
            dying.ok("renew", "xc", "--force")  # the order was not over: it is not due
        assert xc.thumbprint() != old
        assert xc.served().thumbprint == xc.thumbprint()
        nothing_is_left(xc, tool)
        if writes < nth:
            break
        nth += LANES
    assert nth > 6, "too few journal writes were seen"


@pytest.mark.parametrize("lane", range(LANES))
def test_killed_on_the_way_back_the_next_run_goes_back(dying, xc, tool, wine, lane):
    nth = 1 + lane
    old = xc.thumbprint()
    while True:
        allow_more(dying)
        xc.misbehave(refuse="no licence", except_=old)
        writes = run_and_kill(dying, nth, "renew", "xc", "--force")
        dying("renew", "xc")
        assert xc.thumbprint() == old
        served_one_of(xc, old)
        if writes < nth:
            break
        nth += LANES
    assert nth > 6, "too few journal writes were seen"
    xc.misbehave()
    dying.ok("deploy", "xc")
    assert xc.serves_another(old)
    nothing_is_left(xc, tool)
