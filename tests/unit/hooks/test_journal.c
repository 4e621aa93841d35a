/* Journals, modes, saved paths: what must survive, and what damage does to it. */
#include "tests/unit/hooks/deploy_world.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hooks/journal.h"

struct desk { /* a state folder and an application's folder, no application */
	char *root, *folder;
	struct deployment deployment;
	struct err err;
};

static int set_up_desk(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct desk *d = mem_calloc(1, sizeof(*d));

	d->root = str_printf("%s/journal-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(d->root));
	d->folder = path_join(d->root, "certificates/xu");
	d->deployment = (struct deployment){ .folder = d->folder, .run = "r7" };
	*state = d;
	return 0;
}

static int tear_down_desk(void **state)
{
	struct desk *d = *state;

	assert_int_equal(tree_remove(d->root, &d->err), 0);
	free(d->folder);
	free(d->root);
	free(d);
	return 0;
}

static char *on_desk(const struct desk *d, const char *name)
{
	return path_join(d->root, name);
}

/* ---- journals ------------------------------------------------------------ */

static void fill(struct journal *journal)
{
	struct saved saved = { .path = str_dup("/opt/x/tls.json"),
			       .kind = CHANGE_FILE,
			       .was = WAS_FILE,
			       .copy = str_dup("saved/1/0"),
			       .mode = 0640,
			       .owner = "root" };
	struct probe_result seen = { .kind = PROBE_TLS,
				     .sha1 = "AB",
				     .sha256 = "cd",
				     .not_after = 1800000000,
				     .chain_complete = true };

	snprintf(saved.sha256, sizeof(saved.sha256), "11");
	snprintf(saved.new_sha256, sizeof(saved.new_sha256), "22");
	snprintf(journal->new_sha1, sizeof(journal->new_sha1), "NEW");
	snprintf(journal->old_sha1, sizeof(journal->old_sha1), "OLD");
	snprintf(journal->why, sizeof(journal->why), "restart 'x': no");
	journal->version = 12;
	journal->from_http = true;
	journal->by_operator = true;
	journal->old_missing = true;
	journal->old_not_after = 1700000000;
	journal->verified_at = 1790000000;
	journal->retire_at = CLOCK_NEVER;
	journal_add_file(journal, &saved);
	journal_add_baseline(journal, "127.0.0.1:1338", &seen);
	strlist_add(&journal->created, "xc");
	journal_add_replaced(journal,
			     &(struct journal_replaced){ "FIRST", 9, 1780000000 });
	journal_add_replaced(journal, &(struct journal_replaced){ "THEN", 10, 0 });
}

static void a_journal_reads_as_it_was_written(void **state)
{
	struct desk *d = *state;
	struct journal out, in;
	const struct journal_change change = { STEP_POINTED, STEP_RESTARTED, true,
					       DEPLOY_BROKEN, "half way" };
	const struct probe_result *seen;

	assert_int_equal(
		journal_open(&out, &d->deployment, "xc", "journal.json", NULL, &d->err),
		0);
	assert_false(out.exists);
	fill(&out);
	assert_int_equal(journal_move(&out, &change, &d->err), 0);
	assert_int_equal(
		journal_open(&in, &d->deployment, "xc", "journal.json", NULL, &d->err),
		0);
	assert_true(in.exists);
	assert_string_equal(in.run, "r7");
	assert_string_equal(in.new_sha1, "NEW");
	assert_string_equal(in.old_sha1, "OLD");
	assert_string_equal(in.why, "restart 'x': no");
	assert_int_equal(in.version, 12);
	assert_int_equal(in.state, STEP_POINTED);
	assert_int_equal(in.intent, STEP_RESTARTED);
	assert_int_equal(in.end, DEPLOY_BROKEN);
	assert_true(in.back && in.from_http && in.by_operator && in.old_missing);
	assert_true(in.old_not_after == 1700000000 && in.verified_at == 1790000000);
	assert_true(in.retire_at == CLOCK_NEVER);
	assert_int_equal(in.n_files, 1);
	assert_string_equal(journal_file(&in, "/opt/x/tls.json")->copy, "saved/1/0");
	assert_int_equal(in.files[0].mode, 0640);
	assert_null(journal_file(&in, "/opt/x/other"));
	seen = journal_seen(&in, "127.0.0.1:1338");
	assert_int_equal(seen->kind, PROBE_TLS);
	assert_true(seen->chain_complete && seen->not_after == 1800000000);
	assert_int_equal(journal_seen(&in, "127.0.0.1:1")->kind, PROBE_NOTHING);
	assert_true(strlist_has(&in.created, "xc"));
	assert_int_equal(in.n_replaced, 2);
	assert_string_equal(in.replaced[0].sha1, "FIRST");
	assert_true(in.replaced[0].version == 9 && in.replaced[0].at == 1780000000);
	journal_drop_replaced(&in, "FIRST");
	assert_int_equal(in.n_replaced, 1);
	assert_string_equal(in.replaced[0].sha1, "THEN");
	assert_int_equal(journal_remove(&in, &d->err), 0);
	assert_false(in.exists);
	journal_release(&in);
	journal_release(&out);
}

static void a_journal_is_for_our_eyes_only(void **state)
{
	struct desk *d = *state;
	const struct journal_change change = { .text = "x" };
	struct journal journal;
	struct stat facts;

	assert_int_equal(journal_open(&journal, &d->deployment, NULL, "journal.json",
				      NULL, &d->err),
			 0);
	assert_int_equal(journal_move(&journal, &change, &d->err), 0);
	assert_int_equal(stat(journal.path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	journal_release(&journal);
}

static void every_damage_is_set_aside_and_told(void **state)
{
	static const char *const damages[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"state\": \"pointed\"}",
		"{\"run\":\"\",\"new_sha1\":\"\",\"old_sha1\":\"\",\"why\":\"\","
		"\"state\":"
		"\"none\",\"intent\":\"none\",\"end\":\"done\",\"direction\":\"back\","
		"\"files\":[{\"path\":\"/x\",\"kind\":\"file\",\"was\":\"file\",\"copy\":"
		"\"../../../etc/"
		"shadow\",\"sha256\":\"\",\"new_sha256\":\"\",\"owner\":\"\"}]}",
		"{\"run\":\"\",\"new_sha1\":\"\",\"old_sha1\":\"\",\"why\":\"\","
		"\"state\":"
		"\"none\",\"intent\":\"none\",\"end\":\"done\",\"direction\":\"back\","
		"\"files\":[{\"path\":\"/x\",\"kind\":\"link\",\"was\":\"link\","
		"\"sha256\":\"\",\"new_sha256\":\"\",\"owner\":\"\"}]}",
		"{\"run\":\"\",\"new_sha1\":\"\",\"old_sha1\":\"\",\"why\":\"\","
		"\"state\":"
		"\"none\",\"intent\":\"none\",\"end\":\"done\",\"direction\":\"back\","
		"\"baseline\":[{\"connect\":\"x\"}]}",
		"{\"run\":\"\",\"new_sha1\":\"\",\"old_sha1\":\"\",\"why\":\"\","
		"\"state\":"
		"\"none\",\"intent\":\"none\",\"end\":\"done\",\"direction\":\"back\","
		"\"created\":[7]}",
	};
	struct desk *d = *state;
	char *path = path_join(d->folder, "journal.json");
	char *aside = path_join(d->folder, "journal.json.damaged-r7");

	assert_int_equal(dir_make(d->folder, FILE_SECRET, &d->err), 0);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct strlist told = { 0 };
		struct journal journal;

		testcert_write(path, damages[i]);
		assert_int_equal(journal_open(&journal, &d->deployment, NULL,
					      "journal.json", &told, &d->err),
				 0);
		assert_false(journal.exists);
		assert_int_equal(journal.n_files, 0);
		assert_int_equal(told.n, 1);
		assert_contains(told.items[0], "set aside as 'journal.json.damaged-r7'");
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(unlink(aside), 0);
		strlist_clear(&told);
		journal_release(&journal);
	}
	free(path);
	free(aside);
}

static void a_journal_that_cannot_be_read_stops_everything(void **state)
{
	struct desk *d = *state;
	char *path = path_join(d->folder, "journal.json");
	struct journal journal;

	assert_int_equal(dir_make(path, FILE_SECRET, &d->err), 0); /* a folder */
	assert_int_equal(journal_open(&journal, &d->deployment, NULL, "journal.json",
				      NULL, &d->err),
			 -1);
	assert_contains(d->err.text, "read the journal");
	journal_release(&journal);
	free(path);
}

/* ---- saved paths --------------------------------------------------------- */

static struct saved take(struct desk *d, struct change *change)
{
	struct saved saved;

	if (saved_take(change, d->folder, "saved/1/0", &saved, &d->err))
		fail_msg("%s", d->err.text);
	return saved;
}

static enum saved_look look_at(struct desk *d, const struct saved *saved)
{
	enum saved_look look;

	assert_int_equal(saved_look(saved, &look, &d->err), 0);
	return look;
}

static void a_file_comes_back_with_bytes_and_mode(void **state)
{
	struct desk *d = *state;
	char *path = on_desk(d, "tls.json"), *text;
	struct change_list list = { 0 };
	struct change *change = change_add(&list, CHANGE_FILE, path, FILE_PUBLIC);
	struct saved saved;
	struct stat facts;

	buf_puts(&change->content, "new");
	testcert_write(path, "old");
	assert_int_equal(chmod(path, 0640), 0);
	saved = take(d, change);
	assert_int_equal(look_at(d, &saved), LOOK_SAVED);
	assert_int_equal(change_apply(change, NULL, &d->err), 0);
	assert_int_equal(look_at(d, &saved), LOOK_OURS);
	testcert_write(path, "theirs");
	assert_int_equal(look_at(d, &saved), LOOK_FOREIGN);
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), -1);
	assert_contains(d->err.text, "was changed by somebody else at 20");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(look_at(d, &saved), LOOK_FOREIGN);
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), -1);
	assert_contains(d->err.text, "was removed by somebody else");
	testcert_write(path, "new");
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), 0);
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), 0); /* again */
	text = bytes_of(path);
	assert_string_equal(text, "old");
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0640);
	free(text);
	text = path_join(d->folder, "saved/1/0");
	testcert_write(text, "scribble");
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), -1);
	assert_contains(d->err.text, "it is no copy of");
	free(text);
	saved_release(&saved);
	change_list_clear(&list);
	free(path);
}

static void an_absent_file_goes_again_with_its_folders(void **state)
{
	struct desk *d = *state;
	char *path = on_desk(d, "a/b/tls.json"), *top = on_desk(d, "a"), *other;
	struct change_list list = { 0 };
	struct change *change = change_add(&list, CHANGE_FILE, path, FILE_PUBLIC);
	struct saved saved = take(d, change);

	assert_int_equal(change_apply(change, NULL, &d->err), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), 0);
	assert_int_equal(access(top, F_OK), -1);
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), 0); /* again */
	assert_int_equal(change_apply(change, NULL, &d->err), 0);
	other = on_desk(d, "a/theirs");
	testcert_write(other, "x");
	assert_int_equal(saved_restore(&saved, d->folder, &d->err), 0);
	assert_int_equal(access(other, F_OK), 0); /* somebody uses the folder */
	saved_release(&saved);
	change_list_clear(&list);
	free(other);
	free(top);
	free(path);
}

static void a_link_comes_back(void **state)
{
	struct desk *d = *state;
	char *path = on_desk(d, "live"), *target = NULL;
	struct change_list list = { 0 };
	struct change *change = change_add(&list, CHANGE_LINK, path, FILE_PUBLIC);
	struct saved absent, linked;

	change->link_target = str_dup("v/2");
	absent = take(d, change);
	assert_int_equal(look_at(d, &absent), LOOK_SAVED);
	assert_int_equal(symlink("v/1", path), 0);
	assert_int_equal(look_at(d, &absent), LOOK_FOREIGN);
	linked = take(d, change);
	assert_int_equal(change_apply(change, NULL, &d->err), 0);
	assert_int_equal(look_at(d, &linked), LOOK_OURS);
	assert_int_equal(saved_restore(&linked, d->folder, &d->err), 0);
	assert_int_equal(link_read(path, &target, &d->err), 0);
	assert_string_equal(target, "v/1");
	assert_int_equal(look_at(d, &linked), LOOK_SAVED);
	assert_int_equal(saved_restore(&absent, d->folder, &d->err), 0);
	assert_int_equal(look_at(d, &linked), LOOK_FOREIGN);
	testcert_write(path, "a file");
	saved_release(&linked);
	assert_int_equal(saved_take(change, d->folder, "saved/1/0", &linked, &d->err),
			 -1);
	assert_contains(d->err.text, "is not a link: move it away");
	free(target);
	saved_release(&absent);
	change_list_clear(&list);
	free(path);
}

static void a_folder_in_place_of_a_file_is_refused(void **state)
{
	struct desk *d = *state;
	char *path = on_desk(d, "dir");
	struct change_list list = { 0 };
	struct change *change = change_add(&list, CHANGE_WATCHED, path, FILE_SECRET);
	struct saved saved;

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(saved_take(change, d->folder, "saved/1/0", &saved, &d->err), -1);
	assert_contains(d->err.text, "is not a file");
	change_list_clear(&list);
	free(path);
}

/* ---- modes --------------------------------------------------------------- */

static void a_mode_is_remembered_and_damage_is_told(void **state)
{
	struct desk *d = *state;
	char *path = path_join(d->folder, "targets/xc/mode.json");
	enum target_mode mode = MODE_OPERATOR;

	assert_int_equal(target_mode_read(d->folder, "xc", &mode, &d->err), 0);
	assert_int_equal(mode, MODE_HTTPS);
	assert_int_equal(target_mode_write(d->folder, "xc", MODE_FALLBACK, &d->err), 0);
	assert_int_equal(target_mode_read(d->folder, "xc", &mode, &d->err), 0);
	assert_int_equal(mode, MODE_FALLBACK);
	assert_string_equal(target_mode_name(mode), "fallback");
	testcert_write(path, "{\"mode\": \"sideways\"}");
	assert_int_equal(target_mode_read(d->folder, "xc", &mode, &d->err), -1);
	assert_int_equal(d->err.kind, ERR_CONFIG);
	assert_int_equal(mode, MODE_HTTPS);
	testcert_write(path, "no json");
	assert_int_equal(target_mode_read(d->folder, "xc", &mode, &d->err), -1);
	assert_int_equal(d->err.kind, ERR_CONFIG);
	free(path);
}

#define DESK(test) cmocka_unit_test_setup_teardown(test, set_up_desk, tear_down_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK(a_journal_reads_as_it_was_written),
		DESK(a_journal_is_for_our_eyes_only),
		DESK(every_damage_is_set_aside_and_told),
		DESK(a_journal_that_cannot_be_read_stops_everything),
		DESK(a_file_comes_back_with_bytes_and_mode),
		DESK(an_absent_file_goes_again_with_its_folders),
		DESK(a_link_comes_back),
		DESK(a_folder_in_place_of_a_file_is_refused),
		DESK(a_mode_is_remembered_and_damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
