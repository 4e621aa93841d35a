#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"

static void the_wall_clock_is_between_2026_and_2100(void **state)
{
	(void)state;
	assert_true(clock_wall() > INT64_C(1767225600));
	assert_true(clock_wall() < INT64_C(4102444800));
}

static void sleeping_takes_its_time_and_ends_when_cancelled(void **state)
{
	struct cancel *cancel = cancel_new();
	int64_t before = clock_mono_ms();

	(void)state;
	assert_int_equal(clock_sleep_ms(150, cancel), 0);
	assert_in_range(clock_mono_ms() - before, 100, 5000);
	cancel_request(cancel);
	before = clock_mono_ms();
	assert_int_equal(clock_sleep_ms(60000, cancel), -1);
	assert_in_range(clock_mono_ms() - before, 0, 5000);
	cancel_free(cancel);
}

static void the_boot_id_stays_and_is_no_process_id(void **state)
{
	char first[64], second[64];

	(void)state;
	clock_boot_id(first);
	clock_boot_id(second);
	assert_string_equal(first, second);
	assert_int_equal(strlen(first), 32);
}

static void the_zone_is_an_offset_that_says_its_name(void **state)
{
	char name[16];
	int offset_s = 1;

	(void)state;
	clock_local_zone(INT64_C(1795231888), &offset_s, name);
	assert_in_range(offset_s + 50400, 0, 100800);
	assert_int_equal(strncmp(name, "UTC", 3), 0);
	assert_int_equal(offset_s == 0, name[3] == '\0');
	clock_local_zone(CLOCK_NEVER, &offset_s, name);
	assert_int_equal(offset_s, 0);
	assert_string_equal(name, "UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wall_clock_is_between_2026_and_2100),
		cmocka_unit_test(sleeping_takes_its_time_and_ends_when_cancelled),
		cmocka_unit_test(the_boot_id_stays_and_is_no_process_id),
		cmocka_unit_test(the_zone_is_an_offset_that_says_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
