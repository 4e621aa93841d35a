/* clock_text.c - instants as text: RFC 3339, tls.json's form, people's, and ASN.1's.
 * HTTP's forms stand in clock_http.c, reading the clocks in the twin files clock.c. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"

void clock_format_rfc3339(int64_t at, char out[CLOCK_TEXT_MAX])
{
	struct civil c = civil_at(at);

	snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)c.year,
		 c.month, c.day, c.hour, c.minute, c.second);
}

void clock_format_basic(int64_t at, char out[CLOCK_TEXT_MAX])
{
	struct civil c = civil_at(at);

	snprintf(out, CLOCK_TEXT_MAX, "%04d%02d%02dT%02d%02d%02d.000Z", (int)c.year,
		 c.month, c.day, c.hour, c.minute, c.second);
}

/* Reads exactly `n` digits and moves on; -1 if there are fewer. */
static int take_digits(const char **p, int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool take(const char **p, const char *one_of)
{
	if (!**p || !strchr(one_of, **p))
		return false;
	(*p)++;
	return true;
}

/* "Z", "z" or "+hh:mm", and the end of the text. */
static int take_offset(const char **p, int *ret_offset_s)
{
	int hours, minutes, sign = **p == '-' ? -1 : 1;

	if (take(p, "Zz")) {
		*ret_offset_s = 0;
		return **p ? -1 : 0;
	}
	if (!take(p, "+-"))
		return -1;
	hours = take_digits(p, 2);
	if (hours < 0 || hours > 23 || !take(p, ":"))
		return -1;
	minutes = take_digits(p, 2);
	if (minutes < 0 || minutes > 59)
		return -1;
	*ret_offset_s = sign * (hours * 3600 + minutes * 60);
	return **p ? -1 : 0;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_at)
{
	const char *p = text;
	struct civil c;
	int offset_s;

	/* A missing field is -1, which no field may be. */
	if ((c.year = take_digits(&p, 4)) < 0 || !take(&p, "-") ||
	    (c.month = take_digits(&p, 2)) < 0 || !take(&p, "-") ||
	    (c.day = take_digits(&p, 2)) < 0 || !take(&p, "Tt") ||
	    (c.hour = take_digits(&p, 2)) < 0 || !take(&p, ":") ||
	    (c.minute = take_digits(&p, 2)) < 0 || !take(&p, ":") ||
	    (c.second = take_digits(&p, 2)) < 0)
		return -1;
	if (take(&p, ".")) {
		if (take_digits(&p, 1) < 0)
			return -1;
		p += strspn(p, "0123456789");
	}
	if (take_offset(&p, &offset_s))
		return -1;
	return civil_to_instant(&c, offset_s, ret_at);
}

void clock_format_people(int64_t at, char out[CLOCK_TEXT_MAX])
{
	struct civil c = civil_at(at);

	if (at == CLOCK_NEVER)
		snprintf(out, CLOCK_TEXT_MAX, "never");
	else
		snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02d %02d:%02d UTC", (int)c.year,
			 c.month, c.day, c.hour, c.minute);
}

/* The local date is written only where it is another one. */
void clock_format_people_local(int64_t at, char out[CLOCK_TEXT_MAX])
{
	struct civil utc = civil_at(at), local;
	char name[16], date[16] = "";
	int offset_s;
	size_t len;

	clock_format_people(at, out);
	if (at == CLOCK_NEVER)
		return;
	clock_local_zone(at, &offset_s, name);
	if (offset_s == 0)
		return;
	local = civil_at(at + offset_s);
	if (local.day != utc.day)
		snprintf(date, sizeof(date), "%04d-%02d-%02d ", (int)(local.year % 10000),
			 local.month, local.day);
	len = strlen(out);
	snprintf(out + len, CLOCK_TEXT_MAX - len, " (%s%02d:%02d %s)", date, local.hour,
		 local.minute, name);
}

void clock_format_day(int64_t at, int64_t now, char out[CLOCK_TEXT_MAX])
{
	static const char *const months[] = { "January", "February", "March",
					      "April",   "May",      "June",
					      "July",    "August",   "September",
					      "October", "November", "December" };
	char zone[16], year[16] = "";
	struct civil day, today;
	int offset_s;

	if (at == CLOCK_NEVER) {
		snprintf(out, CLOCK_TEXT_MAX, "never");
		return;
	}
	clock_local_zone(at, &offset_s, zone);
	day = civil_at(at + offset_s);
	clock_local_zone(now, &offset_s, zone);
	today = civil_at(now + offset_s);
	if (day.year != today.year)
		snprintf(year, sizeof(year), " %04d", (int)(day.year % 10000));
	snprintf(out, CLOCK_TEXT_MAX, "%d %s%s", day.day, months[day.month - 1], year);
}

void clock_format_duration(int64_t seconds, char out[CLOCK_TEXT_MAX])
{
	static const struct {
		uint64_t length_s;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	const char *sign = seconds < 0 ? "-" : "";
	uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	uint64_t first, second;
	size_t i = 0;

	while (i < 3 && left < units[i].length_s)
		i++;
	first = left / units[i].length_s;
	second = i < 3 ? left % units[i].length_s / units[i + 1].length_s : 0;
	if (second)
		snprintf(out, CLOCK_TEXT_MAX, "%s%llu %s %llu %s", sign,
			 (unsigned long long)first, units[i].name,
			 (unsigned long long)second, units[i + 1].name);
	else
		snprintf(out, CLOCK_TEXT_MAX, "%s%llu %s", sign,
			 (unsigned long long)first, units[i].name);
}

int clock_from_asn1(const ASN1_TIME *time, int64_t *ret_at)
{
	struct tm tm;
	struct civil c;

	if (!time || !ASN1_TIME_to_tm(time, &tm)) /* NULL would mean: now */
		return -1;
	c = (struct civil){
		.year = (int64_t)tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec,
	};
	return civil_to_instant(&c, 0, ret_at);
}
