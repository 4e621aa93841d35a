/* Somebody else writes at the same moment: nothing of theirs is overwritten, and what we
 * did is undone. */
#include "tests/unit/hooks/deploy_world.h"

#include <unistd.h>

#include "tests/unit/hooks/deploy_faults.h"

#define RECORDED "files, baseline and way back are recorded"

struct other_hand { /* another program: writes `text` to `path` when we say `at` */
	void (*note)(void *ctx, const struct deploy_note *note);
	void *ctx;
	const char *at;
	char *path, *text; /* NULL: removes it */
	bool was_here;
};

static void watch_and_write(void *ctx, const struct deploy_note *note)
{
	struct other_hand *other = ctx;

	other->note(other->ctx, note);
	if (other->was_here || !strstr(note->text, other->at))
		return;
	other->was_here = true;
	if (other->text)
		testcert_write(other->path, other->text);
	else
		assert_int_equal(unlink(other->path), 0);
}

static struct other_hand other_hand(struct world *w, const char *at, const char *path,
				    char *text)
{
	struct other_hand other = {
		w->deployment.note, w->deployment.note_ctx, at, str_dup(path), text, false
	};

	return other;
}

static void let_in(struct world *w, struct other_hand *other)
{
	w->deployment.note = watch_and_write;
	w->deployment.note_ctx = other;
}

static void other_hand_gone(struct world *w, struct other_hand *other)
{
	assert_true(other->was_here);
	w->deployment.note = other->note;
	w->deployment.note_ctx = other->ctx;
	free(other->path);
	free(other->text);
}

/* The application's tls.json with a member that only its product knows. */
static char *with_a_member(const struct app *app)
{
	char *text = bytes_of(app->tls_json), *brace = strrchr(text, '}');
	char *more;

	*brace = '\0';
	more = str_printf("%s, \"written_by\": \"the designer\"}\n", text);
	free(text);
	return more;
}

static void assert_bytes(const char *path, const char *expected)
{
	char *text = bytes_of(path);

	assert_string_equal(text, expected);
	free(text);
}

static void what_another_program_wrote_meanwhile_is_not_overwritten(void **state)
{
	struct world *w = *state;
	const char *path = w->apps[0].tls_json;
	struct other_hand other = other_hand(w, RECORDED, path, with_a_member(w->apps));
	char *text;

	let_in(w, &other);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "was changed by somebody else at 20");
	assert_end(w, 0, DEPLOY_ROLLED_BACK, path);
	assert_end(w, 0, DEPLOY_ROLLED_BACK,
		   "nothing was overwritten; what was done before is undone, and it is "
		   "tried again");
	assert_bytes(path, other.text);
	assert_link_names(&w->apps[0], &w->a);
	assert_serves(&w->apps[0], &w->a);

	assert_int_equal(run(w), 0); /* from a fresh read */
	assert_end(w, 0, DEPLOY_DONE, NULL);
	text = bytes_of(path);
	assert_contains(text, "\"written_by\": \"the designer\"");
	assert_contains(text, cert_sha1(w->b.cert));
	free(text);
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(rollback(w, NULL), 0);
	assert_bytes(path, other.text); /* and back to theirs */
	other_hand_gone(w, &other);
}

static void who_chooses_another_certificate_meanwhile_is_an_operator(void **state)
{
	struct world *w = *state;
	const char *path = w->apps[0].tls_json;
	struct other_hand other = other_hand(w, RECORDED, path,
					     str_dup("{\"tlsEnabled\": false}"));

	let_in(w, &other);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "nothing was overwritten");
	assert_end(w, 0, DEPLOY_OPERATOR, "left alone until 'deploy'");
	assert_bytes(path, "{\"tlsEnabled\": false}");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "an operator has taken it over");
	assert_bytes(path, "{\"tlsEnabled\": false}");
	other_hand_gone(w, &other);
}

static void a_tls_json_removed_meanwhile_is_not_made_again(void **state)
{
	struct world *w = *state;
	const char *path = w->apps[0].tls_json;
	struct other_hand other = other_hand(w, RECORDED, path, NULL);
	struct file_facts facts;

	let_in(w, &other);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "was removed by somebody else");
	assert_int_equal(file_inspect(path, &facts, &w->err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	other_hand_gone(w, &other);
}

static void a_half_written_tls_json_waits_for_its_writer(void **state)
{
	struct world *w = *state;
	const char *path = w->apps[0].tls_json;
	char *whole = with_a_member(&w->apps[0]);
	struct other_hand other = other_hand(w, RECORDED, path, str_dup("{\"tlsEna"));

	let_in(w, &other);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "nothing was overwritten");
	assert_bytes(path, "{\"tlsEna");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_PENDING, "not JSON");
	assert_bytes(path, "{\"tlsEna");
	testcert_write(path, whole);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	other_hand_gone(w, &other);
	free(whole);
}

static void a_file_that_a_program_would_rewrite_is_looked_at_before_it_runs(void **state)
{
	struct world *w = *state;
	char *conf = in_world(w, "app.conf");
	char *path = script(w, "step", "echo new >\"${0%/*}/app.conf\"");
	const char *argv[] = { path, NULL }, *changes[] = { conf, NULL };
	struct program step = { argv, changes, 10 };
	struct other_hand other = other_hand(w, RECORDED, conf, str_dup("theirs\n"));

	testcert_write(conf, "old\n");
	w->targets[0].programs = &step;
	w->targets[0].n_programs = 1;
	let_in(w, &other);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK,
		   "before the program that rewrites it was run");
	assert_bytes(conf, "theirs\n");
	assert_serves(&w->apps[0], &w->a);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_bytes(conf, "new\n");
	other_hand_gone(w, &other);
	free(path);
	free(conf);
}

/* Between our look at a file and the bytes that we put back over it. */
static void what_changes_while_it_is_undone_is_left(void **state)
{
	struct world *w = *state;
	const char *path = w->apps[0].tls_json;
	char *json = str_printf("{\"refuse\": \"not this one\", \"except\": \"%s\"}",
				cert_sha1(w->a.cert));
	struct other_hand other = other_hand(w, "not this one", path,
					     with_a_member(w->apps));

	app_misbehaves(&w->apps[0], json);
	let_in(w, &other);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "an operator has changed tls.json meanwhile");
	assert_true(noted(w, "was changed by somebody else meanwhile"));
	assert_bytes(path, other.text);
	other_hand_gone(w, &other);
	free(json);
}

/* ---- death in the middle of a conflict ----------------------------------- */

static int run_with_another(struct world *w)
{
	struct other_hand other = other_hand(w, RECORDED, w->apps[0].tls_json,
					     with_a_member(&w->apps[0]));
	int rc;

	let_in(w, &other);
	rc = run(w);
	w->deployment.note = other.note;
	w->deployment.note_ctx = other.ctx;
	free(other.path);
	free(other.text);
	return rc;
}

static void theirs_is_kept(struct world *w)
{
	char *before = bytes_of(w->apps[0].tls_json), *text;
	bool met = strstr(before, "the designer") != NULL;

	assert_true(app_serves(&w->apps[0], &w->a));
	for (int i = 0; i < 2; i++)
		assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	text = bytes_of(w->apps[0].tls_json);
	if (met)
		assert_contains(text, "\"written_by\": \"the designer\"");
	free(text);
	free(before);
}

static void a_death_in_a_conflict_overwrites_nothing_either(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ NULL, run_with_another, theirs_is_kept, 1 },
			     FAULT_KILL_BEFORE, 12);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(what_another_program_wrote_meanwhile_is_not_overwritten),
		ONE(who_chooses_another_certificate_meanwhile_is_an_operator),
		ONE(a_tls_json_removed_meanwhile_is_not_made_again),
		ONE(a_half_written_tls_json_waits_for_its_writer),
		ONE(a_file_that_a_program_would_rewrite_is_looked_at_before_it_runs),
		ONE(what_changes_while_it_is_undone_is_left),
		cmocka_unit_test(a_death_in_a_conflict_overwrites_nothing_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
