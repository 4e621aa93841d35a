#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/str.h"
#include "daemon/heartbeat.h"

#define SHA1 "0123456789ABCDEF0123456789ABCDEF01234567"

struct world {
	char folder[64];
	struct err err;
};

static int begin(void **state)
{
	struct world *world = mem_calloc(1, sizeof(*world));

	str_copy(world->folder, sizeof(world->folder), "/tmp/heartbeat-XXXXXX");
	*state = world;
	return mkdtemp(world->folder) ? 0 : -1;
}

static int end(void **state)
{
	struct world *world = *state;
	int rc = tree_remove(world->folder, &world->err);

	free(world);
	return rc;
}

static void what_is_written_is_read_again(void **state)
{
	struct world *world = *state;
	struct heartbeat_target target = {
		.name = (char *)"app",
		.sha1 = SHA1,
		.told = true,
	};
	struct heartbeat_certificate one = {
		.name = (char *)"shop",
		.next_at = 1800000600,
		.busy_awake_ms = 77,
		.failing = true,
		.targets = &target,
		.n_targets = 1,
	};
	struct heartbeat beat = {
		.pid = 4711,
		.started_at = 1800000000,
		.beat_at = 1800000060,
		.beat_awake_ms = 123456789012,
		.boot_id = "boot",
		.config_sha256 = "ab",
		.stopped = true,
		.certificates = &one,
		.n_certificates = 1,
	};
	struct heartbeat read;
	const struct heartbeat_certificate *found;

	assert_int_equal(heartbeat_write(world->folder, &beat, &world->err), 0);
	assert_int_equal(heartbeat_read(world->folder, &read, &world->err), 0);
	assert_int_equal(read.pid, 4711);
	assert_int_equal(read.started_at, 1800000000);
	assert_int_equal(read.beat_at, 1800000060);
	assert_int_equal(read.beat_awake_ms, 123456789012);
	assert_string_equal(read.boot_id, "boot");
	assert_string_equal(read.config_sha256, "ab");
	assert_true(read.stopped);
	found = heartbeat_find(&read, "shop");
	assert_int_equal(found->next_at, 1800000600);
	assert_int_equal(found->busy_awake_ms, 77);
	assert_true(found->failing);
	assert_string_equal(heartbeat_find_target(found, "app")->sha1, SHA1);
	assert_true(heartbeat_find_target(found, "app")->told);
	assert_null(heartbeat_find(&read, "other"));
	assert_null(heartbeat_find_target(found, "other"));
	heartbeat_clear(&read);
}

static void none_is_not_found(void **state)
{
	struct world *world = *state;
	struct heartbeat read;

	assert_int_equal(heartbeat_read(world->folder, &read, &world->err), -1);
	assert_int_equal(world->err.kind, ERR_NOT_FOUND);
}

static void a_damaged_one_is_refused_and_stays_where_it_is(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"pid\": 1}",
		"{\"pid\": -1, \"beat_at\": \"2026-11-21T03:31:28Z\", "
		"\"beat_awake_ms\": 1, \"boot_id\": \"x\"}",
		"{\"pid\": 1, \"beat_at\": \"2026-11-21T03:31:28Z\", "
		"\"beat_awake_ms\": 1, \"boot_id\": \"x\", \"certificates\": [1]}",
	};
	struct world *world = *state;
	char *path = path_join(world->folder, "heartbeat.json");
	struct file_facts facts;
	struct heartbeat read;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(file_replace(path, bad[i], strlen(bad[i]), FILE_SECRET,
					      &world->err),
				 0);
		assert_int_equal(heartbeat_read(world->folder, &read, &world->err), -1);
		assert_int_equal(world->err.kind, ERR_CONFIG);
		assert_non_null(strstr(world->err.text, "heartbeat.json"));
		assert_int_equal(file_inspect(path, &facts, &world->err), 0);
		assert_int_equal(facts.type, FILE_REGULAR);
	}
	free(path);
}

static void a_configuration_has_the_digest_of_its_bytes(void **state)
{
	struct world *world = *state;
	char *path = path_join(world->folder, "x.yaml"), digest[65];

	assert_int_equal(file_replace(path, "abc", 3, FILE_SECRET, &world->err), 0);
	heartbeat_digest(path, digest);
	assert_string_equal(digest,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
			    "f20015ad");
	heartbeat_digest("/no/such/file", digest);
	assert_string_equal(digest, "");
	free(path);
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_is_written_is_read_again),
		test(none_is_not_found),
		test(a_damaged_one_is_refused_and_stays_where_it_is),
		test(a_configuration_has_the_digest_of_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
