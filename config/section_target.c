#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/target.h"
#include "config/issuer_types.h"
#include "config/presets.h"
#include "config/sections.h"
#include "config/system.h"

#define AT(member) .offset = offsetof(struct target, member)

#define MAX_ENDPOINTS 16

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
	{ .key = "settings",
	  .type = FIELD_PATHS,
	  AT(settings),
	  .fallback = "[]",
	  .max = 16,
	  .help = "folders, `*` and `?` allowed: every *.json below them that carries "
		  "the old thumbprint is rewritten with tls.json; a preset knows them" },
	{ .key = "listener_json",
	  .type = FIELD_TLS_JSON,
	  AT(listener_json),
	  .fallback = "none",
	  .help = "Xtract Core's listener.json: its `mode` is Localhost for the time of "
		  "a "
		  "fallback; the preset knows it" },
	{ .key = "wait_for_extractions",
	  .type = FIELD_PATIENCE,
	  AT(wait_idle.at_most_s),
	  .fallback = "no",
	  .min = 1 * SECONDS,
	  .max = 24 * HOURS,
	  .help = "how long a restart is put off while extractions run, asked of the "
		  "first address under verify" },
	{ .key = "maintenance_window",
	  .type = FIELD_MAINTENANCE,
	  AT(windows),
	  .fallback = "[]",
	  .max = 16,
	  .count = offsetof(struct target, n_windows),
	  .help = "when the service may be restarted, in this machine's time zone; at "
		  "any "
		  "time when empty" },
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
	  .max = MAX_ENDPOINTS,
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
	{ .key = "soak",
	  .type = FIELD_DURATION,
	  AT(soak_s),
	  .fallback = "0s",
	  .min = 0,
	  .max = 7 * DAYS,
	  .help = "how long it is watched after it was seen, and taken back when the "
		  "service dies or serves something else; not longer than "
		  "`retire.after`" },
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
	  .help = "program that closes the plain port to others, or `firewall`: a rule "
		  "of Windows's firewall; if it fails there is no fallback" },
	{ .key = "after_fallback",
	  .type = FIELD_SECTION,
	  AT(after_fallback),
	  .fallback = "none",
	  .section = &after_section,
	  .help = "program that opens it again, once HTTPS is back" },
	{ .key = "even_if_guard_fails",
	  .type = FIELD_SWITCH,
	  AT(even_if_guard_fails),
	  .fallback = "no",
	  .help = "fall back even if before_fallback fails" },
};

/* What comes out of a Windows store stays in it. */
static void store_of_issuer(struct reading *r, struct node *map)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };
	const struct node *issuer = issuer_first_of(r, r->certificate);
	const struct node *location = node_member(issuer, "location");
	const struct node *name = node_member(issuer, "name");
	struct node *store;

	if (!location || !name || node_member(map, "store"))
		return;
	store = node_from_text(r->values.arena, source, "store", "{}");
	node_append(store, node_from_scalar(r->values.arena, source, "type", "windows"));
	node_append(store, node_from_scalar(r->values.arena, source, "location",
					    location->text));
	node_append(store, node_from_scalar(r->values.arena, source, "name", name->text));
	node_append(map, store);
}

static bool has_store(const struct node *map)
{
	const struct node *store = node_member(map, "store");

	return store && !node_is_word(store, "none");
}

static void before_target(struct reading *r, struct node *map)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };

	store_of_issuer(r, map);
	preset_fill(r, map);
	if (!node_member(map, "name"))
		node_append(map,
			    node_from_scalar(r->values.arena, source, "name", "default"));
	if (!node_member(map, "verify") && issuer_is_none(r) && has_store(map))
		node_append(map, node_from_text(r->values.arena, source, "verify", "[]"));
}

/* Where nothing but the store is watched, no endpoint is needed. */
static void check_verify(struct reading *r, const struct frame *frame,
			 const struct node *map)
{
	const struct node *verify = node_member(map, "verify");

	if (!verify || verify->type != NODE_LIST || verify->n ||
	    (issuer_is_none(r) && has_store(map)))
		return;
	field_problem(r, frame, "verify", verify->place,
		      "has 0 entries: expected from 1 to %d", MAX_ENDPOINTS);
}

/* `windows: auto` looks below the target's folder. */
static void complete_service(struct reading *r, const struct frame *frame,
			     const struct node *map, struct target *target)
{
	const struct node *service = node_member(node_member(map, "service"), "windows");

	if (!node_is_word(service, "auto"))
		return;
	target->service.below = target->install_dir;
	if (!node_member(map, "install_dir") && !node_member(map, "preset"))
		problem_at(r->problems, service->place,
			   "'service.windows' is 'auto', and %s has no 'install_dir': "
			   "give the folder that the service's program lies below, or "
			   "the service's name",
			   frame->label);
}

/* Asked where the application answers HTTPS. */
static void complete_wait(struct reading *r, const struct frame *frame,
			  const struct node *map, struct target *target)
{
	const struct node *wait = node_member(map, "wait_for_extractions");

	if (!target->wait_idle.at_most_s)
		return;
	if (str_equal(target->preset, "yunio"))
		field_problem(r, frame, wait->key, wait->place,
			      "is not for yunIO, which cannot be asked what runs: use "
			      "'maintenance_window'");
	if (target->n_verify && target->verify[0].connect)
		target->wait_idle.url = arena_printf(r->values.arena, "https://%s",
						     target->verify[0].connect);
	else
		field_problem(r, frame, wait->key, wait->place,
			      "needs an address under 'verify' to ask");
}

/* The way back has to be there for as long. */
static void check_soak(struct reading *r, const struct frame *frame,
		       const struct node *map, const struct target *target)
{
	const struct node *soak = node_member(map, "soak");

	if (target->soak_s > target->retire_after_s)
		field_problem(r, frame, "soak", soak->place,
			      "is '%s', longer than 'retire.after', when the old "
			      "certificate is deleted: nothing could be taken back then; "
			      "make 'retire: {after:}' as long at least",
			      soak->text);
}

static void complete_firewall(struct reading *r, const struct frame *frame,
			      const struct node *map, struct target *target)
{
	const struct node *guard = node_member(map, "before_fallback");

	if (!node_is_word(guard, "firewall"))
		return;
	target->firewall_guard = true;
	if (system_lacks_service(SERVICE_WINDOWS))
		field_problem(r, frame, guard->key, guard->place,
			      "is 'firewall', which exists on Windows only: name a "
			      "program that closes the port");
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
	struct target *target = base;
	const struct node *run = node_member(map, "run");

	if (node_member(map, "preset") && !node_member(map, "install_dir"))
		problem_at(r->problems, map->key_place,
			   "%s has a 'preset' and no 'install_dir': give the folder that "
			   "the product was installed into",
			   frame->label);
	if (node_is_word(node_member(map, "store"), "none") && run &&
	    run->type == NODE_LIST && !run->n && !issuer_is_none(r))
		problem_at(r->problems, map->key_place,
			   "%s has neither 'store' nor 'run': nothing would bring the "
			   "certificate to the application",
			   frame->label);
	check_verify(r, frame, map);
	complete_service(r, frame, map, target);
	complete_wait(r, frame, map, target);
	complete_firewall(r, frame, map, target);
	check_soak(r, frame, map, target);
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
