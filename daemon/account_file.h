/* account_file.h - the files of one account, for daemon/account*.c only:
 * accounts/<issuer>/{key.pem,key.new.pem,account.json}. */
#ifndef DAEMON_ACCOUNT_FILE_H
#define DAEMON_ACCOUNT_FILE_H

#include <stddef.h>

#include <openssl/evp.h>

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

#define ACCOUNT_KEY "key.pem"
#define ACCOUNT_NEW_KEY "key.new.pem" /* while it is not known which of two counts */
#define ACCOUNT_JSON "account.json"
#define ACCOUNT_MAX_BYTES (64 * 1024)

/* The folder, or a file of it. Give. */
char *account_folder(const struct config *config, const struct issuer_config *issuer);
char *account_path(const struct config *config, const struct issuer_config *issuer,
		   const char *file);

/* Reads a private key. Gives *ret_key. ERR_NOT_FOUND, ERR_CONFIG (damaged), ERR_IO. */
int account_key_read(const char *path, EVP_PKEY **ret_key, struct err *err);

/* Writes one, durable when this returns. Borrows. */
int account_key_write(const char *path, const EVP_PKEY *key, struct err *err);

/* Moves `path` out of the way under a name that says when: what was there is evidence.
 * `notes` (may be NULL) gets `why` and where it is now. */
int account_set_aside(const char *path, const char *why, struct strlist *notes,
		      struct err *err);

struct account_fact { /* a member of account.json; value NULL: it goes */
	const char *name, *value;
};
/* Changes those members and leaves the others, durable when this returns. Workers wait
 * for each other at account.lock. */
int account_change(const struct config *config, const struct issuer_config *issuer,
		   const struct account_fact *facts, size_t n, struct err *err);

#endif
