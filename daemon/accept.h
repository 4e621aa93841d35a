/* accept.h - is the new certificate one that we may deploy?  Pure.
 *
 * Refused: key or names do not match, the chain does not verify, not valid now, or it
 * would itself be due at once. Warned with old -> new, and refused when listed in
 * `require`: extended key usage, lifetime, issuer, common name gone. When the old one is
 * expired or absent only the first group refuses. */
#ifndef DAEMON_ACCEPT_H
#define DAEMON_ACCEPT_H

#include <stdint.h>

#include <openssl/evp.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

/* Judges `fresh` for `config`, with private key `key`; `old` may be NULL. Adds sentences
 * for the operator to `warnings`. ERR_REFUSED with the reason. */
int accept_certificate(const struct certificate_config *config, const struct cert *fresh,
		       const EVP_PKEY *key, const struct cert *old, int64_t now,
		       struct strlist *warnings, struct err *err);

#endif
