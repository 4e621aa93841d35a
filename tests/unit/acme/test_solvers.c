/* Several ways to prove a name, names of every kind, and what each solver gets to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/csr.h"
#include "acme/jws.h"
#include "base/identifier.h"
#include "base/str.h"
#include "ca_fixture.h"

struct ways { /* three solvers, and what was asked of them */
	struct acme_solver solvers[3];
	char seen[1024]; /* "present dns-01 a.example; settle dns-01; ..." */
	char dns_value[64], token[300], account_url[256], issuers[256];
	bool cancel_settling;
};

struct way {
	struct ways *ways;
	const char *type;
};

static struct way way_of[3];

static void saw(struct ways *ways, const char *what, const char *type,
		const char *identifier)
{
	size_t len = strlen(ways->seen);

	snprintf(ways->seen + len, sizeof(ways->seen) - len, "%s%s %s%s%s",
		 len ? "; " : "", what, type, identifier ? " " : "",
		 identifier ? identifier : "");
}

static int present(void *ctx, const struct acme_challenge *challenge, struct err *err)
{
	struct way *way = ctx;
	struct ways *ways = way->ways;

	(void)err;
	assert_string_equal(challenge->type, way->type);
	saw(ways, "present", way->type, challenge->identifier);
	str_copy(ways->dns_value, sizeof(ways->dns_value),
		 challenge->dns_value ? challenge->dns_value : "");
	str_copy(ways->token, sizeof(ways->token),
		 challenge->token ? challenge->token : "");
	str_copy(ways->account_url, sizeof(ways->account_url), challenge->account_url);
	if (challenge->issuer_domains)
		snprintf(ways->issuers, sizeof(ways->issuers), "%s %s",
			 challenge->issuer_domains[0], challenge->issuer_domains[1]);
	return 0;
}

static int settle(void *ctx, struct err *err)
{
	struct way *way = ctx;

	saw(way->ways, "settle", way->type, NULL);
	if (way->ways->cancel_settling)
		return err_set(err, ERR_CANCELLED, "stopped on request");
	return err_set(err, ERR_TRANSIENT, "a warning that stops nothing");
}

static void cleanup(void *ctx, const struct acme_challenge *challenge)
{
	struct way *way = ctx;

	saw(way->ways, "cleanup", way->type, challenge->identifier);
}

static bool suits_names(void *ctx, const char *identifier)
{
	(void)ctx;
	return identifier_kind(identifier) == IDENTIFIER_DNS;
}

/* A client that can answer these types, in this order; the first proves plain names only.
 */
static struct client *client_with(struct ways *ways, const char *options,
				  const char *const *names, const char *const types[3])
{
	struct client *client = client_new(options, false);

	*ways = (struct ways){ 0 };
	client->request.n_solvers = 0;
	for (size_t i = 0; i < 3 && types[i]; i++) {
		way_of[i] = (struct way){ ways, types[i] };
		ways->solvers[i] = (struct acme_solver){
			.ctx = &way_of[i],
			.type = types[i],
			.suits = i == 0 ? suits_names : NULL,
			.present = present,
			.settle = settle,
			.cleanup = cleanup,
		};
		client->request.n_solvers++;
	}
	client->request.solvers = ways->solvers;
	client->request.names = names;
	return client;
}

static void expect_certificate(struct client *client)
{
	struct cert *cert;

	if (client_obtain(client))
		fail_msg("%s", client->err.text);
	assert_int_equal(cert_parse(buf_str(&client->result.pem), client->result.pem.len,
				    &cert, &client->err),
			 0);
	assert_true(cert_names_are(cert, client->request.names));
	cert_free(cert);
}

static void expect_failure(struct client *client, enum err_kind kind, const char *words)
{
	assert_int_equal(client_obtain(client), -1);
	if (client->err.kind != kind || !strstr(client->err.text, words))
		fail_msg("%s: %s", err_kind_name(client->err.kind), client->err.text);
}

static const char *const one[] = { "a.example", NULL };
static const char *const http_dns[3] = { "http-01", "dns-01", NULL };

static void the_first_way_that_the_ca_offers_is_taken(void **state)
{
	struct ways ways;
	struct client *client = client_with(&ways, "offer=tls-alpn-01;dns-01;http-01",
					    one, http_dns);

	(void)state;
	expect_certificate(client);
	assert_string_equal(ways.seen, "present http-01 a.example; settle http-01; "
				       "cleanup http-01 a.example");
	client_free(client);
	client = client_with(&ways, "offer=tls-alpn-01;dns-01", one, http_dns);
	expect_certificate(client);
	assert_string_equal(ways.seen, "present dns-01 a.example; settle dns-01; "
				       "cleanup dns-01 a.example");
	client_free(client);
}

static void a_wildcard_is_proven_by_the_first_way_that_suits_it(void **state)
{
	static const char *const names[] = { "a.example", "*.a.example", NULL };
	struct ways ways;
	struct client *client = client_with(&ways, "offer=http-01;dns-01", names,
					    http_dns);

	(void)state;
	expect_certificate(client);
	assert_string_equal(ways.seen,
			    "present http-01 a.example; present dns-01 *.a.example; "
			    "settle http-01; settle dns-01; "
			    "cleanup http-01 a.example; cleanup dns-01 *.a.example");
	client_free(client);
}

static void the_txt_record_is_the_digest_of_the_key_authorization(void **state)
{
	struct ways ways;
	struct client *client = client_with(&ways, "offer=dns-01", one, http_dns);
	char *authorization, *value;

	(void)state;
	expect_certificate(client);
	authorization = jws_key_authorization(client->account_key, ways.token);
	value = jws_dns_value(authorization);
	assert_string_equal(ways.dns_value, value);
	assert_int_equal(strlen(value), 43);
	free(authorization);
	free(value);
	client_free(client);
}

static void addresses_are_ordered_as_addresses(void **state)
{
	static const char *const names[] = { "a.example", "192.0.2.7", "2001:db8::1",
					     NULL };
	static const char *const types[3] = { "http-01", "tls-alpn-01", NULL };
	struct ways ways;
	struct client *client = client_with(&ways, "offer=tls-alpn-01;http-01", names,
					    types);

	(void)state;
	expect_certificate(client);
	assert_non_null(strstr(ca_payload(client, "order", 0),
			       "{\"type\":\"ip\",\"value\":\"2001:db8::1\"}"));
	assert_non_null(strstr(ways.seen, "present tls-alpn-01 192.0.2.7"));
	client_free(client);
}

static void an_address_that_the_ca_spells_out_is_still_ours(void **state)
{
	static const char *const names[] = { "2001:db8::1", NULL };
	static const char *const types[3] = { "tls-alpn-01", "http-01", NULL };
	struct ways ways;
	struct client *client = client_with(&ways, "ipv6=long", names, types);
	char *url;

	(void)state;
	client->fail_finalize = true;
	expect_failure(client, ERR_IO, "the disk is full");
	client->fail_finalize = false;
	url = str_dup(client->order_url);
	client->request.order_url = url;
	expect_certificate(client);
	assert_int_equal(client->orders, 1); /* it was resumed */
	free(url);
	client_free(client);
}

static void whose_challenge_failed_is_told_for_the_next_way(void **state)
{
	struct ways ways;
	struct client *client = client_with(&ways, "chall=fail", one, http_dns);

	(void)state;
	expect_failure(client, ERR_REFUSED, "challenge failed for 'a.example'");
	assert_int_equal(client->result.challenged.n, 1);
	assert_string_equal(client->result.challenged.items[0], "a.example");
	client_free(client);
}

static void ways_that_the_ca_does_not_offer_are_named(void **state)
{
	static const char *const names[] = { "*.a.example", NULL };
	static const char *const types[3] = { "http-01", "tls-alpn-01", NULL };
	struct ways ways;
	struct client *client = client_with(&ways, "offer=http-01", names, types);

	(void)state;
	expect_failure(client, ERR_CONFIG,
		       "the CA offers no http-01, tls-alpn-01 challenge for "
		       "'*.a.example' that can prove it, only: dns-01, http-01");
	assert_int_equal(client->result.challenged.n, 0);
	assert_string_equal(ways.seen, "");
	client_free(client);
}

static void a_cancelled_wait_takes_the_answers_back(void **state)
{
	struct ways ways;
	struct client *client = client_with(&ways, "offer=dns-01", one, http_dns);

	(void)state;
	ways.cancel_settling = true;
	expect_failure(client, ERR_CANCELLED, "stopped on request");
	assert_string_equal(ways.seen, "present dns-01 a.example; settle dns-01; "
				       "cleanup dns-01 a.example");
	assert_int_equal(ca_count(client, "chall"), 0);
	client_free(client);
}

static const char *const persist[3] = { "http-01", "dns-persist-01", NULL };

static void a_persistent_record_needs_no_token(void **state)
{
	struct ways ways;
	struct client *client = client_with(
		&ways, "offer=dns-persist-01,uri=ours,issuers=ca.example;ca.test", one,
		persist);

	(void)state;
	expect_certificate(client);
	assert_string_equal(ways.token, "");
	assert_string_equal(ways.issuers, "ca.example ca.test");
	assert_string_equal(ways.account_url, acme_session_account_url(client->session));
	client_free(client);
}

static void persistent_fails(const char *more, const char *words)
{
	char *options = str_printf("offer=dns-persist-01,%s", more);
	struct ways ways;
	struct client *client = client_with(&ways, options, one, persist);

	expect_failure(client, ERR_REFUSED, words);
	assert_string_equal(ways.seen, "");
	free(options);
	client_free(client);
}

static void a_persistent_challenge_that_is_not_fit_is_refused_in_words(void **state)
{
	(void)state;
	persistent_fails("uri=ours", "'a.example': the CA's dns-persist-01 challenge has "
				     "0 'issuer-domain-names', not 1 to 10");
	persistent_fails("issuers=a;b;c;d;e;f;g;h;i;j;k", "has 11 'issuer-domain-names'");
	persistent_fails("issuers=CA.example",
			 "'issuer-domain-names' that is no host name in lower case");
	persistent_fails("issuers=ca..example", "no host name in lower case");
	persistent_fails("issuers=-ca.example", "no host name in lower case");
	persistent_fails("issuers=ca.example.", "no host name in lower case");
	persistent_fails("issuers=ca.example,uri=urn:someone",
			 "for 'a.example' is for the account 'urn:someone', not for "
			 "ours, 'https://");
}

static void a_request_of_the_operators_is_sent_as_it_is(void **state)
{
	struct client *client = client_new("", false);
	char *csr;

	(void)state;
	assert_int_equal(csr_make(client->leaf_key, client->request.names, false, &csr,
				  &client->err),
			 0);
	client->request.csr = csr;
	expect_certificate(client);
	assert_non_null(strstr(ca_payload(client, "finalize", 0), csr));
	free(csr);
	client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_way_that_the_ca_offers_is_taken),
		cmocka_unit_test(a_wildcard_is_proven_by_the_first_way_that_suits_it),
		cmocka_unit_test(the_txt_record_is_the_digest_of_the_key_authorization),
		cmocka_unit_test(addresses_are_ordered_as_addresses),
		cmocka_unit_test(an_address_that_the_ca_spells_out_is_still_ours),
		cmocka_unit_test(whose_challenge_failed_is_told_for_the_next_way),
		cmocka_unit_test(ways_that_the_ca_does_not_offer_are_named),
		cmocka_unit_test(a_cancelled_wait_takes_the_answers_back),
		cmocka_unit_test(a_persistent_record_needs_no_token),
		cmocka_unit_test(
			a_persistent_challenge_that_is_not_fit_is_refused_in_words),
		cmocka_unit_test(a_request_of_the_operators_is_sent_as_it_is),
	};
	return cmocka_run_group_tests(tests, ca_start, ca_stop);
}
