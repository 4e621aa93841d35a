#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/expired.h"

#define DAY(n) ((int64_t)(n)*86400)
#define EXPIRY DAY(20000)

/* Every rung has been climbed: a day after expiry only the fallback is left. */
static const struct expired_facts exhausted = {
	.present = true,
	.not_after = EXPIRY,
	.renewals_failed = 1,
	.clock_trusted = true,
	.when_expired = EXPIRED_HTTP,
	.mode = MODE_HTTPS,
};

static enum expired_step step(struct expired_facts facts)
{
	return expired_decide(&facts, EXPIRY + DAY(1)).step;
}

static void nothing_happens_before_the_certificate_has_expired(void **state)
{
	(void)state;
	assert_int_equal(expired_decide(&exhausted, EXPIRY).step, LADDER_NONE);
	assert_int_equal(expired_decide(&exhausted, EXPIRY - DAY(5)).step, LADDER_NONE);
	assert_int_equal(expired_decide(&exhausted, EXPIRY + 1).step, LADDER_FALLBACK);
}

static void nothing_happens_where_nothing_was_deployed(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.present = false;
	facts.not_after = 0;
	assert_int_equal(step(facts), LADDER_NONE);
}

static void all_issuers_are_asked_once_more_before_the_fallback(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.renewals_failed = 0;
	assert_int_equal(step(facts), LADDER_RENEW);
	facts.renewals_failed = 1;
	assert_int_equal(step(facts), LADDER_FALLBACK);
}

static void a_certificate_at_hand_is_tried_three_times_before_the_fallback(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.fresh_at_hand = true;
	for (facts.deploys_failed = 0; facts.deploys_failed < 3; facts.deploys_failed++)
		assert_int_equal(step(facts), LADDER_DEPLOY);
	assert_int_equal(step(facts), LADDER_FALLBACK);
	facts.renewals_failed = 0; /* there is one: nobody needs to be asked */
	assert_int_equal(step(facts), LADDER_FALLBACK);
}

static void keep_goes_on_trying_and_never_falls_back(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.when_expired = EXPIRED_KEEP;
	facts.renewals_failed = 1000;
	assert_int_equal(step(facts), LADDER_RENEW);
	facts.fresh_at_hand = true;
	facts.deploys_failed = 1000;
	assert_int_equal(step(facts), LADDER_DEPLOY);
}

static void no_fallback_on_an_unconfirmed_clock(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.clock_trusted = false;
	assert_int_equal(step(facts), LADDER_NO_CLOCK);
	facts.renewals_failed = 0; /* the rungs below are climbed all the same */
	assert_int_equal(step(facts), LADDER_RENEW);
}

static void an_operators_target_is_left_alone(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.mode = MODE_OPERATOR;
	assert_int_equal(step(facts), LADDER_NONE);
}

static void on_plain_http_the_way_back_is_tried_without_end(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.mode = MODE_FALLBACK;
	facts.renewals_failed = 1000;
	assert_int_equal(step(facts), LADDER_RENEW);
	facts.clock_trusted = false;
	assert_int_equal(step(facts), LADDER_RENEW);
	facts.fresh_at_hand = true;
	facts.deploys_failed = 1000;
	assert_int_equal(step(facts), LADDER_DEPLOY);
}

static void an_older_certificate_comes_before_plain_http(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.older_at_hand = true;
	assert_int_equal(step(facts), LADDER_OLDER);
	facts.clock_trusted = false; /* nothing is given up by that */
	facts.when_expired = EXPIRED_KEEP;
	assert_int_equal(step(facts), LADDER_OLDER);
	facts.renewals_failed = 0; /* the issuers come first */
	assert_int_equal(step(facts), LADDER_RENEW);
	facts.renewals_failed = 1;
	facts.fresh_at_hand = true; /* and so does the newest at hand */
	assert_int_equal(step(facts), LADDER_DEPLOY);
	facts.deploys_failed = EXPIRED_DEPLOYS;
	assert_int_equal(step(facts), LADDER_OLDER);
	facts.mode = MODE_FALLBACK;
	assert_int_equal(step(facts), LADDER_DEPLOY);
}

static void a_service_stopped_by_its_admin_does_not_fall_back(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.stopped = true;
	assert_int_equal(step(facts), LADDER_STOPPED);
	facts.clock_trusted = false;
	assert_int_equal(step(facts), LADDER_NO_CLOCK);
}

static void plain_http_that_did_not_come_up_waits_for_its_back_off(void **state)
{
	struct expired_facts facts = exhausted;

	(void)state;
	facts.fallback_again_at = EXPIRY + DAY(1) + 1;
	assert_int_equal(step(facts), LADDER_LATER);
	facts.fallback_again_at = EXPIRY + DAY(1);
	assert_int_equal(step(facts), LADDER_FALLBACK);
}

/* Every combination of the facts. */
static struct expired_facts combination(unsigned bits)
{
	return (struct expired_facts){
		.present = bits & 1,
		.not_after = EXPIRY,
		.renewals_failed = bits >> 1 & 1,
		.fresh_at_hand = bits >> 2 & 1,
		.deploys_failed = bits >> 3 & 3,
		.clock_trusted = bits >> 5 & 1,
		.when_expired = bits >> 6 & 1 ? EXPIRED_HTTP : EXPIRED_KEEP,
		.older_at_hand = bits >> 7 & 1,
		.stopped = bits >> 8 & 1,
		.fallback_again_at = bits >> 9 & 1 ? EXPIRY + 2 : 0,
		.mode = (enum target_mode)((bits >> 10) % 3),
	};
}

static void whatever_the_facts_a_fallback_has_all_its_conditions(void **state)
{
	unsigned fallbacks = 0;

	(void)state;
	for (unsigned bits = 0; bits < 3 * 1024; bits++) {
		struct expired_facts facts = combination(bits);
		struct expired_verdict verdict = expired_decide(&facts, EXPIRY + 1);

		assert_true(strlen(verdict.why) > 5);
		if (verdict.step != LADDER_FALLBACK)
			continue;
		fallbacks++;
		assert_true(facts.present && facts.clock_trusted && !facts.stopped);
		assert_true(!facts.older_at_hand && !facts.fallback_again_at);
		assert_int_equal(facts.when_expired, EXPIRED_HTTP);
		assert_int_equal(facts.mode, MODE_HTTPS);
		assert_true(facts.fresh_at_hand ? facts.deploys_failed >= 3
						: facts.renewals_failed >= 1);
	}
	assert_true(fallbacks > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happens_before_the_certificate_has_expired),
		cmocka_unit_test(nothing_happens_where_nothing_was_deployed),
		cmocka_unit_test(all_issuers_are_asked_once_more_before_the_fallback),
		cmocka_unit_test(
			a_certificate_at_hand_is_tried_three_times_before_the_fallback),
		cmocka_unit_test(keep_goes_on_trying_and_never_falls_back),
		cmocka_unit_test(an_older_certificate_comes_before_plain_http),
		cmocka_unit_test(a_service_stopped_by_its_admin_does_not_fall_back),
		cmocka_unit_test(plain_http_that_did_not_come_up_waits_for_its_back_off),
		cmocka_unit_test(no_fallback_on_an_unconfirmed_clock),
		cmocka_unit_test(an_operators_target_is_left_alone),
		cmocka_unit_test(on_plain_http_the_way_back_is_tried_without_end),
		cmocka_unit_test(whatever_the_facts_a_fallback_has_all_its_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
