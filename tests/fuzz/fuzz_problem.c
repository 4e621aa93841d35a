/* Problem documents (RFC 7807), with the HTTP status in the first byte. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "acme/answer.h"
#include "acme/problem.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const long statuses[] = { 400, 403, 404, 409, 429, 500, 503, 200 };
	struct http_response response = { .date = 1793000000 };
	struct err err = { 0 };
	cJSON *json = NULL;

	if (!size)
		return 0;
	response.status = statuses[data[0] % 8];
	buf_init(&response.body, 1 << 20);
	buf_append(&response.body, data + 1, size - 1);
	strlist_add(&response.headers, "content-type: application/problem+json");
	if (answer_check(&response, &err)) {
		PROMISED(err.kind != ERR_NONE && err.text[0]);
		PROMISED(!strpbrk(err.text, "\n\r\033"));
	}
	answer_is_problem(&response, "badNonce");
	if (!answer_json(&response, &json, &err))
		PROMISED(cJSON_IsObject(json));
	cJSON_Delete(json);
	http_response_release(&response);
	return 0;
}
