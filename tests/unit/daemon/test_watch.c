#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"
#include "daemon/watch.h"

#define DAY INT64_C(86400)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct renew_at by_default = { .kind = RENEW_DEFAULT };

/* ---- policy -------------------------------------------------------------- */

struct moment {
	int64_t left_s; /* until the certificate's last second */
	enum watch_step step;
};

static void expect(const struct renew_at *policy, int64_t lifetime_s,
		   const struct moment *moments, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct watch_verdict verdict = watch_decide(
			policy, 0, lifetime_s - 1, lifetime_s - 1 - moments[i].left_s);

		if (verdict.step != moments[i].step)
			fail_msg("%lld s left: %s, not %s", (long long)moments[i].left_s,
				 watch_step_name(verdict.step),
				 watch_step_name(moments[i].step));
	}
}

static void ninety_days_are_told_of_at_thirty_fourteen_and_seven(void **state)
{
	static const struct moment moments[] = {
		{ 89 * DAY, WATCH_WELL },    { 30 * DAY + 1, WATCH_WELL },
		{ 30 * DAY, WATCH_NOTICE },  { 14 * DAY + 1, WATCH_NOTICE },
		{ 14 * DAY, WATCH_WARNING }, { 7 * DAY + 1, WATCH_WARNING },
		{ 7 * DAY, WATCH_CRITICAL }, { 0, WATCH_CRITICAL },
		{ -1, WATCH_EXPIRED },       { -400 * DAY, WATCH_EXPIRED },
	};

	(void)state;
	expect(&by_default, 90 * DAY, moments, COUNT(moments));
}

static void a_year_keeps_fourteen_and_seven_days(void **state)
{
	static const struct moment moments[] = {
		{ 122 * DAY, WATCH_WELL },   { 121 * DAY, WATCH_NOTICE },
		{ 15 * DAY, WATCH_NOTICE },  { 14 * DAY, WATCH_WARNING },
		{ 7 * DAY, WATCH_CRITICAL },
	};

	(void)state;
	expect(&by_default, 365 * DAY, moments, COUNT(moments));
}

static void short_lives_are_told_of_in_proportion(void **state)
{
	/* 6 days: half of it is the notice, 14/30 and 7/30 of that the rest. */
	static const struct moment moments[] = {
		{ 3 * DAY + 1, WATCH_WELL },
		{ 3 * DAY, WATCH_NOTICE },
		{ 3 * DAY * 14 / 30 + 1, WATCH_NOTICE },
		{ 3 * DAY * 14 / 30, WATCH_WARNING },
		{ 3 * DAY * 7 / 30 + 1, WATCH_WARNING },
		{ 3 * DAY * 7 / 30, WATCH_CRITICAL },
		{ -1, WATCH_EXPIRED },
	};

	(void)state;
	expect(&by_default, 6 * DAY, moments, COUNT(moments));
}

static void the_operators_own_moment_is_the_first(void **state)
{
	static const struct renew_at ten_days = { .kind = RENEW_DURATION,
						  .duration_s = 10 * DAY };
	static const struct moment moments[] = {
		{ 14 * DAY, WATCH_WELL },
		{ 10 * DAY, WATCH_NOTICE },
		{ 10 * DAY * 14 / 30, WATCH_WARNING },
		{ 10 * DAY * 7 / 30, WATCH_CRITICAL },
	};

	(void)state;
	expect(&ten_days, 90 * DAY, moments, COUNT(moments));
}

static void the_next_step_is_where_the_verdict_says(void **state)
{
	int64_t now = 0;
	enum watch_step step = WATCH_WELL;

	(void)state;
	for (size_t guard = 0; guard < 10; guard++) {
		struct watch_verdict verdict = watch_decide(&by_default, 0, 90 * DAY - 1,
							    now);

		assert_int_equal(verdict.step, step);
		if (verdict.next_at == CLOCK_NEVER)
			break;
		assert_int_equal(
			watch_decide(&by_default, 0, 90 * DAY - 1, verdict.next_at - 1)
				.step,
			step);
		now = verdict.next_at;
		step++;
	}
	assert_int_equal(step, WATCH_EXPIRED);
	assert_int_equal(now, 90 * DAY);
}

static void dates_that_are_none_have_expired(void **state)
{
	(void)state;
	assert_int_equal(watch_decide(&by_default, 0, 0, 20000 * DAY).step,
			 WATCH_EXPIRED);
	assert_int_equal(watch_decide(&by_default, 50, 20, 20000 * DAY).step,
			 WATCH_EXPIRED);
}

/* ---- what was seen ------------------------------------------------------- */

static char *folder_made(void)
{
	char *folder = str_dup("/tmp/test_watch.XXXXXX");

	assert_non_null(mkdtemp(folder));
	return folder;
}

static void folder_gone(char *folder)
{
	struct err err;

	assert_int_equal(tree_remove(folder, &err), 0);
	free(folder);
}

static void what_was_seen_is_read_back(void **state)
{
	struct sightings list = { 0 }, again = { 0 };
	char *folder = folder_made();
	struct sighting *one;
	struct err err;

	(void)state;
	one = sightings_add(&list, "web", "127.0.0.1:443");
	str_copy(one->sha1, sizeof(one->sha1), "77AF");
	one->not_before = 100;
	one->not_after = 900;
	one->seen_at = 200;
	one = sightings_add(&list, "web", "/etc/web.pem");
	one->problem = str_dup("it is gone");
	assert_int_equal(sightings_write(folder, &list, &err), 0);
	assert_int_equal(sightings_read(folder, &again, &err), 0);
	assert_int_equal(again.n, 2);
	one = sightings_find(&again, "web", "127.0.0.1:443");
	assert_non_null(one);
	assert_string_equal(one->sha1, "77AF");
	assert_int_equal(one->not_before, 100);
	assert_int_equal(one->not_after, 900);
	assert_int_equal(one->seen_at, 200);
	assert_null(one->problem);
	assert_string_equal(sightings_find(&again, "web", "/etc/web.pem")->problem,
			    "it is gone");
	assert_null(sightings_find(&again, "mail", "127.0.0.1:443"));
	sightings_clear(&list);
	sightings_clear(&again);
	folder_gone(folder);
}

static void a_damaged_file_is_set_aside_and_reported(void **state)
{
	struct sightings list = { 0 };
	char *folder = folder_made(), *path = path_join(folder, "watched.json");
	struct strlist names = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sightings_read(folder, &list, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(file_replace(path, "{\"seen\": 7}", 11, FILE_SECRET, &err), 0);
	assert_int_equal(sightings_read(folder, &list, &err), 0);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "watched.json"));
	assert_int_equal(list.n, 0);
	assert_int_equal(dir_list(folder, &names, &err), 0);
	assert_int_equal(names.n, 1);
	assert_non_null(strstr(names.items[0], "watched.json.damaged-"));
	strlist_clear(&names);
	free(path);
	folder_gone(folder);
}

static void the_first_to_end_counts_and_what_was_never_seen_does_not(void **state)
{
	struct sightings list = { 0 };
	static const struct {
		const char *target, *where, *sha1;
		int64_t not_after;
	} rows[] = {
		{ "web", "a", "AA", 500 },
		{ "web", "b", "BB", 300 },
		{ "web", "c", "", 0 },
		{ "mail", "d", "DD", 100 },
	};

	(void)state;
	assert_null(sightings_first_to_end(&list, NULL));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sighting *one = sightings_add(&list, rows[i].target,
						     rows[i].where);

		str_copy(one->sha1, sizeof(one->sha1), rows[i].sha1);
		one->not_after = rows[i].not_after;
	}
	assert_string_equal(sightings_first_to_end(&list, "web")->where, "b");
	assert_string_equal(sightings_first_to_end(&list, NULL)->where, "d");
	assert_null(sightings_first_to_end(&list, "nobody"));
	sightings_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ninety_days_are_told_of_at_thirty_fourteen_and_seven),
		cmocka_unit_test(a_year_keeps_fourteen_and_seven_days),
		cmocka_unit_test(short_lives_are_told_of_in_proportion),
		cmocka_unit_test(the_operators_own_moment_is_the_first),
		cmocka_unit_test(the_next_step_is_where_the_verdict_says),
		cmocka_unit_test(dates_that_are_none_have_expired),
		cmocka_unit_test(what_was_seen_is_read_back),
		cmocka_unit_test(a_damaged_file_is_set_aside_and_reported),
		cmocka_unit_test(
			the_first_to_end_counts_and_what_was_never_seen_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
