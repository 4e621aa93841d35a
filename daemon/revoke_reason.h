/* revoke_reason.h - the reasons for a revocation that a subscriber may give, in the words
 * of RFC 5280 5.3.1. Pure. */
#ifndef DAEMON_REVOKE_REASON_H
#define DAEMON_REVOKE_REASON_H

#include <stdbool.h>

#include "acme/acme.h"

/* "unspecified", "keyCompromise", ... in any case; NULL: unspecified. False for another.
 */
bool revoke_reason_of(const char *word, enum acme_revocation *ret);

/* All words, for a sentence. Borrowed. */
const char *revoke_reason_words(void);

#endif
