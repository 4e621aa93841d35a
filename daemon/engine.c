#include "daemon/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/account_gate.h"
#include "daemon/accounts.h"
#include "daemon/event_log.h"
#include "daemon/instance.h"
#include "daemon/log.h"
#include "daemon/system.h"
#include "hooks/http01.h"
#include "hooks/tls_alpn01.h"

static const enum log_level log_levels[] = {
	[SEVERITY_NOTICE] = LOG_LEVEL_INFO,
	[SEVERITY_WARNING] = LOG_LEVEL_WARNING,
	[SEVERITY_CRITICAL] = LOG_LEVEL_ERROR,
};

/* Only a lock that is held is somebody's; a disk may be full or read-only. */
static void say_why_not_ours(const char *dir, struct err *err)
{
	if (err->kind == ERR_TRANSIENT)
		err_wrap(err, "state directory '%s' belongs to another certrenewd", dir);
	else
		err_wrap(err,
			 "state directory '%s' cannot be locked: see that this account "
			 "may write there, that it is not mounted read-only and that the "
			 "disk has room",
			 dir);
}

static int open_state_dir(struct engine *engine, struct err *err)
{
	const char *dir = engine->config->state_dir;
	char *lock = path_join(dir, "lock");
	int rc = -1;

	if (dir_make(dir, FILE_SECRET, err)) {
		err_wrap(err, "state directory");
		goto out;
	}
	if (system_check_state_dir(dir, err))
		goto out;
	if (file_lock_take(lock, &engine->lock, err)) {
		say_why_not_ours(dir, err);
		goto out;
	}
	rc = 0;
out:
	free(lock);
	return rc;
}

static int prepare_accounts(struct engine *engine, const struct config *config,
			    struct err *err)
{
	struct strlist notes = { 0 };
	int rc = accounts_prepare(config, &notes, err);

	engine_tell_damage(engine, &notes);
	strlist_clear(&notes);
	return rc;
}

/* Before workers ask for it side by side; if it cannot be made now, they say so. */
static void make_instance(struct engine *engine)
{
	struct instance instance;
	struct err err;

	if (!instance_read(engine->config->state_dir, &instance, &err) &&
	    err.kind != ERR_NONE)
		engine_tell(engine, EVENT_STATE_DAMAGED, err.text, NULL);
}

int engine_open(struct engine *engine, const struct config *config, struct err *err)
{
	memset(engine, 0, sizeof(*engine));
	memset(err, 0, sizeof(*err));
	engine->config = config;
	engine->generation = 1;
	engine->cancel = cancel_new();
	engine->gate = account_gate_new();
	engine->responders.http01 = http01_new();
	engine->responders.tls_alpn01 = tls_alpn01_new();
	engine->events = event_log_open();
	if (open_state_dir(engine, err) ||
	    alerts_open(config->state_dir, &engine->alerts, err))
		goto failed;
	if (err->kind != ERR_NONE)
		engine_tell(engine, EVENT_STATE_DAMAGED, err->text, NULL);
	if (clock_trust_read(config->state_dir, &engine->trust, err))
		goto failed;
	if (err->kind != ERR_NONE)
		engine_tell(engine, EVENT_STATE_DAMAGED, err->text, NULL);
	make_instance(engine);
	if (prepare_accounts(engine, config, err))
		goto failed;
	return 0;
failed:
	engine_close(engine);
	return -1;
}

void engine_close(struct engine *engine)
{
	event_log_close(engine->events);
	http01_free(engine->responders.http01);
	tls_alpn01_free(engine->responders.tls_alpn01);
	alerts_close(engine->alerts);
	file_lock_release(engine->lock);
	cancel_free(engine->cancel);
	account_gate_free(engine->gate);
	memset(engine, 0, sizeof(*engine));
}

int engine_use(struct engine *engine, const struct config *config, struct err *err)
{
	if (prepare_accounts(engine, config, err))
		return -1;
	engine->config = config;
	engine->generation++;
	return 0;
}

static void report(struct engine *engine, const struct event *event, const char *text)
{
	char *whole = str_printf("%s%s%s", event->certificate ? event->certificate : "",
				 event->certificate ? ": " : "", text);

	event_log_report(engine->events, event->kind, event->severity, whole);
	free(whole);
}

void engine_hear(void *ctx, const struct config *config, const struct event *event)
{
	struct engine *engine = ctx;
	enum alert_verdict verdict = ALERT_NOTHING;
	char *text;
	struct err err;

	if (alerts_take(engine->alerts, config, event, &verdict, &err))
		log_line(LOG_LEVEL_ERROR, event->certificate, event->run,
			 "keep an alert: %s", err.text);
	if (verdict == ALERT_NOTHING)
		return; /* nothing was wrong, or it was told before */
	text = str_printf("%s: %s%s%s%s%s", event_name(event->kind),
			  event->target ? event->target : "", event->target ? ": " : "",
			  event->what, event->todo ? "; to do: " : "",
			  event->todo ? event->todo : "");
	log_line(log_levels[event->severity], event->certificate, event->run, "%s", text);
	report(engine, event, text);
	free(text);
}

void engine_tell(struct engine *engine, enum event_kind kind, const char *what,
		 const char *todo)
{
	struct event event = {
		.kind = kind,
		.severity = event_severity(kind),
		.what = what,
		.todo = todo,
		.attempts_left = -1,
		.at = clock_wall(),
	};

	engine_hear(engine, engine->config, &event);
}

void engine_tell_damage(struct engine *engine, const struct strlist *damaged)
{
	for (size_t i = 0; i < damaged->n; i++)
		engine_tell(engine, EVENT_STATE_DAMAGED, damaged->items[i], NULL);
}

void engine_saw_date(struct engine *engine, int64_t date, int64_t mono_ms)
{
	struct clock_reading now = clock_reading_now();
	struct err err;

	clock_trust_observe(&engine->trust, date, mono_ms, &now);
	if (clock_trust_write(engine->config->state_dir, &engine->trust, &err))
		log_line(LOG_LEVEL_ERROR, NULL, NULL, "%s", err.text);
}

void engine_take(struct engine *engine, const struct pipeline_outcome *outcome)
{
	if (outcome->saw_date)
		engine_saw_date(engine, outcome->date, outcome->date_mono_ms);
	for (size_t i = outcome->n_told; i < outcome->events.n; i++)
		engine_hear(engine, engine->config, &outcome->events.items[i]);
}
