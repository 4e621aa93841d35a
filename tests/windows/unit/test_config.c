/* What certrenewd.yaml means on Windows: what a preset knows there, paths in one
 * spelling, the environment in UTF-8, places that the system names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <cmocka.h>

#include "tests/unit/config/draft.h"

#include "base/base64url.h"
#include "base/buf.h"
#include "base/files.h"
#include "base/seal.h"
#include "base/str.h"
#include "config/idn.h"
#include "config/system.h"

#define PRESET                                                                           \
	"    deploy:\n"                                                                  \
	"      - preset: xtract-universal\n"                                             \
	"        install_dir: C:/Program Files/XtractUniversal/\n"
#define STORED(store)                                                                    \
	"    deploy:\n"                                                                  \
	"      - store: " store "\n"                                                     \
	"        verify: [{connect: 'h:443'}]\n"

static const struct target *first_target(const struct config *config)
{
	return &config->certificates[0].targets[0];
}

static void a_preset_knows_store_and_service(void **state)
{
	const struct config *c = draft_must_load(state, ISSUER CERTIFICATE PRESET
						 "        before_fallback: firewall\n");
	const struct target *target = first_target(c);
	const struct draft *draft = *state;

	assert_int_equal(target->store.type, STORE_WINDOWS);
	assert_string_equal(target->store.location, "LocalMachine");
	assert_string_equal(target->store.name, "My");
	assert_false(target->store.exportable);
	assert_null(target->store.access[0]);
	assert_int_equal(target->service.kind, SERVICE_WINDOWS);
	assert_null(target->service.name);
	assert_string_equal(target->service.below, "C:\\Program Files\\XtractUniversal");
	assert_true(target->firewall_guard);
	assert_int_equal(draft->report.warnings.n, 0);
}

static void a_record_is_kept_of_what_we_import(void **state)
{
	const struct config *c = draft_must_load(
		state, "state_dir: C:\\s\n" ISSUER CERTIFICATE PRESET);

	assert_string_equal(first_target(c)->store.records,
			    "C:\\s/certificates/a/imported");
}

static void one_file_has_one_spelling(void **state)
{
	struct draft *draft = *state;
	const struct config *c = draft_must_load(
		state,
		ISSUER CERTIFICATE PRESET "        tls_json: c:/x//y/./tls.json\n"
					  "      - name: b\n"
					  "        tls_json: 'C:\\X\\Z\\tls.json'\n"
					  "        store: {type: windows}\n"
					  "        verify: [{connect: 'h:1'}]\n");

	assert_string_equal(first_target(c)->tls_json, "c:\\x\\y\\tls.json");
	draft_load(draft,
		   ISSUER CERTIFICATE PRESET "        tls_json: c:/x/tls.json\n"
					     "      - name: b\n"
					     "        tls_json: 'C:\\X\\TLS.JSON'\n"
					     "        store: {type: windows}\n"
					     "        verify: [{connect: 'h:1'}]\n");
	assert_int_equal(draft->report.errors.n, 1);
	assert_non_null(strstr(draft->report.errors.items[0], "are the same file"));
}

static void what_comes_out_of_a_store_stays_in_it(void **state)
{
	const struct config *c = draft_must_load(
		state, "issuers:\n  hosting: {type: store, name: WebHosting}\n"
		       "certificates:\n"
		       "  a:\n"
		       "    hosts: [a.example]\n"
		       "    issuers: [hosting]\n"
		       "    deploy: [{verify: [{connect: 'h:1'}]}]\n"
		       "  b:\n"
		       "    hosts: [b.example]\n"
		       "    issuers: [store]\n"
		       "    deploy: [{verify: [{connect: 'h:1'}]}]\n");

	assert_int_equal(first_target(c)->store.type, STORE_WINDOWS);
	assert_string_equal(first_target(c)->store.name, "WebHosting");
	assert_string_equal(config_issuer(c, "store")->location, "LocalMachine");
	assert_string_equal(config_issuer(c, "store")->store_name, "My");
	assert_string_equal(c->certificates[1].targets[0].store.name, "My");
}

static void keys_do_not_leave_a_windows_store(void **state)
{
	(void)state;
	expect_one_error("certificates:\n"
			 "  a:\n"
			 "    hosts: [a.example]\n"
			 "    issuers: [store]\n"
			 "    deploy: [{store: {type: directory, path: 'C:\\s'}, verify: "
			 "[{connect: 'h:1'}]}]\n",
			 "5:13: target 'default' of certificate 'a' wants the key in a "
			 "file, and the issuer 'store' is a Windows store, which keys do "
			 "not leave: give it 'store: {type: windows}'");
}

/* The one example of docs/configuration.md that other systems refuse. */
static void the_documented_example_loads(void **state)
{
	const struct draft *draft = *state;
	struct buf text;
	struct err err;
	char *begin, *end;

	buf_init(&text, 1024 * 1024);
	if (file_read(SOURCE_DIR "/docs/configuration.md", &text, &err))
		fail_msg("%s", err.text);
	begin = strstr((char *)text.data, "\n## On Windows\n");
	assert_non_null(begin);
	begin = strstr(begin, "\n```\n");
	assert_non_null(begin);
	begin += strlen("\n```\n");
	end = strstr(begin, "\n```\n");
	assert_non_null(end);
	end[1] = '\0';
	assert_int_equal(draft_must_load(state, begin)->n_certificates, 1);
	assert_int_equal(draft->report.warnings.n, 0);
	buf_release(&text);
}

static void ec_keys_in_a_windows_store_are_an_experiment(void **state)
{
	draft_must_load(state, ISSUER CERTIFICATE "    key: {type: ec-p256}\n" STORED(
				       "{type: windows, experimental: "
				       "yes}"));
	expect_one_error(
		ISSUER CERTIFICATE "    key: {type: ec-p256}\n" STORED("{type: windows}"),
		"8:17: 'key.type' of certificate 'a' is 'ec-p256', and its target "
		"'default' has a Windows store, for which EC keys are not proven: "
		"use rsa-2048, or write 'experimental: yes' in that store");
}

/* As on a new machine; with another setting it would be shown as "# system". */
static void a_proxy_that_nobody_set_is_none(void **state)
{
	struct draft *draft = *state;
	char *shown;

	assert_null(draft_must_load(state, ISSUER CERTIFICATE PRESET)->issuers[0].proxy);
	shown = config_show(draft->config);
	assert_null(strstr(shown, "proxy"));
	free(shown);
}

static void a_preset_without_its_folder_is_one_mistake(void **state)
{
	(void)state;
	expect_one_error(
		ISSUER CERTIFICATE "    deploy: [{preset: board-connector, "
				   "when_expired: keep}]\n",
		"8:14: target 'board-connector' of certificate 'a' has a 'preset' "
		"and no 'install_dir': give the folder that the product was "
		"installed into");
}

static void systemd_is_not_here(void **state)
{
	(void)state;
	expect_one_error(ISSUER CERTIFICATE STORED(
				 "{type: windows}") "        service: {systemd: x}\n",
			 "11:28: 'service.systemd' names a systemd unit, and this is "
			 "Windows: use 'windows' or 'command'");
}

static void a_secret_in_the_environment_is_utf8(void **state)
{
	char *value;

	(void)state;
	assert_true(SetEnvironmentVariableW(L"CERTRENEWD_T\u00c4ST", L"gr\u00fc\u00df"));
	value = system_getenv("CERTRENEWD_T\xc3\x84ST");
	assert_string_equal(value, "gr\xc3\xbc\xc3\x9f");
	str_free_secret(value);
	assert_null(system_getenv("CERTRENEWD_NOT_SET"));
}

static void a_sealed_secret_is_opened(void **state)
{
	struct draft *draft = *state;
	struct buf sealed;
	struct err err;
	char *text, *yaml;

	buf_init(&sealed, 65536);
	assert_int_equal(seal("YWJj", 4, &sealed, &err), 0);
	text = base64url_encode(sealed.data, sealed.len);
	yaml = str_printf(
		ISSUER
		"    eab: {key_id: x, hmac_key: {dpapi: '%s'}}\n" CERTIFICATE PRESET,
		text);
	draft_must_load(state, yaml);
	assert_string_equal(draft->config->issuers[0].eab_hmac_key.bytes, "YWJj");
	free(yaml);
	free(text);
	buf_release(&sealed);
	expect_one_error(
		ISSUER
		"    eab: {key_id: x, hmac_key: {dpapi: '?'}}\n" CERTIFICATE PRESET,
		"4:40: 'eab.hmac_key' has a 'dpapi' that is not base64: copy what "
		"'certrenewd protect' printed");
}

static void the_system_names_our_places(void **state)
{
	char *config = system_default_config(), *folder = system_default_state_dir();
	char *program_data = system_getenv("ProgramData");
	char *expected = str_printf("%s\\certrenewd\\state", program_data);
	const struct config *c = draft_must_load(state, ISSUER CERTIFICATE PRESET);

	assert_true(str_ends(config, "\\certrenewd\\certrenewd.yaml"));
	assert_true(str_equal_nocase(folder, expected));
	assert_string_equal(c->state_dir, folder);
	free(expected);
	free(program_data);
	free(folder);
	free(config);
}

static void becomes(const char *name, const char *expected)
{
	const char *why = NULL;
	char *ascii = NULL;

	if (idn_to_ascii(name, &ascii, &why))
		fail_msg("%s: %s", name, why);
	assert_string_equal(ascii, expected);
	free(ascii);
}

/* The right column is what libidn2 makes of them (IDNA 2008, non-transitional). */
static void international_names_are_those_of_the_other_systems(void **state)
{
	const char *why = NULL;
	char *ascii = NULL;

	(void)state;
	becomes(u8"B\u00fccher.example", "xn--bcher-kva.example");
	becomes(u8"bu\u0308cher.example", "xn--bcher-kva.example");
	becomes(u8"stra\u00dfe.example", "xn--strae-oqa.example");
	becomes(u8"gro\u00df.stra\u00dfe.b\u00fcro.example",
		"xn--gro-7ka.xn--strae-oqa.xn--bro-hoa.example");
	becomes(u8"\u03b2\u03cc\u03bb\u03bf\u03c2.example", "xn--nxasmm1c.example");
	assert_int_equal(idn_to_ascii(u8"a\u200d.example", &ascii, &why), -1);
	assert_non_null(strstr(why, "joiner"));
	assert_null(ascii);
}

static void what_is_shown_loads_to_the_same(void **state)
{
	struct draft *draft = *state;
	char *shown, *again;

	draft_must_load(state, ISSUER CERTIFICATE PRESET
			"        wait_for_extractions: 30m\n"
			"        maintenance_window: ['Sat,Sun 22:00-04:00']\n"
			"        run: [{command: ['C:\\x y\\\xc3\xbc.cmd', 'a\\\"b']}]\n"
			"        before_fallback: firewall\n");
	shown = config_show(draft->config);
	draft_must_load(state, shown);
	assert_string_equal(first_target(draft->config)->programs[0].argv[1], "a\\\"b");
	assert_string_equal(first_target(draft->config)->wait_idle.url,
			    "https://127.0.0.1:8165");
	again = config_show(draft->config);
	assert_non_null(
		strstr(again, "install_dir: 'C:\\Program Files\\XtractUniversal'"));
	free(again);
	free(shown);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest windows[] = {
		TEST(a_preset_knows_store_and_service),
		TEST(a_record_is_kept_of_what_we_import),
		TEST(one_file_has_one_spelling),
		TEST(what_comes_out_of_a_store_stays_in_it),
		TEST(keys_do_not_leave_a_windows_store),
		TEST(the_documented_example_loads),
		TEST(ec_keys_in_a_windows_store_are_an_experiment),
		TEST(a_proxy_that_nobody_set_is_none),
		TEST(a_preset_without_its_folder_is_one_mistake),
		TEST(systemd_is_not_here),
		TEST(a_secret_in_the_environment_is_utf8),
		TEST(a_sealed_secret_is_opened),
		TEST(the_system_names_our_places),
		TEST(international_names_are_those_of_the_other_systems),
		TEST(what_is_shown_loads_to_the_same),
	};
	return cmocka_run_group_tests(windows, NULL, NULL);
}
