#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hooks/caa.h"

#define LE "letsencrypt.org"
#define ACCOUNT "https://ca.example/acct/7"
#define RECORDS 4

/* A name's records and what becomes of the question; `says` NULL: it may. */
struct expected {
	struct caa_record records[RECORDS];
	const char *identifier;
	const char *says;
};

static const char *const domains[] = { LE, "also.le.example", NULL };

static int ask(const struct expected *expected, const char *account,
	       const char *const *issuer_domains, struct err *err)
{
	struct caa_record records[RECORDS];
	char at[] = "a.example";
	struct caa_set set = { .items = records, .at = at };
	const struct caa_question question = {
		.identifier = expected->identifier ? expected->identifier
						   : "www.a.example",
		.issuer_domains = issuer_domains,
		.account_url = account,
		.method = "dns-01"
	};

	memcpy(records, expected->records, sizeof(records));
	while (set.n < RECORDS && records[set.n].tag)
		set.n++;
	return caa_check(&set, &question, err);
}

static void check_all(const struct expected *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err err = { 0 };
		int rc = ask(&table[i], ACCOUNT, domains, &err);

		if (!table[i].says && rc)
			fail_msg("%zu: refused: %s", i, err.text);
		if (!table[i].says)
			continue;
		if (!rc)
			fail_msg("%zu: allowed, though: %s", i, table[i].says);
		if (err.kind != ERR_REFUSED || !strstr(err.text, table[i].says))
			fail_msg("%zu: '%s' is not in %s: %s", i, table[i].says,
				 err_kind_name(err.kind), err.text);
	}
}

#define CHECK(table) check_all(table, sizeof(table) / sizeof(*(table)))

static void a_name_without_issue_records_is_open_to_all(void **state)
{
	static const struct expected table[] = {
		{ .records = { { 0 } } },
		{ .records = { { false, "iodef", "mailto:a@a.example" } } },
		{ .records = { { false, "issuewild", "ca.example" } } },
		{ .records = { { false, "unknown", "whatever" } } },
		{ .records = { { true, "iodef", "mailto:a@a.example" } } },
	};

	(void)state;
	CHECK(table);
}

static void one_record_that_names_the_ca_suffices(void **state)
{
	static const struct expected table[] = {
		{ .records = { { false, "issue", LE } } },
		{ .records = { { true, "ISSUE", "LetsEncrypt.ORG" } } },
		{ .records = { { false, "issue", " \t" LE " " } } },
		{ .records = { { false, "issue", LE ";" } } },
		{ .records = { { false, "issue", LE " ; \t" } } },
		{ .records = { { false, "issue", "also.le.example" } } },
		{ .records = { { false, "issue", ";" }, { false, "issue", LE } } },
		{ .records = { { false, "issue", "%%%" }, { false, "issue", LE } } },
		{ .records = { { false, "issue", LE "; policy=ev; x-1=y" } } },
	};

	(void)state;
	CHECK(table);
}

static void another_ca_or_nobody_is_a_refusal_with_what_to_publish(void **state)
{
	static const struct expected table[] = {
		{ .records = { { false, "issue", "ca.example" } },
		  .says = "the CAA record 'issue \"ca.example\"' at 'a.example' does not "
			  "let "
			  "'letsencrypt.org' issue for 'www.a.example': publish "
			  "'a.example. "
			  "CAA 0 issue \"letsencrypt.org\"' beside it, or use another "
			  "issuer" },
		{ .records = { { false, "issue", ";" } }, .says = "'issue \";\"'" },
		{ .records = { { false, "issue", "" } }, .says = "'issue \"\"'" },
		{ .records = { { false, "issue", "x" LE } }, .says = "does not let" },
		{ .records = { { false, "issue", "www." LE } }, .says = "does not let" },
	};

	(void)state;
	CHECK(table);
}

static void a_wildcard_asks_issuewild_first_and_issue_without_one(void **state)
{
	static const struct expected table[] = {
		{ .records = { { false, "issue", LE } }, .identifier = "*.a.example" },
		{ .records = { { false, "issue", "ca.example" },
			       { false, "IssueWild", LE } },
		  .identifier = "*.a.example" },
		{ .records = { { false, "issue", LE }, { false, "issuewild", ";" } },
		  .identifier = "*.a.example",
		  .says = "'issuewild \";\"' at 'a.example' does not let "
			  "'letsencrypt.org' "
			  "issue for '*.a.example': publish 'a.example. CAA 0 issuewild "
			  "\"letsencrypt.org\"'" },
		{ .records = { { false, "issue", LE }, { false, "issuewild", ";" } } },
		{ .records = { { false, "issue", "ca.example" },
			       { false, "issuewild", LE } },
		  .says = "'issue \"ca.example\"'" },
	};

	(void)state;
	CHECK(table);
}

static void an_account_that_the_record_names_must_be_ours(void **state)
{
	static const struct expected table[] = {
		{ .records = { { false, "issue", LE "; accounturi=" ACCOUNT } } },
		{ .records = { { false, "issue", LE ";AccountURI = " ACCOUNT " ;" } } },
		{ .records = { { false, "issue", LE "; accounturi=" ACCOUNT "1" } },
		  .says = "to another account only; ours is '" ACCOUNT "': publish "
			  "'a.example. CAA 0 issue \"letsencrypt.org; accounturi=" ACCOUNT
			  "\"' beside it" },
		{ .records = { { false, "issue", LE "; accounturi=x" },
			       { false, "issue", LE "; accounturi=" ACCOUNT } } },
		/* RFC 8657 3: nobody satisfies two. */
		{ .records = { { false, "issue",
				 LE "; accounturi=" ACCOUNT "; accounturi=" ACCOUNT } },
		  .says = "is malformed" },
	};

	(void)state;
	CHECK(table);
}

static void an_account_that_is_not_known_yet_is_not_judged(void **state)
{
	const struct expected bound = { .records = { { false, "issue",
						       LE "; accounturi=x" } } };
	struct err err;

	(void)state;
	assert_int_equal(ask(&bound, NULL, domains, &err), 0);
}

static void methods_that_the_record_lists_must_have_ours(void **state)
{
	static const struct expected table[] = {
		{ .records = { { false, "issue", LE ";validationmethods=dns-01" } } },
		{ .records = { { false, "issue",
				 LE "; validationmethods=http-01,dns-01,x" } } },
		{ .records = { { false, "issue", LE "; validationmethods=http-01" } },
		  .says = "issue for 'www.a.example' by dns-01: add dns-01 to its "
			  "validationmethods, or use a challenge that it lists" },
		{ .records = { { false, "issue", LE "; validationmethods=dns-011" } },
		  .says = "by dns-01" },
		{ .records = { { false, "issue", LE "; validationmethods=" } },
		  .says = "by dns-01" },
		{ .records = { { false, "issue",
				 LE "; validationmethods=http-01, dns-01" } },
		  .says = "is malformed" },
	};

	(void)state;
	CHECK(table);
}

static void what_is_malformed_authorises_nobody(void **state)
{
	static const struct expected table[] = {
		{ .records = { { false, "issue", "%%%" } },
		  .says = "the CAA record 'issue \"%%%\"' at 'a.example' is malformed "
			  "and "
			  "lets nobody issue for 'www.a.example': publish 'a.example. "
			  "CAA 0 "
			  "issue \"letsencrypt.org\"' in its place" },
		{ .records = { { false, "issue", LE " " LE } }, .says = "malformed" },
		{ .records = { { false, "issue", LE "; novalue" } },
		  .says = "malformed" },
		{ .records = { { false, "issue", LE "; =x" } }, .says = "malformed" },
		{ .records = { { false, "issue", LE "; -a=x" } }, .says = "malformed" },
		{ .records = { { false, "issue", LE ";; a=x" } }, .says = "malformed" },
		{ .records = { { false, "issue", LE "; a=x y" } }, .says = "malformed" },
		{ .records = { { false, "issue", ".example" } }, .says = "malformed" },
		{ .records = { { false, "issue", "a..example" } }, .says = "malformed" },
		{ .records = { { false, "issue", "a.-b.example" } },
		  .says = "malformed" },
		{ .records = { { false, "issue", "caf\xc3\xa9.example" } },
		  .says = "malformed" },
	};

	(void)state;
	CHECK(table);
}

static void a_critical_property_that_nobody_knows_stops_all(void **state)
{
	static const struct expected table[] = {
		{ .records = { { false, "issue", LE }, { true, "tbs", "Un\x1bknown" } },
		  .says = "the CAA record 'tbs \"Un?known\"' at 'a.example' is critical "
			  "and "
			  "of a kind that CAs do not know, so none may issue: remove it, "
			  "or "
			  "publish it with flags 0" },
	};

	(void)state;
	CHECK(table);
}

static void a_ca_whose_domains_are_not_known_is_not_judged(void **state)
{
	static const char *const none[] = { NULL };
	const struct expected closed = { .records = { { false, "issue", ";" } } };
	struct err err;

	(void)state;
	assert_int_equal(ask(&closed, ACCOUNT, NULL, &err), 0);
	assert_int_equal(ask(&closed, ACCOUNT, none, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_without_issue_records_is_open_to_all),
		cmocka_unit_test(one_record_that_names_the_ca_suffices),
		cmocka_unit_test(another_ca_or_nobody_is_a_refusal_with_what_to_publish),
		cmocka_unit_test(a_wildcard_asks_issuewild_first_and_issue_without_one),
		cmocka_unit_test(an_account_that_the_record_names_must_be_ours),
		cmocka_unit_test(an_account_that_is_not_known_yet_is_not_judged),
		cmocka_unit_test(methods_that_the_record_lists_must_have_ours),
		cmocka_unit_test(what_is_malformed_authorises_nobody),
		cmocka_unit_test(a_critical_property_that_nobody_knows_stops_all),
		cmocka_unit_test(a_ca_whose_domains_are_not_known_is_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
