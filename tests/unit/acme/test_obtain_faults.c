/* What a CA can do to an order, and the sentence that the operator reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/key.h"
#include "base/clock.h"
#include "base/str.h"
#include "ca_fixture.h"

static void expect_failure(struct client *client, enum err_kind kind, const char *words)
{
	assert_int_equal(client_obtain(client), -1);
	if (client->err.kind != kind || !strstr(client->err.text, words))
		fail_msg("%s: %s", err_kind_name(client->err.kind), client->err.text);
	assert_int_equal(client->result.pem.len, 0);
	assert_int_equal(client->presented, client->withdrawn);
}

static void expect_success(struct client *client)
{
	if (client_obtain(client))
		fail_msg("%s", client->err.text);
}

/* A client of a CA with these options fails with this kind, these words, this advice. */
static void fails_with(const char *options, enum err_kind kind, const char *words,
		       uint32_t retry_after_s)
{
	struct client *client = client_new(options, true);

	expect_failure(client, kind, words);
	if (retry_after_s == 120) /* as a date it may be a second less */
		assert_in_range(client->err.retry_after_s, 118, 121);
	else
		assert_int_equal(client->err.retry_after_s, retry_after_s);
	client_free(client);
}

static bool deactivated(struct client *client)
{
	for (int n = ca_count(client, "authz"); n-- > 0;) {
		if (strstr(ca_payload(client, "authz", n), "deactivated"))
			return true;
	}
	return false;
}

static void nine_refused_nonces_are_retried(void **state)
{
	struct client *client = client_new("f=order:badnonce:9", false);

	(void)state;
	expect_success(client);
	assert_int_equal(ca_count(client, "order"), 10);
	assert_int_equal(ca_count(client, "nonce"), 1); /* each error brought the next */
	client_free(client);
}

static void the_tenth_refused_nonce_is_the_last(void **state)
{
	struct client *client = client_new("f=order:badnonce:11", false);

	(void)state;
	expect_failure(client, ERR_TRANSIENT,
		       "newOrder: 10 nonces in a row were refused: badNonce");
	assert_int_equal(ca_count(client, "order"), 10);
	client_free(client);
}

static void a_rate_limit_keeps_retry_after_in_both_forms(void **state)
{
	(void)state;
	fails_with("f=order:429s:9", ERR_TRANSIENT,
		   "newOrder: rateLimited: too many orders", 120);
	fails_with("f=order:429d:9", ERR_TRANSIENT,
		   "newOrder: rateLimited: too many orders", 120);
}

static void server_errors_are_for_another_time(void **state)
{
	(void)state;
	fails_with("f=order:500:9", ERR_TRANSIENT,
		   "answered 500 with text/html, not an ACME problem", 0);
	fails_with("f=order:503:9", ERR_TRANSIENT, "answered 503", 77);
	fails_with("f=nonce:500:9", ERR_TRANSIENT, "newNonce: ", 0);
	fails_with("f=cert:500:9", ERR_TRANSIENT, "download the certificate: ", 0);
	fails_with("f=finalize:500:9", ERR_TRANSIENT, "finalize the order: ", 0);
}

static void html_instead_of_json_is_said_to_be_that(void **state)
{
	(void)state;
	fails_with("f=dir:html:9", ERR_TRANSIENT, "answered 200 with text/html, not JSON",
		   0);
	fails_with("f=order:html:9", ERR_TRANSIENT,
		   "answered 200 with text/html, not JSON", 0);
	fails_with("f=order:array:9", ERR_TRANSIENT, "not a JSON object", 0);
	fails_with("f=order:empty:9", ERR_TRANSIENT, "with no content type, not JSON", 0);
	fails_with("f=cert:html:9", ERR_TRANSIENT, "with text/html", 0);
}

static void an_answer_of_ten_mebibytes_is_refused(void **state)
{
	(void)state;
	fails_with("f=dir:big:9", ERR_REFUSED, "larger than allowed", 0);
	fails_with("f=order:big:9", ERR_REFUSED, "larger than allowed", 0);
}

static void endless_redirects_end(void **state)
{
	struct client *client = client_new("f=dir:redirect:99", false);

	(void)state;
	expect_failure(client, ERR_REFUSED, "redirect");
	assert_int_equal(ca_count(client, "dirxxxxx"), 1); /* the fifth was followed */
	assert_int_equal(ca_count(client, "dirxxxxxx"), 0);
	client_free(client);
}

static void a_redirected_post_is_not_followed(void **state)
{
	(void)state;
	fails_with("f=order:redirect:99", ERR_REFUSED, "answered 302", 0);
}

static void a_certificate_that_nobody_trusts_names_ca_bundle_as_the_way_out(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	client->issuer.ca_bundle = NULL;
	client_restart(client);
	expect_failure(client, ERR_CONFIG, "ca_bundle");
	client_free(client);
}

static void a_dropped_connection_is_for_another_time(void **state)
{
	(void)state;
	fails_with("f=order:close:99", ERR_TRANSIENT, "newOrder: POST https://", 0);
	fails_with("f=dir:close:99", ERR_TRANSIENT, "read the CA's directory", 0);
}

static void a_rejected_identifier_is_told_with_every_subproblem(void **state)
{
	(void)state;
	fails_with("f=order:rejected:9", ERR_REFUSED,
		   "newOrder: rejectedIdentifier: some names were refused "
		   "['a.example': caa: CAA forbids it; "
		   "'b.example': rejectedIdentifier: on our list]",
		   0);
}

static void a_failed_challenge_is_told_in_the_cas_own_words(void **state)
{
	(void)state;
	fails_with("chall=fail", ERR_REFUSED,
		   "challenge failed for 'a.example': connection: 192.0.2.1: refused; "
		   "challenge failed for 'b.example': connection: 192.0.2.1: refused",
		   0);
}

static void a_failed_challenge_in_an_order_that_stays_pending_is_found(void **state)
{
	(void)state;
	fails_with("chall=quiet", ERR_REFUSED,
		   "challenge failed for 'a.example': connection: 192.0.2.1: refused", 0);
}

static void an_order_that_comes_out_invalid_is_told_in_the_cas_own_words(void **state)
{
	(void)state;
	fails_with("order=invalid", ERR_REFUSED, "finalize the order: badCSR: weak key",
		   0);
	fails_with("order=quiet", ERR_REFUSED, "'invalid' and gives no reason", 0);
}

static void an_order_that_stays_processing_is_left_at_the_deadline(void **state)
{
	struct client *client = client_new("processing=99999,ra=7", false);
	int64_t before_ms = clock_mono_ms();

	(void)state;
	client->issuer.order_timeout_s = 2;
	expect_failure(
		client, ERR_TRANSIENT,
		"wait for the certificate: the order is still 'processing' after 2 s");
	assert_int_equal(client->err.retry_after_s, 7);
	assert_in_range(clock_mono_ms() - before_ms, 1900, 10000);
	assert_int_equal(client->orders, 1);
	client_free(client);
}

static void a_certificate_for_another_key_is_refused(void **state)
{
	(void)state;
	fails_with("otherkey=1", ERR_REFUSED, "is for another key", 0);
}

static void an_order_not_ready_for_finalize_is_asked_again(void **state)
{
	struct client *client = client_new("f=finalize:notready:2", false);

	(void)state;
	expect_success(client);
	assert_int_equal(ca_count(client, "finalize"), 3);
	assert_int_equal(client->finalizes, 1); /* one certificate, counted once */
	client_free(client);
	fails_with("f=finalize:notready:99", ERR_REFUSED, "orderNotReady: not yet", 0);
}

static void a_challenge_that_is_being_validated_already_is_polled(void **state)
{
	struct client *client = client_new("f=chall:conflict:1", false);

	(void)state;
	client->issuer.order_timeout_s = 1;
	expect_failure(client, ERR_TRANSIENT, "the order is still 'pending' after 1 s");
	client_free(client);
}

static void a_challenge_that_the_ca_refuses_ends_the_order(void **state)
{
	(void)state;
	fails_with("f=chall:malformed:9", ERR_REFUSED,
		   "challenge for 'a.example': malformed: cannot read this", 0);
}

static void leftover_pending_authorizations_are_deactivated(void **state)
{
	struct client *client = client_new("f=chall:malformed:1", true);

	(void)state;
	expect_failure(client, ERR_REFUSED, "challenge for 'a.example': malformed");
	assert_int_equal(ca_count(client, "authz"), 5);
	assert_string_equal(ca_payload(client, "authz", 3),
			    "{\"status\":\"deactivated\"}");
	assert_string_equal(ca_payload(client, "authz", 4),
			    "{\"status\":\"deactivated\"}");
	client_free(client);
}

static void an_order_that_met_passing_trouble_is_left_for_later(void **state)
{
	struct client *client = client_new("", true);
	char *url;

	(void)state;
	client->fail_present = true;
	expect_failure(client, ERR_TRANSIENT,
		       "present the http-01 answer for 'a.example': port 80 is taken");
	url = str_dup(client->order_url);
	client->fail_present = false;
	client->request.order_url = url;
	assert_int_equal(client_obtain(client), 0);
	assert_int_equal(client->orders, 1);
	free(url);
	client_free(client);
}

static void nothing_is_deactivated_when_nothing_is_pending(void **state)
{
	struct client *client = client_new("chall=fail", true);

	(void)state;
	expect_failure(client, ERR_REFUSED, "challenge failed");
	assert_false(deactivated(client));
	client_free(client);
}

static void a_challenge_type_that_is_not_offered_is_named(void **state)
{
	struct client *client = client_new("offer=tls-alpn-01", false);

	(void)state;
	expect_failure(client, ERR_CONFIG,
		       "no http-01 challenge for 'a.example' that can prove it, only: "
		       "dns-01, tls-alpn-01");
	assert_int_equal(client->presented, 0);
	assert_true(deactivated(client));
	client_free(client);
}

static void a_token_that_is_no_file_name_is_never_presented(void **state)
{
	struct client *client = client_new("token=..;..;etc", false);

	(void)state;
	expect_failure(client, ERR_REFUSED, "'a.example': the CA's token is not");
	assert_int_equal(client->presented, 0);
	client_free(client);
}

static void urls_that_are_not_https_are_not_followed(void **state)
{
	(void)state;
	fails_with("plain=authz", ERR_REFUSED,
		   "as authorization URL: not an https:// URL", 0);
	fails_with("plain=finalize", ERR_REFUSED, "as finalize URL", 0);
	fails_with("plain=chall", ERR_REFUSED, "as challenge URL", 0);
	fails_with("plain=poll", ERR_REFUSED, "as order URL", 0);
	fails_with("plain=cert", ERR_REFUSED, "as certificate URL", 0);
	fails_with("plain=nonce", ERR_TRANSIENT, "not an ACME directory: 'newNonce'", 0);
	fails_with("noloc=order", ERR_REFUSED, "names no order URL", 0);
}

static void hiccups_while_polling_are_tolerated_twice_in_a_row(void **state)
{
	struct client *client = client_new("f=poll:500:2", false);

	(void)state;
	expect_success(client);
	client_free(client);
	client = client_new("f=poll:500:2+poll:500:2:1", false); /* one good between */
	expect_success(client);
	client_free(client);
	fails_with("f=poll:500:3", ERR_TRANSIENT, "poll the order: ", 0);
	fails_with("f=poll:gone:3", ERR_REFUSED, "poll the order: malformed", 0);
}

static void an_authorization_that_cannot_be_read_ends_the_order(void **state)
{
	(void)state;
	fails_with("f=authz:500:1", ERR_TRANSIENT, "read an authorization: ", 0);
}

static void a_newOrder_that_is_gone_makes_the_directory_be_read_anew(void **state)
{
	struct client *client = client_new("f=order:gone:1", false);

	(void)state;
	expect_failure(client, ERR_REFUSED, "newOrder: malformed: no such thing");
	expect_success(client);
	assert_int_equal(ca_count(client, "dir"), 2);
	client_free(client);
}

static void what_cannot_be_written_down_stops_the_order(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	client->fail_order_created = true;
	expect_failure(client, ERR_IO, "the disk is full");
	assert_int_equal(ca_count(client, "authz"), 0);
	client_free(client);
}

static void an_account_that_the_ca_has_lost_is_registered_again_on_the_way(void **state)
{
	struct client *client = client_new("f=order:noaccount:1", false);

	(void)state;
	expect_success(client);
	assert_int_equal(ca_count(client, "order"), 2);
	client_free(client);
	fails_with("f=order:noaccount:9", ERR_CONFIG, "accountDoesNotExist: who are you",
		   0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nine_refused_nonces_are_retried),
		cmocka_unit_test(the_tenth_refused_nonce_is_the_last),
		cmocka_unit_test(a_rate_limit_keeps_retry_after_in_both_forms),
		cmocka_unit_test(server_errors_are_for_another_time),
		cmocka_unit_test(html_instead_of_json_is_said_to_be_that),
		cmocka_unit_test(an_answer_of_ten_mebibytes_is_refused),
		cmocka_unit_test(endless_redirects_end),
		cmocka_unit_test(a_redirected_post_is_not_followed),
		cmocka_unit_test(
			a_certificate_that_nobody_trusts_names_ca_bundle_as_the_way_out),
		cmocka_unit_test(a_dropped_connection_is_for_another_time),
		cmocka_unit_test(a_rejected_identifier_is_told_with_every_subproblem),
		cmocka_unit_test(a_failed_challenge_is_told_in_the_cas_own_words),
		cmocka_unit_test(
			a_failed_challenge_in_an_order_that_stays_pending_is_found),
		cmocka_unit_test(
			an_order_that_comes_out_invalid_is_told_in_the_cas_own_words),
		cmocka_unit_test(an_order_that_stays_processing_is_left_at_the_deadline),
		cmocka_unit_test(a_certificate_for_another_key_is_refused),
		cmocka_unit_test(an_order_not_ready_for_finalize_is_asked_again),
		cmocka_unit_test(a_challenge_that_is_being_validated_already_is_polled),
		cmocka_unit_test(a_challenge_that_the_ca_refuses_ends_the_order),
		cmocka_unit_test(leftover_pending_authorizations_are_deactivated),
		cmocka_unit_test(an_order_that_met_passing_trouble_is_left_for_later),
		cmocka_unit_test(nothing_is_deactivated_when_nothing_is_pending),
		cmocka_unit_test(a_challenge_type_that_is_not_offered_is_named),
		cmocka_unit_test(a_token_that_is_no_file_name_is_never_presented),
		cmocka_unit_test(urls_that_are_not_https_are_not_followed),
		cmocka_unit_test(hiccups_while_polling_are_tolerated_twice_in_a_row),
		cmocka_unit_test(an_authorization_that_cannot_be_read_ends_the_order),
		cmocka_unit_test(
			a_newOrder_that_is_gone_makes_the_directory_be_read_anew),
		cmocka_unit_test(what_cannot_be_written_down_stops_the_order),
		cmocka_unit_test(
			an_account_that_the_ca_has_lost_is_registered_again_on_the_way),
	};
	return cmocka_run_group_tests(tests, ca_start, ca_stop);
}
