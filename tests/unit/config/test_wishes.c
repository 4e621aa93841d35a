/* What a certificate asks of its CA, and what an issuer says about itself. Lines 1-3 are
 * ISSUER, 4-7 CERTIFICATE, 8-10 TARGET. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/str.h"

#define SELF_SIGNED                                                                      \
	"certificates:\n"                                                                \
	"  a:\n"                                                                         \
	"    hosts: [a.example]\n"                                                       \
	"    issuers: [self-signed]\n"

#define PROGRAM                                                                          \
	"    deploy:\n"                                                                  \
	"      - run: [{command: [/usr/bin/env]}]\n"                                     \
	"        verify: [{connect: \"127.0.0.1:443\"}]\n"

#define FILES(files)                                                                     \
	"    deploy:\n"                                                                  \
	"      - store: {type: files, files: {" files "}}\n"                             \
	"        verify: [{connect: \"127.0.0.1:443\"}]\n"

static const struct certificate_config *first(void **state, const char *yaml)
{
	return &draft_must_load(state, yaml)->certificates[0];
}

static void without_a_word_the_ca_decides(void **state)
{
	const struct certificate_config *c = first(state, ISSUER CERTIFICATE TARGET);

	assert_null(c->csr);
	assert_null(c->profile);
	assert_null(c->chain);
	assert_int_equal(c->lifetime_s, 0);
	assert_int_equal(c->backdate_s, 0);
	assert_int_equal(c->failover_after, 3);
}

static void a_rehearsal_every_week_unless_it_says_otherwise(void **state)
{
	assert_int_equal(first(state, ISSUER CERTIFICATE TARGET)->rehearse_every_s,
			 7 * 86400);
	assert_int_equal(first(state, ISSUER CERTIFICATE "    rehearse: no\n" TARGET)
				 ->rehearse_every_s,
			 0);
	assert_int_equal(first(state, ISSUER CERTIFICATE "    rehearse: 12h\n" TARGET)
				 ->rehearse_every_s,
			 12 * 3600);
	assert_int_equal(
		first(state, ISSUER CERTIFICATE "    rehearse: {every: 1h}\n" TARGET)
			->rehearse_every_s,
		3600);
}

static void wishes_are_read(void **state)
{
	const struct certificate_config *c = first(state, ISSUER CERTIFICATE
						   "    profile: tlsserver\n"
						   "    lifetime: 30d\n"
						   "    backdate: 1h\n"
						   "    chain: ISRG Root X1\n"
						   "    failover_after: 20\n" TARGET);

	assert_string_equal(c->profile, "tlsserver");
	assert_false(c->profile_required);
	assert_int_equal(c->lifetime_s, 30 * 86400);
	assert_int_equal(c->backdate_s, 3600);
	assert_string_equal(c->chain, "ISRG Root X1");
	assert_int_equal(c->failover_after, 20);
}

static void a_profile_may_be_required(void **state)
{
	char *shown;
	const struct certificate_config *c = first(
		state, ISSUER CERTIFICATE
		"    profile: {name: shortlived, required: yes}\n" TARGET);

	assert_string_equal(c->profile, "shortlived");
	assert_true(c->profile_required);
	shown = config_show(draft_must_load(state, ISSUER CERTIFICATE
					    "    profile: tlsserver\n" TARGET));
	c = first(state, shown);
	assert_string_equal(c->profile, "tlsserver");
	free(shown);
	expect_one_error(ISSUER CERTIFICATE "    profile: {required: yes}\n" TARGET,
			 "8:5: 'profile.name' is missing in certificate 'a' (as the CA's "
			 "directory calls it)");
	expect_one_error(ISSUER CERTIFICATE "    profile: [x]\n" TARGET,
			 "8:14: 'profile' is a list: expected a map or its name");
	expect_error(ISSUER CERTIFICATE "    profile:\n" TARGET,
		     "8:5: 'profile' has no value: expected a map or its name");
}

static void wishes_have_bounds(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE "    failover_after: 0\n" TARGET,
		"8:21: 'failover_after' is '0': expected a whole number from 1 to 20");
	expect_one_error(
		ISSUER CERTIFICATE "    lifetime: 30\n" TARGET,
		"8:15: 'lifetime' is '30': expected a duration from 1h to 3650d, such as "
		"90s, 15m, 24h or 30d");
	expect_one_error(ISSUER CERTIFICATE "    rehearse: {every: 30m}\n" TARGET,
			 "8:23: 'rehearse.every' is '30m': expected no or a duration "
			 "from 1h to 90d, such as 90s, 15m, 24h or 30d");
}

static void a_lifetime_is_longer_than_what_is_left_at_renewal(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE "    renew: {at: 30d}\n    lifetime: 10d\n" TARGET,
		"9:15: 'lifetime' is 10d, and 'renew.at' is 30d: it would be due as soon "
		"as it is issued");
	first(state,
	      ISSUER CERTIFICATE "    renew: {at: 9d}\n    lifetime: 10d\n" TARGET);
}

static void wishes_are_for_cas(void **state)
{
	static const char *const lines[] = { "csr: a.csr", "profile: x", "lifetime: 9d",
					     "backdate: 1h", "chain: x" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char *yaml = str_printf(SELF_SIGNED "    %s\n" PROGRAM, lines[i]);
		char *sentence = str_printf("5:5: '%.*s' is for ACME CAs, and none is "
					    "among the issuers: leave it out",
					    (int)strcspn(lines[i], ":"), lines[i]);

		expect_one_error(yaml, sentence);
		free(sentence);
		free(yaml);
	}
}

static void a_rehearsal_is_for_who_renews_it_here(void **state)
{
	expect_one_error("certificates:\n"
			 "  a:\n"
			 "    hosts: [a.example]\n"
			 "    issuers: [none]\n"
			 "    rehearse: 1d\n"
			 "    deploy:\n"
			 "      - verify: [{connect: \"127.0.0.1:443\"}]\n",
			 "5:5: 'rehearse' is for certificates that are renewed here, and "
			 "others bring this one: leave it out");
	first(state, SELF_SIGNED "    rehearse: 1d\n" PROGRAM);
}

/* ---- a request of the operator's ------------------------------------------- */

static void a_request_is_a_file_beside_the_configuration(void **state)
{
	char *path = str_printf("%s/a.csr", ((struct draft *)*state)->folder);
	const struct certificate_config *c = first(state, ISSUER CERTIFICATE
						   "    csr: a.csr\n" PROGRAM);

	assert_string_equal(c->csr, path);
	free(path);
}

static void a_request_says_key_and_name_itself(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE "    csr: a.csr\n    key: {type: ec-p256}\n" PROGRAM,
		"9:5: 'key' is given beside 'csr', which says it already: leave it out");
	expect_one_error(
		ISSUER CERTIFICATE "    csr: a.csr\n    common_name: no\n" PROGRAM,
		"9:5: 'common_name' is given beside 'csr', which says it already: leave "
		"it out");
}

static void a_key_that_is_elsewhere_is_put_nowhere(void **state)
{
	const struct certificate_config *c;

	expect_one_error(
		ISSUER CERTIFICATE "    csr: a.csr\n" TARGET,
		"10:9: target 'default' of certificate 'a' has a 'store' that wants the "
		"key, and with 'csr' the key is elsewhere: use 'type: files' without "
		"'key'");
	expect_one_error(
		ISSUER CERTIFICATE "    csr: a.csr\n" FILES("key: /srv/k, cert: /srv/c"),
		"10:9: target 'default' of certificate 'a' has a 'store' that wants the "
		"key, and with 'csr' the key is elsewhere: use 'type: files' without "
		"'key'");
	c = first(state, ISSUER CERTIFICATE "    csr: a.csr\n" FILES("cert: /srv/c"));
	assert_null(c->targets[0].store.key);
	assert_string_equal(c->targets[0].store.cert, "/srv/c");
}

static void a_request_is_for_cas_alone(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER "certificates:\n"
		       "  a:\n"
		       "    hosts: [a.example]\n"
		       "    issuers: [le, self-signed]\n"
		       "    csr: a.csr\n" PROGRAM,
		"8:5: 'csr' is for ACME CAs, and an issuer of another type is beside "
		"one: keep ACME CAs alone, or leave it out");
}

/* ---- issuers ---------------------------------------------------------------- */

#define LETS_ENCRYPT "https://acme-v02.api.letsencrypt.org/directory"
#define LETS_ENCRYPT_STAGING "https://acme-staging-v02.api.letsencrypt.org/directory"

static void the_directory_for_trials_is_known_of_some_cas(void **state)
{
	const struct config *c = draft_must_load(
		state,
		"issuers:\n"
		"  le: {directory: '" LETS_ENCRYPT "'}\n"
		"  goog: {directory: 'https://dv.acme-v02.api.pki.goog/directory'}\n"
		"  own: {directory: 'https://ca.example/dir', staging: "
		"'https://test.example/dir', caa: [CA.example, ca.example.org.]}\n"
		"  other: {directory: 'https://ca.example/dir'}\n" CERTIFICATE TARGET);

	assert_string_equal(c->issuers[0].staging, LETS_ENCRYPT_STAGING);
	assert_string_equal(c->issuers[1].staging,
			    "https://dv.acme-v02.test-api.pki.goog/directory");
	assert_string_equal(c->issuers[2].staging, "https://test.example/dir");
	assert_string_equal(c->issuers[2].caa[0], "ca.example");
	assert_string_equal(c->issuers[2].caa[1], "ca.example.org");
	assert_null(c->issuers[2].caa[2]);
	assert_null(c->issuers[3].staging);
	assert_null(c->issuers[3].caa[0]);
}

static void trials_go_elsewhere_than_orders(void **state)
{
	(void)state;
	expect_one_error(ISSUER
			 "    staging: https://CA.example/dir/\n" CERTIFICATE TARGET,
			 "4:14: 'staging' is the same as 'directory': a rehearsal must "
			 "not reach the CA that issues");
	expect_one_error(ISSUER "    caa: ['a b']\n" CERTIFICATE TARGET,
			 "4:11: 'caa' has 'a b': expected a list of names in the DNS (0 "
			 "to 16), such as [ca.example]");
}

#define TWO(first, second)                                                               \
	"issuers:\n"                                                                     \
	"  one: " first "\n"                                                             \
	"  two: " second "\n"                                                            \
	"certificates:\n"                                                                \
	"  a:\n"                                                                         \
	"    hosts: [a.example]\n"                                                       \
	"    issuers: [one, two]\n" TARGET

static void staging_and_production_share_no_certificate(void **state)
{
	(void)state;
	expect_one_error(
		TWO("{directory: '" LETS_ENCRYPT "'}",
		    "{directory: '" LETS_ENCRYPT_STAGING "'}"),
		"7:20: certificate 'a' has the issuers 'one' and 'two', and the "
		"directory of 'two' is one for trials: staging and production never "
		"share a certificate, use 'rehearse'");
	expect_one_error(
		TWO("{directory: '" LETS_ENCRYPT_STAGING "'}",
		    "{directory: 'https://ca.example/dir'}"),
		"7:20: certificate 'a' has the issuers 'two' and 'one', and the "
		"directory of 'one' is one for trials: staging and production never "
		"share a certificate, use 'rehearse'");
	expect_one_error(
		TWO("{directory: 'https://t.example/dir'}",
		    "{directory: 'https://ca.example/dir', staging: "
		    "'https://t.example/dir'}"),
		"7:20: certificate 'a' has the issuers 'two' and 'one', and the "
		"directory of 'one' is one for trials: staging and production never "
		"share a certificate, use 'rehearse'");
}

static void a_certificate_from_staging_alone_is_warned_about(void **state)
{
	draft_must_load(state, "issuers:\n"
			       "  le: {directory: '" LETS_ENCRYPT_STAGING
			       "'}\n" CERTIFICATE TARGET);
	draft_expect_warning(
		*state, "6:15: certificate 'a' comes from issuer 'le', whose directory "
			"is one for trials: for test systems, no client trusts it by "
			"itself");
	draft_must_load(state,
			"issuers:\n"
			"  le: {directory: '" LETS_ENCRYPT "'}\n" CERTIFICATE TARGET);
	assert_int_equal(((struct draft *)*state)->report.warnings.n, 0);
}

static void two_accounts_at_one_ca_are_fine(void **state)
{
	first(state, TWO("{directory: '" LETS_ENCRYPT "'}",
			 "{directory: '" LETS_ENCRYPT "', account_key: rsa-2048}"));
	first(state, TWO("{directory: '" LETS_ENCRYPT_STAGING "'}",
			 "{directory: '" LETS_ENCRYPT_STAGING "'}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)

int main(void)
{
	const struct CMUnitTest wishes[] = {
		TEST(without_a_word_the_ca_decides),
		TEST(a_rehearsal_every_week_unless_it_says_otherwise),
		TEST(wishes_are_read),
		TEST(a_profile_may_be_required),
		TEST(wishes_have_bounds),
		TEST(a_lifetime_is_longer_than_what_is_left_at_renewal),
		TEST(wishes_are_for_cas),
		TEST(a_rehearsal_is_for_who_renews_it_here),
		TEST(a_request_is_a_file_beside_the_configuration),
		TEST(a_request_says_key_and_name_itself),
		TEST(a_key_that_is_elsewhere_is_put_nowhere),
		TEST(a_request_is_for_cas_alone),
		TEST(the_directory_for_trials_is_known_of_some_cas),
		TEST(trials_go_elsewhere_than_orders),
		TEST(staging_and_production_share_no_certificate),
		TEST(a_certificate_from_staging_alone_is_warned_about),
		TEST(two_accounts_at_one_ca_are_fine),
	};

	return cmocka_run_group_tests(wishes, NULL, NULL);
}
