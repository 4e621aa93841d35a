/* What counts as drift, and what as an operator's own decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/drift.h"
#include "tests/support/testcert.h"

static struct testcert *made;
static struct cert *ours;
static const struct endpoint endpoint = { .connect = "127.0.0.1:1338" };
static const struct target target = {
	.name = "xc",
	.store = { .type = STORE_DIRECTORY, .path = "/store" },
	.tls_json = "/app/tls.json",
	.verify = &endpoint,
	.n_verify = 1,
};
static struct probe_result seen;
static struct target_view view;

/* Everything as we left it. */
static int in_order(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	memset(&view, 0, sizeof(view));
	seen.kind = PROBE_TLS;
	snprintf(seen.sha256, sizeof(seen.sha256), "%s", cert_sha256(ours));
	view.has_tls_json = view.tls_json_present = view.tls_enabled = true;
	snprintf(view.tls_json_sha1, sizeof(view.tls_json_sha1), "%s", cert_sha1(ours));
	snprintf(view.store_sha1, sizeof(view.store_sha1), "%s", cert_sha1(ours));
	view.key_usable = true;
	view.service = SERVICE_IS_RUNNING;
	view.endpoints = &seen;
	view.n_endpoints = 1;
	return 0;
}

static struct drift_finding judge(void)
{
	return drift_judge(&target, "xu", &view, ours);
}

static void nothing_changed_is_no_drift(void **state)
{
	(void)state;
	assert_false(judge().drifted);
}

static void a_removed_tls_json_is_the_operators_decision(void **state)
{
	struct drift_finding finding;

	(void)state;
	view.tls_json_present = false;
	finding = judge();
	assert_true(finding.drifted && finding.taken_over);
	assert_non_null(strstr(finding.what, "tls.json was removed"));
	assert_non_null(strstr(finding.what, "`certrenewd deploy xu`"));
}

static void tls_switched_off_is_the_operators_decision(void **state)
{
	(void)state;
	view.tls_enabled = false;
	assert_true(judge().taken_over);
}

static void another_certificate_chosen_is_the_operators_decision(void **state)
{
	struct drift_finding finding;

	(void)state;
	memset(view.tls_json_sha1, 'A', CERT_SHA1_HEX - 1);
	finding = judge();
	assert_true(finding.taken_over);
	assert_non_null(strstr(finding.what, "names another certificate: AAAA"));
}

static void a_lower_case_thumbprint_is_still_ours(void **state)
{
	(void)state;
	for (char *c = view.tls_json_sha1; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c + ('a' - 'A'));
	assert_false(judge().drifted);
}

static void an_unreadable_tls_json_is_drift_but_nobodys_decision(void **state)
{
	struct drift_finding finding;

	(void)state;
	view.tls_json_sha1[0] = '\0';
	snprintf(view.files_problem, sizeof(view.files_problem), "not JSON: line 1");
	finding = judge();
	assert_true(finding.drifted);
	assert_false(finding.taken_over);
}

static void an_emptied_store_is_drift(void **state)
{
	struct drift_finding finding;

	(void)state;
	view.store_sha1[0] = '\0';
	finding = judge();
	assert_true(finding.drifted);
	assert_false(finding.taken_over);
	assert_non_null(strstr(finding.what, "the store is empty"));
}

static void a_key_that_does_not_fit_is_drift(void **state)
{
	(void)state;
	view.key_usable = false;
	assert_non_null(strstr(judge().what, "does not belong to its certificate"));
}

static void an_endpoint_that_serves_another_certificate_is_named(void **state)
{
	struct drift_finding finding;

	(void)state;
	seen.sha256[0] = 'x';
	snprintf(seen.sha1, sizeof(seen.sha1), "%s", "BBBB");
	finding = judge();
	assert_non_null(
		strstr(finding.what, "127.0.0.1:1338 serves another certificate: BBBB"));
}

static void an_endpoint_that_is_silent_says_why(void **state)
{
	(void)state;
	seen.kind = PROBE_NOTHING;
	snprintf(seen.detail, sizeof(seen.detail), "connection refused");
	assert_non_null(strstr(judge().what, "does not answer: connection refused"));
}

static void endpoints_that_were_not_asked_do_not_count(void **state)
{
	(void)state;
	seen.kind = PROBE_NOTHING;
	view.endpoints = NULL;
	assert_false(judge().drifted);
}

static int make_certificate(void **state)
{
	static const char *const names[] = { "xu.example.com", NULL };
	struct testcert_spec spec = { .names = names };

	(void)state;
	made = testcert_new(&spec);
	ours = cert_from_x509(made->x509, NULL);
	return 0;
}

static int drop_certificate(void **state)
{
	(void)state;
	cert_free(ours);
	testcert_free(made);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, in_order)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_changed_is_no_drift),
		TEST(a_removed_tls_json_is_the_operators_decision),
		TEST(tls_switched_off_is_the_operators_decision),
		TEST(another_certificate_chosen_is_the_operators_decision),
		TEST(a_lower_case_thumbprint_is_still_ours),
		TEST(an_unreadable_tls_json_is_drift_but_nobodys_decision),
		TEST(an_emptied_store_is_drift),
		TEST(a_key_that_does_not_fit_is_drift),
		TEST(an_endpoint_that_serves_another_certificate_is_named),
		TEST(an_endpoint_that_is_silent_says_why),
		TEST(endpoints_that_were_not_asked_do_not_count),
	};

	return cmocka_run_group_tests(tests, make_certificate, drop_certificate);
}
