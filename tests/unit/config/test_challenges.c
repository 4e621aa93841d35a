/* Challenges, the hosts that they can prove, and who answers DNS. Lines 1-3 are ISSUER,
 * 4-7 CERTIFICATE, 8-10 TARGET. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/str.h"

/* One line, so that CERTIFICATE begins in line 5. */
#define DNS                                                                              \
	"dns_providers: {corp: {type: rfc2136, server: 127.0.0.1}, other: {type: "       \
	"rfc2136, "                                                                      \
	"server: ns.example}}\n"

#define HOSTS(hosts)                                                                     \
	"certificates:\n"                                                                \
	"  a:\n"                                                                         \
	"    hosts: " hosts "\n"                                                         \
	"    issuers: [le]\n"

/* ---- one or several ------------------------------------------------------- */

static const struct certificate_config *first(void **state, const char *yaml)
{
	return &draft_must_load(state, yaml)->certificates[0];
}

static void without_a_word_our_responder_answers_on_port_80(void **state)
{
	const struct certificate_config *c = first(state, ISSUER CERTIFICATE TARGET);

	assert_int_equal(c->n_challenges, 1);
	assert_int_equal(c->challenges[0].type, HTTP_01);
	assert_string_equal(c->challenges[0].listen, ":80");
	assert_null(c->challenges[0].webroot);
}

static void several_challenges_keep_their_order(void **state)
{
	const struct certificate_config *c = first(
		state, ISSUER DNS CERTIFICATE
		"    challenge:\n"
		"      - {type: dns-01, provider: other, alias: _V.Example.com.}\n"
		"      - type: tls-alpn-01\n"
		"      - type: dns-persist-01\n"
		"      - {webroot: /srv/www}\n" TARGET);

	assert_int_equal(c->n_challenges, 4);
	assert_int_equal(c->challenges[0].type, DNS_01);
	assert_string_equal(c->challenges[0].provider->name, "other");
	assert_string_equal(c->challenges[0].provider->server, "ns.example:53");
	assert_string_equal(c->challenges[0].alias, "_v.example.com");
	assert_null(c->challenges[0].listen);
	assert_int_equal(c->challenges[1].type, TLS_ALPN_01);
	assert_string_equal(c->challenges[1].listen, ":443");
	assert_int_equal(c->challenges[2].type, DNS_PERSIST_01);
	assert_null(c->challenges[2].provider);
	assert_int_equal(c->challenges[3].type, HTTP_01);
	assert_string_equal(c->challenges[3].webroot, "/srv/www");
	assert_null(c->challenges[3].listen);
}

static void what_is_shown_loads_again(void **state, const char *yaml,
				      const char *shown_line)
{
	struct draft *draft = *state;
	char *once, *twice;

	once = config_show(draft_must_load(state, yaml));
	if (!strstr(once, shown_line))
		fail_msg("no '%s' in:\n%s", shown_line, once);
	twice = config_show(draft_must_load(state, once));
	assert_non_null(strstr(twice, "http-01"));
	assert_int_equal(draft->report.warnings.n, 0);
	free(once);
	free(twice);
}

static void one_challenge_is_shown_as_a_map_and_several_as_a_list(void **state)
{
	what_is_shown_loads_again(
		state, ISSUER CERTIFICATE TARGET,
		"    challenge: {type: http-01, listen: ':80'}  # default");
	what_is_shown_loads_again(state,
				  ISSUER CERTIFICATE
				  "    challenge: [{type: http-01}, {type: tls-alpn-01, "
				  "listen: \":8443\"}]\n" TARGET,
				  "      - {type: tls-alpn-01, listen: ':8443'}\n");
	what_is_shown_loads_again(state,
				  ISSUER CERTIFICATE "    challenge: [{}]\n" TARGET,
				  "    challenge:\n"
				  "      - {type: http-01, listen: ':80'}  # default\n");
}

static void a_challenge_that_is_neither_is_refused(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE "    challenge: dns-01\n" TARGET,
			 "8:16: 'challenge' is 'dns-01': expected a map, a list of maps "
			 "or none (1 to 4)");
	expect_error(ISSUER CERTIFICATE "    challenge: []\n" TARGET,
		     "8:16: 'challenge' has 0 entries: expected from 1 to 4");
	expect_error(ISSUER CERTIFICATE "    challenge: [dns-01]\n" TARGET,
		     "8:17: 'an entry' in 'challenge' is no map: expected 'provider: "
		     "...' and more");
}

static void the_same_challenge_twice_is_refused(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE
			 "    challenge: [{webroot: /x}, {listen: \":80\"}]\n" TARGET,
			 "8:32: 'challenge' has 'http-01' twice: keep one");
	expect_one_error(
		ISSUER DNS CERTIFICATE
		"    challenge:\n"
		"      - {type: dns-01, provider: corp}\n"
		"      - {type: dns-01, provider: other}\n"
		"      - {type: dns-01, provider: corp, alias: x.example}\n" TARGET,
		"12:9: 'challenge' has 'dns-01' by corp twice: keep one");
}

static void a_challenge_has_the_keys_of_its_type(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE
		"    challenge: {type: tls-alpn-01, webroot: /srv}\n" TARGET,
		"8:36: 'challenge.webroot' is for 'type: http-01', not for 'type: "
		"tls-alpn-01'");
	expect_one_error(
		ISSUER DNS CERTIFICATE
		"    challenge: {type: dns-01, provider: corp, listen: \":80\"}\n" TARGET,
		"9:47: 'challenge.listen' is for 'type: http-01' and 'type: "
		"tls-alpn-01', not for 'type: dns-01'");
	expect_one_error(ISSUER CERTIFICATE "    challenge: {type: dns-01}\n" TARGET,
			 "8:5: 'challenge.provider' is missing in certificate 'a' (which "
			 "of 'dns_providers' puts the record there)");
	expect_one_error(
		ISSUER CERTIFICATE "    challenge: [{type: dns-01}]\n" TARGET,
		"8:17: 'provider' is missing in 'challenge' of certificate 'a' (which "
		"of 'dns_providers' puts the record there)");
}

static void a_provider_is_one_that_is_defined(void **state)
{
	(void)state;
	expect_one_error(ISSUER DNS CERTIFICATE
			 "    challenge: {type: dns-01, provider: crop}\n" TARGET,
			 "9:41: 'challenge.provider' is 'crop', which is not among "
			 "'dns_providers': did you mean 'corp'?");
	expect_one_error(ISSUER CERTIFICATE
			 "    challenge: {type: dns-01, provider: corp}\n" TARGET,
			 "8:41: 'challenge.provider' is 'corp', which is not among "
			 "'dns_providers'");
	expect_one_error(
		ISSUER DNS CERTIFICATE
		"    challenge: {type: dns-01, provider: corp, alias: 'a b'}\n" TARGET,
		"9:54: 'challenge.alias' is 'a b': expected a name in the DNS");
}

/* ---- hosts ---------------------------------------------------------------- */

static void a_wildcard_needs_a_challenge_by_dns(void **state)
{
	const struct certificate_config *c;

	expect_one_error(
		ISSUER HOSTS("[a.example, '*.a.example']") TARGET,
		"6:24: 'hosts' has the wildcard '*.a.example', which no challenge here "
		"can prove: add one of 'type: dns-01' (with one of 'dns_providers') or "
		"'type: dns-persist-01' to 'challenge'");
	c = first(state, ISSUER DNS HOSTS(
				 "[a.example, '*.A.example']") "    challenge: [{}, "
							       "{type: dns-01, provider: "
							       "corp}]\n" TARGET);
	assert_string_equal(c->hosts[1], "*.a.example");
	first(state,
	      ISSUER HOSTS("[a.example, '*.a.example']") "    challenge: {type: "
							 "dns-persist-01}\n" TARGET);
}

static void an_address_needs_a_challenge_by_http_or_tls(void **state)
{
	const struct certificate_config *c;

	expect_one_error(
		ISSUER DNS HOSTS(
			"[a.example, 192.0.2.1]") "    challenge: {type: dns-01, "
						  "provider: corp}\n" TARGET,
		"7:24: 'hosts' has the IP address '192.0.2.1', which no "
		"challenge here can prove: add one of 'type: http-01' or 'type: "
		"tls-alpn-01' to 'challenge'");
	c = first(
		state,
		ISSUER HOSTS("[a.example, '2001:DB8:0::1', 192.0.2.1]") "    challenge: "
									"{type: "
									"tls-alpn-01}"
									"\n" TARGET);
	assert_string_equal(c->hosts[1], "2001:db8::1");
	assert_string_equal(c->hosts[2], "192.0.2.1");
}

static void a_mistaken_type_makes_no_host_wrong(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER HOSTS("[a.example, '*.a.example']") "    challenge: {type: "
							   "dns-1}\n" TARGET,
		"8:23: 'challenge.type' is 'dns-1': expected http-01, dns-01, "
		"tls-alpn-01 or dns-persist-01: did you mean 'dns-01'?");
}

static void who_asks_for_no_challenge_proves_nothing(void **state)
{
	const struct certificate_config *c = first(
		state, "certificates:\n"
		       "  a:\n"
		       "    hosts: [a.example, '*.a.example', '::1']\n"
		       "    issuers: [self-signed]\n" TARGET);

	assert_string_equal(c->hosts[2], "::1");
}

static void a_host_is_told_what_is_wrong_with_it(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER HOSTS("['*.com']") TARGET,
		"6:13: 'hosts' has '*.com', which is a wildcard for a whole top level "
		"domain: no client accepts it");
	expect_one_error(
		ISSUER HOSTS("['a.*.example']") TARGET,
		"6:13: 'hosts' has 'a.*.example', which has a '*' in it: a wildcard is "
		"'*.' in front of a name, for one label");
	expect_one_error(ISSUER HOSTS("['[::1]']") TARGET,
			 "6:13: 'hosts' has '[::1]', which has brackets: write the IP "
			 "address without them");
	expect_one_error(ISSUER HOSTS("['fe80::1%eth0']") TARGET,
			 "6:13: 'hosts' has 'fe80::1%eth0', which has a zone behind '%': "
			 "no certificate carries that");
	expect_one_error(ISSUER HOSTS("[192.0.2.256]") TARGET,
			 "6:13: 'hosts' has '192.0.2.256', which ends in a number: it is "
			 "neither a host name nor an IP address");
	expect_one_error(ISSUER HOSTS("[192.0.2.1, 192.0.2.1]") TARGET,
			 "6:24: 'hosts' has '192.0.2.1' twice: remove one");
}

static void the_first_host_is_the_name_that_endpoints_are_asked_for(void **state)
{
	const struct certificate_config *c = first(
		state, ISSUER HOSTS("[b.example, a.example]") TARGET);

	assert_string_equal(c->targets[0].verify[0].server_name, "b.example");
	assert_string_equal(c->targets[0].subject_alt_name, "b.example");
}

static void an_address_is_asked_for_without_a_name(void **state)
{
	const struct certificate_config *c = first(state,
						   ISSUER HOSTS("[192.0.2.1]") TARGET);

	assert_null(c->targets[0].verify[0].server_name);
	assert_string_equal(c->targets[0].subject_alt_name, "192.0.2.1");
	what_is_shown_loads_again(state, ISSUER HOSTS("[192.0.2.1]") TARGET,
				  "server_name: none");
}

static void a_wildcard_in_front_needs_a_name_to_ask_for(void **state)
{
	const struct certificate_config *c;

	expect_one_error(
		ISSUER HOSTS("['*.a.example']") "    challenge: {type: "
						"dns-persist-01}\n" TARGET,
		"11:18: target 'default' has an address under 'verify' without "
		"'server_name', and the first host is the wildcard '*.a.example': write "
		"the name that is asked for there, or none");
	c = first(
		state,
		ISSUER HOSTS("['*.a.example']") "    challenge: {type: dns-persist-01}\n"
						"    deploy:\n"
						"      - store: {type: directory, path: "
						"/srv/a}\n"
						"        verify: [{connect: "
						"\"127.0.0.1:443\", server_name: "
						"b.a.example}]\n");
	assert_string_equal(c->targets[0].verify[0].server_name, "b.a.example");
	assert_string_equal(c->targets[0].subject_alt_name, "*.a.example");
}

static void a_product_wants_a_name_in_front_of_an_address(void **state)
{
	(void)state;
	expect_error(
		ISSUER HOSTS("[192.0.2.1, a.example]") "    deploy:\n"
						       "      - preset: yunio\n"
						       "        install_dir: /opt/yunio\n"
						       "        store: {type: directory, "
						       "path: /srv/a}\n",
		"9:9: target 'yunio' is a product that wants a host name in the "
		"certificate's common name, and the first host is the IP address "
		"'192.0.2.1': put a host name in front of it");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)

int main(void)
{
	const struct CMUnitTest challenges[] = {
		TEST(without_a_word_our_responder_answers_on_port_80),
		TEST(several_challenges_keep_their_order),
		TEST(one_challenge_is_shown_as_a_map_and_several_as_a_list),
		TEST(a_challenge_that_is_neither_is_refused),
		TEST(the_same_challenge_twice_is_refused),
		TEST(a_challenge_has_the_keys_of_its_type),
		TEST(a_provider_is_one_that_is_defined),
		TEST(a_wildcard_needs_a_challenge_by_dns),
		TEST(an_address_needs_a_challenge_by_http_or_tls),
		TEST(a_mistaken_type_makes_no_host_wrong),
		TEST(who_asks_for_no_challenge_proves_nothing),
		TEST(a_host_is_told_what_is_wrong_with_it),
		TEST(the_first_host_is_the_name_that_endpoints_are_asked_for),
		TEST(an_address_is_asked_for_without_a_name),
		TEST(a_wildcard_in_front_needs_a_name_to_ask_for),
		TEST(a_product_wants_a_name_in_front_of_an_address),
	};

	return cmocka_run_group_tests(challenges, NULL, NULL);
}
