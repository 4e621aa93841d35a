/* accept.h - is the new certificate one that we may deploy?  Pure.
 *
 * Refused: key or names do not match, the chain does not verify, not valid now, or it
 * would itself be due at once. Warned with old -> new, and refused when listed in
 * `require`: extended key usage, lifetime, issuer, common name gone. When the old one is
 * expired, revoked or absent only the first group refuses. */
#ifndef DAEMON_ACCEPT_H
#define DAEMON_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

struct accept_facts { /* all borrowed */
	const struct certificate_config *config;
	enum issuer_type issuer; /* who made it: of one that we did not order (the
				    store) it is enough that it has all of our names,
				    and it may be due at once */
	const struct cert *fresh;
	const EVP_PKEY *key;    /* its private key; NULL: it is in the store only */
	const struct cert *old; /* NULL: none */
	bool old_revoked;       /* then it serves nobody */
	int64_t now;
};

/* Judges the fresh one. Adds sentences for the operator to `warnings`. ERR_REFUSED with
 * the reason; ERR_IO when it could not be judged. */
int accept_certificate(const struct accept_facts *facts, struct strlist *warnings,
		       struct err *err);

/* What was asked for and is not in an accepted one: adds a sentence each to `notes`. */
void accept_wishes(const struct accept_facts *facts, struct strlist *notes);

#endif
