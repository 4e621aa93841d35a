/* retry_text.h - when a CA says in prose that it may be asked again. Pure. */
#ifndef ACME_RETRY_TEXT_H
#define ACME_RETRY_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Finds "retry after 2026-11-21 10:00:00 UTC" (Let's Encrypt; also with "T", "Z", "GMT",
 * "+0000 UTC" or a fraction, any case). Sets *ret_at; false: it says no such thing. */
bool retry_text_find(const char *text, int64_t *ret_at);

#endif
