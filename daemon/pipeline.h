/* pipeline.h - one pass over one certificate, from what is to what should be:
 *
 *     inspect -> advice (ARI) -> decide -> preflight -> order -> accept
 *             -> deploy -> verify -> retire -> expired ladder -> remember
 *
 * A job goes in as plain facts, an outcome comes back as plain facts: a pass prints
 * nothing and changes nothing that another thread looks at; what happened is handed to
 * `tell` before it is remembered as told, so that a death in between loses nothing. The
 * same function serves the daemon's schedule, a command over the control channel and a
 * command that runs by itself. The stages live in the files that struct pass (pass.h)
 * ties together. */
#ifndef DAEMON_PIPELINE_H
#define DAEMON_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "config/config.h"
#include "daemon/clock_trust.h"
#include "daemon/event_list.h"
#include "daemon/exit_code.h"
#include "hooks/deploy.h"

struct cancel;
struct responders;
struct sessions;

enum pipeline_command {
	PIPELINE_KEEP,     /* the schedule: whatever is due */
	PIPELINE_RENEW,    /* the operator: renew if due; forced: now */
	PIPELINE_DEPLOY,   /* bring in the certificate at hand, also into MODE_OPERATOR */
	PIPELINE_ROLLBACK, /* back to before the last deployment */
	PIPELINE_FALLBACK, /* plain HTTP now */
	PIPELINE_HTTPS,    /* the way back from it */
	PIPELINE_REVOKE,   /* the certificate in hand, and renew it */
	PIPELINE_REHEARSE, /* a full trial that touches nothing */
	PIPELINE_PUBLISH,  /* what the DNS has to say for its challenges */
	PIPELINE_COMMANDS
};

struct pipeline_input { /* borrowed for the pass */
	const struct config *config;
	unsigned long generation; /* of the configuration, from 1 */
	const struct certificate_config *certificate;
	enum pipeline_command command;
	bool changed;     /* somebody was seen changing its files: look at once */
	bool not_saved;   /* the last pass could not write down what it did: whom it asked
			     for advice is not asked again before that works */
	bool force;       /* RENEW: although not due, and in spite of the back-off;
			     REVOKE: although it is served */
	bool hold;        /* KEEP, RENEW: what is at hand is not brought in yet: another
			     certificate of its service comes next, and both are
			     restarted at once */
	bool bring_in;    /* RENEW: what was held before; it may be in already */
	bool take_folder; /* DEPLOY: shared folders that others keep become ours */
	int revoke_reason;    /* REVOKE: enum acme_revocation */
	bool revoke_with_key; /* REVOKE: signed by its own key */
	const char *only; /* DEPLOY, ROLLBACK, FALLBACK, HTTPS: one target; NULL: all */
	const struct clock_trust *trust;
	const struct responders *responders;
	struct sessions *sessions;
	const struct cancel *cancel;
	const struct cancel *give_way; /* set when somebody asks for a worker: what can
					  wait (a rehearsal) ends; NULL: nobody will */
	const char *run;               /* id, for logs and journals */
	void (*note)(void *ctx, const struct deploy_note *note); /* as it happens */
	void *note_ctx;
	/* Has what happened told, before the pass remembers that it was: engine_hear().
	 * NULL: the caller takes all events out of the outcome. */
	void (*tell)(void *ctx, const struct config *config, const struct event *event);
	void *tell_ctx;
};

struct pipeline_outcome {
	enum exit_code exit_code;
	char text[2048]; /* one sentence: what came of it */
	struct event_list events;
	size_t n_told; /* the first of them, which `tell` has had */
	bool saw_date; /* a Date over verified TLS, for the clock's confirmation */
	int64_t date, date_mono_ms;
	cJSON *findings;   /* REHEARSE, PUBLISH: an array (findings.h); NULL: none */
	bool not_saved;    /* what was done could not be written down */
	int64_t next_at;   /* when to look again */
	char next_why[96]; /* in words */
};

/* Runs the pass to its end, or to a journal boundary when cancelled. Fills *ret, released
 * with pipeline_outcome_clear(). The caller holds the state lock, and no other pass over
 * this certificate runs. */
void pipeline_run(const struct pipeline_input *input, struct pipeline_outcome *ret);
void pipeline_outcome_clear(struct pipeline_outcome *outcome);

/* certificates/<name> of a state directory. Gives. */
char *pipeline_folder(const struct config *config, const char *certificate);

#endif
