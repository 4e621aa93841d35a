/* service_journal.h - a unit's own last words. Private to service_systemd.c. */
#ifndef BASE_POSIX_SERVICE_JOURNAL_H
#define BASE_POSIX_SERVICE_JOURNAL_H

#include <stdint.h>

/* Gives the last three lines that the unit's processes wrote to the journal, joined by
 * " | ", made printable; NULL when there are none or we may not read it. First those of
 * this invocation (32 hex digits; "" if unknown), else the unit's since `since_us`
 * (microseconds of the wall clock). */
char *journal_last_words(const char *unit, const char *invocation, uint64_t since_us);

#endif
