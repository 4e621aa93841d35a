"""`certrenewd sandbox`: the drop-in of the unit for a configuration. What the unit then
permits and forbids is seen under a real systemd in test_service.py."""

import os

import pytest

NOBODY = 65534


@pytest.fixture
def drop_in(setup, pebble, xc):
    """drop_in(**target): (result of `sandbox`, its ReadWritePaths)."""

    def run(**target):
        daemon = setup(pebble, target=xc.target(**target))
        result = daemon("sandbox")
        lines = result.out.splitlines()
        return result, [line.split('"-')[1].rstrip('"') for line in lines
                        if line.startswith("ReadWritePaths=")]

    return run


def test_every_folder_that_is_written_is_opened_and_nothing_else(drop_in, xc, daemon):
    daemon.state.mkdir(0o700)
    result, paths = drop_in()
    assert result.code == 0
    assert result.out.splitlines()[2] == "[Service]"
    assert sorted(paths) == sorted(map(str, {
        xc.store.parent, xc.tls_json.parent, xc.dir / "config", xc.dir, daemon.state}))
    assert "CapabilityBoundingSet" not in result.out
    assert "ProtectHome" not in result.out


def test_the_watcher_is_opened_the_state_directory_alone_and_only_where_it_is_elsewhere(
        drop_in, daemon):
    daemon.state.mkdir(0o700)
    result, _ = drop_in()
    assert "certrenewd-watch.service needs a drop-in too: `certrenewd sandbox watch`" in \
        result.out
    lines = daemon.ok("sandbox", "watch").out.splitlines()
    assert lines[0].startswith("# ") and lines[1:4] == [
        "[Service]", "# state_dir", f'ReadWritePaths="-{daemon.state}"']
    del daemon.config["state_dir"]
    daemon.write()
    assert "sandbox watch" not in daemon.ok("sandbox").out
    line, = daemon.ok("sandbox", "watch").out.splitlines()
    assert line.startswith("# certrenewd-watch.service needs no drop-in")
    other = daemon("sandbox", "timer")
    assert other.code == 2 and "the only other unit is 'watch'" in other.err


def test_files_of_another_account_ask_for_the_right_to_them(drop_in, xc):
    os.chown(xc.tls_json.parent, NOBODY, NOBODY)
    result, _ = drop_in()
    assert f"# '{xc.tls_json.parent}' is not root's" in result.out
    assert "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_FOWNER" in result.out


def test_a_folder_that_is_not_there_opens_the_next_one_above_and_says_so(drop_in, tmp_path):
    result, paths = drop_in(store={"type": "directory", "path": str(tmp_path / "a/b/live")})
    assert str(tmp_path) in paths
    assert f"'{tmp_path}/a/b' is not there yet" in result.out


def test_no_folder_of_the_system_is_opened_for_one_that_is_not_there(drop_in):
    result, _ = drop_in(store={"type": "directory", "path": "/srv/no/such/live"})
    assert result.code == 1
    assert result.out == ""
    assert "nothing of '/srv/no/such' is there" in result.err
    assert "make its folder first" in result.err


def test_a_path_is_written_as_systemd_reads_it(drop_in, tmp_path):
    odd = tmp_path / 'a 50% "b"'
    odd.mkdir()
    result, paths = drop_in(store={"type": "directory", "path": str(odd / "live")})
    assert f'{tmp_path}/a 50%% \\"b\\' in paths


def test_a_link_opens_what_it_leads_to(drop_in, tmp_path, xc):
    (tmp_path / "elsewhere").mkdir()
    xc.tls_json.symlink_to(tmp_path / "elsewhere/tls.json")
    (tmp_path / "elsewhere/tls.json").write_text("{}")
    _, paths = drop_in()
    assert str(tmp_path / "elsewhere") in paths
