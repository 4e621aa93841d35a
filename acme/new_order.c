/* new_order.c - newOrder (RFC 8555 7.4) with what may be asked for besides names, and
 * what is given up when the CA will not have it. */
#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/answer.h"
#include "acme/order.h"
#include "acme/url.h"
#include "base/clock.h"
#include "base/identifier.h"
#include "base/json.h"

struct wishes {
	const char *replaces, *profile;
	int64_t not_before, not_after;
};

struct refusal {
	bool profile, moved; /* because of the profile; nothing is at that URL */
};

static void add_instant(cJSON *json, const char *name, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	if (!at)
		return;
	clock_format_rfc3339(at, text);
	json_set_string(json, name, text);
}

static char *order_payload(const struct acme_request *request,
			   const struct wishes *wishes)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "identifiers");
	char *text;

	for (size_t i = 0; request->names[i]; i++) {
		cJSON *id = cJSON_CreateObject();

		json_set_string(id, "type",
				identifier_is_ip(request->names[i]) ? "ip" : "dns");
		json_set_string(id, "value", request->names[i]);
		cJSON_AddItemToArray(list, id);
	}
	add_instant(json, "notBefore", wishes->not_before);
	add_instant(json, "notAfter", wishes->not_after);
	if (wishes->replaces)
		json_set_string(json, "replaces", wishes->replaces);
	if (wishes->profile)
		json_set_string(json, "profile", wishes->profile);
	text = json_print(json);
	cJSON_Delete(json);
	return text;
}

static void note(struct order_run *run, const char *what, const char *detail)
{
	char *text = str_printf("%s%s", what, detail);

	str_make_printable(text);
	if (!strlist_has(&run->result->notes, text))
		strlist_add(&run->result->notes, text);
	free(text);
}

static char *profiles_offered(const struct acme_directory *directory)
{
	struct buf text;

	buf_init(&text, 8192);
	for (size_t i = 0; i < directory->profiles.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", directory->profiles.items[i]);
	if (!text.len)
		buf_puts(&text, "none");
	return buf_steal(&text);
}

/* draft-ietf-acme-profiles 5: a name that is not advertised is not asked for. */
static int choose_profile(struct order_run *run, const struct acme_directory *directory,
			  struct wishes *wishes, struct err *err)
{
	const struct acme_request *request = run->request;
	char *offered;
	int rc = 0;

	if (!request->profile || run->without_profile)
		return 0;
	if (strlist_has(&directory->profiles, request->profile)) {
		wishes->profile = request->profile;
		return 0;
	}
	offered = profiles_offered(directory);
	if (request->profile_required)
		rc = err_set(err, ERR_CONFIG,
			     "the CA does not offer the profile '%s' that is required, "
			     "only: %.500s",
			     request->profile, offered);
	else
		note(run, "the CA does not offer the preferred profile, only: ", offered);
	free(offered);
	return rc;
}

static int choose(struct order_run *run, struct wishes *wishes, struct err *err)
{
	const struct acme_directory *directory;

	*wishes = (struct wishes){ 0 };
	if (acme_session_directory(run->session, &directory, err))
		return -1;
	if (directory->renewal_info && !run->without_replaces)
		wishes->replaces = run->request->replaces;
	if (!run->without_dates) {
		wishes->not_before = run->request->not_before;
		wishes->not_after = run->request->not_after;
	}
	return choose_profile(run, directory, wishes, err);
}

static int adopt(struct order_run *run, const struct http_response *response,
		 struct err *err)
{
	const char *location;

	if (order_adopt(run, response, err))
		return -1;
	location = http_header(response, "location");
	if (url_check(location, "order", err))
		return -1;
	run->order.url = str_dup(location);
	return 0;
}

static int ask(struct order_run *run, const struct wishes *wishes, struct refusal *ret,
	       struct err *err)
{
	char *url = str_dup(run->session->directory.new_order);
	char *payload = order_payload(run->request, wishes);
	const struct session_request request = { .url = url, .payload = payload };
	struct http_response response = { 0 };
	int rc = -1;

	*ret = (struct refusal){ 0 };
	run->new_orders++;
	if (account_exchange(run->session, &request, &response, err))
		goto out;
	ret->profile = answer_is_problem(&response, "invalidProfile");
	ret->moved = response.status == 404 || response.status == 405 ||
		     response.status == 410;
	rc = adopt(run, &response, err);
out:
	free(payload);
	free(url);
	http_response_release(&response);
	return rc ? err_wrap(err, "newOrder") : 0;
}

/* Drops the wish that the CA may have refused the order for. False: there is none, or
 * the refusal has another reason. */
static bool drop_a_wish(struct order_run *run, const struct wishes *wishes,
			const struct refusal *refusal, const struct err *err)
{
	/* Whatever it says: some CAs refuse for ever what they advertise. But one that
	 * says when to come again is not asked before. */
	if (wishes->replaces && !err->retry_after_s) {
		note(run, "the CA refused the order with `replaces`: ", err->text);
		return run->without_replaces = true;
	}
	if (refusal->profile) {
		if (!wishes->profile || run->request->profile_required)
			return false;
		note(run, "the CA refused the order with the profile: ", err->text);
		return run->without_profile = true;
	}
	if ((wishes->not_before || wishes->not_after) && err->kind == ERR_REFUSED &&
	    !err->retry_after_s) {
		note(run, "the CA refused the order with dates of ours: ", err->text);
		return run->without_dates = true;
	}
	return false;
}

/* Has newOrder another address by now? Nothing was at the old one. */
static bool has_moved(struct order_run *run)
{
	char *before = str_dup(run->session->directory.new_order);
	const struct acme_directory *directory;
	struct err ignored;
	bool moved;

	session_forget_directory(run->session);
	moved = acme_session_directory(run->session, &directory, &ignored) == 0 &&
		!str_equal(before, directory->new_order);
	free(before);
	return moved;
}

static bool another_way(struct order_run *run, const struct wishes *wishes,
			const struct refusal *refusal, const struct err *err)
{
	if (!run->session->answered || err->kind == ERR_CANCELLED)
		return false;
	if (refusal->moved && has_moved(run))
		return run->new_orders < NEW_ORDERS_MAX;
	if (run->new_orders < NEW_ORDERS_MAX && drop_a_wish(run, wishes, refusal, err))
		return true;
	if (err->kind == ERR_REFUSED && !refusal->moved)
		session_forget_directory(run->session); /* the next order reads it anew */
	return false;
}

int order_make(struct order_run *run, struct err *err)
{
	const struct acme_record *record = &run->request->record;
	struct refusal refusal;
	struct wishes wishes;

	for (;;) {
		if (choose(run, &wishes, err) ||
		    (record->before_order &&
		     record->before_order(record->ctx, wishes.replaces != NULL, err)))
			return -1;
		if (ask(run, &wishes, &refusal, err) == 0)
			break;
		if (!another_way(run, &wishes, &refusal, err))
			return -1;
	}
	if (record->order_created &&
	    record->order_created(record->ctx, run->order.url, err))
		return -1;
	order_progress(run, "order", run->order.url);
	return 0;
}

bool order_again_without_profile(struct order_run *run, struct err *err)
{
	if (!run->order.profile_refused || !run->request->profile ||
	    run->without_profile || run->request->profile_required ||
	    run->new_orders == NEW_ORDERS_MAX)
		return false;
	note(run, "the CA refused to finalize with the profile: ", err->text);
	run->without_profile = true;
	order_release(&run->order);
	return order_make(run, err) == 0;
}
