#include "acme/problem.h"

#include <string.h>

#include "acme/retry_text.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

#define ACME_PREFIX "urn:ietf:params:acme:error:"
#define SENTENCE_MAX 1500 /* leaves room for what err_wrap() puts in front */
#define DETAIL_MAX 700
#define DETAIL_URL_MAX 1400 /* Let's Encrypt's way out of a pause carries a token */
#define DETAIL_WORDS_MAX 250
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
	{ "compound", ERR_REFUSED, NULL },
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

/* The first URL that would be cut at `max`; NULL: none that can be shown whole. */
static const char *cut_url(const char *detail, size_t max, size_t *ret_len)
{
	const char *url = detail;

	while ((url = strstr(url, "https://"))) {
		*ret_len = strcspn(url, " \t\r\n\"<>");
		if ((size_t)(url - detail) + *ret_len > max)
			return *ret_len <= DETAIL_URL_MAX ? url : NULL;
		url += *ret_len;
	}
	return NULL;
}

/* A long text is cut, but a URL in it never: half of one leads nowhere. */
static void put_detail(const char *detail, int max, struct buf *out)
{
	const char *url = NULL;
	size_t len = 0;

	if (max == DETAIL_MAX && strlen(detail) > DETAIL_MAX)
		url = cut_url(detail, DETAIL_MAX, &len);
	if (!url) {
		buf_printf(out, "%.*s", max, detail);
		return;
	}
	if (url - detail < DETAIL_WORDS_MAX)
		buf_printf(out, "%.*s", (int)(url - detail), detail);
	else
		buf_printf(out, "%.*s ... ", DETAIL_WORDS_MAX, detail);
	buf_append(out, url, len);
}

/* "type: detail", each only where there is one. */
static void describe(const cJSON *problem, int detail_max, struct buf *out)
{
	const char *type = short_type(problem), *detail = detail_of(problem);

	buf_printf(out, "%.80s%s", type, *type && *detail ? ": " : "");
	put_detail(detail, detail_max, out);
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
			buf_printf(out, "%s%d more", shown ? "; and " : "",
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

/* RFC 8555 6.7.1: a compound says nothing itself. One no among them is a no. */
static enum err_kind compound_kind(const cJSON *problem)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(problem, "subproblems");
	bool config = false, transient = false;
	const cJSON *each;

	if (!cJSON_IsArray(list))
		return ERR_REFUSED;
	cJSON_ArrayForEach (each, list) {
		enum err_kind kind = kind_of(look_up(short_type(each)), 0);

		if (kind == ERR_REFUSED)
			return ERR_REFUSED;
		config = config || kind == ERR_CONFIG;
		transient = transient || kind == ERR_TRANSIENT;
	}
	if (config)
		return ERR_CONFIG;
	return transient ? ERR_TRANSIENT : ERR_REFUSED;
}

bool problem_retry_at(const cJSON *problem, int64_t *ret_at)
{
	return retry_text_find(detail_of(problem), ret_at);
}

int problem_to_err(const cJSON *problem, long status, struct err *err)
{
	const struct problem_type *type = look_up(short_type(problem));
	const char *instance = json_string(problem, "instance");
	struct buf text;

	buf_init(&text, sizeof(err->text) - 1);
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
	if (err->kind == ERR_REFUSED && problem_is(problem, "compound"))
		err->kind = compound_kind(problem);
	str_make_printable(err->text);
	buf_release(&text);
	return -1;
}
