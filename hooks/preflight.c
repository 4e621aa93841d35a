/* Could it be deployed? Looked at before an order is spent on it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "hooks/owner.h"
#include "hooks/plan.h"
#include "hooks/store.h"
#include "hooks/tls_json.h"
#include "hooks/transaction.h"

#define LOOK_TIMEOUT_S 5

static int check_service(const struct member *member, struct err *err)
{
	const struct service *service = &member->target->service;
	enum service_state state;
	char *name;

	if (service->kind == SERVICE_NONE)
		return 0;
	if (service_inspect(service, &state, err))
		return -1;
	if (state != SERVICE_IS_MISSING)
		return 0;
	name = service_describe(service);
	err_set(err, ERR_NOT_FOUND, "the service '%s' does not exist", name);
	free(name);
	return -1;
}

/* Could tls.json be rendered and replaced? Without a certificate yet, values that are as
 * long as real ones stand in. */
static int check_tls_json(const struct member *member, struct err *err)
{
	const struct material *material = member->deployment->material;
	struct tls_json_values values = {
		.tls_enabled = true,
		.subject_alt_name = "preflight.invalid",
		.issuer = "CN=preflight",
		.not_after = "20000101T000000.000Z",
		.thumbprint = "0000000000000000000000000000000000000000",
	};
	const struct target *target = member->target;
	struct change_list scratch = { 0 };
	int rc = -1;

	if (!target->tls_json)
		return 0;
	if (member->deployment->owner &&
	    owner_check(member->deployment->owner, target->tls_json, err))
		return -1;
	if (material &&
	    tls_json_values_of(material->cert, target->subject_alt_name, &values, err))
		return -1;
	if (!file_check_replaceable(target->tls_json, err) &&
	    !tls_json_plan(target->tls_json, NULL, &values, &scratch, err))
		rc = 0;
	change_list_clear(&scratch);
	return rc;
}

static int check_program(const struct program *program, const char *what, struct err *err)
{
	const char *const *path = program->changes;
	struct file_facts facts;

	if (!program->argv)
		return 0;
	if (file_inspect(program->argv[0], &facts, err))
		return err_wrap(err, "%s", what);
	if (facts.type == FILE_ABSENT)
		return err_set(err, ERR_NOT_FOUND, "%s: '%s' does not exist", what,
			       program->argv[0]);
	for (; path && *path; path++)
		if (file_check_replaceable(*path, err))
			return err_wrap(err, "%s", what);
	return 0;
}

static int check_programs(const struct member *member, struct err *err)
{
	const struct target *target = member->target;

	for (size_t i = 0; i < target->n_programs; i++)
		if (check_program(&target->programs[i], "run", err))
			return -1;
	if (check_program(&target->service.command, "service", err) ||
	    check_program(&target->service.status, "service status", err))
		return -1;
	if (check_program(&target->before_fallback, "before_fallback", err))
		return -1;
	return check_program(&target->after_fallback, "after_fallback", err);
}

static void tell_baseline(const struct member *member)
{
	const struct target *target = member->target;
	struct probe_result seen;

	for (size_t i = 0; i < target->n_verify; i++) {
		const char *connect = target->verify[i].connect;
		char text[CLOCK_TEXT_MAX];

		probe_endpoint(&target->verify[i], LOOK_TIMEOUT_S,
			       member->deployment->cancel, &seen);
		clock_format_people(seen.not_after, text);
		if (seen.kind == PROBE_TLS)
			deploy_say(member->deployment, target->name, "preflight",
				   "%s serves %s (expires %s)", connect, seen.sha1, text);
		else
			deploy_say(member->deployment, target->name, "preflight",
				   "%s serves no TLS (%s): %s", connect,
				   probe_kind_name(seen.kind), seen.detail);
	}
}

/* Everything that changes a disk needs our own journal first. */
static int check_state_folder(const struct member *member, struct err *err)
{
	return file_check_replaceable(member->journal.path, err);
}

static int check(const struct member *member, struct err *err)
{
	if (check_state_folder(member, err) || check_service(member, err) ||
	    store_check(&member->target->store, &member->target->service, err) ||
	    check_tls_json(member, err) || check_programs(member, err))
		return -1;
	tell_baseline(member);
	return 0;
}

int deploy_preflight(const struct deployment *deployment, struct deploy_outcome *ret,
		     struct err *err)
{
	struct member *members = NULL;
	struct err failure;
	int rc = 0;

	if (members_open(deployment, ret, &members, NULL, err))
		return -1;
	for (size_t i = 0; i < deployment->n_targets; i++) {
		struct member *member = &members[i];

		if (member->mode == MODE_OPERATOR) {
			member_say_end(member, DEPLOY_OPERATOR, ERR_NONE, NULL);
			continue;
		}
		if (!check(member, &failure))
			continue;
		member_say_end(member, DEPLOY_PENDING, failure.kind, failure.text);
		deploy_say(deployment, member->target->name, "preflight", "%s",
			   failure.text);
		if (!rc)
			*err = member->outcome->err;
		rc = -1;
	}
	members_close(members, deployment->n_targets);
	return rc;
}
