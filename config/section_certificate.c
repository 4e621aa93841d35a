#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/certificate_checks.h"
#include "config/config.h"
#include "config/issuer_types.h"
#include "config/presets.h"
#include "config/sections.h"

#define AT(member) .offset = offsetof(struct certificate_config, member)

static const struct choice key_types[] = {
	{ "rsa-2048", 0 }, { "rsa-3072", 0 }, { "rsa-4096", 0 },
	{ "ec-p256", 0 },  { "ec-p384", 0 },  { NULL, 0 },
};

static const struct field key_fields[] = {
	{ .key = "type",
	  .type = FIELD_WORD,
	  AT(key_type),
	  .fallback = "rsa-2048",
	  .choices = key_types,
	  .help = "type of the private key" },
	{ .key = "reuse",
	  .type = FIELD_SWITCH,
	  AT(key_reuse),
	  .fallback = "no",
	  .help = "keep the key at renewal instead of making a new one; on Windows "
		  "its sealed copy stays on disk then" },
};

static const struct section key_section = { .what = "key",
					    .fields = key_fields,
					    .n_fields = N_FIELDS(key_fields) };

/* ---- profile -------------------------------------------------------------- */

static const struct field profile_fields[] = {
	{ .key = "name",
	  .type = FIELD_TEXT,
	  AT(profile),
	  .max = 128,
	  .help = "as the CA's directory calls it" },
	{ .key = "required",
	  .type = FIELD_SWITCH,
	  AT(profile_required),
	  .fallback = "no",
	  .help = "order nothing where the CA does not offer it, instead of its "
		  "default" },
};

static const struct section profile_section = { .what = "profile",
						.fields = profile_fields,
						.n_fields = N_FIELDS(profile_fields),
						.alone = "name" };

/* ---- renew, and the whole ------------------------------------------------ */

static const struct field renew_fields[] = {
	{ .key = "at",
	  .type = FIELD_RENEW_AT,
	  AT(renew_at),
	  .fallback = "default",
	  .min = 1 * MINUTES,
	  .max = 365 * DAYS,
	  .help = "how much is left when it is time: a fraction of the lifetime, or a "
		  "duration of 1m to 365d; `default` is 1/3, and 1/2 for lifetimes under "
		  "10 "
		  "days" },
	{ .key = "follow_ari",
	  .type = FIELD_SWITCH,
	  AT(follow_ari),
	  .fallback = "yes",
	  .help = "renew earlier when the CA suggests it (RFC 9773)" },
};

static const struct section renew_section = { .what = "renew",
					      .fields = renew_fields,
					      .n_fields = N_FIELDS(renew_fields) };

static const struct field rehearse_fields[] = {
	{ .key = "every",
	  .type = FIELD_PATIENCE,
	  AT(rehearse_every_s),
	  .fallback = "7d",
	  .min = 1 * HOURS,
	  .max = 90 * DAYS,
	  .help = "how often; a day before each maintenance window too. Certificates "
		  "that "
		  "live less than 14 days are proven by their renewals instead" },
};

static const struct section rehearse_section = { .what = "rehearse",
						 .fields = rehearse_fields,
						 .n_fields = N_FIELDS(rehearse_fields),
						 .alone = "every" };

static const struct choice requirements[] = {
	{ "cn", REQUIRE_CN },
	{ "serverAuth", REQUIRE_SERVER_AUTH },
	{ "clientAuth", REQUIRE_CLIENT_AUTH },
	{ NULL, 0 },
};

static const struct field certificate_fields[] = {
	{ .key = "hosts",
	  .type = FIELD_HOSTS,
	  AT(hosts),
	  .min = 1,
	  .max = 100,
	  .help = "the names it must carry: host names, wildcards, IP addresses; the "
		  "first "
		  "is the common name and tls.json's subjectAltName" },
	{ .key = "issuers",
	  .type = FIELD_NAMES,
	  AT(issuers),
	  .min = 1,
	  .max = 8,
	  .help = "who is asked, in this order: the next one when the first cannot; "
		  "`store`, `none` and `self-signed` need no entry of their own" },
	{ .key = "key",
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &key_section,
	  .help = "the private key" },
	{ .key = "common_name",
	  .type = FIELD_SWITCH,
	  AT(common_name),
	  .fallback = "yes",
	  .help = "put the first host that fits 64 characters in the subject" },
	{ .key = "challenge",
	  .type = FIELD_ONE_OR_MORE,
	  AT(challenges),
	  .fallback = "{}",
	  .min = 1,
	  .max = 4,
	  .count = offsetof(struct certificate_config, n_challenges),
	  .section = &challenge_section,
	  .help = "how the CA is convinced, in order of preference: the next one when "
		  "the "
		  "first fails; none where no issuer is an ACME CA" },
	{ .key = "csr",
	  .type = FIELD_TRUSTED,
	  AT(csr),
	  .fallback = FIELD_OPTIONAL,
	  .help = "a certificate request (PEM) of your own for these hosts, whose key is "
		  "elsewhere; we make key and request without it" },
	{ .key = "profile",
	  .type = FIELD_SECTION,
	  .fallback = FIELD_OPTIONAL,
	  .section = &profile_section,
	  .help = "which of the CA's profiles is asked for; its default when not given" },
	{ .key = "lifetime",
	  .type = FIELD_DURATION,
	  AT(lifetime_s),
	  .fallback = FIELD_OPTIONAL,
	  .min = 1 * HOURS,
	  .max = 3650 * DAYS,
	  .help = "how long it shall be valid (notAfter), where the CA takes wishes; "
		  "what "
		  "the CA gives when not given" },
	{ .key = "backdate",
	  .type = FIELD_DURATION,
	  AT(backdate_s),
	  .fallback = FIELD_OPTIONAL,
	  .min = 1 * MINUTES,
	  .max = 30 * DAYS,
	  .help = "how long before now it shall begin (notBefore), where the CA takes "
		  "wishes" },
	{ .key = "chain",
	  .type = FIELD_TEXT,
	  AT(chain),
	  .fallback = FIELD_OPTIONAL,
	  .max = 256,
	  .help = "of several chains that the CA offers, the one with this name as its "
		  "root or among its issuers" },
	{ .key = "failover_after",
	  .type = FIELD_NUMBER,
	  AT(failover_after),
	  .fallback = "3",
	  .min = 1,
	  .max = 20,
	  .help = "after so many refusals in a row the next issuer is asked; at once "
		  "when "
		  "the first cannot be reached" },
	{ .key = "renew",
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &renew_section,
	  .help = "when it is renewed; with the issuer `none`, when it is told that it "
		  "expires" },
	{ .key = "rehearse",
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &rehearse_section,
	  .help = "the next renewal is tried beforehand, without touching anything" },
	{ .key = "require",
	  .type = FIELD_FLAGS,
	  AT(require),
	  .fallback = "[]",
	  .choices = requirements,
	  .help = "what a new certificate must not lose: refused instead of warned "
		  "about; "
		  "a preset's `[cn]` holds where this is not written" },
	{ .key = "deploy",
	  .type = FIELD_SECTIONS,
	  AT(targets),
	  .min = 1,
	  .max = 16,
	  .count = offsetof(struct certificate_config, n_targets),
	  .section = &target_section,
	  .help = "the applications that it is brought into" },
};

/* Two presets agree or the first one is it: `require` is the certificate's, not the
 * target's. */
static void require_of_presets(struct reading *r, struct node *map)
{
	const struct node *deploy = node_member(map, "deploy");

	if (!deploy || deploy->type != NODE_LIST || node_member(map, "require"))
		return;
	for (const struct node *item = deploy->first; item; item = item->next) {
		const struct node *preset = node_member(item, "preset");

		if (preset && preset->type == NODE_SCALAR && preset_known(preset->text)) {
			node_append(map, preset_require(r->values.arena, preset));
			return;
		}
	}
}

/* Nobody is shown anything where no CA asks. */
static void default_challenge(struct reading *r, struct node *map)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };

	if (!(issuer_types_of(r, map) & 1U << ISSUER_ACME) &&
	    !node_member(map, "challenge"))
		node_append(map, node_from_scalar(r->values.arena, source, "challenge",
						  "none"));
}

static void before_certificate(struct reading *r, struct node *map)
{
	r->certificate = map;
	default_challenge(r, map);
	require_of_presets(r, map);
}

const struct section certificate_section = {
	.what = "certificate",
	.fields = certificate_fields,
	.n_fields = N_FIELDS(certificate_fields),
	.size = sizeof(struct certificate_config),
	.before = before_certificate,
	.after = certificate_complete,
};
