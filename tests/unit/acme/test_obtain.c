/* One certificate from a CA that keeps the rules, and how an order is resumed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "ca_fixture.h"

static void expect_certificate(struct client *client)
{
	struct cert *cert;

	if (client_obtain(client))
		fail_msg("%s", client->err.text);
	assert_int_equal(cert_parse(buf_str(&client->result.pem), client->result.pem.len,
				    &cert, &client->err),
			 0);
	assert_true(cert_names_are(cert, client->request.names));
	assert_true(cert_matches_key(cert, client->leaf_key));
	cert_free(cert);
}

static void expect_failure(struct client *client, enum err_kind kind, const char *words)
{
	assert_int_equal(client_obtain(client), -1);
	if (client->err.kind != kind || !strstr(client->err.text, words))
		fail_msg("%s: %s", err_kind_name(client->err.kind), client->err.text);
	assert_int_equal(client->result.pem.len, 0);
}

static void a_certificate_is_obtained_straight_down(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	expect_certificate(client);
	assert_string_equal(client->stages,
			    "order authorize challenge finalize download");
	assert_int_equal(client->orders, 1);
	assert_int_equal(client->finalizes, 1);
	assert_int_equal(client->presented, 1);
	assert_int_equal(client->withdrawn, 1);
	client_free(client);
}

static void
a_renewal_with_a_warm_account_takes_seven_requests_on_one_connection(void **state)
{
	struct client *client = client_new("", false);
	unsigned long before, after, connections;

	(void)state;
	expect_certificate(client);
	acme_session_counts(client->session, &before, &connections);
	expect_certificate(client);
	acme_session_counts(client->session, &after, &connections);
	assert_int_equal(after - before, 7);
	assert_int_equal(connections, 1);
	assert_int_equal(ca_count(client, "nonce"), 1);
	assert_int_equal(ca_count(client, "dir"), 1);
	client_free(client);
}

static void every_answer_is_visible_before_the_first_challenge_is_posted(void **state)
{
	struct client *client = client_new("", true);

	(void)state;
	expect_certificate(client);
	assert_int_equal(client->presented, 2);
	assert_int_equal(client->challenges_while_presenting, 0);
	assert_int_equal(ca_count(client, "chall"), 2);
	assert_string_equal(ca_payload(client, "chall", 0), "{}");
	client_free(client);
}

static void objects_are_fetched_with_an_empty_payload(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	expect_certificate(client);
	assert_string_equal(ca_payload(client, "authz", 0), "");
	assert_string_equal(ca_payload(client, "poll", 0), "");
	assert_string_equal(ca_payload(client, "cert", 0), "");
	client_free(client);
}

static void valid_authorizations_are_skipped(void **state)
{
	struct client *client = client_new("authz=valid", true);

	(void)state;
	expect_certificate(client);
	assert_int_equal(client->presented, 0);
	assert_int_equal(ca_count(client, "authz"), 0); /* the order was ready at once */
	assert_int_equal(ca_count(client, "chall"), 0);
	client_free(client);
}

static void the_user_agent_names_us_and_our_version(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	expect_certificate(client);
	assert_true(str_starts(ca_agent(client), "certrenewd/0."));
	client_free(client);
}

static void the_challenge_is_posted_once_and_then_polled(void **state)
{
	struct client *client = client_new("wait=6", false);

	(void)state;
	expect_certificate(client);
	assert_int_equal(ca_count(client, "chall"), 1);
	assert_true(ca_count(client, "poll") >= 7);
	client_free(client);
}

static void a_long_processing_is_waited_for_as_the_ca_says(void **state)
{
	struct client *client = client_new("processing=1,ra=1", false);
	int64_t before_ms = clock_mono_ms();

	(void)state;
	expect_certificate(client);
	assert_in_range(clock_mono_ms() - before_ms, 2000, 15000);
	client_free(client);
}

static void an_rsa_account_signs_as_well(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	EVP_PKEY_free(client->account_key);
	client->account_key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	client_restart(client);
	expect_certificate(client);
	client_free(client);
}

static void the_predecessor_is_named_when_the_ca_gives_renewal_information(void **state)
{
	struct client *client = client_new("ari=1", false);

	(void)state;
	client->request.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
	expect_certificate(client);
	assert_non_null(strstr(ca_payload(client, "order", 0),
			       "\"replaces\":\"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE\""));
	client_free(client);
}

static void the_predecessor_is_not_named_to_a_ca_without_renewal_information(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	client->request.replaces = "aa.bb";
	expect_certificate(client);
	assert_null(strstr(ca_payload(client, "order", 0), "replaces"));
	client_free(client);
}

static void a_refused_replaces_is_left_out_the_second_time(void **state)
{
	struct client *client = client_new("ari=1,replaces=no", false);

	(void)state;
	client->request.replaces = "aa.bb";
	expect_certificate(client);
	assert_int_equal(ca_count(client, "order"), 2);
	assert_null(strstr(ca_payload(client, "order", 1), "replaces"));
	client_free(client);
}

static void a_pending_order_is_resumed_from_its_url(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	client->cancel_at_order = true;
	expect_failure(client, ERR_CANCELLED, "stopped on request");
	assert_int_equal(client->orders, 1);

	client_restart(client);
	client->cancel_at_order = false;
	client->request.order_url = client->order_url;
	expect_certificate(client);
	assert_int_equal(client->orders, 1);
	assert_int_equal(ca_count(client, "order"), 1);
	client_free(client);
}

static void a_ready_order_is_resumed_with_finalize(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	client->fail_finalize = true;
	expect_failure(client, ERR_IO, "the disk is full");
	assert_int_equal(ca_count(client, "finalize"), 0);

	client_restart(client);
	client->fail_finalize = false;
	client->request.order_url = client->order_url;
	expect_certificate(client);
	assert_int_equal(ca_count(client, "order"), 1);
	assert_int_equal(ca_count(client, "chall"), 1);
	client_free(client);
}

static void a_processing_order_is_resumed_without_a_second_finalize(void **state)
{
	struct client *client = client_new("processing=9", false);

	(void)state;
	client->issuer.order_timeout_s = 1;
	expect_failure(client, ERR_TRANSIENT, "still 'processing' after 1 s");

	client_restart(client);
	client->issuer.order_timeout_s = 20;
	client->request.order_url = client->order_url;
	expect_certificate(client);
	assert_int_equal(ca_count(client, "finalize"), 1);
	assert_int_equal(client->finalizes, 1);
	client_free(client);
}

static void a_valid_order_is_only_downloaded(void **state)
{
	struct client *client = client_new("f=cert:500:1", false);

	(void)state;
	expect_failure(client, ERR_TRANSIENT, "download the certificate");

	client_restart(client);
	client->request.order_url = client->order_url;
	expect_certificate(client);
	assert_int_equal(ca_count(client, "finalize"), 1);
	assert_int_equal(ca_count(client, "order"), 1);
	client_free(client);
}

static void a_resumed_certificate_for_another_key_is_refused(void **state)
{
	struct client *client = client_new("f=cert:500:1", false);
	EVP_PKEY *first = client->leaf_key;

	(void)state;
	expect_failure(client, ERR_TRANSIENT, "download the certificate");
	client->leaf_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	client->request.key = client->leaf_key;
	client->request.order_url = client->order_url;
	expect_failure(client, ERR_REFUSED, "is for another key");
	EVP_PKEY_free(first);
	client_free(client);
}

static void an_order_that_is_gone_is_given_up_for_a_new_one(void **state)
{
	struct client *client = client_new("f=poll:gone:2", false);
	char *url;

	(void)state;
	client->fail_order_created = true;
	expect_failure(client, ERR_IO, "the disk is full");
	url = str_dup(client->order_url);
	client->fail_order_created = false;
	client->request.order_url = url;
	client->fail_before_order = true;
	expect_failure(client, ERR_TRANSIENT, "the limit has to pass first");
	assert_int_equal(ca_count(client, "order"), 1);
	client->fail_before_order = false;
	expect_certificate(client);
	assert_int_equal(client->orders, 2);
	assert_string_not_equal(client->order_url, url);
	free(url);
	client_free(client);
}

static void an_order_that_has_become_invalid_is_given_up_for_a_new_one(void **state)
{
	struct client *client = client_new("f=chall:malformed:1", false);
	char *url;

	(void)state;
	expect_failure(client, ERR_REFUSED, "challenge for 'a.example': malformed");
	url = str_dup(client->order_url);
	client->request.order_url = url;
	expect_certificate(client);
	assert_int_equal(client->orders, 2);
	free(url);
	client_free(client);
}

static void an_order_for_other_names_is_given_up_for_a_new_one(void **state)
{
	static const char *const other[] = { "c.example", NULL };
	struct client *client = client_new("", true);
	char *url;

	(void)state;
	client->cancel_at_order = true;
	expect_failure(client, ERR_CANCELLED, "stopped");
	client_restart(client);
	client->cancel_at_order = false;
	url = str_dup(client->order_url);
	client->request.order_url = url;
	client->request.names = other;
	expect_certificate(client);
	assert_int_equal(client->orders, 2);
	free(url);
	client_free(client);
}

static void an_order_past_its_time_is_given_up_for_a_new_one(void **state)
{
	struct client *client = client_new("expires=past", false);
	char *url;

	(void)state;
	client->cancel_at_order = true;
	expect_failure(client, ERR_CANCELLED, "stopped");
	client_restart(client);
	client->cancel_at_order = false;
	url = str_dup(client->order_url);
	client->request.order_url = url;
	expect_certificate(client);
	assert_int_equal(client->orders, 2);
	free(url);
	client_free(client);
}

static void an_order_of_a_ca_that_does_not_know_us_is_given_up_for_a_new_one(void **state)
{
	struct client *client = client_new("f=poll:noaccount:2", false);
	char *url;

	(void)state;
	client->cancel_at_order = true;
	expect_failure(client, ERR_CANCELLED, "stopped");
	client_restart(client);
	client->cancel_at_order = false;
	url = str_dup(client->order_url);
	client->request.order_url = url;
	expect_certificate(client);
	assert_int_equal(client->orders, 2);
	free(url);
	client_free(client);
}

static void an_order_url_that_is_no_url_is_given_up_for_a_new_one(void **state)
{
	struct client *client = client_new("", false);

	(void)state;
	client->request.order_url = "http://plain.example/order/1";
	expect_certificate(client);
	assert_int_equal(client->orders, 1);
	client_free(client);
}

static void an_order_that_cannot_be_asked_for_now_is_kept_for_later(void **state)
{
	struct client *client = client_new("f=poll:503:9", false);

	(void)state;
	client->cancel_at_order = true;
	expect_failure(client, ERR_CANCELLED, "stopped");
	client_restart(client);
	client->cancel_at_order = false;
	client->request.order_url = client->order_url;
	expect_failure(client, ERR_TRANSIENT, "resume the order");
	assert_int_equal(client->err.retry_after_s, 77);
	assert_int_equal(client->orders, 1);
	client_free(client);
}

struct canceller {
	struct cancel *cancel;
	int64_t at_ms;
	thrd_t thread;
};

static int cancel_soon(void *arg)
{
	const struct timespec half_a_second = { 0, 500 * 1000 * 1000 };
	struct canceller *canceller = arg;

	thrd_sleep(&half_a_second, NULL);
	canceller->at_ms = clock_mono_ms();
	cancel_request(canceller->cancel);
	return 0;
}

static void start_canceller(struct canceller *canceller, struct client *client)
{
	canceller->cancel = client->cancel;
	assert_int_equal(thrd_create(&canceller->thread, cancel_soon, canceller),
			 thrd_success);
}

static void polling_ends_within_a_second_of_being_cancelled(void **state)
{
	struct client *client = client_new("processing=99,ra=60", false);
	struct canceller canceller;
	int64_t ended_ms;

	(void)state;
	start_canceller(&canceller, client);
	expect_failure(client, ERR_CANCELLED, "stopped on request");
	ended_ms = clock_mono_ms();
	thrd_join(canceller.thread, NULL);
	assert_in_range(ended_ms - canceller.at_ms, 0, 1000);
	client_free(client);
}

static void a_cancelled_run_leaves_its_authorizations_for_later(void **state)
{
	struct client *client = client_new("wait=999", false);
	struct canceller canceller;

	(void)state;
	start_canceller(&canceller, client);
	expect_failure(client, ERR_CANCELLED, "stopped on request");
	thrd_join(canceller.thread, NULL);
	assert_null(strstr(ca_payload(client, "authz", ca_count(client, "authz") - 1),
			   "deactivated"));
	client_free(client);
}

static void a_challenge_that_was_posted_before_is_not_posted_again(void **state)
{
	struct client *client = client_new("wait=12", false);
	struct canceller canceller;

	(void)state;
	start_canceller(&canceller, client);
	expect_failure(client, ERR_CANCELLED, "stopped on request");
	thrd_join(canceller.thread, NULL);
	assert_int_equal(ca_count(client, "chall"), 1);

	client_restart(client);
	client->request.order_url = client->order_url;
	expect_certificate(client);
	assert_int_equal(ca_count(client, "chall"), 1);
	assert_int_equal(client->presented, 2); /* the CA may still come for it */
	client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_obtained_straight_down),
		cmocka_unit_test(
			a_renewal_with_a_warm_account_takes_seven_requests_on_one_connection),
		cmocka_unit_test(
			every_answer_is_visible_before_the_first_challenge_is_posted),
		cmocka_unit_test(objects_are_fetched_with_an_empty_payload),
		cmocka_unit_test(valid_authorizations_are_skipped),
		cmocka_unit_test(the_user_agent_names_us_and_our_version),
		cmocka_unit_test(the_challenge_is_posted_once_and_then_polled),
		cmocka_unit_test(a_long_processing_is_waited_for_as_the_ca_says),
		cmocka_unit_test(an_rsa_account_signs_as_well),
		cmocka_unit_test(
			the_predecessor_is_named_when_the_ca_gives_renewal_information),
		cmocka_unit_test(
			the_predecessor_is_not_named_to_a_ca_without_renewal_information),
		cmocka_unit_test(a_refused_replaces_is_left_out_the_second_time),
		cmocka_unit_test(a_pending_order_is_resumed_from_its_url),
		cmocka_unit_test(a_ready_order_is_resumed_with_finalize),
		cmocka_unit_test(a_processing_order_is_resumed_without_a_second_finalize),
		cmocka_unit_test(a_valid_order_is_only_downloaded),
		cmocka_unit_test(a_resumed_certificate_for_another_key_is_refused),
		cmocka_unit_test(an_order_that_is_gone_is_given_up_for_a_new_one),
		cmocka_unit_test(
			an_order_that_has_become_invalid_is_given_up_for_a_new_one),
		cmocka_unit_test(an_order_for_other_names_is_given_up_for_a_new_one),
		cmocka_unit_test(an_order_past_its_time_is_given_up_for_a_new_one),
		cmocka_unit_test(
			an_order_of_a_ca_that_does_not_know_us_is_given_up_for_a_new_one),
		cmocka_unit_test(an_order_url_that_is_no_url_is_given_up_for_a_new_one),
		cmocka_unit_test(an_order_that_cannot_be_asked_for_now_is_kept_for_later),
		cmocka_unit_test(polling_ends_within_a_second_of_being_cancelled),
		cmocka_unit_test(a_challenge_that_was_posted_before_is_not_posted_again),
		cmocka_unit_test(a_cancelled_run_leaves_its_authorizations_for_later),
	};
	return cmocka_run_group_tests(tests, ca_start, ca_stop);
}
