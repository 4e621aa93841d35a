/* source_search.h - the choice among the certificates of a place, the same for every kind
 * of place. For source*.c only; everybody else uses hooks/source.h. */
#ifndef HOOKS_SOURCE_SEARCH_H
#define HOOKS_SOURCE_SEARCH_H

#include <stddef.h>

#include "hooks/source.h"

struct source_search {
	const struct source_query *query; /* borrowed */
	size_t seen;                      /* certificates, whoever they are for */
	struct source_found best;
	char *refused; /* why the newest that has our names does not do; NULL: none */
	int64_t refused_not_before;
};
void source_search_clear(struct source_search *search);

/* Counts a certificate and says whether it is one for us, but for its key; why not is
 * remembered. `where` is for people. Borrows. */
bool source_wants(struct source_search *search, const struct cert *cert,
		  const char *where);

/* Remembers why one that has our names does not do. Borrows. */
void source_refuse(struct source_search *search, const struct cert *cert,
		   const char *where, const char *why);

/* Offers one that source_wants(): the newest stays; of the same one the longer chain.
 * Takes `cert` and `key` (may be NULL). */
void source_offer(struct source_search *search, struct cert *cert, EVP_PKEY *key,
		  const char *where);

/* The result: moved to *ret, or ERR_NOT_FOUND with what was seen in `place` instead. */
int source_conclude(struct source_search *search, const char *place,
		    struct source_found *ret, struct err *err);

#endif
