#include "daemon/report_rehearsal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/rehearsal.h"
#include "daemon/window.h"

static struct rehearsal_whole read_whole(const struct known *known,
					 struct strlist *damaged)
{
	struct rehearsals rehearsals = { 0 };
	struct rehearsal_whole whole;
	struct err err = { 0 };

	(void)rehearsal_read(known->folder, &rehearsals, &err);
	report_damage(damaged, &err);
	whole = rehearsals.whole;
	rehearsals_clear(&rehearsals);
	/* The renewal that it was about is over. */
	if (rehearsal_is_over(&whole, known->job.last_renewed_at,
			      known->state.verified_at))
		whole.outcome = REHEARSED_NOT;
	return whole;
}

/* When it is to be: the renewal, or the first window that the certificate waits for. */
static int64_t day_of(const struct known *known, const struct rehearsal_whole *whole,
		      int64_t renewal_at)
{
	int64_t first = CLOCK_NEVER;

	if (!whole->deployment)
		return renewal_at;
	for (size_t i = 0; i < known->config->n_targets; i++) {
		const struct target *target = &known->config->targets[i];
		int64_t opens = target->n_windows
					? window_next(target->windows, target->n_windows,
						      known->now, window_local_zone)
					: CLOCK_NEVER;

		first = opens < first ? opens : first;
	}
	return first;
}

void report_rehearsal_json(const struct known *known, int64_t renewal_at, cJSON *json,
			   struct strlist *damaged)
{
	struct rehearsal_whole whole = read_whole(known, damaged);
	int64_t day_at = day_of(known, &whole, renewal_at);
	cJSON *object;
	char *text;

	if (!whole.at && !whole.next_at) {
		cJSON_AddNullToObject(json, "rehearsal");
		return;
	}
	object = cJSON_AddObjectToObject(json, "rehearsal");
	text = rehearsal_sentence(&whole, known->config->name, day_at, known->now);
	report_set_instant(object, "at", whole.at);
	report_set_instant(object, "next_at", whole.next_at);
	json_set_string(object, "outcome", rehearsal_outcome_name(whole.outcome));
	report_set_instant(object, "renewal_at", day_at);
	json_set_bool(object, "ordered", whole.ordered);
	json_set_string(object, "text", text);
	json_set_string(object, "why", whole.outcome >= REHEARSED_BUT ? whole.why : NULL);
	free(text);
}

void report_rehearsal_explain(const struct known *known, int64_t renewal_at,
			      struct buf *out, struct strlist *damaged)
{
	struct rehearsal_whole whole = read_whole(known, damaged);
	char at[CLOCK_TEXT_MAX], next[CLOCK_TEXT_MAX];
	char *text;

	if (!known->config->rehearse_every_s) {
		buf_printf(out, "%-17s not rehearsed (rehearse: no)\n", "next renewal");
		return;
	}
	if (!whole.at && !whole.next_at)
		return;
	clock_format_people_local(whole.at, at);
	clock_format_people_local(whole.next_at, next);
	text = rehearsal_sentence(&whole, known->config->name,
				  day_of(known, &whole, renewal_at), known->now);
	buf_printf(out, "%-17s %s", "next renewal", text);
	if (whole.outcome != REHEARSED_NOT)
		buf_printf(out, "; rehearsed %s", at);
	if (whole.next_at)
		buf_printf(out, ", again by %s", next);
	buf_puts(out, "\n");
	free(text);
}

void report_rehearsal_print(const cJSON *certificate, bool colour, struct buf *out)
{
	static const char *const codes[] = { "\033[32m", "\033[33m", "\033[31m" };
	const cJSON *rehearsal = cJSON_GetObjectItemCaseSensitive(certificate,
								  "rehearsal");
	const char *text = json_string(rehearsal, "text");
	const char *outcome = json_string(rehearsal, "outcome");
	char people[CLOCK_TEXT_MAX];
	const char *code = codes[0];
	int64_t at;

	if (!text || !outcome || clock_parse_rfc3339(json_string(rehearsal, "at"), &at))
		return;
	if (!strcmp(outcome, "will_succeed_but"))
		code = codes[1];
	if (!strcmp(outcome, "will_fail"))
		code = codes[2];
	clock_format_people_local(at, people);
	buf_printf(out, "  %-12s %s%s%s, rehearsed %s\n", "rehearsal", colour ? code : "",
		   text, colour ? "\033[0m" : "", people);
}
