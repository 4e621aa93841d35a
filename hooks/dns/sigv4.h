/* sigv4.h - Signature Version 4 of Amazon Web Services: the headers that sign a request.
 * Pure: the instant is passed in. What is signed: method, path, query, host, date,
 * session token and body ("Authenticating Requests (AWS Signature Version 4)"). */
#ifndef HOOKS_DNS_SIGV4_H
#define HOOKS_DNS_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct sigv4_key { /* borrowed */
	const char *access_key_id;
	const char *secret;
	const char *session_token; /* NULL: none */
	const char *region, *service;
};

struct sigv4_request { /* borrowed */
	const char *method;
	const char *host;  /* as in the Host header, a port that is not 443 too */
	const char *path;  /* as in the URL, "/" at least, without "." and ".." */
	const char *query; /* escaped, its parameters sorted; "" for none */
	const char *body;
	size_t body_len;
	int64_t at; /* when it is signed */
};

/* Adds "X-Amz-Date: ...", "X-Amz-Security-Token: ..." where there is a session token, and
 * "Authorization: ..." to `headers`. ERR_IO when OpenSSL fails. */
int sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request,
	       struct strlist *headers, struct err *err);

#endif
