"""The daemon rehearses the next renewal by itself: what it says of the day on which the
certificate will be renewed, what would keep that from succeeding, and what it gives way to.

The moment comes from what is remembered on disk: a plan that lies in the past."""

import json
import re
import subprocess
import time

import pytest

from conftest import issuer_of
from lib.bind import Bind, TsigKey, Zone, allow
from lib.ca_proxy import make_proxy, problem  # noqa: F401
from lib.waiting import Background, free_port, port_answers, wait_until
from test_rehearse import bundle, snapshot

DAY = 86400
KEY = TsigKey("acme")
EC = {"type": "ec-p256"}


def record_of(daemon, name="xc"):
    return daemon.state / f"certificates/{name}/rehearsals.json"


def whole(daemon, name="xc"):
    path = record_of(daemon, name)
    return json.loads(path.read_text())["certificate"] if path.exists() else {"at": 0}


def rewrite(path, change):
    data = json.loads(path.read_text()) if path.exists() else {"issuers": []}
    change(data)
    path.write_text(json.dumps(data))
    path.chmod(0o600)


def make_due(daemon, name="xc"):
    """The renewal was two hours ago, and a rehearsal is planned for long ago."""
    job = daemon.state / f"certificates/{name}/job.json"
    now = int(time.time())

    def plan(data):
        data["certificate"] = {"at": 0, "next_at": 1}

    rewrite(job, lambda data: data.update(last_renewed_at=now - 7200))
    rewrite(record_of(daemon, name), plan)


def window_of_tomorrow():
    """One hour that begins in less than a day."""
    begins = time.localtime(time.time() + 12 * 3600).tm_hour
    return [f"{begins:02}:00-{(begins + 1) % 24:02}:00"]


def rehearsed(daemon):
    wait_until(lambda: whole(daemon)["at"], what="the rehearsal", timeout=40)
    return whole(daemon)


@pytest.fixture
def staging(make_proxy, make_pebble, pebble):  # noqa: F811
    """Another CA, that looks at the same port."""
    door = getattr(pebble, "door", None)  # http.sys of Wine wants one look at a time
    return make_proxy(make_pebble(http_port=pebble.http_port, nonce_reject=0,
                                  **({"validate_at": door.port} if door else {})))


@pytest.fixture
def scene(setup, make_proxy, pebble, staging, xc, webhook, tmp_path):  # noqa: F811
    """A certificate with years to go is served; its CA has a staging directory."""
    def configure(staged=True, **certificate):
        xc.start()
        daemon = setup(daemon_real, webhook, key=EC, **certificate)
        daemon.config["issuers"]["pebble"] = issuer_of(
            daemon_real, ca_bundle=bundle(tmp_path, daemon_real, staging),
            **({"staging": staging.directory} if staged else {}))
        daemon.write()
        daemon.ok("renew", "xc")
        make_due(daemon)
        return daemon

    daemon_real = make_proxy(pebble)
    configure.real = daemon_real
    return configure


# -- what it says

def test_the_day_of_the_renewal_is_said_with_what_will_come_of_it(scene, staging, xc, webhook):
    daemon = scene()
    orders, thumbprint = scene.real.count("/order-plz"), xc.served().thumbprint
    before = snapshot(xc.dir, xc.store.parent / f"{xc.store.name}.versions")
    daemon.start()
    record = rehearsed(daemon)
    assert record["outcome"] == "will_succeed" and record["ordered"], record
    assert 7 * DAY - 60 < record["next_at"] - time.time() <= 7.7 * DAY
    shown = daemon.status()
    due = time.strptime(shown["due_at"], "%Y-%m-%dT%H:%M:%SZ")
    sentence = rf"renewal of 'xc' on \d+ {time.strftime('%B %Y', due)} will succeed"
    assert re.fullmatch(sentence, shown["rehearsal"]["text"])
    assert shown["rehearsal"]["outcome"] == "will_succeed"
    assert shown["rehearsal"]["renewal_at"] == shown["due_at"]
    assert re.search(f"rehearsal +{sentence}, rehearsed 20", daemon.ok("status").out)
    assert re.search(f"next renewal +{sentence}; rehearsed 20.*, again by 20",
                     daemon.ok("explain", "xc").out)
    assert re.search(f"rehearsal: {sentence}", daemon.log())
    assert staging.count("/order-plz") == 1 and scene.real.count("/order-plz") == orders
    assert xc.served().thumbprint == thumbprint
    assert snapshot(xc.dir, xc.store.parent / f"{xc.store.name}.versions") == before
    assert not webhook.of("rehearsal_failed") and not webhook.of("recovered")


def test_what_fails_is_told_until_it_is_well_again_and_one_order_a_week_is_made(
        scene, staging, webhook):
    daemon = scene()
    staging.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not this one")
    daemon.start()
    alert = webhook.wait_for("rehearsal_failed")
    assert alert["severity"] == "warning" and alert["target"] == "next renewal"
    assert re.match(r"renewal of 'xc' on \d+ \w+ \d+ will fail because order pebble: ",
                    alert["what"])
    assert "not this one" in alert["what"]
    assert re.match(r"repair what it names before \d+ \w+ \d+, then `certrenewd rehearse xc`",
                    alert["todo"])
    assert 21 * 3600 < whole(daemon)["next_at"] - time.time() <= DAY
    daemon.stop()
    staging.rules.clear()
    asked = staging.count("/order-plz")
    make_due(daemon)
    daemon.start()
    assert rehearsed(daemon)["outcome"] == "will_fail"  # nobody has shown that it is over
    assert staging.count("/order-plz") == asked
    assert "the order on trial of 20" in whole(daemon)["why"]
    assert "not this one" in whole(daemon)["why"]
    assert len(webhook.of("rehearsal_failed")) == 1  # the second is withheld
    daemon.ok("rehearse", "xc")
    assert staging.count("/order-plz") == asked + 1
    alert = webhook.wait_for("recovered")
    assert re.match(r"renewal of 'xc' on \d+ \w+ \d+ will succeed$", alert["what"])
    assert daemon.status()["rehearsal"]["outcome"] == "will_succeed"


def test_a_retry_after_of_the_staging_directory_is_kept(scene, staging):
    daemon = scene()
    staging.rules["/order-plz"] = problem(429, "rateLimited", "too many", Retry_After="1209600")
    daemon.start()
    assert rehearsed(daemon)["outcome"] == "will_fail"
    order = json.loads(record_of(daemon).read_text())["issuers"][0]
    assert 13 * DAY < order["order_not_before"] - time.time() < 15 * DAY


def test_a_renewal_ends_what_failed_before_it(scene, staging, webhook):
    daemon = scene()
    staging.rules["/order-plz"] = problem(403, "rejectedIdentifier", "not this one")
    daemon.start()
    webhook.wait_for("rehearsal_failed")
    time.sleep(1.1)  # the two have dates of whole seconds
    daemon.ok("renew", "xc", "--force")
    assert daemon.status()["rehearsal"]["outcome"] is None
    daemon.reload()
    assert webhook.wait_for("recovered")["target"] == "next renewal"


def test_without_a_staging_directory_no_order_is_made_and_that_is_said(scene):
    daemon = scene(staged=False)
    orders = scene.real.count("/order-plz")
    daemon.start()
    record = rehearsed(daemon)
    assert record["outcome"] == "will_succeed" and not record["ordered"], record
    assert daemon.status()["rehearsal"]["text"].endswith(
        "will succeed, as far as can be told without an order on trial")
    assert scene.real.count("/order-plz") == orders


def test_no_means_that_nothing_is_rehearsed(scene, staging):
    daemon = scene(rehearse="no")
    daemon.start()
    daemon.wait_log("inspect|keeps 1 certificate")
    time.sleep(1)
    assert whole(daemon)["at"] == 0 and staging.count("/order-plz") == 0
    assert "not rehearsed (rehearse: no)" in daemon.ok("explain", "xc").out


def test_a_certificate_that_waits_for_its_window_has_its_deployment_rehearsed(
        scene, staging, xc):
    daemon = scene(target=xc.target(maintenance_window=window_of_tomorrow()))
    daemon.start()
    record = rehearsed(daemon)
    assert record["deployment"] and record["outcome"] == "will_succeed", record
    assert re.match("deployment of 'xc' on .* will succeed$",
                    daemon.status()["rehearsal"]["text"])
    assert staging.count("/order-plz") == 0


# -- what it gives way to

def test_it_ends_at_once_when_the_daemon_stops_and_nothing_is_remembered(scene, staging):
    daemon = scene()
    staging.hold("/order-plz")
    daemon.start()
    staging.wait_held()
    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 5
    staging.drop()
    record = json.loads(record_of(daemon).read_text())
    assert record["certificate"]["at"] == 0
    assert 0 < record["certificate"]["not_before"] - time.time() <= 600
    assert record["issuers"][0]["ordered_at"] == 0  # it may be made again


def test_it_gives_way_to_whoever_wants_a_renewal(scene, staging, xc, webhook):
    daemon = scene()
    thumbprint = xc.served().thumbprint
    staging.hold("/order-plz")
    daemon.start()
    staging.wait_held()
    daemon.ok("renew", "xc", "--force")  # while it is held
    staging.drop()
    assert xc.served().thumbprint != thumbprint
    assert whole(daemon)["at"] == 0
    assert not webhook.of("rehearsal_failed")


def test_one_certificate_at_a_time_is_rehearsed(scene, staging, make_xc):
    other = make_xc("other")
    other.start()
    daemon = scene()
    entry = daemon.config["certificates"]["xc"]
    daemon.config["certificates"]["other"] = {**entry, "hosts": ["other.example"],
                                              "deploy": [other.target()]}
    daemon.write()
    daemon.ok("renew", "other")
    for name in ("xc", "other"):
        make_due(daemon, name)
    staging.hold("/order-plz")
    daemon.start()
    staging.wait_held()
    wait_until(lambda: all(whole(daemon, name).get("not_before") for name in ("xc", "other")),
               what="the one that is put off")
    staging.release()
    wait_until(lambda: any(whole(daemon, name)["at"] for name in ("xc", "other")),
               what="the rehearsal")
    assert len(re.findall("rehearsal: of the next renewal", daemon.log())) == 1
    assert staging.count("/order-plz") == 1


# -- what would keep it from succeeding

def fails_because(daemon, webhook, pattern):
    daemon.start()
    alert = webhook.wait_for("rehearsal_failed", timeout=40)
    assert re.search(rf"^renewal of 'xc' on \d+ \w+ \d+ will fail because {pattern}",
                     alert["what"]), alert["what"]
    assert whole(daemon)["outcome"] == "will_fail"


def test_a_port_that_another_program_holds_is_named_with_it(scene, pebble, staging, webhook,
                                                            tmp_path):
    daemon = scene()
    thief = Background(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1",
                        pebble.http_port, "-d", tmp_path], tmp_path / "thief.log")
    try:
        wait_until(lambda: port_answers(pebble.http_port), what="the thief")
        fails_because(daemon, webhook,
                      rf"challenge pebble: port {pebble.http_port} is taken by 'python3' "
                      rf"\(process {thief.pid}\)")
        assert staging.count("/order-plz") == 0
    finally:
        thief.kill()


def test_a_folder_that_is_read_only_is_named(scene, xc, webhook):
    daemon = scene()
    folder = xc.tls_json.parent
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        with pytest.raises(OSError):
            (folder / "x").write_text("")
        fails_because(daemon, webhook, r"write xtract-core: create '.*tls.json.certrenewd-trial"
                                       r".*': .*[Rr]ead-only")
    finally:
        daemon.stop()
        subprocess.run(["umount", "-l", folder], check=True)


def test_one_cause_is_one_finding(scene, xc, pebble, staging, tmp_path):
    """Also where several checks would stumble over it."""
    daemon = scene()
    folder = xc.store.parent / f"{xc.store.name}.versions"
    thief = Background(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1",
                        pebble.http_port, "-d", tmp_path], tmp_path / "thief.log")
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        wait_until(lambda: port_answers(pebble.http_port), what="the thief")
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        said = daemon("rehearse", "xc")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        thief.kill()
    failed = re.findall("^.*failed +(.*?):", said.out, re.MULTILINE)
    assert failed == ["challenge pebble", "write xtract-core"], said.out


def test_a_program_that_restarts_the_service_and_is_gone_is_named(scene, xc, webhook, tmp_path):
    restart = tmp_path / "restart"
    restart.write_text(f"#!/bin/sh\nexec {xc.xcctl} {xc.dir} restart\n")
    restart.chmod(0o700)
    daemon = scene(target=xc.target(service={"command": [str(restart)]}))
    rewrite(record_of(daemon), lambda data: data["certificate"].update(
        next_at=int(time.time()) + 4))
    daemon.start()
    restart.unlink()
    alert = webhook.wait_for("rehearsal_failed", timeout=40)
    assert (f"will fail because service xtract-core: the program '{restart}' that restarts the "
            "service does not exist") in alert["what"]


def test_a_full_disk_is_named_with_what_is_wanted(scene, daemon, webhook):
    daemon.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", daemon.state],
                   check=True)
    try:
        scene()
        fails_because(daemon, webhook, rf"disk: only \d+ KiB are free for '{daemon.state}', and a "
                                       "renewal wants 4 MiB: make room there")
    finally:
        daemon.close()
        subprocess.run(["umount", "-l", daemon.state], check=True)


def test_a_disk_without_inodes_is_named(scene, daemon, webhook):
    daemon.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=90,mode=0700", "tmpfs",
                    daemon.state], check=True)
    try:
        scene()
        for i in range(20):
            (daemon.state / f"ballast{i}").write_text("")
        fails_because(daemon, webhook, rf"disk: the file system of '{daemon.state}' can take only "
                                       r"\d+ more files \(inodes\)")
    finally:
        daemon.close()
        subprocess.run(["umount", "-l", daemon.state], check=True)


def test_an_account_that_has_to_read_the_key_and_is_gone_is_named(scene):
    daemon = scene()
    daemon.config["certificates"]["xc"]["deploy"][0]["store"]["group"] = "no-such-group"
    daemon.write()
    said = daemon("rehearse", "xc")
    assert said.code == 1
    assert re.search("failed +key xtract-core: there is no group 'no-such-group'", said.out)
    assert "target xtract-core" not in said.out  # once is enough


def test_a_channel_that_is_silent_does_not_stop_the_renewal_and_is_told(scene, webhook):
    daemon = scene()
    daemon.config["alerts"]["pager"] = {"type": "webhook", "url": "http://127.0.0.1:9/secret"}
    daemon.write()
    daemon.start()
    alert = webhook.wait_for("rehearsal_failed", timeout=40)
    assert re.search("will succeed, but alerts pager: ", alert["what"])
    assert "secret" not in alert["what"]
    assert whole(daemon)["outcome"] == "will_succeed_but"
    assert daemon.status()["rehearsal"]["outcome"] == "will_succeed_but"


def test_a_clock_that_is_wrong_is_told(scene, webhook):
    daemon = scene()
    scene.real.date_offset_s = -3 * DAY
    daemon.start()
    alert = webhook.wait_for("rehearsal_failed", timeout=40)
    assert re.search(r"will succeed, but clock: the clock is 2\d{5} s ahead of the CA's: set it",
                     alert["what"]), alert["what"]


# -- the DNS

@pytest.fixture(scope="module")
def bind(tmp_path_factory):
    made = Bind(tmp_path_factory.mktemp("bind"), [
        Zone("a.example", updates=allow(KEY), records="@ IN A 127.0.0.1\n"),
        Zone("closed.example", records="@ IN A 127.0.0.1\n"),
        Zone("others.example", records="""
@ IN A 127.0.0.1
@ IN CAA 0 issue "letsencrypt.org"
"""),
    ], [KEY])
    yield made
    made.close()


@pytest.fixture
def named(setup, make_pebble, bind, xc, webhook, tmp_path):
    """named(hosts, challenge): asks BIND; `ca` is another CA's DNS for what it has not."""
    secret = tmp_path / "tsig.key"
    secret.write_text(KEY.secret)
    secret.chmod(0o600)

    def configure(hosts, challenge=None):
        ca = make_pebble()
        xc.start()
        daemon = setup(ca, webhook, key=EC, hosts=hosts)
        daemon.ok("renew", "xc")
        daemon.config["resolvers"] = [bind.server]
        daemon.config["dns_providers"] = {"bind": {
            "type": "rfc2136", "server": bind.server, "propagation": False,
            "tsig": {"key": KEY.name, "algorithm": KEY.algorithm,
                     "secret": {"file": str(secret)}}}}
        if challenge:
            daemon.config["certificates"]["xc"]["challenge"] = challenge
        daemon.write()
        make_due(daemon)
        return daemon

    return configure


DNS = {"type": "dns-01", "provider": "bind"}


def test_caa_that_forbids_the_ca_is_named_before_the_renewal(named, webhook):
    daemon = named(["others.example"])
    daemon.config["issuers"]["pebble"]["caa"] = ["ca.example"]
    daemon.write()
    fails_because(daemon, webhook, r"caa pebble: the CAA record 'issue \"letsencrypt.org\"' at "
                                   "'others.example' does not let 'ca.example' issue")


def test_a_name_that_the_dns_does_not_know_is_named(named, webhook):
    daemon = named(["gone.a.example"])
    fails_because(daemon, webhook, "dns: the DNS has no address for 'gone.a.example'")


def test_a_record_is_written_and_removed_where_no_order_is_made(named, bind):
    daemon = named(["a.example"], DNS)
    said = daemon.ok("rehearse", "xc")
    assert re.search("ok +dns: a record was written for each name, and removed", said.out)
    assert bind.texts("_acme-challenge.a.example") == []
    assert not (daemon.state / "certificates/xc/challenges.json").exists()


def test_each_of_several_challenges_is_looked_at(named, tmp_path):
    port = free_port()
    daemon = named(["a.example"], [{"type": "http-01", "listen": f"127.0.0.1:{port}"}, DNS])
    thief = Background(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1", port,
                        "-d", tmp_path], tmp_path / "thief.log")
    try:
        wait_until(lambda: port_answers(port), what="the thief")
        said = daemon.ok("rehearse", "xc")
    finally:
        thief.kill()
    assert re.search(rf"note +challenge http-01: port {port} is taken by 'python3'", said.out)
    assert re.search("ok +challenge dns-01: it could answer now", said.out)
    assert re.search("ok +challenge pebble: every name can be proven", said.out)


def test_a_zone_that_refuses_our_key_is_named(named, webhook):
    daemon = named(["closed.example"], DNS)
    fails_because(daemon, webhook, "challenge pebble: DNS provider 'bind': update of zone "
                                   "'closed.example' at .* refused")
