/* In which folders somebody's changes are heard, and how soon they are looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/notice.h"
#include "tests/unit/base/tempdir.h"

struct heard {
	uv_loop_t uv;
	struct notice *notice;
	unsigned n;
	bool late;
};

static void on_changed(void *ctx, const char *certificate)
{
	struct heard *heard = ctx;

	assert_string_equal(certificate, "shop");
	heard->n++;
	uv_stop(&heard->uv);
}

static void on_late(uv_timer_t *timer)
{
	struct heard *heard = timer->data;

	heard->late = true;
	uv_stop(&heard->uv);
}

/* Runs the loop until something is heard, or `ms` have gone by. */
static bool hears(struct heard *heard, unsigned ms)
{
	unsigned before = heard->n;
	uv_timer_t timer;

	heard->late = false;
	assert_int_equal(uv_timer_init(&heard->uv, &timer), 0);
	timer.data = heard;
	assert_int_equal(uv_timer_start(&timer, on_late, ms, 0), 0);
	while (heard->n == before && !heard->late)
		(void)uv_run(&heard->uv, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	(void)uv_run(&heard->uv, UV_RUN_NOWAIT);
	return heard->n > before;
}

static void begin(struct heard *heard)
{
	*heard = (struct heard){ 0 };
	assert_int_equal(uv_loop_init(&heard->uv), 0);
	heard->notice = notice_new(&heard->uv, on_changed, heard);
}

static void end(struct heard *heard)
{
	notice_close(heard->notice);
	(void)uv_run(&heard->uv, UV_RUN_DEFAULT);
	notice_free(heard->notice);
	assert_int_equal(uv_loop_close(&heard->uv), 0);
}

static void follow(struct heard *heard, const char *tls_json)
{
	struct target target = { .name = "a", .tls_json = tls_json };
	struct certificate_config certificate = { .name = "shop",
						  .targets = &target,
						  .n_targets = 1 };
	struct notice_folders folders;

	notice_folders_find(&certificate, &folders);
	assert_int_equal(folders.n, 1);
	notice_follow(heard->notice, "shop", &folders);
	assert_int_equal(folders.n, 0);
}

static void a_file_that_is_replaced_is_heard_and_its_neighbour_is_not(void **state)
{
	char *dir = tempdir_new(), *file = path_join(dir, "tls.json");
	char *other = path_join(dir, "log.txt"), *made = path_join(dir, "new");
	struct heard heard;

	(void)state;
	put(file, "{}", 0600);
	begin(&heard);
	follow(&heard, file);
	put(other, "noise", 0600);
	assert_false(hears(&heard, 100));
	put(made, "{ }", 0600);
	assert_int_equal(rename(made, file), 0);
	assert_true(hears(&heard, 2000));
	while (hears(&heard, 50))
		;
	follow(&heard, file);
	assert_int_equal(unlink(file), 0);
	assert_true(hears(&heard, 2000));
	end(&heard);
	free(made);
	free(other);
	free(file);
	tempdir_free(dir);
}

static void a_folder_that_went_and_came_is_listened_to_again(void **state)
{
	char *dir = tempdir_new(), *folder = path_join(dir, "servers");
	char *file = path_join(folder, "tls.json");
	struct heard heard;

	(void)state;
	begin(&heard);
	follow(&heard, file); /* not there yet: no failure */
	assert_int_equal(mkdir(folder, 0700), 0);
	notice_retry(heard.notice);
	assert_int_equal(heard.n, 1);
	put(file, "{}", 0600);
	assert_true(hears(&heard, 2000));
	while (hears(&heard, 50))
		;
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_true(hears(&heard, 2000));
	assert_int_equal(mkdir(folder, 0700), 0);
	while (hears(&heard, 50))
		;
	notice_retry(heard.notice);
	put(file, "{}", 0600);
	assert_true(hears(&heard, 2000));
	end(&heard);
	free(file);
	free(folder);
	tempdir_free(dir);
}

static void what_nobody_configures_any_more_is_not_heard(void **state)
{
	static const struct config none = { 0 };
	char *dir = tempdir_new(), *file = path_join(dir, "tls.json");
	struct heard heard;

	(void)state;
	begin(&heard);
	follow(&heard, file);
	notice_keep_only(heard.notice, &none);
	put(file, "{}", 0600);
	assert_false(hears(&heard, 100));
	end(&heard);
	free(file);
	tempdir_free(dir);
}

static void a_store_and_files_of_one_folder_share_a_watch(void **state)
{
	const struct target targets[] = {
		{ .name = "a",
		  .tls_json = "/app/config/tls.json",
		  .store = { .type = STORE_DIRECTORY, .path = "/live/shop" } },
		{ .name = "b",
		  .store = { .type = STORE_FILES,
			     .key = "/app/config/key.pem",
			     .fullchain = "/app/config/full.pem" } },
	};
	const struct certificate_config certificate = { .name = "shop",
							.targets = targets,
							.n_targets = 2 };
	struct notice_folders folders;

	(void)state;
	notice_folders_find(&certificate, &folders);
	assert_int_equal(folders.n, 3);
	assert_string_equal(folders.items[0].path, "/app/config");
	assert_true(notice_matters(&folders.items[0], "tls.json"));
	assert_true(notice_matters(&folders.items[0], "key.pem"));
	assert_true(notice_matters(&folders.items[0], NULL));
	assert_false(notice_matters(&folders.items[0], "full.pem.certrenewd-new"));
	assert_true(notice_matters(&folders.items[1], "shop"));
	assert_true(notice_matters(&folders.items[2], "whatever"));
	notice_folders_clear(&folders);
}

static void who_writes_all_the_time_is_looked_at_less_often(void **state)
{
	int64_t gap = 0;

	(void)state;
	assert_int_equal(notice_gap(0, 0), 2000);
	assert_int_equal(notice_gap(2000, 3000), 4000);
	assert_int_equal(notice_gap(2000, 3600000), 2000);
	for (int i = 0; i < 20; i++)
		gap = notice_gap(gap, 1000);
	assert_int_equal(gap, 300000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_file_that_is_replaced_is_heard_and_its_neighbour_is_not),
		cmocka_unit_test(a_folder_that_went_and_came_is_listened_to_again),
		cmocka_unit_test(what_nobody_configures_any_more_is_not_heard),
		cmocka_unit_test(a_store_and_files_of_one_folder_share_a_watch),
		cmocka_unit_test(who_writes_all_the_time_is_looked_at_less_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
