#include "acme/answer.h"

#include <stdio.h>
#include <string.h>

#include "acme/link.h"
#include "acme/problem.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define RETRY_MAX_S (365 * 24 * 3600) /* as of Retry-After */

int64_t answer_retry_after(const struct http_response *response)
{
	const char *text = http_header(response, "retry-after");
	int64_t now = response->date ? response->date : clock_wall();
	int64_t seconds;

	if (!text || clock_parse_retry_after(text, now, &seconds))
		return -1;
	return seconds;
}

/* The body as a problem document. Gives; NULL when it is none. */
static cJSON *problem_of(const struct http_response *response)
{
	cJSON *json = NULL;
	struct err ignored;

	if (json_parse(response->body.data, response->body.len, &json, &ignored))
		return NULL;
	if (problem_present(json))
		return json;
	cJSON_Delete(json);
	return NULL;
}

bool answer_is_problem(const struct http_response *response, const char *type)
{
	cJSON *problem;
	bool is;

	if (response->status < 400)
		return false;
	problem = problem_of(response);
	is = problem && problem_is(problem, type);
	cJSON_Delete(problem);
	return is;
}

/* "text/html", without parameters: for sentences. */
static void content_type(const struct http_response *response, char out[64])
{
	const char *header = http_header(response, "content-type");
	size_t len = header ? strcspn(header, "; \t") : 0;

	if (len == 0) {
		strncpy(out, "no content type", 64);
		return;
	}
	if (len > 63)
		len = 63;
	memcpy(out, header, len);
	out[len] = '\0';
	str_make_printable(out);
}

/* Retry-After, or what the detail says in words; -1: neither. */
static int64_t retry_after_of(const struct http_response *response, const cJSON *problem)
{
	int64_t now = response->date ? response->date : clock_wall();
	int64_t seconds = answer_retry_after(response), at;

	if (seconds >= 0 || !problem || !problem_retry_at(problem, &at) || at <= now)
		return seconds;
	return at - now < RETRY_MAX_S ? at - now : RETRY_MAX_S;
}

/* RFC 8555 7.3.3: where the terms are that must be agreed to again. */
static void add_terms(const struct http_response *response, const cJSON *problem,
		      struct err *err)
{
	struct strlist terms = { 0 };
	size_t len = strlen(err->text);

	if (!problem_is(problem, "userActionRequired"))
		return;
	link_targets_of(response, "terms-of-service", &terms);
	if (terms.n && !strstr(err->text, terms.items[0]) &&
	    len + strlen(terms.items[0]) + 32 < sizeof(err->text))
		snprintf(err->text + len, sizeof(err->text) - len,
			 "; the CA's terms of service: '%s'", terms.items[0]);
	strlist_clear(&terms);
}

static const char *url_of(const struct http_response *response)
{
	return response->url ? response->url : "the CA";
}

int answer_check(const struct http_response *response, struct err *err)
{
	int64_t retry_after_s;
	char type[64];
	cJSON *problem;

	if (response->status >= 200 && response->status < 300)
		return 0;
	problem = problem_of(response);
	retry_after_s = retry_after_of(response, problem);
	if (problem) {
		problem_to_err(problem, response->status, err);
		add_terms(response, problem, err);
		cJSON_Delete(problem);
	} else {
		content_type(response, type);
		problem_to_err(NULL, response->status, err); /* the kind */
		err_set(err, err->kind, "'%s' answered %ld with %s, not an ACME problem",
			url_of(response), response->status, type);
	}
	if (retry_after_s > 0)
		err->retry_after_s = (uint32_t)retry_after_s;
	return -1;
}

int answer_json(const struct http_response *response, cJSON **ret_json, struct err *err)
{
	cJSON *json = NULL;
	char type[64];

	if (answer_check(response, err))
		return -1;
	if (json_parse(response->body.data, response->body.len, &json, err) == 0 &&
	    cJSON_IsObject(json)) {
		*ret_json = json;
		return 0;
	}
	content_type(response, type);
	err_set(err, ERR_TRANSIENT, "'%s' answered %ld with %s, not %s", url_of(response),
		response->status, type, json ? "a JSON object" : "JSON");
	cJSON_Delete(json);
	return -1;
}
