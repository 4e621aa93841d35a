#include "base/civil.h"

#include <stdbool.h>

#define DAY_S 86400
#define DAYS_400Y 146097  /* days of 400 years, after which the calendar repeats */
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */
#define FIRST_AT INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define LAST_AT INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

/* Howard Hinnant, "chrono-compatible low-level date algorithms": years that begin in
 * March have their leap day at the end, so that months need no table. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t era, year_of_era, day_of_year, day_of_era;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
		     day_of_year;
	return era * DAYS_400Y + day_of_era - EPOCH_DAYS;
}

static void civil_from_days(int64_t days, struct civil *out)
{
	int64_t era, day_of_era, year_of_era, day_of_year, month;

	days += EPOCH_DAYS;
	era = (days >= 0 ? days : days - (DAYS_400Y - 1)) / DAYS_400Y;
	day_of_era = days - era * DAYS_400Y;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
		       day_of_era / (DAYS_400Y - 1)) /
		      365;
	day_of_year = day_of_era -
		      (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	out->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	out->month = (int)(month < 10 ? month + 3 : month - 9);
	out->year = year_of_era + era * 400 + (out->month <= 2);
}

struct civil civil_at(int64_t at)
{
	struct civil civil;
	int64_t days, second;

	if (at < FIRST_AT)
		at = FIRST_AT;
	if (at > LAST_AT)
		at = LAST_AT;
	days = (at - FIRST_AT) / DAY_S + FIRST_AT / DAY_S;
	second = (at - FIRST_AT) % DAY_S;
	civil_from_days(days, &civil);
	civil.hour = (int)(second / 3600);
	civil.minute = (int)(second / 60 % 60);
	civil.second = (int)(second % 60);
	return civil;
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int civil_to_instant(const struct civil *civil, int64_t offset_s, int64_t *ret_at)
{
	int64_t at;

	if (civil->year < 0 || civil->year > 9999 || civil->month < 1 ||
	    civil->month > 12)
		return -1;
	if (civil->day < 1 || civil->day > days_in_month(civil->year, civil->month))
		return -1;
	if (civil->hour < 0 || civil->hour > 23 || civil->minute < 0 ||
	    civil->minute > 59 || civil->second < 0 || civil->second > 60)
		return -1;
	at = days_from_civil(civil->year, civil->month, civil->day) * DAY_S +
	     civil->hour * INT64_C(3600) + civil->minute * INT64_C(60) + civil->second -
	     offset_s;
	if (civil->second == 60 && (at - FIRST_AT) % DAY_S != 0)
		return -1; /* leap seconds are put in before midnight UTC, nowhere else */
	*ret_at = at;
	return 0;
}
