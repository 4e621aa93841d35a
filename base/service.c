/* service.c - which service is meant: a unit of the system, or a program of the
 * operator's.
 *
 * A command restarts its service in a way only the operator knows; `status`, if there is
 * one, is then asked until it says that the service runs. */
#include "base/service.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/process.h"
#include "base/service_system.h"
#include "base/str.h"

#define POLL_MS 250
#define STATUS_TIMEOUT_S 30
#define DEFAULT_TIMEOUT_S 60
#define LSB_NOT_RUNNING 3

const char *service_state_name(enum service_state state)
{
	static const char *const names[] = {
		[SERVICE_IS_UNKNOWN] = "unknown",   [SERVICE_IS_MISSING] = "missing",
		[SERVICE_IS_STOPPED] = "stopped",   [SERVICE_IS_FAILED] = "failed",
		[SERVICE_IS_STARTING] = "starting", [SERVICE_IS_RUNNING] = "running",
	};

	return names[state];
}

static int64_t timeout_of(const struct service *service)
{
	return service->timeout_s > 0 ? service->timeout_s : DEFAULT_TIMEOUT_S;
}

/* Asks `status:`, *ret_result tells its words. */
static int command_inspect(const struct service *service, const struct cancel *cancel,
			   enum service_state *ret, struct process_result *ret_result,
			   struct err *err)
{
	const struct program *status = &service->status;
	struct process_spec spec = { .argv = status->argv, .cancel = cancel };

	*ret_result = (struct process_result){ 0 };
	if (!status->argv) {
		*ret = SERVICE_IS_UNKNOWN;
		return 0;
	}
	spec.timeout_s = status->timeout_s > 0 ? status->timeout_s : STATUS_TIMEOUT_S;
	if (process_run(&spec, ret_result, err))
		return -1;
	if (ret_result->timed_out)
		return err_set(err, ERR_TRANSIENT, "'%s' did not end within %lld s",
			       status->argv[0], (long long)spec.timeout_s);
	if (ret_result->exit_code == 0)
		*ret = SERVICE_IS_RUNNING;
	else if (ret_result->exit_code == LSB_NOT_RUNNING)
		*ret = SERVICE_IS_STOPPED;
	else
		*ret = SERVICE_IS_FAILED;
	return 0;
}

/* Until `status:` says that it runs; at once where nobody can say. */
static int command_wait(const struct service *service, int64_t deadline_ms,
			const struct cancel *cancel, struct err *err)
{
	struct process_result said;
	enum service_state state = SERVICE_IS_UNKNOWN;

	for (;;) {
		if (command_inspect(service, cancel, &state, &said, err))
			return -1;
		if (state == SERVICE_IS_RUNNING || state == SERVICE_IS_UNKNOWN)
			return 0;
		if (clock_mono_ms() >= deadline_ms)
			return err_set(err, ERR_TRANSIENT,
				       "'%s' says it is still '%s' after %lld s%s%s",
				       service->status.argv[0], service_state_name(state),
				       (long long)timeout_of(service),
				       *said.tail ? ": " : "", said.tail);
		if (clock_sleep_ms(POLL_MS, cancel))
			return cancel_check(cancel, err);
	}
}

static int command_act(const struct service *service, const struct cancel *cancel,
		       struct err *err)
{
	const struct program *command = &service->command;
	int64_t deadline_ms = clock_mono_ms() + timeout_of(service) * 1000;
	struct process_spec spec = { .argv = command->argv, .cancel = cancel };

	spec.timeout_s = command->timeout_s > 0 ? command->timeout_s
						: timeout_of(service);
	if (process_run_ok(&spec, err) || command_wait(service, deadline_ms, cancel, err))
		return err_wrap(err, "restart by command");
	return 0;
}

int service_inspect(const struct service *service, enum service_state *ret,
		    struct err *err)
{
	struct process_result said;

	switch (service->kind) {
	case SERVICE_NONE:
		*ret = SERVICE_IS_UNKNOWN;
		return 0;
	case SERVICE_COMMAND:
		return command_inspect(service, NULL, ret, &said, err);
	default:
		return unit_inspect(service, ret, err);
	}
}

static int act(const struct service *service, enum unit_verb verb,
	       const struct cancel *cancel, struct err *err)
{
	if (cancel_check(cancel, err))
		return -1;
	switch (service->kind) {
	case SERVICE_NONE:
		return 0;
	case SERVICE_COMMAND:
		return command_act(service, cancel, err);
	default:
		return unit_act(service, verb, timeout_of(service), cancel, err);
	}
}

static enum unit_verb verb_of(const struct service *service)
{
	return service->action == SERVICE_RELOAD ? UNIT_RELOAD : UNIT_RESTART;
}

int service_apply(const struct service *service, const struct cancel *cancel,
		  struct err *err)
{
	return act(service, verb_of(service), cancel, err);
}

int service_start(const struct service *service, const struct cancel *cancel,
		  struct err *err)
{
	return act(service, UNIT_RESTART, cancel, err);
}

static int check_command(const struct service *service, struct err *err)
{
	const char *path = service->command.argv[0];
	struct file_facts facts;

	if (file_inspect(path, &facts, err))
		return -1;
	return facts.type == FILE_REGULAR || facts.type == FILE_LINK
		       ? 0
		       : err_set(err, ERR_NOT_FOUND,
				 "the program '%s' that restarts the service does not "
				 "exist",
				 path);
}

int service_check(const struct service *service, struct err *err)
{
	enum service_state state;
	char *name;

	if (service->kind == SERVICE_NONE)
		return 0;
	if (service->kind == SERVICE_COMMAND)
		return check_command(service, err);
	if (unit_inspect(service, &state, err))
		return -1;
	if (state != SERVICE_IS_MISSING)
		return unit_check_rights(service, verb_of(service), err);
	name = service_describe(service);
	err_set(err, ERR_NOT_FOUND, "the service '%s' does not exist", name);
	free(name);
	return -1;
}

char *service_describe(const struct service *service)
{
	if (service->kind == SERVICE_WINDOWS && !service->name)
		return str_printf("the service below '%s'", service->below);
	switch (service->kind) {
	case SERVICE_NONE:
		return str_dup("none");
	case SERVICE_COMMAND:
		return str_printf("the command '%s'", service->command.argv[0]);
	default:
		return str_dup(service->name);
	}
}

static bool same_arguments(const char *const *a, const char *const *b)
{
	for (; *a && str_equal(*a, *b); a++)
		b++;
	return !*a && !*b;
}

/* "nginx" and "nginx.service" are one unit. */
static bool same_unit(const char *a, const char *b)
{
	char *a_whole = str_printf("%s.service", a),
	     *b_whole = str_printf("%s.service", b);
	bool same = str_equal(a, b) || str_equal(a_whole, b) || str_equal(a, b_whole);

	free(a_whole);
	free(b_whole);
	return same;
}

bool service_same(const struct service *a, const struct service *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case SERVICE_NONE:
		return false; /* nothing to share */
	case SERVICE_COMMAND:
		return same_arguments(a->command.argv, b->command.argv);
	case SERVICE_WINDOWS:
		return str_equal_nocase(a->name ? a->name : a->below,
					b->name ? b->name : b->below);
	default:
		return same_unit(a->name, b->name);
	}
}
