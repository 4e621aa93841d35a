"""The README and docs/ are true: every configuration in them is good, and every command in
them is run, here or by the test that is named."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
DOCUMENTS = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]

# Commands that another test runs: the word that must stand in that file.
ELSEWHERE = {
    "scripts/demo": ("tests/e2e/test_demo.py", "scripts/demo"),
    "scripts/test": (".ci/run", "scripts/test"),
    "systemctl enable --now certrenewd": ("tests/e2e/test_service.py", "enable"),
    "systemctl enable --now certrenewd-watch.timer": ("tests/e2e/test_service.py",
                                                      "certrenewd-watch.timer"),
    "tests/bench/run": ("tests/e2e/test_bench.py", "bench/run"),
}


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.M | re.S)


def commands(path):
    return [line for block in blocks(path, "sh") for line in block.splitlines() if line.strip()]


def is_ours(command):
    return command.startswith("certrenewd ")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_every_configuration_shown_is_good(path, daemon):
    for text in blocks(path, "yaml"):
        for name in re.findall(r"\{file: ([\w.-]+)\}", text):
            secret = daemon.config_path.parent / name
            secret.touch(mode=0o600)
            secret.write_text("c2VjcmV0IG9mIHRoZSBkb2N1bWVudHM=\n")
        daemon.config_path.write_text(text)
        daemon.config_path.chmod(0o600)
        result = daemon("check-config")
        assert result.code == 0, f"{path.name}:\n{text}\n{result.text}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_every_command_shown_does_what_it_says(path, setup, make_pebble, xc, daemon):
    pebble = make_pebble(validity_s=7200)  # so that the circuit breaker lets us
    xc.start()
    setup(pebble, target=xc.target(retire={"after": "24h"}))
    daemon.config["certificates"] = {"shop": daemon.config["certificates"]["xc"]}
    daemon.write()
    daemon.ok("renew", "shop")
    daemon.ok("renew", "shop", "--force")
    for command in filter(is_ours, commands(path)):
        result = daemon(*shlex.split(command)[1:])
        not_due = command == "certrenewd renew shop"
        assert result.code == (3 if not_due else 0), f"{path.name}: {command}\n{result.text}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_no_command_shown_goes_untested(path):
    for command in commands(path):
        if is_ours(command) or command.startswith("cmake "):
            continue
        assert command in ELSEWHERE, f"{path.name}: '{command}' is run by no test"
        file, word = ELSEWHERE[command]
        assert word in (TOP / file).read_text(), f"{file} does not run '{command}'"


def test_it_installs_as_the_readme_says(tmp_path):
    lines = [line for line in commands(TOP / "README.md") if line.startswith("cmake ")]
    assert len(lines) == 3
    for line in lines:
        subprocess.run(shlex.split(line), cwd=TOP, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env={**os.environ, "DESTDIR": str(tmp_path)})
    program = tmp_path / "usr/local/sbin/certrenewd"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("certrenewd ")
    unit = (tmp_path / "usr/local/lib/systemd/system/certrenewd.service").read_text()
    assert "ExecStart=/usr/local/sbin/certrenewd " in unit
    watch = (tmp_path / "usr/local/lib/systemd/system/certrenewd-watch.service").read_text()
    assert re.search(r"^ExecStart=/usr/local/sbin/certrenewd .* watch$", watch, re.M)
    assert (tmp_path / "usr/local/lib/systemd/system/certrenewd-watch.timer").exists()


def test_every_link_leads_somewhere():
    for path in [*DOCUMENTS, *TOP.glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path}: {target}"


def test_every_command_of_the_program_is_in_the_readme(daemon):
    words = re.findall(r"^  ([a-z-]+)", daemon("--help").out, re.M)
    assert "renew" in words
    text = "".join(path.read_text() for path in DOCUMENTS)
    for word in words:
        assert re.search(rf"`?certrenewd {word}|`{word}\b", text), f"{word} is not documented"
