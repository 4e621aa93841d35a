#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/account_file.h"
#include "tests/unit/base/tempdir.h"

#define TIMES 4 /* within a second or two: at least two of them in one */

static void what_is_set_aside_again_and_again_takes_nobodys_name(void **state)
{
	char *dir = tempdir_new(), *account = path_join(dir, "ca"), *key;
	struct strlist notes = { 0 };
	struct err err;

	(void)state;
	key = path_join(account, ACCOUNT_KEY);
	for (int i = 0; i < TIMES; i++) {
		assert_int_equal(mkdir(account, 0700), 0);
		put(key, "a key", 0600);
		if (account_set_aside(account, "it is another CA's", &notes, &err))
			fail_msg("%s", err.text);
		assert_int_equal(access(account, F_OK), -1);
	}
	assert_int_equal(notes.n, TIMES);
	for (int i = 0; i < TIMES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(notes.items[i], notes.items[k]);
	strlist_clear(&notes);
	free(key);
	free(account);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_aside_again_and_again_takes_nobodys_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
