/* http_parts.h - what the files of the HTTP client share. Private to them: curl's and
 * OpenSSL's types stay out of http_client.h. */
#ifndef BASE_HTTP_PARTS_H
#define BASE_HTTP_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>
#include <openssl/x509.h>

#include "base/http_client.h"

#define HTTP_MAX_HEADERS 100
#define HTTP_MAX_HEADER_BYTES 65536

/* One answer while it arrives. */
struct http_incoming {
	struct http_response response;
	size_t header_bytes;
	bool body_too_large, headers_too_large;
};

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION; `ctx` is a struct http_incoming. */
size_t http_take_header(char *line, size_t size, size_t n, void *ctx);
size_t http_take_body(char *data, size_t size, size_t n, void *ctx);

/* Reads the CA certificates of a PEM file. Gives *ret. ERR_CONFIG when there is none. */
int http_bundle_load(const char *path, STACK_OF(X509) * *ret, struct err *err);

/* Whom a client believes beside the folder that curl knows. */
struct http_trust {
	STACK_OF(X509) * bundle; /* the operator's; NULL none */
	const char *file;        /* of the system, see ca_store.h */
};

/* CURLOPT_SSL_CTX_FUNCTION; `arg` is a struct http_trust and outlives the connection.
 */
CURLcode http_trust(CURL *easy, void *ssl_ctx, void *arg);

/* CURLOPT_OPENSOCKETFUNCTION: a socket that the programs we run do not inherit. */
curl_socket_t http_socket_open(void *ctx, curlsocktype purpose,
			       struct curl_sockaddr *address);

/* Fails with the sentence for `code`: "GET https://ca/x: could not resolve host". */
int http_say(CURL *easy, CURLcode code, const struct http_request *request,
	     const struct http_incoming *incoming, const char *words, struct err *err);

#endif
