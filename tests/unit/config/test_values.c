#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "config/suggest.h"
#include "config/values.h"

static void a_duration_is_a_number_with_one_unit(void **state)
{
	int64_t s = -1;

	(void)state;
	assert_int_equal(value_duration("90s", &s), 0);
	assert_int_equal(s, 90);
	assert_int_equal(value_duration("15m", &s), 0);
	assert_int_equal(s, 900);
	assert_int_equal(value_duration("24h", &s), 0);
	assert_int_equal(s, 86400);
	assert_int_equal(value_duration("30d", &s), 0);
	assert_int_equal(s, 30 * 86400);
	assert_int_equal(value_duration("2w", &s), 0);
	assert_int_equal(s, 14 * 86400);
}

static void zero_needs_no_unit_but_every_other_number_does(void **state)
{
	static const char *const wrong[] = { "30",          "",    "s",  "-1s",
					     "1h30m",       "1 s", "1S", "1.5h",
					     "1000000000s", " 1s", "1ss" };
	int64_t s = 7;

	(void)state;
	assert_int_equal(value_duration("0", &s), 0);
	assert_int_equal(s, 0);
	s = 7;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(value_duration(wrong[i], &s), -1);
	assert_int_equal(s, 7);
}

static void a_duration_is_written_in_its_largest_whole_unit(void **state)
{
	char text[DURATION_TEXT_MAX];

	(void)state;
	value_format_duration(5400, text);
	assert_string_equal(text, "90m");
	value_format_duration(86400, text);
	assert_string_equal(text, "1d");
	value_format_duration(61, text);
	assert_string_equal(text, "61s");
	value_format_duration(0, text);
	assert_string_equal(text, "0s");
}

static void a_fraction_lies_between_nothing_and_all(void **state)
{
	static const char *const wrong[] = { "0/3", "3/3",    "4/3",  "1/",
					     "/3",  "1/1001", "1/3 ", "30",
					     "0.3", "1//3",   "-1/3" };
	int64_t n = 0, d = 0;

	(void)state;
	assert_int_equal(value_fraction("1/3", &n, &d), 0);
	assert_int_equal(n, 1);
	assert_int_equal(d, 3);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(value_fraction(wrong[i], &n, &d), -1);
}

static void a_number_is_digits_alone(void **state)
{
	int64_t n = 0;

	(void)state;
	assert_int_equal(value_number("64", &n), 0);
	assert_int_equal(n, 64);
	assert_int_equal(value_number("0x10", &n), -1);
	assert_int_equal(value_number("+4", &n), -1);
	assert_int_equal(value_number("99999999999999999999", &n), -1);
}

static void switches_are_those_of_yaml_1_1(void **state)
{
	static const char *const yes[] = { "yes", "Yes", "YES", "true", "True", "on" };
	static const char *const no[] = { "no", "No", "false", "FALSE", "off" };
	bool value = false;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		value = false;
		assert_int_equal(value_switch(yes[i], &value), 0);
		assert_true(value);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		value = true;
		assert_int_equal(value_switch(no[i], &value), 0);
		assert_false(value);
	}
	assert_int_equal(value_switch("y", &value), -1);
	assert_int_equal(value_switch("1", &value), -1);
}

static void a_mode_is_octal(void **state)
{
	uint32_t mode = 0;

	(void)state;
	assert_int_equal(value_mode("0640", &mode), 0);
	assert_int_equal(mode, 0640);
	assert_int_equal(value_mode("600", &mode), 0);
	assert_int_equal(mode, 0600);
	assert_int_equal(value_mode("0840", &mode), -1);
	assert_int_equal(value_mode("4755", &mode), -1);
	assert_int_equal(value_mode("64", &mode), -1);
	assert_int_equal(value_mode("rw-r-----", &mode), -1);
}

static struct arena *arena;

static const char *convert(value_converter *converter, const char *text)
{
	struct value_context context = { arena, "/etc/certrenewd" };
	const char *why = NULL;

	return converter(&context, text, &why);
}

static int make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void a_name_has_letters_digits_hyphens_and_underscores(void **state)
{
	char longest[65];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[64] = '\0';
	assert_string_equal(convert(value_name, "shop-1_A"), "shop-1_A");
	assert_null(convert(value_name, longest));
	assert_null(convert(value_name, ""));
	assert_null(convert(value_name, "-x"));
	assert_null(convert(value_name, "a/b"));
	assert_null(convert(value_name, "a.b"));
	longest[63] = '\0';
	assert_non_null(convert(value_name, longest));
}

static void a_unit_without_a_suffix_is_a_service(void **state)
{
	(void)state;
	assert_string_equal(convert(value_unit, "nginx"), "nginx.service");
	assert_string_equal(convert(value_unit, "app@1.service"), "app@1.service");
	assert_null(convert(value_unit, "a b"));
	assert_null(convert(value_unit, ""));
	assert_null(convert(value_unit, "../x.service"));
}

static void an_account_is_a_name_or_a_number(void **state)
{
	(void)state;
	assert_string_equal(convert(value_account, "www-data"), "www-data");
	assert_string_equal(convert(value_account, "33"), "33");
	assert_null(convert(value_account, "root:root"));
	assert_null(convert(value_account, ""));
}

static void a_credential_is_a_file_name_alone(void **state)
{
	(void)state;
	assert_string_equal(convert(value_credential, "eab"), "eab");
	assert_null(convert(value_credential, "../shadow"));
	assert_null(convert(value_credential, "a\\b"));
	assert_null(convert(value_credential, ".."));
	assert_null(convert(value_credential, ""));
}

static void paths_of_another_system_are_absolute_too(void **state)
{
	(void)state;
	assert_string_equal(convert(value_absolute, "C:\\Program Files\\X"),
			    "C:\\Program Files\\X");
	assert_non_null(convert(value_absolute, "D:/x"));
	assert_non_null(convert(value_absolute, "\\\\host\\share"));
	assert_null(convert(value_absolute, "C:x"));
	assert_null(convert(value_absolute, "x/y"));
	assert_null(convert(value_absolute, ""));
}

static void an_absolute_path_does_not_climb(void **state)
{
	struct value_context context = { arena, "/" };
	const char *why = NULL;

	(void)state;
	assert_null(value_absolute(&context, "/srv/../etc", &why));
	assert_non_null(strstr(why, "'..'"));
	assert_null(convert(value_absolute, "/srv/.."));
	assert_null(convert(value_absolute, "C:\\a\\..\\b"));
}

static void control_characters_are_noticed(void **state)
{
	(void)state;
	assert_true(value_has_control("a\nb"));
	assert_true(value_has_control("\033[2J"));
	assert_true(value_has_control("\x7f"));
	assert_false(value_has_control("b\xc3\xbc"
				       "cher \\ '\""));
}

static const char *nearest(const char *typed)
{
	struct suggestion near = { .typed = typed };

	suggest_offer(&near, "hosts");
	suggest_offer(&near, "issuers");
	suggest_offer(&near, "agree_to_terms");
	return near.nearest;
}

static void a_typing_error_is_matched_with_the_nearest_key(void **state)
{
	(void)state;
	assert_string_equal(nearest("issuer"), "issuers");
	assert_string_equal(nearest("hsots"), "hosts");
	assert_string_equal(nearest("HOSTS"), "hosts");
	assert_string_equal(nearest("agree-to-terms"), "agree_to_terms");
	assert_null(nearest("directory"));
	assert_null(nearest(""));
}

static void without_a_near_key_nothing_is_suggested(void **state)
{
	struct suggestion none = { .typed = "x" }, near = { .typed = "host" };
	char text[64];

	(void)state;
	suggest_offer(&near, "hosts");
	assert_string_equal(suggest_text(&none, text, sizeof(text)), "");
	assert_string_equal(suggest_text(&near, text, sizeof(text)),
			    ": did you mean 'hosts'?");
}

int main(void)
{
	const struct CMUnitTest values[] = {
		cmocka_unit_test(a_duration_is_a_number_with_one_unit),
		cmocka_unit_test(zero_needs_no_unit_but_every_other_number_does),
		cmocka_unit_test(a_duration_is_written_in_its_largest_whole_unit),
		cmocka_unit_test(a_fraction_lies_between_nothing_and_all),
		cmocka_unit_test(a_number_is_digits_alone),
		cmocka_unit_test(switches_are_those_of_yaml_1_1),
		cmocka_unit_test(a_mode_is_octal),
		cmocka_unit_test(a_name_has_letters_digits_hyphens_and_underscores),
		cmocka_unit_test(a_unit_without_a_suffix_is_a_service),
		cmocka_unit_test(an_account_is_a_name_or_a_number),
		cmocka_unit_test(a_credential_is_a_file_name_alone),
		cmocka_unit_test(paths_of_another_system_are_absolute_too),
		cmocka_unit_test(an_absolute_path_does_not_climb),
		cmocka_unit_test(control_characters_are_noticed),
		cmocka_unit_test(a_typing_error_is_matched_with_the_nearest_key),
		cmocka_unit_test(without_a_near_key_nothing_is_suggested),
	};
	return cmocka_run_group_tests(values, make_arena, free_arena);
}
