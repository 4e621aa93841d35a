/* rehearsal_names.c - the names of a certificate on trial, as far as no order is needed:
 * each way to prove them, CAA, the DNS. */
#include <stdlib.h>

#include "base/base64url.h"
#include "base/cancel.h"
#include "base/http_server.h"
#include "base/identifier.h"
#include "base/random.h"
#include "daemon/findings.h"
#include "daemon/issue.h"
#include "daemon/prove.h"
#include "daemon/rehearsal_parts.h"
#include "daemon/resolve.h"

#define TRIAL_BYTES 32
#define HTTP_PORT 80u /* RFC 8555 8.3 */

/* ---- each challenge by itself ------------------------------------------------- */

/* The first name that it cannot prove now. */
static int check_prover(struct prover *prover, const char *const *names, struct err *err)
{
	for (; *names; names++)
		if (prover->type->check && prover->type->check(prover, *names, err))
			return -1;
	return 0;
}

/* Where several ways are configured, one that does not work is noted: the next one takes
 * over, and whoever wrote it down should know. */
static void look_at_each(struct pass *pass, struct provers *provers)
{
	struct err err;

	for (size_t i = 0; provers->n > 1 && i < provers->n; i++) {
		struct prover *prover = &provers->items[i];
		int rc = check_prover(prover, pass->certificate->hosts, &err);

		pass_find(pass, rc ? FINDING_NOTE : FINDING_OK, prover->type->name,
			  "challenge", "%s", rc ? err.text : "it could answer now");
	}
}

/* A file that nobody hands out proves nothing. A proxy elsewhere may stand in front: a
 * note. */
static void look_for_web_servers(struct pass *pass)
{
	const struct certificate_config *certificate = pass->certificate;

	for (size_t i = 0; i < certificate->n_challenges; i++) {
		const struct challenge *way = &certificate->challenges[i];

		if (way->webroot && port_is_silent(HTTP_PORT))
			pass_find(pass, FINDING_NOTE, "http-01", "challenge",
				  "nobody listens on port %u here: is the web server of "
				  "'%s' running? A CA asks it, unless a proxy elsewhere "
				  "answers for it",
				  HTTP_PORT, way->webroot);
	}
}

/* ---- records that are written and taken away ----------------------------------- */

static char *random_text(void)
{
	unsigned char bytes[TRIAL_BYTES];

	random_bytes(bytes, sizeof(bytes));
	return base64url_encode(bytes, sizeof(bytes));
}

/* As an order would, with a text that no CA asked for. */
static int write_once(struct prover *prover, const char *name, struct err *err)
{
	char *token = random_text(), *value = random_text();
	const struct acme_challenge challenge = {
		.type = prover->type->name,
		.identifier = name,
		.token = token,
		.key_authorization = value,
		.dns_value = value,
	};
	size_t left = prover->all->pass->leftovers.n;
	int rc = prover->type->present(prover, &challenge, err);

	if (prover->type->cleanup)
		prover->type->cleanup(prover, &challenge);
	if (!rc && prover->all->pass->leftovers.n > left)
		rc = err_set(err, ERR_REFUSED,
			     "a record for '%s' was made, but could not be removed",
			     name);
	free(value);
	free(token);
	return rc;
}

static bool try_writing(struct pass *pass, struct provers *provers)
{
	const char *const *names = pass->certificate->hosts;
	bool tried = false;
	struct err err;

	for (; *names && !cancel_requested(pass->in->cancel); names++) {
		struct prover *prover = provers_for(provers, *names);

		if (!prover || prover->challenge->type != DNS_01)
			continue;
		tried = true;
		if (!write_once(prover, *names, &err))
			continue;
		pass_find(pass, FINDING_FAILED, prover->challenge->provider->name, "dns",
			  "%s", err.text);
		return false;
	}
	if (tried)
		pass_find(pass, FINDING_OK, NULL, "dns",
			  "a record was written for each name, and removed");
	return true;
}

/* ---- does the DNS know them? ---------------------------------------------------- */

static bool is_reached_by_address(const struct certificate_config *certificate)
{
	for (size_t i = 0; i < certificate->n_challenges; i++)
		if (certificate->challenges[i].type != HTTP_01 &&
		    certificate->challenges[i].type != TLS_ALPN_01)
			return false;
	return certificate->n_challenges > 0;
}

/* The first name without an address. */
static int ask_for_addresses(struct pass *pass, struct err *err)
{
	const char *const *names = pass->certificate->hosts;
	struct resolver *resolver;

	if (resolve_open(pass, &resolver, err))
		return -1;
	for (; *names; names++)
		if (identifier_kind(*names) == IDENTIFIER_DNS &&
		    resolver_has_address(resolver, *names, err))
			return -1;
	return 0;
}

/* What the system's servers say inside a company is not what the CA hears: a note. Where
 * the operator has named who is asked, it is believed. */
static bool look_at_addresses(struct pass *pass)
{
	const char *const *asked = pass->in->config->resolvers;
	struct err err;
	bool believed;

	if (!is_reached_by_address(pass->certificate))
		return true;
	if (!ask_for_addresses(pass, &err)) {
		pass_find(pass, FINDING_OK, NULL, "dns", "every name has an address");
		return true;
	}
	believed = asked && asked[0] && err.kind == ERR_NOT_FOUND;
	pass_find(pass, believed ? FINDING_FAILED : FINDING_NOTE, NULL, "dns", "%s%s",
		  err.text,
		  believed ? "" : "; what counts is what the CA is told by its own DNS");
	return !believed;
}

/* ---- the whole ------------------------------------------------------------------ */

static bool look_at_caa(struct pass *pass, const struct rehearsal_names *names,
			struct provers *provers)
{
	struct attempt attempt = { .pass = pass, .issuer = names->issuer };
	struct err err;

	if (names->domains && names->domains[0])
		return pass_find_result(
			pass, issue_check_caa(&attempt, provers, names->domains, &err),
			names->issuer->name, "caa", "nothing forbids it", &err);
	if (!names->unheard)
		pass_find(pass, FINDING_NOTE, names->issuer->name, "caa",
			  "the CA does not tell its names in CAA records; `caa:` of the "
			  "issuer does");
	return true;
}

bool rehearse_names(struct pass *pass, const struct rehearsal_names *names)
{
	struct provers provers;
	struct err err;
	bool well;
	int rc;

	provers_open(&provers, pass);
	look_at_each(pass, &provers);
	rc = provers_check(&provers, &err);
	if (!rc)
		rc = provers_know(&provers, names->account_url, names->domains, &err);
	well = pass_find_result(
		pass, rc, names->issuer->name, "challenge",
		"every name can be proven, as far as can be seen from here", &err);
	look_for_web_servers(pass);
	well = well && look_at_caa(pass, names, &provers);
	if (well && names->alone)
		well = look_at_addresses(pass) && try_writing(pass, &provers);
	provers_close(&provers);
	return well;
}
