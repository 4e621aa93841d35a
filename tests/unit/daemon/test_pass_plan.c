/* What a pass knows at its end, and when the certificate is looked at again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "daemon/pass.h"
#include "tests/support/testcert.h"
#include "tests/unit/base/tempdir.h"

#define LATER_S 1000 /* when the back-off ends */

static const char *const hosts[] = { "a.example", NULL };
static const char *const issuers[] = { NULL };

struct plan {
	char *dir;
	struct config config;
	struct certificate_config certificate;
	struct pipeline_input in;
	struct pipeline_outcome out;
	struct pass pass;
	int64_t now;
};

/* In place, looked at now, ending in `left_s`; its renewal failed a moment ago. */
static void set_up(struct plan *plan, int64_t left_s)
{
	struct testcert *made;

	memset(plan, 0, sizeof(*plan));
	plan->now = clock_wall();
	plan->dir = tempdir_new();
	made = testcert_new(
		&(struct testcert_spec){ .names = hosts,
					 .not_before_at = plan->now - 86400,
					 .not_after_at = plan->now + left_s });
	plan->config = (struct config){ .state_dir = plan->dir,
					.inspect_files_every_s = 3600,
					.inspect_endpoints_every_s = 3600 };
	plan->certificate = (struct certificate_config){ .name = "a",
							 .hosts = hosts,
							 .issuers = issuers };
	plan->in = (struct pipeline_input){ .config = &plan->config,
					    .certificate = &plan->certificate };
	plan->pass = (struct pass){ .in = &plan->in,
				    .out = &plan->out,
				    .certificate = &plan->certificate,
				    .folder = plan->dir,
				    .have_current = true,
				    .now = plan->now };
	plan->pass.current.cert = cert_from_x509(made->x509, NULL);
	plan->pass.state.retired = true;
	plan->pass.job.inspected_files_at = plan->now;
	plan->pass.job.renewal = (struct failures){ .count = 1,
						    .next_at = plan->now + LATER_S };
	testcert_free(made);
}

static void tear_down(struct plan *plan)
{
	cert_free(plan->pass.current.cert);
	tempdir_free(plan->dir);
}

static void its_end_is_not_slept_through_by_a_back_off(void **state)
{
	struct plan plan;

	(void)state;
	set_up(&plan, 100);
	pass_plan_next(&plan.pass);
	assert_string_equal(plan.out.next_why, "expiry");
	assert_true(cert_has_expired(plan.pass.current.cert, plan.out.next_at));
	assert_false(cert_has_expired(plan.pass.current.cert, plan.out.next_at - 1));
	tear_down(&plan);
}

static void a_round_that_was_under_way_at_its_end_is_followed_by_one_at_once(void **state)
{
	struct plan plan;

	(void)state;
	set_up(&plan, -5);
	pass_plan_next(&plan.pass);
	assert_string_equal(plan.out.next_why, "renewal");
	assert_in_range(plan.out.next_at, plan.now, plan.now + 30);
	plan.pass.job.rounds_since_expiry = 1; /* and then by the back-off */
	pass_plan_next(&plan.pass);
	assert_int_equal(plan.out.next_at, plan.now + LATER_S);
	tear_down(&plan);
}

static void
a_deploy_that_failed_where_all_is_in_place_is_looked_at_once_more(void **state)
{
	struct plan plan;

	(void)state;
	set_up(&plan, 86400);
	plan.pass.job.deployment = (struct failures){ .count = 1,
						      .next_at = plan.now + 60 };
	pass_plan_next(&plan.pass);
	assert_int_equal(plan.out.next_at, plan.now + 60);
	assert_string_equal(plan.out.next_why, "inspection");
	plan.pass.job.inspected_files_at = plan.now + 60;
	pass_plan_next(&plan.pass);
	assert_int_equal(plan.out.next_at, plan.now + LATER_S);
	tear_down(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_end_is_not_slept_through_by_a_back_off),
		cmocka_unit_test(
			a_round_that_was_under_way_at_its_end_is_followed_by_one_at_once),
		cmocka_unit_test(
			a_deploy_that_failed_where_all_is_in_place_is_looked_at_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
