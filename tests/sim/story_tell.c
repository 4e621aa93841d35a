/* story_tell.c - one happening becomes true. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "tests/sim/daemon.h"
#include "tests/sim/judge.h"
#include "tests/sim/story.h"

#define STATE "/var/lib/certrenewd"

static struct memory_files backup;
static int64_t backup_at;

static void weather(const struct happening *it)
{
	world->ca[it->app].weather = (enum ca_weather)it->value;
}

static void webhook(const struct happening *it)
{
	world->webhook_down = it->value;
	receiver_excuse();
}

static void dns(const struct happening *it)
{
	world->dns_down = it->value;
}

static void disk(const struct happening *it)
{
	world->files.full = it->value;
	receiver_excuse();
}

static void crash(const struct happening *it)
{
	world->dies_after = it->value;
}

static void kill_it(const struct happening *it)
{
	daemon_kill(true_now() + it->value);
}

static void reboot(const struct happening *it)
{
	daemon_kill(true_now() + it->value);
	world->boots++;
	world->booted_ms = daemon_starts_at() * 1000;
	for (size_t i = 0; i < world->n_apps; i++)
		if (!world->apps[i].stopped_by_admin)
			app_start(&world->apps[i]);
}

static void suspend(const struct happening *it)
{
	world->true_ms += it->value * 1000;
	judge_excuse(-1);
}

static void move_clock(const struct happening *it)
{
	world->wall_offset_s = it->value;
	judge_clock();
}

static void stop(const struct happening *it)
{
	world->apps[it->app].stopped_by_admin = true;
	app_stop(&world->apps[it->app]);
}

static void start(const struct happening *it)
{
	struct app *app = &world->apps[it->app];

	if (!app->stopped_by_admin)
		return;
	app->stopped_by_admin = false;
	app_start(app);
}

static void refuse(const struct happening *it)
{
	struct app *app = &world->apps[it->app];

	app->refuses_until = true_now() + it->value;
	/* Stopped, it is no other: what it liked it likes when it is started again. */
	str_copy(app->good_sha1, sizeof(app->good_sha1),
		 app->state == APP_STOPPED ? app->last_sha1 : app->sha1);
}

/* What operators do to tls.json: take it away, turn TLS off, or only look at it. */
static void edit(const struct happening *it)
{
	struct app *app = &world->apps[it->app];
	const struct node *node = app->by_tls_json ? files_find(app->tls_json) : NULL;
	cJSON *json = node ? cJSON_Parse(node->data) : NULL;
	char *text;

	if (!json)
		return;
	judge_operator(it->app, true);
	if (it->value == 0) {
		files_remove(app->tls_json);
	} else {
		cJSON_ReplaceItemInObjectCaseSensitive(json, "tlsEnabled",
						       cJSON_CreateFalse());
		text = json_print(json);
		files_put(app->tls_json, text, 0644);
		free(text);
	}
	if (it->value != 2 && !app->stopped_by_admin)
		app_start(app);
	cJSON_Delete(json);
}

static int64_t deploys_at[APPS_MAX];

/* Operators look whether it did what they said, and say it again the next day: there may
 * have been no certificate at hand. */
static void deploy(const struct happening *it)
{
	struct app *app = &world->apps[it->app];

	judge_operator(it->app, false);
	for (int tries = 0; tries < 10; tries++) {
		unsigned deaths = daemon_deaths();

		if (!daemon_is_up())
			daemon_start();
		daemon_command(app->name, PIPELINE_DEPLOY, false);
		if (daemon_is_up() && daemon_deaths() == deaths)
			break;
	}
	deploys_at[it->app] = judge_is_operators(it->app) ? true_now() + DAY : 0;
	judge_operator(it->app, deploys_at[it->app] != 0);
}

void story_look_again(void)
{
	for (int i = 0; i < (int)world->n_apps; i++)
		if (deploys_at[i] && deploys_at[i] <= true_now())
			story_tell(
				&(struct happening){ .kind = HAPPENS_DEPLOY, .app = i });
}

static void force(const struct happening *it)
{
	daemon_command(world->apps[it->app].name, PIPELINE_RENEW, true);
}

static void reload(const struct happening *it)
{
	(void)it;
	daemon_reload();
}

static void back_up(const struct happening *it)
{
	(void)it;
	backup = files_copy(STATE);
	backup_at = true_now();
}

static void restore(const struct happening *it)
{
	(void)it;
	if (!backup.n)
		return;
	daemon_kill(true_now() + MINUTE);
	files_restore(STATE, &backup);
	receiver_knows_until(backup_at);
	judge_clock();
}

static void revoke(const struct happening *it)
{
	world->ca[it->app].mass_revoked_at = true_now();
}

static void change_lifetime(const struct happening *it)
{
	for (size_t i = 0; i < world->n_cas; i++)
		world->ca[i].lifetime_s = it->value;
}

static const struct {
	const char *word;
	void (*act)(const struct happening *it);
} kinds[] = {
	[HAPPENS_WEATHER] = { "the weather at a CA", weather },
	[HAPPENS_WEBHOOK] = { "the webhook", webhook },
	[HAPPENS_DNS] = { "the DNS", dns },
	[HAPPENS_DISK] = { "the disk", disk },
	[HAPPENS_CRASH] = { "it will die", crash },
	[HAPPENS_KILL] = { "it is killed", kill_it },
	[HAPPENS_REBOOT] = { "a reboot", reboot },
	[HAPPENS_SUSPEND] = { "suspend", suspend },
	[HAPPENS_CLOCK] = { "the clock is moved", move_clock },
	[HAPPENS_STOP] = { "an operator stops the service", stop },
	[HAPPENS_START] = { "an operator starts the service", start },
	[HAPPENS_REFUSAL] = { "the service refuses what is new", refuse },
	[HAPPENS_EDIT] = { "an operator edits tls.json", edit },
	[HAPPENS_DEPLOY] = { "an operator says deploy", deploy },
	[HAPPENS_FORCE] = { "an operator says renew --force", force },
	[HAPPENS_RELOAD] = { "an operator says reload", reload },
	[HAPPENS_BACKUP] = { "a backup is made", back_up },
	[HAPPENS_RESTORE] = { "a backup is restored", restore },
	[HAPPENS_REVOKE] = { "the CA wants everything renewed", revoke },
	[HAPPENS_LIFETIME] = { "the CA changes its lifetime", change_lifetime },
};
_Static_assert(sizeof(kinds) / sizeof(*kinds) == HAPPENINGS, "a row per kind");

const char *story_word(enum happening_kind kind)
{
	return kinds[kind].word;
}

void story_tell(const struct happening *happening)
{
	trace("* %s: %d %lld", kinds[happening->kind].word, happening->app,
	      (long long)happening->value);
	kinds[happening->kind].act(happening);
}
