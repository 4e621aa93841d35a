/* What may be asked for besides names - a profile, dates, a predecessor, a chain - and
 * what becomes of the order when the CA will not have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "ca_fixture.h"

static void expect_success(struct client *client)
{
	if (client_obtain(client))
		fail_msg("%s", client->err.text);
}

static void expect_failure(struct client *client, enum err_kind kind, const char *words)
{
	assert_int_equal(client_obtain(client), -1);
	if (client->err.kind != kind || !strstr(client->err.text, words))
		fail_msg("%s: %s", err_kind_name(client->err.kind), client->err.text);
}

static void expect_notes(struct client *client, size_t n, const char *words)
{
	assert_int_equal(client->result.notes.n, n);
	if (n && !strstr(client->result.notes.items[n - 1], words))
		fail_msg("%s", client->result.notes.items[n - 1]);
}

static bool asked(struct client *client, int n, const char *what)
{
	return strstr(ca_payload(client, "order", n), what) != NULL;
}

/* ---- profiles -------------------------------------------------------------- */

static void an_advertised_profile_is_asked_for(void **state)
{
	struct client *client = client_new("profiles=classic;shortlived", false);

	(void)state;
	client->request.profile = "shortlived";
	expect_success(client);
	assert_true(asked(client, 0, "\"profile\":\"shortlived\""));
	expect_notes(client, 0, "");
	client_free(client);
}

static void a_preferred_profile_that_is_not_advertised_is_a_note(void **state)
{
	struct client *client = client_new("profiles=classic;shortlived", false);

	(void)state;
	client->request.profile = "tlsclient";
	expect_success(client);
	assert_false(asked(client, 0, "profile"));
	expect_notes(client, 1,
		     "the CA does not offer the preferred profile, only: classic, "
		     "shortlived");
	client_free(client);
}

static void a_required_profile_that_is_not_advertised_burns_no_order(void **state)
{
	struct client *client = client_new("profiles=classic", false);

	(void)state;
	client->request.profile = "tlsclient";
	client->request.profile_required = true;
	expect_failure(client, ERR_CONFIG,
		       "the CA does not offer the profile 'tlsclient' that is required, "
		       "only: classic");
	assert_int_equal(ca_count(client, "order"), 0);
	client_free(client);
	client = client_new("", false);
	client->request.profile = "tlsclient";
	client->request.profile_required = true;
	expect_failure(client, ERR_CONFIG, "that is required, only: none");
	client_free(client);
}

static void a_preferred_profile_that_is_refused_is_left_out(void **state)
{
	struct client *client = client_new("profiles=classic,profile=order", false);

	(void)state;
	client->request.profile = "classic";
	expect_success(client);
	assert_int_equal(ca_count(client, "order"), 2);
	assert_false(asked(client, 1, "profile"));
	expect_notes(client, 1,
		     "refused the order with the profile: newOrder: "
		     "invalidProfile: not for you");
	client->request.profile_required = true;
	expect_failure(client, ERR_CONFIG, "newOrder: invalidProfile: not for you");
	assert_int_equal(ca_count(client, "order"), 3);
	client_free(client);
}

static void a_preferred_profile_that_finalize_refuses_is_left_out(void **state)
{
	struct client *client = client_new("profiles=classic,profile=finalize", false);

	(void)state;
	client->request.profile = "classic";
	expect_success(client);
	assert_int_equal(ca_count(client, "order"), 2);
	assert_int_equal(client->orders, 2); /* and each was written down */
	assert_false(asked(client, 1, "profile"));
	expect_notes(client, 1,
		     "refused to finalize with the profile: finalize the "
		     "order: invalidProfile: not for these names");
	client->request.profile_required = true;
	expect_failure(client, ERR_CONFIG, "finalize the order: invalidProfile");
	assert_int_equal(ca_count(client, "order"), 3);
	client_free(client);
}

/* ---- dates, and the whole ladder ------------------------------------------- */

static void dates_are_sent_when_asked_for(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	client->request.not_before = 1795255200;
	client->request.not_after = 1795258800;
	expect_success(client);
	assert_true(asked(client, 0,
			  "\"notBefore\":\"2026-11-21T10:00:00Z\","
			  "\"notAfter\":\"2026-11-21T11:00:00Z\""));
	expect_notes(client, 0, "");
	client_free(client);
}

static void dates_that_are_refused_are_left_out(void **state)
{
	struct client *client = client_new("dates=no", false);

	(void)state;
	client->request.not_after = 1795258800;
	expect_success(client);
	assert_int_equal(ca_count(client, "order"), 2);
	expect_notes(client, 1,
		     "refused the order with dates of ours: newOrder: malformed: no "
		     "dates here");
	client_free(client);
}

static void three_orders_are_the_most(void **state)
{
	struct client *client = client_new(
		"ari=1,replaces=no,profiles=p,profile=order,dates=no", false);

	(void)state;
	client->request.replaces = "aa.bb";
	client->request.profile = "p";
	client->request.not_after = 1795258800;
	expect_failure(client, ERR_CONFIG, "newOrder: invalidProfile");
	assert_int_equal(ca_count(client, "order"), 3);
	assert_int_equal(client->asked, 3);
	assert_false(client->asked_replaces);
	expect_notes(client, 2, "with dates of ours");
	client_free(client);

	client = client_new("profiles=p,profile=finalize,dates=no,ari=1,replaces=no",
			    false);
	client->request.replaces = "aa.bb";
	client->request.profile = "p";
	client->request.not_after = 1795258800;
	expect_failure(client, ERR_CONFIG, "finalize the order: invalidProfile");
	assert_int_equal(ca_count(client, "order"), 3);
	client_free(client);
}

/* Asks for dates and a profile too: is newOrder posted once only? */
static void asks_once(const char *fault, enum err_kind kind, const char *words)
{
	char *options = str_printf("profiles=p,f=order:%s:9", fault);
	struct client *client = client_new(options, false);

	client->request.profile = "p";
	client->request.not_after = 1795258800;
	expect_failure(client, kind, words);
	assert_int_equal(ca_count(client, "order"), 1);
	expect_notes(client, 0, "");
	free(options);
	client_free(client);
}

static void what_is_not_about_the_wishes_costs_one_order_only(void **state)
{
	(void)state;
	asks_once("429s", ERR_TRANSIENT, "rateLimited: too many orders");
	asks_once("503", ERR_TRANSIENT, "answered 503");
	asks_once("agree", ERR_CONFIG,
		  "userActionRequired: agree again; do what the CA asks for, then try "
		  "again; the CA's terms of service: 'https://ca.example/terms/v2'");
}

static void a_time_in_words_is_as_good_as_retry_after(void **state)
{
	struct client *client = client_new("f=order:429t:9", false);

	(void)state;
	expect_failure(client, ERR_TRANSIENT,
		       "rateLimited: too many certificates, retry after 20");
	assert_in_range(client->err.retry_after_s, 110, 125);
	client_free(client);
}

static void the_way_out_of_a_pause_reaches_the_operator_whole(void **state)
{
	struct client *client = client_new("f=order:paused:9", false);

	(void)state;
	expect_failure(client, ERR_TRANSIENT,
		       "newOrder: rateLimited: your account is paused: visit "
		       "https://ca.example/unpause?jwt=xxx");
	assert_non_null(strstr(client->err.text, "xxxEND"));
	client_free(client);
}

/* ---- a CA that moves, and its headers -------------------------------------- */

static void a_newOrder_that_has_moved_is_found_in_the_same_run(void **state)
{
	struct client *client = client_new("moves=order", false);

	(void)state;
	expect_success(client);
	assert_int_equal(ca_count(client, "orderold"), 1);
	assert_int_equal(ca_count(client, "dir"), 2);
	client_free(client);
}

static void a_newNonce_that_has_moved_is_found_the_next_time(void **state)
{
	struct client *client = client_new("moves=nonce", false);

	(void)state;
	expect_failure(client, ERR_REFUSED, "nonceold' answered 404");
	expect_success(client);
	assert_int_equal(ca_count(client, "dir"), 2);
	client_free(client);
}

static void headers_in_lower_case_are_headers(void **state)
{
	struct client *client = client_new("lower=1", true);

	(void)state;
	expect_success(client);
	client_free(client);
}

static void answers_without_a_nonce_cost_a_newNonce_each(void **state)
{
	struct client *client = client_new("nononce=1", false);

	(void)state;
	expect_success(client);
	assert_true(ca_count(client, "nonce") >= 8);
	client_free(client);
}

/* ---- chains ---------------------------------------------------------------- */

static void the_default_chain_is_taken_when_none_is_asked_for(void **state)
{
	struct client *client = client_new("alt=root-x;root-y", false);

	(void)state;
	expect_success(client);
	assert_int_equal(ca_count(client, "cert"), 1);
	assert_int_equal(client->result.chains.n, 1);
	assert_string_equal(client->result.chains.items[0], "fake CA");
	client_free(client);
}

static void a_chain_is_chosen_by_the_name_at_its_top(void **state)
{
	struct client *client = client_new("alt=root-x;root-y;root-z", false);
	struct cert *cert;

	(void)state;
	client->request.chain = "root-z"; /* of the second Link header */
	expect_success(client);
	assert_int_equal(client->result.chains.n, 4);
	assert_string_equal(client->result.chains.items[0], "root-z");
	expect_notes(client, 0, "");
	assert_int_equal(cert_parse(buf_str(&client->result.pem), client->result.pem.len,
				    &cert, &client->err),
			 0);
	assert_string_equal(cert_issuer_text(cert), "CN=fake CA");
	cert_free(cert);
	assert_int_equal(ca_count(client, "cert"), 4);
	client_free(client);
}

static void a_chain_that_the_ca_does_not_have_is_a_note(void **state)
{
	struct client *client = client_new("alt=root-x,f=cert:500:1:1", false);

	(void)state;
	client->request.chain = "root-q";
	expect_success(client); /* and an alternate that cannot be had is no obstacle */
	expect_notes(client, 1,
		     "the CA has no chain from 'root-q', only 'fake CA': the first is "
		     "taken");
	client_free(client);
}

static void eight_alternates_are_the_most(void **state)
{
	struct client *client = client_new("alt=a;b;c;d;e;f;g;h;i;j", false);

	(void)state;
	client->request.chain = "j";
	expect_success(client);
	assert_int_equal(ca_count(client, "cert"), 9);
	expect_notes(client, 1, "the CA has no chain from 'j', only 'fake CA', 'a', 'b'");
	client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_advertised_profile_is_asked_for),
		cmocka_unit_test(a_preferred_profile_that_is_not_advertised_is_a_note),
		cmocka_unit_test(
			a_required_profile_that_is_not_advertised_burns_no_order),
		cmocka_unit_test(a_preferred_profile_that_is_refused_is_left_out),
		cmocka_unit_test(a_preferred_profile_that_finalize_refuses_is_left_out),
		cmocka_unit_test(dates_are_sent_when_asked_for),
		cmocka_unit_test(dates_that_are_refused_are_left_out),
		cmocka_unit_test(three_orders_are_the_most),
		cmocka_unit_test(what_is_not_about_the_wishes_costs_one_order_only),
		cmocka_unit_test(a_time_in_words_is_as_good_as_retry_after),
		cmocka_unit_test(the_way_out_of_a_pause_reaches_the_operator_whole),
		cmocka_unit_test(a_newOrder_that_has_moved_is_found_in_the_same_run),
		cmocka_unit_test(a_newNonce_that_has_moved_is_found_the_next_time),
		cmocka_unit_test(headers_in_lower_case_are_headers),
		cmocka_unit_test(answers_without_a_nonce_cost_a_newNonce_each),
		cmocka_unit_test(the_default_chain_is_taken_when_none_is_asked_for),
		cmocka_unit_test(a_chain_is_chosen_by_the_name_at_its_top),
		cmocka_unit_test(a_chain_that_the_ca_does_not_have_is_a_note),
		cmocka_unit_test(eight_alternates_are_the_most),
	};
	return cmocka_run_group_tests(tests, ca_start, ca_stop);
}
