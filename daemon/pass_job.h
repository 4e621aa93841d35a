/* pass_job.h - one pipeline pass as a job for the workers: everything it needs is in it,
 * everything it brings back too. */
#ifndef DAEMON_PASS_JOB_H
#define DAEMON_PASS_JOB_H

#include "daemon/agenda.h"
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

/* Lets go of who asked. */
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

/* Makes a job of what is asked (agenda_begin(), with responders and cancel); `request`,
 * from which that borrows, is taken. Holds `config`. The caller fills trust, owner and
 * finished, and submits job->job. */
struct pass_job *pass_job_new(struct pool *pool, struct config_ref *config,
			      const struct pipeline_input *asked,
			      struct request *request);
void pass_job_free(struct pass_job *job);

#endif
