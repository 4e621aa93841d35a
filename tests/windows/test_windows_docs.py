"""docs/windows.md is true: every command in it is run by a test, and what it says is not
tested is what lib/skips.py lists."""

import re

import pytest

from conftest import HERE, TOP

DOCUMENTS = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
# What is typed, and the test that does it: the word that must stand in that file.
RUN_BY = [
    (r"msiexec /i \S+\.msi /qn( START=1)?", "test_msi.py", '"/i"'),
    (r"msiexec /x \S+\.msi /qn PURGE=1", "test_msi.py", '"PURGE=1"'),
    (r"msiexec /x \S+\.msi /qn", "test_msi.py", '"/x"'),
    (r"certrenewd import win-acme( --dry-run| --undo)?", "test_import.py", "win-acme"),
    (r"certrenewd (check-config|status)", "test_shared.py", "test_status_says"),
    (r"certrenewd renew --force \S+", "test_service.py", '"--force"'),
    (r"certrenewd service (install|uninstall)", "lib/program.py", '"service"'),
    (r"net start certrenewd", "lib/wine.py", '"start"'),
    (r"(cd|notepad) .*", "test_windows_docs.py", "notepad"),
]


def commands():
    for path in DOCUMENTS:
        for block in blocks(path):
            yield from block.splitlines()
        yield from re.findall(r"`(certrenewd import win-acme[^`]*)`", path.read_text())


def blocks(path):
    return re.findall(r"^```bat\n(.*?)^```", path.read_text(), re.M | re.S)


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_shown_is_run(command):
    for pattern, file, word in RUN_BY:
        if re.fullmatch(pattern, command):
            assert word in (HERE / file).read_text()
            return
    raise AssertionError(f"'{command}' is run by no test")


def test_no_block_to_paste_undoes_what_it_did():
    shown = [block for path in DOCUMENTS for block in blocks(path)]
    assert any("certrenewd import win-acme\n" in block for block in shown)
    for block in shown:
        assert "--undo" not in block, block
    assert "`certrenewd import win-acme --undo`" in (TOP / "docs/windows.md").read_text()


def test_every_skip_is_used_and_has_its_test():
    from lib.skips import SKIPS

    text = "".join(path.read_text() for path in [*HERE.rglob("test_*.py"),
                                                 *HERE.glob("unit/*.c")])
    for name, reason in SKIPS.items():
        assert f'"{name}"' in text or reason in text, f"nothing skips for '{name}'"
