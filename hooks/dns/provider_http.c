/* provider_http.c - what providers that are asked by HTTP have in common. */
#include "hooks/dns/provider_http.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define MAX_ANSWER_BYTES ((size_t)1024 * 1024)
#define FIRST_WORDS_BYTES 200

enum { UNAUTHORIZED = 401, FORBIDDEN = 403, TIMED_OUT = 408, TOO_MANY = 429 };

int provider_http_open(const struct dns_work *work, const char *base_url,
		       struct http_client **ret, struct err *err)
{
	const struct dns_provider *provider = work->provider;
	struct http_client_options options = { .ca_bundle = provider->ca_bundle,
					       .proxy = provider->proxy,
					       .timeout_s = provider->timeout_s,
					       .max_body_bytes = MAX_ANSWER_BYTES,
					       .allow_plain = str_starts(base_url,
									 "http://") };

	return http_client_new(&options, work->cancel, ret, err);
}

char *provider_http_url(const char *base, const char *path)
{
	size_t len = strlen(base);

	while (len && base[len - 1] == '/')
		len--;
	return str_printf("%.*s%s", (int)len, base, path);
}

char *provider_http_escape(const char *text)
{
	char *out = mem_calloc(strlen(text) * 3 + 1, 1), *to = out;

	for (; *text; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') ||
			     (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9') || strchr("-._~", *text);

		if (plain) {
			*to++ = *text;
		} else {
			*to++ = '%';
			hex_encode(text, 1, true, to);
			to += 2;
		}
	}
	return out;
}

int provider_http_kind(const struct http_response *response, struct err *err)
{
	const char *later = http_header(response, "retry-after");
	int64_t seconds;

	if (response->status == UNAUTHORIZED || response->status == FORBIDDEN)
		err->kind = ERR_CONFIG;
	else if (response->status >= 500 || response->status == TOO_MANY ||
		 response->status == TIMED_OUT)
		err->kind = ERR_TRANSIENT;
	else
		err->kind = ERR_REFUSED;
	if (later && !clock_parse_retry_after(later, clock_wall(), &seconds))
		err->retry_after_s = (uint32_t)seconds;
	return -1;
}

int provider_http_judge(const struct http_response *response, const char *who,
			struct err *err)
{
	char words[FIRST_WORDS_BYTES + 1] = "";

	if (response->status >= 200 && response->status < 300)
		return 0;
	str_copy(words, sizeof(words), buf_str(&response->body));
	str_make_printable(words);
	err_set(err, ERR_REFUSED, "%s answered %ld%s%s", who, response->status,
		*words ? ": " : "", words);
	return provider_http_kind(response, err);
}
