#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cert.h"
#include "tests/support/testcert.h"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct cert *made(const char *const *names)
{
	struct testcert *ca = testcert_ca("CA");
	struct testcert *leaf = testcert_new(
		&(struct testcert_spec){ .issuer = ca, .names = names });
	struct cert *cert = cert_from_x509(leaf->x509, NULL);

	testcert_free(leaf);
	testcert_free(ca);
	return cert;
}

static void more_names_than_ours_will_do_and_fewer_will_not(void **state)
{
	struct cert *cert = made(NAMES("a.example", "b.example"));

	(void)state;
	assert_true(cert_names_cover(cert, NAMES("B.example")));
	assert_true(cert_names_cover(cert, NAMES("b.example", "a.example")));
	assert_false(cert_names_cover(cert, NAMES("a.example", "c.example")));
	cert_free(cert);
}

static void a_wildcard_covers_one_label(void **state)
{
	struct cert *cert = made(NAMES("*.corp.example", "corp.example"));

	(void)state;
	assert_true(cert_names_cover(cert, NAMES("a.corp.example", "B.CORP.example")));
	assert_true(cert_names_cover(cert, NAMES("corp.example")));
	assert_true(cert_names_cover(cert, NAMES("*.corp.example")));
	assert_false(cert_names_cover(cert, NAMES("a.b.corp.example")));
	assert_false(cert_names_cover(cert, NAMES(".corp.example")));
	assert_false(cert_names_cover(cert, NAMES("a.corp.example", "a.example")));
	assert_false(cert_names_cover(cert, NAMES("example")));
	cert_free(cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_names_than_ours_will_do_and_fewer_will_not),
		cmocka_unit_test(a_wildcard_covers_one_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
