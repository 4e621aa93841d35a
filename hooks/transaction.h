/* transaction.h - what the files of the deployment share: a target as a member of this
 * run, the group that shares one restart, and the three movements of a group. Internal
 * to hooks/; deploy.h is the interface. */
#ifndef HOOKS_TRANSACTION_H
#define HOOKS_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/service.h"
#include "hooks/change.h"
#include "hooks/deploy.h"
#include "hooks/journal.h"

struct member { /* one target in this run */
	const struct deployment *deployment;
	const struct target *target;
	struct target_outcome *outcome;
	enum target_mode mode;
	struct journal journal; /* of its deployment, as on disk */
	struct journal kept;    /* of its fallback to plain HTTP, if it fell back */
	struct change_list plan;
	bool selected; /* takes part in this run */
	bool resumed;  /* its journal is of an attempt that died or waited */
	bool restored; /* undo put something back */
	bool foreign;  /* undo found an operator's tls.json and left it */
};

struct group { /* targets that share a service; borrows the members */
	const struct deployment *deployment;
	struct member **members;
	size_t n;
	const char *culprit; /* going back: the target that failed; NULL: their service */
};

/* How a movement of a group went. */
enum movement {
	MOVED,  /* to its end */
	FAILED, /* the cause is known, the journals are sound: undo it */
	HALTED, /* cancelled, or a journal cannot be written: stop here, touch nothing */
};

/* ---- members (member.c) -------------------------------------------------- */

/* Reads mode and journals of every target, in order. Gives *ret_members, whose outcomes
 * are those of `outcome` (made here). Sentences about damaged files go to `damaged`. */
int members_open(const struct deployment *deployment, struct deploy_outcome *outcome,
		 struct member **ret_members, struct strlist *damaged, struct err *err);
void members_close(struct member *members, size_t n);

/* Is this target's deployment of the material over and good? */
bool member_is_done(const struct member *member);

/* Has it fallen back to plain HTTP (whole or half)? */
bool member_is_on_http(const struct member *member);

/* Ends a target's part: journal and outcome. `why` NULL: no failure. */
int member_end(struct member *member, const struct journal_change *change,
	       const char *why, struct err *err);

/* Fills the outcome only: kind, "target 'x': " and the sentence. */
void member_say_end(struct member *member, enum deploy_end end, enum err_kind kind,
		    const char *why);

/* What all endpoints serve now: is it the certificate of that SHA-1 thumbprint? */
bool member_serves(const struct member *member, const char *sha1);

/* Does `member` share its service with `other`? */
bool member_shares(const struct member *member, const struct member *other);

/* Makes or refreshes the owner file of its shared folder (owner.h). */
int member_own(const struct member *member, struct err *err);

/* Hands `run` the selected members, one group after the other (each member once).
 * Stops at the first that fails. */
int members_by_group(struct member *members, size_t n,
		     int run(struct group *group, struct err *err), struct err *err);

/* ---- the service of a group (deploy_service.c) --------------------------- */

/* Theirs in common. Borrowed. */
const struct service *group_service(const struct group *group);

/* SERVICE_IS_UNKNOWN for none. */
int group_inspect(const struct group *group, enum service_state *ret, struct err *err);

/* Does the configured action and waits. A command is not interrupted half-way by a
 * cancellation: that would leave the application down. */
int group_restart(const struct group *group, struct err *err);

/* The same after files are back, and a plain start when that fails; never cancelled. */
int group_restart_back(const struct group *group, struct err *err);

/* Starts the service if it does not run, whatever it takes. */
int group_start(const struct group *group, struct err *err);

/* ---- the baseline (deploy_baseline.c) ------------------------------------ */

/* Notes in the journal what is served before the first change, and what the old
 * certificate is: its thumbprint, until when it is valid, whether it is there at all. */
int member_take_baseline(struct member *member, struct err *err);

/* May this member go back? Else a sentence in `why`, which holds `size` bytes. */
bool member_may_go_back(const struct member *member, char *why, size_t size);

/* Was anything served at all? */
bool member_served_something(const struct member *member);

/* Does every member show its baseline at this moment? */
bool group_shows_baseline(const struct group *group);

/* Is its baseline served, three times in a row, within the time that verify has? */
int member_verify_baseline(struct member *member, struct err *err);

/* ---- operators (deploy_operator.c) --------------------------------------- */

/* Has somebody else written tls.json while we were falling back, or in the middle of a
 * deployment that was interrupted? Then the target is theirs: MODE_OPERATOR, ended, not
 * selected any more. Looks, and leaves every file alone. */
int member_yield_to_operator(struct member *member, struct err *err);

/* Did somebody change a file of it before we could? */
bool member_met_somebody(const struct member *member);

/* And was that tls.json, with another choice: of the certificate, or for plain HTTP? */
bool member_was_overruled(const struct member *member);

/* ---- the certificates before (deploy_ages.c) ------------------------------ */

/* Makes the certificate's journal one about `material`, not written yet: what it was
 * about is one more of those that came before. */
void certificate_succeed(struct journal *journal, const struct material *material);

/* Every target serves the certificate since journal->verified_at: since then those before
 * it are replaced, unless they were already. Says in journal->retire_at when the first of
 * them may go. */
void certificate_plan_retirement(struct journal *journal, const struct member *members,
				 size_t n);

/* Has this one been replaced for as long as the targets want? With the thumbprint of the
 * present one: is there nothing left to wait for? */
bool certificate_may_go(const struct journal *journal, const char *sha1,
			const struct member *members, size_t n);

/* Those that may go are gone. */
void certificate_forget_gone(struct journal *journal, const struct member *members,
			     size_t n);

/* Was it verified in what is the future now? */
bool journal_is_ahead(const struct journal *journal, int64_t now);

/* deploy_retire.c: a target is not there any more (rolled back, or added): no time for
 * retire.
 */
int certificate_reopen(struct journal *journal, const char *text, struct err *err);

/* ---- movements ----------------------------------------------------------- */

/* deploy_begin.c: plans, saves, takes the baseline and writes the journal, with what a
 * journal in the middle already knows kept. Nothing is changed outside the state
 * directory. */
enum movement member_begin(struct member *member, struct err *err);

/* deploy_group.c: forward to an end, or back when it cannot. */
int group_deploy(struct group *group, struct err *err);

/* deploy_undo.c: back to the baseline because of `cause`; forward (broken) where the
 * baseline is an expired or missing certificate. Ends every member. */
int group_undo(struct group *group, const struct err *cause, struct err *err);

/* deploy_undo.c: back to `stored`, files only: what restarts the service is somebody
 * else's. Stays as it is where the baseline is gone. */
int group_unpoint(struct group *group, const struct err *cause, struct err *err);

#endif
