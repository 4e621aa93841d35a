#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/job.h"
#include "tests/unit/base/tempdir.h"

static struct job sample(void)
{
	struct job job = {
		.version = 7,
		.order_url = "https://ca.example/order/1",
		.order_issuer = "letsencrypt",
		.order_directory = "https://acme.example/dir",
		.order_version = 8,
		.ari_id = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
		.ari_at = 5,
		.ari_start = 6,
		.ari_end = 7,
		.ari_ask_again_at = 8,
		.ari_explanation = "mass revocation, see \"https://ca.example/1\"",
		.renewal = { 3, 10, 20, 30, "renew 'xu': connect: refused", 1 },
		.deployment = { 1, 11, 21, 31, "restart 'xc.service': failed" },
		.targets = { { "xu", { 2, 12, 22, 32, "nft is missing" } },
			     { "yunio",
			       { 1, 13, 23, 33, "nothing answers" },
			       6,
			       { 3, 13, 23, 33, "verify: nothing answers" } } },
		.rounds_since_expiry = 2,
		.inspected_files_at = 40,
		.inspected_endpoints_at = 41,
		.heal_at = 46,
		.last_renewed_at = 42,
		.last_issuer = "internal",
		.last_directory = "https://ca.corp.example/dir",
		.chain_root = "Corp Root",
		.told_notes = "a profile was not had\n",
		.told_sha1 = "77AF4CB9A1B2C3D4E5F60718293A4B5C6D7E8F90",
		.told_runs = "0a1b2c3d 4e5f6071",
		.issuers = { { "internal", 0, 0, "" },
			     { "letsencrypt", 2, 77, "rejectedIdentifier: no" } },
		.spares_try_at = 43,
		.ari_failures = 3,
		.persist_until = 44,
		.persist_look_at = 45,
		.persist_step = 2,
	};

	return job;
}

static void assert_failures_equal(const struct failures *a, const struct failures *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->first_at, b->first_at);
	assert_int_equal(a->last_at, b->last_at);
	assert_int_equal(a->next_at, b->next_at);
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->by_breaker, b->by_breaker);
}

static void assert_jobs_equal(const struct job *a, const struct job *b)
{
	assert_int_equal(a->version, b->version);
	assert_string_equal(a->order_url, b->order_url);
	assert_string_equal(a->order_issuer, b->order_issuer);
	assert_string_equal(a->order_directory, b->order_directory);
	assert_int_equal(a->order_version, b->order_version);
	assert_string_equal(a->ari_id, b->ari_id);
	assert_int_equal(a->ari_at, b->ari_at);
	assert_int_equal(a->ari_start, b->ari_start);
	assert_int_equal(a->ari_end, b->ari_end);
	assert_int_equal(a->ari_ask_again_at, b->ari_ask_again_at);
	assert_string_equal(a->ari_explanation, b->ari_explanation);
	assert_failures_equal(&a->renewal, &b->renewal);
	assert_failures_equal(&a->deployment, &b->deployment);
	for (size_t i = 0; i < JOB_TARGETS; i++) {
		assert_string_equal(a->targets[i].target, b->targets[i].target);
		assert_failures_equal(&a->targets[i].fallback, &b->targets[i].fallback);
		assert_int_equal(a->targets[i].older_version,
				 b->targets[i].older_version);
		assert_failures_equal(&a->targets[i].older, &b->targets[i].older);
	}
	assert_int_equal(a->rounds_since_expiry, b->rounds_since_expiry);
	assert_int_equal(a->inspected_files_at, b->inspected_files_at);
	assert_int_equal(a->inspected_endpoints_at, b->inspected_endpoints_at);
	assert_int_equal(a->heal_at, b->heal_at);
	assert_int_equal(a->last_renewed_at, b->last_renewed_at);
	assert_string_equal(a->last_issuer, b->last_issuer);
	assert_string_equal(a->last_directory, b->last_directory);
	assert_string_equal(a->chain_root, b->chain_root);
	assert_string_equal(a->told_notes, b->told_notes);
	assert_string_equal(a->told_sha1, b->told_sha1);
	assert_string_equal(a->told_runs, b->told_runs);
	assert_int_equal(a->spares_try_at, b->spares_try_at);
	assert_int_equal(a->ari_failures, b->ari_failures);
	assert_int_equal(a->persist_until, b->persist_until);
	assert_int_equal(a->persist_look_at, b->persist_look_at);
	assert_int_equal(a->persist_step, b->persist_step);
	for (size_t i = 0; i < JOB_ISSUERS; i++) {
		assert_string_equal(a->issuers[i].name, b->issuers[i].name);
		assert_int_equal(a->issuers[i].refusals, b->issuers[i].refusals);
		assert_int_equal(a->issuers[i].failed_at, b->issuers[i].failed_at);
		assert_string_equal(a->issuers[i].text, b->issuers[i].text);
	}
}

static void make_version(const char *dir, const char *number)
{
	char *path = str_printf("%s/versions/%s", dir, number);
	struct err err;

	if (dir_make(path, FILE_SECRET, &err))
		fail_msg("%s", err.text);
	free(path);
}

static void every_member_survives_a_restart(void **state)
{
	char *dir = tempdir_new(), *folder = path_join(dir, "certificates/xu");
	struct job written = sample(), read = { 0 };
	bool damaged = true;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(job_write(folder, &written, &err), 0);
	assert_int_equal(job_read(folder, &read, &damaged, &err), 0);
	assert_false(damaged);
	assert_jobs_equal(&read, &written);
	free(folder);
	tempdir_free(dir);
}

static void each_issuer_has_a_row_and_the_oldest_failure_gives_way(void **state)
{
	struct job job = { 0 };
	char name[8];

	(void)state;
	for (int i = 0; i < JOB_ISSUERS; i++) {
		snprintf(name, sizeof(name), "ca%d", i);
		job_issuer(&job, name)->failed_at = 100 + i;
	}
	assert_int_equal(job_issuer(&job, "ca3")->failed_at, 103);
	job_issuer(&job, "ca0")->failed_at = 200;
	assert_int_equal(job_issuer(&job, "new")->failed_at, 0);
	assert_string_equal(job.issuers[1].name, "new");
}

static void a_missing_file_is_a_new_job(void **state)
{
	char *dir = tempdir_new();
	struct job none = { 0 }, read = sample();
	bool damaged = true;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(job_read(dir, &read, &damaged, &err), 0);
	assert_false(damaged);
	assert_jobs_equal(&read, &none);
	tempdir_free(dir);
}

static void a_missing_file_beside_versions_knows_the_newest(void **state)
{
	char *dir = tempdir_new();
	struct job read = { 0 };
	bool damaged = true;
	struct err err = { 0 };

	(void)state;
	make_version(dir, "9");
	make_version(dir, "10");
	assert_int_equal(job_read(dir, &read, &damaged, &err), 0);
	assert_false(damaged);
	assert_int_equal(read.version, 10);
	tempdir_free(dir);
}

static void unknown_members_and_missing_ones_are_fine(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "job.json");
	struct job read = sample();
	bool damaged = true;
	struct err err = { 0 };

	(void)state;
	put(path, "{\"version\": 3, \"colour\": \"blue\", \"renewal\": {\"count\": 2}}",
	    0600);
	assert_int_equal(job_read(dir, &read, &damaged, &err), 0);
	assert_false(damaged);
	assert_int_equal(read.version, 3);
	assert_int_equal(read.renewal.count, 2);
	assert_string_equal(read.order_url, "");
	free(path);
	tempdir_free(dir);
}

/* Reads `text` as a job.json beside version 4 and expects damage. */
static void expect_damaged(const char *text, const char *reason)
{
	char *dir = tempdir_new(), *path = path_join(dir, "job.json");
	struct job read = sample(), rebuilt = { .version = 4 };
	struct strlist names = { 0 };
	bool damaged = false;
	struct err err = { 0 };

	make_version(dir, "4");
	put(path, text, 0600);
	assert_int_equal(job_read(dir, &read, &damaged, &err), 0);
	assert_true(damaged);
	assert_says(&err, "job.json");
	assert_says(&err, reason);
	assert_says(&err, "set aside as '");
	assert_jobs_equal(&read, &rebuilt);
	assert_int_equal(dir_list(dir, &names, &err), 0);
	assert_int_equal(names.n, 2);
	assert_true(str_starts(names.items[0], "job.json.damaged-"));
	/* and from then on it is simply missing */
	assert_int_equal(job_read(dir, &read, &damaged, &err), 0);
	assert_false(damaged);
	strlist_clear(&names);
	free(path);
	tempdir_free(dir);
}

static void a_damaged_file_is_set_aside_and_rebuilt_from_the_versions(void **state)
{
	char *too_long = str_printf("{\"order_url\": \"%0600d\"}", 1);

	(void)state;
	expect_damaged("", "line 1, column 1");
	expect_damaged("{\"version\": 3", "not JSON");
	expect_damaged("[3]", "not a JSON object");
	expect_damaged("{\"version\": \"3\"}", "member 'version'");
	expect_damaged("{\"version\": -3}", "member 'version'");
	expect_damaged("{\"version\": 1e300}", "member 'version'");
	expect_damaged("{\"order_url\": 5}", "member 'order_url'");
	expect_damaged("{\"renewal\": 5}", "member 'renewal'");
	expect_damaged("{\"renewal\": {\"count\": 99999999999}}", "member 'count'");
	expect_damaged("{\"deployment\": {\"text\": []}}", "member 'text'");
	expect_damaged(too_long, "member 'order_url'");
	free(too_long);
}

static void a_file_that_is_too_large_is_damage_too(void **state)
{
	char *text = mem_calloc(1, 600001);

	(void)state;
	memset(text, ' ', 600000);
	expect_damaged(text, "larger than");
	free(text);
}

static void a_certificate_is_from_an_issuer_only_at_its_directory(void **state)
{
	struct job job = sample(), none = { 0 };

	(void)state;
	assert_true(job_came_from(&job, "internal", "https://ca.corp.example/dir"));
	assert_false(job_came_from(&job, "internal", "https://trial.corp.example/dir"));
	assert_false(job_came_from(&job, "letsencrypt", "https://ca.corp.example/dir"));
	job.last_directory[0] = '\0'; /* of an older version */
	assert_true(job_came_from(&job, "internal", "https://ca.corp.example/dir"));
	assert_false(job_came_from(&none, "internal", "https://ca.corp.example/dir"));
}

static void a_job_that_cannot_be_kept_is_an_error(void **state)
{
	struct job job = sample();
	struct err err = { 0 };

	(void)state;
	assert_int_equal(job_write("/proc/nonexistent/xu", &job, &err), -1);
	assert_says(&err, "/proc/nonexistent");
}

static void each_target_has_its_own_failures_of_plain_http(void **state)
{
	struct job job = { 0 };

	(void)state;
	assert_int_equal(job_fallback_of(&job, "xu")->count, 0);
	job_fallback(&job, "xu")->count = 3;
	assert_int_equal(job_fallback(&job, "yunio")->count, 0);
	job_fallback(&job, "yunio")->count = 1;
	*job_fallback(&job, "yunio") = (struct failures){ 0 };
	assert_int_equal(job_fallback_of(&job, "xu")->count, 3);
	assert_int_equal(job_fallback_of(&job, "yunio")->count, 0);
	job_forget_failures(&job);
	assert_int_equal(job_fallback_of(&job, "xu")->count, 0);
}

static void each_target_has_its_own_tries_of_an_older_certificate(void **state)
{
	struct job job = { 0 };

	(void)state;
	job_target(&job, "xu")->older_version = 3;
	job_target(&job, "xu")->older.count = 3;
	assert_int_equal(job_target(&job, "yunio")->older.count, 0);
	assert_int_equal(job_target_of(&job, "yunio")->older_version, 0);
	assert_int_equal(job_target_of(&job, "xu")->older.count, 3);
	assert_int_equal(job_target_of(&job, "never")->older.count, 0);
	job_forget_failures(&job);
	assert_int_equal(job_target_of(&job, "xu")->older_version, 0);
}

static void
of_more_targets_than_rows_the_one_that_failed_longest_ago_is_forgotten(void **state)
{
	struct job job = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < JOB_TARGETS; i++) {
		struct failures *failures;

		snprintf(name, sizeof(name), "t%d", i);
		failures = job_fallback(&job, name);
		failures->count = 1;
		failures->last_at = i == 5 ? 50 : 100 + i;
	}
	assert_int_equal(job_fallback(&job, "one-more")->count, 0);
	assert_int_equal(job_fallback_of(&job, "t5")->count, 0);
	assert_int_equal(job_fallback_of(&job, "t0")->count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_survives_a_restart),
		cmocka_unit_test(each_target_has_its_own_failures_of_plain_http),
		cmocka_unit_test(each_target_has_its_own_tries_of_an_older_certificate),
		cmocka_unit_test(
			of_more_targets_than_rows_the_one_that_failed_longest_ago_is_forgotten),
		cmocka_unit_test(each_issuer_has_a_row_and_the_oldest_failure_gives_way),
		cmocka_unit_test(a_missing_file_is_a_new_job),
		cmocka_unit_test(a_missing_file_beside_versions_knows_the_newest),
		cmocka_unit_test(unknown_members_and_missing_ones_are_fine),
		cmocka_unit_test(
			a_damaged_file_is_set_aside_and_rebuilt_from_the_versions),
		cmocka_unit_test(a_file_that_is_too_large_is_damage_too),
		cmocka_unit_test(a_certificate_is_from_an_issuer_only_at_its_directory),
		cmocka_unit_test(a_job_that_cannot_be_kept_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
