/* world_ca.c - a CA as RFC 8555 describes it, below the HTTP client: JWS are parsed, not
 * verified. Challenges are proven by http-01 in a webroot of the world's files. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/base64url.h"
#include "base/cert.h"
#include "base/clock.h"
#include "base/http_client.h"
#include "base/json.h"
#include "tests/sim/judge.h"
#include "tests/sim/world.h"
#include "tests/support/testcert.h"

#define ORDERS_KEPT (sizeof(((struct ca *)0)->orders) / sizeof(struct order))
#define BACKDATED_S HOUR

struct asked { /* one request, taken apart */
	struct ca *ca;
	const struct http_request *request;
	const char *path;
	char *payload; /* of the JWS; "" for POST-as-GET, NULL for GET */
	struct http_response *ret;
};

void ca_open(struct ca *ca, const char *host)
{
	struct testcert *root;
	char name[64];
	int64_t now = true_now();

	memset(ca, 0, sizeof(*ca));
	ca->host = host;
	snprintf(name, sizeof(name), "Root of %s", host);
	root = testcert_new(&(struct testcert_spec){ .ca = true,
						     .common_name = name,
						     .not_before_at = now - 365 * DAY,
						     .not_after_at = now + 8000 * DAY });
	snprintf(name, sizeof(name), "Intermediate of %s", host);
	ca->signer = testcert_new(
		&(struct testcert_spec){ .issuer = root,
					 .ca = true,
					 .common_name = name,
					 .not_before_at = now - 365 * DAY,
					 .not_after_at = now + 7000 * DAY });
	testcert_free(root);
}

static void body(struct asked *asked, cJSON *json)
{
	char *text = json_print(json);

	buf_puts(&asked->ret->body, text);
	free(text);
	cJSON_Delete(json);
}

static void begin(struct asked *asked, long status)
{
	answer_begin(asked->ret, asked->request, status);
	answer_header(asked->ret, "replay-nonce: nonce%lu", ++asked->ca->n_nonces);
}

static void problem(struct asked *asked, long status, const char *type,
		    const char *detail)
{
	cJSON *json = cJSON_CreateObject();
	char urn[96];

	begin(asked, status);
	answer_header(asked->ret, "content-type: application/problem+json");
	snprintf(urn, sizeof(urn), "urn:ietf:params:acme:error:%s", type);
	json_set_string(json, "type", urn);
	json_set_string(json, "detail", detail);
	body(asked, json);
}

static void later(struct asked *asked)
{
	answer_header(asked->ret, "retry-after: %lld", (long long)asked->ca->retry_s);
}

static void set_url(struct asked *asked, cJSON *json, const char *member,
		    const char *path)
{
	char url[256];

	snprintf(url, sizeof(url), "https://%s/%s", asked->ca->host, path);
	json_set_string(json, member, url);
}

static void give_directory(struct asked *asked)
{
	cJSON *json = cJSON_CreateObject();

	begin(asked, 200);
	set_url(asked, json, "newNonce", "nonce");
	set_url(asked, json, "newAccount", "account");
	set_url(asked, json, "newOrder", "order");
	set_url(asked, json, "revokeCert", "revoke");
	if (asked->ca->has_ari)
		set_url(asked, json, "renewalInfo", "ari");
	body(asked, json);
}

static void give_account(struct asked *asked)
{
	cJSON *json = cJSON_CreateObject();

	begin(asked, 201);
	answer_header(asked->ret, "location: https://%s/acct/1", asked->ca->host);
	json_set_string(json, "status", "valid");
	body(asked, json);
}

/* ---- orders --------------------------------------------------------------- */

static struct order *order_of(struct ca *ca, unsigned long n)
{
	if (!n || n > ca->n_orders || n + ORDERS_KEPT <= ca->n_orders)
		return NULL;
	return &ca->orders[n % ORDERS_KEPT];
}

static void add_identifier(cJSON *list, const char *name)
{
	cJSON *identifier = cJSON_CreateObject();

	json_set_string(identifier, "type", "dns");
	json_set_string(identifier, "value", name);
	cJSON_AddItemToArray(list, identifier);
}

static void give_order(struct asked *asked, unsigned long n, long status)
{
	const struct order *order = order_of(asked->ca, n);
	cJSON *json = cJSON_CreateObject(), *list;
	char path[64], url[128];

	begin(asked, status);
	answer_header(asked->ret, "location: https://%s/o/%lu", asked->ca->host, n);
	json_set_string(json, "status",
			order->failed      ? "invalid"
			: order->finalized ? "valid"
			: order->proven    ? "ready"
					   : "pending");
	list = cJSON_AddArrayToObject(json, "identifiers");
	add_identifier(list, order->name);
	list = cJSON_AddArrayToObject(json, "authorizations");
	snprintf(url, sizeof(url), "https://%s/authz/%lu", asked->ca->host, n);
	cJSON_AddItemToArray(list, cJSON_CreateString(url));
	snprintf(path, sizeof(path), "finalize/%lu", n);
	set_url(asked, json, "finalize", path);
	snprintf(path, sizeof(path), "cert/%lu", n);
	if (order->finalized)
		set_url(asked, json, "certificate", path);
	body(asked, json);
}

/* What this CA is like today; true: it has been answered. */
static bool weather(struct asked *asked, int app, bool replaces)
{
	struct ca *ca = asked->ca;

	switch (ca->weather) {
	case CA_LIMITING:
		problem(asked, 429, "rateLimited", "too many new orders");
		break;
	case CA_REFUSING_REPLACES:
		if (!replaces)
			return false;
		problem(asked, 409, "alreadyReplaced", "it was replaced before");
		return true;
	default:
		return false;
	}
	later(asked);
	ca->wait_until[app] = true_now() + ca->retry_s;
	trace("%s: newOrder for %s: wait %lld s", ca->host, world->apps[app].name,
	      (long long)ca->retry_s);
	return true;
}

static void new_order(struct asked *asked)
{
	cJSON *json = cJSON_Parse(asked->payload ? asked->payload : "");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "identifiers");
	const char *name = json_string(cJSON_GetArrayItem(list, 0), "value");
	struct ca *ca = asked->ca;
	struct order *order;
	int app = app_of_host(name ? name : "");

	if (app < 0) {
		problem(asked, 400, "malformed", "no such name");
		goto out;
	}
	judge_order(ca, app);
	if (weather(asked, app, json_string(json, "replaces") != NULL))
		goto out;
	order = &ca->orders[++ca->n_orders % ORDERS_KEPT];
	free(order->pem);
	*order = (struct order){ .made_at = true_now(), .app = app };
	snprintf(order->name, sizeof(order->name), "%s", name);
	snprintf(order->token, sizeof(order->token), "token-%lu", ca->n_orders);
	trace("%s: order %lu for %s", ca->host, ca->n_orders, name);
	give_order(asked, ca->n_orders, 201);
out:
	cJSON_Delete(json);
}

static void give_authorization(struct asked *asked, unsigned long n, bool challenge)
{
	const struct order *order = order_of(asked->ca, n);
	cJSON *json = cJSON_CreateObject(), *list, *each = json;
	const char *status = order->failed   ? "invalid"
			     : order->proven ? "valid"
					     : "pending";
	char path[64];

	begin(asked, 200);
	json_set_string(json, "status", status);
	if (!challenge) {
		list = cJSON_CreateArray();
		add_identifier(list, order->name);
		cJSON_AddItemToObject(json, "identifier",
				      cJSON_DetachItemFromArray(list, 0));
		cJSON_Delete(list);
		list = cJSON_AddArrayToObject(json, "challenges");
		each = cJSON_CreateObject();
		cJSON_AddItemToArray(list, each);
		json_set_string(each, "status", status);
	}
	json_set_string(each, "type", "http-01");
	json_set_string(each, "token", order->token);
	snprintf(path, sizeof(path), "chall/%lu", n);
	set_url(asked, each, "url", path);
	body(asked, json);
}

/* Looks into the webroot, as a CA does from outside. */
static void prove(struct order *order)
{
	char path[128];
	const struct node *node;

	snprintf(path, sizeof(path), "/srv/www/.well-known/acme-challenge/%s",
		 order->token);
	node = files_follow(path);
	if (node && str_starts(node->data, order->token))
		order->proven = true;
	else
		order->failed = true;
}

/* ---- certificates ---------------------------------------------------------- */

static void note_issued(struct ca *ca, const struct order *order,
			const struct testcert *cert, int64_t not_before,
			int64_t not_after)
{
	STACK_OF(X509) *none = sk_X509_new_null();
	struct cert *facts = cert_from_x509(cert->x509, none);
	char *id = cert_ari_id(facts);
	struct issued *issued;

	ca->issued = mem_realloc(ca->issued, (ca->n_issued + 1) * sizeof(*ca->issued));
	issued = &ca->issued[ca->n_issued++];
	*issued = (struct issued){ .at = true_now(),
				   .not_before = not_before,
				   .not_after = not_after,
				   .app = order->app };
	snprintf(issued->ari_id, sizeof(issued->ari_id), "%s", id ? id : "");
	trace("%s: issued %s for %s until %lld", ca->host, cert_sha1(facts), order->name,
	      (long long)not_after);
	free(id);
	cert_free(facts);
	sk_X509_free(none);
	judge_issued(ca, order->app);
}

static void finalize(struct asked *asked, unsigned long n)
{
	struct ca *ca = asked->ca;
	struct order *order = order_of(ca, n);
	cJSON *json = cJSON_Parse(asked->payload ? asked->payload : "");
	const char *csr = json_string(json, "csr");
	int64_t begins = true_now() - (ca->lifetime_s > 10 * DAY ? BACKDATED_S : MINUTE);
	struct testcert *cert;
	struct buf der;

	if (ca->weather == CA_STALE)
		begins -= ca->lifetime_s / 10 * 9;

	buf_init(&der, 65536);
	if (!order->proven || !csr || base64_any_decode(csr, &der)) {
		problem(asked, 403, "orderNotReady", "not ready");
		goto out;
	}
	if (!order->finalized) {
		cert = testcert_from_csr(ca->signer, der.data, der.len, begins,
					 begins + ca->lifetime_s - 1);
		order->pem = testcert_fullchain_pem(cert);
		order->finalized = true;
		note_issued(ca, order, cert, begins, begins + ca->lifetime_s - 1);
		testcert_free(cert);
	}
	give_order(asked, n, 200);
out:
	buf_release(&der);
	cJSON_Delete(json);
}

static void give_certificate(struct asked *asked, unsigned long n)
{
	begin(asked, 200);
	answer_header(asked->ret, "content-type: application/pem-certificate-chain");
	buf_puts(&asked->ret->body, order_of(asked->ca, n)->pem);
}

static void give_advice(struct asked *asked, const char *id)
{
	struct ca *ca = asked->ca;
	const struct issued *issued = NULL;
	cJSON *json, *window;
	int64_t start, end;
	char at[CLOCK_TEXT_MAX];

	for (size_t i = ca->n_issued; i-- > 0 && !issued;)
		if (!strcmp(ca->issued[i].ari_id, id))
			issued = &ca->issued[i];
	if (!issued) {
		problem(asked, 404, "malformed", "no such certificate");
		return;
	}
	start = issued->not_before + (issued->not_after - issued->not_before) * 2 / 3;
	end = start + (issued->not_after - issued->not_before) / 50 + 1;
	if (issued->at < ca->mass_revoked_at) {
		start = ca->mass_revoked_at - DAY;
		end = ca->mass_revoked_at;
	}
	begin(asked, 200);
	answer_header(asked->ret, "retry-after: %lld", (long long)ca->ari_every_s);
	json = cJSON_CreateObject();
	window = cJSON_AddObjectToObject(json, "suggestedWindow");
	clock_format_rfc3339(start, at);
	json_set_string(window, "start", at);
	clock_format_rfc3339(end, at);
	json_set_string(window, "end", at);
	body(asked, json);
}

/* ---- one request ----------------------------------------------------------- */

static char *payload_of(const struct http_request *request)
{
	cJSON *jws = request->body ? cJSON_Parse(request->body) : NULL;
	const char *encoded = json_string(jws, "payload");
	struct buf bytes;
	char *payload = NULL;

	buf_init(&bytes, 65536);
	if (encoded && !base64_any_decode(encoded, &bytes))
		payload = str_dup(buf_str(&bytes));
	buf_release(&bytes);
	cJSON_Delete(jws);
	return payload;
}

static void answer_about_order(struct asked *asked, const char *what, unsigned long n)
{
	struct order *order = order_of(asked->ca, n);

	if (!order) {
		problem(asked, 404, "malformed", "no such order");
	} else if (!strcmp(what, "o")) {
		give_order(asked, n, 200);
	} else if (!strcmp(what, "authz")) {
		give_authorization(asked, n, false);
	} else if (!strcmp(what, "chall")) {
		if (!order->proven && !order->failed)
			prove(order);
		give_authorization(asked, n, true);
	} else if (!strcmp(what, "finalize")) {
		finalize(asked, n);
	} else if (!strcmp(what, "cert") && order->finalized) {
		give_certificate(asked, n);
	} else {
		problem(asked, 404, "malformed", "no such thing");
	}
}

static void answer(struct asked *asked)
{
	char what[16] = "";
	unsigned long n = 0;

	if (!strcmp(asked->path, "directory"))
		give_directory(asked);
	else if (!strcmp(asked->path, "nonce"))
		begin(asked, 200);
	else if (!strcmp(asked->path, "account") || !strcmp(asked->path, "acct/1"))
		give_account(asked);
	else if (!strcmp(asked->path, "order"))
		new_order(asked);
	else if (str_starts(asked->path, "ari/"))
		give_advice(asked, asked->path + strlen("ari/"));
	else if (sscanf(asked->path, "%15[a-z]/%lu", what, &n) == 2)
		answer_about_order(asked, what, n);
	else
		problem(asked, 404, "malformed", "nothing is here");
}

int ca_answer(struct ca *ca, const struct http_request *request,
	      struct http_response *ret, struct err *err)
{
	struct asked asked = { .ca = ca, .request = request, .ret = ret };

	(void)err;
	ca->requests++;
	asked.path = request->url + strlen("https://") + strlen(ca->host) + 1;
	if (ca->weather == CA_BROKEN) {
		answer_begin(ret, request, 500);
		return 0;
	}
	if (ca->weather == CA_BUSY) {
		problem(&asked, 503, "serverInternal", "come again later");
		later(&asked);
		ca->busy_until = true_now() + ca->retry_s;
		return 0;
	}
	asked.payload = payload_of(request);
	answer(&asked);
	free(asked.payload);
	return 0;
}
