/* foresight_pass.c - the part of a pass that looks ahead: what its CAs say today, and
 * which announced dates its configuration will not survive. */
#include "daemon/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "daemon/foresight.h"
#include "daemon/foresight_dates.h"
#include "daemon/sessions.h"
#include "daemon/state_file.h"

#define DAY_S INT64_C(86400)
#define JITTER_S (DAY_S / 12)       /* earlier than in a day */
#define AGAIN_S (6 * INT64_C(3600)) /* after a failure */
#define TOLD_MAX_BYTES ((size_t)64 * 1024)

/* ---- what the CA says ------------------------------------------------------------ */

/* About the issuer, not about the certificate whose pass it was. */
static void tell_of_issuer(struct pass *pass, const struct issuer_config *issuer,
			   const struct foresight_change *change)
{
	char *what = str_printf("issuer '%s': %s", issuer->name, change->what);
	const struct event event = {
		.kind = EVENT_CA_CHANGED,
		.severity = change->severity,
		.what = what,
		.todo = change->todo,
		.run = pass->in->run,
		.attempts_left = -1,
		.at = pass->now,
	};

	event_list_add(&pass->out->events, &event);
	free(what);
}

/* Who asks this issuer for which profile. Gives. */
static struct foresight_use *uses_of(const struct config *config,
				     const struct issuer_config *issuer, size_t *ret_n)
{
	struct foresight_use *uses = mem_calloc(config->n_certificates + 1,
						sizeof(*uses));
	size_t n = 0;

	for (size_t i = 0; i < config->n_certificates; i++) {
		const struct certificate_config *each = &config->certificates[i];
		bool asks = false;

		for (size_t k = 0; each->profile && each->issuers[k]; k++)
			asks = asks || !strcmp(each->issuers[k], issuer->name);
		if (asks)
			uses[n++] = (struct foresight_use){ each->profile, each->name };
	}
	*ret_n = n;
	return uses;
}

/* Asks once a day and installation, whichever certificate's pass comes first. The
 * directory of a session is a day old at most. NULL: not now, or no answer. */
static const struct acme_directory *ask(struct pass *pass,
					const struct issuer_config *issuer)
{
	const char *state_dir = pass->in->config->state_dir;
	const struct acme_directory *directory;
	struct acme_session *session;
	struct err err;

	if (!foresight_claim(state_dir, issuer, pass->now, pass->now + AGAIN_S, &err))
		return NULL;
	if (!sessions_get(pass->in->sessions, issuer, &session, &err) &&
	    !acme_session_directory(session, &directory, &err))
		return directory;
	pass_note(pass, "foresight", "issuer '%s' does not say how it is: %s",
		  issuer->name, err.text);
	return NULL;
}

static void look_at_issuer(struct pass *pass, const struct issuer_config *issuer)
{
	struct foresight_changes changes = { 0 };
	struct foresight_news news = {
		.directory = ask(pass, issuer),
		.ask_again_at = pass->now + DAY_S -
				(int64_t)(random_fraction() * JITTER_S),
		.now = pass->now,
	};
	struct foresight_use *uses;
	struct err err;

	if (pass->have_current && !strcmp(pass->job.last_issuer, issuer->name))
		news.cert = pass->current.cert;
	if (!news.directory && !news.cert)
		return;
	uses = uses_of(pass->in->config, issuer, &news.n_uses);
	news.uses = uses;
	if (foresight_learn(pass->in->config->state_dir, issuer, &news, &changes, &err))
		pass_note(pass, "foresight", "%s", err.text);
	else if (err.kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
	for (size_t i = 0; i < changes.n; i++)
		tell_of_issuer(pass, issuer, &changes.items[i]);
	foresight_changes_clear(&changes);
	free(uses);
}

/* ---- what is announced ------------------------------------------------------------- */

static enum severity severity_of(enum dates_step step)
{
	return step >= DATES_7_DAYS ? SEVERITY_WARNING : SEVERITY_NOTICE;
}

static void tell_date(struct pass *pass, const struct dates_finding *finding,
		      enum dates_step step)
{
	char day[CLOCK_TEXT_MAX];
	char *what, *todo;

	clock_format_rfc3339(finding->on, day);
	what = str_printf("%s %.10s (%s) %s; '%s' does not survive it: %s",
			  finding->on > pass->now ? "from" : "since", day,
			  finding->source, finding->what, pass->certificate->name,
			  finding->breaks);
	todo = str_printf("change the configuration before that; `certrenewd explain %s` "
			  "has all dates",
			  pass->certificate->name);
	pass_tell_as(pass, EVENT_CA_CHANGED, severity_of(step), NULL, what, todo, -1);
	free(todo);
	free(what);
}

/* One finding at one issuer, told once a step. Returns whether `told` has changed. */
static bool look_at_date(struct pass *pass, const struct issuer_config *issuer,
			 const struct dates_finding *finding, cJSON *told)
{
	enum dates_step step = dates_step(finding->on, pass->now);
	char *key = str_printf("%s/%s", issuer->name, finding->id);
	bool news = finding->breaks && step != DATES_FAR &&
		    json_int(told, key, DATES_FAR) < (int64_t)step;

	if (news) {
		tell_date(pass, finding, step);
		json_set_int(told, key, (int64_t)step);
	}
	free(key);
	return news;
}

static bool look_at_dates(struct pass *pass, const struct issuer_config *issuer,
			  cJSON *told)
{
	const struct dates_facts facts = {
		.certificate = pass->certificate,
		.issuer = issuer,
		.lifetime_s = pass->have_current &&
					      !strcmp(pass->job.last_issuer, issuer->name)
				      ? cert_lifetime_s(pass->current.cert)
				      : 0,
	};
	struct dates_list list;
	bool changed = false;

	dates_foresee(&facts, pass->now, &list);
	for (size_t i = 0; i < list.n; i++)
		changed = look_at_date(pass, issuer, &list.items[i], told) || changed;
	dates_list_clear(&list);
	return changed;
}

/* ---- the stage -----------------------------------------------------------------------
 */

void pass_foresee(struct pass *pass)
{
	char *path = path_join(pass->folder, "dates_told.json");
	const char *const *names = pass->certificate->issuers;
	cJSON *told = NULL;
	bool changed = false;
	struct err err;

	if (state_file_read(path, TOLD_MAX_BYTES, &told, &err) || !told)
		told = cJSON_CreateObject();
	for (size_t i = 0; names[i]; i++) {
		const struct issuer_config *issuer = config_issuer(pass->in->config,
								   names[i]);

		if (!issuer || issuer->type != ISSUER_ACME)
			continue;
		changed = look_at_dates(pass, issuer, told) || changed;
		look_at_issuer(pass, issuer);
	}
	pass_hand_out(pass);
	if (changed && json_write_file(path, told, &err))
		pass_note(pass, "foresight", "%s", err.text);
	cJSON_Delete(told);
	free(path);
}
