/* What comes after a deployment: the operator's rollback, and retire. */
#include "tests/unit/hooks/deploy_world.h"

#include <unistd.h>

#include "base/json.h"

/* ---- rollback by command ------------------------------------------------- */

static void the_operator_rolls_back_until_it_is_retired(void **state)
{
	struct world *w = *state;
	char *before = bytes_of(w->apps[0].tls_json), *after;
	struct deploy_state st;

	assert_int_equal(rollback(w, NULL), -1);
	assert_int_equal(w->err.kind, ERR_NOT_FOUND);
	assert_contains(w->err.text, "nothing to roll back");
	assert_int_equal(run(w), 0);
	assert_int_equal(rollback(w, NULL), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "rolled back by the operator");
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(before, after);
	assert_serves(&w->apps[0], &w->a);
	st = read_state(w);
	assert_int_equal(st.targets[0].end, DEPLOY_OPERATOR);
	assert_int_equal(st.targets[0].mode, MODE_OPERATOR);
	assert_true(st.targets[0].by_operator);
	assert_true(st.retire_at == CLOCK_NEVER);
	deploy_state_clear(&st);
	assert_int_equal(rollback(w, "xc"), -1); /* once is enough */

	assert_int_equal(run(w), 0); /* left alone, whoever died before saying so ... */
	assert_end(w, 0, DEPLOY_OPERATOR, "until 'deploy'");
	assert_serves(&w->apps[0], &w->a);
	assert_int_equal(run_target(w, NULL, true), 0); /* ... until told */
	assert_end(w, 0, DEPLOY_DONE, NULL);
	st = read_state(w);
	assert_false(st.targets[0].by_operator);
	deploy_state_clear(&st);
	assert_int_equal(retire(w), 0);
	assert_int_equal(rollback(w, NULL), -1);
	assert_contains(w->err.text, "retired");
	assert_int_equal(rollback(w, "nix"), -1);
	assert_string_equal(w->err.text, "there is no target 'nix'");
	free(before);
	free(after);
}

static void rolling_back_one_of_three_leaves_the_others(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(w), 0);
	assert_int_equal(rollback(w, "third"), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_end(w, 2, DEPLOY_ROLLED_BACK, "rolled back by the operator");
	assert_serves(&w->apps[0], &w->b);
	assert_serves(&w->apps[2], &w->a);
	assert_int_equal(retire(w), -1);
}

static void an_expired_certificate_is_not_rolled_back_to(void **state)
{
	struct world *w = *state;
	struct brought expired = bring(w, clock_wall() - DAY, 1);

	app_ctl(&w->apps[0], "stop");
	app_installs(w, 0, &expired);
	app_start(&w->apps[0]);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_int_equal(rollback(w, NULL), -1);
	assert_contains(w->err.text, "the old certificate expired on");
	assert_serves(&w->apps[0], &w->b);
	brought_clear(&expired);
}

static void a_stopped_service_stays_stopped_when_rolled_back(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(w), 0);
	app_ctl(&w->apps[0], "stop");
	assert_int_equal(rollback(w, NULL), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "the service is stopped");
	assert_int_equal(app_ctl(&w->apps[0], "status"), 3);
	assert_link_names(&w->apps[0], &w->a);
}

static void what_an_operator_changed_is_left_alone_on_the_way_back(void **state)
{
	struct world *w = *state;
	char *theirs = str_printf(
		     "{\"tlsEnabled\": true, \"certificate\": {\"thumbprint\": "
		     "\"%s\"}, \"mine\": 1}",
		     cert_sha1(w->a.cert)),
	     *after;
	struct deploy_state st;

	assert_int_equal(run(w), 0);
	testcert_write(w->apps[0].tls_json, theirs);
	assert_int_equal(rollback(w, NULL), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "an operator has changed tls.json meanwhile");
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(after, theirs);
	assert_true(w->outcome.targets[0].notes.n > 0);
	assert_contains(w->outcome.targets[0].notes.items[0], "somebody else");
	st = read_state(w);
	assert_int_equal(st.targets[0].mode, MODE_OPERATOR);
	deploy_state_clear(&st);

	assert_int_equal(run(w), 0); /* left alone ... */
	assert_end(w, 0, DEPLOY_OPERATOR, "until 'deploy'");
	assert_int_equal(run_target(w, "xc", true), 0); /* ... until told */
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	free(after);
	free(theirs);
}

/* ---- retire -------------------------------------------------------------- */

static void the_old_version_goes_with_its_key_and_the_copies(void **state)
{
	struct world *w = *state;
	char *saved = str_printf("%s/targets/xc/saved", w->folder);
	struct strlist left = { 0 };
	struct deploy_state st;

	assert_int_equal(run(w), 0);
	assert_int_equal(dir_find(saved, "", &left, &w->err), 0);
	assert_int_equal(left.n, 1); /* tls.json */
	strlist_clear(&left);
	assert_int_equal(retire(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_false(version_exists(&w->apps[0], &w->a));
	assert_true(version_exists(&w->apps[0], &w->b));
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(dir_find(saved, "", &left, &w->err), 0);
	assert_int_equal(left.n, 0);
	st = read_state(w);
	assert_true(st.retired);
	deploy_state_clear(&st);
	assert_int_equal(retire(w), 0); /* again changes nothing */
	assert_true(version_exists(&w->apps[0], &w->b));
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	free(saved);
}

/* An operator is quick: taken over again within the second in which it was verified.
 * Three times, because a second can begin in between. */
static void what_is_deployed_twice_in_a_second_is_retired_twice(void **state)
{
	struct world *w = *state;
	char *saved = str_printf("%s/targets/xc/saved", w->folder);

	w->targets[0].n_verify = 0; /* looks take their time */
	assert_int_equal(run(w), 0);
	assert_int_equal(retire(w), 0);
	for (int i = 0; i < 3; i++) {
		struct strlist left = { 0 };
		struct deploy_state st;

		testcert_write(w->apps[0].tls_json, "{\"tlsEnabled\": false}");
		assert_int_equal(run_target(w, NULL, true), 0);
		st = read_state(w);
		assert_false(st.retired);
		deploy_state_clear(&st);
		assert_int_equal(retire(w), 0);
		assert_int_equal(dir_find(saved, "", &left, &w->err), 0);
		assert_int_equal(left.n, 0);
	}
	free(saved);
}

static void as_many_old_versions_stay_as_the_operator_wants(void **state)
{
	struct world *w = *state;

	w->targets[0].keep = 1;
	assert_int_equal(run(w), 0);
	assert_int_equal(retire(w), 0);
	assert_true(version_exists(&w->apps[0], &w->a));
	w->deployment.material = &w->c.material;
	assert_int_equal(run(w), 0);
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->a));
	assert_true(version_exists(&w->apps[0], &w->b));
	assert_true(version_exists(&w->apps[0], &w->c));
}

/* As if the one at that place had been replaced that much earlier. */
static void replaced_earlier(struct world *w, int i, int64_t by_s)
{
	char *path = str_printf("%s/journal.json", w->folder);
	cJSON *json = NULL, *each;

	assert_int_equal(json_read_file(path, 65536, &json, &w->err), 0);
	each = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "replaced"), i);
	assert_non_null(each);
	each = cJSON_GetObjectItemCaseSensitive(each, "at");
	cJSON_SetNumberValue(each, each->valuedouble - (double)by_s);
	assert_int_equal(json_write_file(path, json, &w->err), 0);
	cJSON_Delete(json);
	free(path);
}

static void each_old_version_goes_by_its_own_age(void **state)
{
	struct world *w = *state;
	struct deploy_state st;

	w->targets[0].retire_after_s = DAY;
	assert_int_equal(run(w), 0);
	w->deployment.material = &w->c.material; /* long before a may go */
	assert_int_equal(run(w), 0);
	assert_int_equal(retire(w), 0); /* nothing is old enough */
	assert_true(version_exists(&w->apps[0], &w->a));

	replaced_earlier(w, 0, DAY);
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->a));
	assert_true(version_exists(&w->apps[0], &w->b));
	assert_true(noted(w, "older ones are gone, the last one waits"));
	st = read_state(w);
	assert_false(st.retired);
	assert_true(st.retire_at == st.verified_at + DAY);
	assert_true(st.replaces);
	assert_int_equal(st.oldest, w->b.material.version);
	deploy_state_clear(&st);

	w->targets[0].retire_after_s = 0;
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->b));
	st = read_state(w);
	assert_true(st.retired);
	assert_int_equal(st.oldest, w->c.material.version);
	deploy_state_clear(&st);
}

static void verified_later(struct world *w, const char *file, int64_t by_s)
{
	char *path = str_printf("%s/%s", w->folder, file);
	cJSON *json = NULL, *at;

	assert_int_equal(json_read_file(path, 65536, &json, &w->err), 0);
	at = cJSON_GetObjectItemCaseSensitive(json, "verified_at");
	cJSON_SetNumberValue(at, at->valuedouble + (double)by_s);
	assert_int_equal(json_write_file(path, json, &w->err), 0);
	cJSON_Delete(json);
	free(path);
}

static void what_a_clock_that_was_ahead_has_verified_counts_from_now(void **state)
{
	struct world *w = *state;
	struct deploy_state st;

	w->targets[0].retire_after_s = DAY;
	assert_int_equal(run(w), 0);
	st = read_state(w);
	assert_false(st.ahead);
	deploy_state_clear(&st);
	verified_later(w, "journal.json", 3650 * DAY);
	verified_later(w, "targets/xc/journal.json", 3650 * DAY);
	st = read_state(w);
	assert_true(st.ahead);
	deploy_state_clear(&st);

	assert_int_equal(deploy_after_clock_moved(&w->deployment, &w->err), 0);
	st = read_state(w);
	assert_false(st.ahead);
	assert_true(st.verified_at <= clock_wall());
	assert_true(st.retire_at <= clock_wall() + DAY);
	assert_int_equal(st.targets[0].end, DEPLOY_DONE);
	deploy_state_clear(&st);
	assert_int_equal(run(w), 0); /* not verified anew */
	w->targets[0].retire_after_s = 0;
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->a));
}

static void what_was_rolled_back_to_is_as_young_as_its_next_successor(void **state)
{
	struct world *w = *state;
	struct deploy_state st;

	w->targets[0].retire_after_s = DAY;
	assert_int_equal(run(w), 0);
	replaced_earlier(w, 0, 2 * DAY);
	assert_int_equal(rollback(w, NULL), 0);
	assert_int_equal(run_target(w, NULL, true), 0);
	st = read_state(w);
	assert_true(st.retire_at == st.verified_at + DAY);
	deploy_state_clear(&st);
	assert_int_equal(retire(w), 0);
	assert_true(version_exists(&w->apps[0], &w->a));
}

static void nothing_is_deleted_when_the_second_look_fails(void **state)
{
	struct world *w = *state;
	char *now, *old;

	assert_int_equal(run(w), 0);
	now = bytes_of(w->apps[0].tls_json);
	old = str_printf(
		"{\"tlsEnabled\": true, \"certificate\": {\"thumbprint\": \"%s\"}}",
		cert_sha1(w->a.cert));
	testcert_write(w->apps[0].tls_json, old);
	assert_int_equal(retire(w), -1);
	assert_int_equal(w->err.kind, ERR_TRANSIENT);
	assert_contains(w->err.text, "does not name");
	testcert_write(w->apps[0].tls_json, now);
	app_ctl(&w->apps[0], "stop");
	w->deployment.run = "r2";
	assert_int_equal(retire(w), -1);
	assert_int_equal(w->err.kind, ERR_TRANSIENT);
	assert_true(version_exists(&w->apps[0], &w->a));
	app_start(&w->apps[0]);
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->a));
	free(now);
	free(old);
}

static void a_foreign_predecessor_is_left_and_told(void **state)
{
	struct world *w = *state;
	char *marker = str_printf("%s.versions/%s", w->apps[0].store,
				  cert_sha1(w->a.cert));
	char *link = str_printf("%s.versions/theirs", w->apps[0].store);
	struct file_facts facts;

	assert_int_equal(file_rename(marker, link, &w->err), 0); /* not ours any more */
	assert_int_equal(unlink(w->apps[0].store), 0);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_int_equal(retire(w), 0);
	assert_int_equal(w->outcome.targets[0].notes.n, 1);
	assert_contains(w->outcome.targets[0].notes.items[0], "was not imported by us");
	assert_int_equal(file_inspect(link, &facts, &w->err), 0);
	assert_int_equal(facts.type, FILE_DIRECTORY);
	free(marker);
	free(link);
}

static void what_an_operator_took_over_keeps_its_old_versions(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(w), 0);
	assert_int_equal(target_mode_write(w->folder, "second", MODE_OPERATOR, &w->err),
			 0);
	assert_int_equal(retire(w), 0);
	assert_end(w, 1, DEPLOY_OPERATOR, NULL);
	assert_false(version_exists(&w->apps[0], &w->a));
	assert_true(version_exists(&w->apps[1], &w->a));
}

/* ---- copies of a run that died ------------------------------------------- */

static void copies_that_no_journal_names_are_swept(void **state)
{
	struct world *w = *state;
	char *saved = path_join(w->folder, "targets/xc/saved");
	char *left = path_join(saved, "0dead000/0"), *parent = path_parent(left);
	struct strlist names = { 0 };

	assert_int_equal(run(w), 0);
	assert_int_equal(dir_make(parent, FILE_SECRET, &w->err), 0);
	testcert_write(left, "a key, perhaps");
	assert_int_equal(deploy_sweep(&w->deployment, &w->err), 0);
	assert_int_equal(dir_list(saved, &names, &w->err), 0);
	assert_int_equal(names.n, 1); /* what the way back needs */
	assert_false(strlist_has(&names, "0dead000"));
	assert_int_equal(rollback(w, NULL), 0);
	assert_serves(&w->apps[0], &w->a);
	strlist_clear(&names);
	free(parent);
	free(left);
	free(saved);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define THREE(test) cmocka_unit_test_setup_teardown(test, set_up_three, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(the_operator_rolls_back_until_it_is_retired),
		THREE(rolling_back_one_of_three_leaves_the_others),
		ONE(an_expired_certificate_is_not_rolled_back_to),
		ONE(a_stopped_service_stays_stopped_when_rolled_back),
		ONE(what_an_operator_changed_is_left_alone_on_the_way_back),
		ONE(the_old_version_goes_with_its_key_and_the_copies),
		ONE(what_is_deployed_twice_in_a_second_is_retired_twice),
		ONE(as_many_old_versions_stay_as_the_operator_wants),
		ONE(each_old_version_goes_by_its_own_age),
		ONE(what_a_clock_that_was_ahead_has_verified_counts_from_now),
		ONE(what_was_rolled_back_to_is_as_young_as_its_next_successor),
		ONE(nothing_is_deleted_when_the_second_look_fails),
		ONE(a_foreign_predecessor_is_left_and_told),
		ONE(copies_that_no_journal_names_are_swept),
		THREE(what_an_operator_took_over_keeps_its_old_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
