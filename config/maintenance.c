/* maintenance.c - "Sat,Sun 22:00-04:00": when an application may be restarted. */
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/target.h"
#include "config/readers.h"

#define N_DAYS 7
#define EVERY_DAY ((1U << N_DAYS) - 1)
#define DAY_S (24 * 3600)

static const char *const days[N_DAYS] = {
	"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"
};

/* Steps over the name of a day; -1: there is none. */
static int read_day(const char **at)
{
	for (int day = 0; day < N_DAYS; day++) {
		char name[4];

		str_copy(name, sizeof(name), *at);
		if (str_equal_nocase(name, days[day])) {
			*at += strlen(days[day]);
			return day;
		}
	}
	return -1;
}

/* "Mon-Fri" or "Sat", added to the days. -1: neither. "Sat-Mon" goes round the end. */
static int read_days(const char **at, unsigned *days_found)
{
	int first = read_day(at), last = first;

	if (first < 0)
		return -1;
	if (**at == '-') {
		(*at)++;
		last = read_day(at);
	}
	if (last < 0)
		return -1;
	for (int day = first;; day = (day + 1) % N_DAYS) {
		*days_found |= 1U << day;
		if (day == last)
			return 0;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "22:00" -> seconds since midnight; up to 24:00. -1: no time of day. */
static int read_time(const char **at, int *ret_s)
{
	const char *t = *at;
	int hours, minutes;

	if (!is_digit(t[0]) || !is_digit(t[1]) || t[2] != ':' || !is_digit(t[3]) ||
	    !is_digit(t[4]))
		return -1;
	hours = (t[0] - '0') * 10 + t[1] - '0';
	minutes = (t[3] - '0') * 10 + t[4] - '0';
	if (minutes > 59 || hours * 60 + minutes > 24 * 60)
		return -1;
	*ret_s = hours * 3600 + minutes * 60;
	*at = t + strlen("22:00");
	return 0;
}

/* NULL, or why it is no window. Without days it is every day. */
static const char *read_window(const char *text, struct window *ret)
{
	const char *at = text;

	*ret = (struct window){ 0 };
	if (is_digit(*at)) {
		ret->days = EVERY_DAY;
	} else {
		for (;; at++) {
			if (read_days(&at, &ret->days))
				return "does not begin with days: expected Mon, Tue, "
				       "Wed, "
				       "Thu, Fri, Sat or Sun, as in Sat,Sun 22:00-04:00 "
				       "or Mon-Fri 01:00-03:00";
			if (*at != ',')
				break;
		}
		if (*at != ' ')
			return "has no times behind the days: expected as in Sat,Sun "
			       "22:00-04:00";
		at += strspn(at, " ");
	}
	if (read_time(&at, &ret->begin_s) || *at++ != '-' ||
	    read_time(&at, &ret->end_s) || *at || ret->begin_s == DAY_S)
		return "has no two times of day: expected from 00:00 to 24:00, as in "
		       "22:00-04:00";
	if (ret->begin_s == ret->end_s)
		return "begins and ends at the same time: write 00:00-24:00 for a whole "
		       "day";
	ret->end_s %= DAY_S;
	return NULL;
}

void read_maintenance(struct reading *r, const struct frame *frame,
		      const struct field *field, struct node *list, void *base)
{
	struct window *windows = arena_calloc(r->values.arena, list->n + 1,
					      sizeof(*windows));
	size_t n = 0;

	if (field->max && !field_in_bounds(field, (int64_t)list->n))
		field_problem(r, frame, field->key, list->place,
			      "has %zu entries: expected from %lld to %lld", list->n,
			      (long long)field->min, (long long)field->max);
	for (const struct node *item = list->first; item; item = item->next) {
		const char *why = NULL;

		if (item->type == NODE_REFUSED)
			continue;
		if (item->type == NODE_SCALAR && !node_is_null(item))
			why = read_window(item->text, &windows[n]);
		if (item->type != NODE_SCALAR || node_is_null(item) || why)
			field_wrong(r, frame, field, item, why);
		else
			n++;
	}
	*(const struct window **)((char *)base + field->offset) = windows;
	*(size_t *)((char *)base + field->count) = n;
}
