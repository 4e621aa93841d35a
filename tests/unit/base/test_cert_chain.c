#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/cert.h"
#include "base/clock.h"
#include "base/str.h"
#include "tests/support/testcert.h"

#define DAY_S INT64_C(86400)

/* root -> sub -> leaf, and what does not belong there. Made once: keys cost time. */
static struct fixture {
	struct testcert *root, *sub, *leaf, *stranger;
	char *bundle; /* path of a file with the root */
} f;

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *pem;

	(void)state;
	f.root = testcert_ca("Test Root");
	f.sub = testcert_new(&(struct testcert_spec){
		.issuer = f.root, .ca = true, .common_name = "Test Sub" });
	f.leaf = testcert_leaf(f.sub, "xu.example", 0, 0);
	f.stranger = testcert_ca("Stranger");
	f.bundle = str_printf("%s/certrenewd-test-chain-%ld.pem", tmp ? tmp : "/tmp",
			      (long)getpid());
	pem = testcert_pem(f.root);
	testcert_write(f.bundle, pem);
	free(pem);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)remove(f.bundle);
	free(f.bundle);
	testcert_free(f.stranger);
	testcert_free(f.leaf);
	testcert_free(f.sub);
	testcert_free(f.root);
	return 0;
}

/* `above` ends in NULL. */
static struct cert *chain_of(const struct testcert *leaf, struct testcert *const *above)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct cert *cert;

	for (; *above; above++)
		sk_X509_push(chain, (*above)->x509);
	cert = cert_from_x509(leaf->x509, chain);
	sk_X509_free(chain);
	return cert;
}

#define CHAIN(leaf, ...) chain_of(leaf, (struct testcert *const[]){ __VA_ARGS__ })

/* Takes `cert`. `in_sentence` NULL: it holds. */
static void verdict(struct cert *cert, const char *ca_bundle, bool trusted_required,
		    const char *in_sentence)
{
	struct err err = { 0 };
	int rc = cert_verify_chain(cert, ca_bundle, trusted_required, &err);

	cert_free(cert);
	assert_int_equal(ERR_peek_error(), 0);
	if (!in_sentence) {
		if (rc)
			fail_msg("%s", err.text);
		return;
	}
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	if (!strstr(err.text, in_sentence))
		fail_msg("'%s' does not say '%s'", err.text, in_sentence);
}

static void a_complete_chain_to_the_operators_root_holds(void **state)
{
	(void)state;
	verdict(CHAIN(f.leaf, f.sub, NULL), f.bundle, true, NULL);
	verdict(CHAIN(f.leaf, f.sub, f.root, NULL), f.bundle, true, NULL);
	verdict(CHAIN(f.leaf, f.sub, NULL), NULL, false, NULL);
}

static void an_unknown_root_is_trusted_only_where_trust_is_not_asked(void **state)
{
	(void)state;
	verdict(CHAIN(f.leaf, f.sub, f.root, NULL), NULL, true,
		"the chain is not trusted: issuer 'CN=Test Root': self-signed "
		"certificate");
	verdict(CHAIN(f.leaf, f.sub, f.root, NULL), NULL, false, NULL);
	verdict(CHAIN(f.leaf, f.sub, NULL), NULL, true,
		"issuer 'CN=Test Root': unable to get local issuer certificate");
}

static void a_missing_intermediate_is_named(void **state)
{
	(void)state;
	verdict(CHAIN(f.leaf, NULL), f.bundle, true, "issuer 'CN=Test Sub'");
	verdict(CHAIN(f.leaf, NULL), NULL, false, NULL);
}

static void certificates_in_the_wrong_order_are_no_chain(void **state)
{
	(void)state;
	verdict(CHAIN(f.leaf, f.root, f.sub, NULL), f.bundle, true,
		"certificate 2 'CN=Test Root' did not sign certificate 1 "
		"'CN=xu.example'");
	verdict(CHAIN(f.leaf, f.root, f.sub, NULL), NULL, false, "the chain is broken");
	verdict(CHAIN(f.leaf, f.sub, f.stranger, NULL), f.bundle, true,
		"certificate 3 'CN=Stranger' did not sign certificate 2 'CN=Test Sub'");
}

static void a_name_alone_makes_no_issuer(void **state)
{
	/* Same subject and key identifier as the real issuer, but another's signature. */
	struct testcert *forged = testcert_new(&(struct testcert_spec){
		.issuer = f.sub,
		.names = (const char *const[]){ "xu.example", NULL },
		.sign_with = f.stranger->key });

	(void)state;
	verdict(CHAIN(forged, f.sub, NULL), f.bundle, true, "did not sign certificate 1");
	verdict(CHAIN(forged, f.sub, NULL), NULL, false, "did not sign certificate 1");
	testcert_free(forged);
}

static void an_intermediate_that_is_no_ca_signs_nothing(void **state)
{
	struct testcert *leaf2 = testcert_new(&(struct testcert_spec){
		.issuer = f.leaf,
		.names = (const char *const[]){ "evil.example", NULL } });

	(void)state;
	verdict(CHAIN(leaf2, f.leaf, f.sub, NULL), f.bundle, true, "the chain is");
	testcert_free(leaf2);
}

static void validity_is_somebody_elses_business(void **state)
{
	int64_t now = clock_wall();
	struct testcert *expired = testcert_leaf(f.sub, "xu.example", now - 100 * DAY_S,
						 now - 10 * DAY_S);
	struct testcert *future = testcert_leaf(f.sub, "xu.example", now + 10 * DAY_S,
						now + 100 * DAY_S);

	(void)state;
	verdict(CHAIN(expired, f.sub, NULL), f.bundle, true, NULL);
	verdict(CHAIN(future, f.sub, NULL), f.bundle, true, NULL);
	testcert_free(future);
	testcert_free(expired);
}

static void a_self_signed_leaf_is_its_own_chain(void **state)
{
	struct testcert *own = testcert_leaf(NULL, "xu.example", 0, 0);

	(void)state;
	verdict(CHAIN(own, NULL), NULL, false, NULL);
	verdict(CHAIN(own, NULL), f.bundle, true, "the chain is not trusted");
	testcert_free(own);
}

static void a_bundle_that_cannot_be_read_is_the_operators_to_repair(void **state)
{
	(void)state;
	verdict(CHAIN(f.leaf, f.sub, NULL), "/nonexistent/roots.pem", true,
		"read ca_bundle '/nonexistent/roots.pem': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_complete_chain_to_the_operators_root_holds),
		cmocka_unit_test(
			an_unknown_root_is_trusted_only_where_trust_is_not_asked),
		cmocka_unit_test(a_missing_intermediate_is_named),
		cmocka_unit_test(certificates_in_the_wrong_order_are_no_chain),
		cmocka_unit_test(a_name_alone_makes_no_issuer),
		cmocka_unit_test(an_intermediate_that_is_no_ca_signs_nothing),
		cmocka_unit_test(validity_is_somebody_elses_business),
		cmocka_unit_test(a_self_signed_leaf_is_its_own_chain),
		cmocka_unit_test(a_bundle_that_cannot_be_read_is_the_operators_to_repair),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
