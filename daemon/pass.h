/* pass.h - what the stages of a pipeline pass share. For daemon/pipeline.c and the files
 * that hold its stages; nobody else looks in here. */
#ifndef DAEMON_PASS_H
#define DAEMON_PASS_H

#include "base/err.h"
#include "daemon/challenge_record.h"
#include "daemon/job.h"
#include "daemon/pipeline.h"
#include "daemon/instance.h"
#include "daemon/renewal.h"
#include "daemon/versions.h"
#include "daemon/window.h"
#include "hooks/deploy.h"
#include "hooks/observe.h"
#include "hooks/owner.h"

struct expired_verdict;
struct resolving;
struct sightings;
struct rung_known;

struct pass {
	const struct pipeline_input *in;
	struct pipeline_outcome *out;
	const struct certificate_config *certificate; /* in->certificate */
	char *folder;
	struct job job;
	struct clock_trust trust; /* our copy: learns from this pass */
	int64_t now;

	bool have_current; /* the newest complete version */
	struct version current;
	struct material material;
	struct deployment deployment;
	struct instance instance;
	struct owner owner;                /* of shared folders: we */
	struct deploy_state state;         /* what the journals say of `current` */
	struct challenge_record leftovers; /* leftovers.h */
	struct resolving *resolving;       /* resolve.h */
	struct sightings *sightings;       /* watch.h; NULL: no endpoint was looked at */
	bool acted;        /* something was renewed, deployed, retired ... */
	bool touched;      /* endpoints may serve something else since this pass */
	bool is_companion; /* worked on inside the pass of another (companions.h) */
	bool waits;        /* a target waits for its maintenance window */
	bool fell_back;    /* a target speaks plain HTTP since this pass */
	int64_t ladder_at; /* the ladder is to be looked at again; 0: no need */
	bool looks_well;   /* inspected in this pass, nothing was wrong */
	bool by_hand; /* renewed by command only: its failure is the operator's news */
	bool told_to_wait; /* an issuer said how long, not our own circuit breaker */
};

/* ---- pass.c -------------------------------------------------------------- */

/* Loads what is known. Damaged files become events, not failures. */
int pass_open(struct pass *pass, const struct pipeline_input *in,
	      struct pipeline_outcome *out, struct err *err);
void pass_close(struct pass *pass);

/* Loads the newest complete version again, and the journals' view of it. */
int pass_reload(struct pass *pass, struct err *err);
int pass_reload_state(struct pass *pass, struct err *err);
/* Makes it the one that is worked with. Its contents stay the caller's. */
void pass_take_version(struct pass *pass, const struct version *version);

/* Has told what happened so far: before it is written down that it was. */
void pass_hand_out(struct pass *pass);

/* Hands out, and writes job.json. */
int pass_save_job(struct pass *pass, struct err *err);

/* Adds an event about this certificate; `target` NULL: the whole of it. */
void pass_tell(struct pass *pass, enum event_kind kind, const char *target,
	       const char *what, const char *todo);
/* The same with a severity other than the kind's own, and attempts left. */
void pass_tell_as(struct pass *pass, enum event_kind kind, enum severity severity,
		  const char *target, const char *what, const char *todo,
		  int attempts_left);

/* News that is told once for this key (struct event), whoever dies meanwhile. */
void pass_tell_once(struct pass *pass, enum event_kind kind, const char *what,
		    const char *key);

/* Shows a step as it happens. */
void pass_note(struct pass *pass, const char *step, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* Counts a failure and plans the next try by the back-off. */
void pass_count_failure(struct pass *pass, struct failures *failures,
			const struct err *err);

/* Is every target served with `current`, as far as the journals say? */
bool pass_deployed(const struct pass *pass);
bool pass_target_deployed(const struct pass *pass, size_t i);

/* Has it expired, and the issuers were not asked since? That first round waits for no
 * back-off of what failed before. */
bool pass_just_expired(const struct pass *pass);

/* Does a target speak plain HTTP, where its certificate cannot be looked at? */
bool pass_on_http(const struct pass *pass);

/* When what this certificate's targets serve expires: of `current` where it is deployed,
 * else as its endpoints show, or what was there before. 0: nothing known. */
int64_t pass_served_until(struct pass *pass, size_t target);

/* leftovers.c: takes away what a run that died left behind in a DNS zone or a web
 * server's folder. */
void pass_clean_up(struct pass *pass);

/* ---- conclude.c: what came of it ------------------------------------------ */

/* The last word of this pass. */
void pass_conclude(struct pass *pass, enum exit_code code, const char *text);

/* Success means that it was seen served; of a deployment, and of a look at whether
 * something is due. */
void pass_conclude_deployment(struct pass *pass);
void pass_conclude_renewal(struct pass *pass, const struct renewal_verdict *verdict);

/* Is there somebody who can be asked harder? */
bool pass_can_be_forced(const struct pass *pass);

/* ---- the stages, in the order of the flow -------------------------------- */

/* mend.c: sets damaged versions aside with an event each, and takes the deployed one back
 * from a store that still has it. Loads again what changed. */
int pass_mend(struct pass *pass, struct err *err);

/* inspect.c: files and endpoints when their time has come; drift becomes events, and is
 * put back where it is nobody's decision. */
void pass_inspect(struct pass *pass);
/* inspect.c: where that found nothing wrong and nothing is due, failures are over, those
 * of a pass included that could not be remembered. */
void pass_tell_well(struct pass *pass);

/* healing_pass.c: remembers tls.json of target `i` as one that we wrote for `current`. */
void pass_note_written(struct pass *pass, size_t i);

/* healing_pass.c: until when target `i` is not restarted, because putting it back did not
 * help; 0: it may be. */
int64_t pass_rests_until(struct pass *pass, size_t i);

/* sight.c: what the endpoints serve, for `status`: after a look at target `i`; and at the
 * end of a pass, which looks again at those that it may have touched. */
void pass_saw_endpoints(struct pass *pass, size_t i, const struct target_view *view);
void pass_keep_sightings(struct pass *pass);

/* advice.c: asks the CA (ARI) when it is time; picks the moment once. */
void pass_ask_advice(struct pass *pass);
/* When it is asked again; CLOCK_NEVER while its advice is not wanted: a moment that
 * nobody acts upon would make the next pass begin at once, and the next. */
int64_t pass_advice_at(const struct pass *pass);

/* foresight_pass.c: looks ahead: what its CAs say today that they did not yesterday, and
 * which announced dates the configuration will not survive. Speaks to CAs once a day: for
 * a calm moment. */
void pass_foresee(struct pass *pass);

/* revoke.c: the operator's `revoke`, and what one that was interrupted needs. */
int pass_revoke(struct pass *pass, struct err *err);
bool pass_revocation_pending(const struct pass *pass);
int pass_finish_revocation(struct pass *pass, struct err *err);
/* What follows the revoked one is served: the next `revoke` is about that. */
void pass_forget_revocation(struct pass *pass);
/* Is what we have revoked? Must this key not be used again, because its certificate was
 * revoked or it is compromised? */
bool pass_is_revoked(const struct pass *pass);
bool pass_key_is_burnt(const struct pass *pass, const EVP_PKEY *key);

/* publish.c: what the DNS has to say for the certificate's challenges, and whether it
 * does: findings, one a line. */
int pass_publish(struct pass *pass, struct err *err);

/* issue_store.c: is a store what the certificate is expected from, and has somebody put a
 * newer one there? Looks only; false when it cannot be looked at. */
bool pass_comes_from_store(const struct pass *pass);
bool pass_newer_was_put(struct pass *pass);

/* issue.c: preflight, order at the issuers in turn, accept. On success `current` is the
 * new certificate. */
int pass_preflight(struct pass *pass, struct err *err);
int pass_issue(struct pass *pass, struct err *err);

/* rollout_tell.c: what people hear of a deployment. Is that end a failure? */
bool pass_end_failed(enum deploy_end end);
void pass_tell_end(struct pass *pass, const struct target_outcome *target);
void pass_tell_renewed(struct pass *pass);
/* The certificate in hand is known to those who want to hear of it. */
void pass_note_renewed(struct pass *pass);
/* rollout_tell.c: what a run has brought to its end, and died before it told. */
void pass_tell_untold(struct pass *pass);
/* rollout_tell.c: all that the journals say is told: for pass_save_job(). */
void pass_note_told(struct pass *pass);

/* rollout.c: deploy, retire, roll back. */
int pass_deploy(struct pass *pass, bool take_over, struct err *err);
/* Brings `current` again into the targets that are not `held` (n_targets flags): the same
 * transaction, without a restart where it is served. */
int pass_bring_back(struct pass *pass, const bool *held, struct err *err);
/* The same for another version than the newest, for one target and those that share its
 * service; counts no failure. */
int pass_deploy_version(struct pass *pass, const struct version *version,
			const char *target, struct err *err);
int pass_retire(struct pass *pass, struct err *err);
/* The versions' folders that are retired go. */
int pass_prune(struct pass *pass, struct err *err);

/* rollout.c: a look at what soaks; until when the last of it does, 0: nothing. */
int pass_soak(struct pass *pass, struct err *err);
int64_t pass_soaks_until(const struct pass *pass);
int pass_rollback(struct pass *pass, struct err *err);

/* rollout.c: the operator says that nobody else writes there any more: the shared folders
 * of the targets are ours. */
int pass_take_folders(struct pass *pass, struct err *err);

/* spares.c: in the background of a pass, an account at every CA that may be asked next,
 * so that it works when it is needed. */
void pass_register_spares(struct pass *pass);

/* kept_key.c: may the key go from our disk, because the Windows stores of all targets
 * have it and were seen serving? Then it goes. */
void pass_forget_key(struct pass *pass);

/* rollout.c: tells what was imported from another client that this one is served by us.
 */
void pass_hand_over(struct pass *pass);

/* pass_window.c: when a target's deployment may begin, asked at the instant `at`; the
 * earliest of those that are not deployed (`at` when there is none). */
struct window_verdict pass_window(struct pass *pass, size_t i, int64_t at);
int64_t pass_windows_open_at(struct pass *pass, int64_t at);

/* pass_window.c: when target `i`, which serves something until `served_until`, may be
 * restarted. */
int64_t pass_restart_at(struct pass *pass, size_t i, int64_t served_until);

/* pass_window.c: which targets wait now: gives n_targets flags, and says so in notes. */
bool *pass_held(struct pass *pass, bool *ret_any);

/* watch.c: a certificate that nobody here orders: looks, tells, and concludes the pass
 * with the moment of the next look. */
void pass_watch(struct pass *pass);

/* pass_plan.c: when to look at it again, into the outcome. */
void pass_plan_next(struct pass *pass);
/* Its state could not be written: what was just done counts as never done. Tells so, and
 * plans a pause, without which it would be done all day. */
void pass_cannot_remember(struct pass *pass, const struct err *err);

/* older.c: the newest of the older certificates that is valid now and was not tried
 * three times on that target yet. Fills *ret (version_clear()), or -1: there is none. */
int pass_find_older(struct pass *pass, const char *target, struct version *ret);
bool pass_older_is_at_hand(struct pass *pass, const char *target);
/* Tries it on that target, unless its back-off says later. */
void pass_try_older(struct pass *pass, const char *target);

/* ladder.c: a fallback that was interrupted is ended before anything else is looked at:
 * in plain HTTP; or in HTTPS, where a certificate has come meanwhile or nobody wants
 * plain HTTP any more. */
void pass_resume_fallbacks(struct pass *pass);

/* ladder.c: what to do when time has run out. */
void pass_expired_ladder(struct pass *pass);

/* ladder_ask.c: the operator's fallback; and whether `deploy` or `fallback NAME off` has
 * anything to bring in. */
int pass_fallback(struct pass *pass, const char *only, struct err *err);
int pass_check_deployable(struct pass *pass, struct err *err);

/* ladder_tell.c: what people hear of it. */
void pass_tell_fallback(struct pass *pass, const struct target *target, const char *why,
			const struct strlist *notes);
void pass_tell_fallback_failed(struct pass *pass, const struct target *target,
			       const struct err *err);
void pass_tell_still_on_http(struct pass *pass, const struct target *target);
void pass_tell_left_on_http(struct pass *pass);
void pass_tell_expired(struct pass *pass, const struct rung_known *known,
		       const struct expired_verdict *verdict);
void pass_tell_taken_over(struct pass *pass, const char *target, const char *what);
void pass_tell_no_clock(struct pass *pass, const struct target *target);
void pass_tell_stopped(struct pass *pass, const struct target *target);

#endif
