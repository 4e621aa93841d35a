#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/breaker.h"
#include "tests/unit/base/tempdir.h"

#include <uv.h>

#define DAY(n) ((int64_t)(n)*86400)
#define NOW DAY(20000)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static size_t read_count(const char *dir, const char *const *names, const char *issuer)
{
	int64_t *issued = NULL;
	struct err err;
	size_t n = 0;

	if (breaker_read(dir, names, issuer, &issued, &n, &err))
		fail_msg("%s", err.text);
	free(issued);
	return n;
}

static void add(const char *dir, const char *const *names, const char *issuer, int64_t at)
{
	struct err err;

	if (breaker_count(dir, names, issuer, at, &err))
		fail_msg("%s", err.text);
}

static void what_was_counted_is_read_again(void **state)
{
	char *dir = tempdir_new();
	int64_t *issued = NULL;
	struct err err;
	size_t n = 0;

	(void)state;
	assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 0);
	add(dir, NAMES("a.example"), "ca", NOW);
	add(dir, NAMES("a.example"), "ca", NOW + 5);
	assert_int_equal(breaker_read(dir, NAMES("a.example"), "ca", &issued, &n, &err),
			 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(n, 2);
	assert_int_equal(issued[0], NOW);
	assert_int_equal(issued[1], NOW + 5);
	free(issued);
	tempdir_free(dir);
}

static void the_exact_name_set_and_the_issuer_are_the_key(void **state)
{
	char *dir = tempdir_new();

	(void)state;
	add(dir, NAMES("a.example", "b.example"), "ca", NOW);
	assert_int_equal(read_count(dir, NAMES("b.example", "a.example"), "ca"), 1);
	assert_int_equal(read_count(dir, NAMES("a.example", "b.example"), "other"), 0);
	assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 0);
	assert_int_equal(
		read_count(dir, NAMES("a.example", "b.example", "c.example"), "ca"), 0);
	assert_int_equal(read_count(dir, NAMES("a.exampleb.example"), "ca"), 0);
	tempdir_free(dir);
}

static void what_was_counted_on_a_clock_that_was_ahead_is_forgotten(void **state)
{
	char *dir = tempdir_new();
	struct err err;

	(void)state;
	assert_int_equal(breaker_after_clock_moved(dir, NOW, &err), 0);
	add(dir, NAMES("b.example"), "ca", NOW);
	add(dir, NAMES("a.example"), "ca", NOW);
	add(dir, NAMES("a.example"), "ca", NOW + DAY(1));
	add(dir, NAMES("a.example"), "ca", NOW + DAY(2));
	assert_int_equal(breaker_after_clock_moved(dir, NOW + DAY(1), &err), 0);
	assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 3);
	assert_int_equal(breaker_after_clock_moved(dir, NOW, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 2);
	assert_int_equal(read_count(dir, NAMES("b.example"), "ca"), 1);
	tempdir_free(dir);
}

static void entries_older_than_eight_days_are_dropped_when_writing(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "breaker.json"), *text;

	(void)state;
	add(dir, NAMES("old.example"), "ca", NOW);
	add(dir, NAMES("a.example"), "ca", NOW);
	add(dir, NAMES("a.example"), "ca", NOW + DAY(8));
	assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 2);
	assert_int_equal(read_count(dir, NAMES("old.example"), "ca"), 1);
	add(dir, NAMES("a.example"), "ca", NOW + DAY(8) + 1);
	assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 2);
	assert_int_equal(read_count(dir, NAMES("old.example"), "ca"), 0);
	text = get(path);
	assert_null(strstr(text, "old.example"));
	free(text);
	free(path);
	tempdir_free(dir);
}

static bool was_set_aside(const char *dir)
{
	struct strlist names = { 0 };
	struct err err;
	bool found = false;

	assert_int_equal(dir_list(dir, &names, &err), 0);
	for (size_t i = 0; i < names.n; i++)
		found = found || str_starts(names.items[i], "breaker.json.damaged-");
	strlist_clear(&names);
	return found;
}

static void what_a_clock_that_was_ahead_has_counted_is_dropped(void **state)
{
	char *dir = tempdir_new();
	int64_t *issued = NULL;
	struct err err = { 0 };
	size_t n = 0;

	(void)state;
	add(dir, NAMES("a.example"), "ca", NOW + DAY(30));
	add(dir, NAMES("a.example"), "ca", NOW);
	assert_int_equal(breaker_read(dir, NAMES("a.example"), "ca", &issued, &n, &err),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(issued[0], NOW);
	free(issued);
	tempdir_free(dir);
}

static void a_damaged_file_is_set_aside_reported_and_begun_anew(void **state)
{
	static const char *const damage[] = {
		"",
		"{\"a\":",
		"[1]",
		"{\"a\": 1}",
		"{\"a\": {\"issued\": 7}}",
		"{\"a\": {\"issued\": [\"x\"]}}",
		"{\"a\": {\"issued\": [1e300]}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		char *dir = tempdir_new(), *path = path_join(dir, "breaker.json");
		struct err err = { 0 };

		put(path, damage[i], 0600);
		assert_int_equal(breaker_count(dir, NAMES("a.example"), "ca", NOW, &err),
				 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_says(&err, "damaged: '");
		assert_says(&err, "set aside as '");
		assert_true(was_set_aside(dir));
		assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 1);
		free(path);
		tempdir_free(dir);
	}
}

static void reading_a_damaged_file_reads_none_and_says_so(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "breaker.json");
	int64_t *issued = NULL;
	struct err err = { 0 };
	size_t n = 7;

	(void)state;
	put(path, "{", 0600);
	assert_int_equal(breaker_read(dir, NAMES("a.example"), "ca", &issued, &n, &err),
			 0);
	assert_int_equal(n, 0);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_true(was_set_aside(dir));
	free(issued);
	free(path);
	tempdir_free(dir);
}

static void a_count_that_cannot_be_kept_is_an_error(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		breaker_count("/nonexistent/state", NAMES("a.example"), "ca", NOW, &err),
		-1);
	assert_says(&err, "count a certificate before it is issued: ");
	assert_says(&err, "/nonexistent/state");
}

struct worker {
	uv_thread_t thread;
	const char *dir;
	int failures;
};

static void count_ten(void *arg)
{
	struct worker *worker = arg;
	struct err err;

	for (int i = 0; i < 10; i++)
		worker->failures += breaker_count(worker->dir, NAMES("a.example"), "ca",
						  NOW + i, &err) != 0;
}

static void workers_that_count_at_once_lose_nothing(void **state)
{
	char *dir = tempdir_new();
	struct worker workers[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .dir = dir };
		assert_int_equal(
			uv_thread_create(&workers[i].thread, count_ten, &workers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(uv_thread_join(&workers[i].thread), 0);
		assert_int_equal(workers[i].failures, 0);
	}
	assert_int_equal(read_count(dir, NAMES("a.example"), "ca"), 40);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_read_again),
		cmocka_unit_test(the_exact_name_set_and_the_issuer_are_the_key),
		cmocka_unit_test(what_was_counted_on_a_clock_that_was_ahead_is_forgotten),
		cmocka_unit_test(entries_older_than_eight_days_are_dropped_when_writing),
		cmocka_unit_test(what_a_clock_that_was_ahead_has_counted_is_dropped),
		cmocka_unit_test(a_damaged_file_is_set_aside_reported_and_begun_anew),
		cmocka_unit_test(reading_a_damaged_file_reads_none_and_says_so),
		cmocka_unit_test(a_count_that_cannot_be_kept_is_an_error),
		cmocka_unit_test(workers_that_count_at_once_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
