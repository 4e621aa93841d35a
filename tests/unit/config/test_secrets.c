#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "draft.h"

#include "base/files.h"
#include "base/str.h"

/* The secret stands in line 4, column 32. */
#define WITH(secret)                                                                     \
	ISSUER "    eab: {key_id: x, hmac_key: " secret "}\n" CERTIFICATE TARGET

static int teardown(void **state)
{
	unsetenv("CERTRENEWD_TEST_KEY");
	unsetenv("CREDENTIALS_DIRECTORY");
	return draft_teardown(state);
}

static const struct secret *secret_of(const struct draft *draft)
{
	assert_non_null(draft->config);
	return &draft->config->issuers[0].eab_hmac_key;
}

static void a_secret_is_read_from_a_file_without_its_line_end(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "eab.key", 0600, "YWJj\r\n");
	draft_load(draft, WITH("{file: eab.key}"));
	assert_string_equal(secret_of(draft)->bytes, "YWJj");
	assert_int_equal(secret_of(draft)->len, 4);
	assert_string_equal(secret_of(draft)->source, "file 'eab.key'");
}

static void a_secret_is_read_from_the_environment(void **state)
{
	struct draft *draft = *state;

	setenv("CERTRENEWD_TEST_KEY", "YWJj", 1);
	draft_load(draft, WITH("{env: CERTRENEWD_TEST_KEY}"));
	assert_string_equal(secret_of(draft)->bytes, "YWJj");
	assert_string_equal(secret_of(draft)->source,
			    "environment variable 'CERTRENEWD_TEST_KEY'");
}

static void a_secret_is_read_from_systemds_credentials(void **state)
{
	struct draft *draft = *state;

	/* with an ACL for the service's account the mode looks open: 0440 */
	draft_file(draft, "eab", 0440, "YWJj");
	setenv("CREDENTIALS_DIRECTORY", draft->folder, 1);
	draft_load(draft, WITH("{credential: eab}"));
	assert_string_equal(secret_of(draft)->bytes, "YWJj");
	assert_string_equal(secret_of(draft)->source, "credential 'eab'");
}

static void a_secret_file_that_others_can_read_is_refused(void **state)
{
	struct draft *draft = *state;
	char *expected;

	draft_file(draft, "eab.key", 0644, "YWJj");
	draft_load(draft, WITH("{file: eab.key}"));
	expected = str_printf("4:39: 'eab.hmac_key' '%s/eab.key' holds a secret, but is "
			      "readable by everybody: chmod 600 '%s/eab.key'",
			      draft->folder, draft->folder);
	draft_expect_error(draft, expected);
	free(expected);
}

static int finds_the_secret_unreadable(struct draft *draft)
{
	char *key = path_join(draft->folder, "eab.key");

	if (!access(key, R_OK))
		return 1;
	free(key);
	if (!config_load(draft->path, false, &draft->config, &draft->report) ||
	    draft->report.errors.n != 1)
		return 2;
	return strstr(draft->report.errors.items[0], "/eab.key': Permission denied") ? 0
										     : 3;
}

static void a_secret_file_that_we_cannot_read_is_named(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "eab.key", 0000, "YWJj");
	draft_file(draft, "certrenewd.yaml", 0644, WITH("{file: eab.key}"));
	assert_int_equal(chmod(draft->folder, 0755), 0);
	assert_int_equal(draft_as_nobody(draft, finds_the_secret_unreadable), 0);
}

static void a_missing_secret_file_is_named(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, WITH("{file: eab.key}"));
	assert_int_equal(draft->report.errors.n, 1);
	assert_non_null(strstr(draft->report.errors.items[0], ":4:39: 'eab.hmac_key' "));
	assert_non_null(strstr(draft->report.errors.items[0], "/eab.key'"));
	assert_non_null(strstr(draft->report.errors.items[0], "No such file"));
}

static void an_empty_or_binary_secret_is_refused(void **state)
{
	struct draft *draft = *state;
	char large[16384 + 2];

	draft_file(draft, "eab.key", 0600, "\n");
	draft_load(draft, WITH("{file: eab.key}"));
	draft_expect_error(draft, "4:39: 'eab.hmac_key' file 'eab.key' is empty");
	memset(large, 'A', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	draft_file(draft, "eab.key", 0600, large);
	draft_load(draft, WITH("{file: eab.key}"));
	draft_expect_error(draft,
			   "4:39: 'eab.hmac_key' file 'eab.key' is not the text of a "
			   "secret");
}

static void an_environment_variable_that_is_not_set_is_named(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, WITH("{env: CERTRENEWD_TEST_KEY}"));
	draft_expect_error(draft, "4:38: 'eab.hmac_key' environment variable "
				  "'CERTRENEWD_TEST_KEY' is not set in this process");
}

static void a_credential_needs_systemd_and_a_plain_name(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, WITH("{credential: eab}"));
	draft_expect_error(draft,
			   "4:45: 'eab.hmac_key' systemd gave no credentials to this "
			   "process: the unit needs LoadCredential= or "
			   "LoadCredentialEncrypted=");
	draft_load(draft, WITH("{credential: ../eab}"));
	draft_expect_error(draft, "4:45: 'eab.hmac_key' expected the credential's name, "
				  "without folders");
}

static void a_secret_has_exactly_one_source(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, WITH("{}"));
	draft_expect_error(draft,
			   "4:32: 'eab.hmac_key' names 0 sources: expected {file: "
			   "PATH}, {env: NAME}, {credential: NAME} or {dpapi: BASE64}");
	draft_load(draft, WITH("{file: a, env: b}"));
	draft_expect_error(draft,
			   "4:32: 'eab.hmac_key' names 2 sources: expected {file: "
			   "PATH}, {env: NAME}, {credential: NAME} or {dpapi: BASE64}");
	draft_load(draft, WITH("{vault: a}"));
	draft_expect_error(draft, "4:33: 'eab.hmac_key' has the unknown key 'vault': "
				  "expected {file: PATH}, {env: NAME}, {credential: "
				  "NAME} or {dpapi: BASE64}");
	draft_load(draft, WITH("{file: [a]}"));
	draft_expect_error(
		draft,
		"4:39: 'eab.hmac_key' has no usable 'file': expected "
		"{file: PATH}, {env: NAME}, {credential: NAME} or {dpapi: BASE64}");
	draft_load(draft, WITH("{file: *a}"));
	assert_int_equal(draft->report.errors.n, 1);
}

static void a_secret_written_into_the_file_is_refused_and_not_repeated(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, WITH("hunter2"));
	assert_int_equal(draft->report.errors.n, 1);
	draft_expect_error(draft,
			   "4:32: 'eab.hmac_key' is a plain value: expected {file: "
			   "PATH}, {env: NAME}, {credential: NAME} or {dpapi: BASE64}");
	assert_null(strstr(draft->report.errors.items[0], "hunter2"));
}

static void a_key_that_is_not_base64_is_refused_and_not_repeated(void **state)
{
	struct draft *draft = *state;

	setenv("CERTRENEWD_TEST_KEY", "hunter 2!", 1);
	draft_load(draft, WITH("{env: CERTRENEWD_TEST_KEY}"));
	draft_expect_error(draft,
			   "4:32: 'eab.hmac_key' from environment variable "
			   "'CERTRENEWD_TEST_KEY' is neither base64 nor base64url: "
			   "copy it again from the CA");
	assert_null(strstr(draft->report.errors.items[0], "hunter"));
}

static void a_secret_is_never_shown(void **state)
{
	struct draft *draft = *state;
	char *text;

	draft_file(draft, "eab.key", 0600, "aHVudGVyMg==");
	draft_load(draft, WITH("{file: eab.key}"));
	assert_non_null(draft->config);
	text = config_show(draft->config);
	assert_non_null(strstr(text, "hmac_key: {file: eab.key}"));
	assert_null(strstr(text, "aHVudGVyMg"));
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, teardown)
	const struct CMUnitTest secrets[] = {
		TEST(a_secret_is_read_from_a_file_without_its_line_end),
		TEST(a_secret_is_read_from_the_environment),
		TEST(a_secret_is_read_from_systemds_credentials),
		TEST(a_secret_file_that_others_can_read_is_refused),
		TEST(a_secret_file_that_we_cannot_read_is_named),
		TEST(a_missing_secret_file_is_named),
		TEST(an_empty_or_binary_secret_is_refused),
		TEST(an_environment_variable_that_is_not_set_is_named),
		TEST(a_credential_needs_systemd_and_a_plain_name),
		TEST(a_secret_has_exactly_one_source),
		TEST(a_secret_written_into_the_file_is_refused_and_not_repeated),
		TEST(a_key_that_is_not_base64_is_refused_and_not_repeated),
		TEST(a_secret_is_never_shown),
	};
	return cmocka_run_group_tests(secrets, NULL, NULL);
}
