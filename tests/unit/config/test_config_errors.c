/* What a wrong file, issuer, certificate or alert is told. Lines 1-3 are ISSUER, 4-7
 * CERTIFICATE, 8-10 TARGET. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

static void an_unknown_key_gets_the_nearest_one(void **state)
{
	(void)state;
	expect_one_error(ISSUER "certificates:\n"
				"  xu:\n"
				"    hosts: [a.example]\n"
				"    issuer: [le]\n" TARGET,
			 "7:5: unknown key 'issuer' in certificate 'xu': did you mean "
			 "'issuers'?");
}

static void an_unknown_key_like_no_other_gets_the_list(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE "    renew: {before: 30d}\n" TARGET,
			 "8:13: unknown key 'before' in 'renew' of certificate 'a': "
			 "expected one of at, follow_ari");
	expect_one_error(
		"colour: red\n" ISSUER CERTIFICATE TARGET,
		"1:1: unknown key 'colour' in the file: expected one of "
		"concurrency, state_dir, log, inspect_every, resolvers, dns_providers, "
		"issuers, certificates, alerts");
	expect_one_error("log: {colour: red}\n" ISSUER CERTIFICATE TARGET,
			 "1:7: unknown key 'colour' in 'log': expected one of format, "
			 "file, max_size, keep");
}

static void a_missing_key_is_named_with_its_meaning(void **state)
{
	(void)state;
	expect_error("issuers:\n  le: {}\n" CERTIFICATE TARGET,
		     "2:3: 'directory' is missing in issuer 'le' (URL of the CA's ACME "
		     "directory)");
	expect_error(ISSUER CERTIFICATE,
		     "5:3: 'deploy' is missing in certificate 'a' (the applications that "
		     "it is brought into)");
	expect_error("concurrency: 4\n",
		     "1:1: 'certificates' is missing in the file (what is kept alive, by "
		     "names of your choice)");
	expect_error(
		ISSUER "    eab: {key_id: x}\n" CERTIFICATE TARGET,
		"4:5: 'eab.hmac_key' is missing in issuer 'le' (where its secret key "
		"is found, base64 or base64url)");
}

static void renewal_at_a_bare_number_is_refused(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE "    renew: {at: 30}\n" TARGET,
			 "8:17: 'renew.at' is '30': expected a fraction such as 1/3 or a "
			 "duration such as 30d");
	expect_one_error(
		ISSUER CERTIFICATE "    renew: {at: 400d}\n" TARGET,
		"8:17: 'renew.at' is '400d': expected a fraction such as 1/3 or a "
		"duration such as 30d");
}

static void a_number_outside_its_bounds_is_told_the_bounds(void **state)
{
	(void)state;
	expect_one_error("concurrency: 65\n" ISSUER CERTIFICATE TARGET,
			 "1:14: 'concurrency' is '65': expected a whole number from 1 to "
			 "64");
	expect_one_error(
		"concurrency: many\n" ISSUER CERTIFICATE TARGET,
		"1:14: 'concurrency' is 'many': expected a whole number from 1 to "
		"64");
}

static void a_duration_outside_its_bounds_is_told_the_bounds(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER "    request_timeout: 11m\n" CERTIFICATE TARGET,
		"4:22: 'request_timeout' is '11m': expected a duration from 1s to "
		"10m, such as 90s, 15m, 24h or 30d");
}

static void a_switch_is_yes_or_no(void **state)
{
	(void)state;
	expect_one_error(ISSUER "    agree_to_terms: maybe\n" CERTIFICATE TARGET,
			 "4:21: 'agree_to_terms' is 'maybe': expected yes or no");
}

static void a_wrong_word_gets_the_words_and_the_nearest(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE "    key: {type: rsa2048}\n" TARGET,
			 "8:17: 'key.type' is 'rsa2048': expected rsa-2048, rsa-3072, "
			 "rsa-4096, ec-p256 or ec-p384: did you mean 'rsa-2048'?");
	expect_one_error("log: {format: xml}\n" ISSUER CERTIFICATE TARGET,
			 "1:15: 'log.format' is 'xml': expected text or json");
	expect_one_error(ISSUER CERTIFICATE "    require: [CN]\n" TARGET,
			 "8:15: 'require' has 'CN': expected a list of cn, serverAuth or "
			 "clientAuth: did you mean 'cn'?");
	expect_one_error(ISSUER CERTIFICATE "    challenge: {type: dns01}\n" TARGET,
			 "8:23: 'challenge.type' is 'dns01': expected http-01, dns-01, "
			 "tls-alpn-01 or dns-persist-01: did you mean 'dns-01'?");
}

static void a_value_where_a_list_is_expected_is_shown_as_one(void **state)
{
	(void)state;
	expect_one_error(ISSUER "certificates:\n"
				"  a:\n"
				"    hosts: a.example\n"
				"    issuers: [le]\n" TARGET,
			 "6:12: 'hosts' is 'a.example': expected a list such as "
			 "[a.example]");
}

static void another_shape_is_named(void **state)
{
	(void)state;
	expect_one_error("issuers:\n  le:\n    directory: [x]\n" CERTIFICATE TARGET,
			 "3:16: 'directory' is a list: expected an https:// URL");
	expect_one_error("log: text\n" ISSUER CERTIFICATE TARGET,
			 "1:6: 'log' is 'text': expected a map");
	expect_one_error("issuers: [le]\n" CERTIFICATE TARGET,
			 "1:10: 'issuers' is a list: expected a map of names (1 to 32)");
	expect_one_error("state_dir: {path: /x}\n" ISSUER CERTIFICATE TARGET,
			 "1:12: 'state_dir' is a map: expected an absolute path");
	expect_error("issuers:\n  le: https://ca.example/dir\n" CERTIFICATE TARGET,
		     "2:3: 'le' in 'issuers' is no map: expected 'directory: ...' and "
		     "more");
}

static void a_key_without_a_value_is_refused(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER "    proxy:\n" CERTIFICATE TARGET,
		"4:5: 'proxy' has no value: expected the URL of a proxy or none, "
		"such as http://proxy:3128");
	expect_one_error(
		"issuers:\n" CERTIFICATE TARGET,
		"1:1: 'issuers' has no value: expected a map of names (1 to 32)");
}

static void an_empty_section_of_names_is_refused(void **state)
{
	(void)state;
	expect_one_error(ISSUER "certificates: {}\n",
			 "4:15: 'certificates' has 0 entries: expected from 1 to 1000");
}

static void a_name_has_few_kinds_of_characters(void **state)
{
	(void)state;
	expect_error(
		"issuers:\n"
		"  'a/b':\n"
		"    directory: https://ca.example/dir\n" CERTIFICATE TARGET,
		"2:3: 'a/b' is no name for issuer: expected up to 63 letters, digits, "
		"'-' and '_'");
}

static void control_characters_are_refused_and_not_repeated(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER "    account_key: \"rsa\\e[2J\"\n" CERTIFICATE TARGET,
		"4:18: 'account_key' has a line break or control character in it");
	expect_error(ISSUER "certificates:\n"
			    "  a:\n"
			    "    hosts: [\"a\\nb\"]\n"
			    "    issuers: [le]\n" TARGET,
		     "6:13: 'hosts' has a line break or control character in it");
	expect_error(
		ISSUER "    \"x\\ey\": 1\n" CERTIFICATE TARGET,
		"4:5: unknown key 'x?y' in issuer 'le': expected one of type, directory, "
		"agree_to_terms, contact, ca_bundle, proxy, account_key, eab, staging, "
		"caa, "
		"request_timeout, order_timeout");
}

static void a_ca_without_https_is_refused(void **state)
{
	(void)state;
	expect_one_error(
		"issuers:\n  le:\n    directory: http://ca.example/dir\n" CERTIFICATE
			TARGET,
		"3:16: 'directory' is 'http://ca.example/dir': expected an "
		"https:// URL");
}

static void a_password_in_a_url_is_refused_and_not_repeated(void **state)
{
	struct draft draft;

	(void)state;
	draft_open(&draft);
	draft_load(&draft, ISSUER
		   "    proxy: http://joe:hunter2@proxy:3128\n" CERTIFICATE TARGET);
	draft_expect_error(&draft, "4:12: 'proxy' has a value, which has a user name or "
				   "password in it: URLs are logged, leave it out");
	assert_null(strstr(draft.report.errors.items[0], "hunter2"));
	draft_close(&draft);
}

static void the_same_host_twice_is_refused_in_any_case(void **state)
{
	(void)state;
	expect_one_error(ISSUER "certificates:\n"
				"  a:\n"
				"    hosts: [a.example, A.EXAMPLE]\n"
				"    issuers: [le]\n" TARGET,
			 "6:24: 'hosts' has 'a.example' twice: remove one");
}

static void no_host_at_all_is_refused(void **state)
{
	(void)state;
	expect_one_error(ISSUER "certificates:\n"
				"  a:\n"
				"    hosts: []\n"
				"    issuers: [le]\n" TARGET,
			 "6:12: 'hosts' has 0 entries: expected from 1 to 100");
	expect_error(ISSUER "certificates:\n"
			    "  a:\n"
			    "    hosts: [~]\n"
			    "    issuers: [le]\n" TARGET,
		     "6:13: 'hosts' has no value: expected a list of host names and IP "
		     "addresses (1 to 100), such as [a.example]");
}

static void listen_and_webroot_exclude_each_other(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE
		"    challenge: {listen: ':80', webroot: /var/www}\n" TARGET,
		"8:32: 'challenge.webroot' is given beside 'listen': keep one of "
		"them");
	expect_one_error(
		ISSUER CERTIFICATE "    challenge: {listen: 'a:80'}\n" TARGET,
		"8:25: 'challenge.listen' is 'a:80': expected an address and port "
		"to listen on, such as \":80\" or \"127.0.0.1:8080\"");
}

static void a_relative_webroot_is_refused(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE "    challenge: {webroot: www}\n" TARGET,
			 "8:26: 'challenge.webroot' is 'www': expected an absolute path");
	expect_one_error(
		ISSUER CERTIFICATE "    challenge: {webroot: /a/../b}\n" TARGET,
		"8:26: 'challenge.webroot' has '/a/../b', which has a '..' in it: "
		"write the path without it");
}

static void an_alert_has_the_keys_of_its_type(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE TARGET
		"alerts:\n"
		"  x: {type: webhook, url: https://h.example, timeout: 5s}\n",
		"12:46: 'timeout' is for 'type: program', not for 'type: webhook'");
	expect_one_error(ISSUER CERTIFICATE TARGET "alerts:\n  x: {type: program}\n",
			 "12:3: 'command' is missing in alert 'x' (run without a shell; "
			 "gets the alert as JSON on standard input)");
	expect_one_error(ISSUER CERTIFICATE TARGET
			 "alerts:\n  x: {type: mail, url: https://h.example}\n",
			 "12:13: 'type' is 'mail': expected webhook or program");
	expect_one_error(ISSUER CERTIFICATE TARGET
			 "alerts:\n  x: {url: https://h.example}\n",
			 "12:3: 'type' is missing in alert 'x' (how the alert leaves)");
}

static void an_alert_in_the_clear_is_refused(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE TARGET
		"alerts:\n  x: {type: webhook, url: http://h.example/}\n",
		"12:27: 'url' has 'http://h.example/', which would send alerts in "
		"the clear: only https:// leaves this machine");
}

static void an_unknown_event_gets_the_nearest(void **state)
{
	(void)state;
	expect_error(
		ISSUER CERTIFICATE TARGET
		"alerts:\n"
		"  x: {type: webhook, url: https://h.example/, except: [renewal]}\n",
		"12:56: 'except' has 'renewal': expected a list of renewed, failed, "
		"expiring, expired, fallback, recovered, drift, broken, "
		"waiting_for_service, config_rejected, clock_unconfirmed, "
		"circuit_open, managed_set_shrank, ca_changed, state_damaged, "
		"challenge, rehearsal_failed, daemon_dead, daemon_stuck, served_wrong or "
		"silent: did you mean 'renewed'?");
}

static void a_key_id_has_a_length(void **state)
{
	(void)state;
	expect_error(ISSUER
		     "    eab: {key_id: '', hmac_key: {env: HOME}}\n" CERTIFICATE TARGET,
		     "4:19: 'eab.key_id' is '': expected text of up to 1024 characters");
}

int main(void)
{
	const struct CMUnitTest errors[] = {
		cmocka_unit_test(an_unknown_key_gets_the_nearest_one),
		cmocka_unit_test(an_unknown_key_like_no_other_gets_the_list),
		cmocka_unit_test(a_missing_key_is_named_with_its_meaning),
		cmocka_unit_test(renewal_at_a_bare_number_is_refused),
		cmocka_unit_test(a_number_outside_its_bounds_is_told_the_bounds),
		cmocka_unit_test(a_duration_outside_its_bounds_is_told_the_bounds),
		cmocka_unit_test(a_switch_is_yes_or_no),
		cmocka_unit_test(a_wrong_word_gets_the_words_and_the_nearest),
		cmocka_unit_test(a_value_where_a_list_is_expected_is_shown_as_one),
		cmocka_unit_test(another_shape_is_named),
		cmocka_unit_test(a_key_without_a_value_is_refused),
		cmocka_unit_test(an_empty_section_of_names_is_refused),
		cmocka_unit_test(a_name_has_few_kinds_of_characters),
		cmocka_unit_test(control_characters_are_refused_and_not_repeated),
		cmocka_unit_test(a_ca_without_https_is_refused),
		cmocka_unit_test(a_password_in_a_url_is_refused_and_not_repeated),
		cmocka_unit_test(the_same_host_twice_is_refused_in_any_case),
		cmocka_unit_test(no_host_at_all_is_refused),
		cmocka_unit_test(listen_and_webroot_exclude_each_other),
		cmocka_unit_test(a_relative_webroot_is_refused),
		cmocka_unit_test(an_alert_has_the_keys_of_its_type),
		cmocka_unit_test(an_alert_in_the_clear_is_refused),
		cmocka_unit_test(an_unknown_event_gets_the_nearest),
		cmocka_unit_test(a_key_id_has_a_length),
	};
	return cmocka_run_group_tests(errors, NULL, NULL);
}
