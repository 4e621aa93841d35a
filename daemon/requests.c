/* requests.c - what the control channel may ask of the daemon: a table of commands. Work
 * on certificates is queued on their slots, reports are read by a worker. */
#include "daemon/requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/json.h"
#include "daemon/report.h"

struct report_job { /* status and explain: disk reads, kept off the loop */
	struct pool_job job;
	struct loop *loop;
	struct control_client *client; /* held */
	struct config_ref *config;     /* held */
	struct clock_trust trust;
	char *name; /* NULL: all */
	bool explain;
	int exit_code;
	struct buf text;
	struct err err;
	cJSON *status;
	struct strlist damaged; /* state files that were set aside */
};

/* ---- work on certificates ------------------------------------------------ */

static const struct {
	const char *word;
	enum pipeline_command command;
} pass_words[] = {
	{ "renew", PIPELINE_RENEW },       { "deploy", PIPELINE_DEPLOY },
	{ "rollback", PIPELINE_ROLLBACK }, { "fallback", PIPELINE_FALLBACK },
	{ "https", PIPELINE_HTTPS },       { "revoke", PIPELINE_REVOKE },
	{ "rehearse", PIPELINE_REHEARSE }, { "publish", PIPELINE_PUBLISH },
};

/* Somebody waits for a worker, or for the certificate. */
static void make_way(const struct loop *loop)
{
	for (const struct pass_job *job = loop->running; job; job = job->next)
		if (job->give_way)
			cancel_request(job->give_way);
}

static void ask_pass(struct loop *loop, struct control_client *client,
		     enum pipeline_command command, const cJSON *json)
{
	const char *name = json_string(json, "name");
	struct slot *slot = name ? agenda_slot(&loop->agenda, name) : NULL;
	struct request *request;
	char *text;

	if (!slot) {
		text = str_printf("there is no certificate '%s' in '%s'",
				  name ? name : "", loop->config->config->path);
		control_finish(client, EXIT_CODE_USAGE, text, NULL);
		free(text);
		return;
	}
	request = mem_calloc(1, sizeof(*request));
	request->command = command;
	request->force = json_bool(json, "force", false);
	request->only = str_dup(json_string(json, "target"));
	request->revoke_reason = (int)json_int(json, "reason", 0);
	request->hold = json_bool(json, "hold", false);
	request->bring_in = json_bool(json, "bring_in", false);
	request->take_folder = json_bool(json, "take_over", false);
	request->revoke_with_key = json_bool(json, "with_key", false);
	request->client = client;
	control_hold(client);
	agenda_ask(slot, request);
	make_way(loop);
	loop_kick(loop);
}

/* ---- reports ------------------------------------------------------------- */

static void read_report(struct worker *worker, struct pool_job *pool_job)
{
	struct report_job *job = (struct report_job *)pool_job;
	const struct config *config = job->config->config;
	int rc;

	(void)worker;
	if (job->explain)
		rc = report_explain(config, &job->trust, job->name ? job->name : "",
				    &job->text, &job->damaged, &job->err);
	else
		rc = report_status(config, &job->trust, job->name, &job->status,
				   &job->damaged, &job->err);
	job->exit_code = rc ? EXIT_CODE_USAGE : EXIT_CODE_DONE;
}

static void add_daemon(const struct loop *loop, cJSON *status)
{
	cJSON *daemon = cJSON_AddObjectToObject(status, "daemon");
	cJSON *running = cJSON_AddArrayToObject(daemon, "running");
	char since[CLOCK_TEXT_MAX];

	clock_format_rfc3339(loop->started_at, since);
	json_set_int(daemon, "pid", uv_os_getpid());
	json_set_string(daemon, "since", since);
	json_set_string(daemon, "version", CERTRENEWD_VERSION);
	json_set_int(daemon, "generation", (int64_t)loop->config->generation);
	for (const struct pass_job *job = loop->running; job; job = job->next)
		cJSON_AddItemToArray(running, cJSON_CreateString(job->certificate->name));
	json_set_int(status, "alerts_pending",
		     (int64_t)alerts_pending(loop->engine.alerts));
}

static void send_report(struct pool_job *pool_job)
{
	struct report_job *job = (struct report_job *)pool_job;
	cJSON *line = NULL;

	engine_tell_damage(&job->loop->engine, &job->damaged);
	if (job->damaged.n) {
		agenda_tell(&job->loop->agenda);
		loop_kick(job->loop);
	}
	if (job->status) {
		add_daemon(job->loop, job->status);
		line = cJSON_CreateObject();
		cJSON_AddItemToObject(line, "status", job->status);
	}
	control_finish(job->client, job->exit_code,
		       job->exit_code ? job->err.text : buf_str(&job->text), line);
	control_release(job->client);
	config_ref_release(job->config);
	strlist_clear(&job->damaged);
	buf_release(&job->text);
	free(job->name);
	free(job);
}

/* Whoever cannot read his file takes the answer of its daemon, and of no other. */
static bool is_another_file(const struct loop *loop, struct control_client *client,
			    const char *file)
{
	const char *ours = loop->config->config->path;
	char *text;

	if (!file || str_equal(file, ours))
		return false;
	text = str_printf("the daemon that runs (process %lld) is one of '%s'",
			  (long long)uv_os_getpid(), ours);
	control_finish(client, EXIT_CODE_USAGE, text, NULL);
	free(text);
	return true;
}

static void ask_report(struct loop *loop, struct control_client *client, bool explain,
		       const cJSON *json)
{
	struct report_job *job;

	if (is_another_file(loop, client, json_string(json, "file")))
		return;
	job = mem_calloc(1, sizeof(*job));
	job->job.work = read_report;
	job->job.done = send_report;
	job->loop = loop;
	job->client = client;
	control_hold(client);
	job->config = loop->config;
	job->config->holds++;
	job->trust = loop->engine.trust;
	job->name = str_dup(json_string(json, "name"));
	job->explain = explain;
	job->exit_code = EXIT_CODE_FAILED;
	buf_init(&job->text, 1024 * 1024);
	pool_submit(loop->side, &job->job);
}

static void ask_reload(struct loop *loop, struct control_client *client)
{
	struct err err;

	if (loop_reload(loop, &err))
		control_finish(client, EXIT_CODE_USAGE, err.text, NULL);
	else
		control_finish(client, EXIT_CODE_DONE, "configuration read again", NULL);
	loop_kick(loop);
}

void loop_on_request(void *ctx, struct control_client *client, const cJSON *request)
{
	struct loop *loop = ctx;
	const char *command = json_string(request, "command");

	if (loop->stopping) {
		control_finish(client, EXIT_CODE_FAILED, "the daemon is stopping", NULL);
		return;
	}
	for (size_t i = 0; command && i < sizeof(pass_words) / sizeof(*pass_words); i++)
		if (!strcmp(command, pass_words[i].word)) {
			ask_pass(loop, client, pass_words[i].command, request);
			return;
		}
	if (str_equal(command, "status"))
		ask_report(loop, client, false, request);
	else if (str_equal(command, "explain"))
		ask_report(loop, client, true, request);
	else if (str_equal(command, "account"))
		request_account(loop, client, request);
	else if (str_equal(command, "reload"))
		ask_reload(loop, client);
	else
		control_finish(client, EXIT_CODE_USAGE, "unknown command", NULL);
}
