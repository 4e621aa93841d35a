/* challenges.json: what a death of ours would leave behind. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/challenge_record.h"
#include "tests/unit/base/tempdir.h"

static int set_up(void **state)
{
	*state = tempdir_new();
	return 0;
}

static int tear_down(void **state)
{
	tempdir_free(*state);
	return 0;
}

static struct challenge_entry a_record(const char *token)
{
	return (struct challenge_entry){
		.type = (char *)"dns-01",
		.provider = (char *)"bind",
		.domain = (char *)"a.example",
		.record = (char *)"_acme-challenge.a.example",
		.value = (char *)"v4lue",
		.token = (char *)token,
		.key_authorization = (char *)"tok.thumb",
		.made_at = 1800000000,
	};
}

static void what_is_written_comes_back(void **state)
{
	const char *folder = *state;
	struct challenge_record record = { 0 }, read = { 0 };
	struct challenge_entry entry = a_record("one");
	struct challenge_entry file = { .type = (char *)"http-01",
					.webroot = (char *)"/var/www",
					.token = (char *)"two",
					.tries = 3 };
	struct err err;

	challenge_record_add(&record, &entry);
	challenge_record_add(&record, &file);
	assert_int_equal(challenge_record_write(folder, &record, &err), 0);
	assert_int_equal(challenge_record_read(folder, &read, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(read.n, 2);
	assert_string_equal(read.items[0].provider, "bind");
	assert_string_equal(read.items[0].record, "_acme-challenge.a.example");
	assert_string_equal(read.items[0].value, "v4lue");
	assert_string_equal(read.items[0].key_authorization, "tok.thumb");
	assert_null(read.items[0].webroot);
	assert_int_equal(read.items[0].made_at, 1800000000);
	assert_string_equal(read.items[1].webroot, "/var/www");
	assert_null(read.items[1].record);
	assert_int_equal(read.items[1].tries, 3);
	challenge_record_clear(&record);
	challenge_record_clear(&read);
}

static void the_last_one_struck_out_takes_the_file_away(void **state)
{
	const char *folder = *state;
	struct challenge_record record = { 0 };
	struct challenge_entry one = a_record("one"), two = a_record("two");
	char *path = path_join(folder, "challenges.json");
	struct file_facts facts;
	struct err err;

	challenge_record_add(&record, &one);
	challenge_record_add(&record, &two);
	assert_int_equal(challenge_record_write(folder, &record, &err), 0);
	challenge_record_remove(&record, &one);
	assert_int_equal(record.n, 1);
	assert_string_equal(record.items[0].token, "two");
	challenge_record_remove(&record, &two);
	assert_int_equal(challenge_record_write(folder, &record, &err), 0);
	assert_int_equal(file_inspect(path, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	challenge_record_clear(&record);
	free(path);
}

static void no_file_is_no_leftover(void **state)
{
	struct challenge_record record = { 0 };
	struct err err = { 0 };

	assert_int_equal(challenge_record_read(*state, &record, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(record.n, 0);
}

static void a_damaged_file_is_set_aside_and_told(void **state)
{
	static const char *const damages[] = {
		"{\"challenges\": 3}",
		"{\"challenges\": [{\"type\": \"dns-01\"}]}",
		"{\"challenges\": [{\"type\": \"dns-01\", \"token\": \"t\", "
		"\"tries\": -1}]}",
		"{\"chal",
	};
	char *path = path_join(*state, "challenges.json");
	struct challenge_record record = { 0 };
	struct err err;

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		assert_int_equal(file_replace(path, damages[i], strlen(damages[i]),
					      FILE_SECRET, &err),
				 0);
		assert_int_equal(challenge_record_read(*state, &record, &err), 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, "challenges.json"));
		assert_int_equal(record.n, 0);
	}
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_comes_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			the_last_one_struck_out_takes_the_file_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file_is_no_leftover, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_set_aside_and_told,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
