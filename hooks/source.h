/* source.h - certificates that somebody else puts into a place: AD CS by auto-enrolment,
 * an administrator by hand, another ACME client. The newest that has our names is found;
 * nothing is taken away, changed or marked.
 *
 * Two kinds of place. A folder of PEM files: a leaf (with its chain behind it) in a file
 * `*.pem`, `*.crt` or `*.cer`, its private key in the same file or in another `*.pem` or
 * `*.key` of the folder. The Windows certificate store: an entry that is not archived and
 * knows its key; the key is not read, it stays where it is and need not be exportable.
 *
 *     struct source_query query = { .names = hosts, .now = clock_wall() };
 *     struct source_found found = { 0 };
 *     if (source_find_in_folder("/srv/certs", &query, &found, &err)) ...
 *     source_found_clear(&found);
 */
#ifndef HOOKS_SOURCE_H
#define HOOKS_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/cert.h"
#include "base/err.h"

struct source_query {             /* borrowed */
	const char *const *names; /* all of them must be covered; NULL: any */
	const char *sha1;         /* only the one with this thumbprint; NULL: any */
	const struct cert *than;  /* another one than this, that ends later; NULL: any */
	int64_t now;
	bool look_only; /* to be watched: expired ones count, a key is not asked for */
};

struct source_found {
	struct cert *cert;
	EVP_PKEY *key; /* NULL: in the Windows store, or not asked for */
	char *where;   /* for people: the file, or the store */
};
void source_found_clear(struct source_found *found);

/* Finds the one with the newest notBefore that is valid now, for servers (extended key
 * usage), has all names and a key that belongs to it. Files that somebody beside root,
 * administrators and this account could have planted do not count. Gives *ret.
 * ERR_NOT_FOUND says what came nearest and why it does not do. */
int source_find_in_folder(const char *folder, const struct source_query *query,
			  struct source_found *ret, struct err *err);

/* The same in a Windows store: "LocalMachine" or "CurrentUser", "My" (twin file; on
 * POSIX ERR_CONFIG: there is none). */
int source_find_in_store(const char *location, const char *name,
			 const struct source_query *query, struct source_found *ret,
			 struct err *err);

#endif
