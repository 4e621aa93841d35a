#include "hooks/fallback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "hooks/listener.h"
#include "hooks/programs.h"
#include "hooks/transaction.h"

#define JOURNAL_MAX_BYTES (4 * 1024 * 1024)
#define LOOK_TIMEOUT_S 5
#define PAUSE_MS 200

struct fall { /* one way down; the target is the deployment's only one */
	struct deployment deployment;
	struct deploy_outcome outcome;
	struct member *member;
	struct group group;
};

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
			       guarded ? "the guard is on" : "settings are copied", err);
	if (failure.kind == ERR_CANCELLED) {
		*err = failure;
		return -1;
	}
	if (target->even_if_guard_fails) {
		char *text = str_printf("before_fallback failed, it falls back all the "
					"same (even_if_guard_fails): %s",
					failure.text);
		int rc = move_on(fall, STEP_GUARDED, STEP_COPIED, text, err);

		free(text);
		return rc;
	}
	(void)journal_remove(&fall->member->kept, &ignored);
	return err_set(err, failure.kind,
		       "no fallback, everything is left as it was, because "
		       "before_fallback failed: %s",
		       failure.text);
}

static int add_record(struct fall *fall, const struct change *change, const char *id,
		      struct err *err)
{
	struct journal *kept = &fall->member->kept;
	struct saved saved;
	char *copy;
	int rc;

	if (journal_file(kept, change->path))
		return 0;
	copy = str_printf("settings/%s/%zu", id, kept->n_files);
	rc = saved_take(change, kept->folder, copy, &saved, err);
	if (!rc)
		journal_add_file(kept, &saved);
	free(copy);
	return rc;
}

static int add_copy(struct fall *fall, const char *path, const char *id, struct err *err)
{
	char *name = str_dup(path);
	const struct change change = { .kind = CHANGE_WATCHED, .path = name };
	int rc = add_record(fall, &change, id, err);

	free(name);
	return rc;
}

/* Who could listen to plain HTTP is not known: no better than a guard that failed. */
static int judge_listener(struct fall *fall, int rc, struct err *err)
{
	const struct target *target = fall->member->target;

	if (!rc || !target->even_if_guard_fails || err->kind == ERR_CANCELLED)
		return rc;
	deploy_say(&fall->deployment, target->name, "fallback",
		   "it falls back all the same (even_if_guard_fails): %s", err->text);
	return 0;
}

/* Notes how listener.json is and how it will be, where it is open to everybody. */
static int copy_listener(struct fall *fall, const char *id, struct err *err)
{
	const char *path = fall->member->target->listener_json;
	struct change_list list = { 0 };
	bool open;
	int rc = 0;

	if (!path)
		return 0;
	rc = listener_plan(path, &list, &open, err);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = add_record(fall, &list.items[i], id, err);
	change_list_clear(&list);
	return judge_listener(fall, rc, err);
}

/* Plain HTTP for the machine itself only. Done already, or an operator's own: left. */
static int close_listener(struct fall *fall, struct err *err)
{
	const char *path = fall->member->target->listener_json;
	struct saved *saved = path ? journal_file(&fall->member->kept, path) : NULL;
	struct change_list list = { 0 };
	enum saved_look look;
	bool open;
	int rc;

	if (!saved)
		return 0;
	if (saved_look(saved, &look, err))
		return -1;
	if (look != LOOK_SAVED)
		return 0;
	rc = listener_plan(path, &list, &open, err);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = saved_apply(saved, &list.items[i], err);
	change_list_clear(&list);
	return judge_listener(fall, rc, err);
}

/* Theobald's settings: `config/server*` below the installation, or above tls.json. */
static char *settings_pattern(const struct target *target)
{
	char *folder, *config, *pattern;

	if (target->install_dir)
		return str_printf("%s/config/server*", target->install_dir);
	folder = path_parent(target->tls_json);
	config = path_parent(folder);
	pattern = path_join(config, "server*");
	free(config);
	free(folder);
	return pattern;
}

static int copy_settings(struct fall *fall, const char *id, struct err *err)
{
	char *pattern = settings_pattern(fall->member->target);
	struct strlist folders = { 0 };
	int rc = dir_glob(pattern, &folders, err);

	for (size_t i = 0; i < folders.n && !rc; i++) {
		struct strlist files = { 0 };

		rc = dir_find(folders.items[i], ".json", &files, err);
		for (size_t j = 0; j < files.n && !rc; j++)
			rc = add_copy(fall, files.items[j], id, err);
		strlist_clear(&files);
	}
	strlist_clear(&folders);
	free(pattern);
	return rc;
}

static int copy_all(struct fall *fall, struct err *err)
{
	struct journal *kept = &fall->member->kept;
	char id[9];

	random_hex(id, 8);
	if (add_copy(fall, fall->member->target->tls_json, id, err) ||
	    copy_settings(fall, id, err) || copy_listener(fall, id, err))
		return err_wrap(err, "copy the settings");
	memcpy(kept->files[0].new_sha256, "absent", sizeof("absent"));
	return move_on(fall, STEP_COPIED, STEP_MOVED, "tls.json and settings are copied",
		       err);
}

static int move_away(struct fall *fall, struct err *err)
{
	const char *path = fall->member->target->tls_json;
	char *real = NULL;
	int rc = -1;

	if (close_listener(fall, err))
		return err_wrap(err, "limit plain HTTP to this machine");
	if (!file_resolve_trusted(path, &real, err) && !file_remove(real, err))
		rc = move_on(fall, STEP_MOVED, STEP_RESTARTED,
			     "tls.json is moved into the state directory", err);
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
		       "the service is restarted without tls.json", err);
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

/* The mode first: an answered journal without it would be no fallback to anybody. */
static int answered(struct fall *fall, struct err *err)
{
	const struct target *target = fall->member->target;

	if (wait_for_answer(fall, err) ||
	    target_mode_write(fall->deployment.folder, target->name, MODE_FALLBACK, err))
		return -1;
	return move_on(fall, STEP_ANSWERED, STEP_NONE, "plain HTTP answers", err);
}

/* ---- putting it back ----------------------------------------------------- */

/* tls.json is the first of them, and comes last: one that cannot be put back must not
 * keep it away. The first failure is the one that people hear. */
static int put_files_back(struct fall *fall, struct err *err)
{
	struct journal *kept = &fall->member->kept;
	struct err failure;
	int rc = 0;

	for (size_t i = kept->n_files; i-- > 0;) {
		enum saved_look look;

		if (!saved_look(&kept->files[i], &look, &failure) &&
		    (look != LOOK_OURS ||
		     !saved_restore(&kept->files[i], kept->folder, &failure)))
			continue;
		if (!rc)
			*err = failure;
		rc = -1;
	}
	return rc;
}

/* Plain HTTP would not come up: tls.json back, service up, guard off. */
static int put_back(struct fall *fall, const char *why, struct err *err)
{
	struct member *member = fall->member;
	const struct journal_change back = {
		.state = member->kept.state,
		.intent = STEP_MOVED,
		.back = true,
		.text = "plain HTTP did not come up: tls.json is put back",
	};
	struct err failure;
	int rc = 0;

	str_copy(member->kept.why, sizeof(member->kept.why), why);
	str_make_printable(member->kept.why);
	if (journal_move(&member->kept, &back, err))
		return -1;
	if (put_files_back(fall, err)) {
		/* It is tried again, and the application must not be down until then. */
		(void)group_start(&fall->group, &failure);
		return err_wrap(err, "put the files back");
	}
	if (member->mode == MODE_FALLBACK &&
	    target_mode_write(fall->deployment.folder, member->target->name, MODE_HTTPS,
			      err))
		return -1;
	if (member->target->service.kind != SERVICE_NONE)
		rc = service_start(&member->target->service, NULL, err);
	if (guard_off(&fall->deployment, member->target, &failure))
		deploy_say(&fall->deployment, member->target->name, "fallback",
			   "after_fallback: %s", failure.text);
	if (rc)
		return -1;
	return journal_remove(&member->kept, err) ||
	       journal_sweep(&member->kept, "settings", err);
}

static int give_up(struct fall *fall, const struct err *cause, struct err *err)
{
	char why[sizeof(err->text)];
	struct err failure;

	snprintf(why, sizeof(why), "%s", cause->text);
	if (put_back(fall, why, &failure))
		return err_set(err, cause->kind,
			       "%s; and the way back failed: %s; it is tried again", why,
			       failure.text);
	return err_set(err, cause->kind,
		       "%s; tls.json is back and the service runs with it", why);
}

/* ---- the way ------------------------------------------------------------- */

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
			       "an operator has taken it over: it is left alone");
	if (group_inspect(&fall->group, &state, err))
		return -1;
	if (state == SERVICE_IS_STOPPED && !fall->member->kept.exists)
		return err_set(err, ERR_TRANSIENT,
			       "the service is stopped and is not started by us");
	return 0;
}

/* Somebody has written a tls.json after we had moved it away: theirs wins. */
static int yield_to_operator(struct fall *fall, struct err *err)
{
	struct member *member = fall->member;

	member->selected = true;
	if (member->kept.state < STEP_MOVED)
		return 0;
	if (member_yield_to_operator(member, err))
		return -1;
	if (member->mode != MODE_OPERATOR)
		return 0;
	return err_set(err, ERR_CONFIG,
		       "an operator has written tls.json meanwhile: it is left alone");
}

static int fall_back(struct fall *fall, struct err *err)
{
	const struct journal *kept = &fall->member->kept;

	if (kept->state < STEP_GUARDED && guard(fall, err))
		return -1;
	if (kept->state < STEP_COPIED && copy_all(fall, err))
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
	if (!fall_back(fall, &cause))
		return 0;
	if (cause.kind == ERR_CANCELLED || member->kept.state < STEP_GUARDED) {
		*err = cause;
		return -1;
	}
	return give_up(fall, &cause, err);
}

int fallback_enter(const struct deployment *deployment, const struct target *target,
		   struct err *err)
{
	struct fall fall = { .deployment = *deployment };
	int rc = -1;

	fall.deployment.targets = target;
	fall.deployment.n_targets = 1;
	if (!members_open(&fall.deployment, &fall.outcome, &fall.member, NULL, err)) {
		fall.group = (struct group){ &fall.deployment, &fall.member, 1, NULL };
		rc = enter(&fall, err);
	}
	members_close(fall.member, 1);
	deploy_outcome_clear(&fall.outcome);
	return rc ? err_wrap(err, "target '%s': fall back to HTTP", target->name) : 0;
}

bool fallback_unfinished(const char *folder, const char *target)
{
	char *path = str_printf("%s/targets/%s/fallback.json", folder, target);
	cJSON *json = NULL;
	struct err ignored;
	bool unfinished = false;

	if (!json_read_file(path, JOURNAL_MAX_BYTES, &json, &ignored))
		unfinished = !str_equal(json_string(json, "intent"), "none");
	cJSON_Delete(json);
	free(path);
	return unfinished;
}
