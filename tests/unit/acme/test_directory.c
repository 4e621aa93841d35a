#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/directory.h"
#include "base/buf.h"

#define REQUIRED                                                                         \
	"\"newNonce\":\"https://ca/n\",\"newAccount\":\"https://ca/a\","                 \
	"\"newOrder\":\"https://ca/o\""

static struct acme_directory parsed(const char *json)
{
	struct acme_directory directory;
	struct err err;

	if (acme_directory_parse(json, strlen(json), &directory, &err))
		fail_msg("%s", err.text);
	return directory;
}

static void expect_refusal(const char *json, const char *words)
{
	struct acme_directory directory;
	struct err err;

	assert_int_equal(acme_directory_parse(json, strlen(json), &directory, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	if (!strstr(err.text, words))
		fail_msg("%s", err.text);
}

static void a_whole_directory_is_read(void **state)
{
	struct acme_directory directory = parsed(
		"{" REQUIRED
		",\"revokeCert\":\"https://ca/r\",\"keyChange\":\"https://ca/k\","
		"\"renewalInfo\":\"https://ca/i\",\"meta\":{\"termsOfService\":"
		"\"https://ca/terms\",\"website\":\"https://ca\","
		"\"externalAccountRequired\":true}}");

	(void)state;
	assert_string_equal(directory.new_nonce, "https://ca/n");
	assert_string_equal(directory.new_account, "https://ca/a");
	assert_string_equal(directory.new_order, "https://ca/o");
	assert_string_equal(directory.revoke_cert, "https://ca/r");
	assert_string_equal(directory.key_change, "https://ca/k");
	assert_string_equal(directory.renewal_info, "https://ca/i");
	assert_string_equal(directory.terms_of_service, "https://ca/terms");
	assert_string_equal(directory.website, "https://ca");
	assert_true(directory.external_account_required);
	acme_directory_clear(&directory);
	assert_null(directory.new_nonce);
	acme_directory_clear(NULL);
}

static void only_three_urls_are_required(void **state)
{
	struct acme_directory directory = parsed(
		"{" REQUIRED ",\"renewalInfo\":\"http://plain\",\"random\":1}");

	(void)state;
	assert_null(directory.renewal_info);
	assert_null(directory.terms_of_service);
	assert_false(directory.external_account_required);
	acme_directory_clear(&directory);
}

static void what_is_no_directory_says_what_is_missing(void **state)
{
	(void)state;
	expect_refusal("<html>", "not an ACME directory: not JSON");
	expect_refusal("{}", "not an ACME directory: no 'newNonce' in it");
	expect_refusal("[]", "not an ACME directory: no 'newNonce' in it");
	expect_refusal("{\"newNonce\":\"https://ca/n\",\"newAccount\":\"ftp://\\u0007\"}",
		       "'newAccount' is 'ftp://?', no https:// URL");
	expect_refusal("{\"newNonce\":\"https://ca/n\",\"newAccount\":\"https://ca/a\","
		       "\"newOrder\":7}",
		       "no 'newOrder' in it");
}

static void texts_of_the_ca_are_printable_and_of_sane_length(void **state)
{
	char json[4096] = "{" REQUIRED ",\"meta\":{\"website\":\"a\\u001b[2J\","
			  "\"termsOfService\":\"";
	struct acme_directory directory;

	(void)state;
	memset(json + strlen(json), 'x', 2500);
	strncat(json, "\"}}", 8);
	directory = parsed(json);
	assert_string_equal(directory.website, "a?[2J");
	assert_null(directory.terms_of_service);
	acme_directory_clear(&directory);
}

static void profiles_are_read_with_what_the_ca_says_about_them(void **state)
{
	struct acme_directory directory = parsed(
		"{" REQUIRED ",\"meta\":{\"profiles\":{\"classic\":\"as ever\","
		"\"short\\u0007\":7,\"\":\"nameless\"}}}");

	(void)state;
	assert_int_equal(directory.profiles.n, 2);
	assert_int_equal(directory.profile_texts.n, 2);
	assert_string_equal(directory.profiles.items[0], "classic");
	assert_string_equal(directory.profile_texts.items[0], "as ever");
	assert_string_equal(directory.profiles.items[1], "short?");
	assert_string_equal(directory.profile_texts.items[1], "");
	acme_directory_clear(&directory);
	directory = parsed("{" REQUIRED ",\"meta\":{\"profiles\":[\"classic\"]}}");
	assert_int_equal(directory.profiles.n, 0);
	acme_directory_clear(&directory);
}

static void caa_identities_are_read_in_lower_case(void **state)
{
	struct acme_directory directory = parsed(
		"{" REQUIRED ",\"meta\":{\"caaIdentities\":[\"LetsEncrypt.org\",7,\"\","
		"\"ca.example\"]}}");

	(void)state;
	assert_int_equal(directory.caa_identities.n, 2);
	assert_string_equal(directory.caa_identities.items[0], "letsencrypt.org");
	assert_string_equal(directory.caa_identities.items[1], "ca.example");
	acme_directory_clear(&directory);
	directory = parsed("{" REQUIRED ",\"meta\":{\"caaIdentities\":\"ca.example\"}}");
	assert_int_equal(directory.caa_identities.n, 0);
	acme_directory_clear(&directory);
}

static void more_profiles_and_identities_than_anybody_has_are_left_out(void **state)
{
	struct acme_directory directory;
	struct buf json;

	(void)state;
	buf_init(&json, 65536);
	buf_puts(&json, "{" REQUIRED ",\"meta\":{\"caaIdentities\":[\"x\"");
	for (int i = 0; i < 100; i++)
		buf_printf(&json, ",\"ca%d\"", i);
	buf_puts(&json, "],\"profiles\":{\"x\":\"\"");
	for (int i = 0; i < 100; i++)
		buf_printf(&json, ",\"p%d\":\"\"", i);
	buf_puts(&json, "}}}");
	directory = parsed(buf_str(&json));
	assert_int_equal(directory.caa_identities.n, 32);
	assert_int_equal(directory.profiles.n, 32);
	assert_int_equal(directory.profile_texts.n, 32);
	acme_directory_clear(&directory);
	buf_release(&json);
}

static void of_urls_that_stand_twice_the_first_counts(void **state)
{
	struct acme_directory directory = parsed(
		"{" REQUIRED ",\"newOrder\":\"https://elsewhere/o\"}");

	(void)state;
	assert_string_equal(directory.new_order, "https://ca/o");
	acme_directory_clear(&directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_directory_is_read),
		cmocka_unit_test(only_three_urls_are_required),
		cmocka_unit_test(what_is_no_directory_says_what_is_missing),
		cmocka_unit_test(texts_of_the_ca_are_printable_and_of_sane_length),
		cmocka_unit_test(profiles_are_read_with_what_the_ca_says_about_them),
		cmocka_unit_test(caa_identities_are_read_in_lower_case),
		cmocka_unit_test(
			more_profiles_and_identities_than_anybody_has_are_left_out),
		cmocka_unit_test(of_urls_that_stand_twice_the_first_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
