"""docs/reliability.md is written from what a sweep and the planted bugs left."""

import json
import sys
import tempfile
from pathlib import Path

from faults import TOP, report, unreached
from faults.campaign import Campaign
from faults.injector import Injector, Point
from faults.scenarios import Renewal
from faults.sweep import Outcome, Try

sys.path.insert(0, str(TOP / "tests/fault/planted"))

LANE = Path(tempfile.gettempdir()) / "fault.x1/renewal/lane0"
SITE = "take_file (hooks/saved.c:111) < f (hooks/f.c:2)"


class Seam(Injector):
    name, kinds = "seam", ("io", "kill")

    class program:
        sites = {}


class PowerCut(Injector):
    name, once_a_site = "power cut", False

    def kind_of(self, kind):
        return "state"


def written(tmp_path, planted=()):
    """The document of a small campaign: two faults at a call site, of which one did not hold,
    and two states of a disk at another."""
    seam, cut = Seam(tmp_path), PowerCut(tmp_path)
    campaign = Campaign([seam, cut], tmp_path, tell=lambda line: None)
    at_seam = Point(1, "file_read", "hooks/saved.c:111 take_file", kinds=("io", "kill"))
    at_cut = Point(7, "rename", SITE, kinds=("+/l", "-/l"), left_out=3)
    for injector, points in ((seam, [at_seam]), (cut, [at_cut])):
        for one in campaign._known(Renewal(), injector, points, None):
            bad = f"{LANE}/certrenewd/a.pem | is gone\nmore" if one.kind == "kill" else None
            campaign.outcomes.append(Outcome(one, one.point, bad, 1.0))
    results = campaign.results()
    results["seam"] = [["file_read", "hooks/new.c:3 fresh"]]
    (tmp_path / "results.json").write_text(json.dumps(results))
    if planted:
        (tmp_path / "planted.json").write_text(json.dumps(planted))
    return report.document(tmp_path / "results.json", tmp_path / "planted.json")


def test_points_states_violations_and_sites_are_counted(tmp_path):
    text = written(tmp_path)
    assert "**3 distinct points tried, 1 violations.**" in text
    assert "2 states of a disk after a power cut" in text
    assert "- `--replay 'renewal:seam:kill:1'`: certrenewd/a.pem \\| is gone" in text
    assert "| renewal | seam | io 1, kill 1 | 2 |" in text
    assert "| renewal | 0 | 1 | 0 | 2 | 3 |" in text
    assert "- `hooks/saved.c`: take_file: file_read, rename" in text
    assert "- `hooks/new.c`: for want of time: fresh: file_read" in text
    assert all(site in text and why in text for site, why in unreached.REASONS.items())
    assert all(f"**{scenario.name}**" in text for scenario in (Renewal,))


def test_a_moment_of_which_a_state_was_not_tried_is_not_finished(tmp_path):
    written(tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    results["tried"] = [one for one in results["tried"] if one["state"] != "-/l"]
    (tmp_path / "results.json").write_text(json.dumps(results))
    text = report.document(tmp_path / "results.json", tmp_path / "none")
    assert "| renewal | 0 | 0 | 1 | 1 of 2 | 3 |" in text
    assert "at 1 not all for want of time" in text


def test_a_planted_bug_is_named_with_what_found_it(tmp_path):
    from bugs import BUGS
    line = {"bug": BUGS[0].words, "patch": BUGS[0].patch, "scenario": BUGS[0].scenario,
            "injector": BUGS[0].injector, "error": None, "seconds": 3}
    text = written(tmp_path, [
        {**line, "tried": 4, "what": "x", "sentence": f"{LANE}/xc0/tls.json is damaged"},
        {**line, "tried": 9, "what": None, "sentence": None}])
    assert "1 of 2 were found" in text
    assert "| try 4 | xc0/tls.json is damaged |" in text
    assert "| **not found** | 9 points held |" in text


def test_no_folder_of_this_machine_is_told(tmp_path):
    text = written(tmp_path)
    assert str(LANE) not in text and tempfile.gettempdir() not in text
    assert report.portable(f"open {TOP}/hooks/a.c failed") == "open hooks/a.c failed"
