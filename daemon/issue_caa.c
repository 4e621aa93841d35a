/* issue_caa.c - does the DNS let this CA issue for our names (RFC 8659), to our account
 * and by our challenges (RFC 8657)? Looked at before an order is burned.
 *
 * A record that we got and that forbids it is a veto for this issuer. No answer is none:
 * inside a company our view of the DNS and the CA's are two. SERVFAIL is what a broken
 * DNSSEC chain looks like, and a public CA issues nothing then: told, but not ours to
 * decide. */
#include "daemon/issue.h"

#include "base/identifier.h"
#include "daemon/prove.h"
#include "daemon/resolve.h"
#include "hooks/caa.h"

static void warn(struct pass *pass, const char *name, const struct err *why)
{
	pass_note(pass, "caa", "warning: CAA of '%s': %s%s", name, why->text,
		  why->kind == ERR_REFUSED
			  ? "; a public CA does not issue while it is so (DNSSEC?)"
			  : "; the CA is asked anyway");
}

/* Whoever may not prove the name drops out. Fails when nobody is left. */
static int check_name(struct provers *provers, const struct caa_set *set,
		      struct caa_question *question, struct err *err)
{
	struct prover *prover;

	while ((prover = provers_for(provers, question->identifier)) != NULL) {
		question->method = prover->type->name;
		if (!caa_check(set, question, err))
			return 0;
		prover_drop(prover, question->identifier, err);
	}
	return -1;
}

int issue_check_caa(struct attempt *attempt, struct provers *provers,
		    const char *const *issuer_domains, struct err *err)
{
	const char *const *names = attempt->pass->certificate->hosts;
	struct caa_question question = { .issuer_domains = issuer_domains,
					 .account_url = provers->account_url };
	const struct caa_set *set;
	bool silent = false;

	if (!issuer_domains || !issuer_domains[0])
		return 0; /* the CA does not tell its names */
	for (; *names; names++) {
		question.identifier = *names;
		if (identifier_is_ip(*names))
			continue;
		if (!resolve_caa(attempt->pass, identifier_base(*names), &set, err)) {
			if (check_name(provers, set, &question, err)) {
				attempt->skipped = true;
				return -1;
			}
			continue;
		}
		if (err->kind == ERR_CANCELLED)
			return -1;
		if (!silent)
			warn(attempt->pass, *names, err);
		silent = silent || err->kind == ERR_TRANSIENT;
	}
	return 0;
}
