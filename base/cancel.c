#include "base/cancel.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"

struct cancel {
	atomic_bool requested;
	const struct cancel *either, *other; /* NULL: none */
	int64_t until_ms;                    /* monotonic; CLOCK_NEVER: no limit */
};

struct cancel *cancel_new(void)
{
	struct cancel *cancel = mem_calloc(1, sizeof(*cancel));

	atomic_init(&cancel->requested, false);
	cancel->until_ms = CLOCK_NEVER;
	return cancel;
}

struct cancel *cancel_new_bounded(const struct cancel *either, const struct cancel *other,
				  int64_t timeout_ms)
{
	struct cancel *cancel = cancel_new();

	cancel->either = either;
	cancel->other = other;
	cancel->until_ms = clock_mono_ms() + timeout_ms;
	return cancel;
}

void cancel_free(struct cancel *cancel)
{
	free(cancel);
}

void cancel_request(struct cancel *cancel)
{
	atomic_store(&cancel->requested, true);
}

static bool is_late(const struct cancel *cancel)
{
	for (; cancel; cancel = cancel->either)
		if (cancel->until_ms != CLOCK_NEVER &&
		    clock_mono_ms() >= cancel->until_ms)
			return true;
	return false;
}

static bool is_requested(const struct cancel *cancel)
{
	for (; cancel; cancel = cancel->either)
		if (atomic_load(&cancel->requested) ||
		    (cancel->other && atomic_load(&cancel->other->requested)))
			return true;
	return false;
}

bool cancel_requested(const struct cancel *cancel)
{
	return is_requested(cancel) || is_late(cancel);
}

int cancel_check(const struct cancel *cancel, struct err *err)
{
	if (!cancel_requested(cancel))
		return 0;
	return err_set(err, ERR_CANCELLED, "%s",
		       is_requested(cancel) ? "stopped on request"
					    : "stopped, because it took too long");
}
