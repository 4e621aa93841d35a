#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/limits.h"
#include "tests/unit/base/tempdir.h"

#include <uv.h>

#define DAY(n) ((int64_t)(n)*86400)
#define NOW DAY(20000)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct issuer_config known = {
	.name = "le",
	.type = ISSUER_ACME,
	.directory = "https://acme-v02.api.letsencrypt.org/directory",
};
static const struct issuer_config unknown = {
	.name = "corp",
	.type = ISSUER_ACME,
	.directory = "https://ca.corp.example/directory",
};

static struct limits_history history_of(const char *dir,
					const struct issuer_config *issuer)
{
	struct limits_history history;
	struct err err;

	if (limits_read(dir, issuer, &history, &err))
		fail_msg("%s", err.text);
	assert_int_equal(err.kind, ERR_NONE);
	return history;
}

static void certificate(const char *dir, const char *const *names, int64_t at)
{
	struct err err;

	if (limits_note_certificate(dir, &known, names, LIMITS_RENEWAL, at, &err))
		fail_msg("%s", err.text);
}

static int check(const char *dir, const struct issuer_config *issuer,
		 const char *const *names, int64_t now, struct err *err)
{
	return limits_check(dir, issuer, names, LIMITS_RENEWAL, now, err);
}

static void what_was_noted_is_read_again(void **state)
{
	char *dir = tempdir_new();
	struct strlist failed = { 0 };
	struct limits_history history;
	struct err err;

	(void)state;
	strlist_add(&failed, "a.example");
	assert_int_equal(limits_note_order(dir, &known, LIMITS_FRESH, NOW, &err), 0);
	assert_int_equal(limits_note_order(dir, &known, LIMITS_ARI, NOW, &err), 0);
	assert_int_equal(limits_note_failure(dir, &known, &failed, NOW, &err), 0);
	certificate(dir, NAMES("b.example", "a.example"), NOW + 1);
	history = history_of(dir, &known);
	assert_int_equal(history.n_orders, 1); /* a renewal's order is not counted */
	assert_int_equal(history.orders[0], NOW);
	assert_int_equal(history.n_certificates, 1);
	assert_int_equal(history.certificates[0].at, NOW + 1);
	assert_int_equal(history.certificates[0].as, LIMITS_RENEWAL);
	assert_string_equal(history.certificates[0].names.items[0], "a.example");
	assert_int_equal(history.n_failures, 1);
	assert_string_equal(history.failures[0].identifier, "a.example");
	assert_int_equal(history.failures[0].n, 1);
	assert_int_equal(history.failures[0].forgiven_at, 0); /* it succeeded since */
	limits_history_clear(&history);
	strlist_clear(&failed);
	tempdir_free(dir);
}

static void the_sixth_certificate_is_vetoed_with_its_instant(void **state)
{
	char *dir = tempdir_new();
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(check(dir, &known, NAMES("a.example"), NOW, &err), 0);
		certificate(dir, NAMES("a.example"), NOW);
	}
	assert_int_equal(check(dir, &known, NAMES("a.example"), NOW, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_int_equal(err.retry_after_s, DAY(7) / 5);
	assert_string_equal(err.text, "not asked before 2024-10-05 09:36 UTC: Let's "
				      "Encrypt allows 5 certificates of exactly these "
				      "names in 7 d, and has had them from us");
	assert_int_equal(check(dir, &known, NAMES("b.example"), NOW, &err), 0);
	assert_int_equal(
		limits_check(dir, &known, NAMES("a.example"), LIMITS_ARI, NOW, &err), 0);
	tempdir_free(dir);
}

static void of_an_unknown_ca_nothing_is_written(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "accounts/corp/history.json");
	struct strlist failed = { 0 };
	struct file_facts facts;
	struct err err = { 0 };

	(void)state;
	strlist_add(&failed, "a.example");
	assert_int_equal(limits_note_order(dir, &unknown, LIMITS_FRESH, NOW, &err), 0);
	assert_int_equal(limits_note_certificate(dir, &unknown, NAMES("a.example"),
						 LIMITS_FRESH, NOW, &err),
			 0);
	assert_int_equal(limits_note_failure(dir, &unknown, &failed, NOW, &err), 0);
	assert_int_equal(check(dir, &unknown, NAMES("a.example"), NOW, &err), 0);
	assert_int_equal(file_inspect(path, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	strlist_clear(&failed);
	free(path);
	tempdir_free(dir);
}

static void refuse(const char *dir, const char *text, uint32_t retry_after_s)
{
	struct err refusal = { 0 }, err;

	err_set(&refusal, ERR_TRANSIENT, "%s", text);
	refusal.retry_after_s = retry_after_s;
	if (limits_note_refusal(dir, &unknown, NAMES("a.example"), &refusal, NOW, &err))
		fail_msg("%s", err.text);
}

static void a_retry_after_of_the_account_holds_back_every_certificate(void **state)
{
	char *dir = tempdir_new();
	struct err err = { 0 };

	(void)state;
	refuse(dir, "newOrder: rateLimited: too many requests", 600);
	assert_int_equal(check(dir, &unknown, NAMES("other.test"), NOW + 1, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_int_equal(err.retry_after_s, 599);
	assert_says(&err, "not asked before 2024-10-04 00:10 UTC: the CA said on "
			  "2024-10-04 00:00 UTC: rateLimited: too many requests");
	assert_int_equal(check(dir, &unknown, NAMES("other.test"), NOW + 600, &err), 0);
	tempdir_free(dir);
}

static void one_about_names_holds_back_those_names(void **state)
{
	char *dir = tempdir_new();
	struct err err = { 0 };

	(void)state;
	refuse(dir, "rateLimited: too many failed authorizations for \"a.example\"", 600);
	assert_int_equal(check(dir, &unknown, NAMES("a.example"), NOW, &err), -1);
	assert_int_equal(check(dir, &unknown, NAMES("b.test"), NOW, &err), 0);
	tempdir_free(dir);
}

static void retry_after_in_words_is_enough(void **state)
{
	char *dir = tempdir_new();
	struct err err = { 0 };

	(void)state;
	refuse(dir, "rateLimited: no more, retry after 2024-10-04 01:00:00 UTC", 0);
	assert_int_equal(check(dir, &unknown, NAMES("a.example"), NOW, &err), -1);
	assert_int_equal(err.retry_after_s, 3600);
	tempdir_free(dir);
}

/* A link to unpause is a JSON Web Token: long, and of no use when cut. */
static void the_cas_words_are_kept_whole(void **state)
{
	char *dir = tempdir_new(), link[1200], *text;
	struct err err = { 0 };

	(void)state;
	memset(link, 'x', sizeof(link) - 1);
	link[sizeof(link) - 1] = '\0';
	text = str_printf("rateLimited: paused, visit https://portal.example/%s#end",
			  link);
	refuse(dir, text, 600);
	assert_int_equal(check(dir, &unknown, NAMES("b.test"), NOW, &err), -1);
	assert_says(&err, text);
	free(text);
	tempdir_free(dir);
}

static void an_absurd_retry_after_is_cut_to_eight_days(void **state)
{
	char *dir = tempdir_new();
	struct err err = { 0 };

	(void)state;
	refuse(dir, "rateLimited: never", 365 * 86400);
	assert_int_equal(check(dir, &unknown, NAMES("a.example"), NOW, &err), -1);
	assert_int_equal(err.retry_after_s, DAY(8));
	tempdir_free(dir);
}

static void the_same_wait_is_kept_once(void **state)
{
	char *dir = tempdir_new();
	struct limits_history history;
	struct err err = { 0 }, again;

	(void)state;
	refuse(dir, "rateLimited: too many requests", 600);
	refuse(dir, "rateLimited: too many requests", 60);
	/* Our own veto, handed back as a failure, is no new word of the CA. */
	assert_int_equal(check(dir, &unknown, NAMES("b.test"), NOW + 100, &err), -1);
	assert_int_equal(limits_note_refusal(dir, &unknown, NAMES("b.test"), &err,
					     NOW + 100, &again),
			 0);
	history = history_of(dir, &unknown);
	assert_int_equal(history.n_waits, 1);
	assert_int_equal(history.waits[0].until, NOW + 600);
	limits_history_clear(&history);
	tempdir_free(dir);
}

static void other_failures_are_no_wait(void **state)
{
	char *dir = tempdir_new();
	struct err err = { 0 };

	(void)state;
	refuse(dir, "the order is still processing", 600);
	refuse(dir, "rateLimited: without an instant", 0);
	assert_int_equal(check(dir, &unknown, NAMES("a.example"), NOW, &err), 0);
	tempdir_free(dir);
}

static void what_no_rule_looks_at_is_dropped_when_writing(void **state)
{
	char *dir = tempdir_new();
	struct strlist failed = { 0 };
	struct limits_history history;
	struct err err;

	(void)state;
	strlist_add(&failed, "a.example");
	assert_int_equal(limits_note_order(dir, &known, LIMITS_FRESH, NOW, &err), 0);
	assert_int_equal(limits_note_failure(dir, &known, &failed, NOW, &err), 0);
	certificate(dir, NAMES("c.example"), NOW);
	certificate(dir, NAMES("b.example"), NOW + DAY(9));
	history = history_of(dir, &known);
	assert_int_equal(history.n_orders, 0);
	assert_int_equal(history.n_failures, 0);
	assert_int_equal(history.n_certificates, 1);
	limits_history_clear(&history);
	strlist_clear(&failed);
	tempdir_free(dir);
}

static void a_damaged_file_is_set_aside_reported_and_begun_anew(void **state)
{
	static const char *const damage[] = {
		"",
		"[1]",
		"{}",
		"{\"orders\": [\"x\"], \"certificates\": [], \"failures\": [], "
		"\"waits\": []}",
		"{\"orders\": [], \"certificates\": [{\"at\": 1, \"as\": \"?\", "
		"\"names\": []}], \"failures\": [], \"waits\": []}",
		"{\"orders\": [], \"certificates\": [], \"failures\": [{\"identifier\": "
		"\"a\"}], \"waits\": []}",
		"{\"orders\": [], \"certificates\": [], \"failures\": [], \"waits\": "
		"[{\"until\": 1, \"said_at\": 1, \"names\": []}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		char *dir = tempdir_new();
		char *path = path_join(dir, "accounts/le/history.json");
		char *folder = path_parent(path);
		struct err err = { 0 };
		struct limits_history history;

		assert_int_equal(dir_make(folder, FILE_SECRET, &err), 0);
		put(path, damage[i], 0600);
		assert_int_equal(limits_note_order(dir, &known, LIMITS_FRESH, NOW, &err),
				 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_says(&err, "damaged: '");
		assert_says(&err, "set aside as '");
		history = history_of(dir, &known);
		assert_int_equal(history.n_orders, 1);
		limits_history_clear(&history);
		free(folder);
		free(path);
		tempdir_free(dir);
	}
}

static void a_note_that_cannot_be_kept_says_where(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		limits_note_order("/dev/null/state", &known, LIMITS_FRESH, NOW, &err),
		-1);
	assert_says(&err, "note what was asked of issuer 'le': ");
	assert_says(&err, "/dev/null/state");
}

struct worker {
	uv_thread_t thread;
	const char *dir;
	int failures;
};

static void note_ten(void *arg)
{
	struct worker *worker = arg;
	struct err err;

	for (int i = 0; i < 10; i++)
		worker->failures += limits_note_order(worker->dir, &known, LIMITS_FRESH,
						      NOW + i, &err) != 0;
}

static void workers_that_note_at_once_lose_nothing(void **state)
{
	char *dir = tempdir_new();
	struct limits_history history;
	struct worker workers[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .dir = dir };
		assert_int_equal(
			uv_thread_create(&workers[i].thread, note_ten, &workers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(uv_thread_join(&workers[i].thread), 0);
		assert_int_equal(workers[i].failures, 0);
	}
	history = history_of(dir, &known);
	assert_int_equal(history.n_orders, 40);
	limits_history_clear(&history);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_noted_is_read_again),
		cmocka_unit_test(the_sixth_certificate_is_vetoed_with_its_instant),
		cmocka_unit_test(of_an_unknown_ca_nothing_is_written),
		cmocka_unit_test(
			a_retry_after_of_the_account_holds_back_every_certificate),
		cmocka_unit_test(one_about_names_holds_back_those_names),
		cmocka_unit_test(retry_after_in_words_is_enough),
		cmocka_unit_test(the_cas_words_are_kept_whole),
		cmocka_unit_test(an_absurd_retry_after_is_cut_to_eight_days),
		cmocka_unit_test(the_same_wait_is_kept_once),
		cmocka_unit_test(other_failures_are_no_wait),
		cmocka_unit_test(what_no_rule_looks_at_is_dropped_when_writing),
		cmocka_unit_test(a_damaged_file_is_set_aside_reported_and_begun_anew),
		cmocka_unit_test(a_note_that_cannot_be_kept_says_where),
		cmocka_unit_test(workers_that_note_at_once_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
