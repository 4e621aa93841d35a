#include "tests/sim/judge.h"

#include <stdlib.h>
#include <string.h>

#include "hooks/mode.h"
#include "tests/sim/daemon.h"

#define CLOCK_TOLERANCE_S 300
#define HAIL_HOUR 24 /* requests, of which each attempt may need two or three */
#define NODES_MAX(apps) (150 + (apps)*80)

static struct {
	int64_t troubled_at[APPS_MAX];
	int64_t died_at, jumped_at, stale_at, refused_at;
	unsigned jumps;
	bool theirs[APPS_MAX];
	char before[APPS_MAX][41]; /* what it served before a restart */
	char seen[APPS_MAX][41];   /* what it was seen serving last; "" nothing */
	struct served {
		char sha1[41];
		int64_t since; /* seen first */
		int64_t until; /* 0: it is served */
	} served[APPS_MAX][8];
	unsigned n_served[APPS_MAX];
	bool served_well[APPS_MAX];
	int64_t healed_at[APPS_MAX]; /* the last restart that brought nothing new */
} judge;

static bool clock_is_right(void)
{
	return llabs((long long)world->wall_offset_s) <= CLOCK_TOLERANCE_S;
}

static bool clock_is_known_wrong(void)
{
	return llabs((long long)world->wall_offset_s) > 8 * DAY;
}

void judge_excuse(int app)
{
	for (int i = 0; i < APPS_MAX; i++)
		if (app < 0 || app == i)
			judge.troubled_at[i] = true_now();
}

void judge_death(void)
{
	judge.died_at = true_now();
	judge_excuse(-1);
	receiver_excuse();
}

void judge_clock(void)
{
	judge.jumped_at = true_now();
	judge.jumps++;
	judge_excuse(-1);
	receiver_clock();
}

void judge_operator(int app, bool theirs)
{
	judge.theirs[app] = theirs;
	judge_excuse(app);
}

/* ---- at the CA ---------------------------------------------------------------- */

void judge_order(const struct ca *ca, int app)
{
	int64_t until = ca->wait_until[app], told_at = until - ca->retry_s;
	/* DESIGN: after a death at most one extra newOrder. Who dies within the pass that
	 * was told to wait has not written it down. */
	bool forgot = judge.died_at >= told_at && judge.died_at < told_at + 2 * MINUTE;

	if (true_now() + 2 < until && !forgot && judge.jumped_at < told_at)
		broken("retry-after", "%s is asked for %s %lld s too early", ca->host,
		       world->apps[app].name, (long long)(until - true_now()));
}

/* When was the request that many before the last one? */
static int64_t asked_before(const struct ca *ca, unsigned long n)
{
	return n < 256 && ca->n_asked > n ? ca->asked_at[(ca->n_asked - 1 - n) % 256] : 0;
}

static void check_hail(const struct ca *ca, unsigned long limit, int64_t window_s)
{
	/* A death forgets the attempt in which it came. */
	int64_t earliest = asked_before(ca, limit + daemon_deaths());

	if (earliest > true_now() - window_s && judge.jumped_at < earliest)
		broken("hail", "%lu requests within %lld h to %s, which is down",
		       limit + daemon_deaths(), (long long)(window_s / HOUR), ca->host);
}

/* An outage is no reason to knock all day: an hour apart, or a 24th of the longest pause
 * for short lifetimes; and a few at the beginning. Nor is an end that nears. */
void judge_request(struct ca *ca)
{
	int64_t cap = ca->lifetime_s / 6 < DAY ? ca->lifetime_s / 6 : DAY;

	if (ca->weather != CA_SILENT && ca->weather != CA_BROKEN)
		return;
	ca->asked_at[ca->n_asked++ % 256] = true_now();
	if (world->n_apps > 1)
		return;
	check_hail(ca, (unsigned long)(DAY / (cap / 24)) + 50, DAY);
	check_hail(ca, HAIL_HOUR, HOUR);
}

static int64_t most(int64_t least, int64_t factor, int64_t window_s, int64_t interval_s)
{
	int64_t allowed = factor * window_s / interval_s;

	return allowed > least ? allowed : least;
}

/* A new lifetime is known with the first certificate that has it. */
static int64_t interval_of(const struct ca *ca)
{
	int64_t shortest = ca->lifetime_s;

	for (size_t i = ca->n_issued; i-- > 0;) {
		int64_t lifetime = ca->issued[i].not_after - ca->issued[i].not_before + 1;

		if (ca->issued[i].at > true_now() - 8 * DAY && lifetime < shortest)
			shortest = lifetime;
	}
	return shortest < 10 * DAY ? shortest / 2 : shortest / 3 * 2;
}

static void check_breaker(const struct ca *ca, int app, int64_t window_s, int64_t allowed)
{
	int64_t now = true_now(), n = 0;

	for (size_t i = 0; i < ca->n_issued; i++)
		n += ca->issued[i].app == app &&
		     ca->issued[i].at > now - window_s + MINUTE;
	/* Each move of the clock may have made the daemon forget what it counted. */
	if (judge.jumps && judge.jumped_at > now - window_s)
		allowed *= 1 + judge.jumps;
	if (n > allowed)
		broken("breaker", "%lld certificates for %s in %lld h, at most %lld",
		       (long long)n, world->apps[app].name, (long long)(window_s / HOUR),
		       (long long)allowed);
}

void judge_issued(const struct ca *ca, int app)
{
	int64_t interval = interval_of(ca);

	check_breaker(ca, app, DAY, most(2, 3, DAY, interval));
	check_breaker(ca, app, 7 * DAY, most(4, 2, 7 * DAY, interval));
}

/* ---- at the applications -------------------------------------------------------- */

void judge_restart(const struct app *app)
{
	size_t i = (size_t)(app - world->apps);

	str_copy(judge.before[i], sizeof(judge.before[i]), app->sha1);
	judge.served_well[i] = app->state == APP_RUNNING && !app->plain;
}

static struct served *find_served(size_t app, const char *sha1)
{
	for (size_t i = 0; i < 8; i++)
		if (!strcmp(judge.served[app][i].sha1, sha1))
			return &judge.served[app][i];
	return NULL;
}

/* Whoever started it: us, its operator or the machine. */
static void note_served(const struct app *app, size_t i)
{
	struct served *now, *before = find_served(i, judge.seen[i]);

	if (!strcmp(judge.seen[i], app->sha1))
		return;
	if (before)
		before->until = true_now();
	str_copy(judge.seen[i], sizeof(judge.seen[i]), app->sha1);
	if (!app->sha1[0])
		return;
	now = find_served(i, app->sha1);
	if (!now) {
		now = &judge.served[i][judge.n_served[i]++ % 8];
		str_copy(now->sha1, sizeof(now->sha1), app->sha1);
		now->since = true_now();
	}
	now->until = 0;
}

void judge_restarted(const struct app *app)
{
	size_t i = (size_t)(app - world->apps);
	int64_t now = true_now();

	note_served(app, i);
	if (app->plain && judge.served_well[i] && !judge.theirs[i] &&
	    clock_is_known_wrong())
		broken("clock", "%s fell back to plain HTTP on a clock that is wrong",
		       app->name);
	if (!judge.served_well[i] || strcmp(judge.before[i], app->sha1) != 0)
		return;
	/* It serves what it served before: a restart that heals, or one too many. */
	if (judge.healed_at[i] && now - judge.healed_at[i] < DAY - HOUR &&
	    judge.died_at < now - DAY && judge.troubled_at[i] < judge.healed_at[i])
		broken("healing", "%s was restarted twice in a day for nothing",
		       app->name);
	judge.healed_at[i] = now;
}

static int app_of_tls_json(const char *path)
{
	for (size_t i = 0; i < world->n_apps; i++)
		if (world->apps[i].by_tls_json && !strcmp(world->apps[i].tls_json, path))
			return (int)i;
	return -1;
}

bool judge_is_operators(int app)
{
	enum target_mode mode = MODE_HTTPS;
	char *folder = str_printf("/var/lib/certrenewd/certificates/%s",
				  world->apps[app].name);
	struct err err;

	(void)target_mode_read(folder, "t0", &mode, &err);
	free(folder);
	return mode == MODE_OPERATOR;
}

void judge_file_written(const char *path)
{
	int app = app_of_tls_json(path);

	if (app >= 0 && judge.theirs[app] && judge_is_operators(app))
		broken("operator",
		       "tls.json of %s was written although an operator has "
		       "taken it over",
		       world->apps[app].name);
}

/* A version of the store goes that was served: not on a clock that is wrong, and not at
 * once. */
static void check_removal(size_t i, const char *sha1, const char *path)
{
	const struct served *served = find_served(i, sha1);

	if (!served)
		return;
	if (clock_is_known_wrong())
		broken("clock", "'%s' was removed on a clock that is wrong", path);
	else if (!served->until)
		broken("retire", "'%s' was removed while it is served", path);
	else if (true_now() - served->until < DAY - 10 * MINUTE)
		broken("retire", "'%s' was removed after %lld min", path,
		       (long long)((true_now() - served->until) / MINUTE));
}

void judge_file_removed(const char *path)
{
	for (size_t i = 0; i < world->n_apps; i++) {
		char *versions = str_printf("%s.versions/", world->apps[i].store);

		if (str_starts(path, versions) && strlen(path + strlen(versions)) == 40 &&
		    files_find(path))
			check_removal(i, path + strlen(versions), path);
		free(versions);
	}
	judge_file_written(path);
}

/* ---- after each step -------------------------------------------------------------- */

/* The longest that the back-off may hold back, and some. */
static int64_t grace(void)
{
	int64_t cap = world->ca[0].lifetime_s / 6;

	return (cap < DAY ? cap : DAY) * 12 / 10 + 2 * HOUR;
}

static bool is_well(const struct ca *ca)
{
	return ca->weather == CA_WELL || ca->weather == CA_REFUSING_REPLACES;
}

static bool ca_answers(void)
{
	for (size_t i = 0; i < world->n_cas; i++)
		if (is_well(&world->ca[i]))
			return true;
	return false;
}

/* In time: when all was well since it was due, what is served is not near its end. */
static void check_margin(const struct app *app, int64_t calm)
{
	int64_t lifetime = app->not_after - app->not_before;

	if (app->leaf && app->not_after - true_now() < lifetime / 5 &&
	    calm > grace() + lifetime / 5)
		broken("late", "%s has %lld h left although all is well for %lld h",
		       app->name, (long long)((app->not_after - true_now()) / HOUR),
		       (long long)(calm / HOUR));
}

/* DESIGN: the breaker counts certificates *issued*, whatever became of them, for at most
 * 7 days. Those that a CA issued stale, or that were issued on a clock that was wrong
 * (and noted up to a day ahead), may have used it up: then nobody may order, and that is
 * kept.
 */
#define BREAKER_HOLDS_S (8 * DAY)

static bool breaker_may_hold(void)
{
	for (size_t i = 0; i < world->n_cas; i++)
		if (world->ca[i].weather == CA_STALE)
			judge.stale_at = true_now();
	return (judge.stale_at && true_now() - judge.stale_at < BREAKER_HOLDS_S) ||
	       (judge.jumps && true_now() - judge.jumped_at < BREAKER_HOLDS_S);
}

/* DESIGN: nothing is retired before every target serves its successor. An application
 * that refuses what is new for weeks keeps every certificate of these weeks, until the
 * day (retire.after) behind its first success, which other troubles may put off. */
static bool retirement_may_wait(void)
{
	return judge.refused_at && true_now() - judge.refused_at < grace() + 2 * DAY;
}

/* DESIGN: a Retry-After that is longer than the back-off wins, at each CA: that of the
 * account's limit, and one that was said to whoever asked. */
static int64_t kept_away_until(const struct ca *ca)
{
	int64_t until = ca->busy_until;

	for (size_t i = 0; i < world->n_apps; i++)
		if (ca->wait_until[i] > until)
			until = ca->wait_until[i];
	return until;
}

/* When the first of those that are well may be asked. */
static int64_t all_keep_away_until(void)
{
	int64_t until = INT64_MAX;

	for (size_t i = 0; i < world->n_cas; i++)
		if (is_well(&world->ca[i]) && kept_away_until(&world->ca[i]) < until)
			until = kept_away_until(&world->ca[i]);
	return until;
}

/* What ends by itself may end hours before the daemon's next step, which sees it so late:
 * the calm begins with its end. */
static void excuse_until(int app, int64_t until)
{
	int64_t at = until < true_now() ? until : true_now();

	for (int i = 0; i < APPS_MAX; i++)
		if ((app < 0 || app == i) && judge.troubled_at[i] < at)
			judge.troubled_at[i] = at;
}

static void note_troubles(void)
{
	if (breaker_may_hold())
		judge_excuse(-1);
	if (!daemon_is_up() || !clock_is_right() || !ca_answers() || world->files.full)
		judge_excuse(-1);
	for (size_t i = 0; i < world->n_apps; i++) {
		const struct app *app = &world->apps[i];

		if (true_now() < app->refuses_until ||
		    (retirement_may_wait() && judge.troubled_at[i] == true_now()))
			judge.refused_at = true_now();
		if (app->stopped_by_admin || judge.theirs[i])
			judge_excuse((int)i);
		excuse_until((int)i, app->refuses_until);
		/* "Too many new orders" is a limit of the account: it is kept for all. */
		excuse_until(-1, world->ca[0].wait_until[i]);
	}
	excuse_until(-1, all_keep_away_until());
}

static void check_served(const struct app *app, int64_t troubled_at)
{
	int64_t calm = true_now() - troubled_at;

	check_margin(app, calm);
	if (calm <= grace())
		return;
	if (app->state == APP_FAILED)
		broken("down", "%s is down although all is well for %lld h", app->name,
		       (long long)(calm / HOUR));
	else if (app->plain && !app->stopped_by_admin)
		broken("plain", "%s speaks plain HTTP although all is well for %lld h",
		       app->name, (long long)(calm / HOUR));
	else if (app->leaf && app->not_after < true_now())
		broken("expired",
		       "%s serves an expired certificate although all is well "
		       "for %lld h",
		       app->name, (long long)(calm / HOUR));
}

void judge_step(void)
{
	note_troubles();
	for (size_t i = 0; i < world->n_apps; i++) {
		note_served(&world->apps[i], i);
		check_served(&world->apps[i], judge.troubled_at[i]);
	}
	if (world->files.n > NODES_MAX(world->n_apps) && !retirement_may_wait())
		broken("leftovers", "%zu files and folders", world->files.n);
}

/* DESIGN: `retired` comes `retire.after` behind the day on which every target was seen
 * serving the successor, however long nothing was served before it (plain HTTP), and
 * nothing that was waiting meanwhile goes earlier. */
static size_t keys_to_be_retired(int app)
{
	const struct served *now = find_served((size_t)app, world->apps[app].sha1);
	const struct served *before = NULL;
	int64_t day = true_now() - DAY - HOUR;
	size_t replaced = 0, waited = 0;

	for (size_t k = 0; k < 8; k++) {
		const struct served *each = &judge.served[app][k];

		replaced += each->until > day;
		if (each->until && (!before || each->until > before->until))
			before = each;
	}
	if (!now || !before || now->since <= day)
		return replaced;
	for (size_t i = 0; i < world->n_cas; i++)
		for (size_t k = 0; k < world->ca[i].n_issued; k++)
			waited += world->ca[i].issued[k].app == app &&
				  world->ca[i].issued[k].at > before->since;
	return waited > replaced ? waited : replaced;
}

void judge_end(void)
{
	static const char *const ends[] = { ".new", ".damaged", "/acme-challenge/",
					    "/alerts/queue/" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (files_count("", ends[i]))
			broken("leftovers", "%zu files with '%s' are left",
			       files_count("", ends[i]), ends[i]);
	for (size_t i = 0; i < world->n_apps; i++) {
		char *versions = str_printf("%s.versions", world->apps[i].store);
		size_t most = 1 + keys_to_be_retired((int)i);

		if (files_count(versions, "/key.pem") > most)
			broken("leftovers", "%zu keys in '%s'",
			       files_count(versions, "/key.pem"), versions);
		free(versions);
		judge_habit((int)i, true_now() - judge.troubled_at[i]);
	}
	receiver_end();
}
