#include "base/cancel.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/str.h"

struct cancel {
	atomic_bool requested;
};

struct cancel *cancel_new(void)
{
	struct cancel *cancel = mem_calloc(1, sizeof(*cancel));

	atomic_init(&cancel->requested, false);
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

bool cancel_requested(const struct cancel *cancel)
{
	return cancel && atomic_load(&cancel->requested);
}

int cancel_check(const struct cancel *cancel, struct err *err)
{
	if (!cancel_requested(cancel))
		return 0;
	return err_set(err, ERR_CANCELLED, "stopped on request");
}
