/* http_errors.c - why no answer came, for program and operator. */
#include <stdlib.h>
#include <string.h>

#include "base/http_parts.h"

static const struct {
	CURLcode code;
	enum err_kind kind;
	const char *advice;
} meanings[] = {
	{ CURLE_URL_MALFORMAT, ERR_CONFIG, "" },
	{ CURLE_PEER_FAILED_VERIFICATION, ERR_CONFIG,
	  "; if the server belongs to your own CA, name its root in ca_bundle" },
	{ CURLE_SSL_ISSUER_ERROR, ERR_CONFIG, "" },
	{ CURLE_SSL_CACERT_BADFILE, ERR_CONFIG,
	  "; is the package ca-certificates whole?" },
	{ CURLE_SSL_CERTPROBLEM, ERR_CONFIG, "" },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_REFUSED, "; only https:// is spoken here" },
	{ CURLE_TOO_MANY_REDIRECTS, ERR_REFUSED, "" },
	{ CURLE_FILESIZE_EXCEEDED, ERR_REFUSED, "; the answer is larger than allowed" },
	{ CURLE_WRITE_ERROR, ERR_REFUSED, "" },
	{ CURLE_OUT_OF_MEMORY, ERR_IO, "" },
	{ CURLE_FAILED_INIT, ERR_IO, "" },
	{ CURLE_BAD_FUNCTION_ARGUMENT, ERR_BUG, "" },
	{ CURLE_UNKNOWN_OPTION, ERR_BUG, "" },
};

/* Gives the URL without what may be secret in it: user, password, query; and without its
 * path too where that is the secret. */
static char *presentable(const char *url, bool secret)
{
	const char *host = strstr(url, "://"), *end, *at, *c;
	char *scheme, *rest, *out;

	host = host ? host + 3 : url;
	end = host + strcspn(host, "/?#");
	for (at = host, c = host; c < end; c++)
		if (*c == '@')
			at = c + 1;
	scheme = str_ndup(url, (size_t)(host - url));
	if (!secret)
		end += strcspn(end, "?#");
	rest = str_ndup(at, (size_t)(end - at));
	out = str_printf("%s%s%s", scheme, rest, secret && *end ? "/..." : "");
	free(scheme);
	free(rest);
	str_make_printable(out);
	return out;
}

int http_say(CURL *easy, CURLcode code, const struct http_request *request,
	     const struct http_incoming *incoming, const char *words, struct err *err)
{
	enum err_kind kind = ERR_TRANSIENT;
	const char *advice = "", *url = request->url;
	char *shown;
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].code == code) {
			kind = meanings[i].kind;
			advice = meanings[i].advice;
		}
	if (incoming->body_too_large || code == CURLE_FILESIZE_EXCEEDED) {
		advice = "";
		words = "the answer is larger than allowed";
	} else if (incoming->headers_too_large) {
		kind = ERR_REFUSED;
		words = "the answer has too many or too large headers";
	} else if (!*words) {
		words = curl_easy_strerror(code);
	}
	(void)curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	shown = presentable(url ? url : request->url, request->url_is_secret);
	err_set(err, kind, "%s %s: %s%s", request->method, shown, words, advice);
	str_make_printable(err->text);
	free(shown);
	return -1;
}
