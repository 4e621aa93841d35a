"""When the CA says when to renew, with certrenewd.exe: tests of tests/e2e/test_ari.py."""

from test_ari import (  # noqa: F401
    ca, issued, make_proxy,
    test_a_window_that_is_past_renews_now_and_names_the_predecessor,
    test_the_ca_is_asked_right_after_issuance_and_its_moment_is_kept,
)
