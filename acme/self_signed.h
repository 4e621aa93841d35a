/* self_signed.h - a certificate signed with its own key: for test systems, where no CA is
 * asked and every client has to be told to trust it. */
#ifndef ACME_SELF_SIGNED_H
#define ACME_SELF_SIGNED_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/err.h"

#define SELF_SIGNED_BACKDATED_S 300 /* the client's clock may be behind ours */

struct self_signed_request { /* borrowed */
	EVP_PKEY *key;
	const char *const *names; /* host names and IP addresses; the first that fits
				     64 characters is the subject too if `common_name` */
	bool common_name;
	int64_t lifetime_s; /* counted from `now` */
	int64_t now;
};

/* Appends the certificate to `ret` as PEM: serverAuth, a random serial of 127 bits, valid
 * from five minutes before now. */
int self_signed_make(const struct self_signed_request *request, struct buf *ret,
		     struct err *err);

#endif
