#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "daemon/foresight.h"
#include "tests/support/testcert.h"
#include "tests/unit/base/tempdir.h"

#define DAY(n) ((int64_t)(n)*86400)
#define NOW DAY(20000)

static const struct issuer_config issuer = {
	.name = "ca",
	.type = ISSUER_ACME,
	.directory = "https://ca.example/dir",
};

#define URLS                                                                             \
	"\"newNonce\":\"https://ca.example/n\",\"newAccount\":\"https://ca.example/a\"," \
	"\"newOrder\":\"https://ca.example/o\""
#define PLAIN                                                                            \
	"{" URLS ",\"meta\":{\"termsOfService\":\"https://ca.example/terms-1\","         \
	"\"caaIdentities\":[\"ca.example\"],\"profiles\":{\"classic\":\"90 days\","      \
	"\"short\":\"6 days\"}}}"

static struct acme_directory parsed(const char *json)
{
	struct acme_directory directory;
	struct err err;

	if (acme_directory_parse(json, strlen(json), &directory, &err))
		fail_msg("%s", err.text);
	return directory;
}

static cJSON *view_of(const char *json)
{
	struct acme_directory directory = parsed(json);
	cJSON *view = foresight_view(&directory);

	acme_directory_clear(&directory);
	return view;
}

static struct foresight_changes changes_between(const char *before, const char *now)
{
	static const struct foresight_use uses[] = { { "short", "shop" },
						     { "short", "xu" } };
	struct foresight_changes changes = { 0 };
	cJSON *old = view_of(before), *new = view_of(now);

	foresight_compare(old, new, uses, 2, &changes);
	cJSON_Delete(new);
	cJSON_Delete(old);
	return changes;
}

/* Exactly one change, and this. */
static void assert_change(const char *before, const char *now, enum severity severity,
			  const char *what, const char *todo)
{
	struct foresight_changes changes = changes_between(before, now);

	assert_int_equal(changes.n, 1);
	assert_string_equal(changes.items[0].what, what);
	assert_int_equal(changes.items[0].severity, severity);
	if (todo)
		assert_non_null(strstr(changes.items[0].todo, todo));
	else
		assert_null(changes.items[0].todo);
	foresight_changes_clear(&changes);
}

static void what_stays_the_same_is_no_news(void **state)
{
	struct foresight_changes changes = changes_between(PLAIN, PLAIN);
	cJSON *view = view_of(PLAIN);

	(void)state;
	assert_int_equal(changes.n, 0);
	foresight_compare(NULL, view, NULL, 0, &changes); /* the first look */
	assert_int_equal(changes.n, 0);
	cJSON_Delete(view);
}

#define WITH(members, meta)                                                              \
	"{" URLS members ",\"meta\":{\"termsOfService\":\"https://ca.example/terms-1\"," \
	"\"caaIdentities\":[\"ca.example\"],\"profiles\":{\"classic\":\"90 days\","      \
	"\"short\":\"6 days\"}" meta "}}"

static void addresses_that_move_appear_or_go_are_told(void **state)
{
	(void)state;
	assert_change(WITH(",\"keyChange\":\"https://ca.example/k\"", ""),
		      WITH(",\"keyChange\":\"https://ca.example/k2\"", ""),
		      SEVERITY_NOTICE,
		      "its address for a change of the account's key changed: "
		      "'https://ca.example/k' -> 'https://ca.example/k2'",
		      "nothing");
	assert_change(WITH(",\"keyChange\":\"https://ca.example/k\"", ""), PLAIN,
		      SEVERITY_WARNING,
		      "it has no address for a change of the account's key any more; it "
		      "was 'https://ca.example/k'",
		      "rotate-key");
	assert_change(WITH(",\"revokeCert\":\"https://ca.example/r\"", ""), PLAIN,
		      SEVERITY_WARNING,
		      "it has no address for revocations any more; it was "
		      "'https://ca.example/r'",
		      "ask the CA");
	assert_change(WITH(",\"renewalInfo\":\"https://ca.example/i\"", ""), PLAIN,
		      SEVERITY_WARNING,
		      "it has no advice when to renew (ARI) any more; it was "
		      "'https://ca.example/i'",
		      "'renew.at' alone decides now");
	assert_change(PLAIN, WITH(",\"renewalInfo\":\"https://ca.example/i\"", ""),
		      SEVERITY_NOTICE,
		      "it has a new advice when to renew (ARI): 'https://ca.example/i'",
		      NULL);
}

static void new_terms_are_told_with_what_they_mean(void **state)
{
	(void)state;
	assert_change(PLAIN,
		      "{" URLS
		      ",\"meta\":{\"termsOfService\":\"https://ca.example/terms-2\","
		      "\"caaIdentities\":[\"ca.example\"],\"profiles\":{\"classic\":\"90 "
		      "days\","
		      "\"short\":\"6 days\"}}}",
		      SEVERITY_WARNING,
		      "its terms of service changed: 'https://ca.example/terms-1' -> "
		      "'https://ca.example/terms-2'",
		      "'agree_to_terms: yes' agrees to them too");
}

static void an_eab_that_is_wanted_now_is_told(void **state)
{
	(void)state;
	assert_change(PLAIN, WITH("", ",\"externalAccountRequired\":true"),
		      SEVERITY_WARNING,
		      "it wants an external account binding (EAB) of new accounts now",
		      "the account that is there goes on");
	assert_change(WITH("", ",\"externalAccountRequired\":true"), PLAIN,
		      SEVERITY_NOTICE,
		      "it wants no external account binding (EAB) any more", NULL);
}

#define WITH_PROFILES(caa, profiles)                                                     \
	"{" URLS ",\"meta\":{\"termsOfService\":\"https://ca.example/terms-1\","         \
	"\"caaIdentities\":[" caa "],\"profiles\":{" profiles "}}}"

static void other_caa_names_are_told(void **state)
{
	(void)state;
	assert_change(PLAIN,
		      WITH_PROFILES("\"ca.example\",\"new.example\"",
				    "\"classic\":\"90 days\",\"short\":\"6 days\""),
		      SEVERITY_WARNING,
		      "its names in CAA records changed: ca.example -> ca.example, "
		      "new.example",
		      "must name one of them");
}

static void a_profile_in_use_that_vanishes_is_critical(void **state)
{
	(void)state;
	assert_change(PLAIN, WITH_PROFILES("\"ca.example\"", "\"classic\":\"90 days\""),
		      SEVERITY_CRITICAL,
		      "the profile 'short' is gone, which 'shop', 'xu' asks for; there "
		      "is: classic",
		      "choose another 'profile:'");
}

static void other_changes_of_profiles_are_notices(void **state)
{
	(void)state;
	assert_change(PLAIN, WITH_PROFILES("\"ca.example\"", "\"short\":\"6 days\""),
		      SEVERITY_NOTICE, "the profile 'classic' is gone; there is: short",
		      NULL);
	assert_change(PLAIN,
		      WITH_PROFILES("\"ca.example\"",
				    "\"classic\":\"45 days\",\"short\":\"6 days\""),
		      SEVERITY_NOTICE,
		      "it says something new of its profile 'classic': '90 days' -> '45 "
		      "days'",
		      NULL);
	assert_change(WITH_PROFILES("\"ca.example\"", "\"classic\":\"90 days\""),
		      WITH_PROFILES("\"ca.example\"",
				    "\"classic\":\"90 days\",\"short\":\"6 days\""),
		      SEVERITY_NOTICE, "it has a new profile 'short': '6 days'", NULL);
}

/* ---- the chain --------------------------------------------------------------- */

static struct cert *issued_below(struct testcert *ca)
{
	struct testcert *leaf = testcert_new(&(struct testcert_spec){
		.names = (const char *const[]){ "a.example", NULL }, .issuer = ca });
	char *pem = testcert_fullchain_pem(leaf);
	struct cert *cert;
	struct err err;

	if (cert_parse(pem, strlen(pem), &cert, &err))
		fail_msg("%s", err.text);
	free(pem);
	testcert_free(leaf);
	return cert;
}

static struct testcert *intermediate(struct testcert *root, const char *name)
{
	return testcert_new(&(struct testcert_spec){
		.common_name = name, .issuer = root, .ca = true });
}

static void a_new_intermediate_is_a_notice_and_the_first_is_not(void **state)
{
	struct testcert *root = intermediate(NULL, "Root");
	struct testcert *one = intermediate(root, "One"),
			*two = intermediate(root, "Two");
	struct cert *by_one = issued_below(one), *by_two = issued_below(two);
	struct foresight_changes changes = { 0 };
	cJSON *seen = cJSON_CreateArray();

	(void)state;
	assert_true(foresight_see_chain(seen, by_one, NOW, &changes));
	assert_int_equal(changes.n, 0);
	assert_false(foresight_see_chain(seen, by_one, NOW, &changes));
	assert_int_equal(changes.n, 0);
	assert_true(foresight_see_chain(seen, by_two, NOW, &changes));
	assert_int_equal(changes.n, 1);
	assert_int_equal(changes.items[0].severity, SEVERITY_NOTICE);
	assert_true(str_starts(changes.items[0].what,
			       "it issues from a new intermediate 'CN=Two', below the "
			       "root or intermediate 'CN=Root'; SHA-256 of its key: "));
	foresight_changes_clear(&changes);
	/* Back and forth between the two is no news. */
	assert_false(foresight_see_chain(seen, by_one, NOW, &changes));
	assert_false(foresight_see_chain(seen, by_two, NOW, &changes));
	cJSON_Delete(seen);
	cert_free(by_two);
	cert_free(by_one);
	testcert_free(two);
	testcert_free(one);
	testcert_free(root);
}

/* ---- the file ---------------------------------------------------------------- */

static struct foresight_changes learn(const char *dir, const char *json)
{
	struct acme_directory directory = parsed(json);
	const struct foresight_news news = { .directory = &directory, .now = NOW };
	struct foresight_changes changes = { 0 };
	struct err err;

	if (foresight_learn(dir, &issuer, &news, &changes, &err))
		fail_msg("%s", err.text);
	acme_directory_clear(&directory);
	return changes;
}

static void what_was_learnt_is_remembered(void **state)
{
	char *dir = tempdir_new();
	struct foresight_changes changes = learn(dir, PLAIN);

	(void)state;
	assert_int_equal(changes.n, 0);
	changes = learn(dir, WITH("", ",\"externalAccountRequired\":true"));
	assert_int_equal(changes.n, 1);
	foresight_changes_clear(&changes);
	changes = learn(dir, WITH("", ",\"externalAccountRequired\":true"));
	assert_int_equal(changes.n, 0);
	tempdir_free(dir);
}

static void one_asks_a_day(void **state)
{
	char *dir = tempdir_new();
	struct err err;

	(void)state;
	assert_true(foresight_claim(dir, &issuer, NOW, NOW + DAY(1), &err));
	assert_false(foresight_claim(dir, &issuer, NOW + 1, NOW + DAY(1), &err));
	assert_false(foresight_claim(dir, &issuer, NOW + DAY(1) - 1, NOW + DAY(2), &err));
	assert_true(foresight_claim(dir, &issuer, NOW + DAY(1), NOW + DAY(2), &err));
	/* Planned while the clock was years ahead. */
	assert_true(foresight_claim(dir, &issuer, NOW - DAY(400), NOW, &err));
	tempdir_free(dir);
}

static void a_damaged_file_is_set_aside_and_begun_anew(void **state)
{
	static const char *const damage[] = { "", "[1]", "{\"view\":" };
	char *dir = tempdir_new(), *path = path_join(dir, "accounts/ca/foresight.json");
	char *folder = path_parent(path);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(dir_make(folder, FILE_SECRET, &err), 0);
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		cJSON *json = NULL;

		put(path, damage[i], 0600);
		assert_int_equal(foresight_read(dir, &issuer, &json, &err), 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_says(&err, "set aside as '");
		assert_true(cJSON_IsObject(json));
		cJSON_Delete(json);
	}
	free(folder);
	free(path);
	tempdir_free(dir);
}

/* Members of other types than ours, as an editor leaves them behind. */
static void members_of_another_type_are_as_good_as_none(void **state)
{
	static const char *const odd[] = {
		"{\"view\": 7, \"chain\": 7, \"ask_again_at\": \"x\"}",
		"{\"view\": {\"profiles\": [1], \"caaIdentities\": 7, \"newOrder\": {}}}",
		"{\"view\": {\"profiles\": {\"a\": 1}}, \"chain\": [1, {}]}",
	};
	char *dir = tempdir_new(), *path = path_join(dir, "accounts/ca/foresight.json");
	char *folder = path_parent(path);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(dir_make(folder, FILE_SECRET, &err), 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		struct foresight_changes changes;

		put(path, odd[i], 0600);
		changes = learn(dir, PLAIN);
		foresight_changes_clear(&changes);
		changes = learn(dir, PLAIN);
		assert_int_equal(changes.n, 0);
	}
	free(folder);
	free(path);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_the_same_is_no_news),
		cmocka_unit_test(addresses_that_move_appear_or_go_are_told),
		cmocka_unit_test(new_terms_are_told_with_what_they_mean),
		cmocka_unit_test(an_eab_that_is_wanted_now_is_told),
		cmocka_unit_test(other_caa_names_are_told),
		cmocka_unit_test(a_profile_in_use_that_vanishes_is_critical),
		cmocka_unit_test(other_changes_of_profiles_are_notices),
		cmocka_unit_test(a_new_intermediate_is_a_notice_and_the_first_is_not),
		cmocka_unit_test(what_was_learnt_is_remembered),
		cmocka_unit_test(one_asks_a_day),
		cmocka_unit_test(a_damaged_file_is_set_aside_and_begun_anew),
		cmocka_unit_test(members_of_another_type_are_as_good_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
