#include "config/checks.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/config.h"
#include "config/known_cas.h"
#include "config/suggest.h"
#include "config/system.h"
#include "config/yaml_tree.h"

/* The n-th struct of a section and its node stand at the same place of their lists. */
static const struct node *first_in(const struct node *parent, const char *key)
{
	const struct node *list = node_member(parent, key);

	return list && list->type != NODE_SCALAR ? list->first : NULL;
}

/* ---- issuers ------------------------------------------------------------- */

/* The CA that is named there; NULL: none, or it was complained about. */
static const struct issuer_config *acme_issuer(const struct config *config,
					       const struct node *name)
{
	const struct issuer_config *issuer = name->type == NODE_SCALAR
						     ? config_issuer(config, name->text)
						     : NULL;

	return issuer && issuer->type == ISSUER_ACME && issuer->directory ? issuer : NULL;
}

static void warn_of_trials(const struct node *certificate, const struct node *item,
			   const struct issuer_config *issuer, struct problems *problems)
{
	if (issuer->type == ISSUER_SELF_SIGNED)
		warning_at(
			problems, item->place,
			"certificate '%.64s' is self-signed by issuer '%.64s': for test "
			"systems, no client trusts it by itself",
			certificate->key, item->text);
	else if (issuer->type == ISSUER_ACME && issuer->directory &&
		 known_as_staging(issuer->directory))
		warning_at(
			problems, item->place,
			"certificate '%.64s' comes from issuer '%.64s', whose directory "
			"is one for trials: for test systems, no client trusts it by "
			"itself",
			certificate->key, item->text);
}

static void check_issuer_names(const struct config *config,
			       const struct node *certificate, struct problems *problems)
{
	const struct node *item;
	char hint[96];

	for (item = first_in(certificate, "issuers"); item; item = item->next) {
		struct suggestion near = { .typed = item->text };
		const struct issuer_config *issuer;

		if (item->type != NODE_SCALAR)
			continue;
		issuer = config_issuer(config, item->text);
		if (issuer)
			warn_of_trials(certificate, item, issuer, problems);
		if (issuer)
			continue;
		if (!strcmp(item->text, "store")) {
			problem_at(problems, item->place,
				   "certificate '%.64s' names the issuer 'store', and "
				   "this system has no store of its own: define one "
				   "under 'issuers' with 'type: store' and 'path', a "
				   "folder of PEM files",
				   certificate->key);
			continue;
		}
		if (!config->n_issuers) /* which was complained about */
			continue;
		for (size_t i = 0; i < config->n_issuers; i++)
			suggest_offer(&near, config->issuers[i].name);
		problem_at(problems, item->place,
			   "certificate '%.64s' names the issuer '%.64s', which is not "
			   "among 'issuers'%s",
			   certificate->key, item->text,
			   suggest_text(&near, hint, sizeof(hint)));
	}
}

/* ---- staging -------------------------------------------------------------- */

static void check_pair(const struct node *certificate, const struct node *item,
		       const struct issuer_config *a, const struct issuer_config *b,
		       struct problems *problems)
{
	const struct issuer_config *trial = NULL, *real = NULL;

	if ((a->staging && same_directory(a->staging, b->directory)) ||
	    (known_as_staging(b->directory) && !known_as_staging(a->directory))) {
		trial = b;
		real = a;
	} else if ((b->staging && same_directory(b->staging, a->directory)) ||
		   (known_as_staging(a->directory) && !known_as_staging(b->directory))) {
		trial = a;
		real = b;
	}
	if (trial)
		problem_at(problems, item->place,
			   "certificate '%.64s' has the issuers '%.64s' and '%.64s', and "
			   "the directory of '%.64s' is one for trials: staging and "
			   "production never share a certificate, use 'rehearse'",
			   certificate->key, real->name, trial->name, trial->name);
}

static void check_staging(const struct config *config, const struct node *certificate,
			  struct problems *problems)
{
	const struct node *first = first_in(certificate, "issuers"), *a, *b;

	for (b = first; b; b = b->next) {
		const struct issuer_config *mine = acme_issuer(config, b);

		for (a = first; mine && a != b; a = a->next) {
			const struct issuer_config *other = acme_issuer(config, a);

			if (other)
				check_pair(certificate, b, other, mine, problems);
		}
	}
}

/* ---- certificates that are the same -------------------------------------- */

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static bool has(const char *const *list, const char *text)
{
	for (; *list; list++) {
		if (!strcmp(*list, text))
			return true;
	}
	return false;
}

/* Only a CA counts what it issues. */
static bool is_ca(const struct config *config, const char *name)
{
	const struct issuer_config *issuer = config_issuer(config, name);

	return !issuer || issuer->type == ISSUER_ACME;
}

static bool same_order(const struct certificate_config *a,
		       const struct certificate_config *b)
{
	size_t n = count(a->hosts);

	if (!n || n != count(b->hosts) || !count(a->issuers) || !count(b->issuers) ||
	    strcmp(a->issuers[0], b->issuers[0]) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!has(b->hosts, a->hosts[i]))
			return false;
	}
	return true;
}

static void check_same_order(const struct config *config, size_t at,
			     const struct node *certificate, struct problems *problems)
{
	const struct certificate_config *mine = &config->certificates[at];

	for (size_t i = 0; i < at; i++) {
		const struct certificate_config *other = &config->certificates[i];

		if (!same_order(mine, other) || !is_ca(config, mine->issuers[0]))
			continue;
		problem_at(
			problems, certificate->key_place,
			"certificates '%.64s' and '%.64s' have the same hosts and the "
			"same first issuer: make them one certificate with two entries "
			"under 'deploy'",
			other->name, mine->name);
		return;
	}
}

/* ---- files that two would write ------------------------------------------ */

struct claim {
	const char *path; /* NULL: not used */
	const char *key;  /* "tls_json" */
	const char *target, *certificate;
	struct place place;
};

struct claims {
	struct claim *items;
	size_t n;
	struct problems *problems;
};

static void claim(struct claims *claims, const struct claim *mine)
{
	if (!mine->path)
		return;
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *other = &claims->items[i];

		if (!system_same_path(mine->path, other->path))
			continue;
		problem_at(claims->problems, mine->place,
			   "'%s' of target '%.64s' of certificate '%.64s' and '%s' of "
			   "target "
			   "'%.64s' of certificate '%.64s' (line %u) are the same file "
			   "'%.128s': two cannot write it",
			   mine->key, mine->target, mine->certificate, other->key,
			   other->target, other->certificate, other->place.line,
			   mine->path);
		return;
	}
	claims->items[claims->n++] = *mine;
}

#define CLAIMS_PER_TARGET 7

static void claim_files(struct claims *claims,
			const struct certificate_config *certificate,
			const struct target *target, const struct node *node)
{
	const struct node *store = node_member(node, "store");
	const struct node *files = node_member(store, "files");
	const struct {
		const char *path, *key, *member;
		const struct node *map;
	} all[CLAIMS_PER_TARGET] = {
		{ target->tls_json, "tls_json", "tls_json", node },
		{ target->listener_json, "listener_json", "listener_json", node },
		{ target->store.path, "store.path", "path", store },
		{ target->store.key, "store.files.key", "key", files },
		{ target->store.fullchain, "store.files.fullchain", "fullchain", files },
		{ target->store.chain, "store.files.chain", "chain", files },
		{ target->store.cert, "store.files.cert", "cert", files },
	};

	for (size_t i = 0; i < CLAIMS_PER_TARGET; i++) {
		const struct node *value = node_member(all[i].map, all[i].member);
		struct claim mine = { all[i].path, all[i].key,
				      target->name ? target->name : "?",
				      certificate->name, node->place };

		if (value)
			mine.place = value->place;
		claim(claims, &mine);
	}
}

static void check_files(const struct config *config, const struct node *certificates,
			struct arena *arena, struct problems *problems)
{
	struct claims claims = { .problems = problems };
	const struct node *certificate = certificates, *node;
	size_t n = 0;

	for (size_t i = 0; i < config->n_certificates; i++)
		n += config->certificates[i].n_targets;
	claims.items = arena_calloc(arena, n * CLAIMS_PER_TARGET + 1,
				    sizeof(*claims.items));
	for (size_t i = 0; i < config->n_certificates; i++) {
		const struct certificate_config *mine = &config->certificates[i];

		node = first_in(certificate, "deploy");
		for (size_t t = 0; t < mine->n_targets && node; t++) {
			claim_files(&claims, mine, &mine->targets[t], node);
			node = node->next;
		}
		certificate = certificate->next;
	}
}

void checks_run(const struct config *config, const struct node *root, struct arena *arena,
		struct problems *problems)
{
	const struct node *certificates = first_in(root, "certificates");
	const struct node *node = certificates;

	for (size_t i = 0; i < config->n_certificates; i++) {
		check_issuer_names(config, node, problems);
		check_staging(config, node, problems);
		check_same_order(config, i, node, problems);
		node = node->next;
	}
	check_files(config, certificates, arena, problems);
}
