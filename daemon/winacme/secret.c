/* secret.c - win-acme's ProtectedString: how its files keep secrets. */
#include <string.h>

#include "base/base64url.h"
#include "daemon/winacme/winacme.h"

#define SECRET_MAX_BYTES (64 * 1024)
#define ENCRYPTED "enc-"
#define CLEAR "clear-"
#define VAULT "vault://"

static int decode(const char *text, struct buf *ret, struct err *err)
{
	if (base64_any_decode(text, ret))
		return err_set(err, ERR_CONFIG,
			       "a secret of win-acme is damaged: it is "
			       "not base64");
	return 0;
}

static int open_encrypted(const char *text, struct buf *ret, struct err *err)
{
	struct buf blob;
	int rc = -1;

	buf_init(&blob, SECRET_MAX_BYTES);
	if (!decode(text, &blob, err))
		rc = winacme_unprotect(blob.data, blob.len, ret, err);
	buf_release(&blob);
	return rc;
}

int winacme_secret(const char *text, struct buf *ret, struct err *err)
{
	if (str_starts(text, VAULT))
		return err_set(err, ERR_CONFIG,
			       "a secret lies in win-acme's vault, which is not read: "
			       "give it by 'certrenewd protect'");
	if (str_starts(text, ENCRYPTED))
		return open_encrypted(text + strlen(ENCRYPTED), ret, err);
	if (!str_starts(text, CLEAR))
		return decode(text, ret, err);
	if (buf_puts(ret, text + strlen(CLEAR)))
		return err_set(err, ERR_CONFIG, "a secret of win-acme is too long");
	return 0;
}
