#include "daemon/report_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/watch.h"

static void read_sightings(const char *folder, struct sightings *ret,
			   struct strlist *damaged)
{
	struct err err;

	*ret = (struct sightings){ 0 };
	if (sightings_read(folder, ret, &err) || err.kind != ERR_NONE)
		strlist_add(damaged, err.text);
}

static void set_instant(cJSON *object, const char *name, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	clock_format_rfc3339(at, text);
	json_set_string(object, name, at ? text : NULL);
}

static struct watch_verdict verdict_on(const struct certificate_config *certificate,
				       const struct sighting *one, int64_t now)
{
	return watch_decide(&certificate->renew_at, one->not_before, one->not_after, now);
}

/* ---- status -------------------------------------------------------------- */

static cJSON *sighting_json(const struct certificate_config *certificate,
			    const struct sighting *one, int64_t now)
{
	cJSON *json = cJSON_CreateObject();
	struct watch_verdict verdict;

	json_set_string(json, "target", one->target);
	json_set_string(json, "where", one->where);
	json_set_string(json, "problem", one->problem);
	json_set_string(json, "sha1", one->sha1[0] ? one->sha1 : NULL);
	if (!one->sha1[0])
		return json;
	verdict = verdict_on(certificate, one, now);
	set_instant(json, "not_after", one->not_after);
	set_instant(json, "seen_at", one->seen_at);
	json_set_string(json, "step", watch_step_name(verdict.step));
	return json;
}

void report_watch_json(const struct certificate_config *certificate, const char *folder,
		       int64_t now, cJSON *json, struct strlist *damaged)
{
	cJSON *array = cJSON_AddArrayToObject(json, "watched");
	const struct sighting *first;
	struct sightings list;

	read_sightings(folder, &list, damaged);
	for (size_t i = 0; i < list.n; i++)
		cJSON_AddItemToArray(array,
				     sighting_json(certificate, &list.items[i], now));
	first = sightings_first_to_end(&list, NULL);
	json_set_bool(json, "present", first != NULL);
	if (first) {
		json_set_string(json, "sha1", first->sha1);
		set_instant(json, "not_before", first->not_before);
		set_instant(json, "not_after", first->not_after);
		json_set_int(json, "remaining_s", first->not_after - now);
	}
	sightings_clear(&list);
}

void report_watch_print(const cJSON *certificate, int64_t now, struct buf *out)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(certificate, "watched");
	const cJSON *one;

	buf_puts(out, "  only watched: nothing is ordered, deployed or restarted here\n");
	if (!cJSON_GetArraySize(list))
		buf_puts(out, "  nothing was looked at yet\n");
	cJSON_ArrayForEach (one, list) {
		const char *until = json_string(one, "not_after");
		const char *problem = json_string(one, "problem");
		char date[CLOCK_TEXT_MAX], left[CLOCK_TEXT_MAX];
		int64_t at;

		buf_printf(out, "  at %s (%s): ", json_string(one, "where"),
			   json_string(one, "target"));
		if (until && !clock_parse_rfc3339(until, &at)) {
			clock_format_people_local(at, date);
			clock_format_duration(at > now ? at - now : now - at, left);
			buf_printf(out, "%s, %s %s (%s%s%s), %s",
				   json_string(one, "sha1"),
				   at > now ? "expires" : "expired", date,
				   at > now ? "in " : "", left, at > now ? "" : " ago",
				   json_string(one, "step"));
		} else {
			buf_puts(out, "no certificate was ever seen");
		}
		buf_printf(out, "%s%s\n", problem ? "; not seen now: " : "",
			   problem ? problem : "");
	}
}

/* ---- explain ------------------------------------------------------------- */

/* The steps that are still to come, each with its date. */
static void explain_steps(const struct certificate_config *certificate,
			  const struct sighting *one, int64_t now, struct buf *out)
{
	struct watch_verdict verdict = verdict_on(certificate, one, now);
	char when[CLOCK_TEXT_MAX];

	buf_printf(out, "%-17s %s\n", "now", watch_step_name(verdict.step));
	while (verdict.next_at != CLOCK_NEVER) {
		clock_format_people_local(verdict.next_at, when);
		verdict = verdict_on(certificate, one, verdict.next_at);
		buf_printf(out, "%-17s %s\n", watch_step_name(verdict.step), when);
	}
}

void report_watch_explain(const struct certificate_config *certificate,
			  const char *folder, int64_t now, struct buf *out,
			  struct strlist *damaged)
{
	struct sightings list;
	char when[CLOCK_TEXT_MAX];

	buf_printf(out, "%-17s %s\n", "issuer",
		   "none: only watched, nothing is ordered, deployed or restarted here");
	read_sightings(folder, &list, damaged);
	if (!list.n)
		buf_printf(out, "%-17s nothing was looked at yet\n", "seen");
	for (size_t i = 0; i < list.n; i++) {
		const struct sighting *one = &list.items[i];

		buf_printf(out, "%-17s %s of target '%s'\n", "place", one->where,
			   one->target);
		if (one->problem)
			buf_printf(out, "%-17s %s\n", "not seen now", one->problem);
		if (!one->sha1[0])
			continue;
		clock_format_people_local(one->seen_at, when);
		buf_printf(out, "%-17s %s, last seen %s\n", "thumbprint", one->sha1,
			   when);
		explain_steps(certificate, one, now, out);
	}
	sightings_clear(&list);
}
