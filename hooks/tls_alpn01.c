/* tls_alpn01.c - the table of live answers, one list per listen address.
 *
 * Two locks, as in http01.c: `binding` is held while a listener starts or stops, `table`
 * guards the answers and is all that the listener's thread takes. Who needs both takes
 * `binding` first. */
#include "hooks/tls_alpn01.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/str.h"
#include "hooks/tls_listener.h"

struct answer {
	char *server_name;
	X509 *cert;
	EVP_PKEY *key;
	struct answer *next;
};

struct listener {
	struct tls_alpn01 *all;
	char *listen;
	struct tls_listener *server;
	struct answer *answers; /* behind `table` */
	struct listener *next;
};

struct tls_alpn01 {
	uv_mutex_t binding, table;
	struct listener *listeners; /* behind `binding` */
};

struct tls_alpn01 *tls_alpn01_new(void)
{
	struct tls_alpn01 *tls_alpn01 = mem_calloc(1, sizeof(*tls_alpn01));

	if (uv_mutex_init(&tls_alpn01->binding) || uv_mutex_init(&tls_alpn01->table))
		abort(); /* out of memory, or a bug */
	return tls_alpn01;
}

/* ---- answers --------------------------------------------------------------- */

static void answer_free(struct answer *answer)
{
	free(answer->server_name);
	X509_free(answer->cert);
	EVP_PKEY_free(answer->key);
	free(answer);
}

/* Where in the list the name's answer is linked, or would be. */
static struct answer **answer_at(struct listener *listener, const char *server_name)
{
	struct answer **at = &listener->answers;

	while (*at && !str_equal_nocase((*at)->server_name, server_name))
		at = &(*at)->next;
	return at;
}

/* On the listener's thread. */
static bool pick(void *ctx, const char *server_name, SSL *ssl)
{
	struct listener *listener = ctx;
	const struct answer *answer;
	bool found;

	uv_mutex_lock(&listener->all->table);
	answer = *answer_at(listener, server_name);
	found = answer && SSL_use_certificate(ssl, answer->cert) == 1 &&
		SSL_use_PrivateKey(ssl, answer->key) == 1;
	uv_mutex_unlock(&listener->all->table);
	return found;
}

/* ---- listeners ------------------------------------------------------------- */

static void listener_free(struct listener *listener)
{
	struct answer *answer;

	tls_listener_stop(listener->server);
	while ((answer = listener->answers)) {
		listener->answers = answer->next;
		answer_free(answer);
	}
	free(listener->listen);
	free(listener);
}

void tls_alpn01_free(struct tls_alpn01 *tls_alpn01)
{
	struct listener *listener;

	if (!tls_alpn01)
		return;
	while ((listener = tls_alpn01->listeners)) {
		tls_alpn01->listeners = listener->next;
		listener_free(listener);
	}
	uv_mutex_destroy(&tls_alpn01->binding);
	uv_mutex_destroy(&tls_alpn01->table);
	free(tls_alpn01);
}

static struct listener *find(struct tls_alpn01 *tls_alpn01, const char *listen)
{
	struct listener *listener = tls_alpn01->listeners;

	while (listener && !str_equal(listener->listen, listen))
		listener = listener->next;
	return listener;
}

/* Starts listening and enters it into the list. */
static int start(struct tls_alpn01 *tls_alpn01, const char *listen, struct listener **ret,
		 struct err *err)
{
	struct listener *listener = mem_calloc(1, sizeof(*listener));

	listener->all = tls_alpn01;
	listener->listen = str_dup(listen);
	if (tls_listener_start(listen, pick, listener, &listener->server, err)) {
		listener_free(listener);
		return -1;
	}
	listener->next = tls_alpn01->listeners;
	tls_alpn01->listeners = listener;
	*ret = listener;
	return 0;
}

static void stop(struct tls_alpn01 *tls_alpn01, struct listener *listener)
{
	struct listener **at = &tls_alpn01->listeners;

	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	listener_free(listener);
}

/* ---- the challenge ---------------------------------------------------------- */

static struct answer *answer_new(const char *server_name, X509 *cert, EVP_PKEY *key)
{
	struct answer *answer = mem_calloc(1, sizeof(*answer));

	X509_up_ref(cert);
	EVP_PKEY_up_ref(key);
	answer->server_name = str_dup(server_name);
	answer->cert = cert;
	answer->key = key;
	return answer;
}

/* One name has one answer: another order's would be taken for a wrong one. */
static int enter(struct listener *listener, struct answer *answer, struct err *err)
{
	struct answer **at;
	int rc = 0;

	uv_mutex_lock(&listener->all->table);
	at = answer_at(listener, answer->server_name);
	if (*at)
		rc = err_set(err, ERR_TRANSIENT,
			     "another order is proving '%s' by tls-alpn-01 just now: one "
			     "after the other",
			     answer->server_name);
	else
		*at = answer;
	uv_mutex_unlock(&listener->all->table);
	return rc;
}

int tls_alpn01_serve(struct tls_alpn01 *tls_alpn01, const char *listen,
		     const char *server_name, X509 *cert, EVP_PKEY *key, struct err *err)
{
	struct listener *listener;
	struct answer *answer;
	int rc = -1;

	uv_mutex_lock(&tls_alpn01->binding);
	listener = find(tls_alpn01, listen);
	if (!listener && start(tls_alpn01, listen, &listener, err))
		goto out;
	answer = answer_new(server_name, cert, key);
	rc = enter(listener, answer, err);
	if (rc)
		answer_free(answer);
out:
	uv_mutex_unlock(&tls_alpn01->binding);
	return rc;
}

void tls_alpn01_withdraw(struct tls_alpn01 *tls_alpn01, const char *listen,
			 const char *server_name)
{
	struct listener *listener;
	struct answer **at, *gone = NULL;

	uv_mutex_lock(&tls_alpn01->binding);
	listener = find(tls_alpn01, listen);
	if (listener) {
		uv_mutex_lock(&tls_alpn01->table);
		at = answer_at(listener, server_name);
		gone = *at;
		if (gone)
			*at = gone->next;
		uv_mutex_unlock(&tls_alpn01->table);
		if (!listener->answers)
			stop(tls_alpn01, listener);
	}
	uv_mutex_unlock(&tls_alpn01->binding);
	if (gone)
		answer_free(gone);
}

int tls_alpn01_check(struct tls_alpn01 *tls_alpn01, const char *listen, struct err *err)
{
	struct listener *listener;
	int rc = 0;

	uv_mutex_lock(&tls_alpn01->binding);
	if (!find(tls_alpn01, listen)) {
		rc = start(tls_alpn01, listen, &listener, err);
		if (!rc)
			stop(tls_alpn01, listener);
	}
	uv_mutex_unlock(&tls_alpn01->binding);
	return rc;
}
