/* How long a CA is left alone that gave no advice (RFC 9773 4.3.3), and how near the end
 * of a dns-persist-01 record is. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cert.h"
#include "base/clock.h"
#include "daemon/advice.h"
#include "daemon/persist.h"
#include "daemon/sessions.h"
#include "tests/support/testcert.h"
#include "tests/unit/base/tempdir.h"

#define DAY INT64_C(86400)

static void what_passes_by_itself_is_asked_again_ever_less_often(void **state)
{
	const struct err err = { .kind = ERR_TRANSIENT };

	(void)state;
	assert_int_equal(advice_ask_again_s(&err, 1), 60);
	assert_int_equal(advice_ask_again_s(&err, 2), 120);
	assert_int_equal(advice_ask_again_s(&err, 5), 960);
	assert_int_equal(advice_ask_again_s(&err, 10), 6 * 3600);
	assert_int_equal(advice_ask_again_s(&err, 4000000000u), 6 * 3600);
}

static void a_longer_retry_after_counts_up_to_six_hours(void **state)
{
	struct err err = { .kind = ERR_TRANSIENT, .retry_after_s = 1800 };

	(void)state;
	assert_int_equal(advice_ask_again_s(&err, 1), 1800);
	err.retry_after_s = 1000000;
	assert_int_equal(advice_ask_again_s(&err, 1), 6 * 3600);
}

static void an_answer_that_is_none_waits_six_hours(void **state)
{
	static const enum err_kind kinds[] = { ERR_REFUSED, ERR_IO, ERR_CONFIG };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		err.kind = kinds[i];
		assert_int_equal(advice_ask_again_s(&err, 1), 6 * 3600);
	}
}

static void a_ca_without_advice_is_looked_at_once_a_day(void **state)
{
	const struct err err = { .kind = ERR_NOT_FOUND };

	(void)state;
	assert_int_equal(advice_ask_again_s(&err, 1), DAY);
	assert_int_equal(advice_ask_again_s(&err, 20), DAY);
}

static struct cert *some_certificate(int64_t now)
{
	struct testcert *ca = testcert_ca("Test Root");
	struct testcert *leaf = testcert_leaf(ca, "a.example", now - DAY, now + 60 * DAY);
	char *pem = testcert_fullchain_pem(leaf);
	struct cert *cert;
	struct err err;

	assert_int_equal(cert_parse(pem, strlen(pem), &cert, &err), 0);
	free(pem);
	testcert_free(leaf);
	testcert_free(ca);
	return cert;
}

/* Nobody answers there: each question counts as a failure. */
static void whoever_cannot_remember_the_answer_does_not_ask_again(void **state)
{
	static const struct issuer_config issuer = {
		.name = "ca", .directory = "https://127.0.0.1:1/directory"
	};
	static const char *const names[] = { "ca", NULL };
	char *dir = tempdir_new();
	const struct config config = { .state_dir = dir,
				       .issuers = &issuer,
				       .n_issuers = 1 };
	const struct certificate_config certificate = { .name = "a",
							.issuers = names,
							.follow_ari = true };
	struct sessions *sessions = sessions_new(NULL, NULL);
	struct pipeline_input in = { .config = &config,
				     .certificate = &certificate,
				     .sessions = sessions,
				     .not_saved = true };
	struct pass pass = { .in = &in,
			     .certificate = &certificate,
			     .folder = dir,
			     .have_current = true,
			     .now = clock_wall() };

	(void)state;
	sessions_use(sessions, &config, 1);
	pass.current.cert = some_certificate(pass.now);
	str_copy(pass.job.last_issuer, sizeof(pass.job.last_issuer), "ca");
	pass_ask_advice(&pass);
	assert_int_equal(pass.job.ari_failures, 0);
	in.not_saved = false; /* the disk has room again */
	pass_ask_advice(&pass);
	assert_int_equal(pass.job.ari_failures, 1);
	pass_ask_advice(&pass);
	assert_int_equal(pass.job.ari_failures, 1);
	cert_free(pass.current.cert);
	sessions_free(sessions);
	tempdir_free(dir);
}

static void a_record_that_ends_is_told_at_30_and_at_10_days(void **state)
{
	int64_t now = 1800000000;

	(void)state;
	assert_int_equal(persist_step(CLOCK_NEVER, now), PERSIST_WELL);
	assert_int_equal(persist_step(now + 30 * DAY + 1, now), PERSIST_WELL);
	assert_int_equal(persist_step(now + 30 * DAY, now), PERSIST_SOON);
	assert_int_equal(persist_step(now + 10 * DAY + 1, now), PERSIST_SOON);
	assert_int_equal(persist_step(now + 10 * DAY, now), PERSIST_NEAR);
	assert_int_equal(persist_step(now + 1, now), PERSIST_NEAR);
	assert_int_equal(persist_step(now, now), PERSIST_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_by_itself_is_asked_again_ever_less_often),
		cmocka_unit_test(a_longer_retry_after_counts_up_to_six_hours),
		cmocka_unit_test(an_answer_that_is_none_waits_six_hours),
		cmocka_unit_test(a_ca_without_advice_is_looked_at_once_a_day),
		cmocka_unit_test(whoever_cannot_remember_the_answer_does_not_ask_again),
		cmocka_unit_test(a_record_that_ends_is_told_at_30_and_at_10_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
