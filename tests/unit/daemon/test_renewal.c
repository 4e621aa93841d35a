#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/renewal.h"

#define DAY(n) ((int64_t)(n)*86400)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct renew_at by_default = { .kind = RENEW_DEFAULT };

/* Issued on day 0, lives 90 days to the second. */
static const struct renewal_facts ninety_days = {
	.present = true,
	.names_match = true,
	.key_type_matches = true,
	.not_before = 0,
	.not_after = DAY(90) - 1,
	.ari_at = NO_ARI,
};

static struct renewal_verdict on_day(int n, struct renewal_facts facts)
{
	return renewal_decide(&facts, &by_default, DAY(n));
}

static struct renewal_facts with_ari_on_day(int n)
{
	struct renewal_facts facts = ninety_days;

	facts.ari_at = DAY(n);
	return facts;
}

static void a_fresh_certificate_is_left_alone_until_its_deadline(void **state)
{
	struct renewal_verdict verdict = on_day(10, ninety_days);

	(void)state;
	assert_int_equal(verdict.reason, NOT_DUE);
	assert_int_equal(verdict.due_at, DAY(60) - 1);
}

static void an_old_certificate_is_due_by_age_from_that_second_on(void **state)
{
	(void)state;
	assert_int_equal(renewal_decide(&ninety_days, &by_default, DAY(60) - 2).reason,
			 NOT_DUE);
	assert_int_equal(renewal_decide(&ninety_days, &by_default, DAY(60) - 1).reason,
			 AGE);
	assert_int_equal(on_day(75, ninety_days).due_at, DAY(60) - 1);
}

static void another_key_in_the_request_and_a_trial_are_due_at_once(void **state)
{
	struct renewal_facts facts = ninety_days;

	(void)state;
	facts.request_changed = true;
	assert_int_equal(on_day(1, facts).reason, REQUEST_CHANGED);
	assert_int_equal(on_day(1, facts).due_at, DAY(1));
	facts = ninety_days;
	facts.from_staging = true;
	assert_int_equal(on_day(1, facts).reason, FROM_STAGING);
}

static void the_CA_may_hurry_us(void **state)
{
	struct renewal_verdict verdict = on_day(10, with_ari_on_day(9));

	(void)state;
	assert_int_equal(verdict.reason, CA_ADVICE);
	assert_int_equal(verdict.due_at, DAY(9));
	assert_int_equal(on_day(8, with_ari_on_day(9)).due_at, DAY(9));
}

static void the_CA_may_not_make_us_late(void **state)
{
	(void)state;
	assert_int_equal(on_day(60, with_ari_on_day(88)).reason, AGE);
	assert_int_equal(on_day(59, with_ari_on_day(88)).due_at, DAY(60) - 1);
}

static void what_is_wrong_with_a_certificate_makes_it_due_at_once(void **state)
{
	static const struct {
		bool present, names, key_type, forced;
		enum renewal_reason reason;
	} rows[] = {
		{ false, true, true, false, MISSING },
		{ false, false, false, true, MISSING },
		{ true, false, true, false, NAMES_CHANGED },
		{ true, false, false, true, NAMES_CHANGED },
		{ true, true, false, false, KEY_TYPE_CHANGED },
		{ true, true, true, true, OPERATOR_ASKED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct renewal_facts facts = ninety_days;
		struct renewal_verdict verdict;

		facts.present = rows[i].present;
		facts.names_match = rows[i].names;
		facts.key_type_matches = rows[i].key_type;
		facts.forced = rows[i].forced;
		verdict = on_day(1, facts);
		assert_int_equal(verdict.reason, rows[i].reason);
		assert_int_equal(verdict.due_at, DAY(1));
	}
}

static void an_expired_certificate_says_so_and_since_when_it_was_due(void **state)
{
	struct renewal_verdict verdict = on_day(90, ninety_days);

	(void)state;
	assert_int_equal(verdict.reason, EXPIRED);
	assert_int_equal(verdict.due_at, DAY(60) - 1);
	assert_int_equal(renewal_decide(&ninety_days, &by_default, DAY(90) - 1).reason,
			 AGE);
}

static void renew_at_is_a_fraction_a_duration_or_a_sensible_default(void **state)
{
	static const struct {
		struct renew_at policy;
		int64_t lifetime, limit;
	} rows[] = {
		{ { .kind = RENEW_DEFAULT }, DAY(90), DAY(60) },
		{ { .kind = RENEW_DEFAULT }, DAY(45), DAY(30) },
		{ { .kind = RENEW_DEFAULT }, DAY(10), DAY(10) - DAY(10) / 3 },
		{ { .kind = RENEW_DEFAULT }, DAY(10) - 2, DAY(5) - 1 },
		{ { .kind = RENEW_DEFAULT }, DAY(6), DAY(3) },
		{ { RENEW_FRACTION, 1, 2, 0 }, DAY(90), DAY(45) },
		{ { RENEW_FRACTION, 2, 3, 0 }, DAY(90), DAY(30) },
		{ { RENEW_FRACTION, 99999999, 100000000, 0 },
		  DAY(36500),
		  DAY(36500) - 3153599968 },
		{ { RENEW_DURATION, 0, 0, DAY(30) }, DAY(398), DAY(368) },
		{ { RENEW_DURATION, 0, 0, DAY(30) }, DAY(90), DAY(60) },
		/* would be due at birth: the default */
		{ { RENEW_DURATION, 0, 0, DAY(30) }, DAY(30), DAY(20) },
		{ { RENEW_DURATION, 0, 0, DAY(30) }, DAY(6), DAY(3) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(renewal_age_limit(&rows[i].policy, 1, rows[i].lifetime),
				 rows[i].limit);
}

static void no_certificate_is_due_at_birth_or_only_after_its_end(void **state)
{
	static const struct renew_at policies[] = {
		{ .kind = RENEW_DEFAULT },         { RENEW_FRACTION, 1, 1000, 0 },
		{ RENEW_FRACTION, 1, 3, 0 },       { RENEW_FRACTION, 999, 1000, 0 },
		{ RENEW_DURATION, 0, 0, 60 },      { RENEW_DURATION, 0, 0, DAY(1) },
		{ RENEW_DURATION, 0, 0, DAY(30) }, { RENEW_DURATION, 0, 0, DAY(1000) },
	};
	int64_t born = 1795231888;

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		for (int64_t lifetime = 120; lifetime < DAY(400); lifetime += 7919) {
			int64_t end = born + lifetime - 1;
			int64_t limit = renewal_age_limit(&policies[i], born, end);

			assert_true(limit > born - 1 && limit <= end);
		}
	}
}

static void dates_that_are_none_are_past_their_limit(void **state)
{
	(void)state;
	assert_int_equal(renewal_age_limit(&by_default, 0, 0), 0);
	assert_int_equal(renewal_age_limit(&by_default, DAY(5), DAY(2)), DAY(2));
}

static void every_reason_has_words_of_its_own(void **state)
{
	(void)state;
	for (int a = NOT_DUE; a <= AGE; a++) {
		assert_true(strlen(renewal_reason_text((enum renewal_reason)a)) > 5);
		for (int b = NOT_DUE; b < a; b++)
			assert_string_not_equal(
				renewal_reason_text((enum renewal_reason)a),
				renewal_reason_text((enum renewal_reason)b));
	}
}

/* Explains on day `n` and expects the sentence. */
static void expect_line(struct renewal_facts facts, struct renew_at policy, int n,
			const char *line)
{
	struct buf out;

	buf_init(&out, 4096);
	renewal_explain(&facts, &policy, DAY(n), &out);
	assert_true(buf_ok(&out));
	if (!strstr(buf_str(&out), line))
		fail_msg("'%s' is not in:\n%s", line, buf_str(&out));
	buf_release(&out);
}

static void explain_gives_every_rule_with_its_date(void **state)
{
	struct renewal_facts forced = ninety_days, missing = { 0 };
	struct renew_at half = { RENEW_FRACTION, 1, 2, 0 };
	struct renew_at month = { RENEW_DURATION, 0, 0, DAY(30) };

	(void)state;
	forced.forced = true;
	expect_line(ninety_days, by_default, 10,
		    "verdict: not due  1970-03-01 23:59 UTC");
	expect_line(ninety_days, by_default, 10, "in 49 d 23 h");
	expect_line(ninety_days, by_default, 10, "default: when 30 d is left");
	expect_line(ninety_days, half, 10, "when 1/2 of the lifetime, 45 d, is left");
	expect_line(ninety_days, month, 10, "when 30 d is left");
	expect_line(ninety_days, by_default, 10, "CA's advice (ARI) none");
	expect_line(with_ari_on_day(9), by_default, 10,
		    "CA's advice (ARI) 1970-01-10 00:00 UTC");
	expect_line(with_ari_on_day(9), by_default, 10, ", 1 d ago");
	expect_line(with_ari_on_day(9), by_default, 10,
		    "verdict: renew    the CA's advice (ARI)");
	expect_line(ninety_days, by_default, 10,
		    "expires           1970-03-31 23:59 UTC");
	expect_line(forced, by_default, 10, "operator          asked");
	expect_line(missing, by_default, 10, "verdict: renew    there is no certificate");
}

static void what_somebody_just_put_there_comes_first(void **state)
{
	struct renewal_facts facts = ninety_days;

	(void)state;
	facts.newer_was_put = true;
	assert_int_equal(on_day(10, facts).reason, NEWER_WAS_PUT);
	assert_int_equal(on_day(100, facts).reason, NEWER_WAS_PUT);
	facts.present = false;
	assert_int_equal(on_day(10, facts).reason, NEWER_WAS_PUT);
}

static void a_lost_key_is_reason_enough(void **state)
{
	struct renewal_facts facts = ninety_days;

	(void)state;
	facts.key_lost = true;
	assert_int_equal(on_day(10, facts).reason, KEY_LOST);
	expect_line(facts, by_default, 10, "key               not in the store any more");
	expect_line(facts, by_default, 10,
		    "verdict: renew    its key is not in the store");
}

static void a_revoked_one_is_due_whatever_else_is_true(void **state)
{
	struct renewal_facts facts = ninety_days;

	(void)state;
	facts.revoked = true;
	assert_int_equal(on_day(10, facts).reason, REVOKED);
	assert_int_equal(on_day(100, facts).reason, REVOKED);
	facts.key_lost = true;
	facts.names_match = false;
	assert_int_equal(on_day(10, facts).reason, REVOKED);
	expect_line(facts, by_default, 10, "revoked           yes");
	expect_line(facts, by_default, 10, "verdict: renew    it was revoked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revoked_one_is_due_whatever_else_is_true),
		cmocka_unit_test(a_lost_key_is_reason_enough),
		cmocka_unit_test(a_fresh_certificate_is_left_alone_until_its_deadline),
		cmocka_unit_test(an_old_certificate_is_due_by_age_from_that_second_on),
		cmocka_unit_test(what_somebody_just_put_there_comes_first),
		cmocka_unit_test(another_key_in_the_request_and_a_trial_are_due_at_once),
		cmocka_unit_test(the_CA_may_hurry_us),
		cmocka_unit_test(the_CA_may_not_make_us_late),
		cmocka_unit_test(what_is_wrong_with_a_certificate_makes_it_due_at_once),
		cmocka_unit_test(
			an_expired_certificate_says_so_and_since_when_it_was_due),
		cmocka_unit_test(renew_at_is_a_fraction_a_duration_or_a_sensible_default),
		cmocka_unit_test(no_certificate_is_due_at_birth_or_only_after_its_end),
		cmocka_unit_test(dates_that_are_none_are_past_their_limit),
		cmocka_unit_test(every_reason_has_words_of_its_own),
		cmocka_unit_test(explain_gives_every_rule_with_its_date),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
