#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/limits.h"
#include "daemon/rehearsal.h"
#include "daemon/report.h"
#include "daemon/report_issue.h"
#include "tests/unit/base/tempdir.h"

#define YAML                                                                             \
	"state_dir: %s/state\n"                                                          \
	"issuers:\n"                                                                     \
	"  le: {directory: \"https://acme-v02.api.letsencrypt.org/directory\", "         \
	"agree_to_terms: yes}\n"                                                         \
	"  corp: {directory: \"https://ca.corp.example/dir\"}\n"                         \
	"certificates:\n"                                                                \
	"  a:\n"                                                                         \
	"    hosts: [a.example.com]\n"                                                   \
	"    issuers: [le, corp]\n"                                                      \
	"    challenge: {type: http-01, listen: \"127.0.0.1:1\"}\n"                      \
	"    renew: {at: 30d}\n"                                                         \
	"    deploy:\n"                                                                  \
	"      - name: x\n"                                                              \
	"        store: {type: directory, path: %s/live}\n"                              \
	"        verify: [{connect: \"127.0.0.1:1\"}]\n"

struct scene {
	char *dir;
	const struct config *config;
	const struct issuer_config *le;
	const char *const *names;
};

static struct scene scene_new(void)
{
	struct scene scene = { .dir = tempdir_new() };
	struct config_report report = { 0 };
	char *path = path_join(scene.dir, "certrenewd.yaml");
	char *yaml = str_printf(YAML, scene.dir, scene.dir);

	put(path, yaml, 0600);
	if (config_load(path, false, &scene.config, &report))
		fail_msg("%s", report.errors.items[0]);
	scene.le = config_issuer(scene.config, "le");
	scene.names = scene.config->certificates[0].hosts;
	config_report_clear(&report);
	free(yaml);
	free(path);
	return scene;
}

static void scene_free(struct scene *scene)
{
	config_free(scene->config);
	tempdir_free(scene->dir);
}

static char *explained(const struct scene *scene)
{
	const struct clock_trust trust = { 0 };
	struct strlist damaged = { 0 };
	struct err err = { 0 };
	struct buf out;
	char *text;

	buf_init(&out, 1024 * 1024);
	if (report_explain(scene->config, &trust, "a", &out, &damaged, &err))
		fail_msg("%s", err.text);
	assert_int_equal(damaged.n, 0);
	text = buf_steal(&out);
	return text;
}

static cJSON *status(const struct scene *scene)
{
	const struct clock_trust trust = { 0 };
	struct strlist damaged = { 0 };
	struct err err = { 0 };
	cJSON *json;

	if (report_status(scene->config, &trust, "a", &json, &damaged, &err))
		fail_msg("%s", err.text);
	assert_int_equal(damaged.n, 0);
	return json;
}

static char *printed(const struct scene *scene)
{
	cJSON *json = status(scene);
	struct buf out;

	buf_init(&out, 1024 * 1024);
	report_print(json, false, &out);
	cJSON_Delete(json);
	return buf_steal(&out);
}

static void assert_part(char *text, const char *part, bool expected)
{
	if ((strstr(text, part) != NULL) != expected)
		fail_msg("'%s' is %s in:\n%s", part, expected ? "not" : "", text);
}

static void certificates(const struct scene *scene, int n)
{
	struct err err;

	for (int i = 0; i < n; i++) {
		if (limits_note_certificate(scene->config->state_dir, scene->le,
					    scene->names, LIMITS_RENEWAL, clock_wall(),
					    &err))
			fail_msg("%s", err.text);
	}
}

static void explain_says_what_remains_at_each_issuer(void **state)
{
	struct scene scene = scene_new();
	char *text;

	(void)state;
	certificates(&scene, 2);
	text = explained(&scene);
	assert_part(text, "le: Let's Encrypt, as published on 2026-08-05", true);
	assert_part(text, "new orders of the account in 3 h: 300 of 300 left", true);
	assert_part(text,
		    "certificates of exactly these names in 7 d: 3 of 5 left (the "
		    "nearest)",
		    true);
	assert_part(text,
		    "('example.com'): 50 of 50 left; by our own count, the domain "
		    "guessed from the name's last labels",
		    true);
	assert_part(text,
		    "failed validations of a name in a row ('a.example.com'): 1152 "
		    "of 1152 left",
		    true);
	assert_part(text, "CA's limits       corp", false);
	assert_part(text, "not asked before", false);
	free(text);
	scene_free(&scene);
}

static void status_says_when_little_or_nothing_remains(void **state)
{
	struct scene scene = scene_new();
	char *text = printed(&scene);

	(void)state;
	assert_part(text, "limit", false);
	free(text);
	certificates(&scene, 3);
	text = printed(&scene);
	assert_part(text, "le: 2 of 5 left: certificates of exactly these names", true);
	free(text);
	certificates(&scene, 2);
	text = printed(&scene);
	assert_part(text, "le is not asked before 20", true);
	assert_part(text,
		    "Let's Encrypt allows 5 certificates of exactly these names in 7 "
		    "d, and has had them from us",
		    true);
	free(text);
	text = explained(&scene);
	assert_part(text, "0 of 5 left, one more 20", true);
	assert_part(text, "le: not asked before 20", true);
	free(text);
	scene_free(&scene);
}

static void announced_dates_are_said_with_what_they_break(void **state)
{
	struct scene scene = scene_new();
	char *text = explained(&scene);

	(void)state;
	assert_part(text,
		    "le: 2028-02-16 Let's Encrypt: certificates of 45 d instead of "
		    "64 d (Let's Encrypt, 2025-12-02); this configuration does not "
		    "survive it: 'renew.at: 30 d' renews every 15 d",
		    true);
	free(text);
	text = printed(&scene);
	assert_part(text,
		    "announced    2028-02-16 Let's Encrypt: certificates of 45 d "
		    "instead of 64 d: 'renew.at: 30 d'",
		    true);
	free(text);
	scene_free(&scene);
}

/* A member of the only certificate. */
static cJSON *json_part(const cJSON *json, const char *name)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "certificates");

	return cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, 0), name);
}

static void the_json_has_issuers_challenges_chain_and_dates(void **state)
{
	struct scene scene = scene_new();
	cJSON *json = status(&scene), *certificate, *issuers, *le, *limits;

	(void)state;
	certificate = cJSON_GetArrayItem(
		cJSON_GetObjectItemCaseSensitive(json, "certificates"), 0);
	issuers = cJSON_GetObjectItemCaseSensitive(certificate, "issuers");
	assert_int_equal(cJSON_GetArraySize(issuers), 2);
	le = cJSON_GetArrayItem(issuers, 0);
	assert_string_equal(json_string(le, "name"), "le");
	assert_false(json_bool(le, "issued", true));
	limits = cJSON_GetObjectItemCaseSensitive(le, "limits");
	assert_string_equal(json_string(limits, "ca"), "Let's Encrypt");
	assert_string_equal(json_string(limits, "counted_as"), "fresh");
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(limits, "rules")),
		LIMITS_RULES);
	assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(
		cJSON_GetArrayItem(issuers, 1), "limits")));
	assert_string_equal(
		cJSON_GetArrayItem(
			cJSON_GetObjectItemCaseSensitive(certificate, "challenges"), 0)
			->valuestring,
		"http-01");
	assert_true(cJSON_GetArraySize(
			    cJSON_GetObjectItemCaseSensitive(certificate, "dates")) > 0);
	assert_true(
		cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(certificate, "advice")));
	assert_true(
		cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(certificate, "chain")));
	cJSON_Delete(json);
	scene_free(&scene);
}

static void a_spares_last_rehearsal_is_shown(void **state)
{
	struct scene scene = scene_new();
	char *folder = path_join(scene.dir, "state/certificates/a"), *text;
	struct rehearsals rehearsals = { 0 };
	struct rehearsal *one = rehearsal_ensure(&rehearsals, "corp");
	cJSON *json, *issuer;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(dir_make(folder, FILE_SECRET, &err), 0);
	one->at = clock_wall() - 60;
	one->next_at = one->at + 86400;
	str_copy(one->text, sizeof(one->text), "newOrder: unauthorized: not you");
	assert_int_equal(rehearsal_write(folder, &rehearsals, &err), 0);
	text = printed(&scene);
	assert_part(text,
		    "spare        corp did not pass its rehearsal: newOrder: "
		    "unauthorized: not you",
		    true);
	free(text);
	text = explained(&scene);
	assert_part(text, "rehearsal         corp: failed on 20", true);
	free(text);
	json = status(&scene);
	issuer = cJSON_GetArrayItem(json_part(json, "issuers"), 1);
	assert_false(json_bool(cJSON_GetObjectItemCaseSensitive(issuer, "rehearsal"),
			       "well", true));
	cJSON_Delete(json);

	one->well = true;
	assert_int_equal(rehearsal_write(folder, &rehearsals, &err), 0);
	text = printed(&scene);
	assert_part(text, "spare", false);
	free(text);
	text = explained(&scene);
	assert_part(text, "rehearsal         corp: well on 20", true);
	free(text);
	rehearsals_clear(&rehearsals);
	free(folder);
	scene_free(&scene);
}

static void the_next_renewals_rehearsal_is_shown(void **state)
{
	struct scene scene = scene_new();
	char *folder = path_join(scene.dir, "state/certificates/a"), *text;
	struct rehearsals rehearsals = { 0 };
	cJSON *json, *rehearsal;
	struct err err = { 0 };

	(void)state;
	json = status(&scene);
	assert_true(cJSON_IsNull(json_part(json, "rehearsal")));
	cJSON_Delete(json);
	assert_int_equal(dir_make(folder, FILE_SECRET, &err), 0);
	rehearsals.whole = (struct rehearsal_whole){
		.at = clock_wall() - 60,
		.next_at = clock_wall() + 86400,
		.outcome = REHEARSED_FAILED,
		.why = "service x: the service 'x' does not exist",
	};
	assert_int_equal(rehearsal_write(folder, &rehearsals, &err), 0);
	text = printed(&scene);
	assert_part(text, "rehearsal    renewal of 'a' on ", true);
	assert_part(text, " will fail because service x: the service 'x' does not exist",
		    true);
	free(text);
	text = explained(&scene);
	assert_part(text, "next renewal      renewal of 'a' on ", true);
	assert_part(text, "; rehearsed 20", true);
	assert_part(text, ", again by 20", true);
	free(text);
	json = status(&scene);
	rehearsal = json_part(json, "rehearsal");
	assert_string_equal(json_string(rehearsal, "outcome"), "will_fail");
	assert_string_equal(json_string(rehearsal, "why"), rehearsals.whole.why);
	assert_non_null(json_string(rehearsal, "renewal_at"));
	cJSON_Delete(json);
	rehearsals_clear(&rehearsals);
	free(folder);
	scene_free(&scene);
}

#define CHAIN(issuers, complete)                                                         \
	"{\"chain\": {\"stored\": \"Root\", \"served\": [{\"target\": \"x\", "           \
	"\"connect\": "                                                                  \
	"\"127.0.0.1:1\", \"issuers\": \"" issuers "\", \"complete\": " complete "}]}}"

static void another_chain_than_the_stored_one_is_shown_in_status(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{ CHAIN("One < Root", "true"), "" },
		{ CHAIN("One < Other", "true"),
		  "  chain        x at 127.0.0.1:1: One < Other, complete; stored up to "
		  "'Root'\n" },
		{ CHAIN("One", "false"),
		  "  chain        x at 127.0.0.1:1: One, incomplete; stored up to "
		  "'Root'\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cJSON *json = cJSON_Parse(rows[i].json);
		struct buf out;

		buf_init(&out, 4096);
		report_issue_print(json, &out);
		assert_string_equal(buf_str(&out), rows[i].text);
		buf_release(&out);
		cJSON_Delete(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explain_says_what_remains_at_each_issuer),
		cmocka_unit_test(status_says_when_little_or_nothing_remains),
		cmocka_unit_test(announced_dates_are_said_with_what_they_break),
		cmocka_unit_test(the_json_has_issuers_challenges_chain_and_dates),
		cmocka_unit_test(a_spares_last_rehearsal_is_shown),
		cmocka_unit_test(the_next_renewals_rehearsal_is_shown),
		cmocka_unit_test(another_chain_than_the_stored_one_is_shown_in_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
