"""What docs/security.md says and no other test shows: hostile files of an application,
hostile words and addresses of a CA, names that climb. Each ends quickly, with a sentence,
and with nothing touched."""

import json
import os
import re
import socket
import threading
import time
from pathlib import Path

import pytest

from lib.ca_proxy import make_proxy, problem, proxy, short_lived  # noqa: F401

KEY = {"type": "ec-p256"}
FAILED, USAGE = 1, 2
QUICK_S = 20


# ---- files of the application


def a_fifo(path):
    os.mkfifo(path)


def a_folder(path):
    path.mkdir()


def a_device(path):
    path.symlink_to("/dev/zero")


def a_socket(path):
    os.chdir(path.parent)  # the names of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)
    os.chdir("/")


def a_giant(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


def deep_nesting(path):
    path.write_text('{"a":' * 200_000 + "1" + "}" * 200_000)


@pytest.mark.parametrize("make", [a_fifo, a_folder, a_device, a_socket, a_giant, deep_nesting],
                         ids=lambda make: make.__name__)
def test_a_hostile_tls_json_is_refused_at_once_and_burns_no_order(setup, pebble, xc, make):
    xc.start()
    make(xc.tls_json)
    began = time.monotonic()
    result = setup(pebble, key=KEY)("renew", "xc", timeout=60)
    assert time.monotonic() - began < QUICK_S
    assert result.code == FAILED, result
    assert "tls.json" in result.err or "/dev/zero" in result.err, result
    assert pebble.requests("/order-plz") == 0
    assert not xc.store.exists()


@pytest.mark.parametrize("make", [a_fifo, a_folder, a_device, a_giant, deep_nesting],
                         ids=lambda make: make.__name__)
def test_a_hostile_listener_json_does_not_hold_up_the_configuration(setup, pebble, xc, make):
    path = xc.dir / "listener.json"
    path.unlink()
    make(path)
    daemon = setup(pebble, key=KEY)
    began = time.monotonic()
    result = daemon("check-config", timeout=60)
    assert time.monotonic() - began < QUICK_S
    assert result.code in (0, USAGE), result
    assert "listener.json" in result.text


@pytest.mark.parametrize("make", [a_fifo, a_device], ids=lambda make: make.__name__)
def test_a_hostile_setting_beside_the_others_does_not_hold_up_a_deployment(setup, pebble, xc,
                                                                           make):
    xc.start()
    daemon = setup(pebble, key=KEY)
    daemon.ok("renew", "xc")
    make(xc.settings.parent / "hostile.json")
    began = time.monotonic()
    daemon("renew", "xc", "--force", timeout=60)
    assert time.monotonic() - began < QUICK_S
    assert xc.https()[0] == 200


# ---- words of a CA

NASTY = "red \x1b[31m\x1b]0;title\x07 \r\nxc.service: all is well\x7f\x9b2J \u202eexe.lmth\u2066"


@pytest.fixture
def told_nasty_things(setup, proxy, xc, webhook):
    xc.start()
    proxy.rules["/order-plz"] = problem(403, "unauthorized", NASTY)
    daemon = setup(proxy, webhook, key=KEY)
    return daemon


def cleaned(text):
    """Nothing that a terminal or a reader of lines would act on."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_no_control_character_of_a_ca_reaches_a_terminal_the_log_or_an_alert(
        told_nasty_things, webhook):
    daemon = told_nasty_things
    result = daemon("renew", "xc")
    assert result.code == FAILED
    assert "red" in result.err and "all is well" in result.err
    assert cleaned(result.text), repr(result.text)
    assert not re.search(r"^xc\.service", result.text, re.M), "a line of its own"
    alert = webhook.wait_for("failed")
    assert "all is well" in alert["what"]
    assert cleaned(json.dumps(alert, ensure_ascii=False)), alert
    for words in (["status"], ["explain", "xc"], ["status", "--json"]):
        said = daemon(*words)
        assert cleaned(said.text.replace("\\u", "?")), repr(said.text)
    daemon.start()
    daemon("renew", "xc", "--force")
    daemon.wait_log("all is well")
    daemon.stop()
    assert cleaned(daemon.log()), repr(daemon.log())
    assert not re.search(r"^xc\.service", daemon.log(), re.M)


# ---- addresses of a CA


class Canary:
    """Listens on loopback and remembers whether anybody came."""

    def __init__(self):
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self):
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.visits += 1

    def close(self):
        self._socket.close()


@pytest.fixture
def canary():
    made = Canary()
    yield made
    made.close()


URLS = ["file:///etc/passwd", "http://127.0.0.1:PORT/", "gopher://127.0.0.1:PORT/",
        "https://user:word@127.0.0.1:PORT/", "//127.0.0.1:PORT/",
        "https://127.0.0.1:PORT/\r\nX: y"]


@pytest.mark.parametrize("member", ["finalize", "authorizations"])
def test_a_ca_cannot_send_us_anywhere_but_to_https(setup, proxy, xc, canary, member):
    xc.start()
    urls = [url.replace("PORT", str(canary.port)) for url in URLS]

    def change(answer):
        body = answer.json
        body[member] = [urls[0]] if member == "authorizations" else urls[0]
        answer.json = body

    proxy.rules["/order-plz"] = proxy.rules["/my-order"] = change
    daemon = setup(proxy, key=KEY)
    while urls:
        began = time.monotonic()
        result = daemon("renew", "xc", "--force", timeout=60)
        assert result.code == FAILED, result
        assert time.monotonic() - began < QUICK_S
        assert canary.visits == 0, urls[0]
        assert "root:" not in result.text
        assert "https" in result.err, result
        urls.pop(0)


def test_a_directory_cannot_lead_to_plain_http_or_files(setup, proxy, xc, canary):
    xc.start()

    def change(answer):
        answer.json = {**answer.json, "newOrder": f"http://127.0.0.1:{canary.port}/",
                       "newNonce": "file:///etc/passwd"}

    proxy.rules["/dir"] = change
    result = setup(proxy, key=KEY)("renew", "xc", timeout=60)
    assert result.code == FAILED, result
    assert canary.visits == 0


# ---- names that climb


@pytest.fixture
def checked(daemon, xc):
    """checked(change): `check-config` of a good configuration after change(config)."""

    def run(change):
        config = {
            "issuers": {"ca": {"directory": "https://ca.example/", "agree_to_terms": True}},
            "certificates": {"xc": {
                "hosts": ["xc.example"], "issuers": ["ca"], "deploy": [xc.target(name="app")],
                "challenge": {"type": "http-01", "listen": "127.0.0.1:8000"}}},
            "alerts": {"ops": {"type": "webhook", "url": "https://hooks.example/"}}}
        change(config)
        daemon.configure(**config)
        return daemon("check-config")

    return run


NAMES = ["../../etc", "a/b", "..", ".", "", "a\\b", "C:x", "a\nb", "-rf", "a b", "a\u202eb"]


def renamed(section, name):
    def change(config):
        (old, value), = config[section].items()
        config[section] = {name: value}
        if section == "issuers":
            config["certificates"]["xc"]["issuers"] = [name]
    return change


def test_a_name_that_could_be_a_path_or_an_option_is_refused(checked, daemon):
    assert checked(lambda config: None).code == 0
    for name in NAMES:
        def target(config):
            config["certificates"]["xc"]["deploy"][0]["name"] = name

        for change in (target, *(renamed(section, name)
                                 for section in ("certificates", "issuers", "alerts"))):
            result = checked(change)
            assert result.code == USAGE, (name, result)
            assert re.search(r":\d+:\d+: ", result.err), (name, result)
    assert not daemon.state.exists()


def test_a_host_that_could_be_a_path_or_an_option_is_refused(checked):
    for host in ("../../etc/passwd", "a b.example", "-a.example", "a/b.example",
                 "a.example;reboot", "$(reboot).example", "a\x00.example"):
        result = checked(lambda config: config["certificates"]["xc"].update(hosts=[host]))
        assert result.code == USAGE, (host, result)


# ---- who reads our process


def test_no_secret_stands_in_the_arguments_or_the_environment(setup, pebble, webhook, xc,
                                                              tmp_path):
    secret = tmp_path / "token"
    secret.write_text("Bearer topsecretword\n")
    secret.chmod(0o600)
    xc.start()
    daemon = setup(pebble, webhook, key=KEY)
    daemon.config["alerts"]["ops"]["authorization"] = {"file": str(secret)}
    daemon.write()
    daemon.start()
    webhook.wait_for("renewed")
    assert webhook.requests[-1][0]["Authorization"] == "Bearer topsecretword"
    for name in ("cmdline", "environ"):
        assert b"topsecretword" not in Path(f"/proc/{daemon.process.pid}/{name}").read_bytes()
    for path in daemon.state.rglob("*"):
        if path.is_file():
            assert b"topsecretword" not in path.read_bytes(), path
    assert "topsecretword" not in daemon.log()
