/* resolver_send.c - DNS messages by c-ares, which repeats what is lost, goes over to TCP
 * where UDP is too small and knows the system's servers. libuv waits for its sockets.
 *
 * A channel has one server, so that we know who said what, and lives for one message. */
#include "hooks/resolver_parts.h"

#include <stdlib.h>

#include <ares.h>
#include <uv.h>

#include "base/cancel.h"
#include "base/clock.h"

#define SLICE_MS 100
#define TRIES 3
#define TRIES_TIME 7  /* each waits twice as long as the one before: 1 + 2 + 4 */
#define SOCKETS_MAX 4 /* of one channel: a server, UDP and TCP */

struct line {
	struct resolver_send *send;
	ares_channel channel; /* NULL: not open */
	bool done;
};

/* ---- channels ------------------------------------------------------------ */

static void on_answer(void *ctx, int status, int timeouts, unsigned char *bytes, int len)
{
	struct line *line = ctx;

	(void)timeouts;
	line->done = true;
	if (status == ARES_SUCCESS && len > 0)
		buf_append(&line->send->answer, bytes, (size_t)len);
	else
		err_set(&line->send->err, ERR_TRANSIENT, "no answer from '%s': %s",
			line->send->server,
			status == ARES_EDESTRUCTION ? "it took too long"
						    : ares_strerror(status));
}

static int open_channel(const char *server, int64_t timeout_ms, ares_channel *ret,
			struct err *err)
{
	/* NOCHECKRESP: a refusal is an answer too. */
	struct ares_options options = { .flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS,
					.timeout = (int)(timeout_ms / TRIES_TIME),
					.tries = TRIES,
					.ednspsz = DNS_UDP_BYTES };
	ares_channel channel;
	int status = ares_init_options(&channel, &options,
				       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS |
					       ARES_OPT_TRIES | ARES_OPT_EDNSPSZ);

	if (status != ARES_SUCCESS)
		return err_set(err, ERR_IO, "set up c-ares: %s", ares_strerror(status));
	if (server && ares_set_servers_ports_csv(channel, server) != ARES_SUCCESS) {
		ares_destroy(channel);
		return err_set(err, ERR_CONFIG,
			       "'%s' is no address of a name server like 9.9.9.9:53",
			       server);
	}
	*ret = channel;
	return 0;
}

static void start(struct line *line, const struct buf *query, int64_t timeout_ms)
{
	if (open_channel(line->send->server, timeout_ms, &line->channel,
			 &line->send->err))
		line->done = true;
	else
		ares_send(line->channel, query->data, (int)query->len, on_answer, line);
}

/* ---- waiting ------------------------------------------------------------- */

struct watch {
	uv_poll_t poll;
	ares_channel channel;
	ares_socket_t socket;
	int events; /* that came */
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;

	/* A broken socket is ready for everything: c-ares finds out. */
	watch->events = status < 0 ? UV_READABLE | UV_WRITABLE : events;
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
}

static size_t watch_channel(uv_loop_t *loop, ares_channel channel, struct watch *watches)
{
	ares_socket_t sockets[SOCKETS_MAX];
	int bits = ares_getsock(channel, sockets, SOCKETS_MAX);
	size_t n = 0;

	for (int i = 0; i < SOCKETS_MAX; i++) {
		struct watch *watch = &watches[n];
		int events = (ARES_GETSOCK_READABLE(bits, i) ? UV_READABLE : 0) |
			     (ARES_GETSOCK_WRITABLE(bits, i) ? UV_WRITABLE : 0);

		if (!events || uv_poll_init_socket(loop, &watch->poll, sockets[i]))
			continue;
		watch->poll.data = watch;
		watch->channel = channel;
		watch->socket = sockets[i];
		uv_poll_start(&watch->poll, events, on_poll);
		n++;
	}
	return n;
}

static void process(const struct watch *watch)
{
	if (watch->events)
		ares_process_fd(
			watch->channel,
			watch->events & UV_READABLE ? watch->socket : ARES_SOCKET_BAD,
			watch->events & UV_WRITABLE ? watch->socket : ARES_SOCKET_BAD);
}

/* Waits until a socket is ready, a slice at most. c-ares goes on only after libuv has let
 * go of its sockets: it may close them. */
static void wait_slice(uv_loop_t *loop, struct line *lines, size_t n)
{
	struct watch *watches = mem_calloc(n * SOCKETS_MAX, sizeof(*watches));
	uv_timer_t timer;
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (!lines[i].done)
			used += watch_channel(loop, lines[i].channel, watches + used);
	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, on_timer, SLICE_MS, 0);
	uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	for (size_t i = 0; i < used; i++)
		uv_close((uv_handle_t *)&watches[i].poll, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < used; i++)
		process(&watches[i]);
	for (size_t i = 0; i < n; i++) /* what is to be repeated by now */
		if (!lines[i].done)
			ares_process_fd(lines[i].channel, ARES_SOCKET_BAD,
					ARES_SOCKET_BAD);
	free(watches);
}

static bool all_done(const struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!lines[i].done)
			return false;
	return true;
}

int resolver_send_all(const struct buf *query, struct resolver_send *sends, size_t n,
		      int64_t timeout_ms, const struct cancel *cancel, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	struct line *lines = mem_calloc(n, sizeof(*lines));
	uv_loop_t loop;

	if (uv_loop_init(&loop)) {
		free(lines);
		return err_set(err, ERR_IO, "cannot set up libuv");
	}
	for (size_t i = 0; i < n; i++) {
		lines[i].send = &sends[i];
		start(&lines[i], query, timeout_ms);
	}
	while (!all_done(lines, n) && clock_mono_ms() < until_ms &&
	       !cancel_requested(cancel))
		wait_slice(&loop, lines, n);
	for (size_t i = 0; i < n; i++)
		if (lines[i].channel)
			ares_destroy(lines[i].channel); /* calls on_answer() */
	uv_loop_close(&loop);
	free(lines);
	return cancel_check(cancel, err);
}

/* ---- the system's servers ------------------------------------------------ */

static void add_address(const struct ares_addr_port_node *node, struct strlist *servers)
{
	bool v6 = node->family == AF_INET6;
	char address[INET6_ADDRSTRLEN], *server;

	if (uv_inet_ntop(node->family, &node->addr, address, sizeof(address)))
		return;
	server = str_printf(v6 ? "[%s]:%d" : "%s:%d", address,
			    node->udp_port ? node->udp_port : 53);
	strlist_add(servers, server);
	free(server);
}

int resolver_system_servers(struct strlist *servers, struct err *err)
{
	struct ares_addr_port_node *nodes = NULL;
	ares_channel channel = NULL;

	if (open_channel(NULL, 1000, &channel, err))
		return err_wrap(err, "find this machine's name servers");
	if (ares_get_servers_ports(channel, &nodes) == ARES_SUCCESS)
		for (const struct ares_addr_port_node *node = nodes; node;
		     node = node->next)
			add_address(node, servers);
	ares_free_data(nodes);
	ares_destroy(channel);
	if (!servers->n)
		return err_set(err, ERR_CONFIG,
			       "this machine has no name server: name some as "
			       "`resolvers`");
	return 0;
}
