#include "acme/authorization.h"

#include <stdlib.h>
#include <string.h>

#include "acme/problem.h"
#include "acme/url.h"
#include "base/json.h"
#include "base/str.h"

#define TOKEN_MAX 256
#define ISSUER_DOMAINS_MAX 10
#define LABEL "abcdefghijklmnopqrstuvwxyz0123456789-"
#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

bool token_is_usable(const char *token)
{
	size_t len = token ? strlen(token) : 0;

	return len > 0 && len <= TOKEN_MAX && strspn(token, BASE64URL) == len;
}

/* Labels of 1 to 63 letters, digits and inner hyphens, in lower case. */
static bool is_host_name(const char *name)
{
	size_t len;

	if (!name || strlen(name) > 253)
		return false;
	for (;; name += len + 1) {
		len = strspn(name, LABEL);
		if (len < 1 || len > 63 || name[0] == '-' || name[len - 1] == '-')
			return false;
		if (name[len] != '.')
			return !name[len];
	}
}

/* draft-ietf-acme-dns-persist 3: 1 to 10 names, A-labels in lower case. */
static int read_issuer_domains(const cJSON *json, struct authorization *ret,
			       struct err *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "issuer-domain-names");
	int n = cJSON_GetArraySize(list);
	const cJSON *each;

	if (!cJSON_IsArray(list) || n < 1 || n > ISSUER_DOMAINS_MAX)
		return err_set(err, ERR_REFUSED,
			       "the CA's dns-persist-01 challenge has %d "
			       "'issuer-domain-names', not 1 to %d",
			       n, ISSUER_DOMAINS_MAX);
	cJSON_ArrayForEach (each, list) {
		const char *name = cJSON_GetStringValue(each);

		if (!is_host_name(name))
			return err_set(err, ERR_REFUSED,
				       "the CA's dns-persist-01 challenge has an "
				       "'issuer-domain-names' that is no host name in "
				       "lower case");
		strlist_add(&ret->issuer_domains, name);
	}
	return 0;
}

static int read_proof(const cJSON *json, struct authorization *ret, struct err *err)
{
	const char *token = json_string(json, "token");

	if (str_equal(ret->solver->type, "dns-persist-01")) {
		ret->account_uri = str_dup(json_string(json, "accounturi"));
		return read_issuer_domains(json, ret, err);
	}
	if (!token_is_usable(token))
		return err_set(err, ERR_REFUSED,
			       "the CA's token is not 1 to 256 characters of base64url");
	ret->token = str_dup(token);
	return 0;
}

static int read_challenge(const cJSON *json, struct authorization *ret, struct err *err)
{
	const char *url = json_string(json, "url");
	const cJSON *problem = cJSON_GetObjectItemCaseSensitive(json, "error");

	if (url_check(url, "challenge", err) || read_proof(json, ret, err))
		return -1;
	ret->challenge_url = str_dup(url);
	ret->challenge_status = acme_status_parse(json_string(json, "status"));
	if (problem_present(problem))
		problem_to_err(problem, 0, &ret->failure);
	return 0;
}

static const cJSON *challenge_of(const cJSON *list, const char *type)
{
	const cJSON *each;

	cJSON_ArrayForEach (each, list) {
		if (str_equal(json_string(each, "type"), type))
			return each;
	}
	return NULL;
}

/* The first way of ours that the CA offers and that can prove the identifier. */
static const cJSON *choose(const cJSON *list, struct solvers solvers,
			   struct authorization *ret)
{
	for (size_t i = 0; i < solvers.n; i++) {
		const struct acme_solver *solver = &solvers.items[i];
		const cJSON *found = challenge_of(list, solver->type);

		if (!found ||
		    (solver->suits && !solver->suits(solver->ctx, ret->identifier)))
			continue;
		ret->solver = solver;
		return found;
	}
	return NULL;
}

/* The types that there are, and what one that is not ours failed with. */
static void read_offered(const cJSON *list, struct authorization *ret)
{
	const cJSON *each;
	struct buf offered;

	buf_init(&offered, 256);
	cJSON_ArrayForEach (each, list) {
		const char *type = json_string(each, "type");
		const cJSON *problem = cJSON_GetObjectItemCaseSensitive(each, "error");

		if (type)
			buf_printf(&offered, "%s%.40s", offered.len ? ", " : "", type);
		if (problem_present(problem) && ret->failure.kind == ERR_NONE)
			problem_to_err(problem, 0, &ret->failure);
	}
	ret->offered = buf_steal(&offered);
	str_make_printable(ret->offered);
}

int authorization_parse(const cJSON *json, struct solvers solvers,
			struct authorization *ret, struct err *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "challenges");
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "identifier");
	const char *name = json_string(id, "value");
	struct authorization parsed = { 0 };
	const cJSON *challenge;

	if (!name || !*name || strlen(name) > 253)
		return err_set(err, ERR_REFUSED,
			       "an authorization without an identifier");
	parsed.identifier = json_bool(json, "wildcard", false) ? str_printf("*.%s", name)
							       : str_dup(name);
	str_make_printable(parsed.identifier);
	parsed.status = acme_status_parse(json_string(json, "status"));
	challenge = choose(list, solvers, &parsed);
	if (challenge && read_challenge(challenge, &parsed, err)) {
		err_wrap(err, "'%s'", parsed.identifier);
		authorization_release(&parsed);
		return -1;
	}
	read_offered(list, &parsed);
	*ret = parsed;
	return 0;
}

void authorization_release(struct authorization *authorization)
{
	free(authorization->url);
	free(authorization->identifier);
	free(authorization->challenge_url);
	free(authorization->token);
	free(authorization->offered);
	free(authorization->account_uri);
	free(authorization->key_authorization);
	free(authorization->dns_value);
	strlist_clear(&authorization->issuer_domains);
	*authorization = (struct authorization){ 0 };
}
