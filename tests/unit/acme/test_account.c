/* newAccount, its recovery, terms and external binding (RFC 8555 7.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/key.h"
#include "ca_fixture.h"

/* base64url and standard base64 of fake_ca.py's EAB_KEY with bytes that need neither's
 * special characters; test_jws.c has one that needs them. */
#define HMAC_KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"

static char *registered(struct client *client)
{
	char *url = NULL;

	if (acme_register(client->session, &url, &client->err))
		fail_msg("%s", client->err.text);
	return url;
}

static void expect_refusal(struct client *client, enum err_kind kind, const char *words)
{
	char *url = NULL;

	assert_int_equal(acme_register(client->session, &url, &client->err), -1);
	assert_null(url);
	if (client->err.kind != kind || !strstr(client->err.text, words))
		fail_msg("%s: %s", err_kind_name(client->err.kind), client->err.text);
}

static void an_account_is_registered_with_terms_and_contacts(void **state)
{
	static const char *const contact[] = { "mailto:a@example.com",
					       "mailto:b@example.com", NULL };
	struct client *client = client_new("terms=1", false);
	struct acme_account_facts facts;
	char *url;

	(void)state;
	client->issuer.contact = contact;
	url = registered(client);
	assert_string_equal(url, acme_session_account_url(client->session));
	assert_non_null(strstr(ca_payload(client, "account", 1),
			       "\"termsOfServiceAgreed\":true"));
	if (acme_account_read(client->session, &facts, &client->err))
		fail_msg("%s", client->err.text);
	assert_string_equal(facts.status, "valid");
	assert_string_equal(facts.url, url);
	assert_string_equal(facts.contact, "mailto:a@example.com, mailto:b@example.com");
	assert_non_null(facts.orders_url);
	acme_account_facts_clear(&facts);
	acme_account_facts_clear(NULL);
	free(url);
	client_free(client);
}

static void a_lost_account_url_is_recovered_by_onlyReturnExisting(void **state)
{
	struct client *client = client_new("", false);
	char *first = registered(client), *second;

	(void)state;
	client_restart(client);
	assert_null(acme_session_account_url(client->session));
	second = registered(client);
	assert_string_equal(first, second);
	assert_int_equal(ca_count(client, "account"), 3);
	assert_string_equal(ca_payload(client, "account", 2),
			    "{\"onlyReturnExisting\":true}");
	free(first);
	free(second);
	client_free(client);
}

static void a_known_account_url_needs_no_newAccount(void **state)
{
	struct client *client = client_new("", false);
	char *url = registered(client);

	(void)state;
	acme_session_free(client->session);
	assert_int_equal(acme_session_new(&client->issuer, client->account_key, url, NULL,
					  &client->session, &client->err),
			 0);
	if (client_obtain(client))
		fail_msg("%s", client->err.text);
	assert_int_equal(ca_count(client, "account"), 2); /* both before */
	free(url);
	client_free(client);
}

static void an_account_unknown_to_the_ca_is_registered_anew(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	acme_session_free(client->session);
	assert_int_equal(acme_session_new(&client->issuer, client->account_key,
					  "https://127.0.0.1/forgotten", NULL,
					  &client->session, &client->err),
			 0);
	if (client_obtain(client))
		fail_msg("%s", client->err.text);
	assert_non_null(strstr(acme_session_account_url(client->session), "/acct/1"));
	assert_int_equal(client->orders, 1);
	client_free(client);
}

static void terms_that_are_not_agreed_to_name_the_key_that_agrees(void **state)
{
	struct client *client = client_new("terms=1", false);

	(void)state;
	client->issuer.agree_to_terms = false;
	expect_refusal(client, ERR_CONFIG,
		       "terms of service 'https://ca.example/terms': read them, then set "
		       "'agree_to_terms: yes'");
	assert_int_equal(ca_count(client, "account"), 1); /* the question alone */
	client_free(client);
}

static void changed_terms_are_told_with_their_address(void **state)
{
	struct client *client = client_new("f=account:terms:9", false);

	(void)state;
	expect_refusal(client, ERR_CONFIG,
		       "userActionRequired: new terms (see 'https://ca/terms')");
	client_free(client);
}

static void a_missing_external_binding_names_the_key_that_gives_it(void **state)
{
	struct client *client = client_new("eab=1", false);

	(void)state;
	expect_refusal(client, ERR_CONFIG, "eab: {key_id: ..., hmac_key: ...}");
	client_free(client);
}

static void
an_external_binding_that_the_directory_did_not_announce_is_asked_for(void **state)
{
	struct client *client = client_new("f=account:needeab:9", false);

	(void)state;
	expect_refusal(client, ERR_CONFIG,
		       "register the account: externalAccountRequired: bring a binding; "
		       "give the issuer 'eab:");
	client_free(client);
}

static void an_external_binding_is_made_with_each_algorithm(void **state)
{
	static const enum acme_eab_algorithm each[] = { ACME_EAB_HS256, ACME_EAB_HS384,
							ACME_EAB_HS512 };

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		struct client *client = client_new("eab=1", false);

		client->issuer.eab_key_id = "kid-1";
		client->issuer.eab_hmac_key = HMAC_KEY;
		client->issuer.eab_algorithm = each[i];
		free(registered(client));
		client_free(client);
	}
}

static void a_damaged_binding_key_is_told_without_showing_it(void **state)
{
	struct client *client = client_new("eab=1", false);

	(void)state;
	client->issuer.eab_key_id = "kid-1";
	client->issuer.eab_hmac_key = "not!base64";
	expect_refusal(client, ERR_CONFIG,
		       "'eab.hmac_key' is neither base64url nor base64");
	assert_null(strstr(client->err.text, "not!base64"));
	client_free(client);
}

static void a_deactivated_account_asks_for_a_new_key(void **state)
{
	struct client *client = client_new("account=deactivated", false);

	(void)state;
	expect_refusal(client, ERR_CONFIG, "is 'deactivated' at the CA");
	client_free(client);
}

static void an_account_without_a_location_is_none(void **state)
{
	struct client *client = client_new("noloc=account", false);

	(void)state;
	expect_refusal(client, ERR_REFUSED, "names no account URL");
	client_free(client);
}

static void trouble_while_looking_up_is_not_taken_for_no_account(void **state)
{
	struct client *client = client_new("f=account:500:1", false);

	(void)state;
	expect_refusal(client, ERR_TRANSIENT, "look the account up: ");
	assert_int_equal(ca_count(client, "account"), 1);
	client_free(client);
}

static void an_account_that_cannot_be_read_says_why(void **state)
{
	struct client *client = client_new("f=acct:500:9", false);
	struct acme_account_facts facts;

	(void)state;
	assert_int_equal(acme_account_read(client->session, &facts, &client->err), -1);
	assert_int_equal(client->err.kind, ERR_TRANSIENT);
	assert_non_null(strstr(client->err.text, "read the account: "));
	client_free(client);
}

static void a_session_needs_an_https_directory_and_a_fit_key(void **state)
{
	struct client *client = client_new("", false);
	struct acme_session *session = NULL;
	EVP_PKEY *p384;

	(void)state;
	client->issuer.directory_url = "http://ca.example/dir";
	assert_int_equal(acme_session_new(&client->issuer, client->account_key, NULL,
					  NULL, &session, &client->err),
			 -1);
	assert_int_equal(client->err.kind, ERR_CONFIG);
	assert_non_null(strstr(client->err.text, "http://ca.example/dir"));

	client->issuer.directory_url = client->directory_url;
	assert_int_equal(key_generate("ec-p384", &p384, &client->err), 0);
	assert_int_equal(acme_session_new(&client->issuer, p384, NULL, NULL, &session,
					  &client->err),
			 -1);
	assert_int_equal(client->err.kind, ERR_CONFIG);
	assert_non_null(strstr(client->err.text, "'ec-p384'"));

	client->issuer.ca_bundle = "/nowhere/root.pem";
	assert_int_equal(acme_session_new(&client->issuer, client->account_key, NULL,
					  NULL, &session, &client->err),
			 -1);
	assert_int_equal(client->err.kind, ERR_CONFIG);
	assert_non_null(strstr(client->err.text, "/nowhere/root.pem"));
	assert_null(session);
	acme_session_free(NULL);
	EVP_PKEY_free(p384);
	client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_is_registered_with_terms_and_contacts),
		cmocka_unit_test(a_lost_account_url_is_recovered_by_onlyReturnExisting),
		cmocka_unit_test(a_known_account_url_needs_no_newAccount),
		cmocka_unit_test(an_account_unknown_to_the_ca_is_registered_anew),
		cmocka_unit_test(terms_that_are_not_agreed_to_name_the_key_that_agrees),
		cmocka_unit_test(changed_terms_are_told_with_their_address),
		cmocka_unit_test(a_missing_external_binding_names_the_key_that_gives_it),
		cmocka_unit_test(
			an_external_binding_that_the_directory_did_not_announce_is_asked_for),
		cmocka_unit_test(an_external_binding_is_made_with_each_algorithm),
		cmocka_unit_test(a_damaged_binding_key_is_told_without_showing_it),
		cmocka_unit_test(a_deactivated_account_asks_for_a_new_key),
		cmocka_unit_test(an_account_without_a_location_is_none),
		cmocka_unit_test(trouble_while_looking_up_is_not_taken_for_no_account),
		cmocka_unit_test(an_account_that_cannot_be_read_says_why),
		cmocka_unit_test(a_session_needs_an_https_directory_and_a_fit_key),
	};
	return cmocka_run_group_tests(tests, ca_start, ca_stop);
}
