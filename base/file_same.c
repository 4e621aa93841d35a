/* file_same.c - is a file still what it was? For those who share it with other programs.
 */
#include "base/files.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"

void bytes_hash(const void *data, size_t len, char ret[FILE_HASH_MAX])
{
	unsigned char digest[32];

	if (!EVP_Digest(len ? data : "", len, digest, NULL, EVP_sha256(), NULL))
		abort(); /* SHA-256 of memory fails only when memory is out */
	hex_encode(digest, sizeof(digest), false, ret);
}

int file_hash(const char *path, char ret[FILE_HASH_MAX], struct err *err)
{
	struct buf bytes;
	int rc = 0;

	buf_init_secret(&bytes, FILE_HASH_MAX_BYTES);
	if (!file_read(path, &bytes, err))
		bytes_hash(bytes.data, bytes.len, ret);
	else if (err->kind == ERR_NOT_FOUND)
		ret[0] = '\0';
	else
		rc = -1;
	buf_release(&bytes);
	return rc;
}

int file_check_same(const char *path, const char *expected, struct err *err)
{
	char now[FILE_HASH_MAX], when[CLOCK_TEXT_MAX];
	struct file_facts facts;

	if (!expected)
		return 0;
	if (file_hash(path, now, err))
		return -1;
	if (!strcmp(now, expected))
		return 0;
	if (!now[0])
		return err_set(err, ERR_TRANSIENT,
			       "'%s' was removed by somebody else while it was to be "
			       "replaced; nothing was overwritten",
			       path);
	if (file_inspect(path, &facts, err))
		return -1;
	clock_format_people(facts.modified_at, when);
	return err_set(err, ERR_TRANSIENT,
		       "'%s' was changed by somebody else at %s, while it was to be "
		       "replaced; nothing was overwritten",
		       path, when);
}
