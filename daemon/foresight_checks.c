/* foresight_checks.c - one function a setting that shorter lifetimes can break. */
#include "daemon/foresight_checks.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/renewal.h"

#define DAY_S INT64_C(86400)
#define WEEK_S (7 * DAY_S)
#define SHORT_S (47 * DAY_S)        /* the CA/Browser Forum's last word */
#define OFTEN_S (64 * DAY_S)        /* more than six times a year */
#define SAFETY_PARTS 10             /* window.c: a tenth of the lifetime, a day at most */
#define TEXT_MAX ((size_t)8 * 1024) /* a certificate has as many targets as it likes */

struct question {
	const struct certificate_config *certificate;
	int64_t lifetime_s;
	int64_t interval_s; /* between two planned renewals */
	struct buf *out;
};

static void say(const struct question *q, const char *sentence)
{
	if (q->out->len + strlen(sentence) + 2 < TEXT_MAX)
		buf_printf(q->out, "%s%s", q->out->len ? "; " : "", sentence);
}

static void check_renew_at(const struct question *q)
{
	const struct renew_at *at = &q->certificate->renew_at;
	char left[CLOCK_TEXT_MAX], between[CLOCK_TEXT_MAX];
	char *text;

	if (at->kind != RENEW_DURATION || at->duration_s <= q->lifetime_s / 2)
		return;
	clock_format_duration(at->duration_s, left);
	clock_format_duration(q->interval_s, between);
	if (at->duration_s >= q->lifetime_s)
		text = str_printf("'renew.at: %s' is the whole lifetime: it is ignored, "
				  "and the default holds; write 'renew.at: 1/3'",
				  left);
	else
		text = str_printf("'renew.at: %s' renews every %s; write 'renew.at: 1/3'",
				  left, between);
	say(q, text);
	free(text);
}

static void check_lifetime(const struct question *q)
{
	char wanted[CLOCK_TEXT_MAX], given[CLOCK_TEXT_MAX];
	char *text;

	if (q->certificate->lifetime_s <= q->lifetime_s)
		return;
	clock_format_duration(q->certificate->lifetime_s, wanted);
	clock_format_duration(q->lifetime_s, given);
	text = str_printf("'lifetime: %s' is more than the CA gives; ask for %s or less",
			  wanted, given);
	say(q, text);
	free(text);
}

static void check_follow_ari(const struct question *q)
{
	if (!q->certificate->follow_ari && q->lifetime_s <= SHORT_S)
		say(q, "'renew.follow_ari: no' does not hear when the CA wants it "
		       "renewed early, and renewals without it count in the CA's limits; "
		       "write 'follow_ari: yes'");
}

static void check_csr(const struct question *q)
{
	char between[CLOCK_TEXT_MAX];
	char *text;

	if (!q->certificate->csr || q->lifetime_s > OFTEN_S)
		return;
	clock_format_duration(q->interval_s, between);
	text = str_printf("'csr:' leaves the key with somebody else: every %s the new "
			  "certificate has to be brought there",
			  between);
	say(q, text);
	free(text);
}

static void check_retire(const struct question *q, const struct target *target)
{
	char after[CLOCK_TEXT_MAX], between[CLOCK_TEXT_MAX];
	char *text;

	if (target->retire_after_s < q->interval_s)
		return;
	clock_format_duration(target->retire_after_s, after);
	clock_format_duration(q->interval_s, between);
	text = str_printf("'retire.after: %s' of target '%s' is longer than the %s "
			  "between renewals: old certificates pile up",
			  after, target->name, between);
	say(q, text);
	free(text);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t foresight_longest_wait(const struct window *windows, size_t n)
{
	int64_t *begins, longest = CLOCK_NEVER, gap;
	size_t count = 0;

	if (!n)
		return 0;
	begins = mem_calloc(n * 7, sizeof(*begins));
	for (size_t i = 0; i < n; i++) {
		for (unsigned day = 0; day < 7; day++) {
			if (windows[i].days >> day & 1U)
				begins[count++] = day * DAY_S + windows[i].begin_s;
		}
	}
	qsort(begins, count, sizeof(*begins), by_time);
	for (size_t i = 0; i < count; i++) {
		gap = i + 1 < count ? begins[i + 1] - begins[i]
				    : begins[0] + WEEK_S - begins[i];
		longest = longest == CLOCK_NEVER || gap > longest ? gap : longest;
	}
	free(begins);
	return longest;
}

/* A window that comes too late is not waited for: the restart would come at any hour. */
static void check_windows(const struct question *q, const struct target *target)
{
	int64_t wait_s = foresight_longest_wait(target->windows, target->n_windows);
	int64_t margin_s = q->lifetime_s / SAFETY_PARTS;
	int64_t left_s = q->lifetime_s - q->interval_s;
	char wait[CLOCK_TEXT_MAX], left[CLOCK_TEXT_MAX];
	char *text;

	margin_s = margin_s < DAY_S ? margin_s : DAY_S;
	if (wait_s <= left_s - margin_s)
		return;
	clock_format_duration(wait_s, wait);
	clock_format_duration(left_s, left);
	text = str_printf("'maintenance_window' of target '%s' may be %s away when only "
			  "%s are left: it would be restarted outside of it; open it "
			  "more often",
			  target->name, wait_s == CLOCK_NEVER ? "for ever" : wait, left);
	say(q, text);
	free(text);
}

char *foresight_checks(const struct certificate_config *certificate, int64_t lifetime_s)
{
	struct buf out;
	const struct question q = {
		.certificate = certificate,
		.lifetime_s = lifetime_s,
		.interval_s = renewal_age_limit(&certificate->renew_at, 0,
						lifetime_s - 1) +
			      1,
		.out = &out,
	};
	char *text;

	buf_init(&out, TEXT_MAX);
	check_renew_at(&q);
	check_lifetime(&q);
	check_follow_ari(&q);
	check_csr(&q);
	for (size_t i = 0; i < certificate->n_targets; i++) {
		check_retire(&q, &certificate->targets[i]);
		check_windows(&q, &certificate->targets[i]);
	}
	text = out.len ? str_dup(buf_str(&out)) : NULL;
	buf_release(&out);
	return text;
}
