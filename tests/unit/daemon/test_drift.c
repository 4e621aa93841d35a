/* What counts as drift, what is put back and when, and what is an operator's decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/drift.h"
#include "daemon/healing.h"

#define NOW ((int64_t)1795000000)
#define HOUR 3600
#define DAY DRIFT_RESTART_EVERY_S

/* Everything as we left it, and seen serving. */
static const struct drift_facts in_order = {
	.mode = MODE_HTTPS,
	.file = DRIFT_FILE_RIGHT,
	.store = DRIFT_STORE_RIGHT,
	.served = DRIFT_SERVED_RIGHT,
};

static struct drift_facts facts;

static int set_up(void **state)
{
	(void)state;
	facts = in_order;
	return 0;
}

static enum drift_action action(void)
{
	return drift_decide(&facts, NOW).action;
}

static void what_each_look_of_tls_json_means(void **state)
{
	static const enum drift_action expected[] = {
		[DRIFT_FILE_NONE] = DRIFT_NONE,
		[DRIFT_FILE_RIGHT] = DRIFT_NONE,
		[DRIFT_FILE_BEFORE] = DRIFT_HEAL,
		[DRIFT_FILE_REMOVED] = DRIFT_OPERATOR,
		[DRIFT_FILE_OFF] = DRIFT_OPERATOR,
		[DRIFT_FILE_CHOSEN] = DRIFT_OPERATOR,
		[DRIFT_FILE_INVALID] = DRIFT_REPORT,
		[DRIFT_FILE_UNREADABLE] = DRIFT_REPORT,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		facts.file = (enum drift_file)i;
		assert_int_equal(action(), expected[i]);
	}
}

static void what_each_look_of_the_store_means(void **state)
{
	static const enum drift_action expected[] = {
		[DRIFT_STORE_RIGHT] = DRIFT_NONE,     [DRIFT_STORE_LOST] = DRIFT_HEAL,
		[DRIFT_STORE_BEFORE] = DRIFT_HEAL,    [DRIFT_STORE_OTHER] = DRIFT_REPORT,
		[DRIFT_STORE_UNKNOWN] = DRIFT_REPORT,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		facts.store = (enum drift_store)i;
		assert_int_equal(action(), expected[i]);
	}
}

static void what_each_look_of_settings_and_endpoints_means(void **state)
{
	static const enum drift_action settings[] = {
		[DRIFT_SETTINGS_RIGHT] = DRIFT_NONE,
		[DRIFT_SETTINGS_BEFORE] = DRIFT_HEAL,
		[DRIFT_SETTINGS_OTHER] = DRIFT_REPORT,
	};
	static const enum drift_action served[] = {
		[DRIFT_SERVED_UNKNOWN] = DRIFT_NONE,
		[DRIFT_SERVED_RIGHT] = DRIFT_NONE,
		[DRIFT_SERVED_BEFORE] = DRIFT_HEAL,
		[DRIFT_SERVED_OTHER] = DRIFT_REPORT,
		[DRIFT_SERVED_NOTHING] = DRIFT_REPORT,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		facts.settings = (enum drift_settings)i;
		assert_int_equal(action(), settings[i]);
	}
	facts = in_order;
	for (size_t i = 0; i < sizeof(served) / sizeof(*served); i++) {
		facts.served = (enum drift_served)i;
		assert_int_equal(action(), served[i]);
	}
}

static void nothing_is_put_back_in_any_other_mode(void **state)
{
	(void)state;
	facts.file = DRIFT_FILE_BEFORE;
	facts.store = DRIFT_STORE_LOST;
	facts.mode = MODE_OPERATOR;
	assert_int_equal(action(), DRIFT_NONE);
	facts.mode = MODE_FALLBACK;
	assert_int_equal(action(), DRIFT_NONE);
}

static void an_operators_decision_comes_before_what_could_be_healed(void **state)
{
	(void)state;
	facts.store = DRIFT_STORE_LOST;
	facts.served = DRIFT_SERVED_BEFORE;
	facts.file = DRIFT_FILE_OFF;
	assert_int_equal(action(), DRIFT_OPERATOR);
	facts.file = DRIFT_FILE_UNREADABLE;
	assert_int_equal(action(), DRIFT_REPORT);
	facts.file = DRIFT_FILE_BEFORE;
	facts.store = DRIFT_STORE_OTHER;
	assert_int_equal(action(), DRIFT_REPORT);
}

static void files_are_healed_before_silence_is_only_told(void **state)
{
	struct drift_verdict verdict;

	(void)state;
	facts.store = DRIFT_STORE_LOST;
	facts.served = DRIFT_SERVED_NOTHING;
	verdict = drift_decide(&facts, NOW);
	assert_int_equal(verdict.action, DRIFT_HEAL);
	assert_int_equal(verdict.place, DRIFT_IN_STORE);
	assert_true(verdict.restart);
}

static void what_is_served_needs_no_restart(void **state)
{
	(void)state;
	facts.file = DRIFT_FILE_BEFORE;
	assert_false(drift_decide(&facts, NOW).restart);
	facts.served = DRIFT_SERVED_UNKNOWN;
	assert_true(drift_decide(&facts, NOW).restart);
}

static void a_stopped_service_is_neither_restarted_nor_missed(void **state)
{
	(void)state;
	facts.stopped = true;
	facts.served = DRIFT_SERVED_UNKNOWN;
	facts.restarted_at = NOW - HOUR;
	facts.file = DRIFT_FILE_BEFORE;
	assert_int_equal(action(), DRIFT_HEAL);
	assert_false(drift_decide(&facts, NOW).restart);
	facts = in_order;
	facts.stopped = true;
	facts.served = DRIFT_SERVED_NOTHING;
	assert_int_equal(action(), DRIFT_NONE);
}

static void there_is_one_restart_a_day(void **state)
{
	struct drift_verdict verdict;

	(void)state;
	facts.served = DRIFT_SERVED_BEFORE;
	facts.restarted_at = NOW - DAY + 1;
	verdict = drift_decide(&facts, NOW);
	assert_int_equal(verdict.action, DRIFT_LATER);
	assert_int_equal(verdict.at, NOW + 1);
	assert_int_equal(drift_decide(&facts, NOW + 1).action, DRIFT_HEAL);
	/* What needs none does not wait for it. */
	facts = in_order;
	facts.store = DRIFT_STORE_LOST;
	facts.restarted_at = NOW - 1;
	assert_int_equal(action(), DRIFT_HEAL);
}

static void a_restart_in_the_future_is_a_clocks_mistake(void **state)
{
	(void)state;
	facts.served = DRIFT_SERVED_BEFORE;
	facts.restarted_at = NOW + 10 * 365 * DAY;
	assert_int_equal(action(), DRIFT_HEAL);
	facts.retry_at = NOW + 10 * 365 * DAY;
	assert_int_equal(action(), DRIFT_HEAL);
}

static void what_failed_waits_for_its_back_off(void **state)
{
	struct drift_verdict verdict;

	(void)state;
	facts.store = DRIFT_STORE_LOST;
	facts.retry_at = NOW + 120;
	verdict = drift_decide(&facts, NOW);
	assert_int_equal(verdict.action, DRIFT_LATER);
	assert_int_equal(verdict.at, NOW + 120);
	assert_int_equal(drift_decide(&facts, NOW + 120).action, DRIFT_HEAL);
}

static void a_restart_waits_for_its_window_while_something_is_served(void **state)
{
	(void)state;
	facts.served = DRIFT_SERVED_BEFORE;
	facts.window_at = NOW + HOUR;
	assert_int_equal(action(), DRIFT_LATER);
	assert_int_equal(drift_decide(&facts, NOW).at, NOW + HOUR);
	facts.store = DRIFT_STORE_LOST;
	facts.served = DRIFT_SERVED_NOTHING;
	assert_int_equal(action(), DRIFT_HEAL);
}

static void a_key_that_nobody_has_is_left_to_the_renewal(void **state)
{
	(void)state;
	facts.store = DRIFT_STORE_LOST;
	facts.key_lost = true;
	assert_int_equal(action(), DRIFT_REPORT);
}

/* ---- what we wrote before ------------------------------------------------ */

#define FIRST "1111111111111111111111111111111111111111"
#define SECOND "2222222222222222222222222222222222222222"

static char hash_of(size_t i)
{
	return (char)('A' + (char)(i % 26));
}

static void tls_json_of_before_is_known_by_its_bytes(void **state)
{
	struct healing healing = { 0 };

	(void)state;
	assert_true(healing_note(&healing, FIRST, "aa"));
	assert_true(healing_note(&healing, SECOND, "bb"));
	assert_false(healing_note(&healing, SECOND, "bb"));
	assert_string_equal(healing_wrote(&healing, "aa", SECOND), FIRST);
	assert_null(healing_wrote(&healing, "aa", FIRST));
	assert_null(healing_wrote(&healing, "cc", SECOND));
	assert_null(healing_wrote(&healing, "", SECOND));
	assert_true(healing_is_before(&healing, FIRST, SECOND));
	assert_false(healing_is_before(&healing, SECOND, SECOND));
	assert_false(healing_is_before(&healing, "3333", SECOND));
}

static void the_list_is_bounded_and_the_oldest_gives_way(void **state)
{
	struct healing healing = { 0 };
	char sha256[2] = "";

	(void)state;
	assert_true(healing_note(&healing, FIRST, "aa"));
	for (size_t i = 0; i < 2 * HEALING_WRITTEN; i++) {
		char sha1[] = SECOND;

		sha1[0] = hash_of(i);
		sha1[1] = hash_of(i / 26);
		sha256[0] = hash_of(i);
		(void)healing_note(&healing, sha1, sha256);
	}
	assert_int_equal(healing.n_written, HEALING_WRITTEN);
	assert_null(healing_wrote(&healing, "aa", SECOND));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_each_look_of_tls_json_means),
		TEST(what_each_look_of_the_store_means),
		TEST(what_each_look_of_settings_and_endpoints_means),
		TEST(nothing_is_put_back_in_any_other_mode),
		TEST(an_operators_decision_comes_before_what_could_be_healed),
		TEST(files_are_healed_before_silence_is_only_told),
		TEST(what_is_served_needs_no_restart),
		TEST(a_stopped_service_is_neither_restarted_nor_missed),
		TEST(there_is_one_restart_a_day),
		TEST(a_restart_in_the_future_is_a_clocks_mistake),
		TEST(what_failed_waits_for_its_back_off),
		TEST(a_restart_waits_for_its_window_while_something_is_served),
		TEST(a_key_that_nobody_has_is_left_to_the_renewal),
		TEST(tls_json_of_before_is_known_by_its_bytes),
		TEST(the_list_is_bounded_and_the_oldest_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
