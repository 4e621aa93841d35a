/* tls_json.h - Theobald's config/servers/tls.json: which certificate the product serves.
 *
 * Keeps every byte except the values that change: member order, unknown members,
 * indentation, line endings, BOM, number literals. Pure: bytes in, bytes out; reading and
 * replacing the file is base/files.h and hooks/change.h. */
#ifndef HOOKS_TLS_JSON_H
#define HOOKS_TLS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cert.h"
#include "base/err.h"
#include "hooks/change.h"

#define TLS_JSON_MAX_BYTES ((size_t)256 * 1024)

struct tls_json_values {
	bool tls_enabled;
	char subject_alt_name[256];
	char issuer[1024];   /* as .NET prints it: dotnet_name() */
	char not_after[32];  /* "yyyyMMddTHHmmss.000Z" */
	char thumbprint[48]; /* SHA-1, upper case; as found in the file when read */
};

/* The values for `cert`; `subject_alt_name` is the certificate's first host. */
int tls_json_values_of(const struct cert *cert, const char *subject_alt_name,
		       struct tls_json_values *ret, struct err *err);

/* Reads what a tls.json says. Missing members read as "" and false. ERR_CONFIG
 * "not JSON: line 3, column 7: ..." or "is an array, not an object", duplicate members
 * that we would have to write included ("'thumbprint' is there twice"). */
int tls_json_read(const void *bytes, size_t len, struct tls_json_values *ret,
		  struct err *err);

/* Appends to `out` the document with the values in place. `bytes` NULL, or len 0 with
 * `absent_ok`: a new document as in the vendor's manual. Missing members are added in the
 * document's own style. Errors as tls_json_read(). */
int tls_json_render(const void *bytes, size_t len, const struct tls_json_values *values,
		    struct buf *out, struct err *err);

/* Reads `path` (through trusted links only), renders, and appends the change. An absent
 * file becomes a new one; an empty one is ERR_CONFIG. `from`: render on these bytes
 * instead of the file's (the way back from plain HTTP); NULL: the file's own. */
int tls_json_plan(const char *path, const struct buf *from,
		  const struct tls_json_values *values, struct change_list *list,
		  struct err *err);

#endif
