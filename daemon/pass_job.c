#include "daemon/pass_job.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "daemon/log.h"

struct config_ref *config_ref_new(const struct config *config, unsigned long generation)
{
	struct config_ref *ref = mem_calloc(1, sizeof(*ref));

	ref->config = config;
	ref->generation = generation;
	ref->holds = 1;
	return ref;
}

void config_ref_release(struct config_ref *ref)
{
	if (!ref || --ref->holds)
		return;
	config_free(ref->config);
	free(ref);
}

void request_free(struct request *request)
{
	if (!request)
		return;
	control_release(request->client);
	free(request->only);
	free(request);
}

/* ---- progress: from the worker's thread to the client's connection ------- */

struct progress {
	struct control_client *client; /* alive as long as the job's request holds it */
	cJSON *line;
};

static void show_progress(void *arg)
{
	struct progress *progress = arg;

	control_send(progress->client, progress->line);
	cJSON_Delete(progress->line);
	free(progress);
}

static void on_note(void *ctx, const struct deploy_note *note)
{
	struct pass_job *job = ctx;
	struct progress *progress;

	log_line(LOG_LEVEL_INFO, job->certificate->name, job->run, "%s%s%s: %s",
		 note->step, note->target ? " " : "", note->target ? note->target : "",
		 note->text);
	if (!job->request || !job->request->client)
		return;
	progress = mem_calloc(1, sizeof(*progress));
	progress->client = job->request->client;
	progress->line = cJSON_CreateObject();
	json_set_string(progress->line, "certificate", job->certificate->name);
	json_set_string(progress->line, "step", note->step);
	json_set_string(progress->line, "target", note->target);
	json_set_string(progress->line, "text", note->text);
	pool_post(job->pool, show_progress, progress);
}

/* ---- the job ------------------------------------------------------------- */

/* What the pass has left behind, for the heartbeat. */
static void look_again(struct pass_job *job)
{
	struct strlist damaged = { 0 };
	struct event event = {
		.kind = EVENT_STATE_DAMAGED,
		.severity = event_severity(EVENT_STATE_DAMAGED),
		.certificate = job->certificate->name,
		.attempts_left = -1,
		.at = clock_wall(),
	};

	heartbeat_look(job->config->config, job->certificate, &job->seen, &damaged);
	for (size_t i = 0; i < damaged.n; i++) {
		event.what = damaged.items[i];
		event_list_add(&job->outcome.events, &event);
	}
	strlist_clear(&damaged);
}

static void work(struct worker *worker, struct pool_job *pool_job)
{
	struct pass_job *job = (struct pass_job *)pool_job;

	job->input.sessions = worker->sessions;
	pipeline_run(&job->input, &job->outcome);
	look_again(job);
	notice_folders_find(job->certificate, &job->folders);
	job->worked = true;
}

static void done(struct pool_job *pool_job)
{
	struct pass_job *job = (struct pass_job *)pool_job;

	job->finished(job->owner, job);
}

struct pass_job *pass_job_new(struct pool *pool, struct config_ref *config,
			      const struct pipeline_input *asked, struct request *request)
{
	struct pass_job *job = mem_calloc(1, sizeof(*job));

	config->holds++;
	job->job.work = work;
	job->job.done = done;
	job->pool = pool;
	job->config = config;
	job->certificate = asked->certificate;
	job->request = request;
	if (!request)
		job->give_way = cancel_new();
	job->began_awake_ms = clock_awake_ms();
	random_hex(job->run, RUN_ID_LENGTH);
	job->input = *asked;
	job->input.config = config->config;
	job->input.generation = config->generation;
	job->input.trust = &job->trust;
	job->input.give_way = job->give_way;
	job->input.run = job->run;
	job->input.note = on_note;
	job->input.note_ctx = job;
	return job;
}

void pass_job_free(struct pass_job *job)
{
	pipeline_outcome_clear(&job->outcome);
	heartbeat_certificate_clear(&job->seen);
	notice_folders_clear(&job->folders);
	request_free(job->request);
	cancel_free(job->give_way);
	config_ref_release(job->config);
	free(job);
}
