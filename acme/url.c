#include "acme/url.h"

#include <string.h>

#include "base/str.h"

/* "user:word@host": curl would log in with that. */
static bool has_credentials(const char *authority)
{
	return memchr(authority, '@', strcspn(authority, "/?#")) != NULL;
}

bool url_is_https(const char *url)
{
	size_t len;

	if (!url || !str_starts(url, "https://"))
		return false;
	len = strlen(url);
	if (len <= strlen("https://") || len > URL_MAX || url[strlen("https://")] == '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (url[i] <= ' ' || url[i] > '~' || strchr("\"<>\\", url[i]))
			return false;
	}
	return !has_credentials(url + strlen("https://"));
}

int url_check(const char *url, const char *what, struct err *err)
{
	if (!url)
		return err_set(err, ERR_REFUSED, "the CA's answer names no %s URL", what);
	if (url_is_https(url))
		return 0;
	err_set(err, ERR_REFUSED, "the CA gave '%.200s' as %s URL: not an https:// URL",
		url, what);
	str_make_printable(err->text);
	return -1;
}
