/* What concerns the file as a whole: that it can be read, that everything wrong is said
 * at once, and what two of its entries may not have in common. */
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

#include "base/buf.h"
#include "base/files.h"
#include "base/str.h"

/* Loads what is at `path` and expects the one error to be "path<rest>". */
static void refused(struct draft *draft, const char *path, const char *rest)
{
	char *expected = str_printf("%s%s", path, rest);

	assert_int_equal(config_load(path, false, &draft->config, &draft->report), -1);
	assert_null(draft->config);
	assert_int_equal(draft->report.errors.n, 1);
	assert_string_equal(draft->report.errors.items[0], expected);
	free(expected);
}

static void a_missing_file_is_named(void **state)
{
	struct draft *draft = *state;

	refused(draft, draft->path,
		": there is no such file: write it, or name another with --config");
}

static void a_folder_is_told_from_a_file(void **state)
{
	struct draft *draft = *state;
	char *rest = str_printf(": is a folder: name the file in it, such as "
				"'%s/certrenewd.yaml'",
				draft->folder);

	refused(draft, draft->folder, rest);
	free(rest);
}

static void an_empty_file_is_told_what_it_needs(void **state)
{
	(void)state;
	expect_one_error("", "1:1: the file is empty: it needs at least 'issuers' and "
			     "'certificates'");
	expect_one_error("---\n",
			 "2:1: the file is empty: it needs at least 'issuers' and "
			 "'certificates'");
}

static void a_file_that_is_no_map_is_told_so(void **state)
{
	(void)state;
	expect_one_error("- a\n- b\n", "1:1: the file is no map: expected 'issuers:' and "
				       "'certificates:'");
}

static void a_file_that_is_not_yaml_is_told_where(void **state)
{
	(void)state;
	expect_one_error("issuers: {le: {directory: 'x}\n",
			 "2:1: not YAML: found unexpected end of stream while scanning a "
			 "quoted scalar that begins in line 1");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	struct draft *draft = *state;
	struct buf text;

	buf_init(&text, 1024 * 1024);
	while (text.len <= 256 * 1024)
		buf_puts(&text, "# a comment that goes on and on\n");
	draft_load(draft, buf_str(&text));
	assert_int_equal(draft->report.errors.n, 1);
	assert_non_null(
		strstr(draft->report.errors.items[0], "larger than 262144 bytes"));
	buf_release(&text);
}

static int finds_the_file_unreadable(struct draft *draft)
{
	if (!access(draft->path, R_OK))
		return 1;
	if (!config_load(draft->path, false, &draft->config, &draft->report) ||
	    draft->report.errors.n != 1)
		return 2;
	return strstr(draft->report.errors.items[0], "Permission denied") ? 0 : 3;
}

static void an_unreadable_file_is_told_by_the_system(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "certrenewd.yaml", 0000, ISSUER CERTIFICATE TARGET);
	assert_int_equal(chmod(draft->folder, 0755), 0);
	assert_int_equal(draft_as_nobody(draft, finds_the_file_unreadable), 0);
}

static void a_pipe_in_the_place_of_the_file_does_not_hang_us(void **state)
{
	struct draft *draft = *state;
	char *rest = str_printf(": '%s' is a device or a pipe, not a file", draft->path);

	assert_int_equal(mkfifo(draft->path, 0600), 0);
	refused(draft, draft->path, rest);
	free(rest);
}

/* ---- bombs --------------------------------------------------------------- */

static void a_hundred_thousand_brackets_are_refused_at_the_seventeenth(void **state)
{
	struct draft *draft = *state;
	char *brackets = mem_calloc(1, 100001);

	memset(brackets, '[', 100000);
	draft_load(draft, brackets);
	assert_int_equal(draft->report.errors.n, 1);
	assert_non_null(strstr(draft->report.errors.items[0], ":1:17: "));
	free(brackets);
}

static void an_alias_bomb_does_not_go_off(void **state)
{
	struct draft *draft = *state;
	struct buf yaml;

	buf_init(&yaml, 65536);
	buf_puts(&yaml, "a: &a [x, x, x, x, x, x, x, x, x]\n");
	for (char c = 'b'; c < 'z'; c++)
		buf_printf(&yaml, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c,
			   c, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
	draft_load(draft, buf_str(&yaml));
	draft_expect_error(draft, "1:4: anchors ('&a') are not supported: write the "
				  "value out");
	draft_expect_error(draft, "25:8: aliases ('*x') are not supported: write the "
				  "value out");
	buf_release(&yaml);
}

static void a_flood_of_values_is_refused(void **state)
{
	struct draft *draft = *state;
	struct buf yaml;

	buf_init(&yaml, 256 * 1024);
	buf_puts(&yaml, "issuers: [");
	for (int i = 0; i < 20000; i++)
		buf_puts(&yaml, "x, ");
	buf_puts(&yaml, "x]\n");
	draft_load(draft, buf_str(&yaml));
	assert_int_equal(draft->report.errors.n, 1);
	assert_non_null(strstr(draft->report.errors.items[0],
			       "the file has more than 10000 values: split it"));
	buf_release(&yaml);
}

static void a_key_that_is_there_twice_is_refused(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE TARGET "concurrency: 4\nconcurrency: 5\n",
		"12:1: 'concurrency' is given twice, first in line 11: remove one");
}

static void a_second_document_is_refused(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, ISSUER CERTIFICATE TARGET "---\n" ISSUER);
	assert_int_equal(draft->report.errors.n, 1);
	assert_non_null(strstr(draft->report.errors.items[0], ":11:1: "));
}

static void every_error_is_told_at_once_in_the_order_of_lines(void **state)
{
	struct draft *draft = *state;
	static const char *const places[] = { ":1:14: ", ":5:5: ",  ":7:3: ",
					      ":8:13: ", ":9:15: ", ":10:17: " };

	draft_load(draft, "concurrency: 0\n"
			  "issuers:\n"
			  "  le:\n"
			  "    directory: https://ca.example/\n"
			  "    colour: red\n"
			  "certificates:\n"
			  "  a:\n"
			  "    hosts: [a_b]\n"
			  "    issuers: [la]\n"
			  "    renew: {at: 30}\n");
	assert_int_equal(draft->report.errors.n, 6);
	for (size_t i = 0; i < 6; i++)
		assert_non_null(strstr(draft->report.errors.items[i], places[i]));
}

static void a_file_that_was_refused_can_be_repaired_and_loaded(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, "x: 1\n");
	assert_null(draft->config);
	draft_load(draft, ISSUER CERTIFICATE TARGET);
	assert_non_null(draft->config);
}

static void an_issuer_that_is_not_there_gets_the_nearest(void **state)
{
	(void)state;
	expect_one_error(
		"issuers:\n"
		"  letsencrypt:\n"
		"    directory: https://ca.example/dir\n"
		"certificates:\n"
		"  a:\n"
		"    hosts: [a.example]\n"
		"    issuers: [letsencript]\n" TARGET,
		"7:15: certificate 'a' names the issuer 'letsencript', which is not "
		"among 'issuers': did you mean 'letsencrypt'?");
}

#define SECOND                                                                           \
	"  b:\n"                                                                         \
	"    hosts: [b.example]\n"                                                       \
	"    issuers: [le]\n"                                                            \
	"    deploy:\n"

static void two_certificates_on_one_tls_json_are_refused(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE TARGET
		"        tls_json: /opt/app/tls.json\n" SECOND "      - name: second\n"
		"        store: {type: directory, path: /srv/b}\n"
		"        tls_json: {path: /opt//app/tls.json}\n"
		"        verify: [{connect: 'h:1'}]\n",
		"18:26: 'tls_json' of target 'second' of certificate 'b' and 'tls_json' "
		"of "
		"target 'default' of certificate 'a' (line 11) are the same file "
		"'/opt/app/tls.json': two cannot write it");
}

static void two_targets_on_one_store_are_refused(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE TARGET
			 "      - name: second\n"
			 "        store: {type: directory, path: /srv/a/}\n"
			 "        verify: [{connect: 'h:1'}]\n",
			 "12:40: 'store.path' of target 'second' of certificate 'a' and "
			 "'store.path' of target 'default' of certificate 'a' (line 9) "
			 "are the same "
			 "file '/srv/a': two cannot write it");
}

static void two_uses_of_one_file_are_refused(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE
		"    deploy:\n"
		"      - store: {type: files, files: {key: /s/x, fullchain: /s/x}}\n"
		"        verify: [{connect: 'h:1'}]\n",
		"9:60: 'store.files.fullchain' of target 'default' of certificate 'a' "
		"and "
		"'store.files.key' of target 'default' of certificate 'a' (line 9) are "
		"the "
		"same file '/s/x': two cannot write it");
}

#define SAME(hosts, issuers)                                                             \
	"issuers:\n"                                                                     \
	"  le: {directory: 'https://ca.example/'}\n"                                     \
	"  other: {directory: 'https://other.example/'}\n"                               \
	"certificates:\n"                                                                \
	"  a:\n"                                                                         \
	"    hosts: [x.example, y.example]\n"                                            \
	"    issuers: [le, other]\n" TARGET "  b:\n"                                     \
	"    hosts: " hosts "\n"                                                         \
	"    issuers: " issuers "\n"                                                     \
	"    deploy:\n"                                                                  \
	"      - store: {type: directory, path: /srv/b}\n"                               \
	"        verify: [{connect: 'h:1'}]\n"

static void two_certificates_with_the_same_hosts_and_issuer_are_refused(void **state)
{
	(void)state;
	expect_one_error(
		SAME("[Y.example, x.example]", "[le]"),
		"11:3: certificates 'a' and 'b' have the same hosts and the same "
		"first issuer: make them one certificate with two entries under "
		"'deploy'");
}

static void other_hosts_or_another_first_issuer_make_another_certificate(void **state)
{
	struct draft *draft = *state;

	draft_load(draft, SAME("[y.example, x.example]", "[other, le]"));
	assert_non_null(draft->config);
	draft_load(draft, SAME("[y.example]", "[le]"));
	assert_non_null(draft->config);
	draft_load(draft, SAME("[y.example, z.example]", "[le]"));
	assert_non_null(draft->config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest files[] = {
		TEST(a_missing_file_is_named),
		TEST(a_folder_is_told_from_a_file),
		TEST(an_empty_file_is_told_what_it_needs),
		TEST(a_file_that_is_no_map_is_told_so),
		TEST(a_file_that_is_not_yaml_is_told_where),
		TEST(a_file_that_is_too_large_is_refused),
		TEST(an_unreadable_file_is_told_by_the_system),
		TEST(a_pipe_in_the_place_of_the_file_does_not_hang_us),
		TEST(a_hundred_thousand_brackets_are_refused_at_the_seventeenth),
		TEST(an_alias_bomb_does_not_go_off),
		TEST(a_flood_of_values_is_refused),
		TEST(a_key_that_is_there_twice_is_refused),
		TEST(a_second_document_is_refused),
		TEST(every_error_is_told_at_once_in_the_order_of_lines),
		TEST(a_file_that_was_refused_can_be_repaired_and_loaded),
		TEST(an_issuer_that_is_not_there_gets_the_nearest),
		TEST(two_certificates_on_one_tls_json_are_refused),
		TEST(two_targets_on_one_store_are_refused),
		TEST(two_uses_of_one_file_are_refused),
		TEST(two_certificates_with_the_same_hosts_and_issuer_are_refused),
		TEST(other_hosts_or_another_first_issuer_make_another_certificate),
	};
	return cmocka_run_group_tests(files, NULL, NULL);
}
