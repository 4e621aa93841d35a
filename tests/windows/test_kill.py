"""kill -9 of certrenewd.exe behind each journal write: somebody is served afterwards, and
the next run ends what was begun and leaves nothing behind."""

import pytest

from lib.killing import allow_more, nothing_is_left, run_and_kill, served_one_of

LANES = 3


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
