#include "acme/authorize.h"

#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/answer.h"
#include "acme/authorization.h"
#include "acme/jws.h"
#include "acme/poll.h"
#include "base/clock.h"

#define DEACTIVATE_MS 5000
#define RESPOND_TRIES 3
#define RESPOND_PAUSE 7 /* poll_delay_ms(7) is 384 ms */
/* Some CAs leave the order pending when a challenge has failed: look there now and then.
 */
#define POLLS_PER_LOOK 4

struct authorizations {
	struct authorization *items;
	size_t n;
};

static int read_one(struct order_run *run, const char *url, struct solvers solvers,
		    struct authorization *ret, struct err *err)
{
	struct http_response response = { 0 };
	cJSON *json = NULL;
	int rc = -1;

	if (account_post(run->session, url, "", &response, err) ||
	    answer_json(&response, &json, err) ||
	    authorization_parse(json, solvers, ret, err))
		goto out;
	ret->url = str_dup(url);
	rc = 0;
out:
	cJSON_Delete(json);
	http_response_release(&response);
	return rc ? err_wrap(err, "read an authorization") : 0;
}

/* RFC 8555 7.5 */
static int read_all(struct order_run *run, struct authorizations *all, struct err *err)
{
	const struct strlist *urls = &run->order.authorizations;
	const struct solvers solvers = { run->request->solvers, run->request->n_solvers };

	if (urls->n == 0)
		return err_set(err, ERR_REFUSED,
			       "a pending order without authorizations");
	all->items = mem_calloc(urls->n, sizeof(*all->items));
	for (; all->n < urls->n; all->n++) {
		struct authorization *each = &all->items[all->n];

		if (read_one(run, urls->items[all->n], solvers, each, err))
			return -1;
		order_progress(run, "authorize", each->identifier);
	}
	return 0;
}

/* What the CA says about those that failed, in one sentence. */
static int explain(const struct authorizations *all, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	struct buf text;

	buf_init(&text, 1600);
	for (size_t i = 0; i < all->n; i++) {
		const struct authorization *each = &all->items[i];

		if (each->status == STATUS_VALID || each->status == STATUS_PENDING)
			continue;
		buf_printf(&text, "%schallenge failed for '%s': %s", text.len ? "; " : "",
			   each->identifier,
			   each->failure.kind ? each->failure.text
					      : acme_status_name(each->status));
		if (kind == ERR_NONE || kind == ERR_TRANSIENT)
			kind = each->failure.kind ? each->failure.kind : ERR_REFUSED;
	}
	if (kind != ERR_NONE)
		err_set(err, kind, "%s", buf_str(&text));
	buf_release(&text);
	return kind == ERR_NONE ? 0 : -1;
}

static struct solvers solver_of(const struct authorization *each)
{
	return (struct solvers){ each->solver, each->solver ? 1 : 0 };
}

/* What the solver gets to see. Borrows from `each`. */
static struct acme_challenge challenge_of(const struct order_run *run,
					  const struct authorization *each)
{
	return (struct acme_challenge){
		.type = each->solver->type,
		.identifier = each->identifier,
		.token = each->token,
		.key_authorization = each->key_authorization,
		.dns_value = each->dns_value,
		.account_url = acme_session_account_url(run->session),
		.issuer_domains = each->token ? NULL
					      : (const char *const *)
							each->issuer_domains.items,
	};
}

/* RFC 8555 8.1, 8.4 */
static int prepare(const struct order_run *run, struct authorization *each,
		   struct err *err)
{
	bool by_dns = str_equal(each->solver->type, "dns-01");

	if (!each->token)
		return 0;
	each->key_authorization = jws_key_authorization(run->session->key, each->token);
	if (by_dns && each->key_authorization)
		each->dns_value = jws_dns_value(each->key_authorization);
	if (!each->key_authorization || (by_dns && !each->dns_value))
		return err_openssl(err, "make the answer to the challenge for '%s'",
				   each->identifier);
	return 0;
}

static int no_challenge(const struct order_run *run, const struct authorization *each,
			struct err *err)
{
	struct buf ours;
	int rc;

	buf_init(&ours, 128);
	for (size_t i = 0; i < run->request->n_solvers; i++)
		buf_printf(&ours, "%s%s", i ? ", " : "", run->request->solvers[i].type);
	rc = err_set(err, ERR_CONFIG,
		     "the CA offers no %s challenge for '%s' that can prove it, only: %s",
		     buf_str(&ours), each->identifier, each->offered);
	buf_release(&ours);
	return rc;
}

/* dns-persist-01: the record that is published names our account, so must the CA. */
static int check_account(const struct order_run *run, const struct authorization *each,
			 struct err *err)
{
	const char *ours = acme_session_account_url(run->session);

	if (!each->account_uri || str_equal(each->account_uri, ours))
		return 0;
	err_set(err, ERR_REFUSED,
		"the CA's dns-persist-01 challenge for '%s' is for the account '%.300s', "
		"not for ours, '%.300s'",
		each->identifier, each->account_uri, ours ? ours : "");
	str_make_printable(err->text);
	return -1;
}

/* Makes every answer visible, before the CA is told about the first. */
static int present_all(struct order_run *run, struct authorizations *all, struct err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		struct authorization *each = &all->items[i];
		struct acme_challenge challenge;

		if (each->status != STATUS_PENDING)
			continue;
		if (!each->solver)
			return no_challenge(run, each, err);
		if (check_account(run, each, err) || prepare(run, each, err))
			return -1;
		challenge = challenge_of(run, each);
		each->presented = true;
		if (each->solver->present(each->solver->ctx, &challenge, err))
			return err_wrap(err, "present the %s answer for '%s'",
					each->solver->type, each->identifier);
	}
	return 0;
}

/* Whoever has presented something waits until it can be seen. */
static int settle_all(struct order_run *run, const struct authorizations *all,
		      struct err *err)
{
	for (size_t i = 0; i < run->request->n_solvers; i++) {
		const struct acme_solver *solver = &run->request->solvers[i];
		bool presented = false;

		for (size_t k = 0; k < all->n; k++)
			presented = presented || (all->items[k].presented &&
						  all->items[k].solver == solver);
		if (presented && solver->settle && solver->settle(solver->ctx, err) &&
		    err->kind == ERR_CANCELLED)
			return -1;
	}
	return 0;
}

static void withdraw_all(struct order_run *run, struct authorizations *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct authorization *each = &all->items[i];
		struct acme_challenge challenge;

		if (!each->presented)
			continue;
		challenge = challenge_of(run, each);
		each->solver->cleanup(each->solver->ctx, &challenge);
		each->presented = false;
	}
}

/* Whose challenge has failed at the CA: another way may prove it. */
static void note_challenged(struct order_run *run, const struct authorizations *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct authorization *each = &all->items[i];

		if (each->solver && each->status != STATUS_VALID &&
		    (each->status == STATUS_INVALID ||
		     each->challenge_status == STATUS_INVALID))
			strlist_add(&run->result->challenged, each->identifier);
	}
}

/* RFC 8555 7.5.1 */
static int post_response(struct order_run *run, const struct authorization *each,
			 struct err *err)
{
	struct session_request request = { .url = each->challenge_url, .payload = "{}" };
	struct http_response response = { 0 };
	int rc;

	rc = account_exchange(run->session, &request, &response, err);
	if (rc == 0 && response.status != 409) /* to a second one */
		rc = answer_check(&response, err);
	http_response_release(&response);
	return rc;
}

/* Does the CA work on it, whatever it answered? */
static bool was_heard(struct order_run *run, const struct authorization *each)
{
	struct authorization now = { 0 };
	struct err ignored;
	bool heard;

	if (read_one(run, each->url, solver_of(each), &now, &ignored))
		return false;
	heard = now.status != STATUS_PENDING || now.challenge_status != STATUS_PENDING;
	authorization_release(&now);
	return heard;
}

/* Is there time to wait as the CA says, or as we would? Waits. */
static bool wait_to_repeat(struct order_run *run, unsigned try, const struct err *why)
{
	int64_t now_ms = clock_mono_ms();
	int64_t delay_ms = poll_delay_ms(RESPOND_PAUSE + try, why->retry_after_s, now_ms,
					 run->deadline_ms);

	if (delay_ms < 0 || delay_ms < (int64_t)why->retry_after_s * 1000)
		return false;
	return !clock_sleep_ms(delay_ms, run->session->cancel);
}

/* Tells the CA that the answer is there. An answer of the CA that was lost costs no
 * order: whether it had heard us, the authorization says. */
static int respond(struct order_run *run, const struct authorization *each,
		   struct err *err)
{
	for (unsigned try = 0;; try++) {
		if (post_response(run, each, err) == 0)
			return 0;
		if (err->kind == ERR_CANCELLED)
			break;
		if (was_heard(run, each))
			return 0;
		if (err->kind != ERR_TRANSIENT || try + 1 == RESPOND_TRIES ||
		    !wait_to_repeat(run, try, err))
			break;
	}
	return err_wrap(err, "challenge for '%s'", each->identifier);
}

static int respond_all(struct order_run *run, struct authorizations *all, struct err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct authorization *each = &all->items[i];

		if (each->status != STATUS_PENDING ||
		    each->challenge_status != STATUS_PENDING)
			continue;
		order_progress(run, "challenge", each->identifier);
		if (respond(run, each, err))
			return -1;
	}
	return 0;
}

/* Reads again those that were pending. Sets *ret_failed: is any past hope? */
static int look_again(struct order_run *run, struct authorizations *all, bool *ret_failed,
		      struct err *err)
{
	*ret_failed = false;
	for (size_t i = 0; i < all->n; i++) {
		struct authorization *each = &all->items[i];
		struct authorization now = { 0 };

		if (each->status != STATUS_PENDING)
			continue;
		if (read_one(run, each->url, solver_of(each), &now, err))
			return -1;
		each->status = now.status;
		each->challenge_status = now.challenge_status;
		each->failure = now.failure;
		authorization_release(&now);
		/* Some leave the authorization pending as well, and only say it here. */
		if (each->challenge_status == STATUS_INVALID &&
		    each->status == STATUS_PENDING)
			each->status = STATUS_INVALID;
		if (each->status != STATUS_VALID && each->status != STATUS_PENDING)
			*ret_failed = true;
	}
	return 0;
}

static int await_ready(struct order_run *run, struct authorizations *all, struct err *err)
{
	bool failed = false;

	for (unsigned attempt = 0; run->order.status == STATUS_PENDING; attempt++) {
		if (order_poll(run, attempt, err))
			return -1;
		if (run->order.status != STATUS_PENDING ||
		    attempt % POLLS_PER_LOOK != POLLS_PER_LOOK - 1)
			continue;
		if (look_again(run, all, &failed, err))
			return -1;
		if (failed)
			return explain(all, err);
	}
	if (run->order.status == STATUS_READY || run->order.status == STATUS_PROCESSING ||
	    run->order.status == STATUS_VALID)
		return 0;
	if (look_again(run, all, &failed, err) || explain(all, err))
		return -1;
	return order_fail(run, err);
}

/* RFC 8555 7.5.2: what is left pending would count against the account's limit. Best
 * effort, a few seconds, nobody hears of its failure. */
static void deactivate_pending(struct order_run *run, struct authorizations *all)
{
	int64_t until_ms = clock_mono_ms() + DEACTIVATE_MS;

	for (size_t i = 0; i < all->n; i++) {
		struct http_response response = { 0 };
		struct err ignored;

		if (all->items[i].status != STATUS_PENDING)
			continue;
		if (!run->session->answered || clock_mono_ms() > until_ms)
			return;
		account_post(run->session, all->items[i].url,
			     "{\"status\":\"deactivated\"}", &response, &ignored);
		http_response_release(&response);
	}
}

int authorize(struct order_run *run, struct err *err)
{
	struct authorizations all = { 0 };
	int rc = -1;

	if (run->order.status != STATUS_PENDING)
		return 0;
	if (read_all(run, &all, err) || explain(&all, err) ||
	    present_all(run, &all, err) || settle_all(run, &all, err) ||
	    respond_all(run, &all, err) || await_ready(run, &all, err))
		goto out;
	rc = 0;
out:
	withdraw_all(run, &all);
	if (rc)
		note_challenged(run, &all);
	if (rc && (err->kind == ERR_REFUSED || err->kind == ERR_CONFIG))
		deactivate_pending(run, &all);
	for (size_t i = 0; i < all.n; i++)
		authorization_release(&all.items[i]);
	free(all.items);
	return rc;
}
