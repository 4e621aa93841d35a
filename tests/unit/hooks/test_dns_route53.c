#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "dns_fixture.h"
#include "tests/unit/base/tempdir.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define QUOTED(value) "\"" value "\""

static void route53_init(struct dns_world *world)
{
	dns_world_init(world, DNS_ROUTE53, "");
	world->provider.access_key_id = "AKIDEXAMPLE";
	world->provider.secret_access_key = dns_secret(SECRET);
	world->provider.region = "us-east-1";
}

/* The only set that is kept: its values joined by blanks; "" when there is none. */
static void assert_kept(struct dns_world *world, const char *values, int ttl_s)
{
	const cJSON *kept = cJSON_GetObjectItem(dns_seen(world), "route53"), *each;
	struct buf all;

	buf_init(&all, 4096);
	kept = cJSON_GetArrayItem(kept, 0);
	cJSON_ArrayForEach (each, cJSON_GetObjectItem(kept, "values")) {
		buf_printf(&all, "%s%s", all.len ? " " : "", each->valuestring);
	}
	assert_string_equal(buf_str(&all), values);
	if (*values)
		assert_int_equal(json_int(kept, "ttl", 0), ttl_s);
	buf_release(&all);
}

static void a_value_is_added_to_those_of_others_and_taken_out_again(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control("{'route53_sets': [{'zone': 'Z1EXAMPLE', 'name': '" DNS_RECORD
		    ".', 'ttl': 300, 'values': ['\\'by <others> & co\\'']}]}");
	dns_must_present(&world, DNS_VALUE);
	dns_must_present(&world, DNS_VALUE);
	assert_kept(&world, "\"by <others> & co\" " QUOTED(DNS_VALUE), 300);
	dns_must_withdraw(&world, DNS_VALUE);
	dns_must_withdraw(&world, DNS_VALUE);
	assert_kept(&world, "\"by <others> & co\"", 300);
	assert_int_equal(dns_count(&world, "POST", 200), 2);
	assert_int_equal(dns_count(&world, NULL, 400), 0);
	dns_world_release(&world);
}

static void the_last_value_takes_its_set_with_it(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_must_present(&world, DNS_VALUE);
	dns_must_present(&world, DNS_OTHER);
	assert_kept(&world, QUOTED(DNS_VALUE) " " QUOTED(DNS_OTHER), 60);
	dns_must_withdraw(&world, DNS_VALUE);
	dns_must_withdraw(&world, DNS_OTHER);
	assert_kept(&world, "", 0);
	dns_world_release(&world);
}

static void the_set_that_comes_after_the_name_is_left_alone(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control(
		"{'route53_sets': [{'zone': 'Z1EXAMPLE', 'name': '_bcme.example.com.', "
		"'ttl': 300, 'values': ['\\'" DNS_VALUE "\\'']}]}");
	dns_must_withdraw(&world, DNS_VALUE);
	assert_kept(&world, QUOTED(DNS_VALUE), 300);
	assert_int_equal(dns_count(&world, "POST", 200), 0);
	dns_world_release(&world);
}

static void a_set_behind_a_routing_policy_is_not_touched(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control("{'route53_sets': [{'zone': 'Z1EXAMPLE', 'name': '" DNS_RECORD
		    ".', 'ttl': 300, 'id': 'blue', 'values': ['\\'x\\'']}]}");
	dns_must_fail(&world, ERR_CONFIG,
		      "follow a routing policy: we change plain ones");
	assert_int_equal(dns_count(&world, "POST", 200), 0);
	dns_world_release(&world);
}

static void a_change_is_awaited_until_all_servers_have_it(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control("{'settings': {'route53_polls': 1}}");
	dns_must_present(&world, DNS_VALUE);
	dns_control("{'settings': {'route53_polls': 100}}");
	world.provider.timeout_s = 1;
	world.answer.value = DNS_OTHER;
	dns_must_fail(&world, ERR_TRANSIENT, "EXAMPLE' to all its servers within 1 s");
	assert_says(&world.err, "Route 53 has not brought change 'C");
	dns_world_release(&world);
}

static void zones_are_found_by_climbing_or_named(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	world.answer.record = "_acme-challenge.a.private.example";
	dns_must_fail(&world, ERR_CONFIG,
		      "(asked for 'a.private.example', 'private.example'): is it in "
		      "another account, or private?");
	world.provider.zone = "private.example";
	dns_must_fail(&world, ERR_CONFIG, "there is no zone 'private.example' there");
	world.answer.record = "_acme-challenge.twice.test";
	world.provider.zone = NULL;
	dns_must_fail(&world, ERR_CONFIG,
		      "look for zone 'twice.test': this account has 2 public zones");
	assert_int_equal(dns_check(&world.work, "a.example.com", &world.err), 0);
	dns_world_release(&world);
}

static void a_temporary_key_is_used_with_its_token(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control("{'settings': {'route53_session': 's3ssion//t0ken+=='}}");
	dns_must_fail(&world, ERR_CONFIG, "Route 53 says");
	world.provider.session_token = dns_secret("s3ssion//t0ken+==");
	dns_must_present(&world, DNS_VALUE);
	dns_world_release(&world);
}

static void what_aws_says_of_keys_reaches_the_operator(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	world.provider.secret_access_key = dns_secret("another-s3cret");
	dns_must_fail(&world, ERR_CONFIG,
		      "AWS does not accept the signature: look at secret_access_key: "
		      "Route 53 says SignatureDoesNotMatch: The request signature we");
	world.provider.access_key_id = "AKIDUNKNOWN";
	dns_must_fail(&world, ERR_CONFIG,
		      "AWS does not know the access key: look at access_key_id: Route 53 "
		      "says InvalidClientTokenId");
	world.provider.access_key_id = "AKIDEXAMPLE";
	world.provider.secret_access_key = dns_secret(SECRET);
	dns_control("{'faults': {'route53': [[403, {}, '<ErrorResponse><Error><Code>"
		    "AccessDenied</Code><Message>User is not authorized, key " SECRET
		    "</Message></Error></ErrorResponse>']]}}");
	dns_must_fail(&world, ERR_CONFIG,
		      "the access key may not do this: it needs "
		      "route53:ListHostedZonesByName");
	assert_says(&world.err, "not authorized, key ****");
	dns_world_release(&world);
}

/* Fails with both times in the sentence. */
static void assert_skew(struct dns_world *world, const char *part)
{
	dns_must_fail(world, ERR_CONFIG, "the clocks differ: ours says 20");
	assert_says(&world->err, ", that of AWS 20");
	assert_says(&world->err, "set this machine's clock");
	assert_says(&world->err, part);
}

static void clocks_that_differ_are_named_with_both_times(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control("{'settings': {'clock_offset_s': 3600}}");
	assert_skew(&world, "SignatureDoesNotMatch: Signature expired: ");
	dns_control("{'settings': {'clock_offset_s': -3600}}");
	assert_skew(&world, "SignatureDoesNotMatch: Signature not yet current: ");
	dns_control("{'faults': {'route53': [[403, {}, '<ErrorResponse><Error><Code>"
		    "RequestTimeTooSkewed</Code><Message>too large</Message></Error>"
		    "</ErrorResponse>']]}}");
	assert_skew(&world, "RequestTimeTooSkewed: too large");
	dns_world_release(&world);
}

#define ERROR_OF(code)                                                                   \
	"<ErrorResponse><Error><Code>" code                                              \
	"</Code><Message>m</Message></Error></ErrorResponse>"

static void aws_is_asked_again_when_it_wants_patience(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control("{'faults': {'route53': [[400, {}, '" ERROR_OF(
		"Throttling") "'], "
			      "[500, {}, 'oops'], [400, {}, '" ERROR_OF(
				      "PriorRequestNotComplete") "']]}}");
	dns_must_present(&world, DNS_VALUE);
	world.provider.timeout_s = 1;
	world.answer.value = DNS_OTHER;
	dns_control("{'faults': {'route53': [[400, {}, '" ERROR_OF(
		"Throttling") "'], "
			      "[400, {}, '" ERROR_OF(
				      "Throttling") "'], [400, {}, "
						    "'" ERROR_OF(
							    "Throttli"
							    "ng") "']"
								  ", "
								  "[4"
								  "00"
								  ", "
								  "{}"
								  ", "
								  "'" ERROR_OF("Throttlin"
									       "g") "']]}"
										    "}");
	dns_must_fail(&world, ERR_TRANSIENT, "Route 53 says Throttling: m");
	dns_world_release(&world);
}

static void what_is_no_answer_of_route_53_is_refused(void **state)
{
	struct dns_world world;

	(void)state;
	route53_init(&world);
	dns_control("{'faults': {'route53': [[200, {}, '<html><body>']]}}");
	dns_must_fail(&world, ERR_REFUSED,
		      "look for zone 'a.example.com': not XML that we read: its end");
	dns_control("{'faults': {'route53': [[404, {}, 'a proxy\\'s page']]}}");
	dns_must_fail(&world, ERR_REFUSED, "Route 53 answered 404: a proxy\"s page");
	dns_control(
		"{'faults': {'route53': [[400, {}, '<InvalidChangeBatch><Messages>"
		"<Message>no such thing</Message></Messages></InvalidChangeBatch>']]}}");
	dns_must_fail(&world, ERR_REFUSED,
		      "Route 53 says InvalidChangeBatch: no such thing");
	dns_world_release(&world);
}

static void waiting_ends_when_we_are_asked_to_stop(void **state)
{
	struct cancel *cancel = cancel_new();
	struct dns_world world;
	int64_t before = clock_mono_ms();

	(void)state;
	route53_init(&world);
	cancel_request(cancel);
	world.work.cancel = cancel;
	dns_must_fail(&world, ERR_CANCELLED, "stopped on request");
	assert_true(clock_mono_ms() - before < 1000);
	dns_world_release(&world);
	cancel_free(cancel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_added_to_those_of_others_and_taken_out_again),
		cmocka_unit_test(the_last_value_takes_its_set_with_it),
		cmocka_unit_test(the_set_that_comes_after_the_name_is_left_alone),
		cmocka_unit_test(a_set_behind_a_routing_policy_is_not_touched),
		cmocka_unit_test(a_change_is_awaited_until_all_servers_have_it),
		cmocka_unit_test(zones_are_found_by_climbing_or_named),
		cmocka_unit_test(a_temporary_key_is_used_with_its_token),
		cmocka_unit_test(what_aws_says_of_keys_reaches_the_operator),
		cmocka_unit_test(clocks_that_differ_are_named_with_both_times),
		cmocka_unit_test(aws_is_asked_again_when_it_wants_patience),
		cmocka_unit_test(what_is_no_answer_of_route_53_is_refused),
		cmocka_unit_test(waiting_ends_when_we_are_asked_to_stop),
	};

	return cmocka_run_group_tests(tests, dns_start, dns_stop);
}
