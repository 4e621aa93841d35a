/* requests_account.c - work on an account while the daemon runs: waits until no order is
 * under way, keeps the others out meanwhile, and has their sessions dropped after. */
#include "daemon/requests.h"

#include <stdlib.h>

#include "base/json.h"
#include "daemon/account_gate.h"
#include "daemon/account_work.h"
#include "daemon/log.h"

struct account_job {
	struct pool_job job;
	struct loop *loop;
	struct control_client *client; /* held */
	struct config_ref *config;     /* held */
	struct account_errand errand;
	struct account_answer answer;
};

static void work(struct worker *worker, struct pool_job *pool_job)
{
	struct account_job *job = (struct account_job *)pool_job;
	struct account_gate *gate = job->loop->engine.gate;
	struct err err;

	(void)worker;
	if (account_gate_close(gate, job->errand.cancel, &err)) {
		str_copy(job->answer.text, sizeof(job->answer.text), err.text);
		return;
	}
	account_work(&job->errand, &job->answer);
	account_gate_open(gate);
}

static void done(struct pool_job *pool_job)
{
	struct account_job *job = (struct account_job *)pool_job;
	bool well = job->answer.code == EXIT_CODE_DONE ||
		    job->answer.code == EXIT_CODE_NOTHING;

	if (job->answer.text[0])
		log_line(well ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, NULL, NULL,
			 "account %s: %s", account_verb_name(job->errand.verb),
			 job->answer.text);
	job->loop->changing_account = false;
	control_finish(job->client, job->answer.code, job->answer.text, NULL);
	control_release(job->client);
	config_ref_release(job->config);
	free(job);
}

static void refuse(struct control_client *client, const char *issuer, const char *path)
{
	char *text = str_printf("there is no account with an issuer '%s' in '%s'",
				issuer ? issuer : "", path);

	control_finish(client, EXIT_CODE_USAGE, text, NULL);
	free(text);
}

void request_account(struct loop *loop, struct control_client *client,
		     const cJSON *request)
{
	const struct config *config = loop->config->config;
	const char *name = json_string(request, "issuer");
	const struct issuer_config *issuer = name ? config_issuer(config, name) : NULL;
	struct account_job *job;
	enum account_verb verb;

	if (!issuer || issuer->type != ISSUER_ACME ||
	    !account_verb_of(json_string(request, "verb"), &verb)) {
		refuse(client, name, config->path);
		return;
	}
	if (loop->changing_account) {
		control_finish(
			client, EXIT_CODE_FAILED,
			"another change of an account is under way: try again when "
			"it is done",
			NULL);
		return;
	}
	loop->changing_account = true;
	job = mem_calloc(1, sizeof(*job));
	job->job.work = work;
	job->job.done = done;
	job->loop = loop;
	job->client = client;
	control_hold(client);
	job->config = loop->config;
	job->config->holds++;
	job->errand = (struct account_errand){
		.config = config,
		.issuer = issuer,
		.verb = verb,
		.force = json_bool(request, "force", false),
		.cancel = loop->engine.cancel,
	};
	job->answer.code = EXIT_CODE_FAILED;
	str_copy(job->answer.text, sizeof(job->answer.text), "the daemon is stopping");
	pool_submit(loop->side, &job->job);
}
