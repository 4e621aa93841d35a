/* Issuers that are no ACME CA, and the words that stand for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/str.h"

/* A certificate whose issuers stand in line 4 of the file if nothing is in front. */
#define BY(issuers)                                                                      \
	"certificates:\n"                                                                \
	"  a:\n"                                                                         \
	"    hosts: [a.example]\n"                                                       \
	"    issuers: " issuers "\n"

#define COMMAND_OF(argv) "issuers:\n  pki: {type: command, command: " argv "}\n"

static void an_issuer_without_a_type_is_an_acme_ca(void **state)
{
	const struct config *c = draft_must_load(state, ISSUER CERTIFICATE TARGET);

	assert_int_equal(c->issuers[0].type, ISSUER_ACME);
	assert_int_equal(c->certificates[0].n_challenges, 1);
	assert_int_equal(c->certificates[0].challenges[0].type, HTTP_01);
}

static void a_store_is_a_folder_of_pem_files(void **state)
{
	const struct config *c = draft_must_load(
		state, "issuers:\n"
		       "  pki: {type: store, path: drop}\n" BY("[pki]") TARGET);
	const struct issuer_config *issuer = config_issuer(c, "pki");

	assert_int_equal(issuer->type, ISSUER_STORE);
	assert_true(str_ends(issuer->path, "/drop"));
	assert_null(issuer->location);
	assert_null(issuer->store_name);
	assert_null(issuer->directory);
	assert_int_equal(c->certificates[0].n_challenges, 0);
}

static void a_program_gets_the_paths_of_request_and_chain(void **state)
{
	const struct config *c = draft_must_load(
		state, COMMAND_OF("[/usr/bin/sign, -in, '{csr}', '--out={chain}']")
			       BY("[pki]") TARGET);
	const struct issuer_config *issuer = config_issuer(c, "pki");

	assert_int_equal(issuer->type, ISSUER_COMMAND);
	assert_string_equal(issuer->program.argv[3], "--out={chain}");
	assert_int_equal(issuer->program.timeout_s, 300);
	assert_non_null(issuer->program.changes);
	assert_null(issuer->program.changes[0]);
}

static void the_words_need_no_entry(void **state)
{
	const struct config *c = draft_must_load(
		state, BY("[self-signed]") TARGET
		"  b:\n"
		"    hosts: [b.example]\n"
		"    issuers: [none]\n"
		"    deploy: [{verify: [{connect: 'h:1'}]}]\n");

	assert_int_equal(c->n_issuers, 2);
	assert_int_equal(config_issuer(c, "self-signed")->type, ISSUER_SELF_SIGNED);
	assert_int_equal(config_issuer(c, "self-signed")->lifetime_s, 90 * 86400);
	assert_int_equal(config_issuer(c, "none")->type, ISSUER_NONE);
	assert_int_equal(c->certificates[0].n_challenges, 0);
}

static void a_word_may_have_an_entry_of_its_type_alone(void **state)
{
	const struct config *c = draft_must_load(
		state,
		"issuers:\n"
		"  self-signed: {type: self-signed, lifetime: 7d}\n" BY("[self-signed]")
			TARGET);

	assert_int_equal(c->n_issuers, 1);
	assert_int_equal(c->issuers[0].lifetime_s, 7 * 86400);
	expect_one_error(
		ISSUER
		"  none: {directory: 'https://ca.example/dir'}\n" CERTIFICATE TARGET,
		"4:3: issuer 'none' is called as its own type of issuer is: "
		"write 'type: none' in it, or give it another name");
}

static void where_there_is_no_store_of_the_system_a_folder_must_be_named(void **state)
{
	(void)state;
	expect_error(
		BY("[store]") TARGET,
		"4:15: certificate 'a' names the issuer 'store', and this system has "
		"no store of its own: define one under 'issuers' with 'type: store' "
		"and 'path', a folder of PEM files");
	expect_one_error("issuers:\n  s: {type: store}\n" BY("[s]") TARGET,
			 "2:3: issuer 's' has no 'path': give the folder of PEM files "
			 "that certificates are taken from");
	expect_one_error("issuers:\n  s: {type: store, name: My}\n" BY("[s]") TARGET,
			 "2:20: 'name' is of a certificate store that exists on Windows "
			 "only: give 'path', a folder of PEM files");
}

static void a_field_of_another_type_is_refused(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER
		"  none: {directory: 'https://ca.example/dir'}\n" CERTIFICATE TARGET,
		"4:3: issuer 'none' is called as its own type of issuer is: "
		"write 'type: none' in it, or give it another name");
}

static void a_program_must_name_request_and_chain_once(void **state)
{
	(void)state;
	expect_one_error(COMMAND_OF("[/usr/bin/sign, '{csr}']") BY("[pki]") TARGET,
			 "2:33: 'command' has no {chain} among its arguments: it must "
			 "stand there once, for the path of the chain that it writes");
	expect_one_error(COMMAND_OF("[/usr/bin/sign, '{csr}', '{chain}', '{csr}']")
				 BY("[pki]") TARGET,
			 "2:33: 'command' has several {csr} among its arguments: it must "
			 "stand there once, for the path of the request that it reads");
}

static void who_only_watches_stands_alone(void **state)
{
	(void)state;
	expect_one_error(ISSUER BY("[none, le]") TARGET,
			 "7:14: 'issuers' has an issuer of 'type: none' beside others: "
			 "who only watches stands alone");
}

static void who_only_watches_needs_an_endpoint_or_a_store(void **state)
{
	const struct config *c = draft_must_load(
		state, BY("[none]") "    deploy:\n"
				    "      - store: {type: directory, path: /srv/a}\n");

	assert_int_equal(c->certificates[0].targets[0].n_verify, 0);
	expect_one_error(BY("[none]") "    deploy: [{name: x}]\n",
			 "5:14: 'verify' is missing in target 'x' of certificate 'a' "
			 "(where the new certificate must be seen; a preset knows it)");
	expect_one_error(BY("[none]") "    deploy: [{verify: []}]\n",
			 "5:23: 'verify' has 0 entries: expected from 1 to 16");
}

static void a_challenge_is_for_acme_cas(void **state)
{
	(void)state;
	expect_one_error(BY("[self-signed]") "    challenge: {listen: ':80'}\n" TARGET,
			 "5:5: 'challenge' is for ACME CAs, and none is among the "
			 "issuers: leave it out");
	expect_one_error(ISSUER BY("[le, self-signed]") "    challenge: none\n" TARGET,
			 "8:16: 'challenge' is none, and an ACME CA is among the "
			 "issuers: it asks for one");
}

static void only_a_ca_counts_what_has_the_same_names(void **state)
{
	draft_must_load(state,
			BY("[none]") "    deploy: [{verify: [{connect: 'h:1'}]}]\n"
				     "  b:\n"
				     "    hosts: [a.example]\n"
				     "    issuers: [none]\n"
				     "    deploy: [{verify: [{connect: 'h:2'}]}]\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest issuers[] = {
		TEST(an_issuer_without_a_type_is_an_acme_ca),
		TEST(a_store_is_a_folder_of_pem_files),
		TEST(a_program_gets_the_paths_of_request_and_chain),
		TEST(the_words_need_no_entry),
		TEST(a_word_may_have_an_entry_of_its_type_alone),
		TEST(where_there_is_no_store_of_the_system_a_folder_must_be_named),
		TEST(a_field_of_another_type_is_refused),
		TEST(a_program_must_name_request_and_chain_once),
		TEST(who_only_watches_stands_alone),
		TEST(who_only_watches_needs_an_endpoint_or_a_store),
		TEST(a_challenge_is_for_acme_cas),
		TEST(only_a_ca_counts_what_has_the_same_names),
	};
	return cmocka_run_group_tests(issuers, NULL, NULL);
}
