/* civil.h - calendar arithmetic (proleptic Gregorian, UTC), for the clock_*.c files only.
 * Everybody else uses base/clock.h. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdint.h>

/* A date and time of day. month and day count from 1; second may be 60 on input. */
struct civil {
	int64_t year;
	int month, day, hour, minute, second;
};

/* What the calendar and a clock in UTC show at `at`, for years 0000 to 9999; instants
 * outside read as the first or the last second of that range. */
struct civil civil_at(int64_t at);

/* The instant of `civil`, read `offset_s` seconds east of UTC. A leap second (23:59:60
 * UTC) is the second after it. -1 when there is no such date or time of day, or the year
 * is outside 0000 to 9999; *ret_at is set on success only. */
int civil_to_instant(const struct civil *civil, int64_t offset_s, int64_t *ret_at);

#endif
