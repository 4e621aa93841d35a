/* route53.c - Amazon Route 53, version 2013-04-01. A set of records is read, changed and
 * written whole, so that it keeps the values of others; two writers at once could lose
 * one, so what was written is looked at again. A change is done when all of Route 53's
 * servers have it (INSYNC). */
#include "hooks/dns/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "hooks/dns/provider_http.h"
#include "hooks/dns/provider_name.h"
#include "hooks/dns/route53_xml.h"
#include "hooks/dns/sigv4.h"
#include "hooks/dns/txt.h"

#define PUBLIC_URL "https://route53.amazonaws.com"
#define DEFAULT_REGION "us-east-1"
#define API "/2013-04-01"
#define REQUEST_MAX ((size_t)256 * 1024)
#define VALUE_MAX 4096
#define WRITES_MAX 3
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 4000

struct route53 {
	const struct dns_work *work;
	struct http_client *client;
	char *origin, *host; /* "https://h:1", "h:1" */
	int64_t deadline_ms;
};

struct question {
	const char *method, *path, *query; /* query: "" for none */
	const struct buf *body;            /* NULL: none */
};

static int route53_open(const struct dns_work *work, struct route53 *aws, struct err *err)
{
	const char *url = work->provider->url ? work->provider->url : PUBLIC_URL;
	const char *host = strstr(url, "://");

	*aws = (struct route53){ .work = work };
	host = host ? host + 3 : url;
	aws->host = str_ndup(host, strcspn(host, "/"));
	aws->origin = str_ndup(url, (size_t)(host - url) + strlen(aws->host));
	aws->deadline_ms = clock_mono_ms() + work->provider->timeout_s * 1000;
	return provider_http_open(work, url, &aws->client, err);
}

static void route53_close(struct route53 *aws)
{
	http_client_free(aws->client);
	free(aws->origin);
	free(aws->host);
}

/* ---- asking -------------------------------------------------------------- */

/* The codes and words by which AWS says that our clock and its own differ. */
static bool is_skew(const struct route53_error *error)
{
	static const char *const codes[] = { "RequestTimeTooSkewed", "RequestExpired",
					     "RequestInTheFuture" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (str_equal(error->code, codes[i]))
			return true;
	return str_starts(error->message, "Signature expired") ||
	       str_starts(error->message, "Signature not yet current");
}

static int say_skew(const struct http_response *response, int64_t now,
		    const struct route53_error *error, struct err *err)
{
	char ours[CLOCK_TEXT_MAX], theirs[CLOCK_TEXT_MAX] = "not told";

	clock_format_rfc3339(now, ours);
	if (response->date)
		clock_format_rfc3339(response->date, theirs);
	return err_set(err, ERR_CONFIG,
		       "the clocks differ: ours says %s, that of AWS %s: set this "
		       "machine's clock (%s: %s)",
		       ours, theirs, error->code, error->message);
}

static const char *advice(const char *code)
{
	static const struct {
		const char *code, *advice;
	} known[] = {
		{ "InvalidClientTokenId",
		  "AWS does not know the access key: look at access_key_id" },
		{ "SignatureDoesNotMatch",
		  "AWS does not accept the signature: look at secret_access_key" },
		{ "ExpiredToken", "the session token has expired" },
		{ "AccessDenied",
		  "the access key may not do this: it needs "
		  "route53:ListHostedZonesByName, route53:ListResourceRecordSets, "
		  "route53:ChangeResourceRecordSets and route53:GetChange" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_equal(code, known[i].code))
			return known[i].advice;
	return NULL;
}

static int judge(const struct http_response *response, int64_t now, struct err *err)
{
	struct route53_error error;
	const char *hint;

	if (response->status >= 200 && response->status < 300)
		return 0;
	route53_read_error(buf_str(&response->body), response->body.len, &error);
	if (!*error.code)
		return provider_http_judge(response, "Route 53", err);
	if (is_skew(&error))
		return say_skew(response, now, &error, err);
	err_set(err, ERR_REFUSED, "Route 53 says %s: %s", error.code, error.message);
	provider_http_kind(response, err);
	if (str_equal(error.code, "Throttling") ||
	    str_equal(error.code, "PriorRequestNotComplete"))
		err->kind = ERR_TRANSIENT;
	hint = advice(error.code);
	return hint ? err_wrap(err, "%s", hint) : -1;
}

/* Adds the headers of a request that is signed now. */
static int sign(const struct route53 *aws, const struct question *question, int64_t now,
		struct strlist *headers, struct err *err)
{
	const struct dns_provider *provider = aws->work->provider;
	const struct buf *body = question->body;
	const struct sigv4_key key = { .access_key_id = provider->access_key_id,
				       .secret = provider->secret_access_key.bytes,
				       .session_token = provider->session_token.bytes,
				       .region = provider->region ? provider->region
								  : DEFAULT_REGION,
				       .service = "route53" };
	const struct sigv4_request request = { .method = question->method,
					       .host = aws->host,
					       .path = question->path,
					       .query = question->query,
					       .body = body ? buf_str(body) : NULL,
					       .body_len = body ? body->len : 0,
					       .at = now };

	if (body)
		strlist_add(headers, "Content-Type: application/xml");
	return sigv4_sign(&key, &request, headers, err);
}

/* Signs, asks once, and gives an answer of success. */
static int ask_once(struct route53 *aws, const struct question *question,
		    struct http_response *ret, struct err *err)
{
	char *url = str_printf("%s%s%s%s", aws->origin, question->path,
			       *question->query ? "?" : "", question->query);
	struct http_request request = {
		.method = question->method,
		.url = url,
		.body = question->body ? buf_str(question->body) : NULL,
		.body_len = question->body ? question->body->len : 0
	};
	struct strlist headers = { 0 };
	int64_t now = clock_wall();
	int rc = -1;

	if (sign(aws, question, now, &headers, err))
		goto out;
	request.headers = (const char *const *)headers.items;
	if (http_client_perform(aws->client, &request, ret, err))
		goto out;
	rc = judge(ret, now, err);
	if (rc)
		http_response_release(ret);
out:
	strlist_clear_secret(&headers);
	free(url);
	return rc;
}

/* Waits, twice as long each time; -1 with what is in `err` when there is no time left. */
static int pause_longer(struct route53 *aws, int64_t *pause_ms, struct err *err)
{
	if (clock_mono_ms() + *pause_ms > aws->deadline_ms)
		return -1;
	if (clock_sleep_ms(*pause_ms, aws->work->cancel))
		return err_set(err, ERR_CANCELLED, "stopped on request");
	*pause_ms = *pause_ms * 2 < LONGEST_PAUSE_MS ? *pause_ms * 2 : LONGEST_PAUSE_MS;
	return 0;
}

/* The same, again while AWS asks for patience: five requests a second are an account's.
 */
static int ask(struct route53 *aws, const struct question *question,
	       struct http_response *ret, struct err *err)
{
	int64_t pause_ms = FIRST_PAUSE_MS;
	int rc;

	while ((rc = ask_once(aws, question, ret, err)) != 0) {
		if (err->kind != ERR_TRANSIENT || pause_longer(aws, &pause_ms, err))
			break;
	}
	return rc;
}

/* ---- zones --------------------------------------------------------------- */

static int look_up_zone(void *ctx, const char *name, char **ret_id, struct err *err)
{
	struct route53 *aws = ctx;
	char *escaped = provider_http_escape(name);
	char *query = str_printf("dnsname=%s&maxitems=100", escaped);
	const struct question question = { "GET", API "/hostedzonesbyname", query, NULL };
	struct http_response response = { 0 };
	struct strlist ids = { 0 };
	int rc = ask(aws, &question, &response, err);

	if (!rc) {
		rc = route53_read_zones(buf_str(&response.body), response.body.len, name,
					&ids, err);
		http_response_release(&response);
	}
	if (!rc && ids.n > 1)
		rc = err_set(err, ERR_CONFIG,
			     "this account has %zu public zones of that name, and only "
			     "AWS knows which of them is in use",
			     ids.n);
	if (!rc)
		*ret_id = ids.n ? str_dup(ids.items[0]) : NULL;
	strlist_clear(&ids);
	free(query);
	free(escaped);
	return rc ? err_wrap(err, "look for zone '%s'", name) : 0;
}

static int find_zone(struct route53 *aws, const char *record, char **ret_id,
		     struct err *err)
{
	const struct provider_zones zones = {
		.ctx = aws,
		.look_up = look_up_zone,
		.given = aws->work->provider->zone,
		.way_out = "is it in another account, or private?",
	};

	return provider_find_zone(&zones, record, ret_id, err);
}

/* ---- records ------------------------------------------------------------- */

static int read_set(struct route53 *aws, const char *zone, const char *name,
		    struct route53_set *ret, struct err *err)
{
	char *path = str_printf(API "/hostedzone/%s/rrset", zone);
	char *escaped = provider_http_escape(name);
	char *query = str_printf("maxitems=1&name=%s&type=TXT", escaped);
	const struct question question = { "GET", path, query, NULL };
	struct http_response response = { 0 };
	int rc = ask(aws, &question, &response, err);

	if (!rc) {
		rc = route53_read_set(buf_str(&response.body), response.body.len, name,
				      ret, err);
		http_response_release(&response);
	}
	free(query);
	free(escaped);
	free(path);
	return rc ? err_wrap(err, "read the records that are there") : 0;
}

static int read_change(const struct http_response *response, struct route53_change *ret,
		       struct err *err)
{
	return route53_read_change(buf_str(&response->body), response->body.len, ret,
				   err);
}

/* Asks after a change until all servers have it. */
static int await(struct route53 *aws, struct route53_change *change, struct err *err)
{
	int64_t pause_ms = FIRST_PAUSE_MS;
	int rc = 0;

	while (!rc && !change->in_sync) {
		char *path = str_printf(API "/change/%s", change->id);
		const struct question question = { "GET", path, "", NULL };
		struct http_response response = { 0 };

		err_set(err, ERR_TRANSIENT,
			"Route 53 has not brought change '%s' to all its servers "
			"within %lld s",
			change->id, (long long)aws->work->provider->timeout_s);
		rc = pause_longer(aws, &pause_ms, err);
		if (!rc)
			rc = ask(aws, &question, &response, err);
		if (!rc) {
			rc = read_change(&response, change, err);
			http_response_release(&response);
		}
		free(path);
	}
	return rc;
}

/* Writes the set as it shall be; one without values is deleted as it was. */
static int write_set(struct route53 *aws, const char *zone, const char *name,
		     const struct route53_set *set, bool upsert, struct err *err)
{
	char *path = str_printf(API "/hostedzone/%s/rrset/", zone);
	struct http_response response = { 0 };
	struct route53_change change;
	struct buf body;
	const struct question question = { "POST", path, "", &body };
	int rc = -1;

	buf_init(&body, REQUEST_MAX);
	route53_write_change(name, upsert, set, &body);
	if (!buf_ok(&body)) {
		err_set(err, ERR_REFUSED, "there is too much at this name");
		goto out;
	}
	if (ask(aws, &question, &response, err))
		goto out;
	rc = read_change(&response, &change, err);
	http_response_release(&response);
	if (!rc && upsert)
		rc = await(aws, &change, err);
out:
	buf_release(&body);
	free(path);
	return rc;
}

/* Its place among the values, or n. */
static size_t find_value(const struct route53_set *set, const char *value)
{
	size_t i = 0;

	while (i < set->values.n && !txt_means(set->values.items[i], TXT_OCTAL, value))
		i++;
	return i;
}

static void add_value(struct route53_set *set, const char *value)
{
	struct buf quoted;

	buf_init(&quoted, VALUE_MAX);
	txt_quote(value, TXT_OCTAL, &quoted);
	strlist_add(&set->values, buf_str(&quoted));
	buf_release(&quoted);
}

static void drop_value(struct route53_set *set, size_t i)
{
	free(set->values.items[i]);
	set->values.n--;
	memmove(set->values.items + i, set->values.items + i + 1,
		(set->values.n - i) * sizeof(char *));
	set->values.items[set->values.n] = NULL;
}

/* One change of what is there. *ret_done: it was so already. */
static int change_once(struct route53 *aws, const char *zone,
		       const struct dns_answer *answer, bool wanted, bool *ret_done,
		       struct err *err)
{
	struct route53_set set = { 0 };
	bool upsert = true;
	size_t place;
	int rc = -1;

	if (read_set(aws, zone, answer->record, &set, err))
		return -1;
	place = find_value(&set, answer->value);
	*ret_done = (place < set.values.n) == wanted;
	if (*ret_done) {
		rc = 0;
		goto out;
	}
	if (set.special) {
		err_set(err, ERR_CONFIG,
			"the TXT records there follow a routing policy: we change plain "
			"ones only");
		goto out;
	}
	if (wanted)
		add_value(&set, answer->value);
	else if (set.values.n > 1)
		drop_value(&set, place);
	else
		upsert = false;
	if (!set.ttl_s)
		set.ttl_s = aws->work->provider->ttl_s;
	rc = write_set(aws, zone, answer->record, &set, upsert, err);
out:
	route53_set_clear(&set);
	return rc;
}

/* Until it is seen to be so: another writer may have read before we wrote. */
static int change(const struct dns_work *work, const struct dns_answer *answer,
		  bool wanted, struct err *err)
{
	struct route53 aws;
	char *zone = NULL;
	bool done = false;
	int rc = -1;

	if (route53_open(work, &aws, err) || find_zone(&aws, answer->record, &zone, err))
		goto out;
	rc = 0;
	for (int i = 0; !rc && !done && i <= WRITES_MAX; i++)
		rc = change_once(&aws, zone, answer, wanted, &done, err);
	if (!rc && !done)
		rc = err_set(err, ERR_TRANSIENT,
			     "somebody else undoes every change of these records");
out:
	route53_close(&aws);
	free(zone);
	return rc;
}

/* ---- the row ------------------------------------------------------------- */

static int present(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err)
{
	return change(work, answer, true, err);
}

static int withdraw(const struct dns_work *work, const struct dns_answer *answer,
		    struct err *err)
{
	return change(work, answer, false, err);
}

static int check(const struct dns_work *work, const char *domain, struct err *err)
{
	char *record = provider_record_of(work, domain), *zone = NULL;
	struct route53 aws;
	int rc = route53_open(work, &aws, err);

	if (!rc)
		rc = find_zone(&aws, record, &zone, err);
	route53_close(&aws);
	free(zone);
	free(record);
	return rc;
}

const struct dns_provider_kind dns_route53 = { .present = present,
					       .withdraw = withdraw,
					       .check = check };
