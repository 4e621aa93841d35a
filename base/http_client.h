/* http_client.h - one kept connection to one HTTPS peer: CAs, webhooks.
 *
 * libcurl with every limit set: verified TLS (system trust plus `ca_bundle`; there is no
 * switch to turn it off), https only unless `allow_plain` (webhooks on loopback may be
 * http), bounded body, headers, time and redirects, cancellable within a second. Not
 * thread-safe: one client belongs to one worker. */
#ifndef BASE_HTTP_CLIENT_H
#define BASE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct cancel;
struct http_client;

struct http_client_options {
	const char *ca_bundle; /* PEM file added to the system's trust; NULL: none */
	const char *proxy;     /* "http://proxy:3128"; NULL: none, "" too */
	int64_t timeout_s;     /* of one request; 0: 30 */
	size_t max_body_bytes; /* 0: 1 MiB */
	bool allow_plain;
};

struct http_request {
	const char *method; /* "GET", "HEAD", "POST", "DELETE" (without a body) */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
	const char *body;           /* NULL: none */
	size_t body_len;
	int max_redirects;  /* followed for GET and HEAD only; 0: none */
	bool url_is_secret; /* webhooks: sentences name scheme and host only */
};

struct http_response {
	long status;
	struct buf body;
	struct strlist headers; /* "name: value", names lower-cased */
	int64_t date;           /* the Date header; 0 without one */
	char *url;              /* after redirects */
};

/* Gives *ret_client. Borrows `options`, copies what it needs. Keeps `cancel`. */
int http_client_new(const struct http_client_options *options,
		    const struct cancel *cancel, struct http_client **ret_client,
		    struct err *err);
void http_client_free(struct http_client *client); /* NULL is fine */

/* Performs one request and fills *ret, whatever the status is; the caller releases it
 * with http_response_release(). Fails when no answer came: ERR_TRANSIENT (connect,
 * timeout, reset, truncated), ERR_CONFIG (certificate not trusted, bad URL, unreadable
 * bundle), ERR_REFUSED (answer larger than max_body_bytes, too many redirects, http://
 * not allowed), ERR_CANCELLED. The sentence names method, URL (never its user, password
 * and query) and curl's own words. */
int http_client_perform(struct http_client *client, const struct http_request *request,
			struct http_response *ret, struct err *err);

/* First header of that (lower-case) name, without leading blanks; NULL: none. Borrowed.
 */
const char *http_header(const struct http_response *response, const char *name);

void http_response_release(struct http_response *response);

/* Instants learnt from Date headers over verified TLS: the newest, and the monotonic
 * time at which it arrived; false when there has been none. The clock's confirmation
 * (daemon/clock_trust.h) stands on this. */
bool http_client_date(const struct http_client *client, int64_t *ret_date,
		      int64_t *ret_mono_ms);

/* How many requests were sent and connections opened so far. */
void http_client_counts(const struct http_client *client, unsigned long *ret_requests,
			unsigned long *ret_connections);

/* The proxy that this machine is set to use on the way to `url`: "http://host:port".
 * Gives; NULL: none. Windows: WinHTTP's setting (netsh winhttp show proxy) with its
 * exceptions; there is no such setting elsewhere, and the environment is not obeyed. Twin
 * file. */
char *http_system_proxy(const char *url);

#endif
