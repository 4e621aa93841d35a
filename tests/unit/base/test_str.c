#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void null_equals_null_and_nothing_else(void **state)
{
	(void)state;
	assert_true(str_equal(NULL, NULL));
	assert_false(str_equal(NULL, ""));
	assert_false(str_equal("", NULL));
	assert_true(str_equal("a", "a"));
	assert_false(str_equal("a", "A"));
	assert_true(str_equal_nocase(NULL, NULL));
	assert_false(str_equal_nocase("", NULL));
}

static void case_folding_is_ascii_only(void **state)
{
	(void)state;
	assert_true(str_equal_nocase("XU.Example", "xu.eXAMPLE"));
	assert_false(str_equal_nocase("a", "ab"));
	assert_false(str_equal_nocase("ab", "a"));
	assert_false(str_equal_nocase("\xc3\x84", "\xc3\xa4"));
	assert_false(str_equal_nocase("[", "{")); /* apart by the bit that makes case */
}

static void starts_and_ends_are_seen(void **state)
{
	(void)state;
	assert_true(str_starts("https://x", "https://"));
	assert_false(str_starts("http", "https"));
	assert_true(str_starts("x", ""));
	assert_true(str_ends("a.json", ".json"));
	assert_false(str_ends("json", ".json"));
	assert_true(str_ends("x", ""));
}

static void copies_are_bounded_by_the_text_and_by_the_length(void **state)
{
	char *a = str_ndup("abc", 2), *b = str_ndup("abc", 99), *c = str_printf("%d", 42);

	(void)state;
	assert_string_equal(a, "ab");
	assert_string_equal(b, "abc");
	assert_string_equal(c, "42");
	assert_null(str_dup(NULL));
	free(a);
	free(b);
	free(c);
	str_free_secret(NULL);
	str_free_secret(str_dup("key"));
}

static void distance_counts_single_edits(void **state)
{
	(void)state;
	assert_int_equal(str_distance("", ""), 0);
	assert_int_equal(str_distance("hosts", "hosts"), 0);
	assert_int_equal(str_distance("", "abc"), 3);
	assert_int_equal(str_distance("abc", ""), 3);
	assert_int_equal(str_distance("hosts", "host"), 1);
	assert_int_equal(str_distance("hosts", "hostss"), 1);
	assert_int_equal(str_distance("hosts", "bosts"), 1);
	assert_int_equal(str_distance("hosts", "hsots"), 1);
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	assert_int_equal(str_distance("ca", "abc"), 3); /* no edit of a swapped pair */
}

static void long_words_are_not_compared(void **state)
{
	char a[66], b[66];

	(void)state;
	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	a[65] = b[65] = '\0';
	assert_int_equal(str_distance(a, b), 64);
	assert_int_equal(str_distance("a", b), 64);
	a[64] = b[64] = '\0';
	b[0] = 'b';
	assert_int_equal(str_distance(a, b), 1);
}

static void hex_goes_both_ways(void **state)
{
	unsigned char bytes[4];
	char text[9];

	(void)state;
	hex_encode("\x00\x1f\xab\xff", 4, false, text);
	assert_string_equal(text, "001fabff");
	hex_encode("\x00\x1f\xab\xff", 4, true, text);
	assert_string_equal(text, "001FABFF");
	assert_int_equal(hex_decode("001faBFf", bytes, 4), 0);
	assert_memory_equal(bytes, "\x00\x1f\xab\xff", 4);
}

static void hex_of_another_length_or_alphabet_is_refused(void **state)
{
	unsigned char bytes[4] = { 1, 2, 3, 4 };

	(void)state;
	assert_int_equal(hex_decode("001fabf", bytes, 4), -1);
	assert_int_equal(hex_decode("001fabff0", bytes, 4), -1);
	assert_int_equal(hex_decode("001fabfg", bytes, 4), -1);
	assert_int_equal(hex_decode("001fab f", bytes, 4), -1);
	assert_int_equal(hex_decode("0x1fabff", bytes, 4), -1);
	assert_int_equal(hex_decode("", bytes, 0), 0);
	assert_memory_equal(bytes, "\1\2\3\4", 4);
}

static void printable(const char *raw, const char *expected)
{
	char *text = str_dup(raw);

	str_make_printable(text);
	assert_string_equal(text, expected);
	free(text);
}

static void strangers_cannot_move_the_cursor(void **state)
{
	(void)state;
	printable("plain text", "plain text");
	printable("two\r\nlines\tand", "two  lines and");
	printable("\x1b[31mred\x07\x7f", "?[31mred??");
	printable("\xc2\x9b"
		  "2J",
		  "?2J"); /* CSI as one character of Latin-1 */
	printable("a\xe2\x80\xae"
		  "b\xe2\x81\xa6"
		  "c\xe2\x80\xa8",
		  "a?b?c?"); /* right-to-left override, isolate, line separator */
}

static void a_secret_that_was_echoed_is_hidden_wherever_it_stands(void **state)
{
	char text[] = "s3cret: not s3cret, nor s3cre7";

	(void)state;
	str_hide(text, "s3cret", 6);
	assert_string_equal(text, "******: not ******, nor s3cre7");
	str_hide(text, "not", 3); /* too short to be one */
	assert_string_equal(text, "******: not ******, nor s3cre7");
	str_hide(NULL, "s3cret", 6);
}

static void utf8_stays_and_what_is_none_does_not(void **state)
{
	(void)state;
	printable("Zürich – 東京 🔑", "Zürich – 東京 🔑");
	printable("a\xff\xfe"
		  "b",
		  "a??b");
	printable("\xc3", "?");                /* cut short */
	printable("\xe2\x82", "??");           /* cut short */
	printable("\xc0\xaf", "??");           /* overlong '/' */
	printable("\xe0\x80\xaf", "???");      /* overlong */
	printable("\xed\xa0\x80", "???");      /* surrogate */
	printable("\xf4\x90\x80\x80", "????"); /* above U+10FFFF */
	printable("\xc3\n", "? ");
}

static void lists_grow_sort_and_end_in_null(void **state)
{
	struct strlist list = { 0 };
	char name[] = "b";

	(void)state;
	strlist_sort(&list);
	assert_false(strlist_has(&list, "b"));
	strlist_add(&list, name);
	name[0] = 'a';
	strlist_add(&list, name);
	strlist_add(&list, "B");
	strlist_sort(&list);
	assert_int_equal(list.n, 3);
	assert_string_equal(list.items[0], "B");
	assert_string_equal(list.items[1], "a");
	assert_string_equal(list.items[2], "b");
	assert_null(list.items[3]);
	assert_true(strlist_has(&list, "b"));
	assert_false(strlist_has(&list, "c"));
	strlist_clear(&list);
	assert_int_equal(list.n, 0);
	strlist_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_equals_null_and_nothing_else),
		cmocka_unit_test(case_folding_is_ascii_only),
		cmocka_unit_test(starts_and_ends_are_seen),
		cmocka_unit_test(copies_are_bounded_by_the_text_and_by_the_length),
		cmocka_unit_test(distance_counts_single_edits),
		cmocka_unit_test(long_words_are_not_compared),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(hex_of_another_length_or_alphabet_is_refused),
		cmocka_unit_test(strangers_cannot_move_the_cursor),
		cmocka_unit_test(a_secret_that_was_echoed_is_hidden_wherever_it_stands),
		cmocka_unit_test(utf8_stays_and_what_is_none_does_not),
		cmocka_unit_test(lists_grow_sort_and_end_in_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
