#include "acme/authorization.h"

#include <stdlib.h>
#include <string.h>

#include "acme/problem.h"
#include "acme/url.h"
#include "base/json.h"
#include "base/str.h"

#define TOKEN_MAX 256
#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

bool token_is_usable(const char *token)
{
	size_t len = token ? strlen(token) : 0;

	return len > 0 && len <= TOKEN_MAX && strspn(token, BASE64URL) == len;
}

static int read_challenge(const cJSON *json, struct authorization *ret, struct err *err)
{
	const char *url = json_string(json, "url"), *token = json_string(json, "token");
	const cJSON *problem = cJSON_GetObjectItemCaseSensitive(json, "error");

	if (url_check(url, "challenge", err))
		return -1;
	if (!token_is_usable(token))
		return err_set(err, ERR_REFUSED,
			       "the CA's token is not 1 to 256 characters of base64url");
	ret->challenge_url = str_dup(url);
	ret->token = str_dup(token);
	ret->challenge_status = acme_status_parse(json_string(json, "status"));
	if (problem_present(problem))
		problem_to_err(problem, 0, &ret->failure);
	return 0;
}

static int read_challenges(const cJSON *list, const char *wanted,
			   struct authorization *ret, struct err *err)
{
	struct buf offered;
	const cJSON *each;
	int rc = 0;

	buf_init(&offered, 256);
	cJSON_ArrayForEach (each, list) {
		const char *type = json_string(each, "type");
		const cJSON *problem = cJSON_GetObjectItemCaseSensitive(each, "error");

		if (!type)
			continue;
		buf_printf(&offered, "%s%.40s", offered.len ? ", " : "", type);
		if (str_equal(type, wanted) && !ret->challenge_url)
			rc = read_challenge(each, ret, err);
		else if (problem_present(problem) && ret->failure.kind == ERR_NONE)
			problem_to_err(problem, 0, &ret->failure);
		if (rc)
			break;
	}
	ret->offered = buf_steal(&offered);
	str_make_printable(ret->offered);
	return rc;
}

int authorization_parse(const cJSON *json, const char *type, struct authorization *ret,
			struct err *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "challenges");
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "identifier");
	const char *name = json_string(id, "value");
	struct authorization parsed = { 0 };

	if (!name || !*name || strlen(name) > 253)
		return err_set(err, ERR_REFUSED,
			       "an authorization without an identifier");
	parsed.identifier = json_bool(json, "wildcard", false) ? str_printf("*.%s", name)
							       : str_dup(name);
	str_make_printable(parsed.identifier);
	parsed.status = acme_status_parse(json_string(json, "status"));
	if (read_challenges(list, type, &parsed, err)) {
		err_wrap(err, "'%s'", parsed.identifier);
		authorization_release(&parsed);
		return -1;
	}
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
	free(authorization->key_authorization);
	*authorization = (struct authorization){ 0 };
}
