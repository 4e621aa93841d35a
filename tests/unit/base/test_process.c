#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/process.h"
#include "tempdir.h"

#define SH(script) ((const char *const[]){ "/bin/sh", "-c", script, NULL })

static struct process_result run(struct process_spec spec)
{
	struct process_result result;
	struct err err;

	if (spec.timeout_s == 0)
		spec.timeout_s = 20;
	if (process_run(&spec, &result, &err))
		fail_msg("%s", err.text);
	return result;
}

static void the_exit_code_and_both_streams_come_back(void **state)
{
	struct process_result result;

	(void)state;
	result = run(
		(struct process_spec){ .argv = SH("echo out; echo err >&2; exit 3") });
	assert_int_equal(result.exit_code, 3);
	assert_int_equal(result.signal, 0);
	assert_false(result.timed_out);
	assert_non_null(strstr(result.tail, "out"));
	assert_non_null(strstr(result.tail, "err"));
	result = run((struct process_spec){ .argv = SH("kill -9 $$") });
	assert_int_equal(result.exit_code, -1);
	assert_int_equal(result.signal, SIGKILL);
}

static void the_tail_keeps_the_end_and_is_printable(void **state)
{
	struct process_result result;
	size_t len;

	(void)state;
	result = run((struct process_spec){
		.argv = SH("head -c 100000 /dev/zero | tr '\\0' x; printf "
			   "'a\\033[2Jb\\0c\\nend\\n'") });
	len = strlen(result.tail);
	assert_int_equal(len, PROCESS_TAIL_BYTES - 2); /* the last newline is dropped */
	assert_string_equal(result.tail + len - 15, "xxxa?[2Jb?c end");
}

static void the_environment_is_small_and_argv_is_no_shell_text(void **state)
{
	const char *const env[] = { "CERTRENEWD_NAME=xu", NULL };
	const char *const echo[] = { "/bin/echo", "$HOME;`id`", NULL };
	struct process_result result;

	(void)state;
	assert_int_equal(setenv("SECRET_OF_OURS", "x", 1), 0);
	assert_int_equal(setenv("TZ", "Europe/Berlin", 1), 0);
	result = run((struct process_spec){
		.argv = (const char *const[]){ "/usr/bin/env", NULL }, .env = env });
	unsetenv("SECRET_OF_OURS");
	unsetenv("TZ");
	assert_string_equal(
		result.tail,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "
		"HOME=/ LANG=C.UTF-8 TZ=Europe/Berlin CERTRENEWD_NAME=xu");
	result = run((struct process_spec){ .argv = echo });
	assert_string_equal(result.tail, "$HOME;`id`");
}

static void input_is_fed_and_then_ends(void **state)
{
	struct process_result result;
	char *large = mem_calloc(1000001, 1);

	(void)state;
	result = run(
		(struct process_spec){ .argv = SH("cat; echo .end"), .input = "hello" });
	assert_string_equal(result.tail, "hello.end");
	result = run((struct process_spec){ .argv = SH("cat; echo none") });
	assert_string_equal(result.tail, "none");

	/* A program that does not read must not kill us by SIGPIPE. */
	memset(large, 'x', 1000000);
	result = run((struct process_spec){ .argv = SH("exec 0<&-; sleep 0.2"),
					    .input = large });
	assert_int_equal(result.exit_code, 0);
	free(large);
}

static void no_descriptor_of_ours_is_inherited(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as libraries do */
	struct process_result result;
	char *script;

	(void)state;
	assert_true(fd > 2);
	script = str_printf(
		"i=3; while [ $i -le %d ]; do [ -e /proc/$$/fd/$i ] && echo $i; "
		"i=$((i + 1)); done; echo done",
		fd + 5);
	result = run((struct process_spec){ .argv = SH(script) });
	close(fd);
	free(script);
	assert_string_equal(result.tail, "done");
}

/* Gone, or waiting for an init that does not bury. */
static bool is_dead(long pid)
{
	char *path = str_printf("/proc/%ld/stat", pid), line[256] = "";
	FILE *file = fopen(path, "r");
	bool dead = !file || !fgets(line, sizeof(line), file) || strstr(line, ") Z ");

	if (file)
		fclose(file);
	free(path);
	return dead;
}

static void on_timeout_the_whole_group_is_ended(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "pid"), *script, *pid;
	struct process_result result;
	int64_t began = clock_mono_ms();

	(void)state;
	script = str_printf(
		"sh -c 'trap \"\" TERM; echo $$ > %s; while :; do sleep 1; done' & "
		"echo waiting; wait",
		path);
	result = run((struct process_spec){ .argv = SH(script), .timeout_s = 1 });
	assert_true(result.timed_out);
	assert_int_equal(result.exit_code, -1);
	assert_string_equal(result.tail, "waiting");
	assert_in_range(clock_mono_ms() - began, 2900,
			6000); /* 1 s and the grace of 2 s */
	pid = get(path);
	assert_true(atol(pid) > 1);
	assert_true(is_dead(atol(pid)));
	free(pid);
	free(script);
	free(path);
	tempdir_free(dir);
}

static void helpers_that_a_program_leaves_behind_are_not_waited_for(void **state)
{
	int64_t began = clock_mono_ms();
	struct process_result result;
	long pid;

	(void)state;
	result = run((struct process_spec){ .argv = SH("sleep 30 & echo $!") });
	assert_int_equal(result.exit_code, 0);
	assert_in_range(clock_mono_ms() - began, 0, 5000);
	pid = atol(result.tail);
	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0); /* it was left alone */
}

static void *cancel_soon(void *cancel)
{
	clock_sleep_ms(300, NULL);
	cancel_request(cancel);
	return NULL;
}

static void cancelling_ends_it_within_a_second(void **state)
{
	struct cancel *cancel = cancel_new();
	struct process_spec spec = { .argv = SH("sleep 60"), .timeout_s = 60 };
	int64_t began = clock_mono_ms();
	struct process_result result;
	struct err err = { 0 };
	pthread_t thread;

	(void)state;
	spec.cancel = cancel;
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, cancel), 0);
	assert_int_equal(process_run(&spec, &result, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_in_range(clock_mono_ms() - began, 300, 1300);
	pthread_join(thread, NULL);
	cancel_free(cancel);
}

static void what_cannot_be_started_is_the_operators_business(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "text");
	const char *const missing[] = { "/no/such/program", NULL };
	const char *const relative[] = { "sh", NULL };
	const char *const text[] = { path, NULL };
	struct process_spec spec = { .argv = missing, .timeout_s = 5 };
	struct process_result result;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(process_run(&spec, &result, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text,
			    "cannot start '/no/such/program': no such file or directory");
	spec.argv = relative;
	assert_int_equal(process_run(&spec, &result, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "named by its whole path");
	put(path, "no program", 0644);
	spec.argv = text;
	assert_int_equal(process_run(&spec, &result, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "permission denied");
	free(path);
	tempdir_free(dir);
}

static void a_failing_program_becomes_a_sentence_with_its_own_words(void **state)
{
	struct process_spec spec = { .argv = SH("echo no license; exit 3"),
				     .timeout_s = 20 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(process_run_ok(&spec, &err), -1);
	assert_string_equal(err.text, "'/bin/sh' exited with code 3: no license");
	spec.argv = SH("exit 1");
	assert_int_equal(process_run_ok(&spec, &err), -1);
	assert_string_equal(err.text, "'/bin/sh' exited with code 1");
	spec.argv = SH("echo busy; exec sleep 60");
	spec.timeout_s = 1;
	assert_int_equal(process_run_ok(&spec, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_string_equal(err.text, "'/bin/sh' did not end within 1 s: busy");
	spec.argv = SH("true");
	assert_int_equal(process_run_ok(&spec, &err), 0);
}

static void *run_many(void *unused)
{
	struct process_spec spec = { .timeout_s = 20 };
	struct process_result result;
	struct err err;
	intptr_t wrong = 0;
	int i;

	(void)unused;
	for (i = 0; i < 10; i++) {
		spec.argv = i % 2 ? SH("exit 7") : SH("exit 0");
		if (process_run(&spec, &result, &err) ||
		    result.exit_code != (i % 2 ? 7 : 0))
			wrong++;
	}
	return (void *)wrong;
}

static void several_threads_run_programs_at_once(void **state)
{
	pthread_t threads[4];
	void *wrong;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_many, NULL), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_code_and_both_streams_come_back),
		cmocka_unit_test(the_tail_keeps_the_end_and_is_printable),
		cmocka_unit_test(the_environment_is_small_and_argv_is_no_shell_text),
		cmocka_unit_test(input_is_fed_and_then_ends),
		cmocka_unit_test(no_descriptor_of_ours_is_inherited),
		cmocka_unit_test(on_timeout_the_whole_group_is_ended),
		cmocka_unit_test(helpers_that_a_program_leaves_behind_are_not_waited_for),
		cmocka_unit_test(cancelling_ends_it_within_a_second),
		cmocka_unit_test(what_cannot_be_started_is_the_operators_business),
		cmocka_unit_test(a_failing_program_becomes_a_sentence_with_its_own_words),
		cmocka_unit_test(several_threads_run_programs_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
