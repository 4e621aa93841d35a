#include "tests/sim/daemon.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/random.h"
#include "daemon/due.h"
#include "daemon/engine.h"
#include "daemon/log.h"
#include "daemon/sessions.h"
#include "tests/sim/judge.h"
#include "tests/sim/world.h"

#define CONFIG "/etc/certrenewd/certrenewd.yaml"
#define RUN_ID 8

struct life {
	bool up;
	int64_t starts_at; /* while it is dead */
	const struct config *config;
	struct engine engine;
	struct sessions *sessions;
	struct due next[APPS_MAX]; /* of each certificate */
	bool not_saved[APPS_MAX];
	struct due deliver;
	unsigned deaths;
};

static struct life life;

bool daemon_is_up(void)
{
	return life.up;
}

int64_t daemon_starts_at(void)
{
	return life.starts_at;
}

unsigned daemon_deaths(void)
{
	return life.deaths;
}

void daemon_kill(int64_t until)
{
	life.up = false;
	life.starts_at = until;
	world->lock_held = false;
	world->alive = false;
	world->dies_after = 0;
	receiver_daemon_is_dead();
}

static void died(void)
{
	life.deaths++;
	judge_death();
	daemon_kill(true_now() + dice_between(&world->events, 1, 2 * HOUR));
}

/* ---- what it says ----------------------------------------------------------- */

void log_line(enum log_level level, const char *cert, const char *run, const char *fmt,
	      ...)
{
	char text[4096];
	va_list ap;

	(void)level;
	(void)run;
	if (!world->trace)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	trace("  log %s%s%s", cert ? cert : "", cert ? ": " : "", text);
}

static void on_note(void *ctx, const struct deploy_note *note)
{
	(void)ctx;
	trace("  %s%s%s: %s", note->step, note->target ? " " : "",
	      note->target ? note->target : "", note->text);
}

/* ---- a pass ------------------------------------------------------------------ */

static void pass(size_t i, enum pipeline_command command, bool force)
{
	const struct certificate_config *certificate = &life.config->certificates[i];
	char run[RUN_ID + 1];
	struct pipeline_outcome outcome;
	struct clock_trust trust = life.engine.trust;
	const struct pipeline_input input = {
		.config = life.config,
		.generation = life.engine.generation,
		.certificate = certificate,
		.command = command,
		.force = force,
		.not_saved = life.not_saved[i],
		.trust = &trust,
		.responders = &life.engine.responders,
		.sessions = life.sessions,
		.cancel = life.engine.cancel,
		.run = run,
		.note = on_note,
	};

	random_hex(run, RUN_ID);
	trace("pass %s", certificate->name);
	pipeline_run(&input, &outcome);
	engine_take(&life.engine, &outcome);
	life.next[i] = due_at(outcome.next_at, clock_wall(), clock_mono_ms());
	life.not_saved[i] = outcome.not_saved;
	life.deliver = (struct due){ 0 };
	trace("  = %d %s; next in %lld s: %s", outcome.exit_code, outcome.text,
	      (long long)(outcome.next_at - clock_wall()), outcome.next_why);
	pipeline_outcome_clear(&outcome);
}

static void saw_date(void *ctx, int64_t date, int64_t mono_ms)
{
	(void)ctx;
	engine_saw_date(&life.engine, date, mono_ms);
}

static void not_delivered(void *ctx, const char *sentence)
{
	(void)ctx;
	trace("  %s", sentence);
}

static void deliver(void)
{
	int64_t next_at = alerts_deliver(life.engine.alerts, life.config,
					 life.engine.cancel, saw_date, not_delivered,
					 NULL);

	life.deliver = due_at(next_at, clock_wall(), clock_mono_ms());
}

/* ---- its life ------------------------------------------------------------------ */

static int start(void)
{
	struct config_report report = { 0 };
	struct err err;

	memset(life.next, 0, sizeof(life.next));
	memset(life.not_saved, 0, sizeof(life.not_saved));
	if (config_load(CONFIG, true, &life.config, &report)) {
		broken("harness", "%s", report.errors.items[0]);
		return -1;
	}
	config_report_clear(&report);
	if (engine_open(&life.engine, life.config, &err)) {
		trace("it does not start: %s", err.text);
		return -1;
	}
	life.sessions = sessions_new(life.engine.cancel, life.engine.gate);
	engine_tell(&life.engine, EVENT_RECOVERED, "the configuration is good", NULL);
	life.deliver = (struct due){ 0 };
	return 0;
}

void daemon_start(void)
{
	world->alive = true;
	trace("the daemon starts");
	if (world->booted_ms > world->true_ms) /* somebody was faster than planned */
		world->booted_ms = world->true_ms;
	if (setjmp(world->death)) {
		died();
		return;
	}
	life.up = !start();
	world->alive = false;
	if (!life.up)
		daemon_kill(true_now() + MINUTE);
}

static int64_t when(const struct due *due)
{
	int64_t in_ms = due_in_ms(due, clock_wall(), clock_mono_ms());

	return in_ms == CLOCK_NEVER ? INT64_MAX : world->true_ms + in_ms;
}

static bool is_due(const struct due *due)
{
	return due_is(due, clock_wall(), clock_mono_ms());
}

int64_t daemon_next_ms(void)
{
	int64_t next = INT64_MAX;

	if (!life.up)
		return next;
	for (size_t i = 0; i < life.config->n_certificates; i++)
		if (when(&life.next[i]) < next)
			next = when(&life.next[i]);
	if (when(&life.deliver) < next)
		next = when(&life.deliver);
	return next;
}

static void do_what_is_due(void)
{
	for (size_t i = 0; i < life.config->n_certificates; i++)
		if (is_due(&life.next[i]))
			pass(i, PIPELINE_KEEP, false);
	if (is_due(&life.deliver))
		deliver();
}

void daemon_step(void)
{
	world->alive = true;
	if (setjmp(world->death)) {
		died();
		return;
	}
	do_what_is_due();
	world->alive = false;
}

void daemon_command(const char *certificate, enum pipeline_command command, bool force)
{
	if (!life.up)
		return;
	world->alive = true;
	if (setjmp(world->death)) {
		died();
		return;
	}
	for (size_t i = 0; i < life.config->n_certificates; i++)
		if (!strcmp(life.config->certificates[i].name, certificate))
			pass(i, command, force);
	world->alive = false;
}

void daemon_reload(void)
{
	const struct config *fresh;
	struct config_report report = { 0 };
	struct err err;

	if (!life.up)
		return;
	world->alive = true;
	if (setjmp(world->death)) {
		died();
		return;
	}
	if (config_load(CONFIG, true, &fresh, &report)) {
		broken("harness", "%s", report.errors.items[0]);
	} else if (engine_use(&life.engine, fresh, &err)) {
		trace("reload: %s", err.text);
	} else {
		life.config = fresh;
		memset(life.next, 0, sizeof(life.next));
	}
	world->alive = false;
}
