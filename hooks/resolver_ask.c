/* resolver_ask.c - one question and its answer: by c-ares over UDP and TCP, or in an
 * HTTPS POST (RFC 8484). */
#include "hooks/resolver_parts.h"

#include <stdlib.h>
#include <string.h>

#include <ares.h>
#include <uv.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/http_client.h"
#include "hooks/dns/message.h"

#define SLICE_MS 200
#define TRIES 2

struct question {
	const char *name;
	enum dns_type type;
	const char *server; /* NULL: the resolver's own */
};

static char *whom(const struct resolver *resolver, const struct question *question)
{
	struct buf text;

	if (question->server)
		return str_dup(question->server);
	if (!resolver->servers.n)
		return str_dup("the system's resolver");
	buf_init(&text, 512);
	for (size_t i = 0; i < resolver->servers.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", resolver->servers.items[i]);
	return buf_steal(&text);
}

/* NOERROR and NXDOMAIN are answers, whatever is in them. */
static int judge(const struct resolver *resolver, const struct question *question,
		 unsigned rcode, struct err *err)
{
	char number[16], *server;

	if (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN)
		return 0;
	server = whom(resolver, question);
	if (rcode == DNS_SERVFAIL)
		err_set(err, ERR_REFUSED,
			"DNS cannot tell about '%s' (SERVFAIL from %s): its servers do "
			"not answer, or its DNSSEC chain is broken, and then no CA may "
			"issue",
			question->name, server);
	else
		err_set(err, ERR_REFUSED, "DNS does not tell about '%s' (%s from %s)",
			question->name, dns_rcode_name(rcode, number), server);
	free(server);
	return -1;
}

static int nobody(const struct resolver *resolver, const struct question *question,
		  const char *why, struct err *err)
{
	char *server = whom(resolver, question);

	err_set(err, ERR_TRANSIENT, "no answer from DNS about '%s' (asked %s): %s",
		question->name, server, why);
	free(server);
	return -1;
}

/* ---- c-ares -------------------------------------------------------------- */

struct answer {
	bool done;
	int status;
	struct buf bytes;
};

static void on_answer(void *ctx, int status, int timeouts, unsigned char *bytes, int len)
{
	struct answer *answer = ctx;

	(void)timeouts;
	answer->done = true;
	answer->status = status;
	if (bytes && len > 0)
		buf_append(&answer->bytes, bytes, (size_t)len);
}

struct wait { /* one look at the sockets of a channel */
	uv_loop_t loop;
	uv_timer_t timer;
	uv_poll_t polls[ARES_GETSOCK_MAXNUM];
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	int events[ARES_GETSOCK_MAXNUM];
	int n;
};

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct wait *wait = poll->data;

	/* A socket in error is ready for both: c-ares finds out. */
	wait->events[poll - wait->polls] = status < 0 ? UV_READABLE | UV_WRITABLE
						      : events;
}

static void watch_sockets(ares_channel channel, struct wait *wait)
{
	int bits = ares_getsock(channel, wait->sockets, ARES_GETSOCK_MAXNUM);

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		int events = (ARES_GETSOCK_READABLE(bits, i) ? UV_READABLE : 0) |
			     (ARES_GETSOCK_WRITABLE(bits, i) ? UV_WRITABLE : 0);
		uv_poll_t *poll = &wait->polls[wait->n];

		if (!events || uv_poll_init_socket(&wait->loop, poll,
						   (uv_os_sock_t)wait->sockets[i]))
			continue;
		poll->data = wait;
		wait->sockets[wait->n] = wait->sockets[i];
		uv_poll_start(poll, events, on_poll);
		wait->n++;
	}
}

/* Waits a slice for the channel's sockets, then lets c-ares go on. */
static int take_turn(ares_channel channel)
{
	struct wait wait = { 0 };

	if (uv_loop_init(&wait.loop))
		return -1;
	uv_timer_init(&wait.loop, &wait.timer);
	uv_timer_start(&wait.timer, on_timer, SLICE_MS, 0);
	watch_sockets(channel, &wait);
	uv_run(&wait.loop, UV_RUN_ONCE);
	for (int i = 0; i < wait.n; i++)
		uv_close((uv_handle_t *)&wait.polls[i], NULL);
	uv_close((uv_handle_t *)&wait.timer, NULL);
	uv_run(&wait.loop, UV_RUN_DEFAULT);
	uv_loop_close(&wait.loop);
	for (int i = 0; i < wait.n; i++)
		ares_process_fd(
			channel,
			wait.events[i] & UV_READABLE ? wait.sockets[i] : ARES_SOCKET_BAD,
			wait.events[i] & UV_WRITABLE ? wait.sockets[i] : ARES_SOCKET_BAD);
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its timeouts */
	return 0;
}

static int open_channel(const struct resolver *resolver, const struct question *question,
			ares_channel *ret, struct err *err)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_EDNS |
			 (question->server ? ARES_FLAG_NORECURSE : 0),
		.timeout = (int)(resolver->timeout_s * 1000 / TRIES),
		.tries = TRIES,
		.ednspsz = 1232,
	};
	struct buf csv;
	int status = ares_init_options(ret, &options,
				       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS |
					       ARES_OPT_TRIES | ARES_OPT_EDNSPSZ);

	if (status != ARES_SUCCESS)
		return err_set(err, ERR_IO, "set up DNS: %s", ares_strerror(status));
	buf_init(&csv, 4096);
	if (question->server)
		buf_puts(&csv, question->server);
	for (size_t i = 0; !question->server && i < resolver->servers.n; i++)
		if (!str_starts(resolver->servers.items[i], "https://"))
			buf_printf(&csv, "%s%s", csv.len ? "," : "",
				   resolver->servers.items[i]);
	if (csv.len)
		status = ares_set_servers_ports_csv(*ret, buf_str(&csv));
	if (status != ARES_SUCCESS) {
		err_set(err, ERR_CONFIG, "'%s' is no address of a name server",
			buf_str(&csv));
		ares_destroy(*ret);
	}
	buf_release(&csv);
	return status == ARES_SUCCESS ? 0 : -1;
}

static int ask_ares(struct resolver *resolver, const struct question *question,
		    struct buf *bytes, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + (resolver->timeout_s + 2) * 1000;
	struct answer answer = { 0 };
	ares_channel channel;
	int rc = -1;

	if (open_channel(resolver, question, &channel, err))
		return -1;
	buf_init(&answer.bytes, DNS_MESSAGE_MAX);
	ares_query(channel, question->name, DNS_CLASS_IN, (int)question->type, on_answer,
		   &answer);
	while (!answer.done && clock_mono_ms() < until_ms &&
	       !cancel_requested(resolver->cancel) && !take_turn(channel))
		;
	ares_destroy(channel); /* calls back what is still open */
	if (cancel_check(resolver->cancel, err))
		goto out;
	if (!answer.bytes.len) {
		nobody(resolver, question, ares_strerror(answer.status), err);
		goto out;
	}
	rc = buf_append(bytes, answer.bytes.data, answer.bytes.len);
out:
	buf_release(&answer.bytes);
	return rc;
}

/* ---- HTTPS --------------------------------------------------------------- */

static int open_https(struct resolver *resolver, struct err *err)
{
	const struct http_client_options options = { .ca_bundle = resolver->ca_bundle,
						     .timeout_s = resolver->timeout_s,
						     .max_body_bytes = DNS_MESSAGE_MAX };

	return resolver->https ? 0
			       : http_client_new(&options, resolver->cancel,
						 &resolver->https, err);
}

static int ask_https(struct resolver *resolver, const char *url,
		     const struct question *question, struct buf *bytes, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/dns-message",
					       "Accept: application/dns-message", NULL };
	struct http_request request = { .method = "POST",
					.url = url,
					.headers = headers };
	struct http_response response = { 0 };
	struct buf query;
	int rc = -1;

	buf_init(&query, DNS_MESSAGE_MAX);
	if (open_https(resolver, err) ||
	    dns_query_build(0, question->name, question->type, true, &query, err))
		goto out;
	request.body = (const char *)query.data;
	request.body_len = query.len;
	if (http_client_perform(resolver->https, &request, &response, err))
		goto out;
	if (response.status != 200)
		err_set(err, ERR_TRANSIENT, "'%s' answered %ld to a question about '%s'",
			url, response.status, question->name);
	else
		rc = buf_append(bytes, response.body.data, response.body.len);
out:
	http_response_release(&response);
	buf_release(&query);
	return rc;
}

/* ---- both ---------------------------------------------------------------- */

static int read_answer(const struct resolver *resolver, const struct question *question,
		       const struct buf *bytes, struct dns_message *ret, struct err *err)
{
	struct dns_message message;
	char *server;

	if (dns_message_read(bytes->data, bytes->len, &message, err)) {
		server = whom(resolver, question);
		err_wrap(err, "about '%s' from %s", question->name, server);
		free(server);
		return -1;
	}
	if (judge(resolver, question, message.rcode, err)) {
		dns_message_release(&message);
		return -1;
	}
	*ret = message;
	return 0;
}

static bool is_https(const char *server)
{
	return str_starts(server, "https://");
}

/* Is there anybody to ask without HTTPS? */
static bool has_plain(const struct resolver *resolver)
{
	for (size_t i = 0; i < resolver->servers.n; i++)
		if (!is_https(resolver->servers.items[i]))
			return true;
	return !resolver->servers.n;
}

static int ask(struct resolver *resolver, const struct question *question,
	       struct dns_message *ret, struct err *err)
{
	struct buf bytes;
	int rc = -1;

	buf_init(&bytes, DNS_MESSAGE_MAX);
	for (size_t i = 0; !question->server && rc && i < resolver->servers.n; i++) {
		if (!is_https(resolver->servers.items[i]))
			continue;
		buf_clear(&bytes);
		rc = ask_https(resolver, resolver->servers.items[i], question, &bytes,
			       err);
	}
	if (rc && (question->server || has_plain(resolver))) {
		buf_clear(&bytes);
		rc = ask_ares(resolver, question, &bytes, err);
	}
	if (!rc)
		rc = read_answer(resolver, question, &bytes, ret, err);
	buf_release(&bytes);
	return rc;
}

int resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
		 struct dns_message *ret, struct err *err)
{
	const struct question question = { name, type, NULL };

	return ask(resolver, &question, ret, err);
}

int resolver_ask_server(struct resolver *resolver, const char *server, const char *name,
			enum dns_type type, struct dns_message *ret, struct err *err)
{
	const struct question question = { name, type, server };

	return ask(resolver, &question, ret, err);
}
