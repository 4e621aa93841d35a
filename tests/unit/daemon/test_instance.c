/* Who we are: the same at each start, and told when it had to be made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "daemon/instance.h"
#include "tests/unit/base/tempdir.h"

static int set_up(void **state)
{
	*state = tempdir_new();
	return 0;
}

static int tear_down(void **state)
{
	tempdir_free(*state);
	return 0;
}

static void it_is_made_once_and_stays(void **state)
{
	struct instance first, again;
	struct err err;

	assert_int_equal(instance_read(*state, &first, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(strlen(first.id), INSTANCE_ID_LENGTH);
	assert_int_equal(instance_read(*state, &again, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(again.id, first.id);
	assert_string_equal(again.host, first.host);
	assert_string_equal(again.machine, first.machine);
}

static size_t count_aside(const char *dir)
{
	struct strlist names = { 0 };
	size_t n = 0;
	struct err err;

	assert_int_equal(dir_list(dir, &names, &err), 0);
	for (size_t i = 0; i < names.n; i++)
		n += str_starts(names.items[i], "instance.json.damaged-");
	strlist_clear(&names);
	return n;
}

static void a_damaged_one_is_set_aside_told_and_made_anew(void **state)
{
	static const char *const wrong[] = {
		"",
		"{\"instance\": \"0123",
		"{}",
		"{\"instance\": 7}",
		"{\"instance\": \"0123\"}",
		"{\"instance\": \"../../../../../../../../../../etc\"}",
	};
	char *path = path_join(*state, "instance.json");

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct instance made, again;
		struct err err;

		put(path, wrong[i], 0600);
		assert_int_equal(instance_read(*state, &made, &err), 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, "damaged"));
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, ": set aside as '"));
		assert_int_equal(strlen(made.id), INSTANCE_ID_LENGTH);
		assert_int_equal(count_aside(*state), i + 1);
		assert_int_equal(instance_read(*state, &again, &err), 0);
		assert_int_equal(err.kind, ERR_NONE); /* told once */
		assert_string_equal(again.id, made.id);
	}
	free(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_made_once_and_stays),
		TEST(a_damaged_one_is_set_aside_told_and_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
