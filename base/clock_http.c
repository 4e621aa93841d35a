/* clock_http.c - HTTP-date (RFC 9110 5.6.7) and Retry-After (10.2.3). */
#include "base/clock.h"

#include <stdbool.h>
#include <string.h>

#include "base/civil.h"

#define YEAR_S (365 * INT64_C(86400))

static const char *const days[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
				    "Friday", "Saturday", "Sunday" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* What each letter of a form stands for; all other characters stand for themselves. */
enum field {
	YEAR4 = 'Y',
	YEAR2 = 'y',
	MONTH = 'M',
	DAY = 'D',
	DAY_BLANK = 'd',
	HOUR = 'h',
	MINUTE = 'm',
	SECOND = 's',
	SHORT_DAY = 'w',
	LONG_DAY = 'W'
};

/* IMF-fixdate, RFC 850, asctime. "Z" is the word GMT. */
static const char *const forms[] = { "w, D M Y h:m:s Z", "W, D-M-y h:m:s Z",
				     "w M d h:m:s Y" };

/* Moves over one of `words`, of which `letters` letters are written (0: all). Returns its
 * place, -1 if none is there. */
static int take_word(const char **p, const char *const *words, int n, size_t letters)
{
	for (int i = 0; i < n; i++) {
		size_t len = letters ? letters : strlen(words[i]);

		if (strncmp(*p, words[i], len) == 0) {
			*p += len;
			return i;
		}
	}
	return -1;
}

static int take_number(const char **p, int digits)
{
	int value = 0;

	for (; digits > 0; digits--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

/* Two digits cannot say which century; 1970 to 2069 is what browsers take them for. */
static int full_year(int two_digits)
{
	if (two_digits < 0)
		return -1;
	return two_digits < 70 ? 2000 + two_digits : 1900 + two_digits;
}

/* Reads one field into *c. -1 if it is not there. */
static int take_field(const char **p, char field, struct civil *c)
{
	static const char *const gmt[] = { "GMT" };

	switch (field) {
	case SHORT_DAY:
		return take_word(p, days, 7, 3);
	case LONG_DAY:
		return take_word(p, days, 7, 0);
	case 'Z':
		return take_word(p, gmt, 1, 0);
	case YEAR4:
		return (int)(c->year = take_number(p, 4));
	case YEAR2:
		return (int)(c->year = full_year(take_number(p, 2)));
	case MONTH:
		return (c->month = take_word(p, months, 12, 3) + 1) ? 0 : -1;
	case DAY_BLANK:
		if (**p == ' ') {
			(*p)++;
			return c->day = take_number(p, 1);
		}
		return c->day = take_number(p, 2);
	case DAY:
		return c->day = take_number(p, 2);
	case HOUR:
		return c->hour = take_number(p, 2);
	case MINUTE:
		return c->minute = take_number(p, 2);
	case SECOND:
		return c->second = take_number(p, 2);
	default:
		return *(*p)++ == field ? 0 : -1;
	}
}

static int take_form(const char *p, const char *form, int64_t *ret_at)
{
	struct civil c = { 0 };

	for (; *form; form++) {
		if (!*p || take_field(&p, *form, &c) < 0)
			return -1;
	}
	p += strspn(p, " \t");
	return *p ? -1 : civil_to_instant(&c, 0, ret_at);
}

int clock_parse_http_date(const char *text, int64_t *ret_at)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (take_form(text, forms[i], ret_at) == 0)
			return 0;
	}
	return -1;
}

int clock_parse_retry_after(const char *text, int64_t now, int64_t *ret_seconds)
{
	const char *end = text + strspn(text, "0123456789");
	int64_t seconds = 0, at;

	if (end > text && !end[strspn(end, " \t")]) {
		for (; text < end && seconds < YEAR_S; text++)
			seconds = seconds * 10 + (*text - '0');
	} else if (clock_parse_http_date(text, &at) == 0) {
		seconds = at > now ? at - now : 0;
	} else {
		return -1;
	}
	*ret_seconds = seconds < YEAR_S ? seconds : YEAR_S;
	return 0;
}
