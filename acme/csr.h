/* csr.h - the certificate signing request: of finalize (RFC 8555 7.4), and for programs
 * that ask a CA in our place. */
#ifndef ACME_CSR_H
#define ACME_CSR_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/err.h"

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

#endif
