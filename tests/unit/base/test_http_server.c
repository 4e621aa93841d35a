#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http_server.h"
#include "tempdir.h"

static unsigned answer(void *ctx, const char *path, const char *host, struct buf *body)
{
	int *calls = ctx;

	(*calls)++;
	if (str_equal(path, "/.well-known/acme-challenge/a b")) {
		buf_printf(body, "token for %s", host ? host : "nobody");
		return 200;
	}
	buf_puts(body, "no such token\n");
	return 404;
}

/* A bound, listening socket on a free loopback port. */
static int listen_somewhere(unsigned *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static unsigned free_port(void)
{
	unsigned port;

	close(listen_somewhere(&port));
	return port;
}

/* Starts on `address` and a free port, which is given. */
static struct http_server *start(const char *address, int *calls, unsigned *ret_port)
{
	struct http_server *server = NULL;
	struct err err = { 0 };
	char *listen_on;
	int tries;

	for (tries = 0; tries < 10 && !server; tries++) {
		*ret_port = free_port();
		listen_on = str_printf("%s:%u", address, *ret_port);
		if (http_server_start(listen_on, "/", answer, calls, &server, &err) &&
		    err.kind != ERR_TRANSIENT)
			fail_msg("%s", err.text);
		free(listen_on);
	}
	assert_non_null(server);
	return server;
}

static int dial(int family, unsigned port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, SOCK_STREAM, 0), rc;

	if (fd < 0)
		return -1;
	rc = family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
			       : connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (rc) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Gives the whole answer; "" when the server closed without one. */
static char *ask(int family, unsigned port, const char *request)
{
	int fd = dial(family, port);
	struct buf buf;
	char chunk[1024];
	ssize_t n;

	assert_true(fd >= 0);
	buf_init(&buf, 100000);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL),
			 strlen(request));
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_append(&buf, chunk, (size_t)n);
	close(fd);
	return buf.len ? buf_steal(&buf) : str_dup("");
}

#define TOKEN                                                                            \
	" /.well-known/acme-challenge/a%20b HTTP/1.1\r\nHost: xu.example:80\r\n"         \
	"Connection: close\r\n\r\n"

static void get_and_head_are_answered_and_nothing_else(void **state)
{
	int calls = 0;
	unsigned port;
	struct http_server *server = start("127.0.0.1", &calls, &port);
	char *said;

	(void)state;
	said = ask(AF_INET, port, "GET" TOKEN);
	assert_true(str_starts(said, "HTTP/1.1 200 "));
	assert_true(str_ends(said, "\r\n\r\ntoken for xu.example:80"));
	free(said);
	said = ask(AF_INET, port, "HEAD" TOKEN);
	assert_true(str_starts(said, "HTTP/1.1 200 "));
	assert_non_null(strstr(said, "Content-Length: 23"));
	assert_true(str_ends(said, "\r\n\r\n"));
	free(said);
	assert_int_equal(calls, 2);
	said = ask(AF_INET, port,
		   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
		   "Connection: close\r\n\r\nhello");
	assert_true(str_starts(said, "HTTP/1.1 405 "));
	assert_non_null(strstr(said, "Allow: GET, HEAD"));
	free(said);
	said = ask(AF_INET, port, "GET /other HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(said, " 404 "));
	free(said);
	assert_int_equal(calls, 3);
	http_server_stop(server);
	assert_int_equal(dial(AF_INET, port), -1);
}

static void an_open_address_is_ipv4_and_ipv6_both(void **state)
{
	int calls = 0, probe;
	unsigned port;
	struct http_server *server = start("", &calls, &port);
	char *said;

	(void)state;
	said = ask(AF_INET, port, "GET" TOKEN);
	assert_true(str_starts(said, "HTTP/1.1 200 "));
	free(said);
	probe = dial(AF_INET6, port);
	if (probe >= 0) {
		said = ask(AF_INET6, port, "GET" TOKEN);
		assert_true(str_starts(said, "HTTP/1.1 200 "));
		free(said);
		assert_int_equal(calls, 2);
	} else {
		print_message("this machine has no IPv6 loopback: not asked over it\n");
	}
	if (probe >= 0)
		close(probe);
	http_server_stop(server);
}

static void requests_up_to_8_kib_are_taken_and_larger_ones_refused(void **state)
{
	int calls = 0;
	unsigned port;
	struct http_server *server = start("127.0.0.1", &calls, &port);
	char *filler = mem_calloc(20001, 1), *request, *said;

	(void)state;
	memset(filler, 'a', 20000);
	filler[7000] = '\0';
	request = str_printf("GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			     filler);
	said = ask(AF_INET, port, request);
	assert_true(str_starts(said, "HTTP/1.1 404 "));
	free(said);
	free(request);
	assert_int_equal(calls, 1);
	filler[7000] = 'a';
	request = str_printf("GET / HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", filler);
	said = ask(AF_INET, port, request);
	assert_true(!*said || str_starts(said, "HTTP/1.1 4"));
	free(said);
	free(request);
	assert_int_equal(calls, 1);
	free(filler);
	http_server_stop(server);
}

static void a_silent_connection_is_closed_after_five_seconds(void **state)
{
	int calls = 0;
	unsigned port;
	struct http_server *server = start("127.0.0.1", &calls, &port);
	int64_t began = clock_mono_ms();
	char *said;

	(void)state;
	said = ask(AF_INET, port, "GET / HT");
	assert_in_range(clock_mono_ms() - began, 4000, 8000);
	assert_int_equal(calls, 0);
	free(said);
	http_server_stop(server);
}

static void a_taken_port_names_the_program_that_has_it(void **state)
{
	char *listen_on, *owner, *expected;
	struct http_server *server = NULL;
	struct err err = { 0 };
	unsigned port;
	int fd = listen_somewhere(&port), calls = 0, status;
	pid_t pid;

	(void)state;
	/* Another process holds it. */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			pause();
	close(fd);
	assert_false(port_is_silent(port));
	owner = port_owner(port);
	expected = str_printf("'test_http_serve' (process %ld)", (long)pid);
	listen_on = str_printf(":%u", port);
	assert_int_equal(http_server_start(listen_on, "/", answer, &calls, &server, &err),
			 -1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_non_null(owner);
	assert_string_equal(owner, expected);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	free(expected);
	expected = str_printf("port %u is taken by %s", port, owner);
	assert_string_equal(err.text, expected);
	assert_null(server);
	assert_null(port_owner(port));
	assert_true(port_is_silent(port));
	free(expected);
	free(listen_on);
	free(owner);
}

static void a_bad_address_is_the_operators_business(void **state)
{
	static const char *const bad[] = {
		"",       "80",      ":0",         ":65536", "example.org:80",
		"::1:80", "[::1]80", "127.0.0.1:", ":80x",   "[127.0.0.1:80"
	};
	struct http_server *server = NULL;
	struct err err;
	int calls = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err = (struct err){ 0 };
		if (http_server_start(bad[i], "/", answer, &calls, &server, &err) != -1)
			fail_msg("'%s' was taken", bad[i]);
		if (err.kind != ERR_CONFIG)
			fail_msg("'%s': %s", bad[i], err.text);
	}
	/* TEST-NET-1 (RFC 5737) is nobody's. */
	assert_int_equal(
		http_server_start("192.0.2.1:8080", "/", answer, &calls, &server, &err),
		-1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "this machine has no such address");
}

/* A worker that runs a program forks: until exec the child has all our sockets. */
static void a_port_is_free_again_though_a_child_still_has_its_socket(void **state)
{
	struct http_server *server;
	struct err err = { 0 };
	unsigned port;
	int calls = 0;
	char *again;
	pid_t child;

	(void)state;
	server = start("127.0.0.1", &calls, &port);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	assert_true(child > 0);
	http_server_stop(server);
	again = str_printf("127.0.0.1:%u", port);
	server = NULL;
	if (http_server_start(again, "/", answer, &calls, &server, &err))
		print_error("%s\n", err.text);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_non_null(server);
	http_server_stop(server);
	free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_and_head_are_answered_and_nothing_else),
		cmocka_unit_test(an_open_address_is_ipv4_and_ipv6_both),
		cmocka_unit_test(requests_up_to_8_kib_are_taken_and_larger_ones_refused),
		cmocka_unit_test(a_silent_connection_is_closed_after_five_seconds),
		cmocka_unit_test(a_taken_port_names_the_program_that_has_it),
		cmocka_unit_test(a_bad_address_is_the_operators_business),
		cmocka_unit_test(
			a_port_is_free_again_though_a_child_still_has_its_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
