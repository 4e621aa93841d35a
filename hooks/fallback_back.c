/* Down to plain HTTP in vain: tls.json back, service up, guard off. */
#include "hooks/fallback_parts.h"

#include "base/str.h"
#include "hooks/programs.h"

bool fall_has_touched(const struct fall *fall)
{
	const struct journal *kept = &fall->member->kept;

	return kept->state >= STEP_MOVED || kept->intent >= STEP_MOVED;
}

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
		     !saved_restore(&kept->files[i], kept->folder, &failure))) {
			change_tidy(kept->files[i].kind, kept->files[i].path);
			continue;
		}
		if (!rc)
			*err = failure;
		rc = -1;
	}
	return rc;
}

/* Direction back, durable before the first undo. When that cannot be written the
 * application must come up all the same: the next run would go down once more, and come
 * back here. */
static int turn_around(struct fall *fall, const char *why, struct err *err)
{
	struct journal *kept = &fall->member->kept;
	bool touched = fall_has_touched(fall);
	const struct journal_change back = {
		.state = kept->state,
		.intent = touched ? STEP_MOVED : STEP_COPIED,
		.back = true,
		.text = touched ? "tls.json is put back"
				: "the guard is taken off, nothing else was changed",
	};

	str_copy(kept->why, sizeof(kept->why), why);
	str_make_printable(kept->why);
	return journal_move(kept, &back, err);
}

static int restore(struct fall *fall, struct err *err)
{
	const struct service *service = &fall->member->target->service;
	struct err ignored;

	if (put_files_back(fall, err)) {
		/* It is tried again, and the application must not be down until then. */
		(void)group_start(&fall->group, &ignored);
		return err_wrap(err, "put the files back");
	}
	if (fall->member->mode == MODE_FALLBACK &&
	    target_mode_write(fall->deployment.folder, fall->member->target->name,
			      MODE_HTTPS, err))
		return -1;
	return service->kind == SERVICE_NONE ? 0 : service_start(service, NULL, err);
}

/* Once: what has come to its end is noted before the journal goes. */
static int release(struct fall *fall, struct err *err)
{
	struct journal *kept = &fall->member->kept;
	const struct journal_change released = {
		.state = STEP_RELEASED,
		.intent = kept->intent,
		.back = true,
		.text = guard_exists(fall->member->target) ? "the guard is off"
							   : "plain HTTP is over",
	};
	struct err failure;

	if (kept->state >= STEP_RELEASED)
		return 0;
	if (guard_off(&fall->deployment, fall->member->target, &failure))
		fall_say(fall, "after_fallback: %s", failure.text);
	return journal_move(kept, &released, err);
}

int fall_put_back(struct fall *fall, const char *why, struct err *err)
{
	struct journal *kept = &fall->member->kept;
	bool touched = fall_has_touched(fall);
	struct err unwritten = { 0 };
	int rc = turn_around(fall, why, &unwritten);

	if (touched && restore(fall, err))
		return -1;
	if (rc) {
		*err = unwritten;
		return -1;
	}
	if (release(fall, err) || journal_remove(kept, err))
		return -1;
	return journal_sweep(kept, "settings", err);
}
