"""A CA changes before certificates fail: what its directory says today is held against what it
said yesterday, and each change is told with what it means. And an application serves another
chain than the one that was brought in."""

import json
import ssl

import pytest
from cryptography import x509

from conftest import issuer_of
from lib.ca_proxy import make_proxy, proxy, short_lived  # noqa: F401
from lib.served_files import ServedFiles
from lib.waiting import wait_until

HOST = "shop.example"
PROFILES = {"classic": "the usual", "shop": "made for shops"}


@pytest.fixture
def app(tmp_path):
    served = ServedFiles(tmp_path / "app")
    yield served
    served.close()


def says(**changes):
    """What the directory's meta says instead; None takes a member away."""
    def change(answer):
        directory = answer.json
        meta = {**directory.get("meta", {}), "profiles": PROFILES, **changes}
        directory["meta"] = {name: value for name, value in meta.items() if value is not None}
        answer.json = directory
    return change


class Scene:
    def __init__(self, daemon, proxy, app, webhook):
        self.daemon, self.proxy, self.webhook = daemon, proxy, webhook
        self.file = daemon.state / "accounts/ca/foresight.json"
        proxy.rules["/dir"] = says()
        daemon.configure(
            issuers={"ca": issuer_of(proxy)},
            certificates={"a": {
                "hosts": [HOST], "issuers": ["ca"], "key": {"type": "ec-p256"},
                "profile": "shop",
                "challenge": {"type": "http-01", "listen": f"127.0.0.1:{proxy.http_port}"},
                "deploy": [app.target(HOST)]}},
            alerts={"ops": {"type": "webhook", "url": webhook.url, "min": "notice"}})
        daemon.ok("renew", "a")
        self.look()

    def seen(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def look(self):
        """The daemon begins, and asks."""
        before = self.seen().get("seen_at")
        self.daemon.start()
        wait_until(lambda: self.seen().get("seen_at") not in (None, before),
                   what="a look at the CA")
        wait_until(lambda: self.daemon.ok("status", "--json").json["alerts_pending"] == 0,
                   what="delivered alerts")
        assert self.daemon.stop() == 0

    def next_day(self):
        seen = self.seen()
        assert seen["ask_again_at"] > 0
        seen["ask_again_at"] = 0
        seen["seen_at"] = "yesterday"
        self.file.write_text(json.dumps(seen))
        self.look()

    def told(self):
        alerts = self.webhook.of("ca_changed")
        self.webhook.alerts.clear()
        return alerts


@pytest.fixture
def scene(daemon, proxy, app, webhook):  # noqa: F811
    return Scene(daemon, proxy, app, webhook)


def test_the_first_look_and_an_unchanged_ca_are_no_news(scene):
    scene.next_day()
    assert scene.told() == []
    assert [each["name"][:24] for each in scene.seen()["chain"]] == ["CN=Pebble Intermediate CA"[:24]]


def test_changed_terms_become_an_event_that_says_old_and_new(scene):
    old = scene.seen()["view"]["termsOfService"]
    scene.proxy.rules["/dir"] = says(termsOfService="https://ca.example/terms-2")
    scene.next_day()
    (alert,) = scene.told()
    assert alert["what"] == (f"issuer 'ca': its terms of service changed: '{old}' -> "
                             "'https://ca.example/terms-2'")
    assert alert["severity"] == "warning"
    assert "'agree_to_terms: yes' agrees to them too" in alert["todo"]
    scene.next_day()
    assert scene.told() == []  # once


def test_a_profile_in_use_that_vanishes_is_critical(scene):
    scene.proxy.rules["/dir"] = says(profiles={"classic": "the usual"})
    scene.next_day()
    (alert,) = scene.told()
    assert alert["severity"] == "critical"
    assert alert["what"] == ("issuer 'ca': the profile 'shop' is gone, which 'a' asks for; "
                             "there is: classic")
    assert "choose another 'profile:'" in alert["todo"]


def test_an_eab_that_is_wanted_now_is_told(scene):
    scene.proxy.rules["/dir"] = says(externalAccountRequired=True)
    scene.next_day()
    (alert,) = scene.told()
    assert "wants an external account binding (EAB) of new accounts now" in alert["what"]
    assert scene.daemon.status("a")["renewal"]["failures"] == 0


def test_a_ca_that_does_not_answer_is_no_news_and_no_trouble(scene):
    scene.proxy.close()
    seen = scene.seen()
    seen["ask_again_at"] = 0
    scene.file.write_text(json.dumps(seen))
    scene.daemon.start()
    scene.daemon.wait_log("issuer 'ca' does not say how it is: ")
    assert scene.daemon.stop() == 0
    assert scene.told() == []
    assert scene.seen()["ask_again_at"] > 0  # in some hours, not at every look


class OwnChain(ServedFiles):
    """Serves the leaf it was given, and of the chain what it likes: nothing."""

    def _choose(self, tls, name, _):
        folder, leaf = self.folder / name, self.folder / f"{name}.leaf.pem"
        if not (folder / "fullchain.pem").exists():
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        end = "-----END CERTIFICATE-----\n"
        leaf.write_text((folder / "fullchain.pem").read_text().split(end)[0] + end)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf, folder / "key.pem")
        tls.context = context
        return None


def common_name(pem):
    name = x509.load_pem_x509_certificate(pem.encode()).subject
    return name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def test_a_preferred_chain_that_is_not_served_is_told_and_shown(
        daemon, proxy, webhook, tmp_path):  # noqa: F811
    app = OwnChain(tmp_path / "own")
    root = common_name(proxy.pebble.root())
    Scene(daemon, proxy, app, webhook)
    (before,) = daemon.status("a")["chain"]["served"]
    assert webhook.of("ca_changed") == []
    daemon.config["certificates"]["a"]["chain"] = root
    daemon.write()
    (daemon.state / "certificates/a/served.json").unlink()
    job = daemon.state / "certificates/a/job.json"
    job.write_text(json.dumps({**json.loads(job.read_text()), "inspected_files_at": 0,
                               "inspected_endpoints_at": 0}))
    daemon.start()
    alert = webhook.wait_for("ca_changed")
    assert daemon.stop() == 0
    app.close()
    intermediate = before["issuers"]
    assert alert["what"].endswith(
        f"serves the incomplete chain '{intermediate}', not the one from '{root}' that was "
        "brought in")
    chain = daemon.status("a")["chain"]
    assert chain["wanted"] == chain["stored"] == root
    assert chain["served"] == [before] and before["complete"] is False
    assert f"{intermediate}, incomplete; stored up to '{root}'" in daemon.ok("status", "a").out
    assert f"stored up to '{root}', preferred: '{root}'" in daemon.ok("explain", "a").out
