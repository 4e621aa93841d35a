/* Who keeps a shared configuration folder: one, and everybody else is told who. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <uv.h>

#include "base/files.h"
#include "base/random.h"
#include "hooks/owner.h"
#include "tests/support/testcert.h"

static const struct owner one = {
	.host = "web1",
	.machine = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	.instance = "11111111111111111111111111111111",
	.state_dir = "/var/lib/certrenewd",
	.certificate = "xu",
};
static const struct owner two = {
	.host = "web2",
	.machine = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
	.instance = "22222222222222222222222222222222",
	.state_dir = "/srv/two",
	.certificate = "shop",
};

struct shared {
	char *dir, *tls_json, *file;
};

static int set_up(void **state)
{
	struct shared *s = calloc(1, sizeof(*s));
	char id[17], tmp[1024];
	size_t size = sizeof(tmp);
	struct err err;

	random_hex(id, 16);
	assert_int_equal(uv_os_tmpdir(tmp, &size), 0);
	s->dir = str_printf("%s/owner-%s", tmp, id);
	s->tls_json = path_join(s->dir, "servers/tls.json");
	s->file = str_printf("%s.certrenewd", s->tls_json);
	*state = s;
	return dir_make(s->dir, FILE_PUBLIC, &err);
}

static int tear_down(void **state)
{
	struct shared *s = *state;
	struct err err;

	assert_int_equal(tree_remove(s->dir, &err), 0);
	free(s->file);
	free(s->tls_json);
	free(s->dir);
	free(s);
	return 0;
}

static void assert_says(const struct err *err, const char *part)
{
	if (!strstr(err->text, part))
		fail_msg("'%s' is not in: %s", part, err->text);
}

static void nobodys_folder_is_taken_and_ours_stays_ours(void **state)
{
	struct shared *s = *state;
	struct strlist names = { 0 };
	struct err err;
	char *parent = path_parent(s->file);

	assert_int_equal(owner_check(&one, s->tls_json, &err), 0);
	assert_int_equal(dir_list(parent, &names, &err), -1); /* a look makes nothing */
	for (int i = 0; i < 2; i++)
		assert_int_equal(owner_take(&one, s->tls_json, false, &err), 0);
	assert_int_equal(owner_check(&one, s->tls_json, &err), 0);
	assert_int_equal(dir_list(parent, &names, &err), 0);
	assert_int_equal(names.n, 1); /* nothing is left of the writing */
	assert_int_equal(owner_take(&one, NULL, false, &err), 0); /* no tls.json at all */
	strlist_clear(&names);
	free(parent);
}

static void anothers_is_refused_by_name_time_and_way_out(void **state)
{
	struct shared *s = *state;
	struct err err;

	assert_int_equal(owner_take(&one, s->tls_json, false, &err), 0);
	assert_int_equal(owner_check(&two, s->tls_json, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "tls.json' is kept by the certrenewd of host 'web1' (its "
			  "certificate 'xu', its state directory '/var/lib/certrenewd', "
			  "last written at 20");
	assert_says(&err, "`certrenewd deploy shop --take-over` here, or remove '");
	assert_says(&err, s->file);
	assert_int_equal(owner_take(&two, s->tls_json, false, &err), -1);
	assert_says(&err, "host 'web1'");
	assert_int_equal(owner_check(&one, s->tls_json, &err), 0);

	assert_int_equal(owner_take(&two, s->tls_json, true, &err), 0);
	assert_int_equal(owner_check(&two, s->tls_json, &err), 0);
	assert_int_equal(owner_take(&one, s->tls_json, false, &err), -1);
	assert_says(&err, "host 'web2'");
}

static void assert_known(struct shared *s, const struct owner *now, bool known)
{
	struct err err;

	assert_int_equal(owner_take(&one, s->tls_json, true, &err), 0);
	assert_int_equal(owner_check(now, s->tls_json, &err), known ? 0 : -1);
	assert_int_equal(owner_take(now, s->tls_json, false, &err), known ? 0 : -1);
	if (!known)
		assert_int_equal(owner_check(&one, s->tls_json, &err), 0);
}

static void a_clone_and_a_second_certrenewd_of_a_machine_are_others(void **state)
{
	struct shared *s = *state;
	struct owner clone = one, second = one;
	struct err err;

	clone.host = "web1-copy";
	clone.machine = two.machine;
	assert_known(s, &clone, false);
	clone.machine = NULL; /* one that cannot tell is believed to be a clone */
	assert_known(s, &clone, false);
	second.instance = two.instance;
	second.state_dir = "/srv/second";
	assert_known(s, &second, false);
	assert_int_equal(owner_check(&second, s->tls_json, &err), -1);
	assert_says(&err, "is kept by another certrenewd of this host 'web1'");
}

static void a_machine_with_a_new_name_knows_what_it_wrote(void **state)
{
	struct shared *s = *state;
	struct owner renamed = one;
	struct err err;

	renamed.host = "web9";
	assert_known(s, &renamed, true);
	assert_int_equal(owner_check(&one, s->tls_json, &err), 0);
	renamed.instance = two.instance; /* and nothing else that is ours */
	assert_known(s, &renamed, false);
}

static void a_lost_instance_is_known_by_host_and_state_directory(void **state)
{
	struct shared *s = *state;
	struct owner anew = one, namesake = one;
	struct err err;

	anew.instance = two.instance;
	assert_known(s, &anew, true);
	anew.machine = NULL;
	assert_known(s, &anew, true);
	namesake.instance = two.instance;
	namesake.machine = two.machine;
	assert_known(s, &namesake, false);
	assert_int_equal(owner_check(&namesake, s->tls_json, &err), -1);
	assert_says(&err, "is kept by the certrenewd of another machine of this name, "
			  "host 'web1' (its certificate 'xu'");
	namesake.instance =
		one.instance; /* new hardware below a state that was restored */
	assert_known(s, &namesake, true);
}

static void a_damaged_one_is_nobodys_to_steal(void **state)
{
	struct shared *s = *state;
	char *parent = path_parent(s->file);
	struct err err;

	assert_int_equal(dir_make(parent, FILE_PUBLIC, &err), 0);
	testcert_write(s->file, "");
	assert_int_equal(owner_take(&one, s->tls_json, false, &err), -1);
	assert_says(&err, "is damaged and does not say by whom");
	testcert_write(s->file, "{\"host\": \"\x1b[2J\", \"instance\": 7}");
	assert_int_equal(owner_check(&one, s->tls_json, &err), -1);
	assert_null(strchr(err.text, '\x1b')); /* no terminal is told anything */
	assert_int_equal(owner_take(&one, s->tls_json, true, &err), 0);
	assert_int_equal(owner_check(&one, s->tls_json, &err), 0);
	free(parent);
}

struct racer {
	const struct owner *owner;
	const char *tls_json;
	bool first;
	struct err err;
};

static void race(void *arg)
{
	struct racer *racer = arg;

	racer->first = !owner_take(racer->owner, racer->tls_json, false, &racer->err);
}

static void of_two_that_begin_at_once_one_is_first(void **state)
{
	struct shared *s = *state;

	for (int round = 0; round < 30; round++) {
		struct racer racers[2] = { { .owner = &one, .tls_json = s->tls_json },
					   { .owner = &two, .tls_json = s->tls_json } };
		uv_thread_t threads[2];
		struct err err;

		for (int i = 0; i < 2; i++)
			assert_int_equal(uv_thread_create(&threads[i], race, &racers[i]),
					 0);
		for (int i = 0; i < 2; i++)
			uv_thread_join(&threads[i]);
		assert_int_equal(racers[0].first + racers[1].first, 1);
		assert_says(&racers[racers[0].first].err, "is kept by the certrenewd of");
		assert_int_equal(file_remove(s->file, &err), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nobodys_folder_is_taken_and_ours_stays_ours),
		TEST(anothers_is_refused_by_name_time_and_way_out),
		TEST(a_clone_and_a_second_certrenewd_of_a_machine_are_others),
		TEST(a_machine_with_a_new_name_knows_what_it_wrote),
		TEST(a_lost_instance_is_known_by_host_and_state_directory),
		TEST(a_damaged_one_is_nobodys_to_steal),
		TEST(of_two_that_begin_at_once_one_is_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
