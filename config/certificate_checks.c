#include "config/certificate_checks.h"

#include "base/arena.h"
#include "base/identifier.h"
#include "base/str.h"
#include "config/config.h"
#include "config/issuer_types.h"
#include "config/sections.h"

/* ---- issuers and challenges ----------------------------------------------- */

/* What only a CA can be asked for. */
static const char *const for_cas[] = { "csr", "profile", "lifetime", "backdate",
				       "chain" };

static void refuse_without_ca(struct reading *r, const struct frame *frame,
			      const struct node *member)
{
	field_problem(r, frame, member->key, member->key_place,
		      "is for ACME CAs, and none is among the issuers: leave it out");
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
		refuse_without_ca(r, frame, challenge);
	for (size_t i = 0; !acme && i < N_FIELDS(for_cas); i++) {
		const struct node *member = node_member(map, for_cas[i]);

		if (member)
			refuse_without_ca(r, frame, member);
	}
}

/* The same way twice leads nowhere else. */
static void check_challenges(struct reading *r, const struct frame *frame,
			     const struct node *map,
			     const struct certificate_config *mine)
{
	const struct node *list = node_member(map, "challenge"), *item;
	const struct challenge *a = mine->challenges, *b;

	if (!list || list->type != NODE_LIST)
		return;
	item = list->first;
	for (size_t i = 0; i < mine->n_challenges && item; i++, item = item->next) {
		const char *name = challenge_name(a[i].type);

		for (b = a; b != &a[i]; b++) {
			if (b->type == a[i].type && b->provider == a[i].provider)
				break;
		}
		if (b == &a[i] || !node_is_word(node_member(item, "type"), name) ||
		    (a[i].type == DNS_01 && !a[i].provider))
			continue;
		field_problem(r, frame, "challenge", item->place,
			      "has '%s'%s%s twice: keep one", name,
			      a[i].provider ? " by " : "",
			      a[i].provider ? a[i].provider->name : "");
	}
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

/* A date that the CA is asked for and that would be too near is a mistake of two lines.
 */
static void check_lifetime(struct reading *r, const struct frame *frame,
			   const struct node *map, const struct certificate_config *mine)
{
	const struct node *at = node_member(node_member(map, "renew"), "at");
	const struct node *lifetime = node_member(map, "lifetime");

	if (mine->lifetime_s && mine->renew_at.kind == RENEW_DURATION &&
	    mine->renew_at.duration_s >= mine->lifetime_s)
		field_problem(
			r, frame, "lifetime", lifetime->place,
			"is %s, and 'renew.at' is %s: it would be due as soon as it "
			"is issued",
			lifetime->text, at->text);
}

/* ---- a request of the operator's ------------------------------------------ */

static void check_csr(struct reading *r, const struct frame *frame,
		      const struct node *map, const struct certificate_config *mine)
{
	static const char *const in_request[] = { "key", "common_name" };
	const struct node *csr = node_member(map, "csr"), *member;
	unsigned types = issuer_types_of(r, map);

	if (!csr)
		return;
	if (types & 1U << ISSUER_ACME && types != 1U << ISSUER_ACME)
		field_problem(r, frame, "csr", csr->key_place,
			      "is for ACME CAs, and an issuer of another type is beside "
			      "one: keep ACME CAs alone, or leave it out");
	for (size_t i = 0; i < N_FIELDS(in_request); i++) {
		member = node_member(map, in_request[i]);
		if (member && member->origin == FROM_FILE)
			field_problem(r, frame, in_request[i], member->key_place,
				      "is given beside 'csr', which says it already: "
				      "leave it out");
	}
	member = node_member(map, "deploy");
	member = member && member->type == NODE_LIST ? member->first : NULL;
	for (size_t i = 0; i < mine->n_targets && member; i++, member = member->next) {
		const struct store *store = &mine->targets[i].store;

		if (store->type == STORE_NONE ||
		    (store->type == STORE_FILES && !store->key))
			continue;
		problem_at(r->problems, member->place,
			   "target '%.64s' of %s has a 'store' that wants the key, and "
			   "with 'csr' the key is elsewhere: use 'type: files' without "
			   "'key'",
			   mine->targets[i].name ? mine->targets[i].name : "?",
			   frame->label);
	}
}

/* Who renews it somewhere else cannot be rehearsed here. */
static void check_rehearse(struct reading *r, const struct frame *frame,
			   const struct node *map)
{
	const unsigned renewed_by_us = 1U << ISSUER_ACME | 1U << ISSUER_COMMAND |
				       1U << ISSUER_SELF_SIGNED;
	const struct node *rehearse = node_member(map, "rehearse");

	if (rehearse && rehearse->origin == FROM_FILE &&
	    !(issuer_types_of(r, map) & renewed_by_us))
		field_problem(r, frame, "rehearse", rehearse->key_place,
			      "is for certificates that are renewed here, and others "
			      "bring this one: leave it out");
}

void certificate_complete(struct reading *r, const struct frame *frame, struct node *map,
			  void *base)
{
	struct certificate_config *certificate = base;
	struct target *targets = (struct target *)certificate->targets;
	const struct node *deploy = node_member(map, "deploy");
	const char *host = certificate->hosts ? certificate->hosts[0] : NULL;
	const struct node *item;

	check_issuers(r, frame, map);
	check_challenges(r, frame, map, certificate);
	certificate_check_hosts(r, frame, map, certificate);
	check_lifetime(r, frame, map, certificate);
	check_rehearse(r, frame, map);
	check_csr(r, frame, map, certificate);
	check_key(r, frame, map, certificate);
	check_key_stays(r, frame, map, certificate);
	r->certificate = NULL;
	if (!certificate->n_targets || !deploy)
		return;
	refuse_same_name(r, frame, deploy);
	item = deploy->first;
	for (size_t i = 0; host && i < certificate->n_targets && item; i++) {
		certificate_name_target(r, item, &targets[i], host);
		item = item->next;
	}
}
