/* section_service.c - a target's service: section. Its kind is the one of three keys that
 * is written. */
#include <string.h>

#include "base/arena.h"
#include "base/target.h"
#include "config/sections.h"
#include "config/system.h"

#define AT(member) .offset = offsetof(struct service, member)

static const struct choice actions[] = {
	{ "restart", SERVICE_RESTART },
	{ "reload", SERVICE_RELOAD },
	{ NULL, 0 },
};

static const struct field service_fields[] = {
	{ .key = "systemd",
	  .type = FIELD_UNIT,
	  AT(name),
	  .fallback = FIELD_OPTIONAL,
	  .help = "the unit; either this or one of the next two" },
	{ .key = "windows",
	  .type = FIELD_TEXT,
	  AT(name),
	  .fallback = FIELD_OPTIONAL,
	  .max = 256,
	  .help = "the Windows service by its key name, or `auto`: the one whose program "
		  "lies below install_dir" },
	{ .key = "kill",
	  .type = FIELD_SWITCH,
	  AT(kill),
	  .fallback = FIELD_OPTIONAL,
	  .help = "beside windows: end its process when it does not stop in time; `no` "
		  "when not given, then that is reported" },
	{ .key = "command",
	  .type = FIELD_COMMAND,
	  AT(command.argv),
	  .fallback = FIELD_OPTIONAL,
	  .min = 1,
	  .max = 64,
	  .help = "a program that restarts it and ends with 0 once it runs" },
	{ .key = "status",
	  .type = FIELD_COMMAND,
	  AT(status.argv),
	  .fallback = FIELD_OPTIONAL,
	  .min = 1,
	  .max = 64,
	  .help = "beside command: a program that ends with 0 when it runs and 3 when it "
		  "was stopped" },
	{ .key = "action",
	  .type = FIELD_CHOICE,
	  AT(action),
	  .fallback = "restart",
	  .choices = actions,
	  .help = "what is done to a unit" },
	{ .key = "timeout",
	  .type = FIELD_DURATION,
	  AT(timeout_s),
	  .fallback = "1m",
	  .min = 1 * SECONDS,
	  .max = 1 * HOURS,
	  .help = "how long until it must run" },
};

static const struct kind {
	const char *key;
	enum service_kind kind;
} kinds[] = {
	{ "systemd", SERVICE_SYSTEMD },
	{ "windows", SERVICE_WINDOWS },
	{ "command", SERVICE_COMMAND },
};

/* The one kind that is written; NULL when it is none or several. */
static const struct kind *kind_of(struct reading *r, const struct frame *frame,
				  const struct node *map)
{
	const struct kind *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < N_FIELDS(kinds); i++) {
		if (!node_member(map, kinds[i].key))
			continue;
		found = &kinds[i];
		n++;
	}
	if (n == 1)
		return found;
	problem_at(
		r->problems, map->key_place,
		"%s has %s of 'systemd', 'windows' and 'command': give exactly one, or "
		"write 'service: none'",
		frame->label, n ? "several" : "none");
	return NULL;
}

static void check_service(struct reading *r, const struct frame *frame, struct node *map,
			  void *base)
{
	struct service *service = base;
	const struct node *status = node_member(map, "status");
	const struct node *kill = node_member(map, "kill");
	const struct kind *kind = kind_of(r, frame, map);
	const char *lacking;

	if (!kind)
		return;
	service->kind = kind->kind;
	if (kind->kind == SERVICE_WINDOWS &&
	    node_is_word(node_member(map, "windows"), "auto"))
		service->name = NULL; /* the target knows below what */
	lacking = system_lacks_service(kind->kind);
	if (lacking)
		field_problem(r, frame, kind->key, node_member(map, kind->key)->place,
			      "%s", lacking);
	if (kind->kind != SERVICE_COMMAND && status)
		field_problem(r, frame, "status", status->key_place,
			      "is for 'command' only: the service manager is asked here");
	if (kind->kind != SERVICE_WINDOWS && kill)
		field_problem(r, frame, "kill", kill->key_place,
			      "is for 'windows' only: units and commands have their own "
			      "ways");
	if (kind->kind != SERVICE_SYSTEMD && service->action == SERVICE_RELOAD)
		field_problem(r, frame, "action", node_member(map, "action")->place,
			      kind->kind == SERVICE_COMMAND
				      ? "is 'reload', which is for a unit: name a "
					"command that reloads"
				      : "is 'reload', which is for a unit: a Windows "
					"service is restarted");
	service->command.timeout_s = service->status.timeout_s = service->timeout_s;
	service->command.changes = service->status.changes = arena_calloc(
		r->values.arena, 1, sizeof(char *));
}

const struct section service_section = {
	.what = "service",
	.fields = service_fields,
	.n_fields = N_FIELDS(service_fields),
	.none_ok = true,
	.after = check_service,
};
