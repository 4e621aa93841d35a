#include "hooks/idle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "hooks/probe_parts.h"

#define ANSWER_MAX_BYTES ((size_t)1024 * 1024)
#define ASK_TIMEOUT_S 10
#define EXPIRY_MARGIN_S 3600
#define POLL_MS 5000
#define LOOK_BACK_S 86400
#define STATUS_LINE_BYTES 12 /* "HTTP/1.1 200" */
#define SCHEME "https://"

/* ---- the answer ---------------------------------------------------------- */

static enum idle_state unknown(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return IDLE_UNKNOWN;
}

static const char *skip_space(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* Is there a member "state" whose value is "Running"? */
static bool says_running(const char *body)
{
	static const char name[] = "\"state\"", value[] = "\"Running\"";
	const char *at = body;

	while ((at = strstr(at, name))) {
		at = skip_space(at + strlen(name));
		if (*at == ':' && str_starts(skip_space(at + 1), value))
			return true;
	}
	return false;
}

enum idle_state idle_judge(const char *answer, size_t len, char *why, size_t size)
{
	char *text = str_ndup(answer, len), *body; /* ends at a zero byte of the answer */
	enum idle_state state = IDLE_FREE;

	body = strstr(text, "\r\n\r\n");
	if (strlen(text) < STATUS_LINE_BYTES || !str_starts(text, "HTTP/1.") || !body) {
		state = unknown(why, size, "its answer is not HTTP");
	} else if (strncmp(text + 9, "200", 3) != 0) {
		text[STATUS_LINE_BYTES] = '\0';
		snprintf(why, size, "it answers with status %s", text + 9);
		str_make_printable(why);
		state = IDLE_UNKNOWN;
	} else if (says_running(body)) {
		state = IDLE_BUSY;
	} else if (!strstr(body, "\"extractions\"")) {
		state = unknown(why, size, "its answer is no list of extractions");
	} else if (len >= ANSWER_MAX_BYTES) {
		state = unknown(why, size, "its answer is longer than 1 MiB");
	}
	free(text);
	return state;
}

/* ---- asking -------------------------------------------------------------- */

struct asking {
	const struct member *member;
	const char *server_name;
	char *request;
	struct buf answer;
};

/* The leaf must be one that we have seen there, or the one that we bring. */
static bool is_known(const struct member *member, X509 *leaf)
{
	const struct journal *journal = &member->journal;
	const struct material *material = member->deployment->material;
	struct cert *cert = cert_from_x509(leaf, NULL);
	bool known = material &&
		     str_equal(cert_sha256(material->cert), cert_sha256(cert));

	for (size_t i = 0; i < journal->n_baseline && !known; i++)
		known = journal->baseline[i].seen.kind == PROBE_TLS &&
			str_equal(journal->baseline[i].seen.sha256, cert_sha256(cert));
	cert_free(cert);
	return known;
}

/* Pins instead of trusting: the handshake fails before a byte of ours is sent. */
static int check_leaf(X509_STORE_CTX *ctx, void *arg)
{
	const struct asking *asking = arg;

	if (is_known(asking->member, X509_STORE_CTX_get0_cert(ctx))) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static SSL *new_session(SSL_CTX *ctx, struct asking *asking, int fd)
{
	SSL *ssl;

	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, check_leaf, asking);
	ssl = SSL_new(ctx);
	if (ssl && SSL_set_fd(ssl, fd) &&
	    (!asking->server_name ||
	     SSL_set_tlsext_host_name(ssl, asking->server_name))) {
		SSL_set_connect_state(ssl);
		return ssl;
	}
	SSL_free(ssl);
	return NULL;
}

/* After a call that did not get through: 0 try again, 1 the peer is done, -1 failure. */
static int look_why(SSL *ssl, int result, const struct probe_deadline *deadline,
		    struct err *err)
{
	int want = SSL_get_error(ssl, result);

	if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE)
		return probe_wait(deadline, SSL_get_fd(ssl), want == SSL_ERROR_WANT_READ,
				  err);
	if (want == SSL_ERROR_ZERO_RETURN)
		return 1;
	if (SSL_get_verify_result(ssl) == X509_V_ERR_CERT_REJECTED)
		err_set(err, ERR_TRANSIENT,
			"it shows a certificate that was not seen there before");
	else
		err_openssl(err, "ask over TLS");
	err->kind = ERR_TRANSIENT;
	return -1;
}

static int send_request(SSL *ssl, const char *request,
			const struct probe_deadline *deadline, struct err *err)
{
	size_t sent;
	int result;

	for (;;) {
		ERR_clear_error();
		result = SSL_write_ex(ssl, request, strlen(request), &sent);
		if (result == 1)
			return 0;
		if (look_why(ssl, result, deadline, err))
			return -1;
	}
}

/* Until the peer hangs up (HTTP/1.0), or there is enough. A peer that hangs up without a
 * goodbye is done too: what came is judged. */
static int receive(SSL *ssl, struct buf *answer, const struct probe_deadline *deadline,
		   struct err *err)
{
	char part[4096];
	size_t got;
	int result, why = 0;

	while (!why && answer->len < ANSWER_MAX_BYTES) {
		ERR_clear_error();
		result = SSL_read_ex(ssl, part, sizeof(part), &got);
		if (result == 1)
			buf_append(answer, part,
				   got < ANSWER_MAX_BYTES - answer->len
					   ? got
					   : ANSWER_MAX_BYTES - answer->len);
		else
			why = look_why(ssl, result, deadline, err);
	}
	ERR_clear_error();
	return why < 0 && (!answer->len || err->kind == ERR_CANCELLED) ? -1 : 0;
}

static int ask_address(void *ctx, int fd, const struct probe_deadline *deadline,
		       struct err *err)
{
	struct asking *asking = ctx;
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	SSL *ssl = new_session(tls, asking, fd);
	int rc = -1;

	buf_clear(&asking->answer);
	if (!ssl)
		err_openssl(err, "start TLS");
	else if (!send_request(ssl, asking->request, deadline, err))
		rc = receive(ssl, &asking->answer, deadline, err);
	SSL_free(ssl);
	SSL_CTX_free(tls);
	return rc;
}

static const char *server_name_of(const struct target *target, const char *connect)
{
	for (size_t i = 0; i < target->n_verify; i++)
		if (str_equal(target->verify[i].connect, connect))
			return target->verify[i].server_name;
	return NULL;
}

/* "2026-11-21_03:31:28.000", a day ago: as the vendor writes moments. */
static char *make_request(const char *host)
{
	char from[CLOCK_TEXT_MAX];

	clock_format_rfc3339(clock_wall() - LOOK_BACK_S, from);
	return str_printf("GET /logs/extractions?min=%.10s_%.8s.000 HTTP/1.0\r\n"
			  "Host: %s\r\nUser-Agent: certrenewd\r\nAccept: */*\r\n"
			  "Connection: close\r\n\r\n",
			  from, from + 11, host);
}

static enum idle_state ask(const struct member *member, struct err *ret_why)
{
	const struct target *target = member->target;
	const char *url = target->wait_idle.url;
	char *connect = str_dup(str_starts(url, SCHEME) ? url + strlen(SCHEME) : url);
	struct probe_deadline deadline = probe_deadline_in(ASK_TIMEOUT_S,
							   member->deployment->cancel);
	struct asking asking = { .member = member };
	enum idle_state state = IDLE_UNKNOWN;
	char why[256] = "";

	connect[strcspn(connect, "/")] = '\0';
	asking.server_name = server_name_of(target, connect);
	asking.request = make_request(asking.server_name ? asking.server_name : connect);
	buf_init(&asking.answer, ANSWER_MAX_BYTES);
	if (!probe_each_address(connect, &deadline, ask_address, &asking, ret_why)) {
		state = idle_judge(buf_str(&asking.answer), asking.answer.len, why,
				   sizeof(why));
		err_set(ret_why, ERR_TRANSIENT, "%s", why);
	}
	buf_release(&asking.answer);
	free(asking.request);
	free(connect);
	return state;
}

/* ---- waiting ------------------------------------------------------------- */

static void tell(struct member *member, char *sentence)
{
	strlist_add(&member->outcome->notes, sentence);
	deploy_say(member->deployment, member->target->name, "idle", "%s", sentence);
	free(sentence);
}

/* No wait is worth an expired certificate: an hour before that is the end of it. */
static int64_t patience_s(const struct member *member)
{
	int64_t at_most_s = member->target->wait_idle.at_most_s;
	int64_t left_s = member->journal.old_not_after - clock_wall() - EXPIRY_MARGIN_S;

	if (!member->journal.old_not_after || left_s >= at_most_s)
		return at_most_s;
	return left_s > 0 ? left_s : 0;
}

int idle_wait(struct member *member, struct err *err)
{
	const struct wait_idle *wait = &member->target->wait_idle;
	const int64_t patience = patience_s(member);
	int64_t deadline = clock_mono_ms() + patience * 1000, left;
	struct err why;
	bool waited = false;
	enum idle_state state;

	if (!wait->url || member_is_on_http(member))
		return 0;
	while ((state = ask(member, &why)) == IDLE_BUSY) {
		left = deadline - clock_mono_ms();
		if (left <= 0) {
			tell(member, str_printf("an extraction still runs after %lld s "
						"of waiting: it is restarted all the "
						"same",
						(long long)patience));
			return 0;
		}
		if (!waited)
			deploy_say(member->deployment, member->target->name, "idle",
				   "an extraction runs: waiting for its end");
		waited = true;
		if (clock_sleep_ms(left < POLL_MS ? left : POLL_MS,
				   member->deployment->cancel))
			return err_set(err, ERR_CANCELLED, "stopped on request");
	}
	if (cancel_check(member->deployment->cancel, err))
		return -1;
	if (state == IDLE_UNKNOWN)
		tell(member, str_printf("it is not known whether an extraction runs at "
					"'%s', and not waited for: %s",
					wait->url, why.text));
	return 0;
}
