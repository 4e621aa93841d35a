#include "acme/problem.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

#define ACME_PREFIX "urn:ietf:params:acme:error:"
#define SENTENCE_MAX 1500 /* leaves room for what err_wrap() puts in front */
#define DETAIL_MAX 700
#define SUBPROBLEM_MAX 300

struct problem_type {
	const char *name;
	enum err_kind kind;
	const char *hint; /* what the operator can do; NULL: the CA's words say it */
};

/* Types that are not listed go by their HTTP status. */
static const struct problem_type types[] = {
	{ "accountDoesNotExist", ERR_CONFIG, NULL },
	{ "alreadyReplaced", ERR_REFUSED, NULL },
	{ "alreadyRevoked", ERR_REFUSED, NULL },
	{ "badCSR", ERR_REFUSED, NULL },
	{ "badNonce", ERR_TRANSIENT, NULL },
	{ "badPublicKey", ERR_CONFIG, "choose another key type" },
	{ "badSignatureAlgorithm", ERR_CONFIG, "choose another 'account_key' type" },
	{ "caa", ERR_REFUSED, NULL },
	{ "connection", ERR_REFUSED, NULL },
	{ "dns", ERR_REFUSED, NULL },
	{ "externalAccountRequired", ERR_CONFIG,
	  "give the issuer 'eab: {key_id: ..., hmac_key: ...}' with what the CA handed "
	  "out" },
	{ "incorrectResponse", ERR_REFUSED, NULL },
	{ "invalidContact", ERR_CONFIG, "correct the issuer's 'contact'" },
	{ "invalidProfile", ERR_CONFIG, NULL },
	{ "malformed", ERR_REFUSED, NULL },
	{ "orderNotReady", ERR_REFUSED, NULL },
	{ "rateLimited", ERR_TRANSIENT, NULL },
	{ "rejectedIdentifier", ERR_REFUSED, NULL },
	{ "serverInternal", ERR_TRANSIENT, NULL },
	{ "tls", ERR_REFUSED, NULL },
	{ "unauthorized", ERR_REFUSED, NULL },
	{ "unsupportedContact", ERR_CONFIG, "correct the issuer's 'contact'" },
	{ "unsupportedIdentifier", ERR_CONFIG, NULL },
	{ "userActionRequired", ERR_CONFIG, "do what the CA asks for, then try again" },
};

/* The type as people know it: without ACME's prefix; "" where it says nothing. */
static const char *short_type(const cJSON *problem)
{
	const char *type = json_string(problem, "type");

	if (!type || str_equal(type, "about:blank"))
		return "";
	return str_starts(type, ACME_PREFIX) ? type + strlen(ACME_PREFIX) : type;
}

static const char *detail_of(const cJSON *problem)
{
	const char *detail = json_string(problem, "detail");

	if (!detail || !*detail)
		detail = json_string(problem, "title");
	return detail ? detail : "";
}

bool problem_present(const cJSON *problem)
{
	return cJSON_IsObject(problem) && (*short_type(problem) || *detail_of(problem));
}

bool problem_is(const cJSON *problem, const char *type)
{
	const char *full = json_string(problem, "type");

	return full && str_starts(full, ACME_PREFIX) &&
	       str_equal(short_type(problem), type);
}

static const struct problem_type *look_up(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (str_equal(types[i].name, name))
			return &types[i];
	}
	return NULL;
}

static enum err_kind kind_of(const struct problem_type *type, long status)
{
	if (status == 408 || status == 429 || status >= 500)
		return ERR_TRANSIENT;
	return type ? type->kind : ERR_REFUSED;
}

/* "type: detail", each only where there is one. */
static void describe(const cJSON *problem, int detail_max, struct buf *out)
{
	const char *type = short_type(problem), *detail = detail_of(problem);

	buf_printf(out, "%.80s%s%.*s", type, *type && *detail ? ": " : "", detail_max,
		   detail);
}

static void describe_subproblems(const cJSON *problem, struct buf *out)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(problem, "subproblems");
	const cJSON *each;
	int shown = 0;

	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
		return;
	buf_puts(out, " [");
	cJSON_ArrayForEach (each, list) {
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(each, "identifier");
		const char *name = json_string(id, "value");

		if (out->len > SENTENCE_MAX - SUBPROBLEM_MAX - 100) {
			buf_printf(out, "; and %d more",
				   cJSON_GetArraySize(list) - shown);
			break;
		}
		buf_puts(out, shown++ ? "; " : "");
		if (name)
			buf_printf(out, "'%.100s': ", name);
		describe(each, SUBPROBLEM_MAX - 190, out);
	}
	buf_puts(out, "]");
}

int problem_to_err(const cJSON *problem, long status, struct err *err)
{
	const struct problem_type *type = look_up(short_type(problem));
	const char *instance = json_string(problem, "instance");
	struct buf text;

	buf_init(&text, SENTENCE_MAX + 600);
	if (problem_present(problem))
		describe(problem, DETAIL_MAX, &text);
	else
		buf_puts(&text, "the CA gave no reason");
	describe_subproblems(problem, &text);
	if (instance && problem_is(problem, "userActionRequired"))
		buf_printf(&text, " (see '%.300s')", instance);
	if (type && type->hint)
		buf_printf(&text, "; %s", type->hint);

	err_set(err, kind_of(type, status), "%s", buf_str(&text));
	str_make_printable(err->text);
	buf_release(&text);
	return -1;
}
