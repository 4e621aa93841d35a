/* provider_http.h - one provider asked by HTTP: a client with its trust, proxy and time
 * limit, a request, and what its answer means. Private to the rows. */
#ifndef HOOKS_DNS_PROVIDER_HTTP_H
#define HOOKS_DNS_PROVIDER_HTTP_H

#include "base/http_client.h"
#include "hooks/dns.h"

/* Gives *ret: a client for requests below `base_url`. TLS is verified; http:// works
 * where the configuration let it through. */
int provider_http_open(const struct dns_work *work, const char *base_url,
		       struct http_client **ret, struct err *err);

/* Gives `base` and `path` (which begins with '/') as one URL, with one '/' between. */
char *provider_http_url(const char *base, const char *path);

/* Gives `text` as it may stand in a query: all but letters, digits and "-._~" as %XX. */
char *provider_http_escape(const char *text);

/* 0 for 2xx. Else an error with the status and the first words of the answer, as `who`
 * ("the acme-dns server") said them: ERR_TRANSIENT for 408, 429 and 5xx (with the
 * Retry-After), ERR_CONFIG for 401 and 403, ERR_REFUSED for the rest. */
int provider_http_judge(const struct http_response *response, const char *who,
			struct err *err);

/* The kind and the Retry-After of that judgement alone, in an error that has its sentence
 * already. Returns -1. */
int provider_http_kind(const struct http_response *response, struct err *err);

#endif
