/* probe_connect.c - sockets with a deadline. Names are resolved by the system, which may
 * take its own time; everything after that keeps to ours. */
#include "hooks/probe_parts.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <uv.h> /* AF_UNSPEC and SOCK_STREAM of every system, uv_strerror() */

#include "base/cancel.h"
#include "base/clock.h"

#define SLICE_MS 1000
#define SHORT_SLICE_MS 10

struct probe_deadline probe_deadline_in(int64_t timeout_s, const struct cancel *cancel)
{
	return (struct probe_deadline){ clock_mono_ms() + timeout_s * 1000, cancel };
}

int64_t probe_deadline_left_ms(const struct probe_deadline *deadline)
{
	int64_t left = deadline->at_ms - clock_mono_ms();

	return left > 0 ? left : 0;
}

int probe_wait(const struct probe_deadline *deadline, int fd, bool for_read,
	       struct err *err)
{
	int64_t left = probe_deadline_left_ms(deadline);

	if (cancel_check(deadline->cancel, err))
		return -1;
	if (!left)
		return err_set(err, ERR_TRANSIENT, "no answer in time");
	/* BIO_socket_wait() knows whole seconds of the wall clock only. */
	if (left >= SLICE_MS)
		BIO_socket_wait(fd, for_read, (time_t)(clock_wall() + 1));
	else
		clock_sleep_ms(left < SHORT_SLICE_MS ? left : SHORT_SLICE_MS,
			       deadline->cancel);
	ERR_clear_error();
	return 0;
}

static int system_error(int code, struct err *err)
{
	return err_set(err, ERR_TRANSIENT, "%s",
		       uv_strerror(uv_translate_sys_error(code)));
}

/* 0: connected, 1: under way, -1: refused. */
static int connect_start(int fd, const BIO_ADDR *address, struct err *err)
{
	if (BIO_connect(fd, address, BIO_SOCK_NONBLOCK | BIO_SOCK_NODELAY))
		return 0;
	if (BIO_sock_should_retry(-1))
		return 1;
	err_openssl(err, "connect");
	err->kind = ERR_TRANSIENT;
	return -1;
}

/* A connection under way is writable once it stands; its failure is the socket's. */
static int connect_finish(int fd, const BIO_ADDR *address,
			  const struct probe_deadline *deadline, struct err *err)
{
	int state = connect_start(fd, address, err), code;

	while (state == 1) {
		if (probe_wait(deadline, fd, false, err))
			return -1;
		code = BIO_sock_error(fd);
		if (code)
			return system_error(code, err);
		if (BIO_socket_wait(fd, 0, (time_t)clock_wall()) == 1)
			state = 0;
	}
	ERR_clear_error();
	return state;
}

static int visit_address(const BIO_ADDRINFO *info, const struct probe_deadline *deadline,
			 probe_visit *visit, void *ctx, struct err *err)
{
	int fd = BIO_socket(BIO_ADDRINFO_family(info), BIO_ADDRINFO_socktype(info),
			    BIO_ADDRINFO_protocol(info), 0);
	int rc = -1;

	if (fd < 0)
		return err_openssl(err, "make a socket");
	if (!connect_finish(fd, BIO_ADDRINFO_address(info), deadline, err))
		rc = visit(ctx, fd, deadline, err);
	BIO_closesocket(fd);
	return rc;
}

static int resolve(const char *connect, BIO_ADDRINFO **ret, struct err *err)
{
	char *host = NULL, *port = NULL;
	int rc = -1;

	if (!BIO_parse_hostserv(connect, &host, &port, BIO_PARSE_PRIO_HOST) || !host ||
	    !port) {
		ERR_clear_error();
		err_set(err, ERR_CONFIG, "'%s' is not an address like 127.0.0.1:443",
			connect);
		goto out;
	}
	if (!BIO_lookup_ex(host, port, BIO_LOOKUP_CLIENT, AF_UNSPEC, SOCK_STREAM, 0,
			   ret)) {
		err_openssl(err, "resolve '%s'", connect);
		err->kind = ERR_TRANSIENT;
		goto out;
	}
	rc = 0;
out:
	OPENSSL_free(host);
	OPENSSL_free(port);
	return rc;
}

int probe_each_address(const char *connect, const struct probe_deadline *deadline,
		       probe_visit *visit, void *ctx, struct err *err)
{
	BIO_ADDRINFO *all = NULL;
	const BIO_ADDRINFO *info;
	int n = 0, rc = -1;

	if (resolve(connect, &all, err))
		return -1;
	for (info = all; info; info = BIO_ADDRINFO_next(info))
		n++;
	for (info = all; info && rc; info = BIO_ADDRINFO_next(info), n--) {
		struct probe_deadline share = *deadline;

		share.at_ms = clock_mono_ms() + probe_deadline_left_ms(deadline) / n;
		rc = visit_address(info, &share, visit, ctx, err);
		if (cancel_requested(deadline->cancel))
			break;
	}
	BIO_ADDRINFO_free(all);
	return rc;
}
