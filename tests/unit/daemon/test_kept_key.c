#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/kept_key.h"
#include "tests/support/testcert.h"

static const struct target in_the_store = { .store = { .type = STORE_WINDOWS } };
static const struct target in_a_folder = { .store = { .type = STORE_DIRECTORY } };

static struct certificate_config with(const struct target *targets, size_t n)
{
	return (struct certificate_config){ .targets = targets, .n_targets = n };
}

static void a_key_that_every_store_has_may_go(void **state)
{
	const struct target both[] = { in_the_store, in_the_store };
	struct certificate_config certificate = with(both, 2);

	(void)state;
	assert_true(kept_key_may_go(&certificate, true));
}

static void a_key_that_one_target_takes_from_us_stays(void **state)
{
	const struct target both[] = { in_the_store, in_a_folder };
	struct certificate_config certificate = with(both, 2);

	(void)state;
	assert_false(kept_key_may_go(&certificate, true));
}

static void a_key_that_is_used_again_stays(void **state)
{
	struct certificate_config certificate = with(&in_the_store, 1);

	(void)state;
	certificate.key_reuse = true;
	assert_false(kept_key_may_go(&certificate, true));
}

static void where_nothing_is_sealed_every_key_stays(void **state)
{
	struct certificate_config certificate = with(&in_the_store, 1);

	(void)state;
	assert_false(kept_key_may_go(&certificate, false));
	certificate = with(NULL, 0);
	assert_false(kept_key_may_go(&certificate, true));
}

static void a_folder_configured_since_can_have_no_key_any_more(void **state)
{
	const char *const issuers[] = { "ca", NULL };
	struct certificate_config certificate = with(&in_a_folder, 1);
	const struct issuer_config issuer = { .name = "ca" };
	const struct config config = { .issuers = &issuer, .n_issuers = 1 };
	const struct job job = { .last_issuer = "ca" };
	struct testcert *ca = testcert_ca("Test CA");
	struct testcert *leaf = testcert_leaf(ca, "a.example", 0, 0);
	struct version version = { .cert = cert_from_x509(leaf->x509, NULL) };

	(void)state;
	certificate.issuers = issuers;
	assert_true(kept_key_is_lost(&config, &certificate, &job, &version));
	version.key = leaf->key;
	assert_false(kept_key_is_lost(&config, &certificate, &job, &version));
	cert_free(version.cert);
	testcert_free(leaf);
	testcert_free(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_every_store_has_may_go),
		cmocka_unit_test(a_key_that_one_target_takes_from_us_stays),
		cmocka_unit_test(a_key_that_is_used_again_stays),
		cmocka_unit_test(a_folder_configured_since_can_have_no_key_any_more),
		cmocka_unit_test(where_nothing_is_sealed_every_key_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
