/* When the next issuer is asked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/failover.h"

#define DAY INT64_C(86400)

/* A CA that is asked for the first time, with a third of 90 days left. */
static struct failover_facts facts_of(struct err *err, enum err_kind kind,
				      const char *text)
{
	err_set(err, kind, "%s", text);
	return (struct failover_facts){
		.err = err,
		.at_ca = true,
		.failover_after = 3,
		.lifetime_s = 90 * DAY,
		.remaining_s = 30 * DAY,
	};
}

static void an_outage_asks_the_next_at_once(void **state)
{
	struct err err;
	struct failover_facts facts = facts_of(&err, ERR_TRANSIENT, "HTTP 503");
	struct failover_verdict verdict = failover_decide(&facts);

	(void)state;
	assert_true(verdict.next);
	assert_false(verdict.refusal);
	facts = facts_of(&err, ERR_IO, "cannot connect");
	assert_true(failover_decide(&facts).next);
}

static void a_refusal_asks_the_next_after_so_many_in_a_row(void **state)
{
	struct err err;
	struct failover_facts facts = facts_of(&err, ERR_REFUSED, "rejectedIdentifier");
	struct failover_verdict verdict = failover_decide(&facts);

	(void)state;
	assert_true(verdict.refusal);
	assert_false(verdict.next);
	assert_int_equal(verdict.more, 2);
	facts.refusals = 1;
	assert_false(failover_decide(&facts).next);
	facts.refusals = 2;
	verdict = failover_decide(&facts);
	assert_true(verdict.next);
	assert_true(verdict.refusal);
	facts.refusals = 0;
	facts.failover_after = 1;
	assert_true(failover_decide(&facts).next);
}

static void what_only_the_operator_can_repair_is_a_refusal(void **state)
{
	struct err err;
	struct failover_facts facts = facts_of(&err, ERR_CONFIG, "agree to the terms");

	(void)state;
	assert_true(failover_decide(&facts).refusal);
	assert_false(failover_decide(&facts).next);
}

static void a_challenge_that_failed_is_a_refusal_whatever_the_cause(void **state)
{
	struct err err;
	struct failover_facts facts = facts_of(&err, ERR_TRANSIENT, "challenge failed");

	(void)state;
	facts.challenged = true;
	assert_true(failover_decide(&facts).refusal);
}

static void who_has_no_time_left_goes_on_at_once(void **state)
{
	struct err err;
	struct failover_facts facts = facts_of(&err, ERR_REFUSED, "no");

	(void)state;
	facts.remaining_s = 9 * DAY + 1;
	assert_false(failover_decide(&facts).next);
	facts.remaining_s = 9 * DAY;
	assert_true(failover_decide(&facts).next);
	facts.remaining_s = -5;
	assert_true(failover_decide(&facts).next);
	facts.lifetime_s = facts.remaining_s = 0; /* there is none yet */
	assert_true(failover_decide(&facts).next);
}

static void a_rate_limit_that_ends_in_time_is_waited_for(void **state)
{
	struct err err;
	struct failover_facts facts = facts_of(&err, ERR_TRANSIENT,
					       "rateLimited: too many orders");

	(void)state;
	err.retry_after_s = 3600;
	assert_false(failover_decide(&facts).next);
	err.retry_after_s = 22 * DAY; /* into the last tenth */
	assert_true(failover_decide(&facts).next);
	assert_false(failover_decide(&facts).refusal);
	facts = facts_of(&err, ERR_TRANSIENT, "not asked before tomorrow");
	facts.limited = true;
	err.retry_after_s = 3600;
	assert_false(failover_decide(&facts).next);
}

static void who_was_not_asked_has_refused_nothing(void **state)
{
	struct err err;
	struct failover_facts facts = facts_of(&err, ERR_REFUSED, "CAA forbids it");

	(void)state;
	facts.skipped = true;
	assert_true(failover_decide(&facts).next);
	assert_false(failover_decide(&facts).refusal);
	facts = facts_of(&err, ERR_NOT_FOUND, "nobody has put one there");
	facts.at_ca = false;
	assert_true(failover_decide(&facts).next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outage_asks_the_next_at_once),
		cmocka_unit_test(a_refusal_asks_the_next_after_so_many_in_a_row),
		cmocka_unit_test(what_only_the_operator_can_repair_is_a_refusal),
		cmocka_unit_test(a_challenge_that_failed_is_a_refusal_whatever_the_cause),
		cmocka_unit_test(who_has_no_time_left_goes_on_at_once),
		cmocka_unit_test(a_rate_limit_that_ends_in_time_is_waited_for),
		cmocka_unit_test(who_was_not_asked_has_refused_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
