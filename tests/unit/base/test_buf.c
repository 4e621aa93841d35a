#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void it_grows_and_stays_a_c_string(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100000);
	assert_string_equal(buf_str(&buf), "");
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_printf(&buf, "%d;", i % 10), 0);
	assert_int_equal(buf.len, 20000);
	assert_int_equal(strlen(buf_str(&buf)), 20000);
	assert_memory_equal(buf_str(&buf) + 19996, "8;9;", 5);
	assert_true(buf_ok(&buf));
	buf_release(&buf);
}

static void exactly_the_maximum_fits_and_one_byte_more_does_not(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_append(&buf, "12345678", 8), 0);
	assert_true(buf_ok(&buf));
	assert_int_equal(buf_append(&buf, "9", 1), -1);
	assert_false(buf_ok(&buf));
	assert_string_equal(buf_str(&buf), "12345678");
	buf_release(&buf);
}

static void an_overflow_sticks_until_the_buffer_is_cleared(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	assert_int_equal(buf_puts(&buf, "ab"), 0);
	assert_int_equal(buf_printf(&buf, "%s", "cde"), -1);
	assert_int_equal(buf_puts(&buf, "c"), -1); /* would fit, but there is a hole */
	assert_string_equal(buf_str(&buf), "ab");
	buf_clear(&buf);
	assert_true(buf_ok(&buf));
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_puts(&buf, "full"), 0);
	buf_release(&buf);
}

static void absurd_lengths_are_an_overflow_and_not_a_wrap_around(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 16);
	assert_int_equal(buf_puts(&buf, "ab"), 0);
	assert_int_equal(buf_append(&buf, "x", SIZE_MAX), -1);
	assert_int_equal(buf.len, 2);
	buf_release(&buf);
}

static void a_zeroed_struct_is_an_empty_buffer_that_takes_nothing(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_puts(&buf, "x"), -1);
	buf_release(&buf);
	buf_release(&buf);
}

static void bytes_of_any_value_are_kept(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 16);
	assert_int_equal(buf_append(&buf, "a\0b", 3), 0);
	assert_int_equal(buf_append(&buf, NULL, 0), 0);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.data, "a\0b", 4);
	buf_release(&buf);
}

static void clearing_a_secret_wipes_all_of_its_memory(void **state)
{
	static const unsigned char zeros[64];
	struct buf buf;

	(void)state;
	buf_init_secret(&buf, 1000);
	assert_int_equal(buf_puts(&buf, "the account key"), 0);
	assert_true(buf.cap >= 16 && buf.cap <= sizeof(zeros));
	buf_clear(&buf);
	assert_memory_equal(buf.data, zeros, buf.cap);
	assert_true(buf.secret);
	buf_release(&buf);
}

static void stolen_contents_belong_to_the_thief(void **state)
{
	struct buf buf;
	char *text;

	(void)state;
	buf_init(&buf, 16);
	text = buf_steal(&buf);
	assert_string_equal(text, "");
	free(text);
	buf_puts(&buf, "first");
	text = buf_steal(&buf);
	buf_puts(&buf, "second");
	assert_string_equal(text, "first");
	assert_string_equal(buf_str(&buf), "second");
	free(text);
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_and_stays_a_c_string),
		cmocka_unit_test(exactly_the_maximum_fits_and_one_byte_more_does_not),
		cmocka_unit_test(an_overflow_sticks_until_the_buffer_is_cleared),
		cmocka_unit_test(absurd_lengths_are_an_overflow_and_not_a_wrap_around),
		cmocka_unit_test(a_zeroed_struct_is_an_empty_buffer_that_takes_nothing),
		cmocka_unit_test(bytes_of_any_value_are_kept),
		cmocka_unit_test(clearing_a_secret_wipes_all_of_its_memory),
		cmocka_unit_test(stolen_contents_belong_to_the_thief),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
