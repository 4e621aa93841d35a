/* directory.h - the CA's directory object (RFC 8555 7.1.1), parsed. */
#ifndef ACME_DIRECTORY_H
#define ACME_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct acme_directory {
	char *new_nonce, *new_account, *new_order, *revoke_cert, *key_change;
	char *renewal_info;     /* RFC 9773; NULL: the CA gives no advice */
	char *terms_of_service; /* NULL: none */
	char *website;
	bool external_account_required;
	struct strlist caa_identities; /* lower case; RFC 8555 7.1.1 caaIdentities */
	struct strlist profiles;       /* names, in the directory's order
					  (draft-ietf-acme-profiles) */
	struct strlist profile_texts;  /* what the CA says about each, same order */
};

/* Parses the directory's JSON. Fills *ret, released with acme_directory_clear().
 * newNonce, newAccount and newOrder must be there as https URLs: else ERR_TRANSIENT "not
 * an ACME directory: ..." (a proxy's HTML page today is a directory again tomorrow). */
int acme_directory_parse(const void *data, size_t len, struct acme_directory *ret,
			 struct err *err);
void acme_directory_clear(struct acme_directory *directory);

#endif
