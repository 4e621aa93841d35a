/* What the four presets fill in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/str.h"

static const struct target *first_target(const struct config *config)
{
	return &config->certificates[0].targets[0];
}

#define PRESET(name, folder)                                                             \
	ISSUER CERTIFICATE "    deploy:\n"                                               \
			   "      - preset: " name "\n"                                  \
			   "        install_dir: " folder "\n"                           \
			   "        store: {type: directory, path: /srv/a}\n"

static void xtract_universal_is_known_with_its_windows_path(void **state)
{
	const struct config *c = draft_must_load(
		state, PRESET("xtract-universal", "C:\\Program Files\\XtractUniversal"));
	const struct target *target = first_target(c);

	assert_string_equal(target->name, "xtract-universal");
	assert_string_equal(target->preset, "xtract-universal");
	assert_string_equal(target->tls_json,
			    "C:\\Program Files\\XtractUniversal\\config\\"
			    "servers\\tls.json");
	assert_int_equal(target->n_verify, 1);
	assert_string_equal(target->verify[0].connect, "127.0.0.1:8165");
	assert_string_equal(target->verify[0].server_name, "a.example");
	assert_string_equal(target->http, "127.0.0.1:8065");
	assert_int_equal(target->when_expired, EXPIRED_HTTP);
	assert_int_equal(c->certificates[0].require, REQUIRE_CN);
}

static void the_other_presets_have_their_own_ports(void **state)
{
	const struct target *target = first_target(
		draft_must_load(state, PRESET("board-connector", "/opt/bc/")));

	assert_string_equal(target->tls_json, "/opt/bc/config/servers/tls.json");
	assert_string_equal(target->verify[0].connect, "127.0.0.1:8197");
	assert_string_equal(target->http, "127.0.0.1:8097");
	target = first_target(draft_must_load(state, PRESET("yunio", "/opt/yunio")));
	assert_int_equal(target->n_verify, 3);
	assert_string_equal(target->verify[0].connect, "127.0.0.1:8175");
	assert_string_equal(target->verify[1].connect, "127.0.0.1:8177");
	assert_string_equal(target->verify[2].connect, "127.0.0.1:8176");
	assert_string_equal(target->verify[1].server_name, "a.example");
	assert_string_equal(target->http, "127.0.0.1:8075");
	target = first_target(draft_must_load(state, PRESET("xtract-core", "/opt/x[1]")));
	assert_string_equal(target->tls_json, "/opt/x[1]/config/servers/tls.json");
	assert_string_equal(target->verify[0].connect, "127.0.0.1:1338");
	assert_string_equal(target->http, "127.0.0.1:1337");
}

static void every_preset_knows_its_settings(void **state)
{
	const struct target *target = first_target(
		draft_must_load(state, PRESET("board-connector", "C:\\bc\\")));

	assert_string_equal(target->settings[0], "C:\\bc\\config\\server*");
	assert_null(target->settings[1]);
	assert_null(target->listener_json);
	target = first_target(draft_must_load(state, PRESET("xtract-core", "/opt/xc")));
	assert_string_equal(target->settings[0], "/opt/xc/config/server*");
	assert_string_equal(target->listener_json, "/opt/xc/listener.json");
}

/* Loads Xtract Core installed in the draft's folder. */
static const struct target *xtract_core_here(void **state, const char *listener_json)
{
	struct draft *draft = *state;
	char *yaml = str_printf(ISSUER CERTIFICATE
				"    deploy:\n"
				"      - preset: xtract-core\n"
				"        install_dir: %s\n"
				"        store: {type: directory, path: /srv/a}\n"
				"        when_expired: keep\n",
				draft->folder);
	const struct target *target;

	draft_file(draft, "listener.json", 0644, listener_json);
	target = first_target(draft_must_load(state, yaml));
	free(yaml);
	return target;
}

static void xtract_core_says_its_ports_in_listener_json(void **state)
{
	const struct target *target = xtract_core_here(
		state,
		"\xef\xbb\xbf{ \"insecurePort\": 80, \"securePort\": 8443, \"mode\": "
		"\"Any\" }\r\n");
	const struct draft *draft = *state;

	assert_string_equal(target->verify[0].connect, "127.0.0.1:8443");
	assert_string_equal(target->http, "127.0.0.1:80");
	assert_int_equal(draft->report.warnings.n, 0);
	target = xtract_core_here(state, "{\"insecurePort\": 99999, \"securePort\": 0}");
	assert_string_equal(target->verify[0].connect, "127.0.0.1:1338");
	assert_string_equal(target->http, "127.0.0.1:1337");
}

static void a_damaged_listener_json_is_told_and_the_usual_ports_are_taken(void **state)
{
	const struct target *target = xtract_core_here(state, "{ \"securePort\": ");
	const struct draft *draft = *state;

	assert_string_equal(target->verify[0].connect, "127.0.0.1:1338");
	assert_int_equal(draft->report.warnings.n, 1);
	assert_non_null(strstr(draft->report.warnings.items[0],
			       "the product's usual ports are taken: write 'verify' and "
			       "'http' if it uses others"));
}

static void every_line_of_a_preset_can_be_written_otherwise(void **state)
{
	const struct config *c = draft_must_load(
		state, ISSUER CERTIFICATE "    require: []\n"
					  "    deploy:\n"
					  "      - preset: xtract-core\n"
					  "        install_dir: /opt/xc\n"
					  "        name: xc\n"
					  "        store: {type: directory, path: /s}\n"
					  "        tls_json: none\n"
					  "        verify: [{connect: 'h:1'}]\n"
					  "        when_expired: keep\n"
					  "        http: 'h:2'\n");
	const struct target *target = first_target(c);

	assert_string_equal(target->name, "xc");
	assert_null(target->tls_json);
	assert_string_equal(target->verify[0].connect, "h:1");
	assert_int_equal(target->when_expired, EXPIRED_KEEP);
	assert_string_equal(target->http, "h:2");
	assert_int_equal(c->certificates[0].require, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest configs[] = {
		TEST(xtract_universal_is_known_with_its_windows_path),
		TEST(the_other_presets_have_their_own_ports),
		TEST(every_preset_knows_its_settings),
		TEST(xtract_core_says_its_ports_in_listener_json),
		TEST(a_damaged_listener_json_is_told_and_the_usual_ports_are_taken),
		TEST(every_line_of_a_preset_can_be_written_otherwise),
	};
	return cmocka_run_group_tests(configs, NULL, NULL);
}
