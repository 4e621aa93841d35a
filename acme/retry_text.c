#include "acme/retry_text.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define MARK "retry after "
#define DATE_LEN 10 /* "2026-11-21" */
#define TIME_LEN 8  /* "10:00:00" */

/* Does `text` begin with that word, any case, and end there? */
static bool is_zone(const char *text, const char *zone)
{
	char head[16];
	size_t len = strlen(zone);

	str_copy(head, len + 1, text);
	return str_equal_nocase(head, zone) &&
	       !strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		       text[len] ? text[len] : ' ');
}

static bool read_instant(const char *text, int64_t *ret_at)
{
	static const char *const zones[] = { "Z",          " UTC",   " GMT",
					     " +0000 UTC", " +0000", "+00:00" };
	char instant[DATE_LEN + 1 + TIME_LEN + 2];
	const char *rest;

	if (strlen(text) <= DATE_LEN + 1 + TIME_LEN || !strchr(" Tt", text[DATE_LEN]))
		return false;
	memcpy(instant, text, DATE_LEN + 1 + TIME_LEN);
	instant[DATE_LEN] = 'T';
	memcpy(instant + DATE_LEN + 1 + TIME_LEN, "Z", 2);
	rest = text + DATE_LEN + 1 + TIME_LEN;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		if (is_zone(rest, zones[i]))
			return clock_parse_rfc3339(instant, ret_at) == 0;
	}
	return false;
}

bool retry_text_find(const char *text, int64_t *ret_at)
{
	char head[sizeof(MARK)];

	for (; *text; text++) {
		str_copy(head, sizeof(head), text);
		if (str_equal_nocase(head, MARK) &&
		    read_instant(text + strlen(MARK), ret_at))
			return true;
	}
	return false;
}
