/* http01.h - the http-01 challenge (RFC 8555 8.3): our own responder, or files below the
 * webroot of the server that keeps port 80.
 *
 * One responder per process, shared by all workers: it listens from the first live token
 * to the last and serves nothing else. Its token table is one of the two things that
 * threads share; its mutex lives in http01.c. */
#ifndef HOOKS_HTTP01_H
#define HOOKS_HTTP01_H

#include "base/err.h"

struct http01;

/* Gives an idle responder that binds nothing yet. */
struct http01 *http01_new(void);
void http01_free(struct http01 *http01);

/* Serves `key_authorization` for `token` on `listen` (":80") until withdrawn. Several
 * tokens and several listen addresses at once are fine. Error sentences are those of
 * http_server_start() ("port 80 is taken by 'nginx' (process 812): use webroot: ..."). */
int http01_serve(struct http01 *http01, const char *listen, const char *token,
		 const char *key_authorization, struct err *err);

/* Withdraws the token; the last one on an address closes its listener. */
void http01_withdraw(struct http01 *http01, const char *listen, const char *token);

/* Could `listen` be bound now (or is it bound by us)? For preflight. */
int http01_check(struct http01 *http01, const char *listen, struct err *err);

/* The webroot form: writes `<webroot>/.well-known/acme-challenge/<token>`, 0644, folders
 * made as needed with the owner of the nearest existing one; refuses a planted link and a
 * token outside the base64url alphabet. Withdrawing removes the file and the folders that
 * it made and that are empty again. */
int webroot_serve(const char *webroot, const char *token, const char *key_authorization,
		  struct err *err);
int webroot_withdraw(const char *webroot, const char *token, struct err *err);
int webroot_check(const char *webroot, struct err *err);

#endif
