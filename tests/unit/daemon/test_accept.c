#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/accept.h"
#include "tests/support/testcert.h"

#define DAY INT64_C(86400)
#define NOW (INT64_C(20000) * DAY)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* One key for everything: keys cost time. */
static struct fixture {
	struct testcert *ca, *other_ca;
	EVP_PKEY *key, *other_key;
} f;

static int set_up(void **state)
{
	(void)state;
	f.ca = testcert_ca("Test CA");
	f.other_ca = testcert_ca("Other CA");
	f.key = testcert_key("ec-p256");
	f.other_key = testcert_key("ec-p256");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testcert_free(f.ca);
	testcert_free(f.other_ca);
	EVP_PKEY_free(f.key);
	EVP_PKEY_free(f.other_key);
	return 0;
}

static const char *const hosts[] = { "a.example", "b.example", NULL };
static const struct certificate_config config = { .name = "xu", .hosts = hosts };

/* What a good certificate is; each test changes what it is about. */
static struct testcert_spec good(void)
{
	return (struct testcert_spec){
		.issuer = f.ca,
		.names = hosts,
		.not_before_at = NOW - 3600,
		.not_after_at = NOW + 90 * DAY,
		.key = f.key,
		.eku = "serverAuth,clientAuth",
	};
}

static struct cert *make(struct testcert_spec spec)
{
	struct testcert *made = testcert_new(&spec);
	struct cert *cert = cert_from_x509(made->x509, NULL);

	testcert_free(made);
	return cert;
}

/* The verdict on `fresh` after `old` (may be NULL); takes both. All warnings are put into
 * `warnings`, one a line. */
static int judge(struct certificate_config with, struct cert *fresh, struct cert *old,
		 char warnings[2048], struct err *err)
{
	struct strlist list = { 0 };
	const struct accept_facts facts = {
		.config = &with, .fresh = fresh, .key = f.key, .old = old, .now = NOW
	};
	int rc = accept_certificate(&facts, &list, err);

	warnings[0] = '\0';
	for (size_t i = 0; i < list.n; i++) {
		strncat(warnings, list.items[i], 2000 - strlen(warnings));
		strncat(warnings, "\n", 2);
	}
	strlist_clear(&list);
	cert_free(fresh);
	cert_free(old);
	return rc;
}

static void expect_refused(struct certificate_config with, struct testcert_spec fresh,
			   struct cert *old, const char *sentence)
{
	char warnings[2048];
	struct err err = { 0 };

	assert_int_equal(judge(with, make(fresh), old, warnings, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	if (!strstr(err.text, sentence))
		fail_msg("'%s' does not say '%s'", err.text, sentence);
}

static void expect_accepted(struct certificate_config with, struct testcert_spec fresh,
			    struct cert *old, const char *expected_warnings)
{
	char warnings[2048];
	struct err err = { 0 };

	if (judge(with, make(fresh), old, warnings, &err))
		fail_msg("refused: %s", err.text);
	assert_string_equal(warnings, expected_warnings);
}

static void a_good_first_certificate_is_accepted_without_a_word(void **state)
{
	(void)state;
	expect_accepted(config, good(), NULL, "");
}

static void a_good_successor_is_accepted_without_a_word(void **state)
{
	struct testcert_spec old = good();

	(void)state;
	old.not_before_at -= 60 * DAY;
	old.not_after_at -= 60 * DAY;
	expect_accepted(config, good(), make(old), "");
}

static void another_key_is_refused(void **state)
{
	struct testcert_spec fresh = good();

	(void)state;
	fresh.key = f.other_key;
	expect_refused(
		config, fresh, NULL,
		"the new certificate is for another key than the one in the order");
}

static void other_names_are_refused_with_both_lists(void **state)
{
	struct testcert_spec fresh = good();

	(void)state;
	fresh.names = NAMES("a.example", "evil.example");
	expect_refused(config, fresh, NULL,
		       "the new certificate names 'a.example, evil.example' instead of "
		       "'a.example, b.example'");
	fresh.names = NAMES("a.example");
	expect_refused(config, fresh, NULL, "names 'a.example' instead of");
	fresh.names = NAMES("a.example", "b.example", "c.example");
	expect_refused(config, fresh, NULL, "c.example' instead of");
}

static void a_chain_that_does_not_verify_is_refused(void **state)
{
	struct testcert_spec spec = good();
	struct testcert *leaf = testcert_new(&spec);
	STACK_OF(X509) *chain = sk_X509_new_null();
	char warnings[2048];
	struct err err = { 0 };

	(void)state;
	sk_X509_push(chain, f.other_ca->x509);
	assert_int_equal(
		judge(config, cert_from_x509(leaf->x509, chain), NULL, warnings, &err),
		-1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(
		strstr(err.text, "the chain of the new certificate does not verify: "));
	sk_X509_free(chain);
	testcert_free(leaf);
}

static void a_certificate_of_the_future_or_the_past_is_refused(void **state)
{
	struct testcert_spec fresh = good();

	(void)state;
	fresh.not_before_at = NOW + 1;
	expect_refused(
		config, fresh, NULL,
		"the new certificate is not valid before 2024-10-04 00:00 UTC: this "
		"machine's clock says 2024-10-04 00:00 UTC, check it");
	fresh.not_before_at = NOW - 90 * DAY;
	fresh.not_after_at = NOW - 1;
	expect_refused(config, fresh, NULL,
		       "the new certificate has expired at 2024-10-03 23:59 UTC");
}

static void a_certificate_that_would_be_due_at_once_is_refused(void **state)
{
	struct testcert_spec fresh = good();
	struct certificate_config greedy = config;

	(void)state;
	fresh.not_before_at = NOW - 80 * DAY;
	fresh.not_after_at = NOW + 10 * DAY;
	expect_refused(
		config, fresh, NULL,
		"the new certificate would be due at once, only 10 d are left of it");
	greedy.renew_at = (struct renew_at){ RENEW_FRACTION, 99, 100, 0 };
	fresh.not_before_at = NOW - 10 * DAY;
	fresh.not_after_at = NOW + 80 * DAY;
	expect_refused(greedy, fresh, NULL, "choose a smaller 'renew.at'");
}

static void what_got_lost_is_warned_of(void **state)
{
	struct testcert_spec fresh = good();

	(void)state;
	fresh.eku = "serverAuth";
	expect_accepted(config, fresh, make(good()),
			"extended key usage clientAuth: present -> absent\n");
	fresh.eku = "clientAuth";
	expect_accepted(config, fresh, make(good()),
			"extended key usage serverAuth: present -> absent\n");
	fresh = good();
	fresh.common_name = "";
	expect_accepted(config, fresh, make(good()), "common name: present -> absent\n");
}

static void what_got_lost_is_refused_when_it_is_required(void **state)
{
	static const struct {
		unsigned require;
		const char *eku, *common_name, *sentence;
	} rows[] = {
		{ REQUIRE_CN, "serverAuth,clientAuth", "",
		  "the new certificate has no common name, the old one has it and "
		  "'require' lists 'cn'" },
		{ REQUIRE_SERVER_AUTH, "clientAuth", NULL,
		  "no extended key usage serverAuth, the old one has it and 'require' "
		  "lists "
		  "'serverAuth'" },
		{ REQUIRE_CLIENT_AUTH, "serverAuth", NULL,
		  "no extended key usage clientAuth, the old one has it and 'require' "
		  "lists "
		  "'clientAuth': use another issuer or profile, or take it off the "
		  "list" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct certificate_config with = config;
		struct testcert_spec fresh = good();

		with.require = rows[i].require;
		fresh.eku = rows[i].eku;
		fresh.common_name = rows[i].common_name;
		expect_refused(with, fresh, make(good()), rows[i].sentence);
	}
}

static void a_common_name_that_no_host_fits_into_is_not_required(void **state)
{
	static const char *const wide[] = {
		"a-name-of-a-host-that-is-longer-than-the-common-name-may-be.sub.example",
		NULL
	};
	struct certificate_config with = config;
	struct testcert_spec fresh = good();

	(void)state;
	with.require = REQUIRE_CN;
	with.hosts = fresh.names = wide;
	fresh.common_name = "";
	expect_accepted(with, fresh, make(good()), "common name: present -> absent\n");
}

static void a_lifetime_that_was_asked_for_and_not_had_is_noted(void **state)
{
	struct certificate_config with = config;
	struct cert *fresh = make(good());
	struct accept_facts facts = {
		.config = &with, .fresh = fresh, .key = f.key, .now = NOW
	};
	struct strlist notes = { 0 };

	(void)state;
	accept_wishes(&facts, &notes);
	with.lifetime_s = 88 * DAY; /* near enough */
	accept_wishes(&facts, &notes);
	assert_int_equal(notes.n, 0);
	with.lifetime_s = 30 * DAY;
	accept_wishes(&facts, &notes);
	assert_int_equal(notes.n, 1);
	assert_string_equal(notes.items[0],
			    "'lifetime' is 30 d, and the CA has issued for 90 d 1 h");
	strlist_clear(&notes);
	cert_free(fresh);
}

static void after_an_expired_or_absent_one_requirements_only_warn(void **state)
{
	struct certificate_config with = config;
	struct testcert_spec fresh = good(), old = good();

	(void)state;
	with.require = REQUIRE_CN;
	fresh.common_name = "";
	old.not_before_at = NOW - 91 * DAY;
	old.not_after_at = NOW - DAY;
	expect_accepted(with, fresh, make(old),
			"common name: present -> absent, although 'require' lists it\n");
	expect_accepted(with, fresh, NULL,
			"common name: absent -> absent, although 'require' lists it\n");
	fresh.key = f.other_key; /* the first group refuses all the same */
	expect_refused(with, fresh, NULL, "another key");
}

static void after_a_revoked_one_requirements_only_warn(void **state)
{
	struct certificate_config with = config;
	struct testcert_spec spec = good();
	struct strlist warnings = { 0 };
	struct accept_facts facts = { .config = &with, .key = f.key, .now = NOW };
	struct cert *fresh, *old = make(good());
	struct err err = { 0 };

	(void)state;
	with.require = REQUIRE_CN;
	spec.common_name = "";
	fresh = make(spec);
	facts.fresh = fresh;
	facts.old = old;
	assert_int_equal(accept_certificate(&facts, &warnings, &err), -1);
	facts.old_revoked = true;
	assert_int_equal(accept_certificate(&facts, &warnings, &err), 0);
	strlist_clear(&warnings);
	cert_free(fresh);
	cert_free(old);
}

static void changes_are_warned_of_from_old_to_new(void **state)
{
	struct testcert_spec fresh = good(), old = good();

	(void)state;
	fresh.issuer = f.other_ca;
	expect_accepted(config, fresh, make(old),
			"issuer: 'CN=Test CA' -> 'CN=Other CA'\n");
	fresh = good();
	fresh.not_after_at = NOW + 45 * DAY;
	expect_accepted(config, fresh, make(old), "lifetime: 90 d 1 h -> 45 d 1 h\n");
	fresh = good();
	fresh.common_name = "b.example";
	expect_accepted(config, fresh, make(old),
			"common name: 'a.example' -> 'b.example'\n");
	fresh = good();
	fresh.key_usage = "digitalSignature";
	old.key_usage = "digitalSignature,keyEncipherment";
	expect_accepted(config, fresh, make(old),
			"key usage: digitalSignature, keyEncipherment -> "
			"digitalSignature\n");
}

static void a_lifetime_that_differs_by_hours_is_no_news(void **state)
{
	struct testcert_spec fresh = good();

	(void)state;
	fresh.not_after_at += 7200;
	expect_accepted(config, fresh, make(good()), "");
}

/* The verdict on a certificate that somebody put into a store. */
static int judge_put(const char *const *wanted, struct testcert_spec spec,
		     const EVP_PKEY *key, struct err *err)
{
	const struct certificate_config with = { .name = "xu", .hosts = wanted };
	struct cert *fresh = make(spec);
	const struct accept_facts facts = { .config = &with,
					    .issuer = ISSUER_STORE,
					    .fresh = fresh,
					    .key = key,
					    .now = NOW };
	struct strlist warnings = { 0 };
	int rc = accept_certificate(&facts, &warnings, err);

	strlist_clear(&warnings);
	cert_free(fresh);
	return rc;
}

static void what_was_put_into_a_store_is_taken_as_it_is(void **state)
{
	struct testcert_spec spec = good();
	struct err err;

	(void)state;
	/* Its key is in the store, it has more names than ours, and is due already. */
	spec.not_before_at = NOW - 80 * DAY;
	spec.not_after_at = NOW + DAY;
	assert_int_equal(judge_put(NAMES("a.example"), spec, NULL, &err), 0);
	assert_int_equal(judge_put(NAMES("c.example"), spec, NULL, &err), -1);
	assert_non_null(strstr(err.text, "instead of 'c.example'"));
	assert_int_equal(judge_put(NAMES("a.example"), spec, f.other_key, &err), -1);
	spec.not_after_at = NOW - DAY;
	assert_int_equal(judge_put(NAMES("a.example"), spec, NULL, &err), -1);
	assert_non_null(strstr(err.text, "has expired"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_first_certificate_is_accepted_without_a_word),
		cmocka_unit_test(a_good_successor_is_accepted_without_a_word),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(other_names_are_refused_with_both_lists),
		cmocka_unit_test(a_chain_that_does_not_verify_is_refused),
		cmocka_unit_test(a_certificate_of_the_future_or_the_past_is_refused),
		cmocka_unit_test(a_certificate_that_would_be_due_at_once_is_refused),
		cmocka_unit_test(what_was_put_into_a_store_is_taken_as_it_is),
		cmocka_unit_test(what_got_lost_is_warned_of),
		cmocka_unit_test(what_got_lost_is_refused_when_it_is_required),
		cmocka_unit_test(a_common_name_that_no_host_fits_into_is_not_required),
		cmocka_unit_test(a_lifetime_that_was_asked_for_and_not_had_is_noted),
		cmocka_unit_test(after_an_expired_or_absent_one_requirements_only_warn),
		cmocka_unit_test(after_a_revoked_one_requirements_only_warn),
		cmocka_unit_test(changes_are_warned_of_from_old_to_new),
		cmocka_unit_test(a_lifetime_that_differs_by_hours_is_no_news),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
