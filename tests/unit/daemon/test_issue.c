#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/breaker.h"
#include "daemon/issue.h"
#include "tests/unit/base/tempdir.h"

/* Without the breaker the next step would be to make a key and to ask the CA. */
static void an_order_at_another_ca_does_not_open_the_breaker(void **state)
{
	static const char *const hosts[] = { "a.example", NULL };
	static const char *const names[] = { "first", "second", NULL };
	const struct issuer_config issuers[] = {
		{ .name = "first", .directory = "https://first.example/directory" },
		{ .name = "second", .directory = "https://second.example/directory" },
	};
	char *dir = tempdir_new();
	const struct config config = { .state_dir = dir,
				       .issuers = issuers,
				       .n_issuers = 2 };
	const struct challenge challenge = { .type = HTTP_01, .webroot = dir };
	const struct certificate_config certificate = {
		.name = "a",
		.hosts = hosts,
		.issuers = names,
		.challenges = &challenge,
		.n_challenges = 1,
		.renew_at = { .numerator = 1, .denominator = 3 },
	};
	const struct pipeline_input in = { .config = &config,
					   .certificate = &certificate };
	struct pass pass = { .in = &in,
			     .certificate = &certificate,
			     .folder = dir,
			     .by_hand = true,
			     .now = clock_wall() };
	struct attempt attempt = { .pass = &pass, .issuer = &issuers[1] };
	struct err err;

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(breaker_count(dir, hosts, "second", pass.now, &err), 0);
	str_copy(pass.job.order_url, sizeof(pass.job.order_url),
		 "https://first.example/order/1");
	str_copy(pass.job.order_issuer, sizeof(pass.job.order_issuer), "first");
	str_copy(pass.job.order_directory, sizeof(pass.job.order_directory),
		 issuers[0].directory);
	assert_int_equal(issue_by_acme(&attempt, &err), -1);
	assert_non_null(strstr(err.text, "the circuit breaker is open"));
	assert_null(attempt.key);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_at_another_ca_does_not_open_the_breaker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
