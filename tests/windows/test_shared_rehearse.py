"""Rehearsals with certrenewd.exe: tests of tests/e2e/test_rehearse_habit.py, and what a
service of Windows adds."""

import re

from test_rehearse_habit import (  # noqa: F401
    make_proxy, scene, staging, test_a_channel_that_is_silent_does_not_stop_the_renewal_and_is_told,
    test_it_ends_at_once_when_the_daemon_stops_and_nothing_is_remembered,
    test_what_fails_is_told_until_it_is_well_again_and_one_order_a_week_is_made,
)


def test_each_part_of_windows_is_tried(scene, xc):
    daemon = scene()
    said = daemon.ok("rehearse", "xc")
    for line in ("ok +service xtract-core: it is there, and we may act on it",
                 "ok +disk xtract-core: there is room", "ok +disk: the state directory has room",
                 "ok +write xtract-core: files can be made, renamed and removed",
                 "ok +key xtract-core: the store can take it",
                 "ok +target xtract-core: it could be deployed now"):
        assert re.search(line, said.out), f"{line} in\n{said.out}"
    assert not list(xc.dir.rglob("*certrenewd-trial*"))


def test_a_service_that_is_gone_is_named_once(scene, xc):
    daemon = scene()
    xc.remove()
    said = daemon("rehearse", "xc")
    assert said.code == 1
    assert re.search("failed +service xtract-core: .*service", said.out), said.out
    assert "target xtract-core" not in said.out
