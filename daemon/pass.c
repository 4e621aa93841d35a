/* pass.c - loading what is known about a certificate, and the small things that every
 * stage needs. */
#include "daemon/pass.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/random.h"
#include "daemon/backoff.h"
#include "daemon/breaker.h"
#include "daemon/clock_moved.h"
#include "daemon/resolve.h"
#include "daemon/state_file.h"

char *pipeline_folder(const struct config *config, const char *certificate)
{
	return str_printf("%s/certificates/%s", config->state_dir, certificate);
}

static void forward_note(void *ctx, const struct deploy_note *note)
{
	const struct pass *pass = ctx;

	if (pass->in->note)
		pass->in->note(pass->in->note_ctx, note);
}

/* Returns whether it is as it was written. */
static bool load_job(struct pass *pass, struct err *err)
{
	bool damaged = false;
	char *what;

	if (!job_read(pass->folder, &pass->job, &damaged, err) && !damaged)
		return true;
	what = str_printf("job.json was damaged and begun anew: %s", err->text);
	pass_tell(pass, EVENT_STATE_DAMAGED, NULL, what, NULL);
	free(what);
	return false;
}

/* Keys of orders that came to nothing, once we know which of them still waits. */
static void sweep_versions(struct pass *pass)
{
	struct err err;

	if (versions_sweep(pass->folder, pass->job.version, pass->job.order_version,
			   &err))
		pass_note(pass, "mend", "%s", err.text);
}

int pass_reload_state(struct pass *pass, struct err *err)
{
	struct strlist damaged = { 0 };
	int rc;

	deploy_state_clear(&pass->state);
	rc = deploy_state_read(&pass->deployment, &pass->state, &damaged, err);
	for (size_t i = 0; i < damaged.n; i++)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, damaged.items[i], NULL);
	strlist_clear(&damaged);
	return rc;
}

void pass_take_version(struct pass *pass, const struct version *version)
{
	pass->current = *version;
	pass->material = (struct material){
		.cert = pass->current.cert,
		.key_pem = pass->current.key ? buf_str(&pass->current.key_pem) : NULL,
		.key_len = pass->current.key_pem.len,
		.version = pass->current.n,
	};
	pass->deployment.material = &pass->material;
}

int pass_reload(struct pass *pass, struct err *err)
{
	version_clear(&pass->current);
	pass->have_current = false;
	pass->deployment.material = NULL;
	if (!version_load_newest(pass->folder, &pass->current, err)) {
		pass->have_current = true;
		pass_take_version(pass, &pass->current);
	} else if (err->kind != ERR_NOT_FOUND) {
		return -1;
	}
	return pass_reload_state(pass, err);
}

/* A certificate that job.json knows nothing of: we died between the two. */
static void catch_up(struct pass *pass)
{
	struct job *job = &pass->job;

	if (!pass->have_current || pass->current.n <= job->version)
		return;
	job->version = pass->current.n;
	if (job->order_version == job->version) {
		str_copy(job->last_issuer, sizeof(job->last_issuer), job->order_issuer);
		str_copy(job->last_directory, sizeof(job->last_directory),
			 job->order_directory);
		job->order_version = 0;
		job->order_url[0] = '\0';
	}
	job_forget_failures(job);
}

/* Of passes that died while they wrote what is remembered. */
static void sweep(struct pass *pass)
{
	const struct certificate_config *certificate = pass->certificate;
	struct err err;

	if (state_file_sweep(pass->folder, &err))
		pass_note(pass, "mend", "%s", err.text);
	for (size_t i = 0; i < certificate->n_targets; i++) {
		char *folder = str_printf("%s/targets/%s", pass->folder,
					  certificate->targets[i].name);

		if (state_file_sweep(folder, &err))
			pass_note(pass, "mend", "%s", err.text);
		free(folder);
	}
}

static void sweep_copies(struct pass *pass)
{
	struct err err;

	if (deploy_sweep(&pass->deployment, &err))
		pass_note(pass, "mend", "%s", err.text);
}

static void set_ages_right(struct pass *pass)
{
	struct clock_reading reading = clock_reading_now();
	struct err err;
	char why[160];

	if (!clock_trusted(&pass->trust, &reading, why))
		return;
	if (breaker_after_clock_moved(pass->in->config->state_dir, pass->now, &err))
		pass_note(pass, "mend", "%s", err.text);
	else if (err.kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
	if (!pass->state.ahead)
		return;
	if (deploy_after_clock_moved(&pass->deployment, &err) ||
	    pass_reload_state(pass, &err))
		pass_note(pass, "mend", "%s", err.text);
}

int pass_open(struct pass *pass, const struct pipeline_input *in,
	      struct pipeline_outcome *out, struct err *err)
{
	bool known;

	memset(pass, 0, sizeof(*pass));
	memset(err, 0, sizeof(*err));
	pass->in = in;
	pass->out = out;
	pass->certificate = in->certificate;
	pass->folder = pipeline_folder(in->config, in->certificate->name);
	pass->trust = *in->trust;
	pass->now = clock_wall();
	pass->deployment = (struct deployment){
		.folder = pass->folder,
		.run = in->run,
		.targets = in->certificate->targets,
		.n_targets = in->certificate->n_targets,
		.cancel = in->cancel,
		.note = forward_note,
		.note_ctx = pass,
		.owner = &pass->owner,
		.revoked = pass->job.revoked,
	};
	pass->owner = (struct owner){
		.host = pass->instance.host,
		.machine = pass->instance.machine,
		.instance = pass->instance.id,
		.state_dir = in->config->state_dir,
		.certificate = in->certificate->name,
	};
	if (dir_make(pass->folder, FILE_SECRET, err) ||
	    instance_read(in->config->state_dir, &pass->instance, err))
		return -1;
	if (err->kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err->text, NULL);
	sweep(pass);
	known = load_job(pass, err);
	(void)job_after_clock_moved(&pass->job, pass->now);
	if (pass_reload(pass, err) || pass_mend(pass, err))
		return -1;
	catch_up(pass);
	sweep_copies(pass);
	if (known)
		sweep_versions(pass);
	else /* what was told is lost too: not all of it once more */
		pass_note_told(pass);
	set_ages_right(pass);
	pass_clean_up(pass);
	return 0;
}

void pass_close(struct pass *pass)
{
	resolve_close(pass);
	challenge_record_clear(&pass->leftovers);
	deploy_state_clear(&pass->state);
	version_clear(&pass->current);
	free(pass->folder);
	pass->folder = NULL;
}

void pass_hand_out(struct pass *pass)
{
	struct pipeline_outcome *out = pass->out;

	if (!pass->in->tell)
		return;
	for (; out->n_told < out->events.n; out->n_told++)
		pass->in->tell(pass->in->tell_ctx, pass->in->config,
			       &out->events.items[out->n_told]);
}

int pass_save_job(struct pass *pass, struct err *err)
{
	pass_hand_out(pass);
	pass_note_told(pass);
	return job_write(pass->folder, &pass->job, err);
}

static struct event event_of(const struct pass *pass, enum event_kind kind,
			     const char *what)
{
	return (struct event){
		.kind = kind,
		.severity = event_severity(kind),
		.certificate = pass->certificate->name,
		.what = what,
		.run = pass->in->run,
		.not_after = pass->have_current ? cert_not_after(pass->current.cert) : 0,
		.attempts_left = -1,
		.at = pass->now,
	};
}

void pass_tell_as(struct pass *pass, enum event_kind kind, enum severity severity,
		  const char *target, const char *what, const char *todo,
		  int attempts_left)
{
	struct event event = event_of(pass, kind, what);

	event.severity = severity;
	event.target = target;
	event.todo = todo;
	event.attempts_left = attempts_left;
	event_list_add(&pass->out->events, &event);
}

void pass_tell_once(struct pass *pass, enum event_kind kind, const char *what,
		    const char *key)
{
	struct event event = event_of(pass, kind, what);

	event.key = key;
	event_list_add(&pass->out->events, &event);
}

void pass_tell(struct pass *pass, enum event_kind kind, const char *target,
	       const char *what, const char *todo)
{
	pass_tell_as(pass, kind, event_severity(kind), target, what, todo, -1);
}

void pass_note(struct pass *pass, const char *step, const char *fmt, ...)
{
	char text[2304]; /* a failure's sentence, and what stands around it */
	va_list ap;

	if (!pass->in->note)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pass->in->note(pass->in->note_ctx,
		       &(struct deploy_note){ .step = step, .text = text });
}

void pass_count_failure(struct pass *pass, struct failures *failures,
			const struct err *err)
{
	struct backoff_facts facts = { .retry_after_s = err->retry_after_s };

	pass->now = clock_wall();
	if (failures->count++ == 0)
		failures->first_at = pass->now;
	failures->last_at = pass->now;
	facts.failures = failures->count;
	if (pass->have_current) {
		facts.lifetime_s = cert_lifetime_s(pass->current.cert);
		facts.remaining_s = cert_not_after(pass->current.cert) - pass->now;
	}
	failures->next_at = pass->now + backoff_next(&facts, random_fraction());
	str_copy(failures->text, sizeof(failures->text), err->text);
}

bool pass_target_deployed(const struct pass *pass, size_t i)
{
	const struct target_state *state = &pass->state.targets[i];

	if (!pass->have_current || state->unfinished || state->falling)
		return false;
	if (state->mode == MODE_OPERATOR)
		return true; /* the operator's business, until `deploy` */
	return pass->state.exists &&
	       str_equal(pass->state.sha1, cert_sha1(pass->current.cert)) &&
	       (state->end == DEPLOY_DONE || state->end == DEPLOY_OPERATOR);
}

bool pass_deployed(const struct pass *pass)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		if (!pass_target_deployed(pass, i))
			return false;
	return pass->have_current;
}

bool pass_just_expired(const struct pass *pass)
{
	return pass->have_current && cert_has_expired(pass->current.cert, pass->now) &&
	       !pass->job.rounds_since_expiry;
}

bool pass_on_http(const struct pass *pass)
{
	for (size_t i = 0; i < pass->state.n_targets; i++)
		if (pass->state.targets[i].mode == MODE_FALLBACK)
			return true;
	return false;
}

int64_t pass_served_until(struct pass *pass, size_t target)
{
	const struct target *t = &pass->certificate->targets[target];
	int64_t until = 0;

	if (pass_target_deployed(pass, target))
		return cert_not_after(pass->current.cert);
	for (size_t i = 0; i < t->n_verify; i++) {
		struct probe_result seen;

		probe_endpoint(&t->verify[i], 5, pass->in->cancel, &seen);
		if (seen.kind == PROBE_TLS && (!until || seen.not_after < until))
			until = seen.not_after;
	}
	/* A service that does not come up any more serves what it was meant to. */
	return until ? until : pass->state.targets[target].old_not_after;
}
