/* story.c - the configuration of a seed, and what is planned to happen in it. */
#include "tests/sim/story.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define FIRST_DAY INT64_C(1795219200) /* 2026-11-21 */
#define CALM_S (40 * DAY)             /* at the end nothing happens any more */

static const char *const hosts[] = { "ca.example", "spare.example" };

static int64_t pick_lifetime(struct dice *dice)
{
	int64_t n = dice_between(dice, 1, 100);

	return n <= 1    ? DAY
	       : n <= 4  ? 6 * DAY
	       : n <= 24 ? 45 * DAY
	       : n <= 84 ? 90 * DAY
			 : 398 * DAY;
}

static void make_apps(struct dice *dice)
{
	world->n_apps = dice_chance(dice, 75) ? 1 : 2;
	for (size_t i = 0; i < world->n_apps; i++) {
		struct app *app = &world->apps[i];

		snprintf(app->name, sizeof(app->name), "app%zu", i);
		snprintf(app->unit, sizeof(app->unit), "app%zu.service", i);
		snprintf(app->host, sizeof(app->host), "app%zu.example", i);
		app->by_tls_json = dice_chance(dice, 60);
		app->store = str_printf("/live/%s", app->name);
		app->tls_json = str_printf("/srv/%s/config/servers/tls.json", app->name);
		files_make_folder("/live");
		app_start(app);
	}
}

static void say_certificate(struct buf *text, const struct app *app)
{
	size_t n = (size_t)(app - world->apps);

	buf_printf(text,
		   "  %s:\n"
		   "    hosts: [%s]\n"
		   "    issuers: [ca%s]\n"
		   "    key: {type: ec-p256}\n"
		   "    challenge: {type: http-01, webroot: /srv/www}\n"
		   "    deploy:\n"
		   "      - name: t0\n"
		   "        store: {type: directory, path: %s}\n"
		   "        service: {systemd: %s}\n"
		   "        verify: [{connect: \"127.0.0.1:844%zu\", server_name: %s}]\n",
		   app->name, app->host, world->n_cas > 1 ? ", spare" : "", app->store,
		   app->unit, n, app->host);
	if (app->by_tls_json)
		buf_printf(text,
			   "        tls_json: {path: %s}\n"
			   "        when_expired: http\n"
			   "        http: \"127.0.0.1:806%zu\"\n"
			   "        before_fallback: {command: [/sbin/close, %s]}\n"
			   "        after_fallback: {command: [/sbin/open, %s]}\n",
			   app->tls_json, n, app->name, app->name);
}

static void make_config(struct dice *dice)
{
	struct buf text;
	int64_t n = dice_between(dice, 1, 100);
	int64_t files_h = n <= 1 ? dice_between(dice, 2, 12) : n <= 8 ? 24 : 168;

	buf_init(&text, 65536);
	buf_printf(&text,
		   "state_dir: /var/lib/certrenewd\n"
		   "inspect_every: {files: %lldh, endpoints: %lldh}\n"
		   "issuers:\n",
		   (long long)files_h, (long long)files_h);
	for (size_t i = 0; i < world->n_cas; i++)
		buf_printf(&text,
			   "  %s: {directory: \"https://%s/directory\", "
			   "agree_to_terms: yes}\n",
			   i ? "spare" : "ca", hosts[i]);
	buf_puts(&text, "certificates:\n");
	for (size_t i = 0; i < world->n_apps; i++)
		say_certificate(&text, &world->apps[i]);
	buf_puts(&text, "alerts:\n"
			"  ops: {type: webhook, url: \"https://hooks.example/ops\", "
			"min: notice}\n");
	files_put("/etc/certrenewd/certrenewd.yaml", buf_str(&text), 0600);
	files_put("/sbin/close", "#!", 0755);
	files_put("/sbin/open", "#!", 0755);
	files_make_folder("/srv/www");
	buf_release(&text);
}

/* ---- what happens ------------------------------------------------------------- */

static void plan(struct story *story, int64_t at, enum happening_kind kind, int app,
		 int64_t value)
{
	if (at >= story->ends_at - CALM_S)
		return;
	story->items = mem_realloc(story->items, (story->n + 1) * sizeof(*story->items));
	story->items[story->n++] = (struct happening){ at, kind, app, value };
}

static void plan_end(struct story *story, int64_t at, enum happening_kind kind, int app)
{
	int64_t latest = story->ends_at - CALM_S - 1;

	plan(story, at < latest ? at : latest, kind, app, 0);
}

static int64_t some_moment(const struct story *story, struct dice *dice)
{
	return dice_between(dice, story->begins_at + DAY, story->ends_at - CALM_S - DAY);
}

static int some_app(struct dice *dice)
{
	return (int)dice_between(dice, 0, (int64_t)world->n_apps - 1);
}

/* Hours to weeks. */
static int64_t some_time(struct dice *dice)
{
	return dice_chance(dice, 50)   ? dice_between(dice, MINUTE, 12 * HOUR)
	       : dice_chance(dice, 70) ? dice_between(dice, 12 * HOUR, 7 * DAY)
				       : dice_between(dice, 7 * DAY, 60 * DAY);
}

static void plan_outages(struct story *story, struct dice *dice)
{
	static const enum ca_weather kinds[] = { CA_SILENT,   CA_STALE,
						 CA_BUSY,     CA_BROKEN,
						 CA_LIMITING, CA_REFUSING_REPLACES };
	int64_t n = dice_between(dice, 0, 6);

	/* Some never take an order that replaces another. */
	if (dice_chance(dice, 8)) {
		plan(story, story->begins_at + DAY, HAPPENS_WEATHER, 0,
		     CA_REFUSING_REPLACES);
		return;
	}
	for (int64_t i = 0; i < n; i++) {
		int64_t at = some_moment(story, dice);
		int ca = (int)dice_between(dice, 0, (int64_t)world->n_cas - 1);

		plan(story, at, HAPPENS_WEATHER, ca, kinds[dice_between(dice, 0, 5)]);
		plan_end(story, at + some_time(dice), HAPPENS_WEATHER, ca);
	}
}

static void plan_deaths(struct story *story, struct dice *dice)
{
	static const enum happening_kind kinds[] = { HAPPENS_CRASH,  HAPPENS_CRASH,
						     HAPPENS_CRASH,  HAPPENS_KILL,
						     HAPPENS_REBOOT, HAPPENS_SUSPEND };
	int64_t n = dice_between(dice, 0, 12);

	for (int64_t i = 0; i < n; i++) {
		enum happening_kind kind = kinds[dice_between(dice, 0, 5)];
		int64_t at = some_moment(story, dice);

		plan(story, at, kind, 0,
		     kind == HAPPENS_CRASH   ? dice_between(dice, 1, 120)
		     : dice_chance(dice, 90) ? dice_between(dice, 10, 8 * HOUR)
					     : dice_between(dice, DAY, 40 * DAY));
	}
}

static void plan_clock(struct story *story, struct dice *dice)
{
	static const int64_t jumps[] = { DAY,         -DAY,      3650 * DAY,
					 -3650 * DAY, 30 * DAY,  -30 * DAY,
					 2 * HOUR,    -2 * HOUR, 9 * DAY };
	int64_t n = dice_chance(dice, 70) ? 0 : dice_between(dice, 1, 3);

	for (int64_t i = 0; i < n; i++) {
		int64_t at = some_moment(story, dice);

		plan(story, at, HAPPENS_CLOCK, 0, jumps[dice_between(dice, 0, 8)]);
		plan_end(story, at + dice_between(dice, MINUTE, 6 * DAY), HAPPENS_CLOCK,
			 0);
	}
}

static void plan_operators(struct story *story, struct dice *dice)
{
	int64_t n = dice_between(dice, 0, 5);

	for (int64_t i = 0; i < n; i++) {
		int64_t at = some_moment(story, dice), until = at + some_time(dice);
		int app = some_app(dice);

		switch (dice_between(dice, 0, 6)) {
		case 0:
			/* It is looked at every minute: months would only take time. */
			plan(story, at, HAPPENS_STOP, app, 0);
			plan_end(story, at + dice_between(dice, MINUTE, 6 * HOUR),
				 HAPPENS_START, app);
			break;
		case 1:
			plan(story, at, HAPPENS_REFUSAL, app, until - at);
			break;
		case 2:
			plan(story, at, HAPPENS_EDIT, app, dice_between(dice, 0, 2));
			plan_end(story, until, HAPPENS_DEPLOY, app);
			break;
		case 3:
			plan(story, at, HAPPENS_FORCE, app, 0);
			break;
		case 4:
			plan(story, at, HAPPENS_RELOAD, app, 0);
			break;
		case 5:
			if (until + 2 * HOUR > story->ends_at - CALM_S)
				break;
			plan(story, at, HAPPENS_BACKUP, app, 0);
			plan_end(story, until, HAPPENS_RESTORE, app);
			for (int k = 0; k < (int)world->n_apps; k++)
				plan_end(story, until + HOUR, HAPPENS_DEPLOY, k);
			break;
		default:
			plan(story, at, HAPPENS_DISK, app, 1);
			plan_end(story, at + dice_between(dice, MINUTE, DAY),
				 HAPPENS_DISK, app);
			break;
		}
	}
}

static void plan_others(struct story *story, struct dice *dice)
{
	int64_t at;

	if (dice_chance(dice, 30)) {
		at = some_moment(story, dice);
		plan(story, at, HAPPENS_WEBHOOK, 0, 1);
		plan_end(story, at + some_time(dice), HAPPENS_WEBHOOK, 0);
	}
	if (dice_chance(dice, 20)) {
		at = some_moment(story, dice);
		plan(story, at, HAPPENS_DNS, 0, 1);
		plan_end(story, at + some_time(dice), HAPPENS_DNS, 0);
	}
	if (dice_chance(dice, 30))
		plan(story, some_moment(story, dice), HAPPENS_REVOKE,
		     (int)dice_between(dice, 0, (int64_t)world->n_cas - 1), 0);
	if (dice_chance(dice, 15))
		plan(story, some_moment(story, dice), HAPPENS_LIFETIME, 0,
		     dice_chance(dice, 50) ? 45 * DAY : 90 * DAY);
}

static int by_time(const void *a, const void *b)
{
	const struct happening *x = a, *y = b;

	if (x->at != y->at)
		return (x->at > y->at) - (x->at < y->at);
	return (int)x->kind - (int)y->kind;
}

void story_make(struct story *story)
{
	struct dice *dice = &world->events;
	int64_t lifetime = pick_lifetime(dice);

	memset(story, 0, sizeof(*story));
	story->begins_at = FIRST_DAY + dice_between(dice, 0, 5 * 365 * DAY);
	story->ends_at = story->begins_at + 731 * DAY;
	world->true_ms = story->begins_at * 1000;
	world->booted_ms = world->true_ms - dice_between(dice, 1, 40 * DAY) * 1000;
	world->n_cas = dice_chance(dice, 80) ? 1 : 2;
	for (size_t i = 0; i < world->n_cas; i++) {
		ca_open(&world->ca[i], hosts[i]);
		world->ca[i].lifetime_s = lifetime;
		world->ca[i].has_ari = dice_chance(dice, 70);
		world->ca[i].ari_every_s = dice_chance(dice, 3) ? 6 * HOUR : DAY;
		world->ca[i].retry_s = dice_between(dice, MINUTE, 2 * DAY);
	}
	make_apps(dice);
	make_config(dice);
	plan_outages(story, dice);
	plan_deaths(story, dice);
	plan_clock(story, dice);
	plan_operators(story, dice);
	plan_others(story, dice);
	qsort(story->items, story->n, sizeof(*story->items), by_time);
}
