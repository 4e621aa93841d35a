#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "daemon/facts.h"
#include "tests/support/testcert.h"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct issuer_config issuers[] = {
	{ .name = "ca", .type = ISSUER_ACME },
	{ .name = "put", .type = ISSUER_STORE },
	{ .name = "nobody", .type = ISSUER_NONE },
};
static const struct config config = { .issuers = issuers, .n_issuers = 3 };

static struct cert *wildcard(void)
{
	struct testcert *ca = testcert_ca("CA");
	struct testcert *made = testcert_new(&(struct testcert_spec){
		.issuer = ca, .names = NAMES("*.corp.example", "more.example") });
	struct cert *cert = cert_from_x509(made->x509, NULL);

	testcert_free(made);
	testcert_free(ca);
	return cert;
}

static const struct certificate_config certificate = {
	.name = "xu",
	.hosts = NAMES("xu.corp.example"),
	.issuers = NAMES("ca", "put"),
	.key_type = "rsa-2048",
};

static void what_was_put_needs_our_names_and_has_its_own_key(void **state)
{
	struct cert *cert = wildcard();
	struct job job = { .last_issuer = "put" };
	struct renewal_facts facts = facts_for_renewal(&config, &certificate, cert, &job);

	(void)state;
	assert_true(facts.names_match);
	assert_true(facts.key_type_matches);
	cert_free(cert);
}

static void what_was_ordered_is_exactly_what_was_ordered(void **state)
{
	struct cert *cert = wildcard();
	struct job job = { .last_issuer = "ca" };
	struct renewal_facts facts = facts_for_renewal(&config, &certificate, cert, &job);

	(void)state;
	assert_false(facts.names_match);
	assert_false(facts.key_type_matches);
	cert_free(cert);
}

static void a_request_of_the_operators_has_the_key_that_it_has(void **state)
{
	struct certificate_config with_csr = certificate;
	struct cert *cert = wildcard();
	struct job job = { .last_issuer = "ca" };

	(void)state;
	with_csr.csr = "/etc/certrenewd/xu.csr";
	assert_true(facts_for_renewal(&config, &with_csr, cert, &job).key_type_matches);
	cert_free(cert);
}

static void what_a_staging_directory_issued_is_replaced(void **state)
{
	static const struct issuer_config cas[] = {
		{ .name = "ca",
		  .type = ISSUER_ACME,
		  .directory = "https://ca.example/dir",
		  .staging = "https://staging.ca.example/dir" },
		{ .name = "trial",
		  .type = ISSUER_ACME,
		  .directory = "https://staging.ca.example/dir" },
	};
	const struct config with = { .issuers = cas, .n_issuers = 2 };
	struct certificate_config one = certificate;
	struct cert *cert = wildcard();
	struct job job = { .last_issuer = "ca",
			   .last_directory = "https://staging.ca.example/dir" };

	(void)state;
	one.issuers = NAMES("ca");
	assert_true(facts_for_renewal(&with, &one, cert, &job).from_staging);
	/* The operator wants it so. */
	one.issuers = NAMES("ca", "trial");
	assert_false(facts_for_renewal(&with, &one, cert, &job).from_staging);
	one.issuers = NAMES("ca");
	str_copy(job.last_directory, sizeof(job.last_directory),
		 "https://ca.example/dir");
	assert_false(facts_for_renewal(&with, &one, cert, &job).from_staging);
	job.last_directory[0] = '\0';
	assert_false(facts_for_renewal(&with, &one, cert, &job).from_staging);
	cert_free(cert);
}

static void a_lost_memory_gives_the_store_the_benefit(void **state)
{
	struct certificate_config only_ca = certificate;
	struct job job = { 0 };

	(void)state;
	assert_true(facts_not_ordered(&config, &certificate, &job));
	only_ca.issuers = NAMES("ca");
	assert_false(facts_not_ordered(&config, &only_ca, &job));
}

static void only_issuers_none_is_watched(void **state)
{
	struct certificate_config watched = certificate;

	(void)state;
	assert_false(facts_only_watched(&config, &certificate));
	watched.issuers = NAMES("nobody");
	assert_true(facts_only_watched(&config, &watched));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_needs_our_names_and_has_its_own_key),
		cmocka_unit_test(what_was_ordered_is_exactly_what_was_ordered),
		cmocka_unit_test(a_request_of_the_operators_has_the_key_that_it_has),
		cmocka_unit_test(what_a_staging_directory_issued_is_replaced),
		cmocka_unit_test(a_lost_memory_gives_the_store_the_benefit),
		cmocka_unit_test(only_issuers_none_is_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
