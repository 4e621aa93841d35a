#include "acme/order.h"

#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/answer.h"
#include "acme/poll.h"
#include "acme/problem.h"
#include "acme/url.h"
#include "base/clock.h"
#include "base/identifier.h"
#include "base/json.h"

#define NAMES_MAX 200
#define HICCUPS_MAX 2

static const char *const status_names[] = {
	[STATUS_OTHER] = "unknown", [STATUS_PENDING] = "pending",
	[STATUS_READY] = "ready",   [STATUS_PROCESSING] = "processing",
	[STATUS_VALID] = "valid",   [STATUS_INVALID] = "invalid",
	[STATUS_GONE] = "gone",
};

enum acme_status acme_status_parse(const char *text)
{
	for (int i = STATUS_PENDING; i <= STATUS_INVALID; i++) {
		if (str_equal(text, status_names[i]))
			return (enum acme_status)i;
	}
	if (str_equal(text, "deactivated") || str_equal(text, "expired") ||
	    str_equal(text, "revoked"))
		return STATUS_GONE;
	return STATUS_OTHER;
}

const char *acme_status_name(enum acme_status status)
{
	return status_names[status];
}

static int read_urls(const cJSON *json, struct order *order, struct err *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "authorizations");
	const char *finalize = json_string(json, "finalize");
	const char *certificate = json_string(json, "certificate");
	const cJSON *each;

	if (cJSON_GetArraySize(list) > NAMES_MAX)
		return err_set(err, ERR_REFUSED, "the order has %d authorizations",
			       cJSON_GetArraySize(list));
	cJSON_ArrayForEach (each, list) {
		if (url_check(cJSON_GetStringValue(each), "authorization", err))
			return -1;
		strlist_add(&order->authorizations, each->valuestring);
	}
	if ((finalize && url_check(finalize, "finalize", err)) ||
	    (certificate && url_check(certificate, "certificate", err)))
		return -1;
	order->finalize = str_dup(finalize);
	order->certificate = str_dup(certificate);
	return 0;
}

static void read_names(const cJSON *json, struct order *order)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "identifiers");
	const cJSON *each;

	if (cJSON_GetArraySize(list) > NAMES_MAX)
		return; /* then they are not ours */
	cJSON_ArrayForEach (each, list) {
		const char *name = json_string(each, "value");

		if (name)
			strlist_add(&order->names, name);
	}
}

int order_parse(const cJSON *json, struct order *ret, struct err *err)
{
	struct order order = { .expires_at = CLOCK_NEVER, .retry_after_s = -1 };
	const char *expires = json_string(json, "expires");
	const cJSON *problem = cJSON_GetObjectItemCaseSensitive(json, "error");

	if (read_urls(json, &order, err)) {
		order_release(&order);
		return -1;
	}
	read_names(json, &order);
	order.status = acme_status_parse(json_string(json, "status"));
	if (expires && clock_parse_rfc3339(expires, &order.expires_at))
		order.expires_at = CLOCK_NEVER;
	if (problem_present(problem)) {
		problem_to_err(problem, 0, &order.failure);
		order.profile_refused = problem_is(problem, "invalidProfile");
	}
	*ret = order;
	return 0;
}

void order_release(struct order *order)
{
	free(order->url);
	free(order->finalize);
	free(order->certificate);
	strlist_clear(&order->authorizations);
	strlist_clear(&order->names);
	*order = (struct order){ 0 };
}

void order_progress(const struct order_run *run, const char *stage, const char *detail)
{
	const struct acme_record *record = &run->request->record;

	if (record->progress)
		record->progress(record->ctx, stage, detail);
}

int order_adopt(struct order_run *run, const struct http_response *response,
		struct err *err)
{
	struct order order;
	cJSON *json = NULL;
	int rc = -1;

	if (answer_json(response, &json, err) || order_parse(json, &order, err))
		goto out;
	order.url = run->order.url;
	run->order.url = NULL;
	order.retry_after_s = answer_retry_after(response);
	order_release(&run->order);
	run->order = order;
	rc = 0;
out:
	cJSON_Delete(json);
	return rc;
}

static int fetch(struct order_run *run, struct err *err)
{
	struct http_response response = { 0 };
	int rc = -1;

	if (account_post(run->session, run->order.url, "", &response, err) == 0)
		rc = order_adopt(run, &response, err);
	http_response_release(&response);
	return rc;
}

int order_poll(struct order_run *run, unsigned attempt, struct err *err)
{
	struct order *order = &run->order;
	int64_t delay_ms = poll_delay_ms(attempt, order->retry_after_s, clock_mono_ms(),
					 run->deadline_ms);

	if (delay_ms < 0) {
		err_set(err, ERR_TRANSIENT,
			"the order is still '%s' after %lld s at the CA",
			acme_status_name(order->status), (long long)run->timeout_s);
		if (order->retry_after_s > 0)
			err->retry_after_s = (uint32_t)order->retry_after_s;
		return -1;
	}
	if (clock_sleep_ms(delay_ms, run->session->cancel))
		return cancel_check(run->session->cancel, err);
	if (fetch(run, err) == 0) {
		run->hiccups = 0;
		return 0;
	}
	if (err->kind != ERR_TRANSIENT || run->hiccups++ >= HICCUPS_MAX)
		return err_wrap(err, "poll the order");
	order->retry_after_s = err->retry_after_s;
	return 0;
}

int order_fail(const struct order_run *run, struct err *err)
{
	if (run->order.failure.kind == ERR_NONE)
		return err_set(err, ERR_REFUSED,
			       "the CA calls the order '%s' and gives no reason",
			       acme_status_name(run->order.status));
	*err = run->order.failure;
	return -1;
}

/* Are they the names we want, in any order? */
static bool names_match(const struct strlist *have, const char *const *want)
{
	size_t n = 0;

	for (; want[n]; n++) {
		bool found = false;

		for (size_t i = 0; i < have->n && !found; i++)
			found = identifier_equal(have->items[i], want[n]);
		if (!found)
			return false;
	}
	return n == have->n;
}

static bool worth_resuming(const struct order_run *run, int64_t now)
{
	const struct order *order = &run->order;

	if (!names_match(&order->names, run->request->names))
		return false;
	switch (order->status) {
	case STATUS_PENDING:
	case STATUS_READY:
		return order->expires_at > now && order->finalize;
	case STATUS_PROCESSING:
		return true;
	case STATUS_VALID:
		return order->certificate != NULL;
	default:
		return false;
	}
}

/* Looks at the order that the caller remembers. Sets *ret_usable; fails only when the CA
 * could not be asked. */
static int resume(struct order_run *run, bool *ret_usable, struct err *err)
{
	struct http_response response = { 0 };
	const char *url = run->request->order_url;
	int rc;

	*ret_usable = false;
	if (!url_is_https(url))
		return 0;
	rc = account_post(run->session, url, "", &response, err);
	if (rc == 0)
		rc = order_adopt(run, &response, err);
	if (rc == 0) {
		*ret_usable = worth_resuming(run, response.date ? response.date
								: clock_wall());
		run->order.url = str_dup(url);
	} else if (run->session->answered &&
		   (err->kind == ERR_REFUSED || err->kind == ERR_CONFIG)) {
		rc = 0; /* gone, another account's, or at a CA that we used before */
	}
	http_response_release(&response);
	if (!*ret_usable)
		order_release(&run->order);
	return rc ? err_wrap(err, "resume the order '%s'", url) : 0;
}

int order_open(struct order_run *run, struct err *err)
{
	const struct acme_request *request = run->request;
	bool usable = false;

	if (request->order_url) {
		if (resume(run, &usable, err))
			return -1;
		if (usable) {
			order_progress(run, "order", run->order.url);
			return 0;
		}
	}
	return order_make(run, err);
}
