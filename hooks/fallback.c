#include "hooks/fallback.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "hooks/fallback_parts.h"
#include "hooks/owner.h"
#include "hooks/programs.h"

#define JOURNAL_MAX_BYTES (4 * 1024 * 1024)
#define LOOK_TIMEOUT_S 5
#define PAUSE_MS 200

void fall_say(struct fall *fall, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_make_printable(text);
	deploy_say(&fall->deployment, fall->member->target->name, "fallback", "%s", text);
	if (fall->wish->notes)
		strlist_add(fall->wish->notes, text);
}

static int move_on(struct fall *fall, enum journal_step state, enum journal_step intent,
		   const char *text, struct err *err)
{
	const struct journal_change change = {
		.state = state,
		.intent = intent,
		.text = text,
	};

	return journal_move(&fall->member->kept, &change, err);
}

/* ---- the steps ----------------------------------------------------------- */

static int guard(struct fall *fall, struct err *err)
{
	const struct target *target = fall->member->target;
	bool guarded = guard_exists(target);
	struct err failure, ignored;

	if (move_on(fall, STEP_NONE, STEP_GUARDED,
		    guarded ? "before_fallback is run" : "falling back, without a guard",
		    err))
		return -1;
	if (!guard_on(&fall->deployment, target, &failure))
		return move_on(fall, STEP_GUARDED, STEP_COPIED,
			       guarded ? "the guard is on; copying tls.json and settings"
				       : "copying tls.json and settings",
			       err);
	if (failure.kind == ERR_CANCELLED) {
		*err = failure;
		return -1;
	}
	if (target->even_if_guard_fails) {
		fall_say(fall,
			 "before_fallback failed, it falls back all the same "
			 "(even_if_guard_fails): %s",
			 failure.text);
		return move_on(fall, STEP_GUARDED, STEP_COPIED,
			       "without a guard; copying tls.json and settings", err);
	}
	(void)journal_remove(&fall->member->kept, &ignored);
	return err_set(err, failure.kind,
		       "no fallback, everything is left as it was, because "
		       "before_fallback failed: %s",
		       failure.text);
}

static int copy(struct fall *fall, struct err *err)
{
	return fall_copy_all(fall, err) ||
	       move_on(fall, STEP_COPIED, STEP_MOVED,
		       "all is copied; moving tls.json into the state directory", err);
}

/* Is tls.json what we have a copy of? Another one is somebody's. */
static int check_copied(struct fall *fall, struct err *err)
{
	const char *path = fall->member->target->tls_json;
	const struct saved *saved = journal_file(&fall->member->kept, path);
	enum saved_look look;

	if (!saved)
		return err_set(err, ERR_CONFIG, "there is no copy of '%s'", path);
	if (saved_look(saved, &look, err))
		return -1;
	if (look == LOOK_FOREIGN)
		return err_set(
			err, ERR_CONFIG,
			"somebody has changed '%s' in this moment: it is left alone",
			path);
	return 0;
}

static int move_away(struct fall *fall, struct err *err)
{
	const char *path = fall->member->target->tls_json;
	char *real = NULL;
	int rc = -1;

	if (check_copied(fall, err))
		return -1;
	if (fall_close_listener(fall, err))
		return err_wrap(err, "limit plain HTTP to this machine");
	if (!file_resolve_trusted(path, &real, err) && !file_remove(real, err))
		rc = move_on(fall, STEP_MOVED, STEP_RESTARTED,
			     "tls.json is moved away; restarting the service without it",
			     err);
	else
		err_wrap(err, "move '%s' away", path);
	free(real);
	return rc;
}

static int restart(struct fall *fall, struct err *err)
{
	const struct service *service = &fall->member->target->service;
	bool interruptible = service->kind != SERVICE_COMMAND;

	if (service->kind != SERVICE_NONE &&
	    service_start(service, interruptible ? fall->deployment.cancel : NULL, err))
		return -1;
	return move_on(fall, STEP_RESTARTED, STEP_ANSWERED,
		       "the service is restarted; waiting for plain HTTP to answer", err);
}

static int wait_for_answer(struct fall *fall, struct err *err)
{
	const struct target *target = fall->member->target;
	int64_t deadline = clock_mono_ms() + target->verify_timeout_s * 1000;

	while (probe_http(target->http, LOOK_TIMEOUT_S, fall->deployment.cancel, err)) {
		if (clock_mono_ms() >= deadline)
			return -1;
		if (clock_sleep_ms(PAUSE_MS, fall->deployment.cancel))
			return err_set(err, ERR_CANCELLED, "stopped on request");
	}
	return 0;
}

/* A deployment that could not be ended is over: what it goes back to is plain HTTP now.
 */
static int close_deployment(struct fall *fall, struct err *err)
{
	struct member *member = fall->member;
	const struct journal *journal = &member->journal;
	const struct journal_change over = {
		.state = STEP_STORED,
		.end = DEPLOY_ROLLED_BACK,
		.text = "the deployment ends in plain HTTP",
	};
	char why[sizeof(journal->why)];

	if (!journal_unfinished(journal) && journal->end != DEPLOY_BROKEN &&
	    journal->end != DEPLOY_WAITING)
		return 0;
	memcpy(why, journal->why, sizeof(why));
	journal_forget_files(&member->journal);
	return member_end(member, &over, why, err) ||
	       journal_sweep(journal, "saved", err);
}

/* The mode first: an answered journal without it would be no fallback to anybody. */
static int answered(struct fall *fall, struct err *err)
{
	const struct target *target = fall->member->target;

	if (wait_for_answer(fall, err))
		return -1;
	fall_note_reset(fall);
	if (close_deployment(fall, err) ||
	    target_mode_write(fall->deployment.folder, target->name, MODE_FALLBACK, err))
		return -1;
	return move_on(fall, STEP_ANSWERED, STEP_NONE, "plain HTTP answers", err);
}

/* ---- the way ------------------------------------------------------------- */

/* Plain HTTP would not come up: everything as it was. */
static int give_up(struct fall *fall, const struct err *cause, struct err *err)
{
	bool touched = fall_has_touched(fall);
	char why[sizeof(err->text)];
	struct err failure;

	snprintf(why, sizeof(why), "%s", cause->text);
	if (fall_put_back(fall, why, &failure))
		return err_set(err, cause->kind,
			       "%s; and the way back failed: %s; it is tried again", why,
			       failure.text);
	return err_set(err, cause->kind, "%s; %s", why,
		       touched ? "tls.json is back and the service runs with it"
			       : "nothing was changed");
}

/* Did one that died have its hands on the service, so that it may be down by us? */
static bool was_restarting(const struct journal *kept)
{
	return kept->exists && (kept->back || kept->intent >= STEP_RESTARTED);
}

static int check(const struct fall *fall, struct err *err)
{
	const struct target *target = fall->member->target;
	enum service_state state;

	if (!target->tls_json || !target->http)
		return err_set(err, ERR_CONFIG,
			       "there is no plain HTTP to fall back to: 'tls_json:' and "
			       "'http:' are needed");
	if (fall->member->mode == MODE_OPERATOR)
		return err_set(err, ERR_CONFIG,
			       "an operator has taken it over: it is left alone until "
			       "'deploy'");
	if (!fall->member->kept.exists && fall->deployment.owner &&
	    owner_check(fall->deployment.owner, target->tls_json, err))
		return -1;
	if (group_inspect(&fall->group, &state, err))
		return -1;
	if (state == SERVICE_IS_STOPPED && fall->member->mode != MODE_FALLBACK &&
	    !was_restarting(&fall->member->kept))
		return err_set(err, ERR_TRANSIENT,
			       "the service is stopped and is not started by us");
	return 0;
}

/* Theirs from here on, and the fallback is over; its guard goes with 'deploy'. A service
 * that we may have stopped is started. */
static int end_as_operators(struct fall *fall, struct err *err)
{
	const struct journal *kept = &fall->member->kept;

	if (was_restarting(kept) && group_start(&fall->group, err))
		return -1;
	if (kept->exists && move_on(fall, kept->state, STEP_NONE,
				    "an operator has written tls.json meanwhile", err))
		return -1;
	return err_set(err, ERR_CONFIG,
		       "an operator has written tls.json meanwhile: it is left alone "
		       "until 'deploy'");
}

/* Somebody has written a tls.json after we had copied ours: theirs wins. */
static int yield_to_operator(struct fall *fall, struct err *err)
{
	struct member *member = fall->member;

	member->selected = true;
	if (member->kept.state < STEP_COPIED)
		return 0;
	if (member_yield_to_operator(member, err))
		return -1;
	return member->mode == MODE_OPERATOR ? end_as_operators(fall, err) : 0;
}

static int fall_back(struct fall *fall, struct err *err)
{
	const struct journal *kept = &fall->member->kept;

	if (kept->state < STEP_GUARDED && guard(fall, err))
		return -1;
	if (kept->state < STEP_COPIED && copy(fall, err))
		return -1;
	if (kept->state < STEP_MOVED && move_away(fall, err))
		return -1;
	if (restart(fall, err))
		return -1;
	return answered(fall, err);
}

/* It fell back long ago: all there is to do is to see that it answers. */
static int see_that_it_answers(struct fall *fall, struct err *err)
{
	const char *http = fall->member->target->http;

	if (!probe_http(http, LOOK_TIMEOUT_S, fall->deployment.cancel, err))
		return 0;
	if (group_start(&fall->group, err))
		return -1;
	return wait_for_answer(fall, err);
}

static int enter(struct fall *fall, struct err *err)
{
	struct member *member = fall->member;
	struct err cause;

	if (check(fall, err) || yield_to_operator(fall, err))
		return -1;
	if (member->mode == MODE_FALLBACK && member->kept.state == STEP_ANSWERED)
		return see_that_it_answers(fall, err);
	if (member->kept.exists && member->kept.back) {
		err_set(&cause, ERR_TRANSIENT, "%s", member->kept.why);
		return give_up(fall, &cause, err);
	}
	member->kept.by_operator = member->kept.by_operator || fall->wish->by_operator;
	if (!fall_back(fall, &cause))
		return 0;
	if (cause.kind == ERR_CANCELLED || member->kept.state < STEP_GUARDED) {
		*err = cause;
		return -1;
	}
	return give_up(fall, &cause, err);
}

/* Nobody wants it any more. */
static int abandon(struct fall *fall, const char *why, struct err *err)
{
	struct member *member = fall->member;

	if (!member->kept.exists || member->kept.intent == STEP_NONE)
		return 0;
	if (member->mode == MODE_OPERATOR)
		return move_on(fall, member->kept.state, STEP_NONE,
			       "an operator has taken the target over", err);
	if (yield_to_operator(fall, err))
		return -1;
	return fall_put_back(fall, why, err);
}

static int open_fall(struct fall *fall, const struct target *target, struct err *err)
{
	fall->deployment.targets = target;
	fall->deployment.n_targets = 1;
	if (members_open(&fall->deployment, &fall->outcome, &fall->member, NULL, err))
		return -1;
	fall->group = (struct group){ &fall->deployment, &fall->member, 1, NULL };
	return 0;
}

static void close_fall(struct fall *fall)
{
	members_close(fall->member, 1);
	deploy_outcome_clear(&fall->outcome);
}

int fallback_enter(const struct deployment *deployment, const struct target *target,
		   const struct fallback_wish *wish, struct err *err)
{
	static const struct fallback_wish none = { 0 };
	struct fall fall = { .deployment = *deployment, .wish = wish ? wish : &none };
	int rc = open_fall(&fall, target, err) || enter(&fall, err) ? -1 : 0;

	close_fall(&fall);
	return rc ? err_wrap(err, "target '%s': fall back to HTTP", target->name) : 0;
}

int fallback_abandon(const struct deployment *deployment, const struct target *target,
		     const char *why, struct err *err)
{
	static const struct fallback_wish none = { 0 };
	struct fall fall = { .deployment = *deployment, .wish = &none };
	int rc = open_fall(&fall, target, err) || abandon(&fall, why, err) ? -1 : 0;

	close_fall(&fall);
	return rc ? err_wrap(err, "target '%s': take the fallback to HTTP back",
			     target->name)
		  : 0;
}

static int yield_on_http(struct fall *fall, bool *ret, struct err *err)
{
	struct member *member = fall->member;
	const struct journal *kept = &member->kept;

	*ret = false;
	if (member->mode != MODE_FALLBACK || (kept->exists && kept->intent != STEP_NONE))
		return 0;
	member->selected = true;
	if (member_yield_to_operator(member, err))
		return -1;
	*ret = member->mode == MODE_OPERATOR;
	return 0;
}

int fallback_yield(const struct deployment *deployment, const struct target *target,
		   bool *ret, struct err *err)
{
	static const struct fallback_wish none = { 0 };
	struct fall fall = { .deployment = *deployment, .wish = &none };
	int rc = open_fall(&fall, target, err) || yield_on_http(&fall, ret, err) ? -1 : 0;

	close_fall(&fall);
	return rc ? err_wrap(err, "target '%s'", target->name) : 0;
}

struct fallback_look fallback_look(const char *folder, const char *target)
{
	char *path = str_printf("%s/targets/%s/fallback.json", folder, target);
	struct fallback_look look = { 0 };
	struct journal journal = { 0 };
	cJSON *json = NULL;
	struct err ignored;

	if (!json_read_file(path, JOURNAL_MAX_BYTES, &json, &ignored) &&
	    !journal_from_json(json, &journal)) {
		look.unfinished = journal.intent != STEP_NONE;
		look.back = look.unfinished && journal.back;
		look.touched = journal.state >= STEP_MOVED ||
			       journal.intent >= STEP_MOVED;
		look.by_operator = journal.by_operator;
	}
	journal_release(&journal);
	cJSON_Delete(json);
	free(path);
	return look;
}

bool fallback_unfinished(const char *folder, const char *target)
{
	return fallback_look(folder, target).unfinished;
}
