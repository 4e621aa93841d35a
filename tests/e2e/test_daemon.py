"""The daemon's life: beginning, end, reload, the channel to it, what it answers."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from conftest import issuer_of
from lib.ca_proxy import make_proxy, proxy, short_lived  # noqa: F401
from lib.waiting import Background, wait_until

DONE, FAILED, USAGE, NOTHING, NO_DAEMON, DENIED = range(6)
NOBODY = 65534


def at_rest(daemon):
    """Is no certificate at work?"""
    return not daemon.ok("status", "--json").json["daemon"]["running"]


@pytest.fixture
def idle(setup, short_lived, xc):
    """A daemon with one certificate in service and nothing to do."""
    xc.start()
    daemon = setup(short_lived, key={"type": "ec-p256"})
    daemon.start()
    wait_until(lambda: xc.served(), what="the first certificate")
    wait_until(lambda: at_rest(daemon), what="the end of the work")
    yield daemon


def ended_within(daemon, seconds):
    begun = time.monotonic()
    assert daemon.stop() == 0
    took = time.monotonic() - begun
    assert took < seconds, f"it took {took:.1f} s"


# ---- beginning and end


def test_sigterm_ends_an_idle_daemon_at_once(idle):
    assert re.search(r"^\S+Z info +cert=xc run=[0-9a-f]+ order: ", idle.log(), re.M)
    ended_within(idle, 2)
    assert "stopped" in idle.log()
    assert not (idle.state / "control.sock").exists()


@pytest.mark.parametrize("point", ["/authZ/", "/chalZ/", "/finalize-order/", "/certZ/"])
def test_an_order_that_was_interrupted_is_resumed_and_not_ordered_again(
        setup, proxy, short_lived, xc, point):
    xc.start()
    daemon = setup(proxy)
    proxy.hold(point)
    daemon.start()
    proxy.wait_held()
    ended_within(daemon, 2)
    assert xc.served() is None
    proxy.drop()
    daemon.start()
    wait_until(lambda: xc.served(), what="the certificate of the first order")
    assert daemon.stop() == 0
    assert short_lived.requests("/order-plz") == 1
    assert short_lived.requests("/finalize-order") == 1


def test_a_daemon_that_was_killed_mid_order_resumes_it(setup, proxy, short_lived, xc):
    xc.start()
    daemon = setup(proxy)
    proxy.hold("/finalize-order/")
    daemon.start()
    proxy.wait_held()
    daemon.kill()
    proxy.drop()
    daemon.start()
    wait_until(lambda: xc.served(), what="the certificate of the first order")
    assert daemon.stop() == 0
    assert short_lived.requests("/order-plz") == 1


def test_a_command_hears_that_the_daemon_is_stopping(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    proxy.hold("/dir")
    daemon.start()
    proxy.wait_held()
    waiting = subprocess.Popen(daemon._argv(["renew", "xc"]), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, env=daemon._env())
    time.sleep(0.5)
    ended_within(daemon, 2)
    out, _ = waiting.communicate(timeout=10)
    assert waiting.returncode == FAILED, out
    assert "the daemon is stopping" in out


def test_a_second_daemon_names_the_first_one_and_leaves_it_alone(idle):
    second = subprocess.run(idle._argv(["run"]), capture_output=True, text=True, timeout=20,
                            env=idle._env())
    assert second.returncode == FAILED
    assert str(idle.state) in second.stderr
    assert f"process {idle.process.pid}" in second.stderr
    assert idle.ok("status", "--json").json["daemon"]["pid"] == idle.process.pid


# ---- systemd's protocol


@pytest.fixture
def manager(tmp_path):
    """What a service manager is told: its NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(10)
        yield listener


def told(manager, pattern):
    """Reads on until a datagram matches."""
    while True:
        text = manager.recv(4096).decode()
        if re.search(pattern, text, re.M):
            return text


def test_the_manager_hears_ready_alive_reloading_and_stopping(setup, short_lived, xc, manager):
    xc.start()
    daemon = setup(short_lived)
    env = {**daemon._env(), "NOTIFY_SOCKET": manager.getsockname(),
           "WATCHDOG_USEC": "300000000"}
    daemon.process = Background(daemon._argv(["run"]), daemon.log_path, env=env)
    assert "STATUS=" in told(manager, "^READY=1")
    assert re.search(r"^STATUS=1 certificate", told(manager, "^WATCHDOG=1"), re.M)
    daemon.reload()
    told(manager, "^RELOADING=1")
    told(manager, "^READY=1")
    daemon.process.process.send_signal(signal.SIGTERM)
    told(manager, "^STOPPING=1")
    assert daemon.stop() == 0


# ---- reload


@pytest.fixture
def two(daemon, make_xc, short_lived, webhook):
    """'one' is configured; 'two' can be added: two.add()."""
    apps = {name: make_xc(name) for name in ("one", "two")}
    for app in apps.values():
        app.start()

    def entry(name):
        return {"hosts": [f"{name}.example"], "issuers": ["pebble"],
                "key": {"type": "ec-p256"},
                "challenge": {"listen": f"127.0.0.1:{short_lived.http_port}"},
                "deploy": [apps[name].target()]}

    daemon.configure(
        issuers={"pebble": issuer_of(short_lived)}, certificates={"one": entry("one")},
        alerts={"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}})
    daemon.apps = apps
    daemon.entry = entry
    return daemon


def test_a_certificate_added_to_the_file_is_obtained_after_sighup(two):
    two.start()
    wait_until(lambda: two.apps["one"].served(), what="the first")
    assert two.apps["two"].served() is None
    two.config["certificates"]["two"] = two.entry("two")
    two.write()
    two.reload()
    wait_until(lambda: two.apps["two"].served(), what="the second")
    assert two.stop() == 0


def test_a_broken_file_is_refused_and_the_old_one_stays(two, webhook):
    two.start()
    wait_until(lambda: two.apps["one"].served(), what="the first")
    good = two.config_path.read_text()
    for ask in (two.reload, lambda: two("reload")):
        webhook.alerts.clear()
        two.config_path.write_text(good.replace("issuers: ", "isuers: ").replace(
            "certificates:", "certifcates:"))
        ask()
        alert = webhook.wait_for("config_rejected")
        assert re.search(r"certrenewd.yaml:\d+:\d+: .*certifcates.*certificates",
                         alert["what"]), alert
        assert "check-config" in alert["todo"]
        refused = two("reload")
        assert refused.code == USAGE and "certifcates" in refused.err
        assert "the daemon refuses it too" in refused.err
        two.config_path.write_text(good)
        assert two.ok("reload").text.strip() == "configuration read again"
        webhook.wait_for("recovered")
    two.config_path.write_text("certificates: [\n")  # no word is left of where it is
    refused = two("reload")
    assert refused.code == USAGE and "the daemon" not in refused.err
    two.config_path.write_text(good)
    assert two("renew", "one").code == NOTHING
    assert two.stop() == 0


@pytest.mark.parametrize("broken", ["isuers: {}\n", "issuers: [\n"], ids=["words", "no yaml"])
def test_the_daemon_answers_for_a_file_that_was_broken_meanwhile(idle, broken):
    good = idle.config_path.read_text()
    well = idle.ok("status", "--json").json
    idle.config_path.write_text(broken + f"state_dir: {idle.state}\n")
    status = idle.ok("status", "--json")
    assert status.json["daemon"] == well["daemon"]
    assert re.search(r"certrenewd.yaml:\d+:\d+: ", status.err)
    assert "warning: " in status.err and "the configuration that it has read before" in status.err
    explained = idle.ok("explain", "xc")
    assert "pebble" in explained.out and "has read before" in explained.err
    assert idle("renew", "xc").code == USAGE
    unknown = idle("status", "nobody")
    assert unknown.code == USAGE and "'nobody'" in unknown.err
    ours, other = idle.config_path, idle.config_path.with_name("other.yaml")
    other.write_text(ours.read_text())
    idle.config_path = other
    for command in ("status", "explain"):
        refused = idle(command, "xc")
        assert refused.code == USAGE and refused.out == ""
        assert f"is one of '{ours}'" in refused.err
    idle.config_path = ours
    idle.config_path.write_text(good)
    assert idle.stop() == 0
    idle.config_path.write_text(broken + f"state_dir: {idle.state}\n")
    assert idle("status").code == USAGE


def test_a_certificate_taken_out_of_the_file_is_said_aloud(two, webhook):
    two.config["certificates"]["two"] = two.entry("two")
    two.write()
    two.start()
    wait_until(lambda: two.apps["two"].served() and two.apps["one"].served(), what="both")
    del two.config["certificates"]["two"]
    two.write()
    two.reload()
    alert = webhook.wait_for("managed_set_shrank")
    assert "'two'" in alert["what"] and "put it back" in alert["todo"]
    assert two.apps["two"].served() is not None
    assert two("renew", "two").code == USAGE
    assert two.stop() == 0


def test_the_state_directory_cannot_move_under_a_running_daemon(two, webhook):
    two.start()
    wait_until(lambda: two.apps["one"].served(), what="the first")
    two.config["state_dir"] = str(two.folder / "elsewhere")
    two.write()
    two.reload()
    assert "restart it" in webhook.wait_for("config_rejected")["what"]
    assert not (two.folder / "elsewhere").exists()
    assert two.stop() == 0


def test_two_certificates_that_are_due_are_renewed_at_the_same_time(two, make_proxy,
                                                                    short_lived):
    proxy = make_proxy(short_lived)
    two.config["issuers"]["pebble"] = issuer_of(proxy)
    two.config["certificates"]["two"] = two.entry("two")
    two.write()
    proxy.hold("/sign-me-up")  # the same new account, too
    two.start()
    wait_until(lambda: proxy.count("/sign-me-up") == 2, what="two workers at the CA")
    proxy.hold_on("/order-plz")
    wait_until(lambda: proxy.count("/order-plz") == 2, what="two orders before one answer")
    proxy.release()
    wait_until(lambda: two.apps["one"].served() and two.apps["two"].served(), what="both")
    assert two.stop() == 0


# ---- the control channel


def test_a_command_follows_the_daemons_work_line_by_line(idle):
    result = idle.ok("renew", "xc", "--force")
    assert result.text.index("order") < result.text.index("verified")
    lines = [json.loads(line) for line in
             idle.ok("renew", "xc", "--force", "--json").out.splitlines()]
    assert all(line["certificate"] == "xc" for line in lines)
    assert {"decide", "order"} <= {line.get("step") for line in lines}
    assert lines[-1]["exit"] == DONE
    assert idle.stop() == 0


@pytest.fixture
def as_nobody(daemon):
    """Runs a command of certrenewd as an account that owns nothing; the way to the
    configuration is open to it, what the configuration guards is not."""
    opened = []
    for path in (daemon.config_path.parent, *daemon.config_path.parents):
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & 0o001 and path != path.parent:
            opened.append((path, mode))
            path.chmod(mode | 0o011)

    def run(*words):
        daemon.config_path.chmod(0o644)
        plain = subprocess.run(["cat", daemon.state / "lock"], capture_output=True,
                               user=NOBODY, group=NOBODY)
        assert plain.returncode, "this account can read the state directory anyway"
        return subprocess.run(daemon._argv(words), capture_output=True, text=True,
                              user=NOBODY, group=NOBODY, extra_groups=[], timeout=30,
                              env=daemon._env())

    yield run
    for path, mode in opened:
        path.chmod(mode)


def test_another_account_is_not_listened_to_and_may_not_work_by_itself(idle, xc, as_nobody):
    assert stat.S_IMODE((idle.state / "control.sock").stat().st_mode) == 0o600
    assert stat.S_IMODE(idle.state.stat().st_mode) == 0o700
    before = xc.served().thumbprint
    for words in (["status"], ["renew", "xc", "--force"], ["explain", "xc"], ["reload"]):
        result = as_nobody(*words)
        assert result.returncode == DENIED, result
        assert "may not speak to the daemon" in result.stderr
    assert idle.stop() == 0
    result = as_nobody("renew", "xc", "--force")
    assert result.returncode == DENIED, result
    assert str(idle.state) in result.stderr
    assert xc.served().thumbprint == before


def talk(daemon, *pieces, pause=0.0, timeout=8):
    """Sends bytes to the control socket; gives what comes back until it hangs up."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout)
        client.connect(str(daemon.state / "control.sock"))
        answer = b""
        try:
            for piece in pieces:
                client.sendall(piece)
                time.sleep(pause)
            while True:
                got = client.recv(65536)
                if not got:
                    break
                answer += got
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer


def test_nonsense_on_the_channel_harms_nothing(idle, xc):
    for nonsense in (b"\n", b"GET / HTTP/1.1\r\n\r\n", b"\x00\xff\xfe\n", b"{}\n", b"[]\n",
                     b'{"command": 5}\n', b'{"command": "renew"}\n', b'"x"\n',
                     b'{"command": "renew", "name": {"a": 1}}\n',
                     b'{"command": "explain"}\n', b'{"command": "status", "name": "nix"}\n',
                     b'{"command": "nix"}\n', b"[" * 5000 + b"\n",
                     b'{"command": "rollback", "name": "xc", "target": 7'):
        answer = talk(idle, nonsense, b"\n")
        assert answer == b"" or json.loads(answer.splitlines()[-1])["exit"] == USAGE, (
            nonsense[:60], answer)
    assert talk(idle, b"x" * 70000) == b""
    assert idle.ok("status").code == DONE
    assert xc.served() is not None
    assert idle.stop() == 0


def test_a_client_that_sends_nothing_is_hung_up_on_and_many_do_not_lock_others_out(idle):
    slow = [socket.socket(socket.AF_UNIX) for _ in range(12)]
    for client in slow:
        client.connect(str(idle.state / "control.sock"))
        client.sendall(b'{"comm')
    assert idle.ok("status").code == DONE
    begun = time.monotonic()
    for client in slow:
        client.settimeout(8)
        assert client.recv(10) == b""
        client.close()
    assert time.monotonic() - begun < 7
    ended_within(idle, 2)


def begun(daemon, *words):
    return subprocess.Popen(daemon._argv(words), stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.PIPE, env=daemon._env())


def test_a_daemon_that_hangs_keeps_nobody_waiting_and_does_nothing_later(idle, xc):
    idle.process.process.send_signal(signal.SIGSTOP)
    before, thumbprint = len(idle.log()), xc.served().thumbprint
    asked = [begun(idle, *words) for words in (
        ["status"], ["status", "xc", "--json"], ["explain", "xc"],
        ["renew", "xc", "--force"], ["reload"],
        *[["renew", "xc", "--force"]] * 8)]  # more than may wait for it
    answers = [client.communicate(timeout=15) for client in asked]
    who = rf"process {idle.process.pid} does not answer \(.*\), its last sign of life was at 20"
    assert all(re.search(who, err) for _, err in answers), answers
    assert {client.returncode for client in asked[:3]} == {DONE}
    assert {client.returncode for client in asked[3:]} == {FAILED}
    assert "nothing came back within 5 s" in answers[3][1]
    assert any("too many commands wait for it" in err for _, err in answers)
    assert all("nothing was begun for this command" in err for _, err in answers[3:])
    assert "this is what is on the disk" in answers[0][1]
    assert re.match(rf"no answer from a daemon: {who}", answers[0][0]), answers[0]
    assert json.loads(answers[1][0])["daemon"]["answers"] is False
    assert json.loads(answers[1][0])["certificates"][0]["sha1"].upper() == thumbprint.upper()
    assert "thumbprint" in answers[2][0]
    idle.process.process.send_signal(signal.SIGCONT)
    wait_until(lambda: at_rest(idle), what="the daemon after its sleep")
    assert idle.stop() == 0
    assert "order" not in idle.log()[before:], idle.log()[before:]
    assert xc.served().thumbprint == thumbprint


def test_status_looks_while_a_command_holds_the_state_directory(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    proxy.hold("/order-plz")
    renewing = begun(daemon, "renew", "xc")
    proxy.wait_held()
    told = daemon.ok("status", "xc")
    assert f"is held by process {renewing.pid}" in told.err
    assert "this is what is on the disk" in told.err
    assert "no answer from a daemon: state directory" in told.out
    proxy.release()
    assert renewing.communicate(timeout=30) and renewing.returncode == DONE


def test_a_client_that_goes_away_mid_order_stops_nothing(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    proxy.hold("/order-plz")
    daemon.start()
    proxy.wait_held()
    client = subprocess.Popen(daemon._argv(["renew", "xc"]), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=daemon._env())
    time.sleep(0.3)
    client.kill()
    client.wait()
    proxy.release()
    wait_until(lambda: xc.served(), what="the certificate")
    assert daemon.stop() == 0


# ---- commands and what they answer


def test_status_as_json_says_everything_that_status_knows(idle, xc):
    status = idle.ok("status", "--json").json
    assert status["daemon"]["pid"] == idle.process.pid
    assert status["clock"]["confirmed"] is True
    assert status["alerts_pending"] == 0
    certificate, = status["certificates"]
    assert certificate["sha1"] == xc.served().thumbprint
    assert certificate["due_rule"] == "not due"
    assert certificate["renewal"] == {"failures": 0}
    assert certificate["targets"][0]["mode"] == "https"
    assert idle.stop() == 0
    alone = idle.ok("status", "--json").json
    assert alone["daemon"] is None
    assert alone["certificates"][0]["sha1"] == certificate["sha1"]


def test_explain_names_every_rule_with_its_date(idle):
    text = idle.ok("explain", "xc").out
    assert idle.stop() == 0
    assert idle.ok("explain", "xc").out.splitlines()[0] == text.splitlines()[0]
    for rule in ("thumbprint", "expires", "age (renew.at)", "CA's advice (ARI)",
                 "verdict: not due", "circuit breaker", "target xtract-core", "clock"):
        assert rule in text, text
    assert re.search(r"expires +\d{4}-\d\d-\d\d \d\d:\d\d UTC", text)


def test_account_show_says_what_the_ca_says(idle, daemon):
    shown = idle.ok("account", "show", "pebble", "--json").json
    assert shown["issuer"] == "pebble" and shown["status"] == "valid"
    assert shown["url"].startswith("https://127.0.0.1")
    assert "status     valid" in idle.ok("account", "show").out
    unknown = idle("account", "show", "nix")
    assert unknown.code == USAGE and "'nix'" in unknown.err
    assert idle.stop() == 0


def test_account_show_makes_no_account(setup, short_lived):
    daemon = setup(short_lived)
    result = daemon("account", "show")
    assert result.code == NOTHING, result
    assert "the first order makes one" in result.err
    assert short_lived.requests("/sign-me-up") == 0
    assert not daemon.state.exists() or not list(daemon.state.rglob("key.pem"))


def test_each_exit_code_means_what_help_says(idle, short_lived):
    assert idle.ok("renew", "xc", "--force").code == DONE
    assert idle("renew", "xc").code == NOTHING
    short_lived.stop()
    assert idle("renew", "xc", "--force").code == FAILED
    assert idle("renew", "xc", "nix").code == USAGE
    assert idle.stop() == 0
    assert idle("reload").code == NO_DAEMON
    assert "no daemon listens" in idle("reload").err


MISTAKES = [
    (["renew", "nix"], "there is no certificate 'nix'"),
    (["deploy", "xc", "nix"], "certificate 'xc' has no target 'nix'"),
    (["rollback", "xc", "nix"], "certificate 'xc' has no target 'nix'"),
    (["status", "nix"], "there is no certificate 'nix'"),
    (["explain", "nix"], "there is no certificate 'nix'"),
    (["fallback", "xc", "maybe"], "fallback NAME on|off, not 'maybe'"),
    (["account", "delete"],
     "account show|register|update|rotate-key|deactivate [ISSUER], not 'delete'"),
    (["frobnicate"], "unknown command: frobnicate"),
    (["renew"], "usage: certrenewd renew NAME"),
    (["status", "a", "b"], "usage: certrenewd status"),
    (["renew", "--frob", "xc"], "--frob"),
]


def test_a_mistake_of_usage_says_which_one(idle):
    for running in (True, False):
        for words, sentence in MISTAKES:
            result = idle(*words)
            assert (result.code, sentence in result.err) == (USAGE, True), result
        assert not running or idle.stop() == 0


def test_log_lines_are_json_with_certificate_and_run_where_the_operator_wants_it(
        setup, short_lived, xc):
    xc.start()
    daemon = setup(short_lived)
    daemon.config["log"] = {"format": "json"}
    daemon.write()
    daemon.start()
    wait_until(lambda: xc.served(), what="the certificate")
    daemon.wait_log("renewed")
    assert daemon.stop() == 0
    lines = [json.loads(line) for line in daemon.log().splitlines()]
    assert {"time", "level", "message"} <= set.intersection(*(set(l) for l in lines))
    of_pass = [line for line in lines if line.get("cert")]
    assert {line["cert"] for line in of_pass} == {"xc"}
    assert len({line["run"] for line in of_pass if "order" in line["message"]}) == 1
