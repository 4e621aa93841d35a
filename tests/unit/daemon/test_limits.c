#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/limits.h"
#include "daemon/limits_json.h"

#define HOUR INT64_C(3600)
#define DAY(n) ((int64_t)(n)*86400)
#define NOW DAY(20000)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define DIRECTORY "https://acme-v02.api.letsencrypt.org/directory"

static const struct limits_ca *ca(void)
{
	return limits_known(DIRECTORY);
}

static void orders(struct limits_history *history, int n, int64_t at)
{
	for (int i = 0; i < n; i++)
		limits_add_order(history, at);
}

static void certificates(struct limits_history *history, int n, const char *const *names,
			 enum limits_order as, int64_t at)
{
	for (int i = 0; i < n; i++)
		limits_add_certificate(history, names, as, at);
}

static int64_t left(const struct limits_history *history, const char *const *names,
		    enum limits_order as, enum limits_rule rule)
{
	struct limits_verdict verdict = limits_decide(ca(), history, names, as, NOW);

	return verdict.counts[rule].applies ? verdict.counts[rule].left : -1;
}

static void lets_encrypt_is_known_by_the_host_of_its_directory(void **state)
{
	(void)state;
	assert_string_equal(ca()->name, "Let's Encrypt");
	assert_string_equal(ca()->dated, "2026-08-05");
	assert_ptr_equal(limits_known("https://ACME-v02.api.letsencrypt.org:443/x"),
			 ca());
	assert_null(limits_known("https://acme-staging-v02.api.letsencrypt.org/dir"));
	assert_null(limits_known(
		"https://ca.example/acme-v02.api.letsencrypt.org/directory"));
	assert_null(limits_known("https://acme-v02.api.letsencrypt.org.evil.example/"));
	assert_null(limits_known("nonsense"));
	assert_null(limits_known(NULL));
}

static void the_published_numbers_are_these(void **state)
{
	const struct limits_bucket *buckets = ca()->buckets;

	(void)state;
	assert_int_equal(buckets[LIMITS_ORDERS].most, 300);
	assert_int_equal(buckets[LIMITS_ORDERS].refill_s, 36);
	assert_int_equal(buckets[LIMITS_DOMAIN].most, 50);
	assert_int_equal(buckets[LIMITS_DOMAIN].most * buckets[LIMITS_DOMAIN].refill_s,
			 DAY(7));
	assert_int_equal(buckets[LIMITS_SAME_NAMES].most, 5);
	assert_int_equal(buckets[LIMITS_SAME_NAMES].refill_s / HOUR, 33); /* "34 h" */
	assert_int_equal(buckets[LIMITS_FAILURES].most, 5);
	assert_int_equal(buckets[LIMITS_FAILURES].refill_s, 720);
	assert_int_equal(buckets[LIMITS_CONSECUTIVE].most, 1152);
}

static void nothing_done_leaves_all_of_it(void **state)
{
	struct limits_history history = { 0 };
	struct limits_verdict verdict = limits_decide(ca(), &history, NAMES("a.example"),
						      LIMITS_FRESH, NOW);

	(void)state;
	assert_true(verdict.allowed);
	for (int i = 0; i < LIMITS_RULES; i++) {
		assert_true(verdict.counts[i].applies);
		assert_int_equal(verdict.counts[i].left, verdict.counts[i].most);
		assert_int_equal(verdict.counts[i].next_at, NOW);
	}
}

static void five_of_the_same_names_are_all_for_34_hours(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("b.example", "a.example");
	struct limits_verdict verdict;

	(void)state;
	certificates(&history, 4, NAMES("a.example", "b.example"), LIMITS_FRESH,
		     NOW - 60);
	assert_true(limits_decide(ca(), &history, names, LIMITS_RENEWAL, NOW).allowed);
	assert_int_equal(left(&history, names, LIMITS_RENEWAL, LIMITS_SAME_NAMES), 1);
	certificates(&history, 1, NAMES("a.example", "b.example"), LIMITS_RENEWAL,
		     NOW - 60);
	verdict = limits_decide(ca(), &history, names, LIMITS_RENEWAL, NOW);
	assert_false(verdict.allowed);
	assert_int_equal(verdict.retry_at, NOW - 60 + DAY(7) / 5);
	assert_string_equal(verdict.text,
			    "Let's Encrypt allows 5 certificates of exactly these names "
			    "in 7 d, and has had them from us");
	assert_int_equal(verdict.nearest, LIMITS_SAME_NAMES);
	assert_true(limits_decide(ca(), &history, names, LIMITS_RENEWAL, verdict.retry_at)
			    .allowed);
	assert_false(
		limits_decide(ca(), &history, names, LIMITS_RENEWAL, verdict.retry_at - 1)
			.allowed);
	assert_true(limits_decide(ca(), &history, NAMES("a.example"), LIMITS_FRESH, NOW)
			    .allowed);
	limits_history_clear(&history);
}

static void with_replaces_no_limit_counts(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("a.example");
	struct limits_verdict verdict;

	(void)state;
	certificates(&history, 60, names, LIMITS_FRESH, NOW - 60);
	orders(&history, 400, NOW - 60);
	for (int i = 0; i < 10; i++)
		limits_add_failure(&history, "a.example", NOW - 60);
	verdict = limits_decide(ca(), &history, names, LIMITS_ARI, NOW);
	assert_true(verdict.allowed);
	assert_int_equal(verdict.nearest, LIMITS_RULES);
	assert_false(limits_decide(ca(), &history, names, LIMITS_RENEWAL, NOW).allowed);
	limits_history_clear(&history);
}

static void certificates_by_ari_count_for_nothing_later(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("a.example");

	(void)state;
	certificates(&history, 10, names, LIMITS_ARI, NOW - 60);
	assert_int_equal(left(&history, names, LIMITS_FRESH, LIMITS_SAME_NAMES), 5);
	assert_int_equal(left(&history, names, LIMITS_FRESH, LIMITS_DOMAIN), 50);
	limits_history_clear(&history);
}

static void renewals_are_exempt_from_orders_and_domains_only(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("a.example");

	(void)state;
	orders(&history, 300, NOW);
	certificates(&history, 3, names, LIMITS_RENEWAL, NOW - 60);
	assert_false(limits_decide(ca(), &history, names, LIMITS_FRESH, NOW).allowed);
	assert_true(limits_decide(ca(), &history, names, LIMITS_RENEWAL, NOW).allowed);
	assert_int_equal(left(&history, names, LIMITS_RENEWAL, LIMITS_ORDERS), -1);
	assert_int_equal(left(&history, names, LIMITS_RENEWAL, LIMITS_DOMAIN), -1);
	assert_int_equal(left(&history, names, LIMITS_RENEWAL, LIMITS_SAME_NAMES), 2);
	assert_int_equal(left(&history, names, LIMITS_FRESH, LIMITS_DOMAIN), 50);
	limits_history_clear(&history);
}

static void three_hundred_orders_refill_one_in_36_seconds(void **state)
{
	struct limits_history history = { 0 };
	struct limits_verdict verdict;

	(void)state;
	orders(&history, 300, NOW - 35);
	verdict = limits_decide(ca(), &history, NAMES("a.example"), LIMITS_FRESH, NOW);
	assert_false(verdict.allowed);
	assert_int_equal(verdict.retry_at, NOW + 1);
	assert_non_null(strstr(verdict.text, "allows 300 new orders of the account in 3 h"
					     ", and has had them from us"));
	assert_int_equal(limits_decide(ca(), &history, NAMES("a.example"), LIMITS_FRESH,
				       NOW + HOUR)
				 .counts[LIMITS_ORDERS]
				 .left,
			 100);
	limits_history_clear(&history);
}

static void five_failures_of_one_name_hold_back_what_has_it(void **state)
{
	struct limits_history history = { 0 };
	struct limits_verdict verdict;

	(void)state;
	for (int i = 0; i < 5; i++)
		limits_add_failure(&history, "bad.example", NOW - 100);
	verdict = limits_decide(ca(), &history, NAMES("a.example", "bad.example"),
				LIMITS_FRESH, NOW);
	assert_false(verdict.allowed);
	assert_int_equal(verdict.retry_at, NOW - 100 + 720);
	assert_string_equal(verdict.text,
			    "Let's Encrypt allows 5 failed validations of a name in 1 h "
			    "('bad.example'), and has had them from us");
	assert_true(limits_decide(ca(), &history, NAMES("a.example"), LIMITS_FRESH, NOW)
			    .allowed);
	limits_history_clear(&history);
}

/* 10 a day: paused after 128 days, as the CA reckons; a success forgives. */
static void failures_in_a_row_add_up_until_a_success(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("a.example");
	struct limits_verdict verdict;

	(void)state;
	for (int64_t i = 0; i < 1280; i++)
		limits_add_failure(&history, "a.example",
				   NOW - DAY(128) + i * DAY(1) / 10);
	verdict = limits_decide(ca(), &history, names, LIMITS_FRESH, NOW);
	assert_true(verdict.counts[LIMITS_CONSECUTIVE].left <= 1);
	assert_true(verdict.allowed || verdict.counts[LIMITS_FAILURES].left == 0);
	limits_forgive(&history, names);
	assert_int_equal(left(&history, names, LIMITS_FRESH, LIMITS_CONSECUTIVE), 1152);
	limits_history_clear(&history);
}

/* Which domain the CA counts for can only be guessed, and others have it too. */
static void a_domain_is_counted_but_never_vetoed(void **state)
{
	struct limits_history history = { 0 };
	char name[64];
	struct limits_verdict verdict;

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d.shop.example", i);
		certificates(&history, 1, NAMES(name), LIMITS_FRESH, NOW);
	}
	verdict = limits_decide(ca(), &history, NAMES("new.shop.example"), LIMITS_FRESH,
				NOW);
	assert_true(verdict.allowed);
	assert_int_equal(verdict.counts[LIMITS_DOMAIN].left, 0);
	assert_string_equal(verdict.counts[LIMITS_DOMAIN].about, "shop.example");
	assert_int_equal(verdict.counts[LIMITS_DOMAIN].next_at, NOW + DAY(7) / 50);
	assert_int_equal(verdict.nearest, LIMITS_DOMAIN);
	assert_int_equal(
		left(&history, NAMES("other.example"), LIMITS_FRESH, LIMITS_DOMAIN), 50);
	limits_history_clear(&history);
}

static void the_domain_of_a_name_is_its_last_labels(void **state)
{
	static const char *const rows[][2] = {
		{ "example.com", "example.com" },
		{ "a.b.example.com", "example.com" },
		{ "*.example.com", "example.com" },
		{ "a.example.co.uk", "example.co.uk" },
		{ "example.co.uk", "example.co.uk" },
		{ "www.example.de", "example.de" },
		{ "localhost", "localhost" },
		{ "192.0.2.7", "192.0.2.7" },
		{ "2001:db8::1", "2001:db8::1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(limits_domain(rows[i][0]), rows[i][1]);
}

static void of_an_unknown_ca_only_its_own_words_count(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("a.example");
	struct limits_verdict verdict;

	(void)state;
	orders(&history, 1000, NOW);
	certificates(&history, 100, names, LIMITS_FRESH, NOW);
	verdict = limits_decide(NULL, &history, names, LIMITS_FRESH, NOW);
	assert_true(verdict.allowed);
	assert_int_equal(verdict.nearest, LIMITS_RULES);
	limits_add_wait(&history, NULL, NOW + 100, NOW - 5, "rateLimited: go away");
	verdict = limits_decide(NULL, &history, names, LIMITS_ARI, NOW);
	assert_false(verdict.allowed);
	assert_int_equal(verdict.retry_at, NOW + 100);
	assert_non_null(strstr(verdict.text, "the CA said on "));
	assert_non_null(strstr(verdict.text, ": rateLimited: go away"));
	assert_true(limits_decide(NULL, &history, names, LIMITS_ARI, NOW + 100).allowed);
	limits_history_clear(&history);
}

static void a_wait_for_names_holds_back_no_others(void **state)
{
	struct limits_history history = { 0 };

	(void)state;
	limits_add_wait(&history, NAMES("b.example", "a.example"), NOW + 100, NOW, "no");
	assert_false(limits_decide(NULL, &history, NAMES("a.example", "b.example"),
				   LIMITS_FRESH, NOW)
			     .allowed);
	assert_true(limits_decide(NULL, &history, NAMES("a.example"), LIMITS_FRESH, NOW)
			    .allowed);
	limits_history_clear(&history);
}

static void the_longest_of_several_vetoes_counts(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("a.example");
	struct limits_verdict verdict;

	(void)state;
	certificates(&history, 5, names, LIMITS_RENEWAL, NOW);
	limits_add_wait(&history, NULL, NOW + 100, NOW, "soon");
	verdict = limits_decide(ca(), &history, names, LIMITS_RENEWAL, NOW);
	assert_int_equal(verdict.retry_at, NOW + DAY(7) / 5);
	assert_non_null(strstr(verdict.text, "exactly these names"));
	limits_history_clear(&history);
}

static void instants_from_a_clock_that_was_wrong_do_not_block_for_ever(void **state)
{
	struct limits_history history = { 0 };
	const char *const *names = NAMES("a.example");

	(void)state;
	certificates(&history, 9, names, LIMITS_RENEWAL, NOW + DAY(400));
	orders(&history, 900, NOW + DAY(400));
	limits_add_wait(&history, NULL, NOW + DAY(401), NOW + DAY(400), "later");
	assert_true(limits_decide(ca(), &history, names, LIMITS_FRESH, NOW).allowed);
	limits_history_clear(&history);
}

/* ---- what the CA says ------------------------------------------------------- */

#define SEE ": see https://letsencrypt.org/docs/rate-limits/#x"

static void lets_encrypts_sentences_say_who_has_to_wait_and_until_when(void **state)
{
	static const struct {
		const char *text;
		bool about_names;
	} rows[] = {
		{ "newOrder: rateLimited: too many new orders (300) from this account in "
		  "the last 3h0m0s, retry after 2026-11-21 12:00:01 UTC" SEE,
		  false },
		{ "rateLimited: too many certificates (50) already issued for "
		  "\"example.com\" in the last 168h0m0s, retry after 2026-11-21 12:00:01 "
		  "UTC" SEE,
		  true },
		{ "rateLimited: too many certificates (5) already issued for this exact "
		  "set of identifiers in the last 168h0m0s, retry after 2026-11-21 "
		  "12:00:01 UTC" SEE,
		  true },
		{ "rateLimited: too many failed authorizations (5) for "
		  "\"www.example.com\" in the last 1h0m0s, retry after 2026-11-21 "
		  "12:00:01 UTC" SEE,
		  true },
	};
	struct limits_refusal refusal;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		refusal = limits_hear(rows[i].text, NAMES("www.example.com"));
		assert_non_null(refusal.text);
		assert_true(str_starts(refusal.text, "rateLimited: "));
		assert_int_equal(refusal.until, INT64_C(1795262401));
		assert_int_equal(refusal.about_names, rows[i].about_names);
	}
}

static void a_name_in_our_own_words_is_not_the_cas(void **state)
{
	const char *text = "authorize 'a.example': rateLimited: slow down";

	(void)state;
	assert_false(limits_hear(text, NAMES("a.example")).about_names);
	assert_int_equal(limits_hear(text, NAMES("a.example")).until, 0);
}

static void an_answer_without_a_problem_is_the_accounts(void **state)
{
	struct limits_refusal refusal = limits_hear(
		"newOrder: 'https://ca.example/new' answered 503 with text/html, not an "
		"ACME problem",
		NAMES("a.test"));

	(void)state;
	assert_string_equal(refusal.text,
			    "answered 503 with text/html, not an ACME problem");
	assert_false(refusal.about_names);
}

static void other_failures_ask_nobody_to_wait(void **state)
{
	(void)state;
	assert_null(limits_hear("unauthorized: no", NAMES("a.example")).text);
	assert_null(
		limits_hear("the order is still processing", NAMES("a.example")).text);
	assert_null(limits_hear("", NAMES("a.example")).text);
	assert_int_equal(limits_hear("rateLimited: retry after tomorrow or the day after",
				     NAMES("a.example"))
				 .until,
			 0);
	assert_int_equal(limits_hear("rateLimited: retry after", NAMES("a.test")).until,
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_encrypt_is_known_by_the_host_of_its_directory),
		cmocka_unit_test(the_published_numbers_are_these),
		cmocka_unit_test(nothing_done_leaves_all_of_it),
		cmocka_unit_test(five_of_the_same_names_are_all_for_34_hours),
		cmocka_unit_test(with_replaces_no_limit_counts),
		cmocka_unit_test(certificates_by_ari_count_for_nothing_later),
		cmocka_unit_test(renewals_are_exempt_from_orders_and_domains_only),
		cmocka_unit_test(three_hundred_orders_refill_one_in_36_seconds),
		cmocka_unit_test(five_failures_of_one_name_hold_back_what_has_it),
		cmocka_unit_test(failures_in_a_row_add_up_until_a_success),
		cmocka_unit_test(a_domain_is_counted_but_never_vetoed),
		cmocka_unit_test(the_domain_of_a_name_is_its_last_labels),
		cmocka_unit_test(of_an_unknown_ca_only_its_own_words_count),
		cmocka_unit_test(a_wait_for_names_holds_back_no_others),
		cmocka_unit_test(the_longest_of_several_vetoes_counts),
		cmocka_unit_test(
			instants_from_a_clock_that_was_wrong_do_not_block_for_ever),
		cmocka_unit_test(
			lets_encrypts_sentences_say_who_has_to_wait_and_until_when),
		cmocka_unit_test(a_name_in_our_own_words_is_not_the_cas),
		cmocka_unit_test(an_answer_without_a_problem_is_the_accounts),
		cmocka_unit_test(other_failures_ask_nobody_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
