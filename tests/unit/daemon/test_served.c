#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "daemon/served.h"
#include "tests/support/testcert.h"
#include "tests/unit/base/tempdir.h"

static const struct endpoint verify[] = { { .connect = "127.0.0.1:443" } };
static const struct target target = { .name = "nginx", .verify = verify, .n_verify = 1 };

/* A leaf below "One" below "Root", as it was stored. */
static struct cert *stored_chain(void)
{
	struct testcert *root = testcert_ca("Root");
	struct testcert *one = testcert_new(&(struct testcert_spec){
		.issuer = root, .ca = true, .common_name = "One" });
	struct testcert *leaf = testcert_leaf(one, "a.example", 0, 0);
	char *pem = testcert_fullchain_pem(leaf);
	struct cert *cert;
	struct err err;

	if (cert_parse(pem, strlen(pem), &cert, &err))
		fail_msg("%s", err.text);
	free(pem);
	testcert_free(leaf);
	testcert_free(one);
	testcert_free(root);
	return cert;
}

struct scene {
	struct cert *stored;
	struct probe_result seen;
	struct target_view view;
	struct served_facts facts;
};

/* In place: the parts point at each other. */
static void scene_init(struct scene *scene, const char *issuers, const char *wanted)
{
	memset(scene, 0, sizeof(*scene));
	scene->stored = stored_chain();
	scene->seen.kind = PROBE_TLS;
	scene->seen.chain_complete = true;
	str_copy(scene->seen.sha1, sizeof(scene->seen.sha1), cert_sha1(scene->stored));
	str_copy(scene->seen.sha256, sizeof(scene->seen.sha256),
		 cert_sha256(scene->stored));
	str_copy(scene->seen.issuers, sizeof(scene->seen.issuers), issuers);
	scene->view.endpoints = &scene->seen;
	scene->view.n_endpoints = 1;
	scene->facts = (struct served_facts){ .target = &target,
					      .view = &scene->view,
					      .stored = scene->stored,
					      .wanted = wanted };
}

static void what_is_served_is_noted_and_only_news_is_a_change(void **state)
{
	struct scene scene;
	cJSON *seen = cJSON_CreateArray(), *entry;

	(void)state;
	scene_init(&scene, "One < Root", NULL);
	assert_true(served_update(seen, &scene.facts));
	assert_false(served_update(seen, &scene.facts));
	assert_int_equal(cJSON_GetArraySize(seen), 1);
	entry = cJSON_GetArrayItem(seen, 0);
	assert_string_equal(json_string(entry, "target"), "nginx");
	assert_string_equal(json_string(entry, "connect"), "127.0.0.1:443");
	assert_string_equal(json_string(entry, "issuers"), "One < Root");
	assert_true(json_bool(entry, "complete", false));
	scene.seen.chain_complete = false;
	assert_true(served_update(seen, &scene.facts));
	str_copy(scene.seen.issuers, sizeof(scene.seen.issuers), "One < Other");
	assert_true(served_update(seen, &scene.facts));
	assert_int_equal(cJSON_GetArraySize(seen), 1);
	cJSON_Delete(seen);
	cert_free(scene.stored);
}

static void another_certificate_says_nothing_about_our_chain(void **state)
{
	struct scene scene;
	cJSON *seen = cJSON_CreateArray();

	(void)state;
	scene_init(&scene, "Other", "One");
	scene.seen.sha256[0] = scene.seen.sha256[0] == 'a' ? 'b' : 'a';
	assert_false(served_update(seen, &scene.facts));
	assert_null(served_complaint(&scene.facts, 0));
	scene.seen.kind = PROBE_NOTHING;
	assert_false(served_update(seen, &scene.facts));
	cJSON_Delete(seen);
	cert_free(scene.stored);
}

static void a_preferred_chain_that_is_not_served_is_told(void **state)
{
	struct scene scene;
	char *what;

	(void)state;
	scene_init(&scene, "One < Other Root", "Root");
	what = served_complaint(&scene.facts, 0);
	assert_string_equal(what, "127.0.0.1:443 serves the complete chain 'One < Other "
				  "Root', not the one from 'Root' that was brought in");
	free(what);
	cert_free(scene.stored);
}

static void nothing_is_told_where_nothing_is_wrong(void **state)
{
	static const struct {
		const char *issuers, *wanted;
	} rows[] = {
		{ "One < Other", NULL },    /* nothing is preferred */
		{ "One < Root", "Root" },   /* it is served */
		{ "One < Other", "One" },   /* it is served as well */
		{ "One < Root", "Nobody" }, /* the CA had none: that was told */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scene scene;

		scene_init(&scene, rows[i].issuers, rows[i].wanted);
		assert_null(served_complaint(&scene.facts, 0));
		cert_free(scene.stored);
	}
}

static void the_file_comes_back_as_it_was_written(void **state)
{
	char *dir = tempdir_new();
	struct scene scene;
	cJSON *seen = cJSON_CreateArray();
	struct err err = { 0 };

	(void)state;
	scene_init(&scene, "One < Root", NULL);
	assert_true(served_update(seen, &scene.facts));
	assert_int_equal(served_write(dir, seen, &err), 0);
	cJSON_Delete(seen);
	seen = served_read(dir, &err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_false(served_update(seen, &scene.facts));
	cJSON_Delete(seen);
	cert_free(scene.stored);
	tempdir_free(dir);
}

static void a_damaged_file_is_set_aside_and_begun_anew(void **state)
{
	static const char *const damage[] = { "", "[]", "{\"endpoints\": 7}", "{}" };
	char *dir = tempdir_new(), *path = path_join(dir, "served.json");

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct err err = { 0 };
		cJSON *seen;

		put(path, damage[i], 0600);
		seen = served_read(dir, &err);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_says(&err, "set aside as '");
		assert_int_equal(cJSON_GetArraySize(seen), 0);
		cJSON_Delete(seen);
	}
	free(path);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_served_is_noted_and_only_news_is_a_change),
		cmocka_unit_test(another_certificate_says_nothing_about_our_chain),
		cmocka_unit_test(a_preferred_chain_that_is_not_served_is_told),
		cmocka_unit_test(nothing_is_told_where_nothing_is_wrong),
		cmocka_unit_test(the_file_comes_back_as_it_was_written),
		cmocka_unit_test(a_damaged_file_is_set_aside_and_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
