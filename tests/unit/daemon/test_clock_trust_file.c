#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/clock_trust.h"
#include "tests/unit/base/tempdir.h"

static const struct clock_trust some = {
	.ever = true,
	.confirmed_at = 1795231888,
	.confirmed_mono_ms = 123456789,
	.boot_id = "7f1c0e6e-5f6f-4e0a-9f05-9b7f2f2f2f2f",
	.disagreed = true,
	.off_by_s = -31536000,
};

static void assert_never_confirmed(const struct clock_trust *trust)
{
	assert_false(trust->ever);
	assert_false(trust->disagreed);
	assert_int_equal(trust->confirmed_at, 0);
	assert_string_equal(trust->boot_id, "");
}

static void what_was_written_is_read_again(void **state)
{
	char *dir = tempdir_new();
	struct clock_trust trust = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(clock_trust_write(dir, &some, &err), 0);
	assert_int_equal(clock_trust_read(dir, &trust, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_true(trust.ever);
	assert_int_equal(trust.confirmed_at, some.confirmed_at);
	assert_int_equal(trust.confirmed_mono_ms, some.confirmed_mono_ms);
	assert_string_equal(trust.boot_id, some.boot_id);
	assert_true(trust.disagreed);
	assert_int_equal(trust.off_by_s, some.off_by_s);
	tempdir_free(dir);
}

static void a_missing_file_reads_as_never_confirmed(void **state)
{
	char *dir = tempdir_new();
	struct clock_trust trust = some;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(clock_trust_read(dir, &trust, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_never_confirmed(&trust);
	tempdir_free(dir);
}

static void a_damaged_file_reads_as_never_confirmed_and_is_set_aside(void **state)
{
	static const char *const damage[] = {
		"",
		"clock",
		"[]",
		"{}",
		"{\"ever\": true, \"confirmed_at\": 5, \"confirmed_mono_ms\": 5}",
		"{\"ever\": true, \"confirmed_at\": \"5\", \"confirmed_mono_ms\": 5, "
		"\"boot_id\": \"b\"}",
		"{\"ever\": true, \"confirmed_at\": -5, \"confirmed_mono_ms\": 5, "
		"\"boot_id\": \"b\"}",
		"{\"ever\": true, \"confirmed_at\": 1e300, \"confirmed_mono_ms\": 5, "
		"\"boot_id\": \"b\"}",
		"{\"ever\": true, \"confirmed_at\": 5, \"confirmed_mono_ms\": 5, "
		"\"boot_id\": "
		"\"0123456789012345678901234567890123456789012345678901234567890123\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		char *dir = tempdir_new(), *path = path_join(dir, "clock.json");
		struct clock_trust trust = some;
		struct err err = { 0 };

		put(path, damage[i], 0600);
		assert_int_equal(clock_trust_read(dir, &trust, &err), 0);
		assert_never_confirmed(&trust);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_says(&err, "clock.json");
		assert_says(&err, "set aside as '");
		assert_int_equal(access(path, F_OK), -1);
		free(path);
		tempdir_free(dir);
	}
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(clock_trust_write("/nonexistent/state", &some, &err), -1);
	assert_says(&err, "/nonexistent/state");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(a_missing_file_reads_as_never_confirmed),
		cmocka_unit_test(
			a_damaged_file_reads_as_never_confirmed_and_is_set_aside),
		cmocka_unit_test(a_file_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
