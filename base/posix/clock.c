/* clock.c - reading Linux's clocks, sleeping, and the machine's zone. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"

#define CANCEL_SLICE_MS 100

int64_t clock_wall(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

int64_t clock_mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_awake_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Without /proc the id is our process: who compares it then believes that the machine was
 * rebooted, which is the careful answer. */
void clock_boot_id(char out[64])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(out, 64, file))
		snprintf(out, 64, "process-%ld", (long)getpid());
	out[strcspn(out, "\n")] = '\0';
	if (file)
		fclose(file);
}

int clock_sleep_ms(int64_t ms, const struct cancel *cancel)
{
	int64_t until = clock_mono_ms() + ms, left = ms;
	struct timespec slice;

	while (left > 0 && !cancel_requested(cancel)) {
		if (left > CANCEL_SLICE_MS)
			left = CANCEL_SLICE_MS;
		slice.tv_sec = left / 1000;
		slice.tv_nsec = left % 1000 * 1000000;
		nanosleep(&slice, NULL);
		left = until - clock_mono_ms();
	}
	return cancel_requested(cancel) ? -1 : 0;
}

void clock_local_zone(int64_t at, int *ret_offset_s, char name[16])
{
	time_t instant = at;
	struct tm local;

	tzset();
	if (!localtime_r(&instant, &local)) {
		*ret_offset_s = 0;
		snprintf(name, 16, "UTC");
		return;
	}
	*ret_offset_s = (int)local.tm_gmtoff;
	snprintf(name, 16, "%s", local.tm_zone);
}
