"""What the commands print, for people and for programs, with a daemon and without."""

import json
import re
import subprocess

import pytest
import yaml

from lib.ca_proxy import short_lived  # noqa: F401
from lib.waiting import wait_until

DONE, FAILED, USAGE, NOTHING = range(4)


@pytest.fixture(params=["with a daemon", "alone"])
def serving(request, setup, short_lived, xc):
    """One certificate in service, its predecessor kept."""
    xc.start()
    daemon = setup(short_lived, key={"type": "ec-p256"},
                   target=xc.target(retire={"after": "24h"}))
    daemon.ok("renew", "xc")
    daemon.ok("renew", "xc", "--force")
    if request.param == "with a daemon":
        daemon.start()
        wait_until(lambda: not daemon.ok("status", "--json").json["daemon"]["running"],
                   what="the first look")
    yield daemon
    if daemon.process:
        assert daemon.stop() == 0


def lines_of(result):
    """Every line of the output is a JSON object of its own."""
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert lines and all(isinstance(line, dict) for line in lines), result
    return lines


# ---- --json


@pytest.mark.parametrize("words, code", [
    (["renew", "xc"], NOTHING), (["renew", "xc", "--force"], DONE), (["deploy", "xc"], DONE),
    (["rollback", "xc"], DONE), (["fallback", "xc", "on"], DONE)],
    ids=["not due", "renew", "deploy", "rollback", "fallback"])
def test_work_as_json_is_one_object_a_line_and_the_last_has_the_exit_code(serving, words,
                                                                          code):
    result = serving(*words, "--json")
    assert result.code == code, result
    *steps, end = lines_of(result)
    assert (end["certificate"], end["exit"]) == ("xc", code)
    assert end["text"].startswith(("'xc' ", "it speaks"))
    for step in steps:
        assert step["step"] and step["text"], step
    assert bool(steps) == (words in (["renew", "xc", "--force"], ["rollback", "xc"],
                                     ["fallback", "xc", "on"])), result


def test_a_failure_as_json_says_why(serving, short_lived):
    short_lived.stop()
    result = serving("renew", "xc", "--force", "--json")
    assert result.code == FAILED, result
    end = lines_of(result)[-1]
    assert end["exit"] == FAILED
    assert f"port {short_lived.port}" in end["text"]


def test_explain_as_json_has_the_same_words(serving):
    text = serving.ok("explain", "xc").out
    answer = serving.ok("explain", "xc", "--json").json
    assert answer["certificate"] == "xc"
    assert [line.split()[0] for line in answer["text"].splitlines()] == [
        line.split()[0] for line in text.splitlines()]


def test_account_show_as_json_is_one_object_an_issuer(serving):
    issuer, directory = "second", serving.config["issuers"]["pebble"]["directory"]
    account, = lines_of(serving("account", "show", "--json"))
    assert account["directory"] == directory and account["status"] == "valid"
    serving.config["issuers"][issuer] = serving.config["issuers"]["pebble"]
    serving.write()
    result = serving("account", "show", "--json")
    assert result.code == NOTHING
    assert "no account at 'second'" in result.err
    assert lines_of(result) == [account]


def test_check_config_tells_of_a_state_directory_that_is_refused(serving):
    serving.state.chmod(0o755)
    said = f"state directory '{serving.state}' is open to others (mode 0755): chmod 0700"
    told = serving("check-config")
    assert told.code == USAGE and said in told.err and "good" not in told.out
    bad, = lines_of(serving("check-config", "--json"))
    assert bad["good"] is False and said in bad["errors"][0]
    serving.state.chmod(0o700)
    assert serving("check-config").code == DONE


def test_check_config_as_json_lists_what_is_wrong(serving):
    good, = lines_of(serving("check-config", "--json"))
    warning, = good.pop("warnings")
    assert "name a 'before_fallback'" in warning
    assert good == {"file": str(serving.config_path), "good": True, "errors": []}
    serving.config["concurrency"] = 0
    serving.config["certificates"]["xc"]["issuers"] = ["nix"]
    serving.write()
    result = serving("check-config", "--json")
    assert result.code == USAGE
    bad, = lines_of(result)
    assert bad["good"] is False
    assert [re.search(r"\.yaml:\d+:\d+: ", error) is not None for error in bad["errors"]] == [
        True, True]


def test_reload_as_json_says_what_the_daemon_did(setup, short_lived, xc):
    xc.start()
    daemon = setup(short_lived)
    daemon.start()
    good, = lines_of(daemon("reload", "--json"))
    assert good == {"exit": DONE, "text": "configuration read again"}
    assert daemon.stop() == 0
    refused = daemon("show-config", "--json")
    assert refused.code == USAGE and "prints YAML" in refused.err


# ---- for people


def test_explain_has_every_rule_and_what_failed(serving, short_lived, xc):
    short_lived.stop()
    serving.config["certificates"]["xc"]["hosts"] = ["xc.example", "b.example"]
    serving.write()
    if serving.process:
        serving.ok("reload")
        wait_until(lambda: "failed 1 time" in serving.ok("explain", "xc").out,
                   what="the failure")
    else:
        assert serving("renew", "xc").code == FAILED
    assert re.search(r"^  renewal +failed 1 time, next try 20\d\d-\d\d-\d\d \d\d:\d\d UTC",
                     serving.ok("status").out, re.M)
    text = serving.ok("explain", "xc").out
    for pattern in (
            r"^thumbprint +[0-9A-F]{40} from CN=Pebble Intermediate CA",
            r"^expires +20\d\d-\d\d-\d\d \d\d:\d\d UTC",
            r"^age \(renew\.at\) +20\d\d-\d\d-\d\d \d\d:\d\d UTC",
            r"^CA's advice \(ARI\) +\w+", r"^names +\w+", r"^key type +\w+",
            r"^verdict: renew +its names are not the configured ones", r"^renewal +failed 1 time, next try 20\d\d-",
            rf"port {short_lived.port}",
            r"^circuit breaker +pebble: closed, orders are allowed \(within the limits\)",
            r"^target xtract-core +done, mode https",
            r"^retirement +not before 20\d\d-\d\d-\d\d", r"^clock +confirmed .* ago"):
        assert re.search(pattern, text, re.M), f"{pattern} is not in\n{text}"


def test_status_for_people_has_a_line_for_everything(serving, xc):
    text = serving.ok("status").out
    assert ("daemon running as process" in text) == bool(serving.process)
    assert ("no daemon is running" in text) == (not serving.process)
    for pattern in (r"^xc xc\.example$", rf"^  thumbprint +{xc.served().thumbprint}$",
                    r"^  expires +20\d\d-.* \(in \d+ min", r"^  renewal due +20\d\d-",
                    r"^  retires old +20\d\d-.* \(in (1 d|23 h)",
                    r"^  target +xtract-core: done, mode https$"):
        assert re.search(pattern, text, re.M), f"{pattern} is not in\n{text}"
    assert "\x1b" not in text, "colours are for terminals"
    assert not re.search(r"\dT\d", text), "RFC 3339 is for programs"


def test_help_and_version_need_no_configuration(daemon):
    shown = daemon.ok("--help").out
    for word in ("run", "check-config", "show-config", "status", "explain", "renew", "deploy",
                 "rollback", "fallback", "account", "reload", "--config", "--json",
                 "exit codes"):
        assert word in shown
    assert re.fullmatch(r"certrenewd \d+\.\d+\.\d+\n", daemon.ok("--version").out)
    nothing = daemon()
    assert nothing.code == USAGE and "a command is missing" in nothing.err


# ---- the configuration


def test_what_show_config_prints_loads_again_and_prints_the_same(setup, short_lived, webhook, xc):
    daemon = setup(short_lived, webhook, target=xc.target(when_expired="keep"))
    daemon.config["alerts"]["page"] = {"type": "program", "command": ["/bin/true"],
                                       "min": "critical", "except": ["expiring"]}
    daemon.write()
    shown = daemon.ok("show-config").out
    assert daemon.config["issuers"]["pebble"]["directory"] in shown
    daemon.config_path.write_text(shown)
    assert daemon.ok("check-config").err == ""
    assert yaml.safe_load(daemon.ok("show-config").out) == yaml.safe_load(shown)


def test_a_folder_in_the_place_of_the_file(setup, short_lived):
    daemon = setup(short_lived)
    for command in ("check-config", "show-config", "run", "status"):
        done = subprocess.run([daemon.binary, "--config", daemon.folder, command], text=True,
                              capture_output=True, env=daemon._env(), timeout=20)
        assert done.returncode == USAGE, done
        assert f"{daemon.folder}: is a folder: name the file in it" in done.stderr


def test_a_folder_that_others_can_write(setup, short_lived):
    daemon = setup(short_lived)
    daemon.folder.chmod(0o777)
    for words in (["check-config"], ["run"], ["renew", "xc"]):
        result = daemon(*words, timeout=20)
        assert result.code == USAGE, result
        assert f"'{daemon.folder}'" in result.err and "everybody" in result.err
    daemon.folder.chmod(0o1777)  # sticky: what is mine stays mine
    daemon.ok("show-config")
