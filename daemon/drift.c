#include "daemon/drift.h"

#include <stddef.h>

/* A moment further ahead than any of ours was written by a clock that was wrong. */
#define FAR_AHEAD_S ((int64_t)2 * DRIFT_RESTART_EVERY_S)

static const enum drift_action of_file[] = {
	[DRIFT_FILE_NONE] = DRIFT_NONE,      [DRIFT_FILE_RIGHT] = DRIFT_NONE,
	[DRIFT_FILE_BEFORE] = DRIFT_HEAL,    [DRIFT_FILE_REMOVED] = DRIFT_OPERATOR,
	[DRIFT_FILE_OFF] = DRIFT_OPERATOR,   [DRIFT_FILE_CHOSEN] = DRIFT_OPERATOR,
	[DRIFT_FILE_INVALID] = DRIFT_REPORT, [DRIFT_FILE_UNREADABLE] = DRIFT_REPORT,
};

static const enum drift_action of_store[] = {
	[DRIFT_STORE_RIGHT] = DRIFT_NONE,     [DRIFT_STORE_LOST] = DRIFT_HEAL,
	[DRIFT_STORE_BEFORE] = DRIFT_HEAL,    [DRIFT_STORE_OTHER] = DRIFT_REPORT,
	[DRIFT_STORE_UNKNOWN] = DRIFT_REPORT,
};

static const enum drift_action of_settings[] = {
	[DRIFT_SETTINGS_RIGHT] = DRIFT_NONE,
	[DRIFT_SETTINGS_BEFORE] = DRIFT_HEAL,
	[DRIFT_SETTINGS_OTHER] = DRIFT_REPORT,
};

static const enum drift_action of_served[] = {
	[DRIFT_SERVED_UNKNOWN] = DRIFT_NONE,   [DRIFT_SERVED_RIGHT] = DRIFT_NONE,
	[DRIFT_SERVED_BEFORE] = DRIFT_HEAL,    [DRIFT_SERVED_OTHER] = DRIFT_REPORT,
	[DRIFT_SERVED_NOTHING] = DRIFT_REPORT,
};

int64_t drift_rests_until(int64_t restarted_at, int64_t now)
{
	int64_t until = restarted_at + DRIFT_RESTART_EVERY_S;

	return restarted_at && restarted_at <= now && until > now ? until : 0;
}

/* Something is to be put back. When? */
static struct drift_verdict heal(const struct drift_facts *facts, enum drift_place place,
				 int64_t now)
{
	struct drift_verdict verdict = { .action = DRIFT_LATER, .place = place };
	bool serves = facts->served == DRIFT_SERVED_BEFORE ||
		      facts->served == DRIFT_SERVED_OTHER;

	if (facts->key_lost) {
		verdict.action = DRIFT_REPORT;
		return verdict;
	}
	verdict.restart = !facts->stopped && facts->served != DRIFT_SERVED_RIGHT;
	if (facts->retry_at > now && facts->retry_at <= now + FAR_AHEAD_S)
		verdict.at = facts->retry_at;
	else if (verdict.restart && drift_rests_until(facts->restarted_at, now))
		verdict.at = drift_rests_until(facts->restarted_at, now);
	else if (verdict.restart && serves && facts->window_at > now)
		verdict.at = facts->window_at;
	else
		verdict.action = DRIFT_HEAL;
	return verdict;
}

/* What somebody decided comes first, then what we must not touch, then what we heal. */
struct drift_verdict drift_decide(const struct drift_facts *facts, int64_t now)
{
	const struct {
		enum drift_action action;
		enum drift_place place;
	} found[] = {
		{ of_file[facts->file], DRIFT_IN_FILE },
		{ of_store[facts->store], DRIFT_IN_STORE },
		{ of_settings[facts->settings], DRIFT_IN_SETTINGS },
		{ facts->stopped ? DRIFT_NONE : of_served[facts->served],
		  DRIFT_IN_SERVED },
	};
	static const enum drift_action order[] = { DRIFT_OPERATOR, DRIFT_REPORT,
						   DRIFT_HEAL };
	const size_t n = sizeof(found) / sizeof(*found);
	bool files_heal = false;

	if (facts->mode != MODE_HTTPS)
		return (struct drift_verdict){ 0 };
	for (size_t i = 0; i + 1 < n; i++)
		files_heal = files_heal || found[i].action == DRIFT_HEAL;
	for (size_t k = 0; k < sizeof(order) / sizeof(*order); k++) {
		for (size_t i = 0; i < n; i++) {
			/* What is served follows the files: they are healed first. */
			if (found[i].action != order[k] ||
			    (found[i].place == DRIFT_IN_SERVED && files_heal))
				continue;
			if (order[k] == DRIFT_HEAL)
				return heal(facts, found[i].place, now);
			return (struct drift_verdict){ .action = order[k],
						       .place = found[i].place };
		}
	}
	return (struct drift_verdict){ 0 };
}
