/* A file that others write too is replaced only while it is what it was, on every
 * system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <uv.h>

#include "base/files.h"
#include "base/random.h"

static void put(const char *path, const char *text)
{
	struct err err;

	assert_int_equal(file_replace(path, text, strlen(text), FILE_PUBLIC, &err), 0);
}

static void assert_holds(const char *path, const char *text)
{
	char is[FILE_HASH_MAX], wanted[FILE_HASH_MAX];
	struct err err;

	bytes_hash(text, strlen(text), wanted);
	assert_int_equal(file_hash(path, is, &err), 0);
	assert_string_equal(is, wanted);
}

static void only_what_is_as_it_was_is_replaced(void **state)
{
	char id[17], tmp[1024], hash[FILE_HASH_MAX] = "", *dir, *path;
	struct file_new new = { .data = "ours", .len = 4, .expected = hash };
	size_t size = sizeof(tmp);
	struct strlist names = { 0 };
	struct err err;

	(void)state;
	random_hex(id, 16);
	assert_int_equal(uv_os_tmpdir(tmp, &size), 0);
	dir = str_printf("%s/same-%s", tmp, id);
	path = path_join(dir, "tls.json");
	assert_int_equal(dir_make(dir, FILE_PUBLIC, &err), 0);
	assert_int_equal(file_replace_if(path, &new, &err), 0); /* there was none */
	assert_holds(path, "ours");
	put(path, "theirs");
	assert_int_equal(file_replace_if(path, &new, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_non_null(strstr(err.text, "was changed by somebody else at 20"));
	assert_holds(path, "theirs");
	assert_int_equal(file_hash(path, hash, &err), 0);
	assert_int_equal(file_replace_if(path, &new, &err), 0);
	assert_holds(path, "ours");
	put(path, "more");
	assert_int_equal(file_replace_if(path, &new, &err), -1);
	assert_holds(path, "more");
	assert_int_equal(file_remove(path, &err), 0);
	assert_int_equal(file_replace_if(path, &new, &err), -1);
	assert_non_null(strstr(err.text, "was removed by somebody else"));
	assert_int_equal(dir_list(dir, &names, &err), 0);
	assert_int_equal(names.n, 0); /* nothing is left beside it */
	assert_int_equal(tree_remove(dir, &err), 0);
	free(path);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_as_it_was_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
