"""Who hears of what, how often, and that nothing is lost on the way."""

import json
import re
import socket

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lib.ca_proxy import make_proxy, problem, proxy, short_lived  # noqa: F401
from lib.waiting import wait_until

DONE, FAILED, NOTHING = 0, 1, 3
EC = {"type": "ec-p256"}
TOKEN = "Bearer 4f1d-very-secret-9c2e"


@pytest.fixture
def first(setup, proxy, xc, webhook):
    """The application serves the first certificate, and that is due because its type of
    key was changed; nobody runs, nothing is told yet."""
    xc.start()
    daemon = setup(proxy, webhook, key=EC)
    daemon.ok("renew", "xc")
    daemon.config["certificates"]["xc"]["key"] = {"type": "ec-p384"}
    daemon.write()
    webhook.alerts.clear()
    webhook.requests.clear()
    return daemon


def ca_refuses(proxy, words="not today"):
    proxy.rules["/order-plz"] = problem(403, "unauthorized", words)


def pending(daemon):
    return daemon.ok("status", "--json").json["alerts_pending"]


def test_an_alert_says_what_happened_what_remains_and_what_to_do(first, proxy, webhook):
    ca_refuses(proxy, "not today, said the CA")
    assert first("renew", "xc", "--force").code == FAILED
    alert = webhook.wait_for("failed")
    assert alert["severity"] == "warning" and alert["certificate"] == "xc"
    assert "not today, said the CA" in alert["what"]
    assert re.search(r"next try \d{4}-\d\d-\d\d \d\d:\d\d UTC", alert["what"])
    assert re.search(r"^\d+ min( \d+ s)? left$", alert["remaining"]), alert
    assert alert["todo"] and alert["todo"] in alert["text"]
    assert alert["not_after"].endswith("Z") and alert["host"] and alert["run"]


def test_an_alert_waits_on_disk_until_the_webhook_is_back(first, proxy, webhook):
    webhook.answers = [500] * 3
    ca_refuses(proxy)
    result = first("renew", "xc", "--force")
    assert result.code == FAILED
    assert re.search(r"alert '.*' \(failed\) to channel 'ops': .*500.*tried again in",
                     result.err), result
    assert webhook.alerts == []
    refused = json.loads(webhook.requests[0][1])
    assert pending(first) >= 1
    webhook.answers = []
    first.start()
    alert = webhook.wait_for("failed", 10)
    assert alert["id"] == refused["id"] and alert["what"] == refused["what"]
    wait_until(lambda: pending(first) == 0, what="an empty queue")
    assert first.stop() == 0
    assert len(webhook.of("failed")) == 1


def test_a_daemon_that_was_killed_before_it_told_tells_it_next_time(first, proxy, webhook):
    webhook.answers = [503] * 20
    ca_refuses(proxy)
    first.start()
    assert first("renew", "xc", "--force").code == FAILED
    wait_until(lambda: webhook.requests, what="the first attempt")
    refused = json.loads(webhook.requests[0][1])
    first.kill()
    webhook.answers = []
    first.start()
    assert webhook.wait_for("failed", 10)["id"] == refused["id"]
    assert first.stop() == 0


@pytest.fixture
def dies(first, make_proxy, short_lived):
    """dies(): the daemon is killed when all targets have come to their end, and before it
    has told anybody: while it asks a second CA for an account. Then it starts again."""
    second = make_proxy(short_lived)
    first.config["issuers"]["spare"] = {
        "directory": second.directory, "ca_bundle": str(second.ca_bundle),
        "agree_to_terms": True}
    first.config["certificates"]["xc"]["issuers"] = ["pebble", "spare"]
    first.write()

    def kill():
        second.hold("/dir")
        first.start()
        second.wait_held()
        first.kill()
        second.drop()
        first.start()
        first.wait_log("was not told yet")

    return kill


def events(webhook):
    return [alert["event"] for alert in webhook.alerts]


def ended(daemon, webhook):
    wait_until(lambda: pending(daemon) == 0, what="an empty queue")
    assert daemon("renew", "xc").code in (NOTHING, DONE)
    assert daemon.stop() == 0
    return events(webhook)


def test_a_renewal_is_told_once_when_a_kill_came_before_the_telling(first, dies, xc, webhook):
    old = xc.served().thumbprint
    dies()
    told = webhook.wait_for("renewed", 20)
    assert xc.serves_another(old) and xc.served().thumbprint in told["what"]
    assert ended(first, webhook) == ["renewed"]
    first.start()
    assert first("renew", "xc").code == NOTHING
    assert first.stop() == 0
    assert events(webhook) == ["renewed"]


def test_a_rollback_is_told_once_when_a_kill_came_before_the_telling(
        first, dies, xc, webhook):
    old = xc.served().thumbprint
    xc.misbehave(refuse="no licence", except_=old)
    dies()
    told = webhook.wait_for("failed", 20)
    assert told["target"] == "xtract-core" and "no licence" in told["what"]
    assert xc.served().thumbprint == old
    xc.misbehave()
    first.ok("deploy", "xc")
    told = ended(first, webhook)
    assert told.count("failed") == told.count("renewed") == told.count("recovered") == 1


def test_the_return_to_https_is_told_once_when_a_kill_came_before_the_telling(
        first, dies, xc, webhook):
    first.ok("fallback", "xc", "on")
    webhook.wait_for("fallback")
    dies()
    webhook.wait_for("recovered", 20)
    assert xc.served() is not None
    assert sorted(ended(first, webhook)) == ["fallback", "recovered", "renewed"]


def test_alerts_come_in_the_order_in_which_things_happened(first, proxy, webhook):
    webhook.answers = [500] * 1
    ca_refuses(proxy)
    assert first("renew", "xc", "--force").code == FAILED
    proxy.rules.clear()
    first.ok("renew", "xc", "--force")
    first.start()
    webhook.wait_for("recovered", 10)
    assert first.stop() == 0
    events = [alert["event"] for alert in webhook.alerts]
    assert events.index("failed") < events.index("recovered")
    assert events.count("recovered") == 1


def test_the_same_trouble_is_told_once_and_counted(first, proxy, webhook):
    ca_refuses(proxy)
    first.start()
    for _ in range(4):
        assert first("renew", "xc", "--force").code == FAILED
    webhook.wait_for("failed")
    proxy.rules.clear()
    first.ok("renew", "xc", "--force")
    recovered = webhook.wait_for("recovered")
    assert len(webhook.of("failed")) == 1
    assert recovered["withheld"] >= 3
    assert "Repeated " in recovered["text"]
    first.ok("renew", "xc", "--force")
    webhook.wait_for("renewed")
    assert first.stop() == 0
    assert len(webhook.of("recovered")) == 1


def test_what_is_due_has_not_recovered_because_its_failure_was_forgotten(
        first, proxy, webhook):
    ca_refuses(proxy)
    path = first.state / "certificates/xc/job.json"
    before = json.loads(path.read_text())
    assert first("renew", "xc").code == FAILED
    del before["inspected_files_at"]  # and it is time to look
    path.write_text(json.dumps(before))
    assert first("renew", "xc").code == FAILED
    first.start()
    webhook.wait_for("failed")
    assert first.stop() == 0
    assert len(webhook.of("failed")) == 1
    assert webhook.of("recovered") == []


def new_target(daemon, xc, tmp_path):
    """A second one, which serves what the first does as soon as it has its files."""
    files = {what: str(tmp_path / f"fixed-{what}.pem") for what in ("key", "fullchain")}
    daemon.config["certificates"]["xc"]["deploy"].append({
        "name": "fixed", "store": {"type": "files", "files": files},
        "service": {"command": ["/bin/true"]}, "retire": {"after": "0s"},
        "verify": [{"connect": f"127.0.0.1:{xc.secure_port}"}]})
    daemon.write()


def test_a_new_target_is_no_recovery_from_a_renewal_that_failed(first, proxy, webhook, xc,
                                                                tmp_path):
    ca_refuses(proxy)
    new_target(first, xc, tmp_path)
    assert first("renew", "xc").code == FAILED  # the new target has what is at hand
    again = first("renew", "xc")
    assert again.code == NOTHING
    assert "is due (its key type is not the configured one), but the last try failed" in (
        again.text)
    first.start()
    webhook.wait_for("failed")
    assert first.stop() == 0
    assert len(webhook.of("failed")) == 1
    assert webhook.of("recovered") == webhook.of("renewed") == []


def test_a_certificate_that_a_new_target_got_is_not_told_as_a_new_one(
        first, proxy, webhook, xc, tmp_path):
    path = first.state / "certificates/xc/job.json"
    job = json.loads(path.read_text())
    assert job.pop("told_sha1") == xc.served().thumbprint
    path.write_text(json.dumps(job))  # as a version before wrote it
    ca_refuses(proxy)
    assert first("renew", "xc").code == FAILED
    new_target(first, xc, tmp_path)
    first.ok("deploy", "xc")
    assert (tmp_path / "fixed-key.pem").exists()
    proxy.rules.clear()
    first.ok("renew", "xc", "--force")
    told = [alert["event"] for alert in webhook.alerts]
    assert [event for event in told if event != "expiring"] == [
        "failed", "renewed", "recovered"]


def failed_for_weeks(daemon, number):
    """To renew version `number`; the back-off has grown to a day."""
    path = daemon.state / "certificates/xc/job.json"
    job = json.loads(path.read_text())
    job["version"] = number
    job["renewal"].update(count=40)
    path.write_text(json.dumps(job))


def expiring(daemon, authority, number, days_left):
    """A certificate of 90 days with `days_left` is the newest one at hand."""
    leaf = authority.issue("xc.example", days=days_left, age_days=90 - days_left,
                           key=ec.generate_private_key(ec.SECP256R1()))
    folder = daemon.state / f"certificates/xc/versions/{number}"
    folder.mkdir(mode=0o700)
    for name, text in (("key.pem", leaf.key_pem), ("fullchain.pem", leaf.fullchain_pem)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def test_expiry_speaks_louder_as_it_nears(first, proxy, webhook, authority):
    ca_refuses(proxy)
    said = {}
    for number, days in enumerate((29, 5, 0.5), 1):
        expiring(first, authority, 10 * number, days)
        failed_for_weeks(first, 10 * number)
        webhook.alerts.clear()
        assert first("renew", "xc", "--force").code == FAILED
        said[days] = [(a["severity"], a["attempts_left"]) for a in webhook.of("expiring")]
    assert said[29] == [] and said[5] and said[0.5], said
    (warning, many), (critical, few) = said[5][0], said[0.5][0]
    assert (warning, critical) == ("warning", "critical"), said
    assert many > few >= 3, said


def test_a_program_gets_the_alert_as_json_on_its_input(first, proxy, tmp_path):
    seen = tmp_path / "seen"
    script = tmp_path / "page"
    script.write_text(f'#!/bin/sh\ncat >"{seen}-$CERTRENEWD_EVENT"\nenv >>"{seen}-env"\n')
    script.chmod(0o700)
    first.config["alerts"] = {"pager": {"type": "program", "command": [str(script)],
                                        "min": "warning"}}
    first.write()
    ca_refuses(proxy, "not \"today\" — ünïcode")
    assert first("renew", "xc", "--force").code == FAILED
    alert = json.loads((tmp_path / "seen-failed").read_text())
    assert alert["event"] == "failed" and "ünïcode" in alert["what"]
    env = (tmp_path / "seen-env").read_text()
    assert "CERTRENEWD_EVENT=failed" in env and "CERTRENEWD_CERTIFICATE=xc" in env


def test_a_program_that_fails_is_quoted_and_tried_again(first, proxy, tmp_path):
    script = tmp_path / "page"
    script.write_text("#!/bin/sh\necho the pager is out >&2\nexit 7\n")
    script.chmod(0o700)
    first.config["alerts"] = {"pager": {"type": "program", "command": [str(script)]}}
    first.write()
    ca_refuses(proxy)
    result = first("renew", "xc", "--force")
    assert re.search(r"channel 'pager': .*the pager is out.*tried again in", result.err), (
        result)
    assert pending(first) >= 1
    script.write_text(f'#!/bin/sh\ncat >>"{tmp_path}/seen"\n')
    first.start()
    wait_until(lambda: pending(first) == 0, 10, "delivery")
    assert '"failed"' in (tmp_path / "seen").read_text()
    assert first.stop() == 0


def test_min_and_except_choose_what_a_channel_hears(first, proxy, webhook, tmp_path):
    first.config["alerts"]["ops"].update({"min": "notice", "except": ["renewed"]})
    heard = tmp_path / "heard"
    script = tmp_path / "page"
    script.write_text(f'#!/bin/sh\necho "$CERTRENEWD_SEVERITY" >>"{heard}"\n')
    script.chmod(0o700)
    first.config["alerts"]["loud"] = {"type": "program", "min": "critical",
                                      "command": [str(script)]}
    first.write()
    ca_refuses(proxy)
    assert first("renew", "xc").code == FAILED
    assert [alert["event"] for alert in webhook.alerts if alert["event"] != "expiring"] == [
        "failed"]
    proxy.rules.clear()
    first.ok("renew", "xc", "--force")
    assert webhook.of("recovered") and webhook.of("renewed") == []
    said = heard.read_text().split() if heard.exists() else []
    assert "warning" not in said


def test_the_webhooks_secret_is_sent_and_found_nowhere_else(first, proxy, webhook, tmp_path):
    token = first.folder / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    first.config["alerts"]["ops"]["authorization"] = {"file": "token"}
    first.write()
    webhook.answers = [401]
    ca_refuses(proxy)
    texts = [first("renew", "xc", "--force").text]
    first.start()
    wait_until(lambda: webhook.alerts, 15, "the alert")
    texts += [first(*words).text for words in (["status"], ["explain", "xc"],
                                               ["show-config"], ["check-config"])]
    assert first.stop() == 0
    assert {headers["Authorization"] for headers, _ in webhook.requests} == {TOKEN}
    texts += [body.decode() for _, body in webhook.requests]
    token.unlink()
    texts += [p.read_text(errors="replace") for p in first.folder.rglob("*") if p.is_file()]
    secret = TOKEN.split()[1]
    assert not [text for text in texts if secret in text]


def test_a_channel_that_is_gone_from_the_file_is_not_waited_for(first, proxy, webhook):
    webhook.answers = [500] * 5
    ca_refuses(proxy)
    assert first("renew", "xc", "--force").code == FAILED
    assert pending(first) >= 1
    del first.config["alerts"]
    first.write()
    first.start()
    wait_until(lambda: pending(first) == 0, 10, "an empty queue")
    assert first.stop() == 0


def test_a_webhook_that_hangs_delays_neither_renewal_nor_end(first, xc):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        first.config["alerts"]["ops"]["url"] = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        first.write()
        first.start()
        old = xc.served().thumbprint
        first.ok("renew", "xc", "--force", timeout=20)
        first.ok("renew", "xc", "--force", timeout=20)
        assert xc.serves_another(old)
        assert first.stop(timeout=3) == 0
