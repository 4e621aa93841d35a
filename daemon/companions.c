#include "daemon/companions.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/service.h"
#include "daemon/conflict.h"
#include "daemon/facts.h"

struct companion {
	struct pipeline_input in;
	struct pass pass;
	struct pass *leader; /* who restarts */
	bool switched;       /* its files are, or were for a while */
	struct companion *next;
};

struct companions {
	struct companion *first;
	bool spoiled;
	struct deploy_sharing sharing;
};

/* Its steps are told in the leader's run, by its own name. */
static void note_as_companion(void *ctx, const struct deploy_note *note)
{
	const struct companion *companion = ctx;

	pass_note(companion->leader, note->step, "'%s'%s%s: %s",
		  companion->in.certificate->name, note->target ? " " : "",
		  note->target ? note->target : "", note->text);
}

/* Not one that is in the middle of something: its own pass ends that first. */
static bool is_under_way(const struct pass *pass)
{
	for (size_t i = 0; i < pass->state.n_targets; i++) {
		const struct target_state *target = &pass->state.targets[i];

		if (target->unfinished || target->end == DEPLOY_BROKEN ||
		    target->end == DEPLOY_WAITING)
			return true;
	}
	return false;
}

static bool is_ready(struct pass *pass)
{
	return pass->have_current && !pass_deployed(pass) && !is_under_way(pass) &&
	       !pass_is_revoked(pass) &&
	       !cert_has_expired(pass->current.cert, pass->now) &&
	       pass->job.deployment.next_at <= pass->now &&
	       pass_windows_open_at(pass, pass->now) <= pass->now;
}

/* NULL: there is nothing to share with this one. */
static struct companion *open_one(struct pass *leader,
				  const struct certificate_config *certificate)
{
	struct companion *one = mem_calloc(1, sizeof(*one));
	struct err err;

	one->leader = leader;
	one->in = *leader->in;
	one->in.certificate = certificate;
	one->in.command = PIPELINE_KEEP;
	one->in.force = false;
	one->in.take_folder = false;
	one->in.only = NULL;
	one->in.note = note_as_companion;
	one->in.note_ctx = one;
	if (!pass_open(&one->pass, &one->in, leader->out, &err) && is_ready(&one->pass)) {
		one->pass.is_companion = true;
		return one;
	}
	pass_close(&one->pass);
	free(one);
	return NULL;
}

static bool lives_in(const struct companion *one, const struct service *service)
{
	const struct certificate_config *certificate = one->in.certificate;

	for (size_t i = 0; i < certificate->n_targets; i++)
		if (service_same(&certificate->targets[i].service, service))
			return true;
	return false;
}

static void point(struct companion *one, const struct service *service)
{
	struct deployment deployment = one->pass.deployment;
	struct deploy_outcome outcome = { 0 };
	struct err err;
	bool any, *held = pass_held(&one->pass, &any);

	deployment.held = held;
	deployment.point_only = service;
	one->switched = true;
	if (deploy_run(&deployment, NULL, false, &outcome, &err))
		pass_note(one->leader, "companion", "'%s' shares no restart: %s",
			  one->in.certificate->name, err.text);
	deploy_outcome_clear(&outcome);
	free(held);
}

static void point_all(void *ctx, const struct service *service)
{
	struct companions *companions = ctx;

	for (struct companion *one = companions->first; one; one = one->next)
		if (lives_in(one, service))
			point(one, service);
}

static void take_all_back(void *ctx, const struct service *service)
{
	struct companions *companions = ctx;
	struct err err;
	bool any;

	for (struct companion *one = companions->first; one; one = one->next) {
		if (!one->switched || !lives_in(one, service))
			continue;
		if (deploy_unpoint(&one->pass.deployment, service, &any, &err))
			pass_note(one->leader, "companion", "'%s': %s",
				  one->in.certificate->name, err.text);
		companions->spoiled = companions->spoiled || any;
	}
}

struct companions *companions_open(struct pass *pass)
{
	const struct config *config = pass->in->config;
	struct companions all = { .sharing = { point_all, take_all_back, NULL } };
	struct companions *ret;

	for (size_t i = 0; i < config->n_certificates && !pass->is_companion; i++) {
		const struct certificate_config *other = &config->certificates[i];
		struct companion *one;

		if (other == pass->certificate || facts_only_watched(config, other) ||
		    !conflict_of_services(other, pass->certificate))
			continue;
		one = open_one(pass, other);
		if (!one)
			continue;
		one->next = all.first;
		all.first = one;
	}
	if (!all.first)
		return NULL;
	ret = mem_calloc(1, sizeof(*ret));
	*ret = all;
	ret->sharing.ctx = ret;
	return ret;
}

const struct deploy_sharing *companions_sharing(const struct companions *companions)
{
	return companions ? &companions->sharing : NULL;
}

bool companions_spoiled(const struct companions *companions)
{
	return companions && companions->spoiled;
}

/* As its own pass would. */
static void finish(struct companion *one)
{
	struct err err;

	if (pass_reload_state(&one->pass, &err) || pass_deploy(&one->pass, false, &err))
		pass_note(one->leader, "companion", "'%s': %s", one->in.certificate->name,
			  err.text);
	if (pass_save_job(&one->pass, &err))
		pass_note(one->leader, "companion", "'%s': %s", one->in.certificate->name,
			  err.text);
}

void companions_finish(struct companions *companions)
{
	struct companion *one, *next;

	for (one = companions ? companions->first : NULL; one; one = next) {
		next = one->next;
		if (one->switched && !cancel_requested(one->in.cancel))
			finish(one);
		pass_close(&one->pass);
		free(one);
	}
	free(companions);
}
