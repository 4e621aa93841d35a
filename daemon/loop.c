#include "daemon/loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "daemon/conflict.h"
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

/* ---- the schedule -------------------------------------------------------- */

struct slot *loop_slot(struct loop *loop, const char *certificate)
{
	for (size_t i = 0; i < loop->n_slots; i++)
		if (!strcmp(loop->slots[i].certificate->name, certificate))
			return &loop->slots[i];
	return NULL;
}

const struct pass_job *loop_running(const struct loop *loop, const char *certificate)
{
	for (const struct pass_job *job = loop->running; job; job = job->next)
		if (!strcmp(job->certificate->name, certificate))
			return job;
	return NULL;
}

static bool may_run(const struct loop *loop, const struct slot *slot)
{
	for (const struct pass_job *job = loop->running; job; job = job->next)
		if (!strcmp(job->certificate->name, slot->certificate->name) ||
		    conflict_between(job->certificate, slot->certificate))
			return false;
	return true;
}

void loop_answer(struct request *request, int code, const char *text)
{
	if (request && request->client)
		control_finish(request->client, code, text, NULL);
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
	struct slot *slot = loop_slot(loop, job->certificate->name);

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
	if (slot && job->worked)
		slot->not_saved = job->outcome.not_saved;
	/* After a reload its plan is one for another configuration: look at once. */
	if (slot && job->worked && job->config == loop->config)
		slot->next = due_at(job->outcome.next_at, clock_wall(), clock_mono_ms());
	if (slot && job->worked && !loop->stopping)
		notice_follow(loop->notice, job->certificate->name, &job->folders);
	pulse_learned(loop, &job->seen);
	loop->deliver = (struct due){ 0 };
	pass_job_free(job);
	system_trim_memory();
	loop_kick(loop);
}

struct request *loop_take_request(struct slot *slot)
{
	struct request *request = slot->first;

	if (!request)
		return NULL;
	slot->first = request->next;
	if (!slot->first)
		slot->last = NULL;
	request->next = NULL;
	return request;
}

/* Is the next one due whose restart it can share? Then that one brings both in. */
static bool another_is_due(const struct loop *loop, const struct slot *slot)
{
	int64_t now = clock_wall(), mono_ms = clock_mono_ms();

	for (size_t i = 0; i < loop->n_slots; i++) {
		const struct slot *other = &loop->slots[i];

		if (other != slot &&
		    (other->first || due_is(&other->next, now, mono_ms)) &&
		    conflict_of_services(other->certificate, slot->certificate))
			return true;
	}
	return false;
}

static void start_pass(struct loop *loop, struct slot *slot)
{
	struct pass_job *job = pass_job_new(loop->pool, loop->config, slot->certificate,
					    &loop->engine.responders, loop->engine.cancel,
					    loop_take_request(slot));

	job->input.changed = slot->look_at_ms != 0;
	job->input.not_saved = slot->not_saved;
	slot->look_at_ms = 0;
	job->trust = loop->engine.trust;
	job->input.hold = job->input.hold ||
			  (!job->request && another_is_due(loop, slot));
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
	struct slot *slot = loop_slot(loop, certificate);
	int64_t now_ms = clock_mono_ms();

	if (!slot || slot->look_at_ms || loop->stopping)
		return;
	slot->gap_ms = notice_gap(slot->gap_ms, now_ms - slot->changed_at_ms);
	slot->changed_at_ms = now_ms;
	slot->look_at_ms = now_ms + slot->gap_ms;
	loop_kick(loop);
}

/* Is something to be done for it? Else lowers *wait_ms to the moment. */
static bool is_due(const struct slot *slot, int64_t *wait_ms)
{
	int64_t mono_ms = clock_mono_ms(), look_ms = slot->look_at_ms - mono_ms;
	int64_t left_ms = due_in_ms(&slot->next, clock_wall(), mono_ms);

	if (slot->look_at_ms && look_ms < left_ms)
		left_ms = look_ms;
	if (slot->first || left_ms <= 0)
		return true;
	if (left_ms < *wait_ms)
		*wait_ms = left_ms;
	return false;
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
	/* Something was queued meanwhile: it is due at once, and stays so. */
	if (loop->deliver.at == CLOCK_NEVER)
		loop->deliver = due_at(delivery->next_at, clock_wall(), clock_mono_ms());
	loop->delivering = false;
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
	loop->delivering = true;
	loop->deliver.at = CLOCK_NEVER;
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
	status = str_printf("%zu certificates, %zu at work", loop->n_slots, running);
	host_alive(loop->host, status);
	free(status);
}

void loop_kick(struct loop *loop)
{
	int64_t wait_ms = TICK_MAX_MS, in_ms, beat_ms;

	if (loop->stopping)
		return;
	look_for_folders(loop);
	for (size_t i = 0; i < loop->n_slots; i++) {
		struct slot *slot = &loop->slots[i];

		if (!is_due(slot, &wait_ms))
			continue;
		if (may_run(loop, slot)) /* else the end of the other pass kicks again */
			start_pass(loop, slot);
	}
	in_ms = due_in_ms(&loop->deliver, clock_wall(), clock_mono_ms());
	if (!loop->delivering && !in_ms)
		start_delivery(loop);
	if (!loop->delivering && in_ms < wait_ms)
		wait_ms = in_ms;
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
	loop_drop_slots(loop);
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
		loop_make_slots(&loop, config);
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
