#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/str.h"
#include "hooks/probe.h"
#include "tests/unit/base/tempdir.h"
#include "tests/unit/hooks/tls_server.h"

#define DAY INT64_C(86400)
#define NOW INT64_C(1795000000)
#define EXPIRES INT64_C(1802776000)

/* A leaf below an intermediate below a root. */
static struct testcert *make_leaf(const char *host)
{
	struct testcert *root = testcert_ca("Test Root");
	struct testcert *ca = testcert_new(&(struct testcert_spec){
		.issuer = root, .ca = true, .common_name = "Test CA" });
	struct testcert *leaf = testcert_leaf(ca, host, NOW, EXPIRES);

	testcert_free(root);
	testcert_free(ca);
	return leaf;
}

static struct probe_result look(const char *connect, const char *server_name)
{
	struct endpoint endpoint = { .connect = connect, .server_name = server_name };
	struct probe_result result;

	probe_endpoint(&endpoint, 5, NULL, &result);
	return result;
}

static struct probe_result look_at(struct tls_server *server, const char *server_name)
{
	struct probe_result result;

	server_start(server);
	result = look(server->connect, server_name);
	server_stop(server);
	return result;
}

static void assert_shows(const struct probe_result *result, const struct testcert *cert)
{
	char *thumbprint = testcert_thumbprint(cert);

	if (result->kind != PROBE_TLS)
		fail_msg("it is '%s': %s", probe_kind_name(result->kind), result->detail);
	assert_string_equal(result->sha1, thumbprint);
	free(thumbprint);
}

static void a_served_certificate_is_seen_with_its_facts(void **state)
{
	struct testcert *leaf = make_leaf("xc.example");
	struct tls_server server = { .cert = leaf, .with_chain = true };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_shows(&result, leaf);
	assert_int_equal(strlen(result.sha256), 64);
	assert_int_equal(result.not_after, EXPIRES);
	assert_true(result.chain_complete);
	assert_string_equal(result.detail, "issued by CN=Test CA");
	assert_string_equal(result.issuers, "Test CA < Test Root");
	assert_int_equal(atomic_load(&server.connections), 1);
	assert_int_equal(atomic_load(&server.bytes), 0);
	testcert_free(leaf);
}

static void a_missing_intermediate_is_noticed(void **state)
{
	struct testcert *leaf = make_leaf("xc.example");
	struct tls_server server = { .cert = leaf };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_shows(&result, leaf);
	assert_false(result.chain_complete);
	assert_string_equal(result.issuers, "Test CA");
	testcert_free(leaf);
}

static void the_names_above_a_leaf_are_matched_exactly(void **state)
{
	(void)state;
	assert_true(probe_issuers_have("R10 < ISRG Root X1", "R10"));
	assert_true(probe_issuers_have("R10 < ISRG Root X1", "ISRG Root X1"));
	assert_false(probe_issuers_have("R10 < ISRG Root X1", "ISRG Root X2"));
	assert_false(probe_issuers_have("R10 < ISRG Root X1", "R1"));
	assert_false(probe_issuers_have("R10 < ISRG Root X1", "Root X1"));
	assert_false(probe_issuers_have("", "R10"));
	assert_string_equal(probe_issuers_top("R10 < ISRG Root X1"), "ISRG Root X1");
	assert_string_equal(probe_issuers_top("R10"), "R10");
	assert_string_equal(probe_issuers_top(""), "");
}

static void a_self_signed_certificate_is_a_whole_chain(void **state)
{
	struct testcert *leaf = testcert_new(
		&(struct testcert_spec){ .names = (const char *[]){ "x", NULL } });
	struct tls_server server = { .cert = leaf };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_shows(&result, leaf);
	assert_true(result.chain_complete);
	testcert_free(leaf);
}

static void an_expired_certificate_is_seen_like_any_other(void **state)
{
	struct testcert *ca = testcert_ca("CA");
	struct testcert *leaf = testcert_leaf(ca, "old.example", NOW - 90 * DAY,
					      NOW - 30 * DAY);
	struct tls_server server = { .cert = leaf };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_shows(&result, leaf);
	assert_int_equal(result.not_after, NOW - 30 * DAY);
	testcert_free(leaf);
	testcert_free(ca);
}

static void the_server_name_decides_which_certificate_is_seen(void **state)
{
	struct testcert *leaf = make_leaf("a.example"), *other = make_leaf("b.example");
	struct tls_server server = { .cert = leaf,
				     .sni = "b.example",
				     .sni_cert = other };
	struct probe_result with, without;

	(void)state;
	server_start(&server);
	with = look(server.connect, "b.example");
	without = look(server.connect, NULL);
	server_stop(&server);
	assert_shows(&with, other);
	assert_shows(&without, leaf);
	testcert_free(leaf);
	testcert_free(other);
}

static void a_server_that_wants_our_certificate_has_shown_its_own(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct testcert *leaf = make_leaf("mtls.example");

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tls_server server = { .cert = leaf,
					     .wants_client_certificate = true,
					     .max_version = versions[i] };
		struct probe_result result = look_at(&server, NULL);

		assert_shows(&result, leaf);
	}
	testcert_free(leaf);
}

static void an_old_server_with_a_weak_key_can_be_seen(void **state)
{
	struct testcert *leaf = testcert_new(&(struct testcert_spec){
		.names = (const char *[]){ "old", NULL }, .key_type = "rsa-1024" });
	struct tls_server server = { .cert = leaf, .max_version = TLS1_VERSION };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_shows(&result, leaf);
	testcert_free(leaf);
}

static void a_server_without_a_certificate_shows_nothing(void **state)
{
	struct tls_server server = { .cert = NULL };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_int_equal(result.kind, PROBE_NOTHING);
	assert_string_equal(result.sha1, "");
	if (!strstr(result.detail, "handshake"))
		fail_msg("%s", result.detail);
}

static void plain_http_is_told_from_nothing(void **state)
{
	struct tls_server server = { .manner = SERVES_TEXT,
				     .text = "HTTP/1.1 400 Bad Request\r\n\r\n" };
	struct probe_result result = look_at(&server, "x.example");

	(void)state;
	assert_int_equal(result.kind, PROBE_PLAIN);
	assert_string_equal(result.detail, "something answers that does not speak TLS");
	assert_string_equal(result.sha1, "");
}

static void a_refused_connection_is_nothing(void **state)
{
	struct tls_server server = { .manner = HANGS_UP };
	struct probe_result result;

	(void)state;
	assert_int_equal(server_bind(&server), 0);
	close(server.fd);
	result = look(server.connect, NULL);
	assert_int_equal(result.kind, PROBE_NOTHING);
	assert_string_equal(result.detail, "connection refused");
}

static void a_server_that_hangs_up_is_nothing(void **state)
{
	struct tls_server server = { .manner = HANGS_UP };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_int_equal(result.kind, PROBE_NOTHING);
	assert_true(*result.detail);
}

static void addresses_that_are_none_are_nothing(void **state)
{
	static const struct {
		const char *connect, *detail;
	} rows[] = {
		{ "127.0.0.1", "'127.0.0.1' is not an address like 127.0.0.1:443" },
		{ "[::1", "'[::1' is not an address like 127.0.0.1:443" },
		{ "a.invalid:443", "resolve 'a.invalid:443'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct probe_result result = look(rows[i].connect, NULL);

		assert_int_equal(result.kind, PROBE_NOTHING);
		if (!str_starts(result.detail, rows[i].detail))
			fail_msg("%s", result.detail);
	}
}

static void ipv6_is_written_in_brackets(void **state)
{
	struct testcert *leaf = make_leaf("six.example");
	struct tls_server server = { .cert = leaf, .ipv6 = true };
	struct probe_result result = look_at(&server, NULL);

	(void)state;
	assert_shows(&result, leaf);
	testcert_free(leaf);
}

/* Gives this process an /etc/hosts of its own. */
static int use_hosts(const char *path)
{
	return unshare(CLONE_NEWNS) ||
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount(path, "/etc/hosts", NULL, MS_BIND, NULL);
}

/* In a child: a server on one of two addresses is found by their name. */
static int find_by_name(const char *hosts)
{
	struct testcert *leaf = make_leaf("two.test");
	int found = 0;

	if (use_hosts(hosts))
		return 77;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct tls_server server = { .cert = leaf, .ipv6 = ipv6 == 1 };
		struct probe_result result;
		char connect[64];

		server_start(&server);
		snprintf(connect, sizeof(connect), "two.test%s",
			 strrchr(server.connect, ':'));
		result = look(connect, NULL);
		server_stop(&server);
		found += result.kind == PROBE_TLS;
	}
	testcert_free(leaf);
	return found;
}

static void every_address_of_a_name_is_tried(void **state)
{
	char *dir = tempdir_new(), *hosts = path_join(dir, "hosts");
	int status;
	pid_t pid;

	(void)state;
	if (!is_root())
		skip();
	put(hosts, "127.0.0.1 two.test\n::1 two.test\n", 0644);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(find_by_name(hosts));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(hosts);
	tempdir_free(dir);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: no mount namespaces here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 2);
}

static void a_server_that_hangs_costs_no_more_than_the_deadline(void **state)
{
	struct tls_server server = { .manner = HANGS };
	struct endpoint endpoint = { .connect = server.connect };
	int64_t before = clock_mono_ms(), took;
	struct probe_result result;

	(void)state;
	server_start(&server);
	probe_endpoint(&endpoint, 1, NULL, &result);
	took = clock_mono_ms() - before;
	server_stop(&server);
	assert_int_equal(result.kind, PROBE_NOTHING);
	assert_string_equal(result.detail, "no answer in time");
	assert_in_range(took, 900, 3000);
}

static void *cancel_soon(void *cancel)
{
	clock_sleep_ms(300, NULL);
	cancel_request(cancel);
	return NULL;
}

static void a_probe_stops_within_a_second_of_being_cancelled(void **state)
{
	struct tls_server server = { .manner = HANGS };
	struct endpoint endpoint = { .connect = server.connect };
	struct cancel *cancel = cancel_new();
	struct probe_result result;
	pthread_t thread;
	int64_t before;

	(void)state;
	server_start(&server);
	before = clock_mono_ms();
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, cancel), 0);
	probe_endpoint(&endpoint, 60, cancel, &result);
	assert_in_range(clock_mono_ms() - before, 250, 2300);
	pthread_join(thread, NULL);
	server_stop(&server);
	assert_int_equal(result.kind, PROBE_NOTHING);
	assert_string_equal(result.detail, "stopped on request");
	cancel_free(cancel);
}

/* ---- plain HTTP ---------------------------------------------------------- */

static void assert_http(struct tls_server *server, const char *wanted)
{
	struct err err = { 0 };
	int rc;

	server_start(server);
	rc = probe_http(server->connect, 1, NULL, &err);
	server_stop(server);
	if (!wanted) {
		if (rc)
			fail_msg("%s", err.text);
		return;
	}
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	if (!strstr(err.text, wanted) || !strstr(err.text, server->connect) ||
	    !strstr(err.text, "does not answer plain HTTP"))
		fail_msg("%s", err.text);
}

static void any_status_is_an_answer_of_plain_http(void **state)
{
	(void)state;
	assert_http(&(struct tls_server){ .manner = SERVES_TEXT,
					  .text = "HTTP/1.1 200 OK\r\n\r\n" },
		    NULL);
	assert_http(&(struct tls_server){ .manner = SERVES_TEXT,
					  .text = "HTTP/1.0 401 Unauthorized\r\n\r\nx" },
		    NULL);
}

static void what_answers_instead_of_plain_http_is_said(void **state)
{
	(void)state;
	assert_http(&(struct tls_server){ .manner = SERVES_TEXT,
					  .text = "SSH-2.0-OpenSSH\r\n" },
		    "something answers that does not speak HTTP");
	assert_http(&(struct tls_server){ .manner = SERVES_TEXT,
					  .text = "\x15\x03\x01\x02\x02\x46" },
		    "it speaks TLS");
	assert_http(&(struct tls_server){ .manner = SERVES_TEXT, .text = "" },
		    "it hung up");
	assert_http(&(struct tls_server){ .manner = HANGS }, "no answer in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_served_certificate_is_seen_with_its_facts),
		cmocka_unit_test(a_missing_intermediate_is_noticed),
		cmocka_unit_test(the_names_above_a_leaf_are_matched_exactly),
		cmocka_unit_test(a_self_signed_certificate_is_a_whole_chain),
		cmocka_unit_test(an_expired_certificate_is_seen_like_any_other),
		cmocka_unit_test(the_server_name_decides_which_certificate_is_seen),
		cmocka_unit_test(a_server_that_wants_our_certificate_has_shown_its_own),
		cmocka_unit_test(an_old_server_with_a_weak_key_can_be_seen),
		cmocka_unit_test(a_server_without_a_certificate_shows_nothing),
		cmocka_unit_test(plain_http_is_told_from_nothing),
		cmocka_unit_test(a_refused_connection_is_nothing),
		cmocka_unit_test(a_server_that_hangs_up_is_nothing),
		cmocka_unit_test(addresses_that_are_none_are_nothing),
		cmocka_unit_test(ipv6_is_written_in_brackets),
		cmocka_unit_test(every_address_of_a_name_is_tried),
		cmocka_unit_test(a_server_that_hangs_costs_no_more_than_the_deadline),
		cmocka_unit_test(a_probe_stops_within_a_second_of_being_cancelled),
		cmocka_unit_test(any_status_is_an_answer_of_plain_http),
		cmocka_unit_test(what_answers_instead_of_plain_http_is_said),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
