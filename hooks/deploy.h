/* deploy.h - the deployment: one certificate brought into its targets, as a transaction.
 *
 * The one state machine of the project. Two levels: the certificate (`stored` once per
 * store ... `retired` after all targets are verified) and each target
 * (`pointed -> restarted -> verified`), each with a write-ahead journal in the state
 * directory. Before the first change a journal records the old and the new thumbprint,
 * path + hash + saved copy of every file, and the baseline (what was served). Journals
 * change through one function: it writes, syncs, then tells.
 *
 *     completed  step                                           undo
 *     stored     import into every store, prove the key signs   remove what this run made
 *     pointed    tls.json, links, files name the new one        saved bytes back
 *     restarted  restart or reload, wait until it runs          files back, restart again
 *     verified   three handshakes on every endpoint             as above
 *                (and looks again through target->soak_s        as above)
 *     retired    after retire.after: look again, delete the old none
 *
 * Targets that share a service form a group: pointed together, one restart, verified
 * together, rolled back together. Groups are independent: one that fails leaves the
 * others deployed, and it alone is tried again.
 *
 * deploy_run() starts or resumes: on an unfinished journal it observes before it acts
 * (direction back: finish the undo; files name new and new is served: verified; else
 * restart once and verify; only then roll back). The goal of a rollback is the baseline,
 * verified. Never back to an expired or missing certificate: forward instead.
 *
 * What happens if we die here? At every line of deploy*.c the next deploy_run() with the
 * same material ends the transaction.
 */
#ifndef HOOKS_DEPLOY_H
#define HOOKS_DEPLOY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/target.h"
#include "hooks/material.h"
#include "hooks/mode.h"
#include "hooks/probe.h"

struct cancel;
struct owner;

/* Something to show or log, as it happens. */
struct deploy_note {
	const char *target; /* NULL: the certificate level */
	const char *step;   /* "preflight", "stored", "pointed", "restarted", "verified",
			       "retired", "undo", "fallback", ... */
	const char *text;   /* one sentence for people */
};

/* Other deployments whose targets live in the same service: the caller's to point right
 * before a restart of it, and to take back before one that undoes it. */
struct deploy_sharing {
	void (*point)(void *ctx, const struct service *service);
	void (*take_back)(void *ctx, const struct service *service);
	void *ctx;
};

struct deployment {         /* all borrowed for the call */
	const char *folder; /* certificates/<name> in the state directory */
	const char *run;    /* id of this run, for the journals */
	const struct target *targets;
	size_t n_targets;
	const bool *held; /* targets not to be begun now (they wait for their
			     maintenance window), n_targets of them; NULL: none */
	const struct material *material; /* the certificate to bring in */
	const struct owner *owner; /* who we are, for shared folders; NULL: nobody asks */
	const char *revoked;       /* thumbprints, with blanks between: certificates that
				      nothing goes back to; NULL: none */
	const char *older;  /* thumbprints, with blanks between: certificates of ours that
			       settings beside tls.json shall not name any more; NULL: only
			       the one that tls.json names is looked for */
	bool spare_restart; /* no restart where the certificate is served once the files
			       are as they shall be: for putting back what was lost */
	const struct deploy_sharing *sharing; /* NULL: nobody shares a restart */
	const struct service *point_only;     /* the targets of this service alone, as far
						 as `pointed`: who asked restarts it, and
						 the next deploy_run() takes it up */
	const struct cancel *cancel;
	void (*note)(void *ctx, const struct deploy_note *note); /* may be NULL */
	void *note_ctx;
};

enum deploy_end {
	DEPLOY_PENDING,     /* not tried, or interrupted at a journal boundary */
	DEPLOY_DONE,        /* seen serving */
	DEPLOY_ROLLED_BACK, /* the baseline is served again */
	DEPLOY_BROKEN,   /* neither way worked: both are retried, the service started */
	DEPLOY_WAITING,  /* files are switched, the service is stopped by its admin */
	DEPLOY_OPERATOR, /* left alone: an operator has taken the target over */
};
const char *
deploy_end_name(enum deploy_end end); /* "pending", "done", "rolled_back"... */

struct target_outcome {
	const char *target; /* borrowed from the deployment */
	enum deploy_end end;
	struct err err; /* why, unless DEPLOY_DONE */
	struct strlist
		notes; /* worth telling: settings put back, a foreign predecessor */
};

struct deploy_outcome {
	struct target_outcome *targets; /* as many as the deployment has, same order */
	size_t n_targets;
	bool all_done; /* every target verified (or the operator's): time for retire */
};
void deploy_outcome_clear(struct deploy_outcome *outcome);

/* Could every target be deployed? Service exists, files can be replaced, tls.json can be
 * rendered, endpoints answer as text or nothing: looks only. Fills
 * outcome->targets[i].err for those that could not (end stays DEPLOY_PENDING) and fails
 * when there is one. `material` may be NULL here (nothing is ordered yet). */
int deploy_preflight(const struct deployment *deployment, struct deploy_outcome *ret,
		     struct err *err);

/* Runs or resumes to an end for every target that is not verified yet with this material.
 * `only`: just this target (its group); NULL: all. `take_over`: act on MODE_OPERATOR
 * targets too (the operator said `deploy NAME`).
 * Returns 0 when each target reached an end (read the outcomes), -1 when the certificate
 * level failed (store full, journal unwritable) or on cancel. */
int deploy_run(const struct deployment *deployment, const char *only, bool take_over,
	       struct deploy_outcome *ret, struct err *err);

/* Takes back what `point_only` has switched for this service, files only, where the new
 * certificate is not served yet: its restart has failed, and is not to stumble over them.
 * Those targets are ROLLED_BACK then; *ret_any: there was one. */
int deploy_unpoint(const struct deployment *deployment, const struct service *service,
		   bool *ret_any, struct err *err);

/* The operator's `rollback`: takes the last deployment back to its baseline, target by
 * target, as long as it is not retired. ERR_NOT_FOUND "nothing to roll back: ...".
 * `material` is the new certificate's; `only` as above. */
int deploy_rollback(const struct deployment *deployment, const char *only,
		    struct deploy_outcome *ret, struct err *err);

/* What the journals say, without touching anything: for decisions, status and start-up.
 */
struct deploy_state {
	bool exists;              /* there is a certificate journal */
	char sha1[CERT_SHA1_HEX]; /* the certificate it brings in */
	int64_t version;          /* number of its folder */
	bool stored, retired;
	bool replaces; /* something that is retired some day, or was */
	bool ahead; /* verified by a clock that was ahead: deploy_after_clock_moved() */
	int64_t verified_at; /* when the last target was verified; 0: not yet */
	int64_t retire_at;   /* earliest moment to retire; CLOCK_NEVER: not yet */
	int64_t oldest;      /* number of the oldest folder that is not retired; 0: not
				known */
	struct target_state {
		const char *target; /* borrowed from the deployment's targets */
		enum deploy_end end;
		bool unfinished;  /* died in the middle: run it now, before anything else
				   */
		bool by_operator; /* rolled back by command: not to be retried by itself
				   */
		bool falling;     /* died on its way to plain HTTP, or back from there */
		enum target_mode mode;
		char run[64];  /* id of the run that moved its journal last; "" none */
		char step[32]; /* completed state: "pointed", ... */
		char old_sha1[CERT_SHA1_HEX];
		int64_t watched_until; /* its soak time; 0: not, or no more */
		int64_t old_not_after; /* of the certificate before; 0: not known */
		char why[512];         /* the last failure's sentence */
	} * targets;
	size_t n_targets;
};
/* Reads it. A damaged journal is set aside as `<name>.damaged-<run>` and reported in
 * `damaged` (sentences); the rest is rebuilt from store, files and endpoints. */
int deploy_state_read(const struct deployment *deployment, struct deploy_state *ret,
		      struct strlist *damaged, struct err *err);
void deploy_state_clear(struct deploy_state *state);

/* Removes the copies of files below the targets' folders that no journal names: of a run
 * that died before it had written what it saved them for. */
int deploy_sweep(const struct deployment *deployment, struct err *err);

/* What was verified by a clock that was ahead has been verified now: it is watched, and
 * what came before it stays, from now on. The caller has checked that the clock is
 * confirmed. */
int deploy_after_clock_moved(const struct deployment *deployment, struct err *err);

/* Looks once at every target that is within its soak time (target->soak_s): does the
 * service run and serve the new certificate? Three looks that fail within seconds take
 * its group back to the baseline, which is the outcome; the first good look behind the
 * time ends the watching. A service that its administrator stopped is waited for, a
 * tls.json that somebody else rewrote is left to inspection. Quick when nothing soaks;
 * how often it is called is the caller's. Returns as deploy_run(). */
int deploy_soak(const struct deployment *deployment, struct deploy_outcome *ret,
		struct err *err);

/* Retires: looks again (files name new, key signs, new is served), then deletes the old
 * versions beyond target->keep that were replaced for as long as retire.after says, entry
 * and key; with the last of them the saved copies, and it is retired. Only what we
 * imported; a foreign predecessor is left and noted. The caller has checked that the
 * moment has come and that the clock is confirmed. ERR_TRANSIENT when the look fails:
 * nothing was deleted. */
int deploy_retire(const struct deployment *deployment, struct deploy_outcome *ret,
		  struct err *err);

/* The old version folders in the state directory below `folder`/versions that no target
 * needs any more are the caller's (daemon/versions.h) to remove. */

#endif
