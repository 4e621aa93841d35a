/* csr.h - the certificate signing request: of finalize (RFC 8555 7.4), and for programs
 * that ask a CA in our place. */
#ifndef ACME_CSR_H
#define ACME_CSR_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "base/err.h"
#include "base/str.h"

/* Makes a PKCS#10 request for exactly `names` (base/identifier.h), in that order; with
 * `common_name` the first that fits 64 characters and is no IP address is the subject
 * too. No EKU, no key
 * usage: what goes in is the CA's choice (some refuse a request that asks for
 * clientAuth). Gives *ret_csr, base64url of the DER. Borrows. */
int csr_make(EVP_PKEY *key, const char *const *names, bool common_name, char **ret_csr,
	     struct err *err);

/* The same as PEM ("BEGIN CERTIFICATE REQUEST"), for programs that read a file. Gives. */
int csr_make_pem(EVP_PKEY *key, const char *const *names, bool common_name,
		 char **ret_pem, struct err *err);

struct csr_facts {            /* of a request that the operator made */
	struct strlist names; /* base/identifier.h, lower case: of the subjectAltName, and
				 behind them the common name where it is not there */
	char *common_name;    /* NULL: none */
	EVP_PKEY *key;        /* its public part */
	bool asks_client_auth; /* in its extended key usage: public CAs refuse or drop it
				*/
	char *der;             /* base64url of the DER: struct acme_request.csr */
};
/* Reads a PKCS#10 request, PEM or DER, of at most 64 KiB and 200 names. Pure. Gives the
 * contents of *ret, csr_facts_clear(). ERR_CONFIG when it is none, is not signed by its
 * own key, names nothing, or names what is neither a DNS name nor an IP address. */
int csr_read(const void *data, size_t len, struct csr_facts *ret, struct err *err);
void csr_facts_clear(struct csr_facts *facts); /* NULL is fine */

#endif
