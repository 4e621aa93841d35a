#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cancel.h"
#include "base/clock.h"

static void it_is_set_once_it_was_requested(void **state)
{
	struct cancel *cancel = cancel_new();
	struct err err;

	(void)state;
	assert_false(cancel_requested(cancel));
	assert_int_equal(cancel_check(cancel, &err), 0);
	cancel_request(cancel);
	assert_true(cancel_requested(cancel));
	assert_int_equal(cancel_check(cancel, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_string_equal(err.text, "stopped on request");
	assert_false(cancel_requested(NULL));
	cancel_free(cancel);
}

static void a_bounded_one_is_set_with_either_it_hangs_on(void **state)
{
	struct cancel *stop = cancel_new(), *way = cancel_new();
	struct cancel *first = cancel_new_bounded(stop, NULL, 60000);
	struct cancel *second = cancel_new_bounded(stop, way, 60000);

	(void)state;
	assert_false(cancel_requested(first));
	cancel_request(way);
	assert_false(cancel_requested(first));
	assert_true(cancel_requested(second));
	cancel_request(stop);
	assert_true(cancel_requested(first));
	assert_true(cancel_requested(second));
	cancel_free(second);
	cancel_free(first);
	cancel_free(way);
	cancel_free(stop);
}

static void a_bounded_one_is_set_when_its_time_is_over(void **state)
{
	struct cancel *stop = cancel_new();
	struct cancel *bounded = cancel_new_bounded(stop, NULL, 30);
	struct err err;

	(void)state;
	assert_int_equal(cancel_check(bounded, &err), 0);
	assert_int_equal(clock_sleep_ms(5000, bounded), -1);
	assert_int_equal(cancel_check(bounded, &err), -1);
	assert_string_equal(err.text, "stopped, because it took too long");
	assert_false(cancel_requested(stop));
	cancel_free(bounded);
	cancel_free(stop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_set_once_it_was_requested),
		cmocka_unit_test(a_bounded_one_is_set_with_either_it_hangs_on),
		cmocka_unit_test(a_bounded_one_is_set_when_its_time_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
