/* world_certs.c - a chain that was read once is not taken apart again: the linker sends
 * cert_parse(), cert_load(), cert_free(), cert_fullchain_pem() and cert_ari_id() here
 * first (CMakeLists.txt). A struct cert never changes, so everybody may have the same
 * one. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cert.h"
#include "base/files.h"
#include "base/str.h"

#define SLOTS ((size_t)4096) /* at most half of them taken */
#define PEM_MAX_BYTES ((size_t)64 * 1024)

struct known {
	char *bytes;
	size_t len;
	struct cert *cert;
	char *fullchain;
	bool has_ari_id;
	char *ari_id;
};

static struct known by_bytes[SLOTS];
static struct known *by_cert[SLOTS];
static size_t n_known;

int __real_cert_parse(const char *pem, size_t len, struct cert **ret_cert,
		      struct err *err);
void __real_cert_free(struct cert *cert);
char *__real_cert_fullchain_pem(const struct cert *cert);
char *__real_cert_ari_id(const struct cert *cert);
int __wrap_cert_parse(const char *pem, size_t len, struct cert **ret_cert,
		      struct err *err);
int __wrap_cert_load(const char *path, struct cert **ret_cert, struct err *err);
void __wrap_cert_free(struct cert *cert);
char *__wrap_cert_fullchain_pem(const struct cert *cert);
char *__wrap_cert_ari_id(const struct cert *cert);

/* FNV-1a over words: most of a chain is noise. */
static size_t slot_of(const char *bytes, size_t len)
{
	uint64_t hash = 14695981039346656037U, word;

	for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 1099511628211U;
	}
	return (size_t)(hash ^ (hash >> 32)) % SLOTS;
}

static struct known *place_of_bytes(const char *bytes, size_t len)
{
	size_t slot = slot_of(bytes, len);

	while (by_bytes[slot].cert && (by_bytes[slot].len != len ||
				       memcmp(by_bytes[slot].bytes, bytes, len) != 0))
		slot = (slot + 1) % SLOTS;
	return &by_bytes[slot];
}

static struct known **place_of_cert(const struct cert *cert)
{
	size_t slot = ((uintptr_t)cert / 16) % SLOTS;

	while (by_cert[slot] && by_cert[slot]->cert != cert)
		slot = (slot + 1) % SLOTS;
	return &by_cert[slot];
}

int __wrap_cert_parse(const char *pem, size_t len, struct cert **ret_cert,
		      struct err *err)
{
	struct known *known = place_of_bytes(pem, len);

	if (!known->cert) {
		if (__real_cert_parse(pem, len, ret_cert, err))
			return -1;
		if (n_known == SLOTS / 2)
			return 0;
		n_known++;
		*known = (struct known){ .bytes = str_ndup(pem, len),
					 .len = len,
					 .cert = *ret_cert };
		*place_of_cert(*ret_cert) = known;
	}
	*ret_cert = known->cert;
	return 0;
}

/* As base/cert.c does it. */
int __wrap_cert_load(const char *path, struct cert **ret_cert, struct err *err)
{
	struct buf pem;
	int rc = -1;

	buf_init_secret(&pem, PEM_MAX_BYTES);
	if (file_read(path, &pem, err))
		goto out;
	if (__wrap_cert_parse(buf_str(&pem), pem.len, ret_cert, err)) {
		err_wrap(err, "certificate '%s'", path);
		goto out;
	}
	rc = 0;
out:
	buf_release(&pem);
	return rc;
}

void __wrap_cert_free(struct cert *cert)
{
	if (cert && !*place_of_cert(cert))
		__real_cert_free(cert);
}

char *__wrap_cert_fullchain_pem(const struct cert *cert)
{
	struct known *known = *place_of_cert(cert);

	if (!known)
		return __real_cert_fullchain_pem(cert);
	if (!known->fullchain)
		known->fullchain = __real_cert_fullchain_pem(cert);
	return str_dup(known->fullchain);
}

char *__wrap_cert_ari_id(const struct cert *cert)
{
	struct known *known = *place_of_cert(cert);

	if (!known)
		return __real_cert_ari_id(cert);
	if (!known->has_ari_id)
		known->ari_id = __real_cert_ari_id(cert);
	known->has_ari_id = true;
	return str_dup(known->ari_id);
}
