/* ca_store.h - the system's trusted certificates, taken one at a time. Twin: ca_system.c.
 *
 * Elsewhere than on Windows the system's bundle is some 150 certificates in one file: 20
 * ms and 2 MiB to read, for the one that is needed. Most systems keep the same
 * certificates in a folder as well, each under the hash of its name (openssl-rehash(1)).
 * The folder is asked first; the file is read only for a chain that nothing in the folder
 * anchors. SSL_CERT_DIR and SSL_CERT_FILE name others, as everywhere in OpenSSL.
 *
 * Windows: the machine's ROOT store. A root that Windows trusts may not lie there until
 * it is asked for: then Windows itself builds the chain, fetches the root, and OpenSSL
 * verifies with it. What lies in Disallowed is refused.
 *
 * It caches nothing: a store lives as long as a connection or a verification, so what
 * was distrusted is distrusted at the next one. */
#ifndef BASE_CA_STORE_H
#define BASE_CA_STORE_H

#include <openssl/x509.h>

/* Gives a store that looks into the system's folder (Windows: an empty one);
 * X509_STORE_free(). NULL: OpenSSL could not, and says why in its queue. */
X509_STORE *ca_store_new(void);

/* Adds what is in `file`, NULL: the system's. One that cannot be read adds nothing. */
void ca_store_read_file(X509_STORE *store, const char *file);

/* X509_verify_cert(), after `file` (as above) was read if nothing else anchors the chain.
 * Returns 1 when it is trusted; else the context has the error. */
int ca_store_verify(X509_STORE_CTX *ctx, const char *file);

#endif
