#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/seal.h"

static void what_is_sealed_is_not_readable_and_opens_again(void **state)
{
	struct buf sealed, opened;
	struct err err = { 0 };

	(void)state;
	assert_true(seal_protects());
	buf_init(&sealed, 4096);
	buf_init_secret(&opened, 4096);
	assert_int_equal(seal("hello secret", 12, &sealed, &err), 0);
	assert_true(sealed.len > 12);
	assert_null(strstr(buf_str(&sealed), "hello"));
	assert_int_equal(unseal(sealed.data, sealed.len, &opened, &err), 0);
	assert_string_equal(buf_str(&opened), "hello secret");
	buf_release(&sealed);
	buf_release(&opened);
}

static void what_was_damaged_is_refused_and_nothing_is_given(void **state)
{
	struct buf sealed, opened;
	struct err err = { 0 };

	(void)state;
	buf_init(&sealed, 4096);
	buf_init_secret(&opened, 4096);
	assert_int_equal(seal("hello", 5, &sealed, &err), 0);
	sealed.data[sealed.len - 1] ^= 1;
	assert_int_equal(unseal(sealed.data, sealed.len, &opened, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(opened.len, 0);
	assert_int_equal(unseal("x", 1, &opened, &err), -1);
	buf_release(&sealed);
	buf_release(&opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_is_not_readable_and_opens_again),
		cmocka_unit_test(what_was_damaged_is_refused_and_nothing_is_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
