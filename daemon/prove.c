#include "daemon/prove.h"

#include <stdlib.h>

#include "base/identifier.h"

static const struct prover_type *const types[DNS_PERSIST_01 + 1] = {
	[HTTP_01] = &prove_http,
	[DNS_01] = &prove_dns,
	[TLS_ALPN_01] = &prove_tls_alpn,
	[DNS_PERSIST_01] = &prove_persist,
};

/* ---- as acme/ calls them --------------------------------------------------- */

static bool suits(void *ctx, const char *identifier)
{
	const struct prover *prover = ctx;

	if (strlist_has(&prover->dropped, identifier))
		return false;
	switch (identifier_kind(identifier)) {
	case IDENTIFIER_WILDCARD:
		return prover->type->wildcards;
	case IDENTIFIER_IPV4:
	case IDENTIFIER_IPV6:
		return prover->type->addresses;
	case IDENTIFIER_DNS:
		break;
	}
	return true;
}

static int present(void *ctx, const struct acme_challenge *challenge, struct err *err)
{
	struct prover *prover = ctx;

	if (!strlist_has(&prover->presented, challenge->identifier))
		strlist_add(&prover->presented, challenge->identifier);
	if (!prover->type->present(prover, challenge, err))
		return 0;
	if (err->kind != ERR_CANCELLED) {
		prover->all->unable = true;
		prover_drop(prover, challenge->identifier, err);
	}
	return -1;
}

static int settle(void *ctx, struct err *err)
{
	struct prover *prover = ctx;

	return prover->type->settle ? prover->type->settle(prover, err) : 0;
}

static void cleanup(void *ctx, const struct acme_challenge *challenge)
{
	struct prover *prover = ctx;

	if (prover->type->cleanup)
		prover->type->cleanup(prover, challenge);
}

/* ---- the set ---------------------------------------------------------------- */

void provers_open(struct provers *ret, struct pass *pass)
{
	const struct certificate_config *certificate = pass->certificate;

	*ret = (struct provers){ .pass = pass, .n = certificate->n_challenges };
	ret->items = mem_calloc(ret->n, sizeof(*ret->items));
	ret->solvers = mem_calloc(ret->n, sizeof(*ret->solvers));
	for (size_t i = 0; i < ret->n; i++) {
		struct prover *prover = &ret->items[i];

		prover->all = ret;
		prover->challenge = &certificate->challenges[i];
		prover->type = types[prover->challenge->type];
		ret->solvers[i] = (struct acme_solver){
			.ctx = prover,
			.type = prover->type->name,
			.suits = suits,
			.present = present,
			.settle = settle,
			.cleanup = cleanup,
		};
	}
}

void provers_close(struct provers *provers)
{
	for (size_t i = 0; i < provers->n; i++) {
		strlist_clear(&provers->items[i].dropped);
		strlist_clear(&provers->items[i].presented);
		challenge_record_clear(&provers->items[i].shown);
		free(provers->items[i].warning);
	}
	free(provers->items);
	free(provers->solvers);
	*provers = (struct provers){ 0 };
}

struct prover *provers_for(struct provers *provers, const char *identifier)
{
	for (size_t i = 0; i < provers->n; i++)
		if (suits(&provers->items[i], identifier))
			return &provers->items[i];
	return NULL;
}

void prover_drop(struct prover *prover, const char *identifier, const struct err *why)
{
	struct provers *all = prover->all;
	const struct prover *next;

	if (strlist_has(&prover->dropped, identifier))
		return;
	strlist_add(&prover->dropped, identifier);
	if (all->why.kind == ERR_NONE)
		all->why = *why;
	next = provers_for(all, identifier);
	if (next)
		pass_note(all->pass, "challenge", "%s for '%s': %s; %s is next",
			  prover->type->name, identifier, why->text, next->type->name);
}

int provers_left(struct provers *provers, struct err *err)
{
	const char *const *names = provers->pass->certificate->hosts;

	for (; *names; names++) {
		if (provers_for(provers, *names))
			continue;
		if (provers->why.kind == ERR_NONE)
			return err_set(err, ERR_CONFIG,
				       "no challenge of the certificate can prove '%s'",
				       *names);
		*err = provers->why;
		return -1;
	}
	return 0;
}

typedef int look(struct prover *prover, const char *identifier, struct err *err);

/* Asks who comes first, and who comes next where that one cannot. */
static int look_at(struct provers *provers, const char *identifier, bool known,
		   struct err *err)
{
	struct prover *prover;
	struct err why;

	while ((prover = provers_for(provers, identifier)) != NULL) {
		look *check = known ? prover->type->know : prover->type->check;

		if (!check || !check(prover, identifier, &why))
			return 0;
		if (why.kind == ERR_CANCELLED) {
			*err = why;
			return -1;
		}
		prover_drop(prover, identifier, &why);
	}
	return provers_left(provers, err);
}

int provers_check(struct provers *provers, struct err *err)
{
	const char *const *names = provers->pass->certificate->hosts;

	for (; *names; names++)
		if (look_at(provers, *names, false, err))
			return -1;
	return 0;
}

int provers_know(struct provers *provers, const char *account_url,
		 const char *const *issuer_domains, struct err *err)
{
	const char *const *names = provers->pass->certificate->hosts;

	provers->account_url = account_url;
	provers->issuer_domains = issuer_domains;
	for (; *names; names++)
		if (look_at(provers, *names, true, err))
			return -1;
	return 0;
}

/* ---- when an order has failed ------------------------------------------------ */

static struct prover *who_answered(struct provers *provers, const char *identifier)
{
	for (size_t i = 0; i < provers->n; i++)
		if (strlist_has(&provers->items[i].presented, identifier))
			return &provers->items[i];
	return NULL;
}

static bool is_out(const struct prover *prover)
{
	for (size_t i = 0; prover->presented.items && i < prover->presented.n; i++)
		if (strlist_has(&prover->dropped, prover->presented.items[i]))
			return true;
	return false;
}

bool provers_fall_back(struct provers *provers, const struct strlist *challenged,
		       const struct err *why)
{
	struct err ignored;
	bool changed = false;

	for (size_t i = 0; i < challenged->n; i++) {
		struct prover *prover = who_answered(provers, challenged->items[i]);

		if (!prover)
			continue; /* of an order before this one */
		prover_drop(prover, challenged->items[i], why);
		changed = true;
	}
	for (size_t i = 0; i < provers->n; i++) {
		changed = changed || is_out(&provers->items[i]);
		strlist_clear(&provers->items[i].presented);
	}
	return changed && !provers_left(provers, &ignored);
}

void provers_explain(const struct provers *provers, struct err *err)
{
	for (size_t i = 0; i < provers->n; i++)
		if (provers->items[i].warning)
			err_wrap(err, "%s", provers->items[i].warning);
}
