#include <string.h>

#include "base/arena.h"
#include "base/str.h"
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

/* ---- challenge ----------------------------------------------------------- */

static const struct choice challenge_types[] = {
	{ "http-01", 0 },
	{ NULL, 0 },
};

static const struct field challenge_fields[] = {
	{ .key = "type",
	  .type = FIELD_WORD,
	  AT(challenge),
	  .fallback = "http-01",
	  .choices = challenge_types,
	  .help = "how the CA is shown that we hold the names" },
	{ .key = "listen",
	  .type = FIELD_LISTEN,
	  AT(listen),
	  .fallback = FIELD_OPTIONAL,
	  .help = "answer by ourselves here, only while the CA asks; `:80` unless "
		  "webroot is given" },
	{ .key = "webroot",
	  .type = FIELD_ABSOLUTE,
	  AT(webroot),
	  .fallback = FIELD_OPTIONAL,
	  .help = "answer by files below this folder, which a web server serves" },
};

/* Our own responder is the default, and shown as such. */
static void default_listen(struct reading *r, struct node *map)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };

	if (!node_member(map, "listen") && !node_member(map, "webroot"))
		node_append(map,
			    node_from_scalar(r->values.arena, source, "listen", ":80"));
}

static void check_challenge(struct reading *r, const struct frame *frame,
			    struct node *map, void *base)
{
	const struct node *webroot = node_member(map, "webroot");

	(void)base;
	if (webroot && node_member(map, "listen"))
		field_problem(r, frame, "webroot", webroot->key_place,
			      "is given beside 'listen': keep one of them");
}

static const struct section challenge_section = {
	.what = "challenge",
	.fields = challenge_fields,
	.n_fields = N_FIELDS(challenge_fields),
	.none_ok = true,
	.before = default_listen,
	.after = check_challenge,
};

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
	  .help = "the names it must carry; the first is the common name and tls.json's "
		  "subjectAltName" },
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
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &challenge_section,
	  .help = "how the CA is convinced; none where no issuer is an ACME CA" },
	{ .key = "renew",
	  .type = FIELD_SECTION,
	  .fallback = "{}",
	  .section = &renew_section,
	  .help = "when it is renewed; with the issuer `none`, when it is told that it "
		  "expires" },
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

static void check_issuers(struct reading *r, const struct frame *frame,
			  const struct node *map)
{
	unsigned types = issuer_types_of(r, map);
	const struct node *issuers = node_member(map, "issuers");
	const struct node *challenge = node_member(map, "challenge");
	bool acme = types & 1U << ISSUER_ACME, none = node_is_word(challenge, "none");

	if (issuers && issuers->n > 1 && types & 1U << ISSUER_NONE)
		field_problem(r, frame, "issuers", issuers->place,
			      "has an issuer of 'type: none' beside others: who only "
			      "watches stands alone");
	if (challenge && acme && none)
		field_problem(r, frame, "challenge", challenge->place,
			      "is none, and an ACME CA is among the issuers: it asks for "
			      "one");
	if (challenge && !acme && !none)
		field_problem(r, frame, "challenge", challenge->key_place,
			      "is for ACME CAs, and none is among the issuers: leave it "
			      "out");
}

/* Types of issuers for which we make the key. */
#define WITH_OUR_KEY (1U << ISSUER_ACME | 1U << ISSUER_SELF_SIGNED | 1U << ISSUER_COMMAND)

/* A key that somebody else put into the Windows store leaves it only by being exported,
 * which that somebody seldom allowed. */
static void check_key_stays(struct reading *r, const struct frame *frame,
			    const struct node *map, const struct certificate_config *mine)
{
	const struct node *issuer = issuer_first_of(r, map);

	if (!node_member(issuer, "location"))
		return;
	for (size_t i = 0; i < mine->n_targets; i++) {
		const struct target *target = &mine->targets[i];

		if (target->store.type != STORE_DIRECTORY &&
		    target->store.type != STORE_FILES)
			continue;
		problem_at(r->problems, node_member(map, "deploy")->place,
			   "target '%.64s' of %s wants the key in a file, and the issuer "
			   "'%.64s' is a Windows store, which keys do not leave: give it "
			   "'store: {type: windows}'",
			   target->name ? target->name : "?", frame->label, issuer->key);
		return;
	}
}

/* What is known of keys in the Windows store is known of RSA. */
static void check_key(struct reading *r, const struct frame *frame,
		      const struct node *map, const struct certificate_config *mine)
{
	const struct node *type = node_member(node_member(map, "key"), "type");

	if (!mine->key_type || !str_starts(mine->key_type, "ec-") ||
	    !(issuer_types_of(r, map) & WITH_OUR_KEY))
		return;
	for (size_t i = 0; i < mine->n_targets; i++) {
		const struct store *store = &mine->targets[i].store;

		if (store->type != STORE_WINDOWS || store->experimental)
			continue;
		problem_at(r->problems, type->place,
			   "'key.type' of %s is '%s', and its target '%.64s' has a "
			   "Windows store, for which EC keys are not proven: use "
			   "rsa-2048, or write 'experimental: yes' in that store",
			   frame->label, mine->key_type,
			   mine->targets[i].name ? mine->targets[i].name : "?");
		return;
	}
}

static void refuse_same_name(struct reading *r, const struct frame *frame,
			     const struct node *deploy)
{
	const struct node *other, *name, *first;

	for (const struct node *item = deploy->first; item; item = item->next) {
		name = node_member(item, "name");
		if (!name || name->type != NODE_SCALAR)
			continue;
		for (other = deploy->first; other != item; other = other->next) {
			first = node_member(other, "name");
			if (!first || !node_is_word(first, name->text))
				continue;
			problem_at(
				r->problems, name->place,
				"two targets of %s are named '%.64s': give each its own "
				"'name'",
				frame->label, name->text);
			break;
		}
	}
}

/* What a target takes from its certificate: the name to ask for, and to write. */
static void name_endpoints(struct reading *r, const struct target *target,
			   const struct node *item, const char *host)
{
	struct node_source source = { FROM_DEFAULT, item->place };
	struct endpoint *endpoints = (struct endpoint *)target->verify;
	const struct node *verify = node_member(item, "verify");
	struct node *entry = verify ? verify->first : NULL;

	for (size_t i = 0; i < target->n_verify && entry; i++, entry = entry->next) {
		if (entry->type != NODE_MAP || node_member(entry, "server_name"))
			continue;
		endpoints[i].server_name = host;
		node_insert(
			entry, node_member(entry, "connect"),
			node_from_scalar(r->values.arena, source, "server_name", host));
	}
}

static void complete_certificate(struct reading *r, const struct frame *frame,
				 struct node *map, void *base)
{
	struct certificate_config *certificate = base;
	struct target *targets = (struct target *)certificate->targets;
	const struct node *deploy = node_member(map, "deploy");
	const char *host = certificate->hosts ? certificate->hosts[0] : NULL;
	const struct node *item;

	check_issuers(r, frame, map);
	check_key(r, frame, map, certificate);
	check_key_stays(r, frame, map, certificate);
	r->certificate = NULL;
	if (!certificate->n_targets || !deploy)
		return;
	refuse_same_name(r, frame, deploy);
	item = deploy->first;
	for (size_t i = 0; host && i < certificate->n_targets && item; i++) {
		targets[i].subject_alt_name = host;
		name_endpoints(r, &targets[i], item, host);
		item = item->next;
	}
}

const struct section certificate_section = {
	.what = "certificate",
	.fields = certificate_fields,
	.n_fields = N_FIELDS(certificate_fields),
	.size = sizeof(struct certificate_config),
	.before = before_certificate,
	.after = complete_certificate,
};
