/* What becomes of an account - contacts, key, end - and of certificates that must go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/key.h"
#include "acme/session.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "ca_fixture.h"

static void expect_ok(struct client *client, int rc)
{
	if (rc)
		fail_msg("%s", client->err.text);
}

static void expect_words(struct client *client, int rc, enum err_kind kind,
			 const char *words)
{
	assert_int_equal(rc, -1);
	if (client->err.kind != kind || !strstr(client->err.text, words))
		fail_msg("%s: %s", err_kind_name(client->err.kind), client->err.text);
}

static struct client *registered(const char *options)
{
	struct client *client = client_new(options, false);
	char *url;

	expect_ok(client, acme_register(client->session, &url, &client->err));
	free(url);
	return client;
}

static struct cert *obtained(struct client *client)
{
	struct cert *cert;

	expect_ok(client, client_obtain(client));
	expect_ok(client, cert_parse(buf_str(&client->result.pem), client->result.pem.len,
				     &cert, &client->err));
	return cert;
}

static EVP_PKEY *new_key(const char *type)
{
	EVP_PKEY *key;
	struct err err;

	assert_int_equal(key_generate(type, &key, &err), 0);
	return key;
}

static void looking_for_an_account_makes_none(void **state)
{
	struct client *client = client_new("", false);
	bool found = true;
	char *url;

	(void)state;
	expect_ok(client, acme_account_find(client->session, &found, &client->err));
	assert_false(found);
	assert_null(acme_session_account_url(client->session));
	expect_ok(client, acme_register(client->session, &url, &client->err));
	client_restart(client);
	expect_ok(client, acme_account_find(client->session, &found, &client->err));
	assert_true(found);
	assert_string_equal(acme_session_account_url(client->session), url);
	free(url);
	client_free(client);
}

static void contacts_are_replaced_and_removed(void **state)
{
	static const char *const contact[] = { "mailto:new@example.com", NULL };
	struct client *client = registered("");
	struct acme_account_facts facts;

	(void)state;
	expect_ok(client,
		  acme_account_set_contact(client->session, contact, &client->err));
	expect_ok(client, acme_account_read(client->session, &facts, &client->err));
	assert_string_equal(facts.contact, "mailto:new@example.com");
	acme_account_facts_clear(&facts);
	expect_ok(client, acme_account_set_contact(client->session, NULL, &client->err));
	expect_ok(client, acme_account_read(client->session, &facts, &client->err));
	assert_null(facts.contact);
	acme_account_facts_clear(&facts);
	client_free(client);
}

static void what_does_not_exist_is_not_made_to_be_changed(void **state)
{
	static const char *const none[] = { NULL };
	struct client *client = client_new("", false);
	EVP_PKEY *key = new_key("ec-p256");
	const char *words = "the CA knows no account with this key";

	(void)state;
	expect_words(client,
		     acme_account_set_contact(client->session, none, &client->err),
		     ERR_NOT_FOUND, words);
	expect_words(client, acme_account_deactivate(client->session, &client->err),
		     ERR_NOT_FOUND, words);
	expect_words(client, acme_account_change_key(client->session, key, &client->err),
		     ERR_NOT_FOUND, words);
	for (int n = ca_count(client, "account"); n-- > 0;)
		assert_string_equal(ca_payload(client, "account", n),
				    "{\"onlyReturnExisting\":true}");
	EVP_PKEY_free(key);
	client_free(client);
}

static void the_new_key_signs_from_then_on(void **state)
{
	struct client *client = registered("");
	EVP_PKEY *key = new_key("ec-p256");
	char *url = str_dup(acme_session_account_url(client->session));
	bool found = true;

	(void)state;
	expect_ok(client, acme_account_change_key(client->session, key, &client->err));
	cert_free(obtained(client));

	client_restart(client); /* with the old key */
	expect_ok(client, acme_account_find(client->session, &found, &client->err));
	assert_false(found);
	EVP_PKEY_free(client->account_key);
	client->account_key = key;
	client_restart(client);
	expect_ok(client, acme_account_find(client->session, &found, &client->err));
	assert_true(found);
	assert_string_equal(acme_session_account_url(client->session), url);
	free(url);
	client_free(client);
}

static void an_rsa_key_takes_over_from_an_ec_key(void **state)
{
	struct client *client = registered("");
	EVP_PKEY *key = new_key("rsa-2048");

	(void)state;
	expect_ok(client, acme_account_change_key(client->session, key, &client->err));
	cert_free(obtained(client));
	EVP_PKEY_free(key);
	client_free(client);
}

static void a_key_of_another_account_is_told_with_that_account(void **state)
{
	struct client *client = registered("");

	(void)state;
	/* Its own key counts as taken, too. */
	expect_words(client,
		     acme_account_change_key(client->session, client->account_key,
					     &client->err),
		     ERR_REFUSED,
		     "change the account's key: the CA has another account with the new "
		     "key already: https://");
	client_free(client);
}

static void a_key_that_no_account_may_have_is_not_offered(void **state)
{
	struct client *client = registered("");
	EVP_PKEY *key = new_key("ec-p384");

	(void)state;
	expect_words(client, acme_account_change_key(client->session, key, &client->err),
		     ERR_CONFIG, "an account key is ec-p256 or rsa-2048 to rsa-4096");
	assert_int_equal(ca_count(client, "keychange"), 0);
	EVP_PKEY_free(key);
	client_free(client);
}

static void a_lost_answer_leaves_open_which_key_counts(void **state)
{
	struct client *client = registered("f=keychange:close:99");
	EVP_PKEY *key = new_key("ec-p256");

	(void)state;
	expect_words(client, acme_account_change_key(client->session, key, &client->err),
		     ERR_TRANSIENT, "change the account's key: POST https://");
	EVP_PKEY_free(key);
	client_free(client);
}

static void an_account_that_was_ended_says_so_to_every_session(void **state)
{
	struct client *client = registered("");
	char *url = str_dup(acme_session_account_url(client->session));
	const char *words = "the CA does not accept the account of this key any more: "
			    "register with a new key: unauthorized: the account is "
			    "deactivated";

	(void)state;
	expect_ok(client, acme_account_deactivate(client->session, &client->err));
	expect_words(client, client_obtain(client), ERR_CONFIG, words);
	acme_session_free(client->session);
	expect_ok(client, acme_session_new(&client->issuer, client->account_key, url,
					   NULL, &client->session, &client->err));
	expect_words(client, client_obtain(client), ERR_CONFIG, words);
	assert_int_equal(client->orders, 0);
	client_restart(client);
	expect_words(client, client_obtain(client), ERR_CONFIG, words);
	free(url);
	client_free(client);
}

static void a_certificate_is_revoked_with_its_reason_and_only_once(void **state)
{
	struct client *client = client_new("", false);
	struct cert *cert = obtained(client);

	(void)state;
	expect_ok(client, acme_revoke(client->session, cert, REVOKE_SUPERSEDED, NULL,
				      &client->err));
	assert_non_null(strstr(ca_payload(client, "revoke", 0), "\"reason\":4"));
	expect_ok(client, acme_revoke(client->session, cert, REVOKE_UNSPECIFIED, NULL,
				      &client->err)); /* alreadyRevoked */
	assert_null(strstr(ca_payload(client, "revoke", 1), "reason"));
	cert_free(cert);
	client_free(client);
}

#define DAY_MS (24LL * 60 * 60 * 1000)

/* Its day ends while the first answer is on its way. Both take the address from it. */
static void a_directory_may_grow_old_between_two_tries(void **state)
{
	struct client *client = registered("f=revoke:noaccount:1+keychange:noaccount:1");
	struct cert *cert = obtained(client);
	EVP_PKEY *key = new_key("ec-p256");

	(void)state;
	client->session->directory_read_ms = clock_mono_ms() - DAY_MS + 1;
	expect_ok(client, acme_revoke(client->session, cert, REVOKE_SUPERSEDED, NULL,
				      &client->err));
	client->session->directory_read_ms = clock_mono_ms() - DAY_MS + 1;
	expect_ok(client, acme_account_change_key(client->session, key, &client->err));
	EVP_PKEY_free(key);
	cert_free(cert);
	client_free(client);
}

static void a_certificates_own_key_revokes_it_without_an_account(void **state)
{
	static const char *const types[] = { "ec-p256", "ec-p384" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct client *client = client_new("", false);
		struct cert *cert;

		EVP_PKEY_free(client->leaf_key);
		client->request.key = client->leaf_key = new_key(types[i]);
		cert = obtained(client);
		EVP_PKEY_free(client->account_key);
		client->account_key = new_key("ec-p256"); /* of nobody */
		client_restart(client);
		expect_ok(client,
			  acme_revoke(client->session, cert, REVOKE_KEY_COMPROMISE,
				      client->leaf_key, &client->err));
		assert_non_null(strstr(ca_payload(client, "revoke", 0), "\"reason\":1"));
		cert_free(cert);
		client_free(client);
	}
}

static void a_refused_revocation_names_the_certificate(void **state)
{
	struct client *client = client_new("", false);
	struct cert *cert = obtained(client);
	EVP_PKEY *other = new_key("ec-p256");
	char *words = str_printf("revoke certificate %s: unauthorized: not the key of "
				 "the certificate",
				 cert_serial(cert));

	(void)state;
	expect_words(client,
		     acme_revoke(client->session, cert, REVOKE_KEY_COMPROMISE, other,
				 &client->err),
		     ERR_REFUSED, words);
	free(words);
	EVP_PKEY_free(other);
	cert_free(cert);
	client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looking_for_an_account_makes_none),
		cmocka_unit_test(contacts_are_replaced_and_removed),
		cmocka_unit_test(what_does_not_exist_is_not_made_to_be_changed),
		cmocka_unit_test(the_new_key_signs_from_then_on),
		cmocka_unit_test(an_rsa_key_takes_over_from_an_ec_key),
		cmocka_unit_test(a_key_of_another_account_is_told_with_that_account),
		cmocka_unit_test(a_key_that_no_account_may_have_is_not_offered),
		cmocka_unit_test(a_lost_answer_leaves_open_which_key_counts),
		cmocka_unit_test(an_account_that_was_ended_says_so_to_every_session),
		cmocka_unit_test(a_certificate_is_revoked_with_its_reason_and_only_once),
		cmocka_unit_test(a_directory_may_grow_old_between_two_tries),
		cmocka_unit_test(a_certificates_own_key_revokes_it_without_an_account),
		cmocka_unit_test(a_refused_revocation_names_the_certificate),
	};
	return cmocka_run_group_tests(tests, ca_start, ca_stop);
}
