/* What a right target becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

static const struct target *first_target(const struct config *config)
{
	return &config->certificates[0].targets[0];
}

static void a_target_gets_every_default(void **state)
{
	const struct target *target = first_target(
		draft_must_load(state, ISSUER CERTIFICATE TARGET));

	assert_string_equal(target->name, "default");
	assert_null(target->preset);
	assert_null(target->install_dir);
	assert_int_equal(target->store.type, STORE_DIRECTORY);
	assert_string_equal(target->store.path, "/srv/a");
	assert_int_equal(target->store.key_mode, 0600);
	assert_null(target->tls_json);
	assert_string_equal(target->subject_alt_name, "a.example");
	assert_int_equal(target->n_programs, 0);
	assert_int_equal(target->service.kind, SERVICE_NONE);
	assert_int_equal(target->n_verify, 1);
	assert_string_equal(target->verify[0].server_name, "a.example");
	assert_false(target->verify[0].chain_required);
	assert_int_equal(target->verify_timeout_s, 60);
	assert_int_equal(target->retire_after_s, 86400);
	assert_int_equal(target->keep, 0);
	assert_int_equal(target->when_expired, EXPIRED_KEEP);
	assert_null(target->http);
	assert_null(target->before_fallback.argv);
	assert_null(target->after_fallback.argv);
	assert_false(target->even_if_guard_fails);
}

/* Every key of a target, not one with its default. */
#define WHOLE_TARGET                                                                     \
	ISSUER CERTIFICATE                                                               \
		"    deploy:\n"                                                          \
		"      - name: web\n"                                                    \
		"        install_dir: /opt/web\n"                                        \
		"        store:\n"                                                       \
		"          type: files\n"                                                \
		"          files: {key: /s/k, fullchain: /s/f, chain: /s/c, cert: "      \
		"/s/l}\n"                                                                \
		"          owner: root\n"                                                \
		"          group: www-data\n"                                            \
		"        tls_json: {path: /opt/web//tls.json}\n"                         \
		"        run: [{command: [/usr/bin/x, -v, ''], timeout: 5s, changes: "   \
		"[/etc/x]}]\n"                                                           \
		"        service: {systemd: nginx, action: reload, timeout: 2m}\n"       \
		"        verify:\n"                                                      \
		"          - {connect: '[::1]:443', server_name: B.example, chain: "     \
		"required}\n"                                                            \
		"          - {connect: 'localhost:444', server_name: none}\n"            \
		"        verify_timeout: 90s\n"                                          \
		"        retire: {after: 0, keep: 3}\n"                                  \
		"        when_expired: http\n"                                           \
		"        http: 127.0.0.1:1337\n"                                         \
		"        before_fallback: {command: [/usr/bin/guard, 'on'], timeout: "   \
		"9s}\n"                                                                  \
		"        after_fallback: {command: [/usr/bin/guard, 'off']}\n"           \
		"        even_if_guard_fails: true\n"

static void where_a_target_wants_its_files_is_read(void **state)
{
	const struct target *target = first_target(draft_must_load(state, WHOLE_TARGET));

	assert_string_equal(target->name, "web");
	assert_string_equal(target->install_dir, "/opt/web");
	assert_int_equal(target->store.type, STORE_FILES);
	assert_string_equal(target->store.key, "/s/k");
	assert_string_equal(target->store.fullchain, "/s/f");
	assert_string_equal(target->store.chain, "/s/c");
	assert_string_equal(target->store.cert, "/s/l");
	assert_string_equal(target->store.owner, "root");
	assert_string_equal(target->store.group, "www-data");
	assert_int_equal(target->store.key_mode, 0640);
	assert_string_equal(target->tls_json, "/opt/web/tls.json");
}

static void what_is_run_and_restarted_is_read(void **state)
{
	const struct target *target = first_target(draft_must_load(state, WHOLE_TARGET));

	assert_string_equal(target->programs[0].argv[1], "-v");
	assert_string_equal(target->programs[0].argv[2], "");
	assert_null(target->programs[0].argv[3]);
	assert_int_equal(target->programs[0].timeout_s, 5);
	assert_string_equal(target->programs[0].changes[0], "/etc/x");
	assert_int_equal(target->service.kind, SERVICE_SYSTEMD);
	assert_string_equal(target->service.name, "nginx.service");
	assert_int_equal(target->service.action, SERVICE_RELOAD);
	assert_int_equal(target->service.timeout_s, 120);
}

static void what_proves_and_what_follows_is_read(void **state)
{
	const struct target *target = first_target(draft_must_load(state, WHOLE_TARGET));

	assert_string_equal(target->verify[0].connect, "[::1]:443");
	assert_string_equal(target->verify[0].server_name, "b.example");
	assert_true(target->verify[0].chain_required);
	assert_null(target->verify[1].server_name);
	assert_int_equal(target->verify_timeout_s, 90);
	assert_int_equal(target->retire_after_s, 0);
	assert_int_equal(target->keep, 3);
	assert_int_equal(target->when_expired, EXPIRED_HTTP);
	assert_string_equal(target->http, "127.0.0.1:1337");
	assert_string_equal(target->before_fallback.argv[1], "on");
	assert_int_equal(target->before_fallback.timeout_s, 9);
	assert_int_equal(target->after_fallback.timeout_s, 60);
	assert_null(target->after_fallback.changes[0]);
	assert_true(target->even_if_guard_fails);
	assert_int_equal(((struct draft *)*state)->report.warnings.n, 0);
}

static void a_service_can_be_a_command_with_a_status(void **state)
{
	const struct service *service;

	service = &first_target(
			   draft_must_load(
				   state, ISSUER CERTIFICATE TARGET
				   "        service: {command: [/usr/bin/ctl, restart], "
				   "status: [/usr/bin/ctl, status], timeout: 3m}\n"))
			   ->service;
	assert_int_equal(service->kind, SERVICE_COMMAND);
	assert_null(service->name);
	assert_string_equal(service->command.argv[1], "restart");
	assert_string_equal(service->status.argv[1], "status");
	assert_int_equal(service->timeout_s, 180);
	assert_int_equal(service->command.timeout_s, 180);
	assert_int_equal(service->status.timeout_s, 180);
}

static void a_written_mode_wins_over_the_group(void **state)
{
	const struct store *store;

	store = &first_target(draft_must_load(
				      state, ISSUER CERTIFICATE
				      "    deploy:\n"
				      "      - store: {type: directory, path: /srv/a, "
				      "group: g, mode: 0400}\n"
				      "        verify: [{connect: \"127.0.0.1:443\"}]\n"))
			 ->store;
	assert_int_equal(store->key_mode, 0400);
}

static void several_targets_keep_their_order(void **state)
{
	const struct certificate_config *certificate;

	certificate =
		draft_must_load(
			state, ISSUER CERTIFICATE
			"    deploy:\n"
			"      - {name: x, store: {type: directory, path: /x}, verify: "
			"[{connect: 'h:1'}]}\n"
			"      - {name: y, run: [{command: [/bin/y]}], verify: "
			"[{connect: "
			"'h:2'}]}\n")
			->certificates;
	assert_int_equal(certificate->n_targets, 2);
	assert_string_equal(certificate->targets[1].name, "y");
	assert_int_equal(certificate->targets[1].n_programs, 1);
	assert_string_equal(certificate->targets[1].programs[0].argv[0], "/bin/y");
	assert_null(certificate->targets[1].programs[0].changes[0]);
	assert_string_equal(certificate->targets[1].subject_alt_name, "a.example");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest configs[] = {
		TEST(a_target_gets_every_default),
		TEST(where_a_target_wants_its_files_is_read),
		TEST(what_is_run_and_restarted_is_read),
		TEST(what_proves_and_what_follows_is_read),
		TEST(a_service_can_be_a_command_with_a_status),
		TEST(a_written_mode_wins_over_the_group),
		TEST(several_targets_keep_their_order),
	};
	return cmocka_run_group_tests(configs, NULL, NULL);
}
