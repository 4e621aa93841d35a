/* What a wrong target is told. Its own lines begin at 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"

#include "draft.h"

#define BEFORE ISSUER CERTIFICATE "    deploy:\n"
#define VERIFY "        verify: [{connect: \"127.0.0.1:443\"}]\n"

static void a_target_that_brings_nothing_is_refused(void **state)
{
	(void)state;
	expect_one_error(BEFORE "      - name: web\n" VERIFY,
			 "9:9: target 'web' of certificate 'a' has neither 'store' nor "
			 "'run': nothing would bring the certificate to the application");
}

static void a_target_is_verified_somewhere(void **state)
{
	(void)state;
	expect_one_error(
		BEFORE "      - store: {type: directory, path: /srv/a}\n",
		"9:9: 'verify' is missing in target 'default' of certificate 'a' "
		"(where the new certificate must be seen; a preset knows it)");
	expect_one_error(
		BEFORE "      - store: {type: directory, path: /srv/a}\n"
		       "        verify: [{chain: required}]\n",
		"10:18: 'connect' is missing in 'verify' of target 'default' of "
		"certificate 'a' (where the application must be seen serving the "
		"certificate)");
	expect_error(
		BEFORE "      - store: {type: directory, path: /srv/a}\n"
		       "        verify: ['127.0.0.1:443']\n",
		"10:18: 'an entry' in 'verify' is no map: expected 'connect: ...' and "
		"more");
}

static void two_targets_of_one_name_are_refused(void **state)
{
	(void)state;
	expect_one_error(
		BEFORE "      - {store: {type: directory, path: /x}, verify: [{connect: "
		       "'h:1'}]}\n"
		       "      - {store: {type: directory, path: /y}, verify: [{connect: "
		       "'h:1'}]}\n",
		"10:9: two targets of certificate 'a' are named 'default': give each its "
		"own 'name'");
}

static void a_directory_store_is_no_folder_of_the_systems(void **state)
{
	static const char *const folders[] = { "/", "/etc", "/var" };
	char *text, *error;

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		text = str_printf(BEFORE
				  "      - store: {type: directory, path: %s}\n" VERIFY,
				  folders[i]);
		error = str_printf("9:40: 'store.path' is '%s', a folder of the system's "
				   "own: expected a path of ours, such as "
				   "/etc/certrenewd/live/NAME",
				   folders[i]);
		expect_one_error(text, error);
		free(text);
		free(error);
	}
}

static void a_directory_store_has_no_files(void **state)
{
	(void)state;
	expect_one_error(
		BEFORE
		"      - store: {type: directory, path: /x, files: {key: /k}}\n" VERIFY,
		"9:44: 'store.files' is for 'type: files', not for 'type: directory'");
	expect_one_error(
		BEFORE "      - store: {type: directory}\n" VERIFY,
		"9:9: 'store.path' is missing in target 'default' of certificate "
		"'a' (our link to the current version, which holds key.pem, "
		"cert.pem, chain.pem and fullchain.pem)");
}

static void a_files_store_names_where_the_certificate_goes(void **state)
{
	(void)state;
	expect_one_error(
		BEFORE
		"      - store: {type: files, files: {key: /k, chain: /c}}\n" VERIFY,
		"9:30: 'files' of 'store' of target 'default' of certificate 'a' has "
		"neither 'fullchain' nor 'cert': name where the certificate goes");
	expect_one_error(BEFORE
			 "      - store: {type: files, files: {cert: /c}}\n" VERIFY,
			 "9:30: 'store.files.key' is missing in 'store' of target "
			 "'default' of certificate 'a' (path of the private key)");
	expect_one_error(
		BEFORE "      - store: {type: files, files: {key: k, cert: /c}}\n" VERIFY,
		"9:43: 'store.files.key' is 'k': expected an absolute path");
}

static void a_mode_keeps_the_key_from_others(void **state)
{
	(void)state;
	expect_one_error(
		BEFORE "      - store: {type: directory, path: /x, mode: 0644}\n" VERIFY,
		"9:50: 'store.mode' has '0644', which lets every account read the "
		"private "
		"key: end it in 0");
	expect_one_error(
		BEFORE "      - store: {type: directory, path: /x, mode: 0040}\n" VERIFY,
		"9:50: 'store.mode' has '0040', which keeps the owner itself from "
		"reading");
	expect_one_error(
		BEFORE "      - store: {type: directory, path: /x, mode: rw}\n" VERIFY,
		"9:50: 'store.mode' is 'rw': expected an octal mode, such as 0640");
}

static void a_service_is_exactly_one_of_three(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE TARGET
		"        service: {systemd: x, command: [/bin/x]}\n",
		"11:9: 'service' of target 'default' of certificate 'a' has several "
		"of 'systemd', 'windows' and 'command': give exactly one, or write "
		"'service: none'");
	expect_one_error(
		ISSUER CERTIFICATE TARGET "        service: {timeout: 5s}\n",
		"11:9: 'service' of target 'default' of certificate 'a' has none "
		"of 'systemd', 'windows' and 'command': give exactly one, or write "
		"'service: none'");
	expect_one_error(ISSUER CERTIFICATE TARGET "        service: nginx\n",
			 "11:18: 'service' is 'nginx': expected a map or none");
}

static void a_windows_service_is_for_windows(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE TARGET
		"        service: {windows: XtractUniversal Service}\n",
		"11:28: 'service.windows' names a Windows service, and this is not "
		"Windows: use 'systemd' or 'command'");
}

static void status_is_for_commands_and_reload_for_units(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE TARGET
			 "        service: {systemd: x, status: [/bin/x]}\n",
			 "11:31: 'service.status' is for 'command' only: the service "
			 "manager is asked here");
	expect_one_error(
		ISSUER CERTIFICATE TARGET
		"        service: {command: [/bin/x], action: reload}\n",
		"11:46: 'service.action' is 'reload', which is for a unit: name a "
		"command that reloads");
}

static void a_program_is_named_by_its_absolute_path(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE TARGET "        run: [{command: [x, y]}]\n",
			 "11:26: 'command' has 'x', which is no program by its absolute "
			 "path, such as /usr/local/bin/x");
	expect_one_error(
		ISSUER CERTIFICATE TARGET
		"        before_fallback: {command: [/a/../b]}\n",
		"11:37: 'before_fallback.command' has '/a/../b', which has a '..' "
		"in it: write the path without it");
	expect_one_error(
		ISSUER CERTIFICATE TARGET "        run: [{command: /bin/x -v}]\n",
		"11:25: 'command' is '/bin/x -v': expected a list such as [/bin/x "
		"-v]");
	expect_one_error(ISSUER CERTIFICATE TARGET "        run: [{command: []}]\n",
			 "11:25: 'command' has 0 entries: expected from 1 to 64");
	expect_one_error(
		ISSUER CERTIFICATE TARGET "        run: [{command: [/bin/x, [y]]}]\n",
		"11:34: 'command' has a list: expected a program and its arguments "
		"(1 to 64), such as [/usr/bin/x, arg]");
	expect_one_error(ISSUER CERTIFICATE TARGET
			 "        run: [{command: [/bin/x, *y]}]\n",
			 "11:34: aliases ('*y') are not supported: write the value out");
}

static void tls_json_is_a_path_in_one_of_two_forms(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE TARGET "        tls_json: tls.json\n",
			 "11:19: 'tls_json' is 'tls.json': expected an absolute path, "
			 "{path: PATH} or none");
	expect_one_error(ISSUER CERTIFICATE TARGET "        tls_json: {file: /x}\n",
			 "11:19: 'tls_json' is a map: expected an absolute path, {path: "
			 "PATH} or none");
	expect_one_error(
		ISSUER CERTIFICATE TARGET "        tls_json: {path: x}\n",
		"11:26: 'tls_json' is 'x': expected an absolute path, {path: PATH} "
		"or none");
}

static void a_preset_needs_the_folder(void **state)
{
	(void)state;
	expect_one_error(
		BEFORE "      - preset: xtract-core\n"
		       "        store: {type: directory, path: /x}\n",
		"9:9: target 'xtract-core' of certificate 'a' has a 'preset' and "
		"no 'install_dir': give the folder that the product was installed "
		"into");
}

static void an_unknown_preset_gets_the_nearest(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE TARGET "        preset: xtract_core\n"
						   "        install_dir: /opt/xc\n",
			 "11:17: 'preset' is 'xtract_core': expected xtract-universal, "
			 "board-connector, yunio or xtract-core: did you mean "
			 "'xtract-core'?");
}

static void falling_back_to_http_needs_tls_json_and_an_address(void **state)
{
	static const char yaml[] = ISSUER CERTIFICATE TARGET
		"        when_expired: http\n";

	(void)state;
	expect_error(yaml, "11:23: 'when_expired' is 'http', which is done by moving a "
			   "tls.json away: give 'tls_json', or 'when_expired: keep'");
	expect_error(
		yaml,
		"11:23: 'when_expired' is 'http': give 'http', the address that must "
		"answer then, such as \"127.0.0.1:1337\"");
}

static void falling_back_without_a_guard_is_warned_about(void **state)
{
	struct draft draft;

	(void)state;
	draft_open(&draft);
	draft_load(&draft, BEFORE "      - preset: xtract-core\n"
				  "        install_dir: /opt/xc\n"
				  "        store: {type: directory, path: /x}\n");
	assert_non_null(draft.config);
	draft_expect_warning(
		&draft,
		"9:17: target 'xtract-core' of certificate 'a': when its certificate has "
		"expired it will speak plain HTTP on port 1337, without encryption and "
		"without access restriction, to everybody who reaches that port: name a "
		"'before_fallback' that closes it (a firewall rule), or write "
		"'when_expired: keep'");
	draft_load(&draft, BEFORE "      - preset: xtract-core\n"
				  "        install_dir: /opt/xc\n"
				  "        store: {type: directory, path: /x}\n"
				  "        before_fallback: {command: [/bin/guard]}\n");
	assert_int_equal(draft.report.warnings.n, 0);
	draft_close(&draft);
}

int main(void)
{
	const struct CMUnitTest errors[] = {
		cmocka_unit_test(a_target_that_brings_nothing_is_refused),
		cmocka_unit_test(a_target_is_verified_somewhere),
		cmocka_unit_test(two_targets_of_one_name_are_refused),
		cmocka_unit_test(a_directory_store_is_no_folder_of_the_systems),
		cmocka_unit_test(a_directory_store_has_no_files),
		cmocka_unit_test(a_files_store_names_where_the_certificate_goes),
		cmocka_unit_test(a_mode_keeps_the_key_from_others),
		cmocka_unit_test(a_service_is_exactly_one_of_three),
		cmocka_unit_test(a_windows_service_is_for_windows),
		cmocka_unit_test(status_is_for_commands_and_reload_for_units),
		cmocka_unit_test(a_program_is_named_by_its_absolute_path),
		cmocka_unit_test(tls_json_is_a_path_in_one_of_two_forms),
		cmocka_unit_test(a_preset_needs_the_folder),
		cmocka_unit_test(an_unknown_preset_gets_the_nearest),
		cmocka_unit_test(falling_back_to_http_needs_tls_json_and_an_address),
		cmocka_unit_test(falling_back_without_a_guard_is_warned_about),
	};
	return cmocka_run_group_tests(errors, NULL, NULL);
}
