#include "daemon/account_gate.h"

#include <stdbool.h>
#include <stdlib.h>

#include <uv.h>

#include "base/cancel.h"
#include "base/str.h"

/* How often who waits looks whether it was cancelled. */
#define LOOK_NS (UINT64_C(200) * 1000000)

struct account_gate {
	uv_mutex_t lock; /* guards all below */
	uv_cond_t changed;
	unsigned inside;
	bool closed;
	unsigned long epoch;
};

struct account_gate *account_gate_new(void)
{
	struct account_gate *gate = mem_calloc(1, sizeof(*gate));

	gate->epoch = 1;
	if (uv_mutex_init(&gate->lock) || uv_cond_init(&gate->changed))
		abort();
	return gate;
}

void account_gate_free(struct account_gate *gate)
{
	if (!gate)
		return;
	uv_cond_destroy(&gate->changed);
	uv_mutex_destroy(&gate->lock);
	free(gate);
}

/* With the lock held. */
static int wait_until_open(struct account_gate *gate, const struct cancel *cancel,
			   struct err *err)
{
	while (gate->closed) {
		if (cancel_check(cancel, err))
			return -1;
		(void)uv_cond_timedwait(&gate->changed, &gate->lock, LOOK_NS);
	}
	return 0;
}

int account_gate_enter(struct account_gate *gate, const struct cancel *cancel,
		       unsigned long *ret_epoch, struct err *err)
{
	int rc;

	if (!gate) {
		*ret_epoch = 0;
		return 0;
	}
	uv_mutex_lock(&gate->lock);
	rc = wait_until_open(gate, cancel, err);
	if (!rc) {
		gate->inside++;
		*ret_epoch = gate->epoch;
	}
	uv_mutex_unlock(&gate->lock);
	return rc;
}

void account_gate_leave(struct account_gate *gate)
{
	if (!gate)
		return;
	uv_mutex_lock(&gate->lock);
	gate->inside--;
	uv_cond_broadcast(&gate->changed);
	uv_mutex_unlock(&gate->lock);
}

int account_gate_close(struct account_gate *gate, const struct cancel *cancel,
		       struct err *err)
{
	int rc = -1;

	if (!gate)
		return 0;
	uv_mutex_lock(&gate->lock);
	if (wait_until_open(gate, cancel, err))
		goto out;
	gate->closed = true;
	while (gate->inside) {
		if (cancel_check(cancel, err)) {
			gate->closed = false;
			uv_cond_broadcast(&gate->changed);
			goto out;
		}
		(void)uv_cond_timedwait(&gate->changed, &gate->lock, LOOK_NS);
	}
	rc = 0;
out:
	uv_mutex_unlock(&gate->lock);
	return rc;
}

void account_gate_open(struct account_gate *gate)
{
	if (!gate)
		return;
	uv_mutex_lock(&gate->lock);
	gate->closed = false;
	gate->epoch++;
	uv_cond_broadcast(&gate->changed);
	uv_mutex_unlock(&gate->lock);
}
