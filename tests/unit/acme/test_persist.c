/* The TXT record of dns-persist-01: made, and read as a CA reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/acme.h"
#include "base/clock.h"

#define URL "https://ca.example/acct/1"

static const char *const issuers[] = { "ca.example", "other.example", NULL };

static bool matches(const char *text)
{
	int64_t until;
	bool wildcard;

	return acme_persist_matches(text, issuers, URL, &until, &wildcard);
}

static void the_record_names_issuer_account_policy_and_end(void **state)
{
	char *text = acme_persist_record("ca.example", URL, false, 0);

	(void)state;
	assert_string_equal(text, "ca.example; accounturi=" URL);
	free(text);
	text = acme_persist_record("ca.example", URL, true, 1795255200);
	assert_string_equal(text, "ca.example; accounturi=" URL
				  "; policy=wildcard; persistUntil=1795255200");
	free(text);
}

static void what_is_made_is_read_again(void **state)
{
	char *text = acme_persist_record("other.example", URL, true, 1795255200);
	int64_t until;
	bool wildcard;

	(void)state;
	assert_true(acme_persist_matches(text, issuers, URL, &until, &wildcard));
	assert_int_equal(until, 1795255200);
	assert_true(wildcard);
	free(text);
	text = acme_persist_record("ca.example", URL, false, 0);
	assert_true(acme_persist_matches(text, issuers, URL, &until, &wildcard));
	assert_true(until == CLOCK_NEVER);
	assert_false(wildcard);
	free(text);
}

static void tags_and_policy_have_no_case_and_blanks_do_not_matter(void **state)
{
	int64_t until;
	bool wildcard;

	(void)state;
	assert_true(acme_persist_matches("  CA.Example ;\tAccountURI = " URL
					 " ;POLICY=WildCard; PersistUntil= 17 ",
					 issuers, URL, &until, &wildcard));
	assert_int_equal(until, 17);
	assert_true(wildcard);
	assert_true(acme_persist_matches("ca.example;accounturi=" URL ";policy=other;x=",
					 issuers, URL, &until, &wildcard));
	assert_false(wildcard);
}

static void another_account_or_issuer_does_not_match(void **state)
{
	(void)state;
	assert_false(matches("evil.example; accounturi=" URL));
	assert_false(matches("sub.ca.example; accounturi=" URL));
	assert_false(matches("; accounturi=" URL));
	assert_false(matches("ca.example"));
	assert_false(matches("ca.example;"));
	assert_false(matches("ca.example; accounturi=" URL "1"));
	assert_false(matches("ca.example; accounturi=https://CA.example/acct/1"));
	assert_false(matches("ca.example; accounturi="));
}

static void what_breaks_the_syntax_does_not_match(void **state)
{
	char longest[5000];

	(void)state;
	assert_false(matches(""));
	assert_false(matches("ca.example; accounturi=" URL "; policy"));
	assert_false(matches("ca.example; accounturi=" URL ";"));
	assert_false(matches("ca.example;; accounturi=" URL));
	assert_false(matches("ca.example; accounturi=" URL "; persistUntil=soon"));
	assert_false(matches("ca.example; accounturi=" URL "; persistUntil=-1"));
	assert_false(matches("ca.example; accounturi=" URL "; persistUntil="));
	assert_false(
		matches("ca.example; accounturi=" URL "; persistUntil=9999999999999999"));
	assert_false(matches("ca.example; accounturi=" URL "; accounturi=" URL));
	assert_false(matches("ca.example; accounturi=" URL "; policy=a; policy=b"));
	assert_false(matches("ca.example; accounturi=" URL
			     "; persistUntil=1; PERSISTUNTIL=2"));
	assert_false(matches("ca.example; accounturi=" URL " x"));
	assert_false(matches("ca.example; accounturi=" URL "; -x=1"));
	assert_false(matches("ca.example; accounturi=" URL "; x y=1"));
	assert_false(matches("ca.example; accounturi=" URL "; x=\xc3\xa4"));
	memset(longest, ' ', sizeof(longest));
	memcpy(longest + sizeof(longest) - sizeof("ca.example; accounturi=" URL),
	       "ca.example; accounturi=" URL, sizeof("ca.example; accounturi=" URL));
	assert_false(matches(longest));
	assert_true(matches(longest + 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_record_names_issuer_account_policy_and_end),
		cmocka_unit_test(what_is_made_is_read_again),
		cmocka_unit_test(tags_and_policy_have_no_case_and_blanks_do_not_matter),
		cmocka_unit_test(another_account_or_issuer_does_not_match),
		cmocka_unit_test(what_breaks_the_syntax_does_not_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
