#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/target.h"
#include "config/presets.h"
#include "config/sections.h"

#define AT(member) .offset = offsetof(struct target, member)

/* ---- programs ------------------------------------------------------------ */

#define IN_PROGRAM(member) .offset = offsetof(struct program, member)

#define COMMAND_FIELD                                                                    \
	{                                                                                \
		.key = "command", .type = FIELD_COMMAND, IN_PROGRAM(argv), .min = 1,     \
		.max = 64,                                                               \
		.help = "the program by its absolute path, and its arguments; no shell"  \
	}

#define TIMEOUT_FIELD                                                                    \
	{                                                                                \
		.key = "timeout", .type = FIELD_DURATION, IN_PROGRAM(timeout_s),         \
		.fallback = "1m", .min = 1 * SECONDS, .max = 1 * HOURS,                  \
		.help = "how long it may run; then it is ended with all its children"    \
	}

static const struct field run_fields[] = {
	COMMAND_FIELD,
	TIMEOUT_FIELD,
	{ .key = "changes",
	  .type = FIELD_PATHS,
	  IN_PROGRAM(changes),
	  .fallback = "[]",
	  .max = 16,
	  .help = "files that it changes: saved before, put back on undo" },
};

static const struct section run_section = {
	.what = "run",
	.fields = run_fields,
	.n_fields = N_FIELDS(run_fields),
	.size = sizeof(struct program),
};

static const struct field guard_fields[] = { COMMAND_FIELD, TIMEOUT_FIELD };

static void complete_guard(struct reading *r, const struct frame *frame, struct node *map,
			   void *base)
{
	struct program *program = base;

	(void)frame;
	(void)map;
	program->changes = arena_calloc(r->values.arena, 1, sizeof(char *));
}

static const struct section guard_section = {
	.what = "program",
	.fields = guard_fields,
	.n_fields = N_FIELDS(guard_fields),
	.none_ok = true,
	.after = complete_guard,
};

/* ---- endpoints ----------------------------------------------------------- */

#define IN_ENDPOINT(member) .offset = offsetof(struct endpoint, member)

static const struct choice chain_choices[] = {
	{ "as_before", false },
	{ "required", true },
	{ NULL, 0 },
};

static const struct field endpoint_fields[] = {
	{ .key = "connect",
	  .type = FIELD_ENDPOINT,
	  IN_ENDPOINT(connect),
	  .help = "where the application must be seen serving the certificate" },
	{ .key = "server_name",
	  .type = FIELD_SERVER_NAME,
	  IN_ENDPOINT(server_name),
	  .fallback = FIELD_OPTIONAL,
	  .help = "name to ask for (SNI); the certificate's first host when not given, "
		  "`none` sends none" },
	{ .key = "chain",
	  .type = FIELD_FLAG,
	  IN_ENDPOINT(chain_required),
	  .fallback = "as_before",
	  .choices = chain_choices,
	  .help = "whether an incomplete chain fails only if it was complete before, or "
		  "always" },
};

static const struct section endpoint_section = {
	.what = "endpoint",
	.fields = endpoint_fields,
	.n_fields = N_FIELDS(endpoint_fields),
	.size = sizeof(struct endpoint),
};

static const struct field retire_fields[] = {
	{ .key = "after",
	  .type = FIELD_DURATION,
	  AT(retire_after_s),
	  .fallback = "24h",
	  .min = 0,
	  .max = 365 * DAYS,
	  .help = "how long the old certificate stays after the new one was seen" },
	{ .key = "keep",
	  .type = FIELD_NUMBER,
	  AT(keep),
	  .fallback = "0",
	  .min = 0,
	  .max = 100,
	  .help = "old versions to leave in the store" },
};

static const struct section retire_section = { .what = "retire",
					       .fields = retire_fields,
					       .n_fields = N_FIELDS(retire_fields) };

/* ---- the target ---------------------------------------------------------- */

static const struct choice expired_choices[] = {
	{ "keep", EXPIRED_KEEP },
	{ "http", EXPIRED_HTTP },
	{ NULL, 0 },
};

static const struct field target_fields[] = {
	{ .key = "name",
	  .type = FIELD_NAME,
	  AT(name),
	  .fallback = "default",
	  .help = "what it is called; a preset's name where one is given" },
	{ .key = "preset",
	  .type = FIELD_WORD,
	  AT(preset),
	  .fallback = FIELD_OPTIONAL,
	  .choices = preset_names,
	  .help = "a known product: fills in what it knows, and every line "
		  "can be written all the same" },
	{ .key = "install_dir",
	  .type = FIELD_ABSOLUTE,
	  AT(install_dir),
	  .fallback = FIELD_OPTIONAL,
	  .help = "the folder that the application was installed into; a preset needs "
		  "it" },
	{ .key = "store",
	  .type = FIELD_SECTION,
	  AT(store),
	  .fallback = "none",
	  .section = &store_section,
	  .help = "where certificate and key are put" },
	{ .key = "tls_json",
	  .type = FIELD_TLS_JSON,
	  AT(tls_json),
	  .fallback = "none",
	  .help = "the tls.json that names the certificate, where there is one; a preset "
		  "knows it" },
	{ .key = "run",
	  .type = FIELD_SECTIONS,
	  AT(programs),
	  .fallback = "[]",
	  .max = 16,
	  .count = offsetof(struct target, n_programs),
	  .section = &run_section,
	  .help = "programs to run when the files are switched, in order" },
	{ .key = "service",
	  .type = FIELD_SECTION,
	  AT(service),
	  .fallback = "none",
	  .section = &service_section,
	  .help = "what is restarted then" },
	{ .key = "verify",
	  .type = FIELD_SECTIONS,
	  AT(verify),
	  .min = 1,
	  .max = 16,
	  .count = offsetof(struct target, n_verify),
	  .section = &endpoint_section,
	  .help = "where the new certificate must be seen; a preset knows it" },
	{ .key = "verify_timeout",
	  .type = FIELD_DURATION,
	  AT(verify_timeout_s),
	  .fallback = "1m",
	  .min = 1 * SECONDS,
	  .max = 1 * HOURS,
	  .help = "how long that may take after the restart" },
	{ .key = "retire",
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &retire_section,
	  .help = "when the old certificate is deleted" },
	{ .key = "when_expired",
	  .type = FIELD_CHOICE,
	  AT(when_expired),
	  .fallback = "keep",
	  .choices = expired_choices,
	  .help = "with no valid certificate at hand: keep serving the expired one, "
		  "or "
		  "fall back to plain HTTP; a preset says `http`" },
	{ .key = "http",
	  .type = FIELD_ENDPOINT,
	  AT(http),
	  .fallback = FIELD_OPTIONAL,
	  .help = "where it answers plain HTTP after the fallback; a preset knows it" },
	{ .key = "before_fallback",
	  .type = FIELD_SECTION,
	  AT(before_fallback),
	  .fallback = "none",
	  .section = &guard_section,
	  .help = "program that closes the plain port to others; if it fails there is no "
		  "fallback" },
	{ .key = "after_fallback",
	  .type = FIELD_SECTION,
	  AT(after_fallback),
	  .fallback = "none",
	  .section = &guard_section,
	  .help = "program that opens it again, once HTTPS is back" },
	{ .key = "even_if_guard_fails",
	  .type = FIELD_SWITCH,
	  AT(even_if_guard_fails),
	  .fallback = "no",
	  .help = "fall back even if before_fallback fails" },
};

static void before_target(struct reading *r, struct node *map)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };

	preset_fill(r, map);
	if (!node_member(map, "name"))
		node_append(map,
			    node_from_scalar(r->values.arena, source, "name", "default"));
}

static void check_fallback(struct reading *r, const struct frame *frame,
			   const struct node *map, const struct target *target)
{
	const struct node *when = node_member(map, "when_expired");
	const char *port = target->http ? strrchr(target->http, ':') + 1 : NULL;

	if (target->when_expired != EXPIRED_HTTP)
		return;
	if (node_is_word(node_member(map, "tls_json"), "none") &&
	    (!target->preset || target->install_dir))
		field_problem(r, frame, "when_expired", when->place,
			      "is 'http', which is done by moving a tls.json away: give "
			      "'tls_json', or 'when_expired: keep'");
	if (!node_member(map, "http"))
		field_problem(r, frame, "when_expired", when->place,
			      "is 'http': give 'http', the address that must answer "
			      "then, such as \"127.0.0.1:1337\"");
	if (!port || target->before_fallback.argv ||
	    !node_is_word(node_member(map, "before_fallback"), "none"))
		return;
	warning_at(
		r->problems, when->place,
		"%s: when its certificate has expired it will speak plain HTTP on port "
		"%s, without encryption and without access restriction, to everybody who "
		"reaches that port: name a 'before_fallback' that closes it (a firewall "
		"rule), or write 'when_expired: keep'",
		frame->label, port);
}

static void check_target(struct reading *r, const struct frame *frame, struct node *map,
			 void *base)
{
	const struct target *target = base;
	const struct node *run = node_member(map, "run");

	if (node_member(map, "preset") && !node_member(map, "install_dir"))
		problem_at(r->problems, map->key_place,
			   "%s has a 'preset' and no 'install_dir': give the folder that "
			   "the product was installed into",
			   frame->label);
	if (node_is_word(node_member(map, "store"), "none") && run &&
	    run->type == NODE_LIST && !run->n)
		problem_at(r->problems, map->key_place,
			   "%s has neither 'store' nor 'run': nothing would bring the "
			   "certificate to the application",
			   frame->label);
	check_fallback(r, frame, map, target);
}

const struct section target_section = {
	.what = "target",
	.fields = target_fields,
	.n_fields = N_FIELDS(target_fields),
	.size = sizeof(struct target),
	.before = before_target,
	.after = check_target,
};
