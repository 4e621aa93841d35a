/* clock.h - instants: reading the clocks (twin files), and every text form of an instant
 * that we meet. Instants are int64_t UTC seconds since 1970. No strptime, no localtime,
 * no time_t arithmetic anywhere else. Policy never reads a clock: `now` is passed in. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/asn1.h>

#define CLOCK_NEVER INT64_MAX
#define CLOCK_TEXT_MAX 64 /* enough for every format below, NUL included */

struct cancel;

/* The wall clock. */
int64_t clock_wall(void);

/* Milliseconds that only grow, and grow through suspend too (CLOCK_BOOTTIME). */
int64_t clock_mono_ms(void);

/* Milliseconds since the boot in which the system was awake: stands still in suspend. */
int64_t clock_awake_ms(void);

/* An id that is the same until the machine reboots; at most 63 characters and a NUL. A
 * system that has none gives one that lasts as long as our process. */
void clock_boot_id(char out[64]);

/* Sleeps `ms` milliseconds, but ends within 100 ms of being cancelled (cancel may be
 * NULL). Returns -1 when cancelled. */
int clock_sleep_ms(int64_t ms, const struct cancel *cancel);

/* RFC 3339: "2026-11-21T03:31:28Z". Writing is always UTC without a fraction (instants
 * outside the years 0000 to 9999, CLOCK_NEVER too, as the nearest second inside); reading
 * takes fractions (dropped), lower-case t and z, and numeric offsets; -1 for anything
 * else, including impossible dates. A leap second reads as the next second. */
void clock_format_rfc3339(int64_t at, char out[CLOCK_TEXT_MAX]);
int clock_parse_rfc3339(const char *text, int64_t *ret_at);

/* RFC 9110 5.6.7 HTTP-date, all three forms; -1 for anything else. The weekday need not
 * fit the date; a two-digit year is one of 1970 to 2069. Blanks at the end are fine. */
int clock_parse_http_date(const char *text, int64_t *ret_at);

/* Retry-After (RFC 9110 10.2.3): seconds or HTTP-date -> seconds from `now`, never
 * negative, at most one year. -1 if it is neither. */
int clock_parse_retry_after(const char *text, int64_t now, int64_t *ret_seconds);

/* Theobald's tls.json: "yyyyMMddTHHmmss.000Z". */
void clock_format_basic(int64_t at, char out[CLOCK_TEXT_MAX]);

/* For people: "2026-11-21 03:31 UTC", and the same with the machine's zone behind it,
 * "2026-11-21 03:31 UTC (04:31 CET)", with the local date where that is another one;
 * without brackets where the zone is UTC. CLOCK_NEVER is "never". */
void clock_format_people(int64_t at, char out[CLOCK_TEXT_MAX]);
void clock_format_people_local(int64_t at, char out[CLOCK_TEXT_MAX]);

/* The day in the machine's zone, "3 December", with its year where that is not the one of
 * `now`: "3 January 2027". CLOCK_NEVER is "never". */
void clock_format_day(int64_t at, int64_t now, char out[CLOCK_TEXT_MAX]);

/* The machine's zone at `at`: seconds east of UTC and its short name (twin file). */
void clock_local_zone(int64_t at, int *ret_offset_s, char name[16]);

/* A length of time for people, its two largest units: "2 d 3 h", "45 s", "-5 min". */
void clock_format_duration(int64_t seconds, char out[CLOCK_TEXT_MAX]);

/* notBefore and notAfter of a certificate. -1 if the ASN.1 time is not a valid one. */
int clock_from_asn1(const ASN1_TIME *time, int64_t *ret_at);

#endif
