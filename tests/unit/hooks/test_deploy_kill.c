/* Death and full disks at every change of a disk: afterwards the baseline or the new
 * certificate is served, and the next run ends the transaction. */
#include "tests/unit/hooks/deploy_world.h"

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/unit/hooks/deploy_faults.h"

/* ---- forward ------------------------------------------------------------- */

/* It may have died inside of a change, too: then something of it lies beside the file. A
 * run that is over left nothing. */
static char *leave_beside(struct world *w)
{
	char *left = str_printf("%s%s", w->apps[0].tls_json, FILE_NEW_SUFFIX);
	struct deploy_state st = read_state(w);

	if (st.targets[0].unfinished)
		testcert_write(left, "{\"half\": ");
	deploy_state_clear(&st);
	return left;
}

/* Takes `left`. */
static void assert_gone(char *left)
{
	struct file_facts facts;
	struct err err;

	assert_int_equal(file_inspect(left, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	free(left);
}

static void end_is_new(struct world *w)
{
	char *left = leave_beside(w);

	assert_true(app_serves(&w->apps[0], &w->a) || app_serves(&w->apps[0], &w->b));
	assert_int_equal(run(w), 0);
	assert_gone(left);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_true(w->outcome.all_done);
	assert_serves(&w->apps[0], &w->b);
	assert_link_names(&w->apps[0], &w->b);
	/* and the way back is still known */
	assert_int_equal(rollback(w, NULL), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "the old certificate is served again");
	assert_serves(&w->apps[0], &w->a);
	assert_link_names(&w->apps[0], &w->a);
}

static void a_deployment_that_dies_is_finished(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ NULL, run, end_is_new, 1 },
			     FAULT_KILL_BEFORE, 12);
}

/* ---- back ---------------------------------------------------------------- */

static void refuse_the_new(struct world *w)
{
	char *json = str_printf("{\"refuse\": \"not this one\", \"except\": \"%s\"}",
				cert_sha1(w->a.cert));

	app_misbehaves(&w->apps[0], json);
	free(json);
}

/* Dead in the middle of going back: the first run may end back (the undo finished, or
 * the new one refused once more), and the old one is served then. */
static void end_is_old(struct world *w)
{
	char *left = leave_beside(w), *tls_json;

	assert_int_equal(run(w), 0);
	assert_gone(left);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "the old certificate is served again");
	assert_serves(&w->apps[0], &w->a);
	assert_link_names(&w->apps[0], &w->a);
	tls_json = bytes_of(w->apps[0].tls_json);
	assert_contains(tls_json, "\"issuer\": \"CN=Old\""); /* byte for byte the old */
	free(tls_json);
	app_misbehaves(&w->apps[0], NULL);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

static void a_rollback_that_dies_is_finished(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ refuse_the_new, run, end_is_old, 1 },
			     FAULT_KILL_BEFORE, 16);
}

/* ---- two that share a service -------------------------------------------- */

static void two_share(struct world *w)
{
	app_installs(w, 1, &w->a);
	app_start(&w->apps[1]);
	share_service(w);
}

static void both_are_new(struct world *w)
{
	assert_int_equal(run(w), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_end(w, i, DEPLOY_DONE, NULL);
		assert_serves(&w->apps[i], &w->b);
	}
}

static void a_group_that_dies_is_finished_together(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ two_share, run, both_are_new, 2 },
			     FAULT_KILL_BEFORE, 20);
}

static void two_share_and_the_second_refuses(struct world *w)
{
	char *json = str_printf("{\"refuse\": \"not this one\", \"except\": \"%s\"}",
				cert_sha1(w->a.cert));

	two_share(w);
	app_misbehaves(&w->apps[1], json);
	free(json);
}

static void both_are_old(struct world *w)
{
	assert_int_equal(run(w), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_end(w, i, DEPLOY_ROLLED_BACK,
			   "the old certificate is served again");
		assert_serves(&w->apps[i], &w->a);
		assert_link_names(&w->apps[i], &w->a);
	}
}

static void a_group_that_dies_going_back_goes_back_together(void **state)
{
	(void)state;
	kill_at_every_change(
		&(struct sweep){ two_share_and_the_second_refuses, run, both_are_old, 2 },
		FAULT_KILL_BEFORE, 26);
}

/* ---- retire -------------------------------------------------------------- */

static void deployed(struct world *w)
{
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
}

static void end_is_retired(struct world *w)
{
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->a));
	assert_true(version_exists(&w->apps[0], &w->b));
	assert_serves(&w->apps[0], &w->b);
}

static void a_retirement_that_dies_is_finished(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ deployed, retire, end_is_retired, 1 },
			     FAULT_KILL_BEFORE, 4);
}

/* ---- inside the steps that change no disk -------------------------------- */

/* The restart command kills its caller first, then does its work (or does not). */
static void killed_in_the_restart(struct world *w, const char *rest)
{
	char *body = str_printf(
		"if [ -e \"${0%%/*}/armed\" ]; then rm \"${0%%/*}/armed\"; "
		"kill -9 $PPID; %s fi\nexec %s %s restart",
		rest, w->apps[0].restart[0], w->apps[0].dir);
	char *path = script(w, "ctl", body), *armed = in_world(w, "armed");
	const char *argv[] = { path, NULL };

	w->targets[0].service.command.argv = argv;
	testcert_write(armed, "");
	assert_true(dies(w, run, FAULT_NONE, 0));
	free(armed);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	w->targets[0].service.command.argv = w->apps[0].restart;
	free(path);
	free(body);
}

static void a_death_in_the_restart_leaves_a_service_that_comes_up(void **state)
{
	struct world *w = *state;
	char *stop = str_printf("%s %s stop; exit 0;", w->apps[0].restart[0],
				w->apps[0].dir);

	killed_in_the_restart(w, stop); /* it is down, and not by its admin */
	free(stop);
}

static void a_death_in_the_restart_that_succeeds_is_verified(void **state)
{
	killed_in_the_restart(*state, "");
}

static void a_death_in_a_program_step_is_finished(void **state)
{
	struct world *w = *state;
	char *path = script(w, "step",
			    "if [ -e \"${0%/*}/armed\" ]; then rm \"${0%/*}/armed\"; "
			    "echo half >\"${0%/*}/conf\"; kill -9 $PPID; exit; fi\n"
			    "echo whole >\"${0%/*}/conf\"");
	char *armed = in_world(w, "armed"), *conf = in_world(w, "conf"), *text;
	const char *argv[] = { path, NULL }, *changes[] = { conf, NULL };
	struct program step = { argv, changes, 10 };

	w->targets[0].programs = &step;
	w->targets[0].n_programs = 1;
	testcert_write(conf, "before\n");
	testcert_write(armed, "");
	assert_true(dies(w, run, FAULT_NONE, 0));
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	text = bytes_of(conf);
	assert_string_equal(text, "whole\n");
	free(text);
	assert_int_equal(rollback(w, NULL), 0);
	text = bytes_of(conf);
	assert_string_equal(text, "before\n");
	free(text);
	free(path);
	free(armed);
	free(conf);
}

/* ---- operators in the middle --------------------------------------------- */

/* A world whose deployment died right after tls.json was switched. */
static struct world *dead_when_pointed(void)
{
	for (unsigned nth = 1;; nth++) {
		struct world *w = world_new(1);
		char *text;
		bool pointed;

		assert_true(dies(w, run, FAULT_KILL_AFTER, nth));
		text = bytes_of(w->apps[0].tls_json);
		pointed = strstr(text, cert_sha1(w->b.cert)) != NULL;
		free(text);
		if (pointed)
			return w;
		world_free(w);
	}
}

static void an_operators_edit_in_the_middle_is_respected(void **state)
{
	struct world *w = dead_when_pointed();
	char *text;

	(void)state;
	testcert_write(w->apps[0].tls_json, "{\"tlsEnabled\": false}");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "in the middle of the deployment");
	text = bytes_of(w->apps[0].tls_json);
	assert_string_equal(text, "{\"tlsEnabled\": false}");
	free(text);
	assert_serves(&w->apps[0], &w->a); /* nobody has restarted it */
	world_free(w);
}

static void a_tls_json_removed_in_the_middle_is_not_made_again(void **state)
{
	struct world *w = dead_when_pointed();
	struct file_facts facts;

	(void)state;
	assert_int_equal(unlink(w->apps[0].tls_json), 0);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "in the middle of the deployment");
	assert_int_equal(file_inspect(w->apps[0].tls_json, &facts, &w->err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	world_free(w);
}

/* ---- a newer certificate finds an older one's remains -------------------- */

static void end_is_newer(struct world *w)
{
	w->deployment.material = &w->c.material;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->c);
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->a));
	assert_false(version_exists(&w->apps[0], &w->b));
}

static void a_newer_certificate_ends_a_deployment_that_died(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ NULL, run, end_is_newer, 1 },
			     FAULT_KILL_AFTER, 12);
}

/* ---- full disks ---------------------------------------------------------- */

static void a_change_that_fails_breaks_nothing(void **state)
{
	bool fired = true;
	unsigned nth;

	(void)state;
	for (nth = 1; fired; nth++) {
		struct world *w = world_new(1);

		fault_arm(FAULT_FAIL, nth);
		(void)run(w); /* it may fail, in any way that it says */
		fired = fault_fired();
		assert_true(app_serves(&w->apps[0], &w->a) ||
			    app_serves(&w->apps[0], &w->b));
		assert_int_equal(run(w), 0);
		if (w->outcome.targets[0].end == DEPLOY_ROLLED_BACK)
			assert_int_equal(run(w), 0);
		assert_end(w, 0, DEPLOY_DONE, NULL);
		assert_serves(&w->apps[0], &w->b);
		world_free(w);
	}
	assert_true(nth > 12);
}

static void a_full_disk_leaves_the_old_certificate_served(void **state)
{
	struct world *w = *state;
	char *disk = in_world(w, "state"), *ballast = in_world(w, "state/ballast");
	struct buf zeros;
	struct err err;

	if (geteuid() != 0) {
		print_message("skipped: mounting a small disk needs root\n");
		skip();
	}
	assert_int_equal(dir_make(disk, FILE_SECRET, &w->err), 0);
	if (mount("none", disk, "tmpfs", 0, "size=64k")) {
		print_message("skipped: no tmpfs can be mounted here\n");
		free(disk);
		free(ballast);
		skip();
	}
	buf_init(&zeros, 65536);
	for (size_t i = 0; i < 65536; i++)
		buf_append(&zeros, "", 1);
	for (size_t len = 65536; len >= 4096; len -= 4096)
		if (!file_replace(ballast, zeros.data, len, FILE_SECRET, &err))
			break;
	assert_int_equal(run(w), -1);
	assert_contains(w->err.text, "No space left on device");
	assert_serves(&w->apps[0], &w->a);
	assert_link_names(&w->apps[0], &w->a);
	assert_int_equal(file_remove(ballast, &err), 0);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_int_equal(umount(disk), 0);
	buf_release(&zeros);
	free(disk);
	free(ballast);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest forward[] = {
		cmocka_unit_test(a_deployment_that_dies_is_finished),
		ONE(a_death_in_the_restart_leaves_a_service_that_comes_up),
		ONE(a_death_in_the_restart_that_succeeds_is_verified),
		ONE(a_death_in_a_program_step_is_finished),
		cmocka_unit_test(an_operators_edit_in_the_middle_is_respected),
		cmocka_unit_test(a_tls_json_removed_in_the_middle_is_not_made_again),
	};
	const struct CMUnitTest back[] = {
		cmocka_unit_test(a_rollback_that_dies_is_finished),
		cmocka_unit_test(a_retirement_that_dies_is_finished),
	};
	const struct CMUnitTest later[] = {
		cmocka_unit_test(a_newer_certificate_ends_a_deployment_that_died),
	};
	const struct CMUnitTest disk[] = {
		cmocka_unit_test(a_change_that_fails_breaks_nothing),
		ONE(a_full_disk_leaves_the_old_certificate_served),
	};
	const struct CMUnitTest groups[] = {
		cmocka_unit_test(a_group_that_dies_is_finished_together),
	};
	const struct CMUnitTest groups_back[] = {
		cmocka_unit_test(a_group_that_dies_going_back_goes_back_together),
	};
	const char *part = argc > 1 ? argv[1] : "";

	if (str_equal(part, "forward"))
		return cmocka_run_group_tests(forward, NULL, NULL);
	if (str_equal(part, "back"))
		return cmocka_run_group_tests(back, NULL, NULL);
	if (str_equal(part, "groups"))
		return cmocka_run_group_tests(groups, NULL, NULL);
	if (str_equal(part, "groups_back"))
		return cmocka_run_group_tests(groups_back, NULL, NULL);
	if (str_equal(part, "disk"))
		return cmocka_run_group_tests(disk, NULL, NULL);
	if (str_equal(part, "later"))
		return cmocka_run_group_tests(later, NULL, NULL);
	return 2;
}
