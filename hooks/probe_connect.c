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

/* The addresses of a name. Asked for by family: for both at once OpenSSL leaves out the
 * family that has no address but loopback, and loopback is what we connect to. */
struct addresses {
	BIO_ADDRINFO *lists[2];
	int n;
};

static void addresses_release(struct addresses *addresses)
{
	for (int i = 0; i < 2; i++)
		BIO_ADDRINFO_free(addresses->lists[i]);
}

static int resolve(const char *connect, struct addresses *ret, struct err *err)
{
	static const int families[] = { AF_INET, AF_INET6 };
	char *host = NULL, *port = NULL;
	int rc = -1;

	*ret = (struct addresses){ 0 };
	if (!BIO_parse_hostserv(connect, &host, &port, BIO_PARSE_PRIO_HOST) || !host ||
	    !port) {
		ERR_clear_error();
		err_set(err, ERR_CONFIG, "'%s' is not an address like 127.0.0.1:443",
			connect);
		goto out;
	}
	for (int i = 0; i < 2; i++) {
		if (!BIO_lookup_ex(host, port, BIO_LOOKUP_CLIENT, families[i],
				   SOCK_STREAM, 0, &ret->lists[i]))
			continue;
		for (const BIO_ADDRINFO *info = ret->lists[i]; info;
		     info = BIO_ADDRINFO_next(info))
			ret->n++;
	}
	if (!ret->n) {
		err_openssl(err, "resolve '%s'", connect);
		err->kind = ERR_TRANSIENT;
		goto out;
	}
	ERR_clear_error();
	rc = 0;
out:
	OPENSSL_free(host);
	OPENSSL_free(port);
	return rc;
}

int probe_each_address(const char *connect, const struct probe_deadline *deadline,
		       probe_visit *visit, void *ctx, struct err *err)
{
	const BIO_ADDRINFO *info;
	struct addresses addresses;
	int rc = -1;

	if (resolve(connect, &addresses, err))
		return -1;
	info = addresses.lists[0] ? addresses.lists[0] : addresses.lists[1];
	for (int left = addresses.n; left > 0 && rc; left--) {
		struct probe_deadline share = *deadline;

		share.at_ms = clock_mono_ms() + probe_deadline_left_ms(deadline) / left;
		rc = visit_address(info, &share, visit, ctx, err);
		if (cancel_requested(deadline->cancel))
			break;
		info = BIO_ADDRINFO_next(info);
		if (!info)
			info = addresses.lists[1];
	}
	addresses_release(&addresses);
	return rc;
}
