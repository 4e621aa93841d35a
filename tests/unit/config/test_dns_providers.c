/* Who answers DNS: dns_providers, and resolvers. The file begins with the providers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/str.h"
#include "config/system.h"

#define REST ISSUER CERTIFICATE TARGET

/* "corp" of a file with these lines in it. */
static const struct dns_provider *corp(void **state, const char *lines)
{
	char *yaml = str_printf("dns_providers:\n  corp:\n%s" REST, lines);
	const struct config *c = draft_must_load(state, yaml);

	free(yaml);
	assert_int_equal(c->n_dns_providers, 1);
	assert_string_equal(c->dns_providers[0].name, "corp");
	return &c->dns_providers[0];
}

static void is_refused(const char *lines, const char *sentence)
{
	char *yaml = str_printf("dns_providers:\n  corp:\n%s" REST, lines);

	expect_one_error(yaml, sentence);
	free(yaml);
}

/* ---- a type each ---------------------------------------------------------- */

static void a_server_of_ours_takes_signed_updates(void **state)
{
	const struct dns_provider *p;

	draft_file(*state, "tsig.key", 0600, "c2VjcmV0IG9mIHRzaWc=\n");
	p = corp(state,
		 "    type: rfc2136\n"
		 "    server: NS1.Example.com\n"
		 "    zone: Example.com.\n"
		 "    tsig: {key: Certrenewd-Key., algorithm: hmac-sha512, secret: "
		 "{file: tsig.key}}\n"
		 "    ttl: 5m\n"
		 "    timeout: 10s\n"
		 "    propagation: no\n");
	assert_int_equal(p->type, DNS_RFC2136);
	assert_string_equal(p->server, "NS1.Example.com:53");
	assert_string_equal(p->zone, "example.com");
	assert_string_equal(p->tsig_key, "certrenewd-key");
	assert_int_equal(p->tsig_algorithm, TSIG_HMAC_SHA512);
	assert_string_equal(p->tsig_secret.bytes, "c2VjcmV0IG9mIHRzaWc=");
	assert_int_equal(p->ttl_s, 300);
	assert_int_equal(p->timeout_s, 10);
	assert_int_equal(p->propagation_s, 0);
}

static void most_is_known_without_being_said(void **state)
{
	const struct dns_provider *p = corp(
		state, "    {type: rfc2136, server: '2001:db8::53'}\n");

	assert_string_equal(p->server, "[2001:db8::53]:53");
	assert_null(p->tsig_key);
	assert_null(p->tsig_secret.bytes);
	assert_null(p->zone);
	assert_int_equal(p->ttl_s, 60);
	assert_int_equal(p->timeout_s, 60);
	assert_int_equal(p->propagation_s, 120);
}

static void acme_dns_keeps_its_accounts_in_the_state_folder(void **state)
{
	char *yaml = str_printf("state_dir: /srv/state\n"
				"dns_providers:\n"
				"  corp: {type: acme-dns, url: http://127.0.0.1:8080}\n"
				"  other: {type: acme-dns, url: https://dns.example/api, "
				"accounts: there.json}\n" REST);
	const struct config *c = draft_must_load(state, yaml);
	char *there = str_printf("%s/there.json", ((struct draft *)*state)->folder);

	assert_string_equal(c->dns_providers[0].accounts, "/srv/state/dns/corp.json");
	assert_string_equal(c->dns_providers[0].url, "http://127.0.0.1:8080");
	assert_null(c->dns_providers[0].username);
	assert_string_equal(c->dns_providers[1].accounts, there);
	free(there);
	free(yaml);
}

static void acme_dns_may_have_one_account(void **state)
{
	const struct dns_provider *p;

	draft_file(*state, "pw", 0600, "hush");
	p = corp(state, "    type: acme-dns\n"
			"    url: https://dns.example\n"
			"    username: joe\n"
			"    password: {file: pw}\n"
			"    subdomain: 8e5700ea-a4bf-41c7\n");
	assert_string_equal(p->username, "joe");
	assert_string_equal(p->password.bytes, "hush");
	assert_string_equal(p->subdomain, "8e5700ea-a4bf-41c7");
	assert_null(p->accounts);
}

static void a_web_service_and_a_program_take_two_forms(void **state)
{
	const struct dns_provider *p = corp(
		state, "    {type: httpreq, url: https://x.example, mode: raw}\n");

	assert_int_equal(p->type, DNS_HTTPREQ);
	assert_true(p->raw);
	p = corp(state, "    {type: exec, command: [/usr/bin/env, x], timeout: 5s}\n");
	assert_int_equal(p->type, DNS_EXEC);
	assert_false(p->raw);
	assert_string_equal(p->program.argv[0], "/usr/bin/env");
	assert_string_equal(p->program.argv[1], "x");
	assert_null(p->program.argv[2]);
	assert_int_equal(p->program.timeout_s, 5);
	assert_null(p->program.changes[0]);
	assert_int_equal(p->n_environment, 0);
}

static void a_program_finds_values_and_secrets_in_its_environment(void **state)
{
	const struct dns_provider *p;
	char *shown;

	draft_file(*state, "pw", 0600, "hush");
	p = corp(state,
		 "    type: exec\n"
		 "    command: [/usr/bin/env]\n"
		 "    environment: {PLAIN: 'a b', _T0KEN: {file: pw}, EMPTY: ''}\n");
	assert_int_equal(p->n_environment, 3);
	assert_string_equal(p->environment[0].name, "PLAIN");
	assert_string_equal(p->environment[0].value, "a b");
	assert_null(p->environment[0].secret.bytes);
	assert_string_equal(p->environment[1].name, "_T0KEN");
	assert_null(p->environment[1].value);
	assert_string_equal(p->environment[1].secret.bytes, "hush");
	assert_string_equal(p->environment[2].value, "");
	shown = config_show(((struct draft *)*state)->config);
	assert_null(strstr(shown, "hush"));
	assert_non_null(strstr(shown, "_T0KEN: {file: pw}"));
	assert_string_equal(draft_must_load(state, shown)
				    ->dns_providers[0]
				    .environment[1]
				    .secret.bytes,
			    "hush");
	free(shown);
}

static void a_script_of_acme_sh_is_a_file(void **state)
{
	char *yaml = str_printf("dns_providers: {corp: {type: acme.sh, script: "
				"sub/dns_our_dns1.sh}}\n" REST);
	char *path = str_printf("%s/sub/dns_our_dns1.sh",
				((struct draft *)*state)->folder);
	const struct dns_provider *p;

	if (system_lacks_shell()) {
		expect_error(yaml, "1:30: 'type' is 'acme.sh', which runs shell scripts, "
				   "and Windows has no shell for them: use 'type: exec' "
				   "with a program of your own");
		free(path);
		free(yaml);
		return;
	}
	p = draft_must_load(state, yaml)->dns_providers;
	assert_int_equal(p->type, DNS_ACME_SH);
	assert_string_equal(p->program.argv[0], path);
	assert_null(p->program.argv[1]);
	assert_int_equal(p->program.timeout_s, 60);
	free(path);
	free(yaml);
}

static void cloudflare_wants_a_token(void **state)
{
	const struct dns_provider *p;

	draft_file(*state, "token", 0600, "t0ken");
	p = corp(state,
		 "    {type: cloudflare, token: {file: token}, propagation: 30m}\n");
	assert_int_equal(p->type, DNS_CLOUDFLARE);
	assert_string_equal(p->token.bytes, "t0ken");
	assert_null(p->url);
	assert_int_equal(p->propagation_s, 1800);
	is_refused(
		"    {type: cloudflare}\n",
		"2:3: 'token' is missing in DNS provider 'corp' (an API token with the "
		"rights Zone.Zone:Read and Zone.DNS:Edit)");
}

static void route_53_wants_an_access_key(void **state)
{
	const struct dns_provider *p;

	draft_file(*state, "secret", 0600, "s3cret");
	draft_file(*state, "session", 0600, "sess");
	p = corp(state, "    type: route53\n"
			"    access_key_id: AKIDEXAMPLE\n"
			"    secret_access_key: {file: secret}\n"
			"    session_token: {file: session}\n");
	assert_int_equal(p->type, DNS_ROUTE53);
	assert_string_equal(p->access_key_id, "AKIDEXAMPLE");
	assert_string_equal(p->secret_access_key.bytes, "s3cret");
	assert_string_equal(p->session_token.bytes, "sess");
	assert_string_equal(p->region, "us-east-1");
}

/* ---- what is wrong --------------------------------------------------------- */

static void a_provider_has_a_type_and_the_keys_of_it(void **state)
{
	(void)state;
	is_refused(
		"    {server: ns.example}\n",
		"2:3: 'type' is missing in DNS provider 'corp' (how the record is put "
		"into the DNS: a dynamic update, an acme-dns server, a web service or a "
		"program in lego's form, a script of acme.sh's, Cloudflare, or Amazon "
		"Route 53)");
	is_refused(
		"    {type: rfc-2136, server: ns.example}\n",
		"3:12: 'type' is 'rfc-2136': expected rfc2136, acme-dns, httpreq, exec, "
		"acme.sh, cloudflare or route53: did you mean 'rfc2136'?");
	is_refused("    {type: rfc2136, server: ns.example, proxy: none}\n",
		   "3:41: 'proxy' is for 'type: acme-dns', 'type: httpreq', 'type: "
		   "cloudflare' and 'type: route53', not for 'type: rfc2136'");
	is_refused("    {type: exec, command: [/x], colour: red}\n",
		   "3:33: unknown key 'colour' in DNS provider 'corp': expected one of "
		   "type, mode, command, environment, timeout, propagation");
}

static void a_server_is_a_host_with_or_without_a_port(void **state)
{
	(void)state;
	is_refused("    {type: rfc2136, server: 'ns.example:0'}\n",
		   "3:29: 'server' is 'ns.example:0': expected a host, and its port if "
		   "that is not 53, such as \"ns1.example.com\" or \"127.0.0.1:5353\"");
	is_refused("    {type: rfc2136, server: ns.example, zone: a..b}\n",
		   "3:47: 'zone' is 'a..b': expected a name in the DNS");
}

static void a_tsig_key_is_base64(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "k", 0600, "key \"x\" { secret \"abc\"; };");
	draft_load(draft, "dns_providers: {corp: {type: rfc2136, server: ns.example, "
			  "tsig: {key: k, secret: {file: k}}}}\n" REST);
	draft_expect_error(draft,
			   "1:82: 'tsig.secret' from file 'k' is not base64: give what "
			   "stands between the quotes behind 'secret' in the key file "
			   "alone");
	is_refused("    {type: rfc2136, server: ns.example, tsig: {key: k}}\n",
		   "3:41: 'tsig.secret' is missing in DNS provider 'corp' (where the key "
		   "itself is found, base64 as tsig-keygen prints it)");
}

static void a_service_is_asked_by_https(void **state)
{
	(void)state;
	is_refused(
		"    {type: httpreq, url: http://x.example}\n",
		"3:26: 'url' has 'http://x.example', which would be asked in the clear: "
		"only https:// leaves this machine");
	is_refused("    {type: httpreq}\n",
		   "2:3: 'url' is missing in DNS provider 'corp' (where the service is)");
	is_refused("    {type: acme-dns}\n",
		   "2:3: 'url' is missing in DNS provider 'corp' (where the service is)");
}

static void an_account_is_whole_or_not_there(void **state)
{
	struct draft *draft = *state;

	is_refused(
		"    {type: acme-dns, url: https://x.example, username: joe}\n",
		"3:46: 'username' is given without 'password': an account of acme-dns "
		"is 'username', 'password' and 'subdomain'; leave all three out to have "
		"one registered");
	is_refused("    {type: httpreq, url: https://x.example, username: joe}\n",
		   "3:45: 'username' is given without 'password': give both or neither");
	draft_file(draft, "pw", 0600, "hush");
	draft_load(draft,
		   "dns_providers: {corp: {type: acme-dns, url: https://x.example, "
		   "username: joe, password: {file: pw}, subdomain: s, accounts: "
		   "f}}\n" REST);
	draft_expect_error(draft,
			   "1:115: 'accounts' is given beside 'subdomain': keep the "
			   "one account, or the file");
	draft_load(draft, "dns_providers: {corp: {type: httpreq, url: https://x.example, "
			  "password: {file: pw}}}\n" REST);
	draft_expect_error(draft, "1:63: 'password' is given without 'username': give "
				  "both or neither");
}

static void cloudflare_takes_no_short_ttl(void **state)
{
	struct draft *draft = *state;

	draft_file(draft, "token", 0600, "t0ken");
	draft_load(draft, "dns_providers: {corp: {type: cloudflare, ttl: 30s, token: "
			  "{file: token}}}\n" REST);
	draft_expect_error(draft, "1:47: 'ttl' is '30s': Cloudflare takes 60s and more");
}

static void a_script_is_called_as_acme_sh_wants_it(void **state)
{
	(void)state;
	if (system_lacks_shell())
		return;
	is_refused("    {type: acme.sh, script: /opt/acme.sh}\n",
		   "3:29: 'script' has '/opt/acme.sh', which is no script of acme.sh: "
		   "expected the path of a dns_NAME.sh");
	is_refused("    {type: acme.sh, script: /opt/dns_.sh}\n",
		   "3:29: 'script' has '/opt/dns_.sh', which is no script of acme.sh: "
		   "expected the path of a dns_NAME.sh");
}

static void variables_have_names_and_values(void **state)
{
	(void)state;
	is_refused("    {type: exec, command: [/x], environment: {A-B: x}}\n",
		   "3:47: 'environment' has 'A-B', which is no name of a variable: "
		   "expected letters, digits and '_', no digit first");
	is_refused(
		"    {type: exec, command: [/x], environment: {1A: x}}\n",
		"3:47: 'environment' has '1A', which is no name of a variable: expected "
		"letters, digits and '_', no digit first");
	is_refused(
		"    {type: exec, command: [/x], environment: {A: [x]}}\n",
		"3:50: 'environment.A' has no usable value: expected one line of text, "
		"or a secret such as {file: PATH}");
	is_refused(
		"    {type: exec, command: [/x], environment: {A: }}\n",
		"3:50: 'environment.A' has no usable value: expected one line of text, "
		"or a secret such as {file: PATH}");
	is_refused("    {type: exec, command: [/x], environment: {A: {fil: x}}}\n",
		   "3:51: 'environment.A' has the unknown key 'fil': expected {file: "
		   "PATH}, {env: NAME}, {credential: NAME} or {dpapi: BASE64}");
	is_refused(
		"    {type: exec, command: [/x], environment: [A]}\n",
		"3:46: 'environment' is a list: expected a map of variables (0 to 64), "
		"such as {NAME: value, TOKEN: {file: PATH}}");
}

/* ---- resolvers ------------------------------------------------------------- */

static void resolvers_are_addresses_or_urls(void **state)
{
	const struct config *c = draft_must_load(
		state, "resolvers: [9.9.9.9, \"192.0.2.1:5353\", \"[2620:fe::fe]:53\", "
		       "\"2620:fe::9\", \"https://dns.example/dns-query\"]\n" REST);

	assert_string_equal(c->resolvers[0], "9.9.9.9:53");
	assert_string_equal(c->resolvers[1], "192.0.2.1:5353");
	assert_string_equal(c->resolvers[2], "[2620:fe::fe]:53");
	assert_string_equal(c->resolvers[3], "[2620:fe::9]:53");
	assert_string_equal(c->resolvers[4], "https://dns.example/dns-query");
	assert_null(c->resolvers[5]);
	c = draft_must_load(state, REST);
	assert_null(c->resolvers[0]);
}

static void a_resolver_that_cannot_be_asked_is_refused(void **state)
{
	static const char expected[] =
		"expected a list of IP addresses and https:// URLs (0 to 8), such as "
		"[9.9.9.9, \"192.0.2.1:5353\", \"https://dns.example/dns-query\"]";
	char *sentence = str_printf("1:13: 'resolvers' has 'http://dns.example/': %s",
				    expected);

	(void)state;
	expect_one_error("resolvers: [dns.example]\n" REST,
			 "1:13: 'resolvers' has 'dns.example', which is no IP address: a "
			 "resolver cannot be found by asking it");
	expect_one_error("resolvers: [\"http://dns.example/\"]\n" REST, sentence);
	free(sentence);
	sentence = str_printf("1:13: 'resolvers' has '9.9.9.9:99999': %s", expected);
	expect_one_error("resolvers: [\"9.9.9.9:99999\"]\n" REST, sentence);
	free(sentence);
	expect_one_error("resolvers: [9.9.9.9, \"9.9.9.9:53\"]\n" REST,
			 "1:22: 'resolvers' has '9.9.9.9:53' twice: remove one");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)

int main(void)
{
	const struct CMUnitTest providers[] = {
		TEST(a_server_of_ours_takes_signed_updates),
		TEST(most_is_known_without_being_said),
		TEST(acme_dns_keeps_its_accounts_in_the_state_folder),
		TEST(acme_dns_may_have_one_account),
		TEST(a_web_service_and_a_program_take_two_forms),
		TEST(a_program_finds_values_and_secrets_in_its_environment),
		TEST(a_script_of_acme_sh_is_a_file),
		TEST(cloudflare_wants_a_token),
		TEST(route_53_wants_an_access_key),
		TEST(a_provider_has_a_type_and_the_keys_of_it),
		TEST(a_server_is_a_host_with_or_without_a_port),
		TEST(a_tsig_key_is_base64),
		TEST(a_service_is_asked_by_https),
		TEST(an_account_is_whole_or_not_there),
		TEST(cloudflare_takes_no_short_ttl),
		TEST(a_script_is_called_as_acme_sh_wants_it),
		TEST(variables_have_names_and_values),
		TEST(resolvers_are_addresses_or_urls),
		TEST(a_resolver_that_cannot_be_asked_is_refused),
	};

	return cmocka_run_group_tests(providers, NULL, NULL);
}
