/* prove_persist.c - dns-persist-01 (draft-ietf-acme-dns-persist): nothing is put
 * anywhere, the operator's record lets the account in for good. It is looked for before
 * anything is ordered; a DNS that does not tell us is a warning. */
#include "daemon/prove.h"

#include <stdlib.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "base/identifier.h"
#include "daemon/persist.h"
#include "daemon/resolve.h"

#define DAY_S INT64_C(86400)

enum persist_step persist_step(int64_t until, int64_t now)
{
	if (until == CLOCK_NEVER)
		return PERSIST_WELL;
	if (until <= now)
		return PERSIST_MISSING;
	if (until - now <= 10 * DAY_S)
		return PERSIST_NEAR;
	return until - now <= 30 * DAY_S ? PERSIST_SOON : PERSIST_WELL;
}

/* What the records there say: the best of those that let us in. */
struct finding {
	bool there, wide_enough;
	int64_t until;
};

static struct finding find(const struct strlist *values,
			   const struct persist_question *question)
{
	bool wants_wildcard = identifier_kind(question->identifier) ==
			      IDENTIFIER_WILDCARD;
	struct finding finding = { 0 };

	for (size_t i = 0; i < values->n; i++) {
		int64_t until = 0;
		bool wildcard = false;

		if (!acme_persist_matches(values->items[i], question->issuer_domains,
					  question->account_url, &until, &wildcard))
			continue;
		finding.there = true;
		if (wants_wildcard && !wildcard)
			continue;
		finding.wide_enough = true;
		if (until > finding.until)
			finding.until = until;
	}
	return finding;
}

/* One record serves a name and its wildcard: say the one that will do for both. */
static bool needs_wildcard(const struct pass *pass, const char *domain)
{
	const char *const *hosts = pass->certificate->hosts;

	for (; *hosts; hosts++)
		if (identifier_kind(*hosts) == IDENTIFIER_WILDCARD &&
		    str_equal(identifier_base(*hosts), domain))
			return true;
	return false;
}

static int missing(const struct pass *pass, const struct finding *finding,
		   const struct persist_question *question, struct err *err)
{
	const char *domain = identifier_base(question->identifier);
	bool wildcard = needs_wildcard(pass, domain);
	char *record = acme_persist_record(question->issuer_domains[0],
					   question->account_url, wildcard, 0);
	char ended[CLOCK_TEXT_MAX];

	clock_format_people_local(finding->until, ended);
	err_set(err, ERR_CONFIG,
		"dns-persist-01 for '%s': %s%s at '_validation-persist.%s': publish the "
		"TXT record \"%s\" there",
		question->identifier,
		!finding->there ? "no record lets our account in"
		: !finding->wide_enough
			? "the record does not allow wildcards (policy=wildcard)"
			: "the record has ended on ",
		finding->wide_enough ? ended : "", domain, record);
	free(record);
	return -1;
}

int persist_look(struct pass *pass, const struct persist_question *question,
		 int64_t *ret_until, struct err *err)
{
	char *name = str_printf("_validation-persist.%s",
				identifier_base(question->identifier));
	struct strlist values = { 0 };
	struct resolver *resolver;
	struct finding finding;
	int rc = -1;

	if (resolve_open(pass, &resolver, err))
		goto out;
	if (resolver_txt(resolver, name, &values, err) && err->kind != ERR_NOT_FOUND)
		goto out;
	finding = find(&values, question);
	if (!finding.wide_enough || finding.until <= clock_wall()) {
		missing(pass, &finding, question, err);
		goto out;
	}
	*ret_until = finding.until;
	rc = 0;
out:
	strlist_clear(&values);
	free(name);
	return rc;
}

static int look(struct prover *prover, const struct persist_question *question,
		struct err *err)
{
	struct pass *pass = prover->all->pass;
	int64_t until;

	if (!persist_look(pass, question, &until, err))
		return 0;
	if (err->kind == ERR_CONFIG || err->kind == ERR_CANCELLED)
		return -1;
	pass_note(pass, "challenge",
		  "warning: it cannot be seen whether the record for '%s' is there: %s",
		  question->identifier, err->text);
	return 0;
}

static int know(struct prover *prover, const char *identifier, struct err *err)
{
	const struct provers *all = prover->all;
	const struct persist_question question = {
		.identifier = identifier,
		.account_url = all->account_url,
		.issuer_domains = all->issuer_domains,
	};

	/* A CA that does not tell its names here tells them with the challenge. */
	if (!all->account_url || !all->issuer_domains || !all->issuer_domains[0])
		return 0;
	return look(prover, &question, err);
}

static int present(struct prover *prover, const struct acme_challenge *challenge,
		   struct err *err)
{
	const struct persist_question question = {
		.identifier = challenge->identifier,
		.account_url = challenge->account_url,
		.issuer_domains = challenge->issuer_domains,
	};

	return look(prover, &question, err);
}

const struct prover_type prove_persist = {
	.name = "dns-persist-01",
	.wildcards = true,
	.know = know,
	.present = present,
};
