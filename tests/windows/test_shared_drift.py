"""What drifts and is put back, with certrenewd.exe: the tests of tests/e2e that fit, and what
only the Windows store can lose."""

import pytest

from lib.tool import service_sid
from test_drift import (  # noqa: F401
    DONE, kept, look, mode, renewed, test_a_certificate_that_cannot_be_served_is_nobodys_choice,
    test_a_restart_that_was_lost_is_made_up_for, test_a_restored_tls_json_is_put_back,
    test_a_restored_tls_json_that_was_read_is_put_back_with_one_restart,
    test_a_stopped_service_gets_its_files_and_is_not_started,
    test_nothing_that_an_operator_uses_is_retired,
    test_what_an_operator_did_to_tls_json_stays_until_deploy,
    test_settings_that_were_restored_with_tls_json_name_ours_again,
)


def delete_the_entry(xc, tool):
    tool("remove", "My", xc.thumbprint())
    return "has no entry"


def strip_the_access_list(xc, tool):
    tool.set_dacl(xc.container(), "D:P(A;;GA;;;SY)(A;;GA;;;BA)")
    return "may not read the private key"


@pytest.mark.parametrize("lose", [delete_the_entry, strip_the_access_list])
def test_what_the_store_lost_is_put_back_without_a_restart(kept, webhook, xc, tool, lose):
    ours, container, processes = xc.thumbprint(), xc.container(), xc.processes()
    words = lose(xc, tool)
    look(kept, DONE)
    drift, = webhook.of("drift")
    assert words in drift["what"], drift
    assert "put back; the application was not restarted" in drift["what"]
    assert xc.processes() == processes
    assert xc.container() == container
    assert tool.signs(ours)
    assert service_sid(xc.service_name) in tool.dacl(container)
    look(kept)
    assert (len(webhook.of("drift")), len(webhook.of("recovered"))) == (1, 1)
    xc.ctl("restart")
    assert xc.served().thumbprint == ours


def test_a_key_that_is_lost_for_good_is_replaced_by_a_new_certificate(kept, webhook, xc, tool):
    old = xc.thumbprint()
    tool("delete-key", xc.container())
    kept.ok("renew", "xc")
    assert xc.thumbprint() != old
    assert xc.served().thumbprint == xc.thumbprint()


def test_a_change_is_noticed_within_seconds(kept, webhook, xc):
    before, _, second = renewed(kept, xc)
    kept.config["inspect_every"] = {"files": "12h", "endpoints": "12h"}
    kept.write()
    kept.start()
    look_at = kept.status("xc")["inspected_files_at"]
    assert look_at
    xc.tls_json.write_bytes(before)
    told = webhook.wait_for("drift", 30)
    assert "tls.json is again as it was" in told["what"]
    webhook.wait_for("recovered", 15)
    assert (xc.thumbprint(), mode(kept)) == (second, "https")
    assert kept.stop() == 0


def test_status_shows_the_four_views(kept, xc, tool):
    ours = xc.thumbprint()
    views = kept.status("xc")["views"]
    target, = views["targets"]
    served, = target["served"]
    assert {ours} == {view["sha1"] for view in (
        views["ca"], target["configuration"], target["store"], served)}
    assert target["store"]["place"] == "LocalMachine\\My"
    strip_the_access_list(xc, tool)
    store = kept.status("xc")["views"]["targets"][0]["store"]
    assert store["differs"] and store["state"] == "no_access"
    assert "may not read the private key" in store["problem"]
