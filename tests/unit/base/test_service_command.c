#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/service.h"
#include "tempdir.h"

#define PROGRAM(script)                                                                  \
	{                                                                                \
		.argv = (const char *const[]){ "/bin/sh", "-c", script, NULL },          \
		.timeout_s = 10                                                          \
	}

static enum service_state inspect(const struct service *service)
{
	enum service_state state;
	struct err err;

	if (service_inspect(service, &state, &err))
		fail_msg("%s", err.text);
	return state;
}

static void status_is_read_as_lsb_defines_it(void **state)
{
	const struct service runs = { .kind = SERVICE_COMMAND,
				      .status = PROGRAM("exit 0") };
	const struct service stopped = { .kind = SERVICE_COMMAND,
					 .status = PROGRAM("exit 3") };
	const struct service failed = { .kind = SERVICE_COMMAND,
					.status = PROGRAM("exit 1") };
	const struct service silent = { .kind = SERVICE_COMMAND };
	const struct service none = { .kind = SERVICE_NONE };

	(void)state;
	assert_int_equal(inspect(&runs), SERVICE_IS_RUNNING);
	assert_int_equal(inspect(&stopped), SERVICE_IS_STOPPED);
	assert_int_equal(inspect(&failed), SERVICE_IS_FAILED);
	assert_int_equal(inspect(&silent), SERVICE_IS_UNKNOWN);
	assert_int_equal(inspect(&none), SERVICE_IS_UNKNOWN);
	assert_string_equal(service_state_name(SERVICE_IS_STARTING), "starting");
}

static void a_program_that_is_not_there_is_named_beforehand(void **state)
{
	const struct service there = { .kind = SERVICE_COMMAND,
				       .command = PROGRAM("exit 0") };
	const struct service gone = {
		.kind = SERVICE_COMMAND,
		.command = { .argv = (const char *const[]){ "/no/such/program", NULL } },
	};
	const struct service none = { .kind = SERVICE_NONE };
	struct err err;

	(void)state;
	assert_int_equal(service_check(&there, &err), 0);
	assert_int_equal(service_check(&none, &err), 0);
	assert_int_equal(service_check(&gone, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.text, "the program '/no/such/program' that restarts the "
				      "service does not exist");
}

static void a_command_that_fails_is_quoted(void **state)
{
	const struct service service = { .kind = SERVICE_COMMAND,
					 .command = PROGRAM("echo no license; exit 4"),
					 .timeout_s = 5 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(service_apply(&service, NULL, &err), -1);
	assert_string_equal(
		err.text, "restart by command: '/bin/sh' exited with code 4: no license");
}

static void applying_waits_until_status_says_that_it_runs(void **state)
{
	char *dir = tempdir_new(), *command, *status, *up = path_join(dir, "up");
	struct service service = { .kind = SERVICE_COMMAND, .timeout_s = 10 };
	struct err err = { 0 };

	(void)state;
	command = str_printf("(sleep 1; : > %s) >/dev/null 2>&1 &", up);
	status = str_printf("test -e %s || exit 3", up);
	service.command = (struct program)PROGRAM(command);
	service.status = (struct program)PROGRAM(status);
	if (service_apply(&service, NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(inspect(&service), SERVICE_IS_RUNNING);
	free(command);
	free(status);
	free(up);
	tempdir_free(dir);
}

static void a_service_that_does_not_come_up_in_time_is_transient(void **state)
{
	const struct service service = { .kind = SERVICE_COMMAND,
					 .command = PROGRAM("true"),
					 .status = PROGRAM("echo booting; exit 3"),
					 .timeout_s = 1 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(service_start(&service, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_string_equal(err.text, "restart by command: '/bin/sh' says it is still "
				      "'stopped' after 1 s: booting");
}

static void nothing_is_done_once_cancelled(void **state)
{
	const struct service service = { .kind = SERVICE_COMMAND,
					 .command = PROGRAM("exit 1"),
					 .timeout_s = 5 };
	struct cancel *cancel = cancel_new();
	struct err err = { 0 };

	(void)state;
	cancel_request(cancel);
	assert_int_equal(service_apply(&service, cancel, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	cancel_free(cancel);
}

static void services_are_compared_by_what_they_are(void **state)
{
	const struct service unit = { .kind = SERVICE_SYSTEMD, .name = "nginx.service" };
	const struct service brief = { .kind = SERVICE_SYSTEMD,
				       .name = "nginx",
				       .action = SERVICE_RELOAD };
	const struct service other = { .kind = SERVICE_SYSTEMD, .name = "apache2" };
	const struct service a = { .kind = SERVICE_COMMAND, .command = PROGRAM("a") };
	const struct service also_a = { .kind = SERVICE_COMMAND,
					.command = PROGRAM("a") };
	const struct service b = { .kind = SERVICE_COMMAND, .command = PROGRAM("b") };
	const struct service none = { .kind = SERVICE_NONE };
	char *text;

	(void)state;
	assert_true(service_same(&unit, &brief));
	assert_false(service_same(&unit, &other));
	assert_true(service_same(&a, &also_a));
	assert_false(service_same(&a, &b));
	assert_false(service_same(&a, &unit));
	assert_false(service_same(&none, &none));
	assert_string_equal(text = service_describe(&unit), "nginx.service");
	free(text);
	assert_string_equal(text = service_describe(&a), "the command '/bin/sh'");
	free(text);
	assert_string_equal(text = service_describe(&none), "none");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_read_as_lsb_defines_it),
		cmocka_unit_test(a_program_that_is_not_there_is_named_beforehand),
		cmocka_unit_test(a_command_that_fails_is_quoted),
		cmocka_unit_test(applying_waits_until_status_says_that_it_runs),
		cmocka_unit_test(a_service_that_does_not_come_up_in_time_is_transient),
		cmocka_unit_test(nothing_is_done_once_cancelled),
		cmocka_unit_test(services_are_compared_by_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
