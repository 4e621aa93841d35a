/* What a right file becomes: the file as a whole, issuers, certificates, alerts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "draft.h"

#include "base/files.h"
#include "base/str.h"

static void the_shortest_file_gets_every_default(void **state)
{
	const struct config *c = draft_must_load(state, ISSUER CERTIFICATE TARGET);
	const struct draft *draft = *state;

	assert_string_equal(c->path, draft->path);
	assert_string_equal(c->state_dir, "/var/lib/certrenewd");
	assert_int_equal(c->concurrency, 4);
	assert_int_equal(c->log_format, LOG_FORMAT_TEXT);
	assert_int_equal(c->inspect_files_every_s, 3600);
	assert_int_equal(c->inspect_endpoints_every_s, 6 * 3600);
	assert_int_equal(c->n_issuers, 1);
	assert_int_equal(c->n_certificates, 1);
	assert_int_equal(c->n_alerts, 0);
	assert_int_equal(draft->report.warnings.n, 0);
}

static void an_issuer_gets_every_default(void **state)
{
	const struct config *c = draft_must_load(state, ISSUER CERTIFICATE TARGET);
	const struct issuer_config *issuer = config_issuer(c, "le");

	assert_string_equal(issuer->name, "le");
	assert_string_equal(issuer->directory, "https://ca.example/dir");
	assert_false(issuer->agree_to_terms);
	assert_null(issuer->contact[0]);
	assert_null(issuer->ca_bundle);
	assert_null(issuer->proxy);
	assert_string_equal(issuer->account_key, "ec-p256");
	assert_null(issuer->eab_key_id);
	assert_null(issuer->eab_hmac_key.bytes);
	assert_int_equal(issuer->request_timeout_s, 30);
	assert_int_equal(issuer->order_timeout_s, 600);
	assert_null(config_issuer(c, "other"));
}

static void a_certificate_gets_every_default(void **state)
{
	const struct config *c = draft_must_load(state, ISSUER CERTIFICATE TARGET);
	const struct certificate_config *certificate = config_certificate(c, "a");

	assert_string_equal(certificate->name, "a");
	assert_string_equal(certificate->hosts[0], "a.example");
	assert_null(certificate->hosts[1]);
	assert_string_equal(certificate->issuers[0], "le");
	assert_string_equal(certificate->key_type, "rsa-2048");
	assert_false(certificate->key_reuse);
	assert_true(certificate->common_name);
	assert_int_equal(certificate->n_challenges, 1);
	assert_int_equal(certificate->challenges[0].type, HTTP_01);
	assert_string_equal(certificate->challenges[0].listen, ":80");
	assert_null(certificate->challenges[0].webroot);
	assert_int_equal(certificate->renew_at.kind, RENEW_DEFAULT);
	assert_true(certificate->follow_ari);
	assert_int_equal(certificate->require, 0);
	assert_int_equal(certificate->n_targets, 1);
	assert_null(config_certificate(c, "b"));
}

static void the_top_level_is_read(void **state)
{
	const struct config *c = draft_must_load(
		state,
		"concurrency: 64\n"
		"state_dir: /srv/state/\n"
		"log: {format: json}\n"
		"inspect_every: {files: 5m, endpoints: 2h}\n" ISSUER CERTIFICATE TARGET
		"alerts:\n");

	assert_int_equal(c->concurrency, 64);
	assert_string_equal(c->state_dir, "/srv/state");
	assert_int_equal(c->log_format, LOG_FORMAT_JSON);
	assert_int_equal(c->inspect_files_every_s, 300);
	assert_int_equal(c->inspect_endpoints_every_s, 7200);
	assert_int_equal(c->n_alerts, 0);
}

static void an_issuer_is_read(void **state)
{
	const struct issuer_config *issuer;
	char *bundle;

	draft_file(*state, "eab.key", 0600, "YWJj-w\n");
	issuer = draft_must_load(state, ISSUER
				 "    agree_to_terms: on\n"
				 "    contact: [mailto:a@b.example, mailto:c@d.example]\n"
				 "    ca_bundle: corp.pem\n"
				 "    proxy: http://proxy:3128\n"
				 "    account_key: rsa-3072\n"
				 "    eab: {key_id: abc, hmac_key: {file: eab.key}, "
				 "algorithm: HS512}\n"
				 "    request_timeout: 10m\n"
				 "    order_timeout: 1d\n" CERTIFICATE TARGET)
			 ->issuers;
	bundle = path_join(((struct draft *)*state)->folder, "corp.pem");
	assert_true(issuer->agree_to_terms);
	assert_string_equal(issuer->contact[1], "mailto:c@d.example");
	assert_null(issuer->contact[2]);
	assert_string_equal(issuer->ca_bundle, bundle);
	assert_string_equal(issuer->proxy, "http://proxy:3128");
	assert_string_equal(issuer->account_key, "rsa-3072");
	assert_string_equal(issuer->eab_key_id, "abc");
	assert_string_equal(issuer->eab_hmac_key.bytes, "YWJj-w");
	assert_int_equal(issuer->eab_algorithm, EAB_HS512);
	assert_int_equal(issuer->request_timeout_s, 600);
	assert_int_equal(issuer->order_timeout_s, 86400);
	free(bundle);
}

static void a_certificate_is_read(void **state)
{
	const struct certificate_config *certificate;

	certificate = draft_must_load(
			      state, ISSUER
			      "certificates:\n"
			      "  A_b-1:\n"
			      "    hosts: [WWW.Example.com, b\xc3\xbc"
			      "cher.example]\n"
			      "    issuers: [le]\n"
			      "    key: {type: ec-p384, reuse: yes}\n"
			      "    common_name: no\n"
			      "    challenge: {type: http-01, webroot: /var/www/}\n"
			      "    renew: {at: 2/5, follow_ari: off}\n"
			      "    require: [cn, serverAuth, clientAuth]\n" TARGET)
			      ->certificates;
	assert_string_equal(certificate->name, "A_b-1");
	assert_string_equal(certificate->hosts[0], "www.example.com");
	assert_string_equal(certificate->hosts[1], "xn--bcher-kva.example");
	assert_string_equal(certificate->key_type, "ec-p384");
	assert_true(certificate->key_reuse);
	assert_false(certificate->common_name);
	assert_null(certificate->challenges[0].listen);
	assert_string_equal(certificate->challenges[0].webroot, "/var/www");
	assert_int_equal(certificate->renew_at.kind, RENEW_FRACTION);
	assert_int_equal(certificate->renew_at.numerator, 2);
	assert_int_equal(certificate->renew_at.denominator, 5);
	assert_false(certificate->follow_ari);
	assert_int_equal(certificate->require,
			 REQUIRE_CN | REQUIRE_SERVER_AUTH | REQUIRE_CLIENT_AUTH);
}

static void renewal_can_be_a_duration_before_the_end(void **state)
{
	const struct renew_at *at;

	at = &draft_must_load(state, ISSUER CERTIFICATE "    renew: {at: 30d}\n" TARGET)
		      ->certificates[0]
		      .renew_at;
	assert_int_equal(at->kind, RENEW_DURATION);
	assert_int_equal(at->duration_s, 30 * 86400);
}

static void alerts_are_read(void **state)
{
	const struct config *c;

	draft_file(*state, "token", 0400, "Bearer abc\n");
	c = draft_must_load(
		state, ISSUER CERTIFICATE TARGET
		"alerts:\n"
		"  ops: {type: webhook, url: 'http://127.0.0.1:9/x', authorization: "
		"{file: "
		"token}, ca_bundle: /c.pem, proxy: 'http://p:1', except: [renewed, "
		"drift]}\n"
		"  page: {type: program, command: [/bin/page, x], timeout: 5s, min: "
		"critical}\n");
	assert_int_equal(c->n_alerts, 2);
	assert_string_equal(c->alerts[0].name, "ops");
	assert_int_equal(c->alerts[0].type, CHANNEL_WEBHOOK);
	assert_string_equal(c->alerts[0].url, "http://127.0.0.1:9/x");
	assert_string_equal(c->alerts[0].authorization.bytes, "Bearer abc");
	assert_int_equal(c->alerts[0].authorization.len, 10);
	assert_string_equal(c->alerts[0].authorization.source, "file 'token'");
	assert_string_equal(c->alerts[0].ca_bundle, "/c.pem");
	assert_string_equal(c->alerts[0].proxy, "http://p:1");
	assert_int_equal(c->alerts[0].min, SEVERITY_WARNING);
	assert_string_equal(c->alerts[0].except[1], "drift");
	assert_null(c->alerts[0].except[2]);
	assert_int_equal(c->alerts[1].type, CHANNEL_PROGRAM);
	assert_string_equal(c->alerts[1].program.argv[0], "/bin/page");
	assert_int_equal(c->alerts[1].program.timeout_s, 5);
	assert_int_equal(c->alerts[1].min, SEVERITY_CRITICAL);
	assert_null(c->alerts[1].except[0]);
}

static void the_packaged_example_loads(void **state)
{
	struct config_report report = { 0 };
	const struct config *c = NULL;

	(void)state;
	assert_int_equal(
		config_load(SOURCE_DIR "/packaging/certrenewd.yaml", false, &c, &report),
		0);
	assert_string_equal(c->certificates[0].targets[0].service.name, "nginx.service");
	assert_int_equal(report.errors.n, 0);
	config_free(c);
	config_report_clear(&report);
}

static void a_relative_path_to_the_file_is_made_absolute(void **state)
{
	struct draft *draft = *state;
	struct config_report report = { 0 };
	const struct config *c = NULL;

	draft_file(draft, "certrenewd.yaml", 0600, ISSUER CERTIFICATE TARGET);
	assert_int_equal(chdir(draft->folder), 0);
	assert_int_equal(config_load("certrenewd.yaml", false, &c, &report), 0);
	assert_string_equal(path_base(c->path), "certrenewd.yaml");
	assert_true(path_is_absolute(c->path));
	assert_int_equal(chdir("/"), 0);
	config_free(c);
	config_report_clear(&report);
}

static void severities_have_names(void **state)
{
	(void)state;
	assert_string_equal(severity_name(SEVERITY_NOTICE), "notice");
	assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
	assert_string_equal(severity_name(SEVERITY_CRITICAL), "critical");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest configs[] = {
		TEST(the_shortest_file_gets_every_default),
		TEST(an_issuer_gets_every_default),
		TEST(a_certificate_gets_every_default),
		TEST(the_top_level_is_read),
		TEST(an_issuer_is_read),
		TEST(a_certificate_is_read),
		TEST(renewal_can_be_a_duration_before_the_end),
		TEST(alerts_are_read),
		TEST(the_packaged_example_loads),
		TEST(a_relative_path_to_the_file_is_made_absolute),
		TEST(severities_have_names),
	};
	return cmocka_run_group_tests(configs, NULL, NULL);
}
