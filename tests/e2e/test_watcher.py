"""`certrenewd watch`: tells by itself that the daemon is dead or stuck, or that what is
served is not what the daemon says. Hours pass in a time namespace, where each of Linux's
clocks can be set forward by itself: all of them (time went by), or only the one that goes
on in suspend (the machine slept)."""

import json
import os
import signal
import subprocess

import pytest

from lib.served_files import ServedFiles
from lib.waiting import wait_until

WELL, TROUBLE, REFUSED = 0, 1, 2


@pytest.fixture
def kept(daemon, make_pebble, webhook, tmp_path):
    """A daemon with one certificate in service, at rest."""
    from conftest import issuer_of

    pebble = make_pebble()
    server = ServedFiles(tmp_path / "served")
    daemon.server = server
    daemon.configure(
        issuers={"pebble": issuer_of(pebble)},
        certificates={"a": {
            "hosts": ["a.example"], "issuers": ["pebble"], "key": {"type": "ec-p256"},
            "challenge": {"type": "http-01", "listen": f"127.0.0.1:{pebble.http_port}"},
            "deploy": [{"name": "files", **server.target("a.example")}]}},
        alerts={"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}})
    daemon.start()
    webhook.wait_for("renewed")
    wait_until(lambda: claims(daemon), what="the heartbeat after the renewal")
    yield daemon
    server.close()


def heartbeat(daemon):
    return json.loads((daemon.state / "heartbeat.json").read_text())


def claims(daemon):
    """What the daemon says that it serves, once no pass is at work."""
    one = heartbeat(daemon)["certificates"][0]
    target = (one["targets"] or [{}])[0]
    return None if one["busy_awake_ms"] else target.get("serves")


def held_at_rest(daemon):
    """Holds it, unless its last word is that a pass is at work. Held, it heals nothing."""
    os.kill(daemon.process.pid, signal.SIGSTOP)
    if claims(daemon):
        return True
    os.kill(daemon.process.pid, signal.SIGCONT)
    return False


def watch(daemon, *words, awake=0, asleep=0):
    """(exit code, the JSON) of `watch`, so many seconds later."""
    argv = ["unshare", "-T", f"--monotonic={awake}", f"--boottime={awake + asleep}",
            "--fork", *daemon._argv(["watch", "--json", *words])]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120,
                          env=daemon._env({"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}))
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def events(answer):
    return [finding["event"] for finding in answer["findings"]]


def test_all_is_well_and_nobody_is_told(kept, webhook):
    heard = len(webhook.alerts)
    result = kept.ok("watch")
    assert f"process {kept.process.pid}" in result.out
    assert "1 endpoint serves what it should" in result.out
    before = heartbeat(kept)["beat_at"]
    code, answer = watch(kept)
    assert before <= answer.pop("beat_at") <= heartbeat(kept)["beat_at"], "it goes on beating"
    assert (code, answer) == (WELL, {"well": True, "endpoints": 1, "findings": []})
    assert len(webhook.alerts) == heard


def test_a_dead_daemon_is_told_once_and_recovered_once(kept, webhook):
    kept.kill()
    assert watch(kept)[0] == WELL, "it may be restarting"
    for _ in range(2):
        code, answer = watch(kept, awake=300)
        assert (code, events(answer)) == (TROUBLE, ["daemon_dead"])
    assert "is gone" in answer["findings"][0]["what"]
    told = webhook.of("daemon_dead")
    assert len(told) == 1
    assert told[0]["severity"] == "critical"
    recovered = len(webhook.of("recovered"))
    kept.start()
    wait_until(lambda: heartbeat(kept)["pid"] == kept.process.pid, what="a new heartbeat")
    wait_until(lambda: claims(kept), what="its first pass")
    for _ in range(2):
        assert watch(kept)[0] == WELL
    assert len(webhook.of("recovered")) == recovered + 1
    assert "seen by `certrenewd watch`" in webhook.of("recovered")[-1]["what"]


def test_a_daemon_that_was_stopped_in_order_is_told_as_that(kept):
    assert kept.stop() == 0
    assert watch(kept)[0] == WELL
    code, answer = watch(kept, awake=300)
    assert (code, events(answer)) == (TROUBLE, ["daemon_dead"])
    assert "was stopped at" in answer["findings"][0]["what"]


def test_a_daemon_that_hangs_is_stuck(kept, webhook):
    os.kill(kept.process.pid, signal.SIGSTOP)
    try:
        assert watch(kept, awake=300)[0] == WELL
        code, answer = watch(kept, awake=3600)
    finally:
        os.kill(kept.process.pid, signal.SIGCONT)
    assert (code, events(answer)) == (TROUBLE, ["daemon_stuck"])
    assert f"process {kept.process.pid} is there" in answer["findings"][0]["what"]
    assert len(webhook.of("daemon_stuck")) == 1


def test_a_machine_that_slept_has_no_dead_daemon(kept, webhook):
    heard = len(webhook.alerts)
    os.kill(kept.process.pid, signal.SIGSTOP)  # it has not woken up yet
    try:
        assert watch(kept, asleep=9 * 3600) == (
            WELL, {"well": True, "beat_at": heartbeat(kept)["beat_at"], "endpoints": 1,
                   "findings": []})
    finally:
        os.kill(kept.process.pid, signal.SIGCONT)
    assert len(webhook.alerts) == heard


def test_another_certificate_than_the_daemon_says_is_told(kept, authority, webhook):
    leaf = authority.issue("a.example")
    folder = kept.server.folder / "a.example"
    served = folder.resolve()
    (kept.folder / "other").mkdir()
    (kept.folder / "other/key.pem").write_text(leaf.key_pem)
    (kept.folder / "other/fullchain.pem").write_text(leaf.fullchain_pem)
    link = os.readlink(folder)
    wait_until(lambda: held_at_rest(kept), what="a moment without a pass")
    try:
        folder.unlink()
        folder.symlink_to(kept.folder / "other")
        code, answer = watch(kept)
        folder.unlink()
        folder.symlink_to(link)
        recovered = len(webhook.of("recovered"))
        assert watch(kept)[0] == WELL
    finally:
        os.kill(kept.process.pid, signal.SIGCONT)
    assert (code, events(answer)) == (TROUBLE, ["served_wrong"])
    found = answer["findings"][0]
    assert (found["certificate"], found["target"]) == ("a", "files")
    assert f"serves {leaf.thumbprint}, not {served.name}" in found["what"]
    assert len(webhook.of("served_wrong")) == 1
    assert len(webhook.of("recovered")) == recovered + 1


def test_an_endpoint_that_is_silent_is_told(kept, webhook):
    kept.server.close()
    code, answer = watch(kept)
    assert (code, events(answer)) == (TROUBLE, ["silent"])
    assert "does not answer" in answer["findings"][0]["what"]
    assert webhook.of("silent")[0]["target"] == "files"


def test_an_expired_certificate_is_told_although_the_daemon_is_dead(kept, authority):
    kept.kill()
    leaf = authority.issue("a.example", days=-1, age_days=30)
    folder = kept.server.folder / "a.example"
    (folder / "key.pem").write_text(leaf.key_pem)
    (folder / "fullchain.pem").write_text(leaf.fullchain_pem)
    code, answer = watch(kept, awake=600)
    assert code == TROUBLE
    assert events(answer) == ["daemon_dead", "served_wrong"]
    assert "expired at" in answer["findings"][1]["what"]


def test_it_asks_for_no_lock_and_no_ca_and_writes_only_its_own_memory(kept, make_pebble):
    before = {path: path.stat().st_mtime_ns for path in kept.state.rglob("*")
              if path.is_file() and path.name != "heartbeat.json"}
    watch(kept)
    after = {path: path.stat().st_mtime_ns for path in kept.state.rglob("*")
             if path.is_file() and path.name != "heartbeat.json"}
    new = {path.relative_to(kept.state).parts[0] for path in after.keys() - before.keys()}
    assert new == {"watcher"}
    assert {path: after[path] for path in before} == before
    assert (kept.state / "watcher").stat().st_mode & 0o777 == 0o700
    assert (kept.state / "heartbeat.json").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_delivered_is_kept_for_the_next_watch(kept, webhook):
    kept.kill()
    webhook.answers = [500]
    result = subprocess.run(
        ["unshare", "-T", "--monotonic=300", "--boottime=300", "--fork",
         *kept._argv(["watch"])], capture_output=True, text=True, timeout=60,
        env=kept._env({"ASAN_OPTIONS": "detect_leaks=0"}))
    assert result.returncode == TROUBLE
    assert "1 alert was not delivered: kept, and tried again by the next watch" in \
        result.stderr
    assert webhook.of("daemon_dead") == []
    assert watch(kept, awake=300)[0] == TROUBLE
    assert len(webhook.of("daemon_dead")) == 1


def later(daemon, *words, env=None):
    """(exit code, standard error) of `watch`, five minutes later."""
    done = subprocess.run(
        ["unshare", "-T", "--monotonic=300", "--boottime=300", "--fork",
         *daemon._argv(["watch", *words])], capture_output=True, text=True, timeout=60,
        env=daemon._env({"ASAN_OPTIONS": "detect_leaks=0:exitcode=99", **(env or {})}))
    return done.returncode, done.stderr


@pytest.fixture
def mounted():
    """Mounts, by the words of mount(8); undone at the end."""
    places = []

    def mount(*words):
        subprocess.run(["mount", *map(str, words)], check=True)
        places.append(words[-1])

    yield mount
    for place in reversed(places):
        subprocess.run(["umount", "-l", place], check=True)


def assert_told_but_forgotten(daemon, webhook, why):
    for told in (1, 2):
        code, complaint = later(daemon)
        assert code == TROUBLE
        assert why in complaint
        assert "what was told now may be told again by the next watch" in complaint
        assert len(webhook.of("daemon_dead")) == told, complaint


def test_a_full_disk_forgets_what_is_told_but_it_is_told(kept, webhook, mounted):
    kept.kill()
    memory = kept.state / "watcher"
    memory.mkdir(mode=0o700)
    mounted("-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", memory)
    with pytest.raises(OSError), open(memory / "ballast", "wb", buffering=0) as out:
        while True:
            out.write(b"x" * 4096)
    assert_told_but_forgotten(kept, webhook, "No space left on device")
    (memory / "ballast").unlink()
    assert later(kept) == (TROUBLE, "")
    assert later(kept) == (TROUBLE, "")
    assert len(webhook.of("daemon_dead")) == 3
    subprocess.run(["mount", "-o", "remount,ro", memory], check=True)
    code, complaint = later(kept)
    assert code == TROUBLE
    assert "Read-only file system" in complaint
    assert len(webhook.of("daemon_dead")) == 3, "what was remembered can still be read"


def test_a_state_directory_that_is_read_only_keeps_nobody_from_telling(kept, webhook,
                                                                       mounted):
    kept.kill()
    mounted("--bind", kept.state, kept.state)
    subprocess.run(["mount", "-o", "remount,bind,ro", kept.state], check=True)
    assert_told_but_forgotten(kept, webhook, "Read-only file system")
    assert not (kept.state / "watcher").exists()


def test_an_error_of_the_disk_at_the_state_directory_keeps_nobody_from_telling(kept, webhook):
    kept.kill()
    argv = ["unshare", "-T", "--monotonic=300", "--boottime=300", "--fork",
            "strace", "-f", "-qq", "-o", "/dev/null", "-P", str(kept.state),
            "-e", "inject=%file:error=EIO", *kept._argv(["watch"])]
    for told in (1, 2):
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60,
                              env=kept._env({"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}))
        assert done.returncode == TROUBLE, done
        assert f"look at state directory '{kept.state}': Input/output error" in done.stderr
        assert "what was told now may be told again by the next watch" in done.stderr
        assert len(webhook.of("daemon_dead")) == told
    assert not (kept.state / "watcher").exists()


def test_a_secret_that_it_lacks_costs_only_the_channel_that_needs_it(kept, webhook):
    kept.kill()
    kept.config["issuers"]["pebble"]["eab"] = {
        "key_id": "4711", "hmac_key": {"credential": "eab"}}
    kept.config["alerts"]["closed"] = {
        "type": "webhook", "url": webhook.url, "authorization": {"env": "CLOSED_TOKEN"}}
    kept.write()
    code, complaint = later(kept)
    assert code == TROUBLE
    assert "to channel 'closed': its 'authorization', environment variable " \
        "'CLOSED_TOKEN', cannot be read" in complaint
    assert "1 alert was not delivered: kept" in complaint
    assert len(webhook.of("daemon_dead")) == 1
    assert "Authorization" not in webhook.requests[-1][0]
    assert later(kept, env={"CLOSED_TOKEN": "Bearer of news"}) == (TROUBLE, "")
    assert len(webhook.of("daemon_dead")) == 2
    assert webhook.requests[-1][0]["Authorization"] == "Bearer of news"


def test_a_refused_configuration_is_told_through_the_one_before(kept, webhook):
    assert watch(kept)[0] == WELL
    text = kept.config_path.read_text()
    copy, = (kept.state / "watcher").glob("config-*.yaml")
    assert copy.read_text() == text
    assert copy.stat().st_mode & 0o777 == 0o600
    broken = text.replace("issuers:", "isuers:", 1)
    kept.config_path.write_text(broken)
    code, answer = watch(kept)
    assert (code, events(answer)) == (REFUSED, []), "a daemon lives: it may be an edit"
    kept.kill()
    for _ in range(2):
        code, answer = watch(kept, awake=300)
        assert (code, events(answer)) == (REFUSED, ["daemon_dead", "config_rejected"])
    assert len(webhook.of("daemon_dead")) == 1
    told, = webhook.of("config_rejected")
    assert f"is refused, and no daemon starts with it: {kept.config_path}:" in told["what"]
    assert "isuers" in told["what"]
    kept.config_path.write_text("alerts: [\n" + text)
    code, complaint = later(kept)
    assert code == REFUSED
    assert f"{kept.config_path}:" in complaint
    assert copy.read_text() == text, "only what is accepted is kept"
    kept.config_path.write_text(text)
    recovered = len(webhook.of("recovered"))
    kept.start()
    wait_until(lambda: heartbeat(kept)["pid"] == kept.process.pid and claims(kept),
               what="its first pass")
    assert watch(kept)[0] == WELL
    assert len(webhook.of("recovered")) == recovered + 1


def test_a_refused_configuration_without_one_before_is_an_error(kept, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(f"state_dir: '{kept.state}' # no more\n")
    assert watch(kept)[0] == WELL
    kept.config_path = other
    code, complaint = later(kept)
    assert code == REFUSED
    assert f"{other}:1:1: " in complaint
    assert "nobody is told: no earlier configuration that could be used is kept in " \
        f"'{kept.state}/watcher'" in complaint
    other.chmod(0o666)  # whoever wrote it may not choose whose configuration we take
    assert "is kept in '/var/lib/certrenewd/watcher'" in later(kept)[1]


def test_a_dry_run_tells_nobody(kept, webhook):
    kept.kill()
    assert watch(kept, "--dry-run", awake=300)[0] == TROUBLE
    assert webhook.of("daemon_dead") == []
    assert not (kept.state / "watcher").exists()
