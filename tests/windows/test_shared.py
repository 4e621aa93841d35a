"""Tests that hold on both systems: those of tests/e2e, run here with certrenewd.exe and the
application as a Windows service. Which ones is said by name; a fixture of the same name
stands for the Windows part."""

from test_commands import (  # noqa: F401
    test_help_and_version_need_no_configuration,
    test_what_show_config_prints_loads_again_and_prints_the_same,
)
from test_deploy import (  # noqa: F401
    serving, test_a_predecessor_that_is_not_ours_is_left_and_noted,
    test_a_renewal_that_waits_for_another_try_says_so,
    test_a_service_stopped_by_its_admin_is_switched_but_not_started,
    test_a_service_that_goes_on_serving_the_old_certificate_is_noticed,
    test_a_service_that_omits_the_chain_is_rolled_back, test_keep_1_leaves_one_old_version,
    test_rollback_brings_the_old_one_back_and_keeps_it_until_deploy,
    test_the_old_certificate_is_kept_until_its_time,
    test_there_is_no_way_back_to_an_expired_certificate,
    test_what_is_retired_cannot_be_rolled_back,
)
from test_fallback import (  # noqa: F401
    expired, short_lived, test_a_fallback_that_does_not_come_up_is_taken_back,
    test_a_round_that_fails_after_expiry_falls_back,
    test_fallback_on_and_off_by_command,
    test_it_falls_back_when_the_ca_is_gone_and_returns_when_it_is_back,
    test_when_expired_keep_never_falls_back,
)
from test_renewal import (  # noqa: F401
    first, test_a_certificate_that_is_not_due_is_left_alone,
    test_an_unknown_certificate_is_a_mistake_of_usage, test_external_account_binding,
    test_every_name_is_in_the_certificate_and_the_first_is_the_common_name,
    test_force_renews_what_is_not_due_and_deletes_the_old_one_with_its_key,
    test_status_says_what_openssl_sees,
    test_the_account_survives_and_is_used_again, test_the_daemon_leaves_alone_what_is_not_due,
    test_the_first_certificate_is_ordered_deployed_and_served,
    test_the_responder_listens_only_while_the_ca_looks,
    test_the_running_daemon_renews_on_command, test_tls_json_is_made_as_the_product_writes_it,
    test_two_certificates_are_renewed_by_one_command,
    test_webroot_leaves_nothing_in_the_folder,
)
from test_tls_json import (  # noqa: F401
    renew, test_a_rollback_brings_every_byte_back,
    test_bom_crlf_tabs_unknown_members_and_long_numbers_stay,
)
