/* The Link header (RFC 8288), and retry times in prose: both come from strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/link.h"
#include "acme/retry_text.h"

/* The targets with rel=alternate, joined by blanks. */
static void expect(const char *value, const char *wanted)
{
	struct strlist targets = { 0 };
	char joined[1024] = "";

	link_targets(value, "alternate", &targets);
	for (size_t i = 0; i < targets.n; i++) {
		size_t len = strlen(joined);

		snprintf(joined + len, sizeof(joined) - len, "%s%s", i ? " " : "",
			 targets.items[i]);
	}
	assert_string_equal(joined, wanted);
	strlist_clear(&targets);
}

static void links_of_the_relation_are_found(void **state)
{
	(void)state;
	expect("<https://ca/1>;rel=\"alternate\"", "https://ca/1");
	expect("<https://ca/1>; rel=alternate", "https://ca/1");
	expect(" <https://ca/1> ; REL = \"Alternate\" ", "https://ca/1");
	expect("<https://ca/1>;rel=\"index alternate\"", "https://ca/1");
	expect("<https://ca/1>;title=\"a, b; <c>\";rel=alternate", "https://ca/1");
	expect("<https://ca/1>;title=\"say \\\"x\\\"\";rel=alternate", "https://ca/1");
	expect("<https://ca/1>;crossorigin;rel=alternate", "https://ca/1");
	expect("<https://ca/a,b;c>;rel=alternate", "https://ca/a,b;c");
}

static void several_links_stand_in_one_header(void **state)
{
	(void)state;
	expect("<https://ca/1>;rel=alternate, <https://ca/2>;rel=index,"
	       "<https://ca/3>;rel=alternate",
	       "https://ca/1 https://ca/3");
	expect("<https://ca/1>;rel=alternate, <https://ca/1>;rel=alternate",
	       "https://ca/1");
}

static void other_relations_do_not_count(void **state)
{
	(void)state;
	expect("<https://ca/1>;rel=\"index\"", "");
	expect("<https://ca/1>;rel=alternate2", "");
	expect("<https://ca/1>", "");
	expect("<https://ca/1>;title=alternate", "");
	expect("<https://ca/1>;rel=index;rel=alternate", ""); /* the first one counts */
}

static void what_is_malformed_ends_the_reading(void **state)
{
	(void)state;
	expect("", "");
	expect("https://ca/1;rel=alternate", "");
	expect("<https://ca/1;rel=alternate", "");
	expect("<https://ca/1>;rel=\"alternate", "");
	expect("<https://ca/1>;rel=\"alternate\\", "");
	expect("<https://ca/1>;rel=alternate x <https://ca/2>;rel=alternate",
	       "https://ca/1");
	expect("<https://ca/1>;rel=alternate,,<https://ca/2>;rel=alternate",
	       "https://ca/1");
}

static void only_https_is_followed(void **state)
{
	(void)state;
	expect("<http://ca/1>;rel=alternate,<file:///etc>;rel=alternate,"
	       "</relative>;rel=alternate,<https://ca/2>;rel=alternate",
	       "https://ca/2");
}

static void every_header_of_an_answer_is_read_and_no_more_than_sixteen(void **state)
{
	struct http_response response = { 0 };
	struct strlist targets = { 0 };
	char line[128];

	(void)state;
	strlist_add(&response.headers, "linkage: <https://ca/no>;rel=alternate");
	strlist_add(&response.headers, "link: <https://ca/dir>;rel=index");
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line), "link: <https://ca/%d>;rel=alternate", i);
		strlist_add(&response.headers, line);
	}
	link_targets_of(&response, "alternate", &targets);
	assert_int_equal(targets.n, LINKS_MAX);
	assert_string_equal(targets.items[0], "https://ca/0");
	strlist_clear(&targets);
	strlist_clear(&response.headers);
}

static void expect_instant(const char *text, int64_t wanted)
{
	int64_t at = -1;

	if (!retry_text_find(text, &at))
		fail_msg("not found: %s", text);
	assert_int_equal(at, wanted);
}

static void a_retry_time_in_words_is_found(void **state)
{
	(void)state;
	expect_instant("too many, retry after 2026-11-21 10:00:00 UTC: see https://le/",
		       1795255200);
	expect_instant("Retry After 2026-11-21T10:00:00Z", 1795255200);
	expect_instant("retry after 2026-11-21 10:00:00.123 +0000 UTC", 1795255200);
	expect_instant("retry after 2026-11-21 10:00:00 GMT.", 1795255200);
	expect_instant("retry after lunch, retry after 2026-11-21 10:00:00 UTC",
		       1795255200);
}

static void what_is_no_retry_time_is_not_taken_for_one(void **state)
{
	static const char *const texts[] = {
		"",
		"retry after ",
		"retry after 2026-11-21",
		"retry after 2026-11-21 10:00:00",
		"retry after 2026-11-21 10:00:00 CET",
		"retry after 2026-11-21 10:00:00 UTCs",
		"retry after 2026-13-21 10:00:00 UTC",
		"retry after 2026-11-21_10:00:00 UTC",
		"please retry later",
	};
	int64_t at = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (retry_text_find(texts[i], &at))
			fail_msg("%s", texts[i]);
	}
	assert_int_equal(at, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_of_the_relation_are_found),
		cmocka_unit_test(several_links_stand_in_one_header),
		cmocka_unit_test(other_relations_do_not_count),
		cmocka_unit_test(what_is_malformed_ends_the_reading),
		cmocka_unit_test(only_https_is_followed),
		cmocka_unit_test(
			every_header_of_an_answer_is_read_and_no_more_than_sixteen),
		cmocka_unit_test(a_retry_time_in_words_is_found),
		cmocka_unit_test(what_is_no_retry_time_is_not_taken_for_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
