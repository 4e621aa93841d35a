#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "config/yaml_tree.h"

static char *show(void **state, const char *yaml)
{
	return config_show(draft_must_load(state, yaml));
}

static void same_tree(const struct node *a, const struct node *b)
{
	assert_int_equal(a->type, b->type);
	assert_true(str_equal(a->key, b->key));
	assert_true(str_equal(a->text, b->text));
	assert_int_equal(a->n, b->n);
	for (a = a->first, b = b->first; a; a = a->next, b = b->next)
		same_tree(a, b);
}

/* The same keys with the same values in the same order; what fits in a line may differ,
 * because marks need room. */
static void same_yaml(const char *a, const char *b)
{
	struct arena *arena = arena_new();
	struct problems problems = { .file = "shown" };
	struct node *tree_a = NULL, *tree_b = NULL;

	assert_int_equal(yaml_tree_parse(a, strlen(a), arena, &problems, &tree_a), 0);
	assert_int_equal(yaml_tree_parse(b, strlen(b), arena, &problems, &tree_b), 0);
	assert_int_equal(problems.n, 0);
	same_tree(tree_a, tree_b);
	problems_release(&problems);
	arena_free(arena);
}

/* What is shown loads again, means the same, and leaves nothing to defaults. */
static void comes_back(void **state, const char *yaml)
{
	char *once = show(state, yaml), *twice = show(state, once);
	char *thrice = show(state, twice);

	assert_null(strstr(twice, "# default"));
	assert_null(strstr(twice, "# preset"));
	same_yaml(once, twice);
	assert_string_equal(twice, thrice);
	free(once);
	free(twice);
	free(thrice);
}

static void has_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static void defaults_are_marked(void **state)
{
	char *text = show(state, "concurrency: 8\n" ISSUER CERTIFICATE TARGET);

	has_line(text, "\nconcurrency: 8\n");
	has_line(text, "\nstate_dir: /var/lib/certrenewd  # default\n");
	has_line(text, "\nlog: {format: text, max_size: 10M, keep: 5}  # default\n");
	has_line(text, "\n    directory: https://ca.example/dir\n");
	has_line(text, "\n    key: {type: rsa-2048, reuse: no}  # default\n");
	has_line(text, "\n    challenge: {type: http-01, listen: ':80'}  # default\n");
	has_line(text, "\n      - name: default  # default\n");
	has_line(text, "\n          mode: 0600  # default\n");
	has_line(text, "\n          - connect: '127.0.0.1:443'\n"
		       "            server_name: a.example  # default\n");
	has_line(text, "\nalerts: {}  # default\n");
	free(text);
}

static void presets_are_marked(void **state)
{
	char *text = show(state, ISSUER CERTIFICATE
			  "    deploy:\n"
			  "      - preset: yunio\n"
			  "        install_dir: C:\\Program Files\\yunIO\n"
			  "        store: {type: directory, path: /s}\n");

	has_line(text, "\n    require: [cn]  # preset\n");
	has_line(text, "\n      - name: yunio  # preset\n");
	has_line(text, "\n        preset: yunio\n");
	has_line(text, "\n        tls_json: 'C:\\Program Files\\yunIO\\config\\servers\\"
		       "tls.json'  # preset\n");
	has_line(text, "\n          - connect: '127.0.0.1:8175'  # preset\n");
	has_line(text, "\n        when_expired: http  # preset\n");
	has_line(text, "\n        http: '127.0.0.1:8075'  # preset\n");
	free(text);
}

static void what_is_shown_is_what_is_done(void **state)
{
	char *text = show(state, ISSUER "    ca_bundle: corp.pem\n"
					"certificates:\n"
					"  a:\n"
					"    hosts: [B\xc3\xbc"
					"cher.example]\n"
					"    issuers: [le]\n" TARGET
					"        tls_json: {path: /x//tls.json}\n"
					"        service: {systemd: nginx}\n");

	has_line(text, "/corp.pem\n");
	has_line(text, "\n    hosts: [xn--bcher-kva.example]\n");
	has_line(text, "\n        tls_json: /x/tls.json\n");
	has_line(text, "\n          systemd: nginx.service\n");
	free(text);
}

static void the_shortest_file_comes_back(void **state)
{
	comes_back(state, ISSUER CERTIFICATE TARGET);
}

static void every_preset_comes_back(void **state)
{
	static const char *const names[] = { "xtract-universal", "board-connector",
					     "yunio", "xtract-core" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char yaml[512];

		snprintf(yaml, sizeof(yaml),
			 ISSUER CERTIFICATE
			 "    deploy:\n"
			 "      - preset: %s\n"
			 "        install_dir: 'C:\\it''s here'\n"
			 "        store: {type: directory, path: /s}\n",
			 names[i]);
		comes_back(state, yaml);
	}
}

static void every_key_comes_back(void **state)
{
	draft_file(*state, "eab.key", 0600, "YWJj");
	comes_back(state,
		   "concurrency: 2\n"
		   "log: {format: json}\n"
		   "inspect_every: {files: 5m}\n" ISSUER "    agree_to_terms: YES\n"
		   "    contact: ['mailto:a@b.example']\n"
		   "    proxy: http://proxy:3128\n"
		   "    eab: {key_id: 'it''s: a #key', hmac_key: {file: "
		   "eab.key}}\n" CERTIFICATE "    key: {type: ec-p256, reuse: on}\n"
		   "    challenge: {webroot: '/var/my www'}\n"
		   "    renew: {at: 30d}\n"
		   "    require: [cn, clientAuth]\n"
		   "    deploy:\n"
		   "      - name: web\n"
		   "        store: {type: files, files: {key: /s/k, cert: /s/c}, group: "
		   "www}\n"
		   "        tls_json: /opt/web/tls.json\n"
		   "        run: [{command: [/bin/x, '- a', '', 'null', '{b}', 'c: d', "
		   "'#'],\n"
		   "               changes: [/etc/x]}]\n"
		   "        service: {command: [/bin/ctl, restart], status: [/bin/ctl, "
		   "status]}\n"
		   "        verify: [{connect: '[::1]:443', server_name: none, chain: "
		   "required}]\n"
		   "        retire: {after: 0, keep: 1}\n"
		   "        when_expired: http\n"
		   "        http: '127.0.0.1:1337'\n"
		   "        before_fallback: {command: [/bin/guard, 'on']}\n"
		   "        after_fallback: {command: [/bin/guard, 'off'], timeout: 5s}\n"
		   "alerts:\n"
		   "  ops: {type: webhook, url: 'https://h.example/a?b=c#d', except: "
		   "[drift]}\n"
		   "  page: {type: program, command: [/bin/page], min: critical}\n");
}

static void what_no_terminal_should_see_is_escaped_and_comes_back(void **state)
{
	static const char yaml[] = ISSUER CERTIFICATE TARGET
		"        run: [{command: [/bin/x, \"a\\nb\\e[2J\\t'\\\"\\\\\", "
		"\"\\N\\L\\uFEFF\\x9b\", \"B\xc3\xbc"
		"cher \xf0\x9f\x98\x80\"]}]\n";
	const struct target *target;
	char *text = show(state, yaml);

	has_line(text, "- \"a\\U0000000Ab\\U0000001B[2J\\U00000009'\\\"\\\\\"\n");
	has_line(text, "- \"\\U00000085\\U00002028\\U0000FEFF\\U0000009B\"\n");
	has_line(text, "- 'B\xc3\xbc"
		       "cher \xf0\x9f\x98\x80'\n");
	target = &draft_must_load(state, text)->certificates[0].targets[0];
	assert_string_equal(target->programs[0].argv[1], "a\nb\033[2J\t'\"\\");
	assert_string_equal(target->programs[0].argv[2],
			    "\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xc2\x9b");
	free(text);
	comes_back(state, yaml);
}

static void a_list_too_long_for_a_line_comes_back(void **state)
{
	struct buf yaml;

	buf_init(&yaml, 65536);
	buf_puts(&yaml, ISSUER "certificates:\n  a:\n    hosts:\n");
	for (int i = 0; i < 100; i++)
		buf_printf(&yaml, "      - host-number-%d.example.com\n", i);
	buf_puts(&yaml, "    issuers: [le]\n" TARGET);
	comes_back(state, buf_str(&yaml));
	buf_release(&yaml);
}

static void the_packaged_example_comes_back(void **state)
{
	char text[8192];
	FILE *file = fopen(SOURCE_DIR "/packaging/certrenewd.yaml", "r");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	assert_true(n > 0 && n < sizeof(text) - 1);
	text[n] = '\0';
	comes_back(state, text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest shows[] = {
		TEST(defaults_are_marked),
		TEST(presets_are_marked),
		TEST(what_is_shown_is_what_is_done),
		TEST(the_shortest_file_comes_back),
		TEST(every_preset_comes_back),
		TEST(every_key_comes_back),
		TEST(what_no_terminal_should_see_is_escaped_and_comes_back),
		TEST(a_list_too_long_for_a_line_comes_back),
		TEST(the_packaged_example_comes_back),
	};
	return cmocka_run_group_tests(shows, NULL, NULL);
}
