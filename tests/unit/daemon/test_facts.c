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
		cmocka_unit_test(a_lost_memory_gives_the_store_the_benefit),
		cmocka_unit_test(only_issuers_none_is_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
