/* provider_lock.c - waiting for a lock of files.h, which itself does not wait. */
#include "hooks/dns/provider_lock.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/str.h"

#define PAUSE_MS 50

int provider_lock(const struct dns_work *work, const char *path, struct file_lock **ret,
		  struct err *err)
{
	int64_t deadline_ms = clock_mono_ms() + work->provider->timeout_s * 1000;
	char *folder = path_parent(path), *lock = str_printf("%s.lock", path);
	int rc = dir_make(folder, FILE_SECRET, err);

	while (!rc) {
		rc = file_lock_take(lock, ret, err);
		if (!rc || err->kind != ERR_TRANSIENT || clock_mono_ms() > deadline_ms)
			break;
		rc = clock_sleep_ms(PAUSE_MS, work->cancel);
		if (rc)
			cancel_check(work->cancel, err);
	}
	free(lock);
	free(folder);
	return rc;
}
