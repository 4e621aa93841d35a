#include "base/arena.h"
#include "config/config.h"
#include "config/proxy.h"
#include "config/sections.h"

#define AT(member) .offset = offsetof(struct alert_config, member)

static const struct choice channel_types[] = {
	{ "webhook", CHANNEL_WEBHOOK },
	{ "program", CHANNEL_PROGRAM },
	{ NULL, 0 },
};

static const struct choice severities[] = {
	{ "notice", SEVERITY_NOTICE },
	{ "warning", SEVERITY_WARNING },
	{ "critical", SEVERITY_CRITICAL },
	{ NULL, 0 },
};

static const struct choice events[] = {
	{ "renewed", 0 },
	{ "failed", 0 },
	{ "expiring", 0 },
	{ "expired", 0 },
	{ "fallback", 0 },
	{ "recovered", 0 },
	{ "drift", 0 },
	{ "broken", 0 },
	{ "waiting_for_service", 0 },
	{ "config_rejected", 0 },
	{ "clock_unconfirmed", 0 },
	{ "circuit_open", 0 },
	{ "managed_set_shrank", 0 },
	{ "ca_changed", 0 },
	{ "state_damaged", 0 },
	{ "challenge", 0 },
	{ "rehearsal_failed", 0 },
	{ "daemon_dead", 0 },
	{ "daemon_stuck", 0 },
	{ "served_wrong", 0 },
	{ "silent", 0 },
	{ NULL, 0 },
};

static const struct field alert_fields[] = {
	{ .key = "type",
	  .type = FIELD_CHOICE,
	  AT(type),
	  .choices = channel_types,
	  .help = "how the alert leaves" },
	{ .key = "url",
	  .type = FIELD_WEBHOOK,
	  AT(url),
	  .only = "webhook",
	  .help = "where the alert is posted as JSON; http:// on this machine only" },
	{ .key = "authorization",
	  .type = FIELD_SECRET,
	  AT(authorization),
	  .fallback = FIELD_OPTIONAL,
	  .only = "webhook",
	  .help = "the whole value of the Authorization header" },
	{ .key = "ca_bundle",
	  .type = FIELD_TRUSTED,
	  AT(ca_bundle),
	  .fallback = FIELD_OPTIONAL,
	  .only = "webhook",
	  .help = "PEM file of roots trusted for this webhook besides the system's" },
	{ .key = "proxy",
	  .type = FIELD_PROXY,
	  AT(proxy),
	  .fallback = FIELD_OPTIONAL,
	  .only = "webhook",
	  .help = "HTTP proxy on the way to it; on Windows the system's when not given" },
	{ .key = "command",
	  .type = FIELD_COMMAND,
	  AT(program.argv),
	  .min = 1,
	  .max = 64,
	  .only = "program",
	  .help = "run without a shell; gets the alert as JSON on standard input" },
	{ .key = "timeout",
	  .type = FIELD_DURATION,
	  AT(program.timeout_s),
	  .fallback = "30s",
	  .min = 1 * SECONDS,
	  .max = 10 * MINUTES,
	  .only = "program",
	  .help = "how long it may run" },
	{ .key = "min",
	  .type = FIELD_CHOICE,
	  AT(min),
	  .fallback = "warning",
	  .choices = severities,
	  .help = "the least severe alert that it wants" },
	{ .key = "except",
	  .type = FIELD_WORDS,
	  AT(except),
	  .fallback = "[]",
	  .choices = events,
	  .help = "events that it does not want, critical or not" },
};

static void complete_alert(struct reading *r, const struct frame *frame, struct node *map,
			   void *base)
{
	struct alert_config *alert = base;

	if (alert->type == CHANNEL_WEBHOOK && !node_member(map, "proxy"))
		alert->proxy = proxy_of_system(r, frame, map, alert->url);
	alert->program.changes = arena_calloc(r->values.arena, 1, sizeof(char *));
}

const struct section alert_section = {
	.what = "alert",
	.fields = alert_fields,
	.n_fields = N_FIELDS(alert_fields),
	.size = sizeof(struct alert_config),
	.after = complete_alert,
};

const char *severity_name(enum severity severity)
{
	return severities[severity].name;
}
