/* http01.c - the responder's table of live tokens, one list per listen address.
 *
 * Two locks: `binding` is held while a listener starts or stops, so that nobody binds an
 * address that is just being given up; `table` guards the tokens and is all that the
 * server's thread takes, so that stopping a server can wait for its thread. Who needs
 * both takes `binding` first. */
#include "hooks/http01.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/http_server.h"
#include "base/str.h"

#define CHALLENGE_PATH "/.well-known/acme-challenge/"
#define HTTP_OK 200
#define HTTP_NOT_FOUND 404

struct token {
	char *token, *key_authorization;
	struct token *next;
};

struct listener {
	struct http01 *http01;
	char *listen;
	struct http_server *server;
	struct token *tokens; /* behind `table` */
	struct listener *next;
};

struct http01 {
	uv_mutex_t binding, table;
	struct listener *listeners; /* behind `binding` */
};

struct http01 *http01_new(void)
{
	struct http01 *http01 = mem_calloc(1, sizeof(*http01));

	if (uv_mutex_init(&http01->binding) || uv_mutex_init(&http01->table))
		abort(); /* out of memory, or a bug */
	return http01;
}

static void token_free(struct token *token)
{
	free(token->token);
	free(token->key_authorization);
	free(token);
}

/* Takes the token out of the list; NULL when it is not there. */
static struct token *token_take(struct listener *listener, const char *name)
{
	struct token **at = &listener->tokens, *found;

	while (*at && !str_equal((*at)->token, name))
		at = &(*at)->next;
	found = *at;
	if (found)
		*at = found->next;
	return found;
}

static void listener_free(struct listener *listener)
{
	struct token *token;

	http_server_stop(listener->server);
	while ((token = listener->tokens)) {
		listener->tokens = token->next;
		token_free(token);
	}
	free(listener->listen);
	free(listener);
}

void http01_free(struct http01 *http01)
{
	struct listener *listener;

	if (!http01)
		return;
	while ((listener = http01->listeners)) {
		http01->listeners = listener->next;
		listener_free(listener);
	}
	uv_mutex_destroy(&http01->binding);
	uv_mutex_destroy(&http01->table);
	free(http01);
}

/* On the server's thread. */
static unsigned answer(void *ctx, const char *path, const char *host, struct buf *body)
{
	struct listener *listener = ctx;
	unsigned status = HTTP_NOT_FOUND;
	const struct token *token;

	(void)host; /* any name that leads here may be validated */
	if (!str_starts(path, CHALLENGE_PATH))
		return status;
	uv_mutex_lock(&listener->http01->table);
	for (token = listener->tokens; token; token = token->next) {
		if (str_equal(token->token, path + strlen(CHALLENGE_PATH))) {
			buf_puts(body, token->key_authorization);
			status = HTTP_OK;
			break;
		}
	}
	uv_mutex_unlock(&listener->http01->table);
	return status;
}

static struct listener *find(struct http01 *http01, const char *listen)
{
	struct listener *listener = http01->listeners;

	while (listener && !str_equal(listener->listen, listen))
		listener = listener->next;
	return listener;
}

/* Starts listening and enters it into the list. */
static int start(struct http01 *http01, const char *listen, struct listener **ret,
		 struct err *err)
{
	struct listener *listener = mem_calloc(1, sizeof(*listener));

	listener->http01 = http01;
	listener->listen = str_dup(listen);
	if (http_server_start(listen, CHALLENGE_PATH, answer, listener, &listener->server,
			      err)) {
		listener_free(listener);
		return -1;
	}
	listener->next = http01->listeners;
	http01->listeners = listener;
	*ret = listener;
	return 0;
}

static void stop(struct http01 *http01, struct listener *listener)
{
	struct listener **at = &http01->listeners;

	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	listener_free(listener);
}

int http01_serve(struct http01 *http01, const char *listen, const char *token,
		 const char *key_authorization, struct err *err)
{
	struct listener *listener;
	struct token *entry, *before;
	int rc = -1;

	uv_mutex_lock(&http01->binding);
	listener = find(http01, listen);
	if (!listener && start(http01, listen, &listener, err))
		goto out;
	entry = mem_calloc(1, sizeof(*entry));
	entry->token = str_dup(token);
	entry->key_authorization = str_dup(key_authorization);
	uv_mutex_lock(&http01->table);
	before = token_take(listener, token);
	entry->next = listener->tokens;
	listener->tokens = entry;
	uv_mutex_unlock(&http01->table);
	if (before)
		token_free(before);
	rc = 0;
out:
	uv_mutex_unlock(&http01->binding);
	return rc;
}

void http01_withdraw(struct http01 *http01, const char *listen, const char *token)
{
	struct listener *listener;
	struct token *gone = NULL;

	uv_mutex_lock(&http01->binding);
	listener = find(http01, listen);
	if (listener) {
		uv_mutex_lock(&http01->table);
		gone = token_take(listener, token);
		uv_mutex_unlock(&http01->table);
		if (!listener->tokens)
			stop(http01, listener);
	}
	uv_mutex_unlock(&http01->binding);
	if (gone)
		token_free(gone);
}

int http01_check(struct http01 *http01, const char *listen, struct err *err)
{
	struct listener *listener;
	int rc = 0;

	uv_mutex_lock(&http01->binding);
	if (!find(http01, listen)) {
		rc = start(http01, listen, &listener, err);
		if (!rc)
			stop(http01, listener);
	}
	uv_mutex_unlock(&http01->binding);
	return rc;
}
