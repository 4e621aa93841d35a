#include "daemon/loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/system.h"

/* A webhook that hangs, or an account that waits for an order to end, holds up no report.
 */
#define SIDE_WORKERS 3
#define TICK_MAX_MS 60000
#define TICK_MIN_MS 5
#define FOLDERS_AGAIN_MS 60000
#define WATCHDOG_BEAT_MS 120000 /* the unit's WatchdogSec is 5 minutes */

struct delivery { /* alerts going out, with a worker */
	struct pool_job job;
	struct loop *loop;
	struct config_ref *config; /* held */
	int64_t next_at;
	bool saw_date;
	int64_t date, date_mono_ms;
	struct strlist failures;
};

/* ---- passes -------------------------------------------------------------- */

static struct agenda_clock clock_now(void)
{
	return (struct agenda_clock){ clock_wall(), clock_mono_ms() };
}

const struct pass_job *loop_running(const struct loop *loop, const char *certificate)
{
	for (const struct pass_job *job = loop->running; job; job = job->next)
		if (!strcmp(job->certificate->name, certificate))
			return job;
	return NULL;
}

void loop_answer(struct request *request, int code, const char *text)
{
	if (request && request->client)
		control_finish(request->client, code, text, NULL);
}

void loop_refuse(struct request *list)
{
	while (list) {
		struct request *next = list->next;

		loop_answer(list, EXIT_CODE_FAILED,
			    "the configuration no longer has this certificate, or the "
			    "daemon is stopping");
		request_free(list);
		list = next;
	}
}

/* A look that found nothing to do is not worth a line. */
static void log_conclusion(const struct loop *loop, const struct pass_job *job)
{
	enum exit_code code = job->outcome.exit_code;
	bool well = code == EXIT_CODE_DONE || code == EXIT_CODE_NOTHING || loop->stopping;

	if (code != EXIT_CODE_NOTHING || job->request)
		log_line(well ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, job->certificate->name,
			 job->run, "%s", job->outcome.text);
}

/* The last line, with what was found. */
static void answer_pass(struct pass_job *job)
{
	struct pipeline_outcome *outcome = &job->outcome;
	cJSON *line = NULL;

	if (!job->request || !job->request->client)
		return;
	if (outcome->findings) {
		line = cJSON_CreateObject();
		cJSON_AddItemToObject(line, "findings", outcome->findings);
		outcome->findings = NULL;
	}
	control_finish(job->request->client, outcome->exit_code, outcome->text, line);
}

static void on_pass_finished(void *owner, struct pass_job *job)
{
	struct loop *loop = owner;
	struct pass_job **at = &loop->running;
	const char *name = job->certificate->name;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (job->worked) {
		engine_take(&loop->engine, &job->outcome);
		log_conclusion(loop, job);
		answer_pass(job);
	} else {
		loop_answer(job->request, EXIT_CODE_FAILED, "the daemon is stopping");
	}
	agenda_ended(&loop->agenda, job->certificate, job->worked ? &job->outcome : NULL,
		     job->config == loop->config, clock_now());
	if (job->worked && !loop->stopping && agenda_slot(&loop->agenda, name))
		notice_follow(loop->notice, name, &job->folders);
	pulse_learned(loop, &job->seen);
	pass_job_free(job);
	system_trim_memory();
	loop_kick(loop);
}

static void start_pass(struct loop *loop, struct slot *slot)
{
	struct pipeline_input asked;
	struct request *request = agenda_begin(&loop->agenda, slot, clock_now(), &asked);
	struct pass_job *job;

	asked.responders = &loop->engine.responders;
	asked.cancel = loop->engine.cancel;
	asked.tell = engine_hear;
	asked.tell_ctx = &loop->engine;
	job = pass_job_new(loop->pool, loop->config, &asked, request);
	job->trust = loop->engine.trust;
	job->owner = loop;
	job->finished = on_pass_finished;
	job->next = loop->running;
	loop->running = job;
	pool_submit(loop->pool, &job->job);
	pulse_changed(loop);
}

/* Somebody is at its files: looked at when he is likely to be done. */
static void on_changed(void *ctx, const char *certificate)
{
	struct loop *loop = ctx;
	struct slot *slot = agenda_slot(&loop->agenda, certificate);

	if (slot && !loop->stopping && agenda_changed(slot, clock_mono_ms()))
		loop_kick(loop);
}

static void look_for_folders(struct loop *loop)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms < loop->notice_at_ms)
		return;
	loop->notice_at_ms = now_ms + FOLDERS_AGAIN_MS;
	notice_retry(loop->notice);
}

/* ---- alerts going out ---------------------------------------------------- */

static void on_webhook_date(void *ctx, int64_t date, int64_t mono_ms)
{
	struct delivery *delivery = ctx;

	delivery->saw_date = true;
	delivery->date = date;
	delivery->date_mono_ms = mono_ms;
}

static void on_delivery_failed(void *ctx, const char *sentence)
{
	struct delivery *delivery = ctx;

	strlist_add(&delivery->failures, sentence);
}

static void deliver(struct worker *worker, struct pool_job *job)
{
	struct delivery *delivery = (struct delivery *)job;
	struct loop *loop = delivery->loop;

	(void)worker;
	delivery->next_at = alerts_deliver(loop->engine.alerts, delivery->config->config,
					   loop->engine.cancel, on_webhook_date,
					   on_delivery_failed, delivery);
}

static void on_delivered(struct pool_job *job)
{
	struct delivery *delivery = (struct delivery *)job;
	struct loop *loop = delivery->loop;

	for (size_t i = 0; i < delivery->failures.n; i++)
		log_line(LOG_LEVEL_WARNING, NULL, NULL, "%s",
			 delivery->failures.items[i]);
	if (delivery->saw_date)
		engine_saw_date(&loop->engine, delivery->date, delivery->date_mono_ms);
	agenda_delivered(&loop->agenda, delivery->next_at, clock_now());
	strlist_clear(&delivery->failures);
	config_ref_release(delivery->config);
	free(delivery);
	loop_kick(loop);
}

static void start_delivery(struct loop *loop)
{
	struct delivery *delivery = mem_calloc(1, sizeof(*delivery));

	delivery->job.work = deliver;
	delivery->job.done = on_delivered;
	delivery->loop = loop;
	delivery->config = loop->config;
	delivery->config->holds++;
	delivery->next_at = CLOCK_NEVER;
	agenda_delivering(&loop->agenda);
	pool_submit(loop->side, &delivery->job);
}

/* ---- the heartbeat ------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
	loop_kick(timer->data);
}

static void beat(struct loop *loop)
{
	int64_t now_ms = clock_mono_ms();
	size_t running = 0;
	char *status;

	if (now_ms < loop->beat_at_ms)
		return;
	loop->beat_at_ms = now_ms + WATCHDOG_BEAT_MS;
	for (const struct pass_job *job = loop->running; job; job = job->next)
		running++;
	status = str_printf("%zu certificates, %zu at work", loop->agenda.n_slots,
			    running);
	host_alive(loop->host, status);
	free(status);
}

void loop_kick(struct loop *loop)
{
	struct agenda_look look = agenda_look();
	enum agenda_step step;
	struct slot *slot;
	int64_t wait_ms, beat_ms;

	if (loop->stopping)
		return;
	look_for_folders(loop);
	while ((step = agenda_next(&loop->agenda, clock_now(), &look, &slot))) {
		if (step == AGENDA_PASS)
			start_pass(loop, slot);
		else
			start_delivery(loop);
	}
	wait_ms = look.wait_ms < TICK_MAX_MS ? look.wait_ms : TICK_MAX_MS;
	beat(loop);
	beat_ms = pulse_beat(loop);
	if (beat_ms < wait_ms)
		wait_ms = beat_ms;
	if (wait_ms < TICK_MIN_MS)
		wait_ms = TICK_MIN_MS;
	(void)uv_timer_start(&loop->tick, on_tick, (uint64_t)wait_ms, 0);
}

/* ---- beginning and end --------------------------------------------------- */

static void on_reload(void *ctx)
{
	struct loop *loop = ctx;
	struct err err;

	host_reloading(loop->host);
	if (loop_reload(loop, &err) && err.kind != ERR_CONFIG)
		log_line(LOG_LEVEL_ERROR, NULL, NULL, "reload: %s", err.text);
	host_ready(loop->host, NULL);
	loop_kick(loop);
}

static void on_stop(void *ctx)
{
	struct loop *loop = ctx;

	if (loop->stopping)
		return;
	loop->stopping = true;
	host_stopping(loop->host);
	log_line(LOG_LEVEL_INFO, NULL, NULL, "stopping");
	cancel_request(loop->engine.cancel);
	uv_stop(&loop->uv);
}

static int set_up(struct loop *loop, struct err *err)
{
	const struct config *config = loop->config->config;
	const struct host_calls calls = { on_stop, on_reload, loop };
	char *path;
	int rc;

	if (engine_open(&loop->engine, config, err))
		return -1;
	(void)uv_timer_init(&loop->uv, &loop->tick);
	loop->tick.data = loop;
	loop->notice = notice_new(&loop->uv, on_changed, loop);
	host_watch(loop->host, &loop->uv, &calls);
	if (pool_new(&loop->uv, (unsigned)config->concurrency, loop->engine.cancel,
		     loop->engine.gate, &loop->pool, err) ||
	    pool_new(&loop->uv, SIDE_WORKERS, loop->engine.cancel, loop->engine.gate,
		     &loop->side, err))
		return -1;
	path = control_path(config->state_dir);
	rc = control_new(&loop->uv, path, loop_on_request, loop, &loop->control, err);
	free(path);
	return rc;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Workers stop at the next journal boundary or request; their outcomes are still taken.
 */
static void tear_down(struct loop *loop)
{
	loop->stopping = true;
	if (loop->engine.cancel)
		cancel_request(loop->engine.cancel);
	if (loop->pool)
		pool_stop(loop->pool);
	if (loop->side)
		pool_stop(loop->side);
	pulse_stop(loop);
	loop_refuse(agenda_drop(&loop->agenda));
	if (loop->control)
		(void)uv_run(&loop->uv, UV_RUN_NOWAIT); /* last words to clients */
	if (loop->control)
		control_close(loop->control);
	host_unwatch(loop->host);
	notice_close(loop->notice);
	uv_walk(&loop->uv, close_handle, NULL);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	notice_free(loop->notice);
	control_free(loop->control);
	pool_free(loop->pool);
	pool_free(loop->side);
	if (loop->engine.cancel)
		engine_close(&loop->engine);
	(void)uv_loop_close(&loop->uv);
	config_ref_release(loop->config);
	agenda_release(&loop->agenda);
}

int loop_run(const struct config *config, struct host *host, struct err *err)
{
	struct loop loop = { .host = host, .started_at = clock_wall() };
	int rc = uv_loop_init(&loop.uv);

	if (rc)
		return err_set(err, ERR_IO, "make an event loop: %s", uv_strerror(rc));
	loop.config = config_ref_new(config, 1);
	rc = set_up(&loop, err);
	if (!rc) {
		loop_refuse(agenda_use(&loop.agenda, config));
		pulse_configured(&loop);
		loop_config_is_good(&loop);
		log_line(LOG_LEVEL_INFO, NULL, NULL,
			 "certrenewd %s keeps %zu certificate%s, state in '%s'",
			 CERTRENEWD_VERSION, config->n_certificates,
			 config->n_certificates == 1 ? "" : "s", config->state_dir);
		host_ready(host, "looking at every certificate");
		loop_kick(&loop);
		(void)uv_run(&loop.uv, UV_RUN_DEFAULT);
	}
	tear_down(&loop);
	if (!rc)
		log_line(LOG_LEVEL_INFO, NULL, NULL, "stopped");
	return rc;
}
