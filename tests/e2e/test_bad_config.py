"""What an operator reads when the configuration is wrong: every command refuses it with
exit code 2, all errors at once, each with its place and the way out."""

import os
import re
import subprocess

import pytest
import yaml

from lib.waiting import free_port

USAGE = 2
NOBODY = 65534


@pytest.fixture
def configured(daemon, xc):
    """A good configuration that was never used."""
    daemon.configure(
        issuers={"ca": {"directory": "https://ca.example/dir", "agree_to_terms": True}},
        certificates={"shop": {
            "hosts": ["shop.example"], "issuers": ["ca"],
            "challenge": {"listen": f"127.0.0.1:{free_port()}"}, "deploy": [xc.target()]}})
    return daemon


def refused(daemon, *patterns, words=("check-config",)):
    """Every pattern is in what check-config and the daemon say, and nothing was touched."""
    for command in (words, ("run",), ("renew", "shop")):
        result = daemon(*command, timeout=20)
        assert result.code == USAGE, result
        for pattern in patterns:
            assert re.search(pattern, result.err), f"{pattern!r} is not in {result}"
    assert not daemon.state.exists()
    return result


def test_a_good_file_is_called_good_and_nothing_is_touched(configured):
    result = configured.ok("check-config")
    assert "1 certificate, 1 issuer, 0 alert channels: good" in result.out
    assert not configured.state.exists()


def test_a_file_that_is_missing(configured):
    configured.config_path.unlink()
    refused(configured, rf"{configured.config_path}.*(no such file|does not exist)")


def test_a_file_that_cannot_be_read(configured):
    configured.config_path.chmod(0o600)
    parents = [p for p in (configured.folder, *configured.folder.parents)
               if not p.stat().st_mode & 1]
    modes = [p.stat().st_mode & 0o7777 for p in parents]
    for path, mode in zip(parents, modes):
        path.chmod(mode | 0o011)
    try:
        as_nobody = dict(user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                         text=True, timeout=20, env=configured._env())
        assert subprocess.run(["cat", configured.config_path], **as_nobody).returncode
        done = subprocess.run(configured._argv(["check-config"]), **as_nobody)
        assert done.returncode == USAGE, done
        assert str(configured.config_path) in done.stderr
        assert "permission denied" in done.stderr.lower()
    finally:
        for path, mode in zip(parents, modes):
            path.chmod(mode)


@pytest.mark.parametrize("text, pattern", [
    ("issuers: [", r":\d+:\d+: .*"), ("\tx: 1\n", r":1:\d+: "),
    ("just words", r":1:1: .*"), ("- a\n- b\n", r":1:1: .*"), ("", r"certificates|empty"),
    ("a: &a [*a]\n", r":\d+:\d+: .*(alias|anchor)"),
    ("x: " + "[" * 200 + "]" * 200, r"deep|nest"),
], ids=["open bracket", "tab", "words", "list", "empty", "alias", "deep"])
def test_a_file_that_is_not_a_mapping_in_yaml(configured, text, pattern):
    configured.config_path.write_text(text)
    refused(configured, "certrenewd.yaml.*" + pattern)


def test_a_value_of_the_wrong_type_says_what_was_expected(configured):
    configured.config["concurrency"] = "many"
    configured.config["certificates"]["shop"]["hosts"] = {"a": "b"}
    configured.write()
    refused(configured, r"yaml:\d+:\d+: .*concurrency.*number.*",
            r"yaml:\d+:\d+: .*hosts.*list")


def test_an_unknown_key_is_answered_with_the_nearest_known_one(configured):
    configured.config["certificates"]["shop"]["issuer"] = ["ca"]
    configured.write()
    refused(configured, r"yaml:\d+:\d+: .*'issuer'.*'issuers'")


def test_two_errors_are_told_at_once_and_counted(configured):
    configured.config["inspect_every"] = {"files": 30}
    configured.config["certificates"]["shop"]["issuers"] = ["nix"]
    configured.write()
    refused(configured, r"yaml:\d+:\d+: .*30", r"yaml:\d+:\d+: .*'nix'")
    assert re.search(r"2 errors$", configured("check-config").err, re.M)


def test_two_certificates_on_one_tls_json(configured, make_xc, xc):
    other = make_xc("other")
    second = dict(configured.config["certificates"]["shop"], hosts=["b.example"])
    second["deploy"] = [other.target(tls_json=str(xc.tls_json))]
    configured.config["certificates"]["second"] = second
    configured.write()
    refused(configured, rf"'shop'|'second'", re.escape(str(xc.tls_json)))


def test_a_secret_that_everybody_can_read(configured):
    key = configured.folder / "eab.key"
    key.write_text("c2VjcmV0LXNlY3JldC1zZWNyZXQ")
    key.chmod(0o644)
    configured.config["issuers"]["ca"]["eab"] = {"key_id": "a", "hmac_key": {"file": "eab.key"}}
    configured.write()
    result = refused(configured, rf"{key}.*(read|0644|chmod|everybody)")
    assert "c2VjcmV0" not in result.text


def test_a_file_that_others_can_write(configured):
    configured.config_path.chmod(0o666)
    refused(configured, rf"{configured.config_path}.*(writ|everybody)")
    configured.config_path.chmod(0o600)
    os.chown(configured.config_path, NOBODY, NOBODY)
    refused(configured, rf"{configured.config_path}.*(nobody|65534)")


def test_a_program_that_others_can_write(configured, tmp_path):
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o777)
    target = configured.config["certificates"]["shop"]["deploy"][0]
    target["before_fallback"] = {"command": [str(hook)]}
    configured.write()
    refused(configured, rf"{hook}.*(writ|everybody)")


def test_a_directory_that_is_not_https(configured):
    configured.config["issuers"]["ca"]["directory"] = "http://ca.example/dir"
    configured.write()
    refused(configured, r"yaml:\d+:\d+: .*https")


def test_secrets_are_hidden_and_defaults_are_shown(configured):
    key = configured.folder / "eab.key"
    key.write_text("c2VjcmV0LXNlY3JldC1zZWNyZXQ")
    key.chmod(0o600)
    configured.config["issuers"]["ca"]["eab"] = {"key_id": "a", "hmac_key": {"file": "eab.key"}}
    configured.write()
    shown = configured.ok("show-config")
    assert "c2VjcmV0" not in shown.text
    assert yaml.safe_load(shown.out)["concurrency"] == 4
    assert "default" in shown.out
    assert not configured.state.exists()
