#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cancel.h"
#include "dns_fixture.h"
#include "tests/unit/base/tempdir.h"

#define SECRET "s3cret-of-mine"

/* A provider that is a program or a script of that text. */
struct program_world {
	struct dns_world dns;
	char *path, *saved;
	const char *argv[4];
	struct environment_value environment[3];
};

static void program_init(struct program_world *world, enum dns_provider_type type,
			 const char *name, const char *text)
{
	dns_world_init(&world->dns, type, "");
	world->path = path_join(world->dns.folder, name);
	world->saved = path_join(world->dns.folder, "state/dns/mine.saved");
	put(world->path, text, 0755);
	memset(world->argv, 0, sizeof(world->argv));
	world->argv[0] = world->path;
	world->environment[0] = (struct environment_value){ .name = "API",
							    .value = dns_url() };
	world->environment[1] = (struct environment_value){
		.name = "API_TOKEN", .secret = dns_secret(SECRET)
	};
	world->environment[2] = (struct environment_value){
		.name = "CA_BUNDLE", .value = world->dns.provider.ca_bundle
	};
	world->dns.provider.program.argv = world->argv;
	world->dns.provider.environment = world->environment;
	world->dns.provider.n_environment = 3;
	world->dns.provider.accounts = world->saved;
}

static void program_release(struct program_world *world)
{
	free(world->path);
	free(world->saved);
	dns_world_release(&world->dns);
}

/* ---- exec ---------------------------------------------------------------- */

#define WRITES_DOWN                                                                      \
	"#!/bin/sh\nfor word in \"$@\" \"$API_TOKEN\"; do printf '%s|' \"$word\"; done " \
	">> \"$0.out\"\n"

static void a_program_gets_name_and_value_in_legos_form(void **state)
{
	struct program_world world;
	char *out;

	(void)state;
	program_init(&world, DNS_EXEC, "update", WRITES_DOWN);
	world.argv[1] = "--zone=x y";
	out = str_printf("%s.out", world.path);
	dns_must_present(&world.dns, DNS_VALUE);
	dns_must_withdraw(&world.dns, DNS_VALUE);
	assert_holds(out,
		     "--zone=x y|present|" DNS_RECORD ".|" DNS_VALUE "|" SECRET
		     "|--zone=x y|cleanup|" DNS_RECORD ".|" DNS_VALUE "|" SECRET "|");
	free(out);
	program_release(&world);
}

static void a_program_in_raw_mode_gets_the_key_authorization(void **state)
{
	struct program_world world;
	char *out;

	(void)state;
	program_init(&world, DNS_EXEC, "update", WRITES_DOWN);
	world.dns.provider.raw = true;
	out = str_printf("%s.out", world.path);
	dns_must_present(&world.dns, DNS_VALUE);
	assert_holds(out, "present|--|a.example.com|a-t0ken|a-t0ken.thumb|" SECRET "|");
	free(out);
	program_release(&world);
}

static void a_program_that_fails_is_quoted_without_its_secrets(void **state)
{
	struct program_world world;

	(void)state;
	program_init(&world, DNS_EXEC, "update",
		     "#!/bin/sh\necho \"no such zone for $API_TOKEN\" >&2; exit 3\n");
	dns_must_fail(&world.dns, ERR_IO, "present: '");
	assert_says(&world.dns.err,
		    "update' exited with code 3: no such zone for **************");
	assert_int_equal(dns_withdraw(&world.dns.work, &world.dns.answer, &world.dns.err),
			 -1);
	assert_says(&world.dns.err, "remove TXT record '" DNS_RECORD "': cleanup: '");
	program_release(&world);
}

static void a_program_that_hangs_is_ended(void **state)
{
	struct program_world world;
	struct cancel *cancel = cancel_new();

	(void)state;
	program_init(&world, DNS_EXEC, "update", "#!/bin/sh\nsleep 30\n");
	world.dns.provider.timeout_s = 1;
	dns_must_fail(&world.dns, ERR_TRANSIENT, "did not end within 1 s");
	cancel_request(cancel);
	world.dns.work.cancel = cancel;
	dns_must_fail(&world.dns, ERR_CANCELLED, "stopped on request");
	cancel_free(cancel);
	program_release(&world);
}

static void a_program_that_is_not_there_is_seen_beforehand(void **state)
{
	struct program_world world;
	struct err err;

	(void)state;
	program_init(&world, DNS_EXEC, "update", "#!/bin/sh\n");
	assert_int_equal(dns_check(&world.dns.work, "a.example.com", &err), 0);
	world.argv[0] = "/no/such/program";
	assert_int_equal(dns_check(&world.dns.work, "a.example.com", &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "DNS provider 'mine': there is no file '/no/such/program'");
	program_release(&world);
}

/* ---- scripts in the form of acme.sh's ------------------------------------ */

/* Logs in once, keeps what it learnt, and talks to Cloudflare's API as such scripts do.
 */
static const char dns_ours[] =
	"#!/usr/bin/env sh\n"
	"dns_ours_add() {\n"
	"  fulldomain=$1; txtvalue=$2\n"
	"  _ours_login || return 1\n"
	"  data=\"{\\\"type\\\":\\\"TXT\\\",\\\"name\\\":\\\"$fulldomain\\\","
	"\\\"content\\\":\\\"\\\\\\\"$txtvalue\\\\\\\"\\\",\\\"ttl\\\":120}\"\n"
	"  _contains \"$(_post \"$data\" \"$API/client/v4/zones/z0ne1/dns_records\" '' "
	"'' "
	"'application/json')\" '\"success\": true' && return 0\n"
	"  _err 'it was not added'; return 1\n"
	"}\n"
	"dns_ours_rm() {\n"
	"  _ours_login || return 1\n"
	"  response=$(_get "
	"\"$API/client/v4/zones/z0ne1/dns_records?type=TXT&name=$1&page=1\")\n"
	"  id=$(printf '%s' \"$response\" | _egrep_o '\"id\": *\"[^\"]*\"' | _head_n 1 | "
	"cut -d : -f 2 | tr -d '\" ')\n"
	"  [ \"$id\" ] || return 0\n"
	"  _post '' \"$API/client/v4/zones/z0ne1/dns_records/$id\" '' DELETE >/dev/null\n"
	"}\n"
	"_ours_login() {\n"
	"  OURS_Token=\"${OURS_Token:-$(_readaccountconf_mutable OURS_Token)}\"\n"
	"  if [ -z \"$OURS_Token\" ]; then\n"
	"    _info 'logging in'\n"
	"    OURS_Token=cf-t0ken-s3cr3t\n"
	"    _saveaccountconf_mutable OURS_Token \"$OURS_Token\"\n"
	"    echo x >> \"$LOGINS\"\n"
	"  fi\n"
	"  export _H1=\"Authorization: Bearer $OURS_Token\"\n"
	"}\n";

static void a_script_of_acme_sh_adds_removes_and_remembers(void **state)
{
	struct program_world world;
	char *logins, *kept;
	struct file_facts facts;

	(void)state;
	program_init(&world, DNS_ACME_SH, "dns_ours.sh", dns_ours);
	logins = path_join(world.dns.folder, "logins");
	world.environment[1] = (struct environment_value){ .name = "LOGINS",
							   .value = logins };
	dns_must_present(&world.dns, DNS_VALUE);
	assert_string_equal(dns_texts(&world.dns, DNS_RECORD), DNS_VALUE);
	dns_must_withdraw(&world.dns, DNS_VALUE);
	assert_string_equal(dns_texts(&world.dns, DNS_RECORD), "");
	assert_int_equal(dns_count(&world.dns, "DELETE", 200), 1);
	assert_holds(logins, "x\n");
	assert_int_equal(file_inspect(world.saved, &facts, &world.dns.err), 0);
	assert_int_equal(facts.mode & 0777, 0600);
	kept = get(world.saved);
	assert_true(str_starts(kept, "SAVED_OURS_Token "));
	assert_null(strstr(kept, "s3cr3t"));
	free(kept);
	free(logins);
	program_release(&world);
}

static void a_script_that_fails_is_quoted_without_its_secrets(void **state)
{
	struct program_world world;

	(void)state;
	program_init(&world, DNS_ACME_SH, "dns_bad.sh",
		     "#!/bin/bash\ndns_bad_add() { _saveaccountconf K v; _err \"no: "
		     "$API_TOKEN\" $BASH; }\n");
	dns_must_fail(&world.dns, ERR_IO, "dns_bad_add of '");
	assert_says(&world.dns.err, "exited with code 1: no: **************='/bin/bash'");
	assert_holds(world.saved, "K dg==\n"); /* what it saved is kept all the same */
	assert_int_equal(dns_withdraw(&world.dns.work, &world.dns.answer, &world.dns.err),
			 -1);
	assert_says(&world.dns.err, "dns_bad_rm");
	program_release(&world);
}

static void a_script_with_another_name_or_without_the_function_is_refused(void **state)
{
	struct program_world world;
	struct err err;

	(void)state;
	program_init(&world, DNS_ACME_SH, "dns_x.sh", "#!/bin/sh\ndns_y_add() { :; }\n");
	assert_int_equal(dns_check(&world.dns.work, "a.example.com", &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "dns_x.sh' has no function 'dns_x_add'");
	world.argv[0] = "/etc/hostname";
	dns_must_fail(&world.dns, ERR_CONFIG, "'/etc/hostname' is not named as acme.sh");
	world.argv[0] = "/no/such/dns_x.sh";
	dns_must_fail(&world.dns, ERR_CONFIG, "/no/such/dns_x.sh");
	program_release(&world);
}

/* What the helpers say, one a line, written by a script to where $OUT leads. */
static const char dns_helpers[] =
	"dns_helpers_add() { {\n"
	"printf 'what do ya want for nothing?' | _hmac sha256 4a656665 hex; echo\n"
	"printf 'Test Using Larger Than Block-Size Key - Hash Key First' |"
	" _hmac sha512 $(printf '%0262d' 0 | tr 0 a) hex; echo\n"
	"printf abc | _digest sha256 hex; echo; printf abc | _digest sha1; echo\n"
	"printf 'a b/~' | _url_encode; printf '*' | _url_encode upper-hex; echo\n"
	"printf 616263 | _h2b; printf abc | _hex_dump; echo\n"
	"printf 'http:\\\\/\\\\/x' | _json_decode; echo\n"
	"printf abc | _base64; printf YWJj | _dbase64; echo\n"
	"_math 2 + 3 \\* 4; echo; echo aB | _upper_case; echo aB | _lower_case\n"
	"_startswith abc a.c && _endswith abc bc && _contains abc 'b*' && echo yes\n"
	"_contains abc x || echo no\n"
	"_getfield a,b,c 2; echo; echo x12y3 | _egrep_o '[0-9]+' | _tail_n 1\n"
	"_savedomainconf K 'a '\\''b'; _readdomainconf K; echo\n"
	"_saveaccountconf K2 x; _saveaccountconf_mutable K2 y;"
	" echo \"$(_readaccountconf_mutable K2)$(_readaccountconf K2)\"\n"
	"_clearaccountconf_mutable K2; echo \"<$(_readaccountconf_mutable K2)>\"\n"
	"_is_solaris || echo \"$1 $2\"; [ -f \"$(_mktemp)\" ] && _exists sed && echo "
	"tmp\n"
	"_sleep 0; [ $(_time) -gt 1700000000 ] && _utc_date | grep -c -- '-.* .*:'\n"
	"} >\"$OUT\"; }\n";

static void the_helpers_that_scripts_expect_are_there_in_both_shells(void **state)
{
	static const char *const first_lines[] = { "#!/usr/bin/env sh\n",
						   "#!/bin/bash\n" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct program_world world;
		char *text = str_printf("%s%s", first_lines[i], dns_helpers), *out;

		program_init(&world, DNS_ACME_SH, "dns_helpers.sh", text);
		out = path_join(world.dns.folder, "out");
		world.environment[1] = (struct environment_value){ .name = "OUT",
								   .value = out };
		dns_must_present(&world.dns, DNS_VALUE);
		assert_holds(
			out,
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
			"\n"
			"80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
			"6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
			"\n"
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
			"\n"
			"qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\n"
			"a%20b%2f~%2A\n"
			"abc 61 62 63\n"
			"http://x\n"
			"YWJjabc\n"
			"14\nAB\nab\nyes\nno\nb\n3\n"
			"a 'b\ny\n<>\n" DNS_RECORD " " DNS_VALUE "\ntmp\n1\n");
		free(out);
		free(text);
		program_release(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_gets_name_and_value_in_legos_form),
		cmocka_unit_test(a_program_in_raw_mode_gets_the_key_authorization),
		cmocka_unit_test(a_program_that_fails_is_quoted_without_its_secrets),
		cmocka_unit_test(a_program_that_hangs_is_ended),
		cmocka_unit_test(a_program_that_is_not_there_is_seen_beforehand),
		cmocka_unit_test(a_script_of_acme_sh_adds_removes_and_remembers),
		cmocka_unit_test(a_script_that_fails_is_quoted_without_its_secrets),
		cmocka_unit_test(
			a_script_with_another_name_or_without_the_function_is_refused),
		cmocka_unit_test(
			the_helpers_that_scripts_expect_are_there_in_both_shells),
	};

	return cmocka_run_group_tests(tests, dns_start, dns_stop);
}
