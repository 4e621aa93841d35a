#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dns_fixture.h"
#include "tests/unit/base/tempdir.h"

#define WRONG "wr0ng-s3cret"

/* ---- httpreq ------------------------------------------------------------- */

static void httpreq_init(struct dns_world *world, const char *password)
{
	dns_world_init(world, DNS_HTTPREQ, "/httpreq/");
	world->provider.username = "user";
	world->provider.password = dns_secret(password);
}

static void httpreq_adds_and_removes_a_value_among_others(void **state)
{
	struct dns_world world;

	(void)state;
	httpreq_init(&world, "pa55-w0rd");
	dns_must_present(&world, DNS_OTHER);
	dns_must_present(&world, DNS_VALUE);
	dns_must_present(&world, DNS_VALUE);
	assert_string_equal(dns_texts(&world, DNS_RECORD), DNS_OTHER " " DNS_VALUE);
	dns_must_withdraw(&world, DNS_VALUE);
	dns_must_withdraw(&world, DNS_VALUE);
	assert_string_equal(dns_texts(&world, DNS_RECORD), DNS_OTHER);
	assert_int_equal(dns_count(&world, "POST", 200), 5);
	dns_world_release(&world);
}

static void httpreq_in_raw_mode_hands_over_the_key_authorization(void **state)
{
	struct dns_world world;
	const cJSON *log;

	(void)state;
	httpreq_init(&world, "pa55-w0rd");
	world.provider.raw = true;
	dns_must_present(&world, DNS_VALUE);
	log = cJSON_GetObjectItem(dns_seen(&world), "log");
	assert_string_equal(json_string(cJSON_GetArrayItem(log, 0), "path"), "/present");
	assert_string_equal(json_string(cJSON_GetArrayItem(log, 0), "body"),
			    "{\"domain\":\"a.example.com\",\"token\":\"a-t0ken\","
			    "\"keyAuth\":\"a-t0ken.thumb\"}");
	dns_world_release(&world);
}

static void httpreq_that_refuses_us_is_quoted_without_the_password(void **state)
{
	struct dns_world world;

	(void)state;
	httpreq_init(&world, WRONG);
	dns_control("{'faults': {'httpreq': [[401, {}, 'is " WRONG " yours?']]}}");
	dns_must_fail(&world, ERR_CONFIG, "add TXT record '" DNS_RECORD "': POST '");
	assert_says(&world.err, "the web service answered 401: is ************ yours?");
	dns_control("{'faults': {'httpreq': [[503, {'Retry-After': '90'}, 'later']]}}");
	dns_must_fail(&world, ERR_TRANSIENT, "answered 503: later");
	assert_int_equal(world.err.retry_after_s, 90);
	dns_world_release(&world);
}

static void a_service_that_is_not_there_or_not_trusted_is_said(void **state)
{
	struct dns_world world;

	(void)state;
	httpreq_init(&world, "pa55-w0rd");
	world.provider.ca_bundle = NULL;
	dns_must_fail(&world, ERR_CONFIG, "certificate");
	free((char *)world.provider.url);
	world.provider.url = str_dup("http://127.0.0.1:1/x");
	dns_must_fail(&world, ERR_TRANSIENT, "http://127.0.0.1:1/x/present");
	free((char *)world.provider.url);
	world.provider.url = str_printf("%s/httpreq", dns_plain_url());
	dns_must_present(&world, DNS_VALUE);
	dns_world_release(&world);
}

/* ---- acme-dns ------------------------------------------------------------ */

static void acme_dns_init(struct dns_world *world)
{
	dns_world_init(world, DNS_ACME_DNS, "/acme-dns");
	world->provider.accounts = path_join(world->folder, "state/dns/mine.json");
}

static void acme_dns_release(struct dns_world *world)
{
	free((char *)world->provider.accounts);
	dns_world_release(world);
}

/* Registers, and makes the CNAME: gives where it leads. */
static char *delegate(struct dns_world *world)
{
	char *name, *target;

	if (dns_delegation(&world->work, "a.example.com", &name, &target, &world->err))
		fail_msg("%s", world->err.text);
	assert_string_equal(name, DNS_RECORD);
	assert_true(str_ends(target, ".auth.example"));
	dns_cname(name, target);
	world->answer.record = target;
	free(name);
	return target;
}

static void acme_dns_registers_a_domain_once_and_keeps_the_account_first(void **state)
{
	struct dns_world world;
	struct file_facts facts;
	char *kept, *again;

	(void)state;
	acme_dns_init(&world);
	dns_must_fail(&world, ERR_CONFIG,
		      "'" DNS_RECORD "' does not lead to our account");
	assert_says(&world.err,
		    "(it is no CNAME): make the record '" DNS_RECORD ". CNAME ");
	assert_says(&world.err, ".auth.example.' once");
	if (file_inspect(world.provider.accounts, &facts, &world.err))
		fail_msg("%s", world.err.text);
	assert_int_equal(facts.mode & 0777, 0600);
	kept = get(world.provider.accounts);
	assert_non_null(strstr(kept, "\"a.example.com\""));
	assert_non_null(strstr(kept, "\"password\""));
	dns_must_fail(&world, ERR_CONFIG, "does not lead");
	again = get(world.provider.accounts);
	assert_string_equal(kept, again);
	assert_int_equal(dns_count(&world, NULL, 201), 1);
	free(kept);
	free(again);
	acme_dns_release(&world);
}

static void acme_dns_takes_values_where_the_delegation_leads(void **state)
{
	struct dns_world world;
	char *target;

	(void)state;
	acme_dns_init(&world);
	target = delegate(&world);
	dns_must_present(&world, DNS_OTHER);
	dns_must_present(&world, DNS_VALUE);
	assert_string_equal(dns_texts(&world, target), DNS_OTHER " " DNS_VALUE);
	dns_must_withdraw(&world, DNS_VALUE);
	if (dns_check(&world.work, "a.example.com", &world.err))
		fail_msg("%s", world.err.text);
	assert_int_equal(dns_count(&world, "POST", 201), 1);

	world.answer.record = "other.auth.example";
	dns_must_fail(&world, ERR_CONFIG, "(but to 'other.auth.example')");
	dns_cname(NULL, NULL);
	assert_int_equal(dns_check(&world.work, "a.example.com", &world.err), -1);
	assert_says(&world.err, "it is no CNAME");
	world.work.alias = target;
	assert_int_equal(dns_check(&world.work, "a.example.com", &world.err), 0);
	world.work.alias = NULL;
	dns_cname(DNS_RECORD, NULL);
	assert_int_equal(dns_check(&world.work, "a.example.com", &world.err), -1);
	assert_int_equal(world.err.kind, ERR_TRANSIENT);
	assert_says(&world.err, "it cannot be seen whether '" DNS_RECORD "' leads to our "
				"account (if it does, name '");
	assert_says(&world.err, "as the challenge's alias): no name server");
	free(target);
	acme_dns_release(&world);
}

static void acme_dns_with_an_account_of_the_operators(void **state)
{
	struct dns_world world;
	char *target, *text;
	cJSON *accounts;
	const cJSON *mine;
	struct err err;

	(void)state;
	acme_dns_init(&world);
	target = delegate(&world);
	text = get(world.provider.accounts);
	assert_int_equal(json_parse(text, strlen(text), &accounts, &err), 0);
	mine = cJSON_GetObjectItem(accounts, "a.example.com");
	world.provider.username = json_string(mine, "username");
	world.provider.subdomain = json_string(mine, "subdomain");
	world.provider.password = dns_secret(json_string(mine, "password"));
	dns_must_present(&world, DNS_VALUE);
	assert_string_equal(dns_texts(&world, target), DNS_VALUE);

	world.provider.password = dns_secret(WRONG);
	dns_must_fail(&world, ERR_CONFIG, "the acme-dns server answered 401");
	world.answer.record = DNS_RECORD;
	dns_must_fail(&world, ERR_CONFIG, ".<domain of the acme-dns server>.' once");
	cJSON_Delete(accounts);
	free(text);
	free(target);
	acme_dns_release(&world);
}

static void acme_dns_reads_the_files_of_others_and_refuses_damaged_ones(void **state)
{
	struct dns_world world;
	char *folder;

	(void)state;
	acme_dns_init(&world);
	folder = path_parent(world.provider.accounts);
	assert_int_equal(dir_make(folder, FILE_SECRET, &world.err), 0);
	put(world.provider.accounts,
	    "{\"a.example.com\": {\"FullDomain\": \"x.auth.example\", \"SubDomain\": "
	    "\"x\", \"Username\": \"u\", \"Password\": \"p-w0rd\"}}",
	    0600);
	world.answer.record = "x.auth.example";
	dns_must_fail(&world, ERR_CONFIG,
		      "our account is not accepted: if the server "
		      "has forgotten it, remove it from '");
	assert_says(&world.err, "answered 401"); /* it was asked, as x */
	put(world.provider.accounts,
	    "{\"a.example.com\": {\"fulldomain\": \"x.y\", \"subdomain\": \"x\", "
	    "\"username\": \"u\\r\\nX-Evil: 1\", \"password\": \"p\"}}",
	    0600);
	dns_must_fail(&world, ERR_CONFIG, "no 'username' that can be used");
	put(world.provider.accounts, "{\"a.exa", 0600);
	dns_must_fail(&world, ERR_CONFIG, world.provider.accounts);
	assert_int_equal(dns_count(&world, NULL, 201), 0);
	free(folder);
	acme_dns_release(&world);
}

static void an_answer_that_is_no_account_is_not_kept(void **state)
{
	struct dns_world world;
	struct file_facts facts;

	(void)state;
	acme_dns_init(&world);
	dns_control("{'faults': {'acme-dns': [[201, {}, '<html>'], [201, {}, '{}']]}}");
	dns_must_fail(&world, ERR_REFUSED, "answered with what is no account");
	dns_must_fail(&world, ERR_REFUSED, "the account has no 'fulldomain'");
	assert_int_equal(file_inspect(world.provider.accounts, &facts, &world.err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	acme_dns_release(&world);
}

/* ---- Cloudflare ---------------------------------------------------------- */

static void cloudflare_init(struct dns_world *world)
{
	dns_world_init(world, DNS_CLOUDFLARE, "");
	world->provider.token = dns_secret("cf-t0ken-s3cr3t");
}

static void cloudflare_adds_and_removes_a_value_among_others(void **state)
{
	struct dns_world world;

	(void)state;
	cloudflare_init(&world);
	dns_must_present(&world, DNS_OTHER);
	dns_must_present(&world, DNS_VALUE);
	dns_must_present(&world, DNS_VALUE);
	assert_string_equal(dns_texts(&world, DNS_RECORD), DNS_OTHER " " DNS_VALUE);
	dns_must_withdraw(&world, DNS_VALUE);
	dns_must_withdraw(&world, DNS_VALUE);
	assert_string_equal(dns_texts(&world, DNS_RECORD), DNS_OTHER);
	assert_int_equal(dns_count(&world, "POST", 200), 2);
	assert_int_equal(dns_count(&world, "DELETE", 200), 1);
	assert_int_equal(dns_count(&world, NULL, 400), 0);
	dns_world_release(&world);
}

static void cloudflare_takes_the_nearest_zone_or_the_one_that_is_named(void **state)
{
	struct dns_world world;
	const cJSON *records;

	(void)state;
	cloudflare_init(&world);
	world.answer.record = "_acme-challenge.b.deep.example.com";
	dns_must_present(&world, DNS_VALUE);
	world.provider.zone = "example.com";
	dns_must_present(&world, DNS_VALUE);
	records = cJSON_GetObjectItem(dns_seen(&world), "cloudflare");
	assert_string_equal(json_string(cJSON_GetArrayItem(records, 0), "zone"), "z0ne2");
	assert_string_equal(json_string(cJSON_GetArrayItem(records, 1), "zone"), "z0ne1");
	world.answer.record = "_acme-challenge.other.test";
	dns_must_fail(&world, ERR_CONFIG, "is not in the zone 'example.com' that the");
	world.provider.zone = NULL;
	dns_must_fail(&world, ERR_CONFIG, "(asked for 'other.test'): does the token");
	dns_world_release(&world);
}

static void cloudflare_is_read_page_by_page_and_not_for_ever(void **state)
{
	struct dns_world world;

	(void)state;
	cloudflare_init(&world);
	dns_control("{'settings': {'cloudflare_page': 1}, 'cloudflare_records': ["
		    "{'id': 'r1', 'zone': 'z0ne1', 'name': '" DNS_RECORD
		    "', 'content': '\\'x\\''},"
		    "{'id': 'r2', 'zone': 'z0ne1', 'name': '" DNS_RECORD
		    "', 'content': '" DNS_VALUE "'}]}");
	dns_must_present(&world, DNS_VALUE); /* unquoted, as others write it */
	assert_int_equal(dns_count(&world, "POST", 200), 0);
	dns_must_withdraw(&world, DNS_VALUE);
	assert_int_equal(dns_count(&world, "DELETE", 200), 1);
	dns_control(
		"{'faults': {'cloudflare': [[200, {}, '{\\'success\\': true, "
		"\\'result\\': [{\\'id\\': \\'z\\', \\'name\\': "
		"\\'a.example.com\\'}]}'], "
		"[200, {}, '{\\'success\\': true, \\'result\\': [], \\'result_info\\': "
		"{\\'total_pages\\': 4000}}']]}}");
	dns_must_fail(&world, ERR_REFUSED, "there are 4000 pages of TXT records");
	dns_world_release(&world);
}

static void what_cloudflare_says_reaches_the_operator_without_the_token(void **state)
{
	struct dns_world world;

	(void)state;
	cloudflare_init(&world);
	world.provider.token = dns_secret(WRONG);
	dns_must_fail(&world, ERR_CONFIG,
		      "the token is not accepted: it needs the rights Zone.Zone:Read and "
		      "Zone.DNS:Edit in this zone: Cloudflare says 9109: Invalid access");
	dns_control("{'faults': {'cloudflare': [[400, {}, '{\\'success\\': false, "
		    "\\'errors\\': [{\\'code\\': 1, \\'message\\': \\'no " WRONG "\\'}, "
		    "{\\'code\\': 2, \\'message\\': \\'and so\\'}]}']]}}");
	dns_must_fail(&world, ERR_REFUSED,
		      "Cloudflare says 1: no ************; 2: and so");
	dns_control(
		"{'faults': {'cloudflare': [[502, {'Retry-After': '7'}, '<html>']]}}");
	dns_must_fail(&world, ERR_TRANSIENT, "Cloudflare answered 502: <html>");
	assert_int_equal(world.err.retry_after_s, 7);
	dns_control("{'faults': {'cloudflare': [[200, {}, 'no JSON']]}}");
	dns_must_fail(&world, ERR_TRANSIENT, "Cloudflare's answer is not JSON");
	assert_int_equal(dns_check(&world.work, "a.example.com", &world.err), -1);
	assert_says(&world.err, "Zone.DNS:Edit");
	world.provider.token = dns_secret("cf-t0ken-s3cr3t");
	assert_int_equal(dns_check(&world.work, "a.example.com", &world.err), 0);
	assert_int_equal(dns_check(&world.work, "a.other.test", &world.err), -1);
	world.work.alias = "acme.example.com";
	assert_int_equal(dns_check(&world.work, "a.other.test", &world.err), 0);
	dns_world_release(&world);
}

static void others_need_no_delegation(void **state)
{
	struct dns_world world;
	char *name, *target;

	(void)state;
	cloudflare_init(&world);
	assert_int_equal(
		dns_delegation(&world.work, "a.example.com", &name, &target, &world.err),
		0);
	assert_null(name);
	assert_null(target);
	dns_world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(httpreq_adds_and_removes_a_value_among_others),
		cmocka_unit_test(httpreq_in_raw_mode_hands_over_the_key_authorization),
		cmocka_unit_test(httpreq_that_refuses_us_is_quoted_without_the_password),
		cmocka_unit_test(a_service_that_is_not_there_or_not_trusted_is_said),
		cmocka_unit_test(
			acme_dns_registers_a_domain_once_and_keeps_the_account_first),
		cmocka_unit_test(acme_dns_takes_values_where_the_delegation_leads),
		cmocka_unit_test(acme_dns_with_an_account_of_the_operators),
		cmocka_unit_test(
			acme_dns_reads_the_files_of_others_and_refuses_damaged_ones),
		cmocka_unit_test(an_answer_that_is_no_account_is_not_kept),
		cmocka_unit_test(cloudflare_adds_and_removes_a_value_among_others),
		cmocka_unit_test(
			cloudflare_takes_the_nearest_zone_or_the_one_that_is_named),
		cmocka_unit_test(cloudflare_is_read_page_by_page_and_not_for_ever),
		cmocka_unit_test(
			what_cloudflare_says_reaches_the_operator_without_the_token),
		cmocka_unit_test(others_need_no_delegation),
	};

	return cmocka_run_group_tests(tests, dns_start, dns_stop);
}
