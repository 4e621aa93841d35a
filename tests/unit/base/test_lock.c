#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files.h"
#include "tempdir.h"

static void the_holder_is_named_and_the_lock_dies_with_it(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "lock"), *expected;
	struct file_lock *lock = NULL;
	struct err err = { 0 };
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (file_lock_take(path, &lock, &err) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(file_lock_take(path, &lock, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	expected = str_printf("held by process %ld", (long)pid);
	assert_says(&err, expected);
	assert_null(lock);

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(file_lock_take(path, &lock, &err), 0);
	file_lock_release(lock);
	free(expected);
	free(path);
	close(ready[0]);
	close(ready[1]);
	tempdir_free(dir);
}

static void a_second_take_in_the_same_process_fails_until_released(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "lock");
	struct file_lock *lock = NULL, *second = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(file_lock_take(path, &lock, &err), 0);
	assert_int_equal(file_lock_take(path, &second, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	file_lock_release(lock);
	assert_holds(path, "");
	assert_int_equal(file_lock_take(path, &second, &err), 0);
	file_lock_release(second);
	file_lock_release(NULL);
	free(path);
	tempdir_free(dir);
}

static void a_planted_link_is_not_locked(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "lock");
	char *target = path_join(dir, "target");
	struct file_lock *lock = NULL;
	struct err err = { 0 };

	(void)state;
	put(target, "precious", 0600);
	assert_int_equal(symlink("target", path), 0);
	assert_int_equal(file_lock_take(path, &lock, &err), -1);
	assert_says(&err, path);
	assert_holds(target, "precious");
	free(path);
	free(target);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_holder_is_named_and_the_lock_dies_with_it),
		cmocka_unit_test(a_second_take_in_the_same_process_fails_until_released),
		cmocka_unit_test(a_planted_link_is_not_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
