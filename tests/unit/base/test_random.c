#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/random.h"

static void fractions_fill_the_range_and_never_reach_one(void **state)
{
	int tenths[10] = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++) {
		double fraction = random_fraction();

		assert_true(fraction >= 0 && fraction < 1);
		tenths[(int)(fraction * 10)]++;
	}
	/* 1000 expected, standard deviation 30: 10 of them are never seen by chance. */
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 700, 1300);
}

static void hex_has_the_length_and_alphabet_asked_for(void **state)
{
	char a[34], b[34];

	(void)state;
	a[33] = 'x';
	random_hex(a, 32);
	random_hex(b, 32);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_int_equal(a[33], 'x');
	assert_string_not_equal(a, b);
	random_hex(a, 5);
	assert_int_equal(strlen(a), 5);
	random_hex(a, 0);
	assert_string_equal(a, "");
}

static void bytes_differ_from_call_to_call(void **state)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fractions_fill_the_range_and_never_reach_one),
		cmocka_unit_test(hex_has_the_length_and_alphabet_asked_for),
		cmocka_unit_test(bytes_differ_from_call_to_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
