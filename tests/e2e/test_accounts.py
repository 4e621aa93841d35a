"""`account`: our account at a CA is looked at, changed, given a new key, ended and made anew,
beside a daemon that uses it and without one."""

import json
import threading

import pytest

from lib.ca_proxy import make_proxy, problem, proxy, short_lived  # noqa: F401
from lib.waiting import wait_until


def account(daemon, issuer="pebble"):
    return json.loads((daemon.state / f"accounts/{issuer}/account.json").read_text())


def key(daemon, file="key.pem"):
    return (daemon.state / "accounts/pebble" / file).read_text()


def shown(daemon):
    return daemon.ok("account", "show", "--json").json


@pytest.fixture(params=["alone", "with a daemon"])
def served(request, setup, proxy, xc):
    """One certificate is served; a daemon runs or not."""
    xc.start()
    daemon = setup(proxy)
    daemon.ok("renew", "xc")
    if request.param == "with a daemon":
        daemon.start()
    return daemon


# -- what is there

def test_what_the_ca_says_of_it_is_shown(served, proxy):
    said = shown(served)
    assert said["status"] == "valid"
    assert said["url"].startswith(f"https://127.0.0.1:{proxy.port}/my-account/")


def test_asking_makes_none(setup, proxy):
    daemon = setup(proxy)
    said = daemon("account", "show")
    assert said.code == 3
    assert "there is no account at 'pebble' yet: the first order makes one" in said.err
    for verb in ("rotate-key", "update"):
        daemon.config["issuers"]["pebble"]["contact"] = ["mailto:ops@example.com"]
        daemon.write()
        said = daemon("account", verb)
        assert said.code == 3, said
        assert "or `certrenewd account register pebble`" in said.out
    assert proxy.count("/order-plz") == 0


def test_it_is_made_before_it_is_needed(setup, proxy):
    daemon = setup(proxy)
    said = daemon.ok("account", "register", "--json").json
    assert said["exit"] == 0 and "our account is https://" in said["text"]
    url = shown(daemon)["url"]
    assert daemon.ok("account", "register", "pebble").out.strip().endswith(url)


@pytest.mark.parametrize("words, sentence", [
    (["leave"], "account show|register|update|rotate-key|deactivate [ISSUER], not 'leave'"),
    (["show", "nobody"], "there is no issuer 'nobody' in"),
    (["rotate-key", "ours"], "there is no account with issuer 'ours' in"),
    (["deactivate"], "account deactivate needs an issuer's name"),
])
def test_what_makes_no_sense_is_refused(setup, pebble, words, sentence):
    daemon = setup(pebble)
    daemon.config["issuers"]["ours"] = {"type": "self-signed"}
    daemon.write()
    said = daemon("account", *words)
    assert said.code == 2
    assert sentence in said.err


# -- contacts

def test_contacts_that_the_configuration_changes_reach_the_ca(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    daemon.ok("renew", "xc")
    assert shown(daemon)["contact"] is None
    daemon.config["issuers"]["pebble"]["contact"] = ["mailto:a@example.com"]
    daemon.write()
    daemon.ok("renew", "xc", "--force")
    assert shown(daemon)["contact"] == "mailto:a@example.com"
    assert account(daemon)["contact"] == "mailto:a@example.com"
    asked = proxy.count("/my-account/")
    daemon.ok("renew", "xc", "--force")
    assert proxy.count("/my-account/") == asked


def test_update_sends_the_contacts(served):
    served.config["issuers"]["pebble"]["contact"] = ["mailto:a@example.com",
                                                     "mailto:b@example.com"]
    served.write()
    if served.process:
        served.ok("reload")
    said = served.ok("account", "update", "pebble").out
    assert "the account's contacts are mailto:a@example.com, mailto:b@example.com now" in said
    assert shown(served)["contact"] == "mailto:a@example.com, mailto:b@example.com"


def test_without_contacts_nothing_is_sent_unless_asked(served, proxy):
    asked = proxy.count("/my-account/")
    said = served("account", "update")
    assert said.code == 3
    assert "has no `contact` in the configuration: nothing is sent" in said.out
    assert proxy.count("/my-account/") == asked
    assert "has no contacts any more" in served.ok("account", "update", "--force").out


def test_a_contact_that_the_ca_refuses_keeps_no_certificate_away(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    daemon.ok("renew", "xc")
    daemon.config["issuers"]["pebble"]["contact"] = ["mailto:a@example.com"]
    daemon.write()
    proxy.rules["/my-account/"] = problem(400, "invalidContact", "no such address")
    said = daemon.ok("renew", "xc", "--force")
    assert "the account's contacts could not be changed" in said.text
    assert "no such address" in said.text
    said = daemon("account", "update")
    assert said.code == 2 and "change the account's contacts" in said.err


# -- a new key

def test_the_key_is_changed_and_the_next_order_uses_it(served, xc):
    before, url = key(served), shown(served)["url"]
    served_before = xc.served().thumbprint
    said = served.ok("account", "rotate-key").out
    assert "the account has a new key, the old one counts no more" in said
    assert key(served) != before
    assert not (served.state / "accounts/pebble/key.new.pem").exists()
    served.ok("renew", "xc", "--force")
    assert xc.served().thumbprint != served_before
    assert shown(served)["url"] == url


def test_a_worker_that_is_warm_does_not_sign_with_the_old_key(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    daemon.config["concurrency"] = 1
    daemon.write()
    daemon.start()
    daemon.ok("renew", "xc", "--force")
    registered = proxy.count("/sign-me-up")
    daemon.ok("account", "rotate-key")
    daemon.ok("renew", "xc", "--force")
    assert proxy.count("/sign-me-up") == registered


def test_a_change_waits_for_the_order_that_is_under_way(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    daemon.ok("account", "register")
    proxy.hold("/finalize-order/")
    daemon.start()
    proxy.wait_held()
    changed = []
    change = threading.Thread(target=lambda: changed.append(daemon("account", "rotate-key")))
    change.start()
    change.join(1)
    assert not changed and proxy.count("/rollover") == 0
    proxy.release()
    change.join(30)
    assert changed[0].code == 0, changed[0]
    wait_until(lambda: xc.served(), what="the new certificate")
    assert proxy.count("/order-plz") == 1


def test_one_change_at_a_time(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    daemon.ok("renew", "xc")
    daemon.start()
    proxy.hold("/rollover")
    changed = []
    change = threading.Thread(target=lambda: changed.append(daemon("account", "rotate-key")))
    change.start()
    proxy.wait_held()
    said = daemon("account", "rotate-key")
    assert said.code == 1
    assert "another change of an account is under way: try again when it is done" in said.err
    assert daemon.ok("status").code == 0  # and a report does not wait for it
    proxy.release()
    change.join(30)
    assert changed[0].code == 0, changed[0]


@pytest.mark.parametrize("handled", [False, True])
def test_a_lost_answer_is_settled_by_asking_which_key_counts(served, proxy, handled, xc):
    before = key(served)

    def lose(answer):
        if not handled:
            return
        answer.status, answer.body = 502, b"<h1>Bad Gateway</h1>"
        answer.headers = {"Content-Type": "text/html"}

    if handled:
        proxy.rules["/rollover"] = lose
    else:
        proxy.rules["/rollover"] = problem(503, "serverInternal", "later")
    said = served("account", "rotate-key")
    proxy.rules.clear()
    assert said.code == (0 if handled else 1), said
    assert (key(served) != before) == handled
    assert not (served.state / "accounts/pebble/key.new.pem").exists()
    aside = list((served.state / "accounts/pebble").glob("key.new.pem.old-*"))
    assert len(aside) == (0 if handled else 1), "the CA may yet carry it out"
    served.ok("renew", "xc", "--force")


def test_when_nobody_can_say_which_key_counts_both_are_kept(served, proxy):
    before = key(served)
    proxy.rules["/rollover"] = problem(503, "serverInternal", "later")
    proxy.rules["/sign-me-up"] = problem(503, "serverInternal", "later")
    said = served("account", "rotate-key")
    assert said.code == 1
    assert "it is not known which of two account keys counts; both are kept" in said.err
    assert key(served) == before and key(served, "key.new.pem") != before
    proxy.rules.clear()
    said = served.ok("renew", "xc", "--force")
    told = "a change of the account's key that was interrupted is settled: the CA knows the old key"
    assert told in said.text + served.log()
    assert not (served.state / "accounts/pebble/key.new.pem").exists()


def test_a_death_before_the_old_key_was_replaced_is_settled(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    daemon.ok("renew", "xc")
    old = key(daemon)
    daemon.ok("account", "rotate-key")
    new = key(daemon)
    folder = daemon.state / "accounts/pebble"
    (folder / "key.pem").write_text(old)
    (folder / "key.new.pem").write_text(new)
    (folder / "key.new.pem").chmod(0o600)
    said = daemon.ok("renew", "xc", "--force")
    assert "is settled: the CA knows the new key" in said.text
    assert key(daemon) == new and not (folder / "key.new.pem").exists()


def test_a_ca_that_has_lost_the_account_knows_neither_key(setup, short_lived, xc):
    xc.start()
    daemon = setup(short_lived)
    daemon.ok("renew", "xc")
    folder = daemon.state / "accounts/pebble"
    (folder / "key.new.pem").write_text(key(daemon))
    short_lived.restart()
    said = daemon.ok("renew", "xc", "--force")
    assert "the CA knows neither key; the new one was set aside" in said.text
    assert list(folder.glob("key.new.pem.old-*"))


def test_a_new_key_that_is_damaged_is_set_aside(setup, proxy, xc):
    xc.start()
    daemon = setup(proxy)
    daemon.ok("renew", "xc")
    path = daemon.state / "accounts/pebble/key.new.pem"
    path.write_text("not a key")
    said = daemon.ok("renew", "xc", "--force")
    assert "new account key of issuer 'pebble' is damaged" in said.text
    assert not path.exists()


def test_a_ca_that_refuses_leaves_the_old_key(served, proxy):
    before = key(served)
    proxy.rules["/rollover"] = problem(403, "unauthorized", "no key changes here")
    said = served("account", "rotate-key")
    assert said.code == 1 and "no key changes here" in said.err
    assert key(served) == before
    assert not (served.state / "accounts/pebble/key.new.pem").exists()


# -- the end

def test_ending_an_account_wants_to_be_forced(served):
    said = served("account", "deactivate", "pebble")
    assert said.code == 2
    assert "certificates that it obtained stay valid" in said.err
    assert "--force does it" in said.err
    assert shown(served)["status"] == "valid"


def test_an_ended_account_is_not_silently_made_anew(served, proxy, xc):
    said = served.ok("account", "deactivate", "pebble", "--force")
    assert "orders there are refused until `certrenewd account register pebble`" in said.out
    assert account(served)["deactivated_at"]
    before, orders = xc.served().thumbprint, proxy.count("/order-plz")
    said = served("renew", "xc", "--force")
    assert said.code == 1
    assert "its account was deactivated at 20" in said.text
    assert "`certrenewd account register pebble` makes a new one" in said.text
    assert proxy.count("/order-plz") == orders
    assert xc.served().thumbprint == before


def test_the_way_out_is_a_new_account(served, proxy, xc):
    old, url = key(served), shown(served)["url"]
    served.ok("account", "deactivate", "pebble", "--force")
    served.ok("account", "register", "pebble")
    assert shown(served)["url"] != url
    assert key(served) != old
    assert list((served.state / "accounts/pebble").glob("key.pem.old-*"))
    before = xc.served().thumbprint
    served.ok("renew", "xc", "--force")
    assert xc.served().thumbprint != before
