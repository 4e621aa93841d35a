/* ca_system.h - where each system keeps whom it trusts. Twin files; private to ca_store.c
 * and its twins. */
#ifndef BASE_CA_SYSTEM_H
#define BASE_CA_SYSTEM_H

#include <stdbool.h>

#include <openssl/x509_vfy.h>

/* Adds to the context's store what may anchor the chain it is about: the rest of the
 * system's trust, and `file` (NULL: the system's). */
void ca_system_seek(X509_STORE_CTX *ctx, const char *file);

/* Does the system name a certificate of the verified chain as not to be trusted? */
bool ca_system_distrusts(X509_STORE_CTX *ctx);

#endif
