#include <stdlib.h>

#include "base/arena.h"
#include "config/config.h"
#include "config/issuer_types.h"
#include "config/sections.h"
#include "config/system.h"
#include "config/trust.h"

#define AT(member) .offset = offsetof(struct config, member)

static const struct choice log_formats[] = {
	{ "text", LOG_FORMAT_TEXT },
	{ "json", LOG_FORMAT_JSON },
	{ NULL, 0 },
};

static const struct field log_fields[] = {
	{ .key = "format",
	  .type = FIELD_CHOICE,
	  AT(log_format),
	  .fallback = "text",
	  .choices = log_formats,
	  .help = "lines for people, or one JSON object a line for machines" },
	{ .key = "file",
	  .type = FIELD_PATH,
	  AT(log_file),
	  .fallback = FIELD_OPTIONAL,
	  .help = "written there too. Without it only to standard error, which is the "
		  "journal under systemd; the Windows service then takes "
		  "`logs\\certrenewd.log` beside its configuration" },
	{ .key = "max_size",
	  .type = FIELD_SIZE,
	  AT(log_max_bytes),
	  .fallback = "10M",
	  .min = 64 * 1024,
	  .max = 1024 * 1024 * 1024,
	  .help = "then the file is put aside and a new one begun" },
	{ .key = "keep",
	  .type = FIELD_NUMBER,
	  AT(log_keep),
	  .fallback = "5",
	  .min = 0,
	  .max = 1000,
	  .help = "how many of those put aside are kept" },
};

static const struct section log_section = { .what = "log",
					    .fields = log_fields,
					    .n_fields = N_FIELDS(log_fields) };

static const struct field inspect_fields[] = {
	{ .key = "files",
	  .type = FIELD_DURATION,
	  AT(inspect_files_every_s),
	  .fallback = "1h",
	  .min = 1 * SECONDS,
	  .max = 7 * DAYS,
	  .help = "how often stores and files are compared with what we put there" },
	{ .key = "endpoints",
	  .type = FIELD_DURATION,
	  AT(inspect_endpoints_every_s),
	  .fallback = "6h",
	  .min = 1 * SECONDS,
	  .max = 7 * DAYS,
	  .help = "how often the endpoints under verify are asked what they serve" },
};

static const struct section inspect_section = {
	.what = "inspect_every",
	.fields = inspect_fields,
	.n_fields = N_FIELDS(inspect_fields),
};

static const struct field top_fields[] = {
	{ .key = "concurrency",
	  .type = FIELD_NUMBER,
	  AT(concurrency),
	  .fallback = "4",
	  .min = 1,
	  .max = 64,
	  .help = "certificates worked on at the same time" },
	{ .key = "state_dir",
	  .type = FIELD_ABSOLUTE,
	  AT(state_dir),
	  .fallback = "/var/lib/certrenewd",
	  .help = "folder for accounts, journals and undelivered alerts; made when "
		  "absent. On Windows `%ProgramData%\\certrenewd\\state` when not "
		  "given" },
	{ .key = "log",
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &log_section,
	  .help = "how the log is written" },
	{ .key = "inspect_every",
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &inspect_section,
	  .help = "how often drift is looked for" },
	{ .key = "resolvers",
	  .type = FIELD_RESOLVERS,
	  AT(resolvers),
	  .fallback = "[]",
	  .max = 8,
	  .help = "who is asked about the DNS, by UDP and TCP, or by HTTPS (RFC 8484); "
		  "the system's own servers when empty" },
	{ .key = "dns_providers",
	  .type = FIELD_NAMED,
	  AT(dns_providers),
	  .fallback = "{}",
	  .max = 32,
	  .count = offsetof(struct config, n_dns_providers),
	  .section = &dns_section,
	  .help = "who puts records into the DNS for dns-01, by names of your choice" },
	{ .key = "issuers",
	  .type = FIELD_NAMED,
	  AT(issuers),
	  .min = 1,
	  .max = 32,
	  .count = offsetof(struct config, n_issuers),
	  .section = &issuer_section,
	  .help = "the CAs, each with our account there, by names of your choice" },
	{ .key = "certificates",
	  .type = FIELD_NAMED,
	  AT(certificates),
	  .min = 1,
	  .max = 1000,
	  .count = offsetof(struct config, n_certificates),
	  .section = &certificate_section,
	  .help = "what is kept alive, by names of your choice" },
	{ .key = "alerts",
	  .type = FIELD_NAMED,
	  AT(alerts),
	  .fallback = "{}",
	  .max = 32,
	  .count = offsetof(struct config, n_alerts),
	  .section = &alert_section,
	  .help = "who is told, by names of your choice; without any, only the log is" },
};

static void before_file(struct reading *r, struct node *map)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };
	char *state_dir;

	r->root = map;
	issuers_imply(r, map);
	if (node_member(map, "state_dir"))
		return;
	state_dir = system_default_state_dir();
	node_append(map,
		    node_from_scalar(r->values.arena, source, "state_dir", state_dir));
	free(state_dir);
}

/* The Windows store cannot say which entries are ours: we keep a record of our own. */
static void name_records(struct reading *r, const struct config *config)
{
	for (size_t i = 0; i < config->n_certificates; i++) {
		const struct certificate_config *certificate = &config->certificates[i];
		struct target *targets = (struct target *)certificate->targets;

		for (size_t t = 0; t < certificate->n_targets; t++) {
			if (targets[t].store.type != STORE_WINDOWS)
				continue;
			targets[t].store.records = arena_printf(
				r->values.arena, "%s/certificates/%s/imported",
				config->state_dir, certificate->name);
		}
	}
}

static void name_accounts(struct reading *r, const struct config *config)
{
	struct dns_provider *providers = (struct dns_provider *)config->dns_providers;

	for (size_t i = 0; i < config->n_dns_providers; i++) {
		struct dns_provider *mine = &providers[i];

		if (mine->type == DNS_ACME_DNS && !mine->username && !mine->accounts)
			mine->accounts = arena_printf(r->values.arena, "%s/dns/%s.json",
						      config->state_dir, mine->name);
		else if (mine->type == DNS_ACME_SH)
			mine->accounts = arena_printf(r->values.arena, "%s/dns/%s.saved",
						      config->state_dir, mine->name);
	}
}

static void complete_file(struct reading *r, const struct frame *frame, struct node *map,
			  void *base)
{
	const struct config *config = base;

	(void)frame;
	if (!config->state_dir)
		return;
	trust_require_state_dir(r, node_member(map, "state_dir")->place,
				config->state_dir);
	name_records(r, config);
	name_accounts(r, config);
}

const struct section top_section = {
	.what = "file",
	.fields = top_fields,
	.n_fields = N_FIELDS(top_fields),
	.before = before_file,
	.after = complete_file,
};
