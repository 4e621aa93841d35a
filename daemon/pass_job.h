/* pass_job.h - one pipeline pass as a job for the workers: everything it needs is in it,
 * everything it brings back too. */
#ifndef DAEMON_PASS_JOB_H
#define DAEMON_PASS_JOB_H

#include "daemon/control.h"
#include "daemon/heartbeat.h"
#include "daemon/notice.h"
#include "daemon/pipeline.h"
#include "daemon/pool.h"

#define RUN_ID_LENGTH 8

/* A loaded configuration and how many jobs still read it. Counted on the loop's thread.
 */
struct config_ref {
	const struct config *config;
	unsigned long generation;
	unsigned holds;
};
/* Gives a reference that is held once. Takes `config`. */
struct config_ref *config_ref_new(const struct config *config, unsigned long generation);
void config_ref_release(struct config_ref *ref); /* frees with the last hold */

struct request { /* what a command over the control channel asks of one certificate */
	enum pipeline_command command;
	bool force;
	char *only; /* target; NULL: all */
	int revoke_reason;
	bool revoke_with_key;
	bool take_folder, hold, bring_in;
	struct control_client *client; /* held; NULL: the schedule */
	struct request *next;
};
void request_free(struct request *request); /* NULL is fine */

struct pass_job {
	struct pool_job job;
	struct pool *pool;
	struct config_ref *config; /* held */
	struct request *request;   /* owned; NULL: the schedule */
	const struct certificate_config *certificate;
	struct clock_trust trust; /* as it was when the job began */
	struct pipeline_input input;
	struct pipeline_outcome outcome;
	struct cancel *give_way; /* pipeline.h; NULL where somebody asked for the pass */
	struct heartbeat_certificate seen; /* how it stands after that */
	struct notice_folders folders;     /* where its files lie after that */
	int64_t began_awake_ms;
	char run[RUN_ID_LENGTH + 1];
	bool worked; /* false: the pool stopped before it began */
	void *owner; /* the loop's */
	void (*finished)(void *owner,
			 struct pass_job *job); /* on the loop; takes the job */
	struct pass_job *next;                  /* in the owner's list of running jobs */
};

/* Makes a job; `request` is taken. Holds `config`. The caller fills trust, owner and
 * finished, and submits job->job. */
struct pass_job *pass_job_new(struct pool *pool, struct config_ref *config,
			      const struct certificate_config *certificate,
			      const struct responders *responders,
			      const struct cancel *cancel, struct request *request);
void pass_job_free(struct pass_job *job);

#endif
