#include "tests/sim/daemon.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/random.h"
#include "daemon/agenda.h"
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
	struct agenda agenda;
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

static struct agenda_clock clock_now(void)
{
	return (struct agenda_clock){ clock_wall(), clock_mono_ms() };
}

static void pass(struct slot *slot)
{
	const struct certificate_config *certificate = slot->certificate;
	char run[RUN_ID + 1];
	struct pipeline_outcome outcome;
	struct pipeline_input input;
	struct clock_trust trust = life.engine.trust;
	struct request *request = agenda_begin(&life.agenda, slot, clock_now(), &input);

	input.config = life.config;
	input.generation = life.engine.generation;
	input.trust = &trust;
	input.responders = &life.engine.responders;
	input.sessions = life.sessions;
	input.cancel = life.engine.cancel;
	input.run = run;
	input.note = on_note;
	input.tell = engine_hear;
	input.tell_ctx = &life.engine;
	random_hex(run, RUN_ID);
	trace("pass %s", certificate->name);
	pipeline_run(&input, &outcome);
	engine_take(&life.engine, &outcome);
	agenda_ended(&life.agenda, certificate, &outcome, true, clock_now());
	trace("  = %d %s; next in %lld s: %s", outcome.exit_code, outcome.text,
	      (long long)(outcome.next_at - clock_wall()), outcome.next_why);
	pipeline_outcome_clear(&outcome);
	free(request);
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
	int64_t next_at;

	agenda_delivering(&life.agenda);
	next_at = alerts_deliver(life.engine.alerts, life.config, life.engine.cancel,
				 saw_date, not_delivered, NULL);
	agenda_delivered(&life.agenda, next_at, clock_now());
}

/* ---- its life ------------------------------------------------------------------ */

static int start(void)
{
	struct config_report report = { 0 };
	struct err err;

	memset(&life.agenda, 0, sizeof(life.agenda));
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
	agenda_tell(&life.agenda);
	(void)agenda_use(&life.agenda, life.config);
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

int64_t daemon_next_ms(void)
{
	struct agenda_look look = agenda_look();
	struct slot *slot;

	if (!life.up)
		return INT64_MAX;
	if (agenda_next(&life.agenda, clock_now(), &look, &slot))
		return world->true_ms;
	return look.wait_ms == CLOCK_NEVER ? INT64_MAX : world->true_ms + look.wait_ms;
}

static void do_what_is_due(void)
{
	struct agenda_look look = agenda_look();
	enum agenda_step step;
	struct slot *slot;

	while ((step = agenda_next(&life.agenda, clock_now(), &look, &slot))) {
		if (step == AGENDA_PASS)
			pass(slot);
		else
			deliver();
	}
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
	struct request *request;

	if (!life.up)
		return;
	request = mem_calloc(1, sizeof(*request));
	request->command = command;
	request->force = force;
	agenda_ask(agenda_slot(&life.agenda, certificate), request);
	daemon_step();
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
		(void)agenda_use(&life.agenda, fresh);
	}
	world->alive = false;
}
