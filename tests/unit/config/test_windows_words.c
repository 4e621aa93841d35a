/* What belongs to Windows, said on another system; and what Windows's editors and
 * win-acme's users write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/str.h"

/* The line is 11, its column 9. */
#define WITH(line) ISSUER CERTIFICATE TARGET "        " line "\n"
#define STORED(store)                                                                    \
	ISSUER CERTIFICATE "    deploy:\n"                                               \
			   "      - store: " store "\n"                                  \
			   "        verify: [{connect: 'h:443'}]\n"

static void a_windows_store_is_for_windows(void **state)
{
	(void)state;
	expect_one_error(STORED("{type: windows, name: My}"),
			 "9:23: 'store.type' is 'windows', which exists on Windows only: "
			 "use 'type: directory' or 'type: files'");
}

static void a_stores_fields_belong_to_its_type(void **state)
{
	(void)state;
	expect_one_error(STORED("{type: directory, path: /s, exportable: no}"),
			 "9:44: 'store.exportable' is for 'type: windows', not for "
			 "'type: directory'");
	expect_error(STORED("{type: windows, mode: 0600}"),
		     "9:32: 'store.mode' is for 'type: directory' and 'type: files', not "
		     "for 'type: windows'");
}

static void a_store_is_called_as_windows_calls_it(void **state)
{
	(void)state;
	expect_error(STORED("{type: windows, name: Personal}"),
		     "9:38: 'store.name' is 'Personal', as Windows shows it: the store "
		     "is called My");
	expect_error(STORED("{type: windows, name: 'a\\b'}"),
		     "9:38: 'store.name' is 'a\\b': expected a store's name alone, such "
		     "as My");
	expect_error(STORED("{type: windows, location: CurrentUser}"),
		     "9:42: 'store.location' is 'CurrentUser': expected LocalMachine");
}

static void ec_keys_in_a_windows_store_are_an_experiment(void **state)
{
	struct draft *draft = *state;

	expect_error(
		"issuers:\n"
		"  le: {directory: 'https://a.b/c'}\n" CERTIFICATE
		"    key: {type: ec-p256}\n"
		"    deploy: [{store: {type: windows}, verify: [{connect: 'h:1'}]}]\n",
		"7:17: 'key.type' of certificate 'a' is 'ec-p256', and its target "
		"'default' has a Windows store, for which EC keys are not proven: "
		"use rsa-2048, or write 'experimental: yes' in that store");
	draft_load(draft,
		   "issuers:\n"
		   "  le: {directory: 'https://a.b/c'}\n" CERTIFICATE
		   "    key: {type: ec-p256}\n"
		   "    deploy: [{store: {type: windows, experimental: yes}, verify: "
		   "[{connect: 'h:1'}]}]\n");
	assert_int_equal(draft->report.errors.n, 1); /* that this is not Windows */
}

static void a_windows_service_is_for_windows(void **state)
{
	(void)state;
	expect_one_error(WITH("service: {windows: W3SVC, kill: yes}"),
			 "11:28: 'service.windows' names a Windows service, and this is "
			 "not Windows: use 'systemd' or 'command'");
	expect_error(WITH("service: {windows: auto}"),
		     "11:28: 'service.windows' is 'auto', and target 'default' of "
		     "certificate 'a' has no 'install_dir': give the folder that the "
		     "service's program lies below, or the service's name");
	expect_error(WITH("service: {windows: x, action: reload}"),
		     "11:39: 'service.action' is 'reload', which is for a unit: a "
		     "Windows service is restarted");
	expect_one_error(WITH("service: {systemd: x, kill: yes}"),
			 "11:31: 'service.kill' is for 'windows' only: units and "
			 "commands have their own ways");
}

static void the_firewall_is_for_windows(void **state)
{
	(void)state;
	expect_one_error(WITH("before_fallback: firewall"),
			 "11:26: 'before_fallback' is 'firewall', which exists on "
			 "Windows only: name a program that closes the port");
	expect_one_error(WITH("after_fallback: firewall"),
			 "11:25: 'after_fallback' is 'firewall': expected a map or none");
	expect_one_error(
		WITH("before_fallback: fire"),
		"11:26: 'before_fallback' is 'fire': expected a map, firewall or "
		"none");
}

static void win_acmes_placeholders_without_a_meaning_are_told(void **state)
{
	struct draft *draft = *state;

	expect_one_error(WITH("run: [{command: [/x, '{CachePassword}']}]"),
			 "11:30: 'command' has {CachePassword} in it, which there is "
			 "none of: no PFX file is ever written, so it has no password");
	expect_one_error(WITH("run: [{command: [/x, 'a {vault://json/x} b']}]"),
			 "11:30: 'command' has {vault://json/x} in it, which there is no "
			 "vault for: let the program read the secret itself, or give it "
			 "to certrenewd by {file:} or {dpapi:} where a secret belongs");
	draft_load(draft, WITH("run: [{command: [/x, '{CacheFile}', '{Other}', "
			       "'{CertThumbprint}']}]"));
	assert_int_equal(draft->report.errors.n, 0);
	assert_int_equal(draft->report.warnings.n, 1);
	draft_expect_warning(draft,
			     "11:30: 'run' of target 'default' of certificate 'a': "
			     "'command' has {CacheFile} in it, which will be empty: no "
			     "PFX file is ever written");
	assert_string_equal(draft->config->certificates[0].targets[0].programs[0].argv[2],
			    "{Other}");
}

static void windows_paths_are_paths(void **state)
{
	const struct target *target =
		&draft_must_load(state, WITH("settings: ['C:\\x\\server*', 'D:/y', "
					     "'\\\\host\\share\\z']"))
			 ->certificates[0]
			 .targets[0];

	assert_string_equal(target->settings[0], "C:\\x\\server*");
	assert_string_equal(target->settings[1], "D:/y");
	assert_string_equal(target->settings[2], "\\\\host\\share\\z");
	assert_null(target->settings[3]);
	expect_one_error(WITH("settings: ['C:x']"),
			 "11:20: 'settings' has 'C:x': expected a list of absolute "
			 "paths (0 to 16)");
	expect_one_error(
		"issuers:\n"
		"  le: {directory: 'https://a.b/c', ca_bundle: 'C:x.pem'}\n" CERTIFICATE
			TARGET,
		"2:47: 'ca_bundle' has 'C:x.pem', which begins with a drive and "
		"is not absolute: write C:\\folder");
}

/* Twice through show-config, and still the same. */
static void backslashes_survive_being_shown(void **state)
{
	struct draft *draft = *state;
	const struct target *target;
	char *shown;

	draft_must_load(state,
			WITH("run: [{command: ['C:\\Program Files\\it''s \"x\"\\a.exe', "
			     "'\\\\h\\s', 'a\\']}]"));
	shown = config_show(draft->config);
	draft_must_load(state, shown);
	free(shown);
	target = &draft->config->certificates[0].targets[0];
	assert_string_equal(target->programs[0].argv[0],
			    "C:\\Program Files\\it's \"x\"\\a.exe");
	assert_string_equal(target->programs[0].argv[1], "\\\\h\\s");
	assert_string_equal(target->programs[0].argv[2], "a\\");
}

static void an_editors_mark_and_line_ends_move_no_column(void **state)
{
	(void)state;
	expect_one_error("\xef\xbb\xbf"
			 "colour: red\r\n" ISSUER CERTIFICATE TARGET,
			 "1:1: unknown key 'colour' in the file: expected one of "
			 "concurrency, state_dir, log, inspect_every, resolvers, "
			 "dns_providers, issuers, certificates, alerts");
	expect_one_error("\xef\xbb\xbf"
			 "issuers:\r\n"
			 "  le:\r\n"
			 "    directory: https://ca.example/dir\r\n"
			 "    proxy: x\r\n" CERTIFICATE TARGET,
			 "4:12: 'proxy' is 'x': expected the URL of a proxy or none, "
			 "such as http://proxy:3128");
	expect_one_error("\xef\xbb\xbf# \xc3\xbc \xff\n" ISSUER,
			 "1:5: not YAML: invalid leading UTF-8 octet: save the file as "
			 "UTF-8 text");
}

static void a_sealed_secret_is_for_windows(void **state)
{
	(void)state;
	expect_one_error(
		"issuers:\n"
		"  le:\n"
		"    directory: https://ca.example/dir\n"
		"    eab: {key_id: x, hmac_key: {dpapi: aGVsbG8=}}\n" CERTIFICATE TARGET,
		"4:40: 'eab.hmac_key' has 'dpapi', which exists on Windows only: "
		"use {file:} or {credential:}");
}

static void a_proxy_can_be_none(void **state)
{
	const struct config *c = draft_must_load(
		state,
		"issuers:\n"
		"  le: {directory: 'https://a.b/c', proxy: none}\n" CERTIFICATE TARGET);

	assert_null(c->issuers[0].proxy);
}

static void the_log_has_a_file_with_bounds(void **state)
{
	const struct config *c = draft_must_load(
		state, "log: {file: x.log, max_size: 500k, keep: 3}\n" ISSUER CERTIFICATE
			       TARGET);

	assert_true(str_ends(c->log_file, "/x.log"));
	assert_int_equal(c->log_max_bytes, 500 * 1024);
	assert_int_equal(c->log_keep, 3);
	c = draft_must_load(state, ISSUER CERTIFICATE TARGET);
	assert_null(c->log_file);
	assert_int_equal(c->log_max_bytes, 10 * 1024 * 1024);
	expect_one_error("log: {max_size: 1k}\n" ISSUER CERTIFICATE TARGET,
			 "1:17: 'log.max_size' is '1k': expected a size from 64k to 1G, "
			 "such as 500k or 10M");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest words[] = {
		TEST(a_windows_store_is_for_windows),
		TEST(a_stores_fields_belong_to_its_type),
		TEST(a_store_is_called_as_windows_calls_it),
		TEST(ec_keys_in_a_windows_store_are_an_experiment),
		TEST(a_windows_service_is_for_windows),
		TEST(the_firewall_is_for_windows),
		TEST(win_acmes_placeholders_without_a_meaning_are_told),
		TEST(windows_paths_are_paths),
		TEST(backslashes_survive_being_shown),
		TEST(an_editors_mark_and_line_ends_move_no_column),
		TEST(a_sealed_secret_is_for_windows),
		TEST(a_proxy_can_be_none),
		TEST(the_log_has_a_file_with_bounds),
	};
	return cmocka_run_group_tests(words, NULL, NULL);
}
