/* service_systemd.c - restarts units and finds out whether they live.
 *
 * A job is queued, its end is awaited (JobRemoved), then the unit is watched for a
 * second: a program of Type=simple counts as started before it has read its
 * configuration, and one that refuses its certificate is gone a moment later. */
#include "base/service_system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/posix/service_journal.h"
#include "base/str.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "org.freedesktop.systemd1.Unit"
#define SERVICE "org.freedesktop.systemd1.Service"
#define CALL_TIMEOUT_US (25 * 1000000ull)
#define SLICE_MS 100
#define WATCH_MS 1000

struct unit {
	sd_bus *bus;
	char *name; /* with its suffix */
	char *path; /* its object */
};

/* What systemd says about a unit at one moment. */
struct unit_facts {
	char load[32], active[32], sub[32], result[32], type[32];
	char invocation[SD_ID128_STRING_MAX]; /* "" without one */
	int main_code, main_status; /* of its last main process: si_code, status */
};

static void unit_release(struct unit *unit)
{
	sd_bus_flush_close_unref(unit->bus);
	free(unit->name);
	free(unit->path);
}

/* Says what D-Bus said. */
static int say_bus(struct err *err, int code, const sd_bus_error *said, const char *doing)
{
	enum err_kind kind = ERR_IO;
	const char *name = said && said->name ? said->name : "";

	if (code == -EACCES || code == -EPERM || str_ends(name, ".AccessDenied") ||
	    str_ends(name, ".InteractiveAuthorizationRequired"))
		kind = ERR_DENIED;
	else if (str_ends(name, ".NoSuchUnit"))
		kind = ERR_NOT_FOUND;
	return err_set(err, kind, "%s: %s", doing,
		       said && said->message ? said->message : strerrordesc_np(-code));
}

static bool has_suffix(const char *name)
{
	static const char *const suffixes[] = {
		".service", ".target", ".socket", ".path",
		".timer",   ".mount",  ".slice",  ".scope"
	};
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (str_ends(name, suffixes[i]))
			return true;
	return false;
}

/* Connects and finds the unit's object; loads its file if need be. */
static int unit_open(struct unit *unit, const char *name, struct err *err)
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *path;
	int code, rc = -1;

	*unit = (struct unit){ 0 };
	unit->name = has_suffix(name) ? str_dup(name) : str_printf("%s.service", name);
	code = sd_bus_open_system(&unit->bus);
	if (code < 0) {
		say_bus(err, code, NULL,
			"cannot reach systemd over D-Bus (is dbus installed and "
			"running?)");
		goto out;
	}
	(void)sd_bus_set_method_call_timeout(unit->bus, CALL_TIMEOUT_US);
	code = sd_bus_call_method(unit->bus, DESTINATION, MANAGER_PATH, MANAGER,
				  "LoadUnit", &said, &reply, "s", unit->name);
	if (code >= 0)
		code = sd_bus_message_read(reply, "o", &path);
	if (code < 0) {
		say_bus(err, code, &said, "ask systemd for the unit");
		goto out;
	}
	unit->path = str_dup(path);
	rc = 0;
out:
	sd_bus_message_unref(reply);
	sd_bus_error_free(&said);
	return rc;
}

/* A property as text; "" when the unit has none of that name. */
static int get_text(const struct unit *unit, const char *interface, const char *property,
		    char out[32])
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	char *text = NULL;
	int code = sd_bus_get_property_string(unit->bus, DESTINATION, unit->path,
					      interface, property, &said, &text);

	snprintf(out, 32, "%s", code < 0 ? "" : text);
	free(text);
	sd_bus_error_free(&said);
	return code;
}

static void get_int(const struct unit *unit, const char *property, int *ret)
{
	sd_bus_error said = SD_BUS_ERROR_NULL;

	*ret = 0;
	(void)sd_bus_get_property_trivial(unit->bus, DESTINATION, unit->path, SERVICE,
					  property, &said, 'i', ret);
	sd_bus_error_free(&said);
}

static void get_invocation(const struct unit *unit, char out[SD_ID128_STRING_MAX])
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const void *bytes;
	size_t len;

	*out = '\0';
	if (sd_bus_get_property(unit->bus, DESTINATION, unit->path, UNIT, "InvocationID",
				&said, &reply, "ay") >= 0 &&
	    sd_bus_message_read_array(reply, 'y', &bytes, &len) >= 0 && len == 16)
		hex_encode(bytes, len, false, out);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&said);
}

static int unit_look(const struct unit *unit, struct unit_facts *ret, struct err *err)
{
	int code = get_text(unit, UNIT, "ActiveState", ret->active);

	if (code < 0)
		return say_bus(err, code, NULL, "ask systemd for the unit's state");
	(void)get_text(unit, UNIT, "LoadState", ret->load);
	(void)get_text(unit, UNIT, "SubState", ret->sub);
	(void)get_text(unit, SERVICE, "Result", ret->result);
	(void)get_text(unit, SERVICE, "Type", ret->type);
	get_int(unit, "ExecMainCode", &ret->main_code);
	get_int(unit, "ExecMainStatus", &ret->main_status);
	get_invocation(unit, ret->invocation);
	return 0;
}

static enum service_state state_of(const struct unit_facts *facts)
{
	if (str_equal(facts->active, "active") || str_equal(facts->active, "reloading"))
		return SERVICE_IS_RUNNING;
	if (str_equal(facts->active, "activating"))
		return str_starts(facts->sub, "auto-restart") ? SERVICE_IS_FAILED
							      : SERVICE_IS_STARTING;
	if (str_equal(facts->active, "failed") || str_equal(facts->active, "maintenance"))
		return SERVICE_IS_FAILED;
	return str_equal(facts->load, "not-found") ? SERVICE_IS_MISSING
						   : SERVICE_IS_STOPPED;
}

int unit_inspect(const struct service *service, enum service_state *ret, struct err *err)
{
	struct unit_facts facts;
	struct unit unit;
	int rc = -1;

	if (unit_open(&unit, service->name, err) || unit_look(&unit, &facts, err)) {
		err_wrap(err, "inspect '%s'", service->name);
		goto out;
	}
	*ret = state_of(&facts);
	rc = 0;
out:
	unit_release(&unit);
	return rc;
}

/* ---- may we? ------------------------------------------------------------- */

/* polkit tells nobody but root what it would say about one unit. Forgetting that a unit
 * has failed wants the same authorization as a restart, and changes nothing about one
 * that has not. */
static int ask_for_nothing(const struct unit *unit, struct err *err)
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	int code = sd_bus_call_method(unit->bus, DESTINATION, MANAGER_PATH, MANAGER,
				      "ResetFailedUnit", &said, NULL, "s", unit->name);

	if (code < 0) {
		say_bus(err, code, &said, "systemd refuses");
		err_wrap(err,
			 "we are not allowed to restart '%s' (a polkit rule for "
			 "org.freedesktop.systemd1.manage-units may allow it)",
			 unit->name);
	}
	sd_bus_error_free(&said);
	return code < 0 ? -1 : 0;
}

int unit_check_rights(const struct service *service, enum unit_verb verb, struct err *err)
{
	struct unit_facts facts;
	struct unit unit;
	int rc = -1;

	(void)verb; /* one authorization for all */
	if (geteuid() == 0)
		return 0;
	if (unit_open(&unit, service->name, err) || unit_look(&unit, &facts, err))
		goto out;
	rc = state_of(&facts) == SERVICE_IS_FAILED ? 0 : ask_for_nothing(&unit, err);
out:
	unit_release(&unit);
	return rc;
}

/* ---- doing something ----------------------------------------------------- */

struct action {
	struct unit unit;
	const struct cancel *cancel;
	int64_t timeout_s, deadline_ms;
	uint64_t began_us; /* wall clock, as the journal counts */
	char *job;         /* the object of our job */
	bool job_done;
	char job_result[32];
};

static uint64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A job of anybody's has ended; they are delivered only while we wait, so ours is known.
 */
static int on_job_removed(sd_bus_message *message, void *ctx, sd_bus_error *said)
{
	struct action *action = ctx;
	const char *job, *name, *result;
	uint32_t id;

	(void)said;
	if (sd_bus_message_read(message, "uoss", &id, &job, &name, &result) < 0)
		return 0;
	if (!action->job || !str_equal(job, action->job))
		return 0;
	snprintf(action->job_result, sizeof(action->job_result), "%s", result);
	action->job_done = true;
	return 0;
}

/* "exit-code (status 1)", "signal (signal 9)", "start-limit-hit". */
static char *result_text(const struct unit_facts *facts)
{
	const char *result = *facts->result ? facts->result : facts->active;

	if (state_of(facts) == SERVICE_IS_RUNNING && *facts->invocation)
		return str_dup("it runs, but its reload failed");
	if (str_equal(result, "success"))
		result = "it ended by itself at once";
	if (facts->main_code == CLD_EXITED)
		return str_printf("%s (status %d)", result, facts->main_status);
	if (facts->main_code == CLD_KILLED || facts->main_code == CLD_DUMPED)
		return str_printf("%s (signal %d)", result, facts->main_status);
	return str_dup(result);
}

/* The unit does not run: with its result and its own last words. */
static int say_down(const struct action *action, const struct unit_facts *facts,
		    struct err *err)
{
	char *result = result_text(facts);
	char *words = journal_last_words(action->unit.name, facts->invocation,
					 action->began_us);

	err_set(err, ERR_IO, "%s%s%s", result, words ? ": " : "", words ? words : "");
	free(result);
	free(words);
	return -1;
}

/* The time is over; a unit that hangs has often said why. */
static int say_late(const struct action *action, struct err *err)
{
	struct unit_facts facts = { 0 };
	char *words;

	if (unit_look(&action->unit, &facts, err))
		return -1;
	words = journal_last_words(action->unit.name, facts.invocation, action->began_us);
	err_set(err, ERR_TRANSIENT, "is still '%s' after %lld s%s%s", facts.active,
		(long long)action->timeout_s, words ? ": " : "", words ? words : "");
	free(words);
	return -1;
}

/* Hands in the job; "replace": a job that hangs must not be in its way. */
static int queue_job(struct action *action, const char *method, struct err *err)
{
	const struct unit *unit = &action->unit;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *job;
	int code;

	code = sd_bus_match_signal(unit->bus, NULL, DESTINATION, MANAGER_PATH, MANAGER,
				   "JobRemoved", on_job_removed, action);
	if (code >= 0)
		code = sd_bus_call_method(unit->bus, DESTINATION, MANAGER_PATH, MANAGER,
					  "Subscribe", &said, NULL, "");
	if (code >= 0) {
		/* After a few failures systemd refuses to try: not on our behalf. */
		(void)sd_bus_call_method(unit->bus, DESTINATION, MANAGER_PATH, MANAGER,
					 "ResetFailedUnit", NULL, NULL, "s", unit->name);
		code = sd_bus_call_method(unit->bus, DESTINATION, MANAGER_PATH, MANAGER,
					  method, &said, &reply, "ss", unit->name,
					  "replace");
	}
	if (code >= 0)
		code = sd_bus_message_read(reply, "o", &job);
	if (code < 0)
		say_bus(err, code, &said, "systemd refuses");
	else
		action->job = str_dup(job);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&said);
	return code < 0 ? -1 : 0;
}

/* Until JobRemoved: for Type=notify that is when the service said it is ready. */
static int await_job(struct action *action, struct err *err)
{
	sd_bus *bus = action->unit.bus;
	int code;

	while (!action->job_done) {
		if (cancel_check(action->cancel, err))
			return -1;
		if (clock_mono_ms() >= action->deadline_ms)
			return say_late(action, err);
		code = sd_bus_process(bus, NULL);
		if (code == 0)
			code = sd_bus_wait(bus, SLICE_MS * 1000ull);
		if (code < 0 && code != -EINTR)
			return say_bus(err, code, NULL, "lost systemd while waiting");
	}
	return 0;
}

/* A oneshot that has done its work is as well as it can be. */
static bool is_well(const struct unit_facts *facts)
{
	return state_of(facts) == SERVICE_IS_RUNNING ||
	       (str_equal(facts->type, "oneshot") &&
		str_equal(facts->active, "inactive") &&
		str_equal(facts->result, "success"));
}

/* The job is done: does the unit come up, and does it stay? */
static int watch_unit(const struct action *action, struct err *err)
{
	char invocation[SD_ID128_STRING_MAX] = "";
	int64_t up_ms = 0, now;
	struct unit_facts facts;

	for (;;) {
		if (unit_look(&action->unit, &facts, err))
			return -1;
		now = clock_mono_ms();
		if (state_of(&facts) == SERVICE_IS_STARTING && up_ms == 0) {
			if (now >= action->deadline_ms)
				return say_late(action, err);
		} else if (!is_well(&facts) ||
			   (up_ms != 0 && !str_equal(invocation, facts.invocation))) {
			return say_down(action, &facts, err); /* it may be up again */
		} else if (up_ms == 0) {
			up_ms = now;
			memcpy(invocation, facts.invocation, sizeof(invocation));
		} else if (now - up_ms >= WATCH_MS) {
			return 0;
		}
		if (clock_sleep_ms(SLICE_MS, action->cancel))
			return cancel_check(action->cancel, err);
	}
}

static int perform(struct action *action, const char *name, const char *method,
		   struct err *err)
{
	struct unit_facts facts = { 0 };

	if (unit_open(&action->unit, name, err) || unit_look(&action->unit, &facts, err))
		return -1;
	if (state_of(&facts) == SERVICE_IS_MISSING)
		return err_set(err, ERR_NOT_FOUND, "there is no such unit");
	if (str_equal(facts.load, "masked"))
		return err_set(err, ERR_CONFIG, "the unit is masked (systemctl unmask)");
	if (queue_job(action, method, err) || await_job(action, err))
		return -1;
	if (str_equal(action->job_result, "done"))
		return watch_unit(action, err);
	if (unit_look(&action->unit, &facts, err))
		return -1;
	if (str_equal(action->job_result, "failed") ||
	    str_equal(action->job_result, "timeout"))
		return say_down(action, &facts, err);
	return err_set(err, ERR_TRANSIENT, "systemd's job ended as '%s'",
		       action->job_result);
}

int unit_act(const struct service *service, enum unit_verb verb, int64_t timeout_s,
	     const struct cancel *cancel, struct err *err)
{
	struct action action = { .cancel = cancel, .timeout_s = timeout_s };
	const char *word = verb == UNIT_RELOAD ? "reload" : "restart";
	int rc;

	action.began_us = wall_us();
	action.deadline_ms = clock_mono_ms() + timeout_s * 1000;
	rc = perform(&action, service->name,
		     verb == UNIT_RELOAD ? "ReloadUnit" : "RestartUnit", err);
	if (rc)
		err_wrap(err, "%s '%s'", word, service->name);
	unit_release(&action.unit);
	free(action.job);
	return rc;
}
