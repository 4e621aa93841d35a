/* Nobody else may write the configuration, or what it makes us run and believe. */
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

/* An own state directory: the default one may or may not be there. */
#define LINE_1 "state_dir: /nonexistent/certrenewd\n"

static int setup(void **state)
{
	draft_setup(state);
	((struct draft *)*state)->check_trust = true;
	return 0;
}

/* Exactly one error, that begins at `place` and names the file. */
static void one_error(const struct draft *draft, const char *place, const char *name)
{
	assert_int_equal(draft->report.errors.n, 1);
	if (!strstr(draft->report.errors.items[0], place) ||
	    !strstr(draft->report.errors.items[0], name))
		fail_msg("%s", draft->report.errors.items[0]);
}

static void a_file_of_our_own_is_trusted(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, LINE_1 ISSUER CERTIFICATE TARGET);
	assert_non_null(draft->config);
	assert_int_equal(draft->report.warnings.n, 0);
}

static void a_configuration_that_everybody_could_write_is_refused(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "certrenewd.yaml", 0666, LINE_1 ISSUER CERTIFICATE TARGET);
	assert_int_equal(chmod(draft->path, 0666), 0);
	assert_int_equal(config_load(draft->path, true, &draft->config, &draft->report),
			 -1);
	one_error(draft, ": ", "everybody");
	config_report_clear(&draft->report);
	assert_int_equal(config_load(draft->path, false, &draft->config, &draft->report),
			 0);
}

static void a_configuration_of_another_account_is_refused(void **state)
{
	struct draft *draft = *state;

	if (geteuid())
		skip(); /* only root can give a file away */
	draft_file(draft, "certrenewd.yaml", 0600, LINE_1 ISSUER CERTIFICATE TARGET);
	assert_int_equal(chown(draft->path, 65534, (gid_t)-1), 0);
	assert_int_equal(config_load(draft->path, true, &draft->config, &draft->report),
			 -1);
	one_error(draft, ": ", "nobody");
}

static int trusts_what_is_roots(struct draft *draft)
{
	if (config_load(draft->path, true, &draft->config, &draft->report))
		return 1;
	return draft->report.warnings.n ? 2 : 0;
}

static void an_account_without_rights_trusts_roots_files(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "certrenewd.yaml", 0644, LINE_1 ISSUER CERTIFICATE TARGET);
	assert_int_equal(chmod(draft->folder, 0755), 0);
	assert_int_equal(draft_as_nobody(draft, trusts_what_is_roots), 0);
}

static void a_folder_that_everybody_could_write_is_refused(void **state)
{
	struct draft *draft = *state;

	assert_int_equal(chmod(draft->folder, 0777), 0);
	draft_load(draft, LINE_1 ISSUER CERTIFICATE TARGET);
	one_error(draft, ": ", "everybody");
}

static void a_program_that_everybody_could_replace_is_refused(void **state)
{
	struct draft *draft = *state;
	char *yaml;

	draft_file(draft, "guard", 0777, "#!/bin/true\n");
	yaml = str_printf(LINE_1 ISSUER CERTIFICATE TARGET
			  "        run: [{command: ['%s/guard']}]\n",
			  draft->folder);
	draft_load(draft, yaml);
	one_error(draft, ":12:26: ", "/guard'");
	free(yaml);
}

static void a_secret_that_everybody_could_write_is_refused(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "eab.key", 0602, "YWJj");
	draft_load(
		draft, LINE_1 ISSUER
		"    eab: {key_id: x, hmac_key: {file: eab.key}}\n" CERTIFICATE TARGET);
	assert_true(draft->report.errors.n >= 1);
	assert_non_null(strstr(draft->report.errors.items[0], ":5:39: "));
	assert_non_null(strstr(draft->report.errors.items[0], "everybody"));
}

static void a_bundle_that_everybody_could_write_is_refused(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "corp.pem", 0666, "x");
	draft_load(draft, LINE_1 ISSUER "    ca_bundle: corp.pem\n" CERTIFICATE TARGET);
	one_error(draft, ":5:16: ", "/corp.pem'");
}

static void a_state_directory_that_everybody_could_write_is_refused(void **state)
{
	struct draft *draft = *state;
	char *folder = path_join(draft->folder, "state"), *yaml;

	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	yaml = str_printf("state_dir: %s\n" ISSUER CERTIFICATE TARGET, folder);
	draft_load(draft, yaml);
	one_error(draft, ":1:12: ", "/state'");
	assert_int_equal(chmod(folder, 0700), 0);
	draft_load(draft, yaml);
	assert_non_null(draft->config);
	free(yaml);
	free(folder);
}

static void a_program_that_is_not_there_is_warned_about(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, LINE_1 ISSUER CERTIFICATE TARGET
		   "        run: [{command: [/nonexistent/x]}]\n");
	assert_non_null(draft->config);
	draft_expect_warning(draft, "12:26: '/nonexistent/x' does not exist");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, draft_teardown)
	const struct CMUnitTest trust[] = {
		TEST(a_file_of_our_own_is_trusted),
		TEST(a_configuration_that_everybody_could_write_is_refused),
		TEST(a_configuration_of_another_account_is_refused),
		TEST(an_account_without_rights_trusts_roots_files),
		TEST(a_folder_that_everybody_could_write_is_refused),
		TEST(a_program_that_everybody_could_replace_is_refused),
		TEST(a_secret_that_everybody_could_write_is_refused),
		TEST(a_bundle_that_everybody_could_write_is_refused),
		TEST(a_state_directory_that_everybody_could_write_is_refused),
		TEST(a_program_that_is_not_there_is_warned_about),
	};
	return cmocka_run_group_tests(trust, NULL, NULL);
}
