/* problem.h - problem documents (RFC 7807, RFC 8555 6.7) become one sentence in the CA's
 * own words, and a kind for the program. */
#ifndef ACME_PROBLEM_H
#define ACME_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"

/* Is it an object that says at least a type or a detail? NULL is not. */
bool problem_present(const cJSON *problem);

/* Is it of this ACME type ("badNonce")? */
bool problem_is(const cJSON *problem, const char *type);

/* When may the CA be asked again, as far as its detail says it in words? */
bool problem_retry_at(const cJSON *problem, int64_t *ret_at);

/* Fills `err` from a problem: "rejectedIdentifier: <detail> ['a.example': caa:
 * <detail>]", with every subproblem as far as there is room, made printable, and a hint
 * for the operator where the type has one. `status` is the HTTP status it came with, 0
 * inside an order or challenge: 429 and 5xx are always ERR_TRANSIENT. A detail that is
 * too long is cut, but never within a URL. Of members that stand there twice the first
 * counts (as everywhere: cJSON). Returns -1. */
int problem_to_err(const cJSON *problem, long status, struct err *err);

#endif
