#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include <uv.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "daemon/account_gate.h"

struct guest { /* on a thread of his own */
	struct account_gate *gate;
	const struct cancel *cancel;
	uv_mutex_t lock;
	bool done; /* guarded */
	int rc;
	unsigned long epoch;
};

static void finish(struct guest *guest, int rc)
{
	uv_mutex_lock(&guest->lock);
	guest->rc = rc;
	guest->done = true;
	uv_mutex_unlock(&guest->lock);
}

static bool is_done(struct guest *guest)
{
	bool done;

	uv_mutex_lock(&guest->lock);
	done = guest->done;
	uv_mutex_unlock(&guest->lock);
	return done;
}

static void enters(void *arg)
{
	struct guest *guest = arg;
	struct err err;

	finish(guest,
	       account_gate_enter(guest->gate, guest->cancel, &guest->epoch, &err));
}

static void closes(void *arg)
{
	struct guest *guest = arg;
	struct err err;

	finish(guest, account_gate_close(guest->gate, guest->cancel, &err));
}

static struct guest guest_of(struct account_gate *gate, const struct cancel *cancel)
{
	struct guest guest = { .gate = gate, .cancel = cancel, .rc = 1 };

	assert_int_equal(uv_mutex_init(&guest.lock), 0);
	return guest;
}

static void who_changes_waits_for_all_and_lets_nobody_in(void **state)
{
	struct account_gate *gate = account_gate_new();
	struct guest changer = guest_of(gate, NULL), late = guest_of(gate, NULL);
	unsigned long first, second;
	uv_thread_t changing, coming;
	struct err err;

	(void)state;
	assert_int_equal(account_gate_enter(gate, NULL, &first, &err), 0);
	assert_int_equal(account_gate_enter(gate, NULL, &second, &err), 0);
	assert_int_equal(first, second);
	assert_int_equal(uv_thread_create(&changing, closes, &changer), 0);
	clock_sleep_ms(50, NULL);
	assert_int_equal(uv_thread_create(&coming, enters, &late), 0);
	account_gate_leave(gate);
	clock_sleep_ms(50, NULL);
	assert_false(is_done(&changer));
	account_gate_leave(gate);
	uv_thread_join(&changing);
	assert_int_equal(changer.rc, 0);
	clock_sleep_ms(50, NULL);
	assert_false(is_done(&late));
	account_gate_open(gate);
	uv_thread_join(&coming);
	assert_int_equal(late.rc, 0);
	assert_true(late.epoch > first); /* what it knew counts no more */
	account_gate_leave(gate);
	account_gate_free(gate);
}

static void who_gives_up_leaves_it_open(void **state)
{
	struct account_gate *gate = account_gate_new();
	struct cancel *cancel = cancel_new();
	struct guest changer = guest_of(gate, cancel);
	unsigned long epoch, again;
	uv_thread_t changing;
	struct err err;

	(void)state;
	assert_int_equal(account_gate_enter(gate, NULL, &epoch, &err), 0);
	assert_int_equal(uv_thread_create(&changing, closes, &changer), 0);
	clock_sleep_ms(20, NULL);
	cancel_request(cancel);
	uv_thread_join(&changing);
	assert_int_equal(changer.rc, -1);
	assert_int_equal(account_gate_enter(gate, NULL, &again, &err), 0);
	assert_int_equal(again, epoch); /* nothing was changed */
	account_gate_leave(gate);
	account_gate_leave(gate);
	cancel_free(cancel);
	account_gate_free(gate);
}

static void two_changes_are_one_after_the_other(void **state)
{
	struct account_gate *gate = account_gate_new();
	struct cancel *cancel = cancel_new();
	struct guest second = guest_of(gate, cancel);
	uv_thread_t changing;
	unsigned long epoch;
	struct err err;

	(void)state;
	assert_int_equal(account_gate_close(gate, NULL, &err), 0);
	assert_int_equal(uv_thread_create(&changing, closes, &second), 0);
	clock_sleep_ms(50, NULL);
	assert_false(is_done(&second));
	cancel_request(cancel);
	uv_thread_join(&changing);
	assert_int_equal(second.rc, -1);
	/* It gave up, and the first one still has it closed. */
	assert_int_equal(account_gate_enter(gate, cancel, &epoch, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	account_gate_open(gate);
	cancel_free(cancel);
	account_gate_free(gate);
}

static void without_a_gate_everybody_is_alone(void **state)
{
	unsigned long epoch = 1;
	struct err err;

	(void)state;
	assert_int_equal(account_gate_enter(NULL, NULL, &epoch, &err), 0);
	assert_int_equal(epoch, 0);
	assert_int_equal(account_gate_close(NULL, NULL, &err), 0);
	account_gate_open(NULL);
	account_gate_leave(NULL);
	account_gate_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_changes_waits_for_all_and_lets_nobody_in),
		cmocka_unit_test(who_gives_up_leaves_it_open),
		cmocka_unit_test(two_changes_are_one_after_the_other),
		cmocka_unit_test(without_a_gate_everybody_is_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
