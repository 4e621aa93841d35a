/* answer.h - what an HTTP answer of a CA means, before anybody looks into its object. */
#ifndef ACME_ANSWER_H
#define ACME_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "base/http_client.h"

/* Retry-After in seconds, counted from the answer's own Date so that a wrong clock of
 * ours does not matter; -1 without one. */
int64_t answer_retry_after(const struct http_response *response);

/* Is it a problem document of this ACME type ("badNonce")? */
bool answer_is_problem(const struct http_response *response, const char *type);

/* 0 for 2xx. Else -1 with the problem in the CA's own words, or with status and content
 * type when there is none; err->retry_after_s from Retry-After, or else from a
 * "retry after <instant>" in the problem's words. */
int answer_check(const struct http_response *response, struct err *err);

/* answer_check(), then the body as a JSON object. Gives *ret_json. ERR_TRANSIENT
 * "answered 200 with text/html, not JSON": a proxy's page today is JSON again tomorrow.
 */
int answer_json(const struct http_response *response, cJSON **ret_json, struct err *err);

#endif
