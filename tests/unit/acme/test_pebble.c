/* The whole of acme.h against a real CA: Pebble, with its 5 % of refused nonces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/acme.h"
#include "acme/key.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/http_server.h"
#include "base/str.h"
#include "posix/child.h"

#define RENEWALS 20

struct pebble {
	struct child child;
	char *folder, *root, *directory_url;
	struct http_server *responder;
	char path[300], answer[400]; /* one live token at a time */
	struct acme_issuer issuer;
	EVP_PKEY *account_key, *leaf_key;
	struct acme_session *session;
	struct acme_solver solver;
};

static const char *const names[] = { "www.shop.example", "shop.example", NULL };
static const char *const one_name[] = { "one.example", NULL };

static unsigned respond(void *ctx, const char *path, const char *host, struct buf *body)
{
	struct pebble *pebble = ctx;
	const char *token = strrchr(path, '/');

	(void)host;
	if (!token || !str_starts(path, "/.well-known/acme-challenge/"))
		return 404;
	buf_printf(body, "%s.%s", token + 1, pebble->answer);
	return 200;
}

/* The key authorization is token "." thumbprint, and the thumbprint is the same for all.
 */
static int present(void *ctx, const struct acme_challenge *challenge, struct err *err)
{
	struct pebble *pebble = ctx;

	(void)err;
	snprintf(pebble->answer, sizeof(pebble->answer), "%s",
		 challenge->key_authorization + strlen(challenge->token) + 1);
	return 0;
}

static int present_nonsense(void *ctx, const struct acme_challenge *challenge,
			    struct err *err)
{
	struct pebble *pebble = ctx;

	(void)challenge;
	(void)err;
	snprintf(pebble->answer, sizeof(pebble->answer), "nonsense");
	return 0;
}

static void cleanup(void *ctx, const struct acme_challenge *challenge)
{
	(void)ctx;
	(void)challenge;
}

static struct pebble *pebble_start(const char *option)
{
	const char *argv[] = { "/usr/bin/python3", PEBBLE_HELPER, NULL, option, NULL };
	struct pebble *pebble = mem_calloc(1, sizeof(*pebble));
	char line[64], *http, listen[64];
	struct err err;

	pebble->folder = folder_make();
	argv[2] = pebble->folder;
	child_start(&pebble->child, argv, line, sizeof(line));
	http = strchr(line, ' ');
	*http++ = '\0';
	pebble->root = str_printf("%s/root.pem", pebble->folder);
	pebble->directory_url = str_printf("https://127.0.0.1:%s/dir", line);
	snprintf(listen, sizeof(listen), "127.0.0.1:%s", http);
	if (http_server_start(listen, "/", respond, pebble, &pebble->responder, &err))
		fail_msg("%s", err.text);
	pebble->issuer = (struct acme_issuer){
		.directory_url = pebble->directory_url,
		.ca_bundle = pebble->root,
		.agree_to_terms = true,
		.request_timeout_s = 10,
		.order_timeout_s = 30,
	};
	assert_int_equal(key_generate("ec-p256", &pebble->account_key, &err), 0);
	assert_int_equal(key_generate("ec-p256", &pebble->leaf_key, &err), 0);
	return pebble;
}

static void pebble_session(struct pebble *pebble, const char *account_url)
{
	struct err err;

	acme_session_free(pebble->session);
	if (acme_session_new(&pebble->issuer, pebble->account_key, account_url, NULL,
			     &pebble->session, &err))
		fail_msg("%s", err.text);
}

static void pebble_stop(struct pebble *pebble)
{
	acme_session_free(pebble->session);
	http_server_stop(pebble->responder);
	EVP_PKEY_free(pebble->account_key);
	EVP_PKEY_free(pebble->leaf_key);
	child_stop(&pebble->child);
	folder_remove(pebble->folder);
	free(pebble->root);
	free(pebble->directory_url);
	free(pebble);
}

static struct acme_request request_for(struct pebble *pebble, const char *const *wanted)
{
	pebble->solver = (struct acme_solver){
		.ctx = pebble, .type = "http-01", .present = present, .cleanup = cleanup
	};
	return (struct acme_request){
		.names = wanted,
		.key = pebble->leaf_key,
		.common_name = true,
		.solvers = &pebble->solver,
		.n_solvers = 1,
	};
}

static void expect_certificate(struct pebble *pebble, const char *const *wanted)
{
	struct acme_request request = request_for(pebble, wanted);
	struct cert *cert;
	struct acme_result result;
	struct err err;

	acme_result_init(&result);
	if (acme_obtain(pebble->session, &request, &result, &err))
		fail_msg("%s", err.text);
	assert_int_equal(cert_parse(buf_str(&result.pem), result.pem.len, &cert, &err),
			 0);
	assert_true(cert_names_are(cert, wanted));
	assert_true(cert_matches_key(cert, pebble->leaf_key));
	cert_free(cert);
	acme_result_clear(&result);
}

static void pebble_registers_recovers_and_issues(void **state)
{
	struct pebble *pebble = pebble_start(NULL);
	struct acme_account_facts facts;
	char *url, *again;
	struct err err;

	(void)state;
	pebble_session(pebble, NULL);
	if (acme_register(pebble->session, &url, &err))
		fail_msg("%s", err.text);
	expect_certificate(pebble, names);

	pebble_session(pebble, NULL); /* the URL was lost */
	assert_int_equal(acme_register(pebble->session, &again, &err), 0);
	assert_string_equal(url, again);
	if (acme_account_read(pebble->session, &facts, &err))
		fail_msg("%s", err.text);
	assert_string_equal(facts.status, "valid");
	assert_string_equal(facts.url, url);
	acme_account_facts_clear(&facts);
	free(url);
	free(again);
	pebble_stop(pebble);
}

static void pebble_renews_again_and_again_on_one_connection(void **state)
{
	struct pebble *pebble = pebble_start(NULL);
	unsigned long requests, connections;
	int64_t date, mono_ms;

	(void)state;
	pebble_session(pebble, NULL);
	assert_false(acme_session_date(pebble->session, &date, &mono_ms));
	for (int i = 0; i < RENEWALS; i++)
		expect_certificate(pebble, one_name);
	acme_session_counts(pebble->session, &requests, &connections);
	assert_int_equal(connections, 1);
	assert_in_range(requests, RENEWALS * 7, RENEWALS * 11);
	assert_true(acme_session_date(pebble->session, &date, &mono_ms));
	assert_in_range(date, clock_wall() - 60, clock_wall() + 60);
	pebble_stop(pebble);
}

static void pebble_says_why_a_challenge_failed(void **state)
{
	struct pebble *pebble = pebble_start(NULL);
	struct acme_request request = request_for(pebble, names);
	struct acme_result result;
	struct err err;

	(void)state;
	pebble->solver.present = present_nonsense;
	acme_result_init(&result);
	pebble_session(pebble, NULL);
	assert_int_equal(acme_obtain(pebble->session, &request, &result, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(strstr(err.text, "challenge failed for '"));
	assert_non_null(strstr(err.text, "unauthorized: "));
	assert_non_null(strstr(err.text, "nonsense"));
	expect_certificate(pebble, names); /* and it is no obstacle to the next */
	acme_result_clear(&result);
	pebble_stop(pebble);
}

static void pebble_takes_an_external_account_binding(void **state)
{
	struct pebble *pebble = pebble_start("eab");
	char *url;
	struct err err;

	(void)state;
	pebble_session(pebble, NULL);
	assert_int_equal(acme_register(pebble->session, &url, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "eab"));

	pebble->issuer.eab_key_id = "kid-1";
	pebble->issuer.eab_hmac_key =
		"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
	if (acme_register(pebble->session, &url, &err))
		fail_msg("%s", err.text);
	expect_certificate(pebble, one_name);
	free(url);
	pebble_stop(pebble);
}

static void expect_ok(int rc, const struct err *err)
{
	if (rc)
		fail_msg("%s", err->text);
}

static void pebble_takes_new_contacts_a_new_key_and_the_end_of_an_account(void **state)
{
	static const char *const contact[] = { "mailto:new@example.com", NULL };
	struct pebble *pebble = pebble_start(NULL);
	struct acme_account_facts facts;
	EVP_PKEY *key;
	bool found = false;
	char *url;
	struct err err;

	(void)state;
	pebble_session(pebble, NULL);
	expect_ok(acme_register(pebble->session, &url, &err), &err);
	expect_ok(acme_account_set_contact(pebble->session, contact, &err), &err);
	expect_ok(acme_account_read(pebble->session, &facts, &err), &err);
	assert_string_equal(facts.contact, "mailto:new@example.com");
	acme_account_facts_clear(&facts);

	expect_ok(key_generate("rsa-2048", &key, &err), &err);
	expect_ok(acme_account_change_key(pebble->session, key, &err), &err);
	EVP_PKEY_free(pebble->account_key);
	pebble->account_key = key;
	pebble_session(pebble, NULL);
	expect_ok(acme_account_find(pebble->session, &found, &err), &err);
	assert_true(found);
	assert_string_equal(acme_session_account_url(pebble->session), url);

	expect_ok(acme_account_deactivate(pebble->session, &err), &err);
	pebble_session(pebble, url);
	assert_int_equal(acme_account_read(pebble->session, &facts, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "register with a new key"));
	free(url);
	pebble_stop(pebble);
}

static struct cert *certificate_of(struct pebble *pebble,
				   const struct acme_request *request,
				   struct acme_result *result)
{
	struct cert *cert;
	struct err err;

	acme_result_init(result);
	expect_ok(acme_obtain(pebble->session, request, result, &err), &err);
	expect_ok(cert_parse(buf_str(&result->pem), result->pem.len, &cert, &err), &err);
	return cert;
}

static void pebble_revokes_for_the_account_and_for_the_certificates_key(void **state)
{
	struct pebble *pebble = pebble_start(NULL);
	struct acme_request request = request_for(pebble, one_name);
	struct acme_result first, second;
	struct cert *by_account, *by_key;
	struct err err;

	(void)state;
	pebble_session(pebble, NULL);
	by_account = certificate_of(pebble, &request, &first);
	by_key = certificate_of(pebble, &request, &second);
	expect_ok(acme_revoke(pebble->session, by_account, REVOKE_SUPERSEDED, NULL, &err),
		  &err);
	expect_ok(acme_revoke(pebble->session, by_account, REVOKE_SUPERSEDED, NULL, &err),
		  &err); /* it is already */
	expect_ok(acme_revoke(pebble->session, by_key, REVOKE_KEY_COMPROMISE,
			      pebble->leaf_key, &err),
		  &err);
	cert_free(by_account);
	cert_free(by_key);
	acme_result_clear(&first);
	acme_result_clear(&second);
	pebble_stop(pebble);
}

static void pebble_issues_for_wildcards_and_addresses_under_another_root(void **state)
{
	static const char *const wanted[] = { "*.shop.example", "shop.example", NULL };
	static const char *const address[] = { "127.0.0.1", NULL };
	struct pebble *pebble = pebble_start("alternates");
	struct acme_request request = request_for(pebble, wanted);
	struct acme_result first, second;
	struct cert *cert;

	(void)state;
	pebble_session(pebble, NULL);
	pebble->solver.type = "dns-01";
	request.chain = "nobody has this one";
	cert = certificate_of(pebble, &request, &first);
	assert_true(cert_names_are(cert, wanted));
	assert_int_equal(first.chains.n, 3);
	assert_int_equal(first.notes.n, 1);
	cert_free(cert);

	pebble->solver.type = "http-01";
	request.names = address;
	request.chain = first.chains.items[2];
	cert = certificate_of(pebble, &request, &second);
	assert_true(cert_names_are(cert, address));
	assert_string_equal(second.chains.items[0], first.chains.items[2]);
	assert_int_equal(second.notes.n, 0);
	cert_free(cert);
	acme_result_clear(&first);
	acme_result_clear(&second);
	pebble_stop(pebble);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pebble_registers_recovers_and_issues),
		cmocka_unit_test(pebble_renews_again_and_again_on_one_connection),
		cmocka_unit_test(pebble_says_why_a_challenge_failed),
		cmocka_unit_test(pebble_takes_an_external_account_binding),
		cmocka_unit_test(
			pebble_takes_new_contacts_a_new_key_and_the_end_of_an_account),
		cmocka_unit_test(
			pebble_revokes_for_the_account_and_for_the_certificates_key),
		cmocka_unit_test(
			pebble_issues_for_wildcards_and_addresses_under_another_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
