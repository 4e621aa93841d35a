/* cloudflare.c - Cloudflare's API, version 4: a record is POSTed into its zone, found by
 * name, type and content, and DELETEd by its id. A token proves who we are. */
#include "hooks/dns/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "hooks/dns/provider_http.h"
#include "hooks/dns/provider_name.h"
#include "hooks/dns/txt.h"

#define PUBLIC_URL "https://api.cloudflare.com"
#define MIN_TTL_S 60
#define PAGES_MAX 20
#define ERRORS_MAX 3
#define ID_MAX 64
#define VALUE_MAX 4096

enum { IDENTICAL_RECORD_EXISTS = 81058, RECORD_EXISTS = 81057, NO_SUCH_RECORD = 81044 };

struct cloudflare {
	const struct dns_work *work;
	struct http_client *client;
	char *authorization;
};

static int cloudflare_open(const struct dns_work *work, struct cloudflare *cf,
			   struct err *err)
{
	const char *url = work->provider->url ? work->provider->url : PUBLIC_URL;

	*cf = (struct cloudflare){ .work = work };
	cf->authorization = str_printf("Authorization: Bearer %s",
				       work->provider->token.bytes);
	return provider_http_open(work, url, &cf->client, err);
}

static void cloudflare_close(struct cloudflare *cf)
{
	http_client_free(cf->client);
	str_free_secret(cf->authorization);
}

/* ---- asking -------------------------------------------------------------- */

/* Says what `errors` of an answer says: "9109: Invalid access token". */
static int say_errors(const struct http_response *response, const cJSON *json,
		      struct err *err)
{
	const cJSON *errors = cJSON_GetObjectItemCaseSensitive(json, "errors"), *each;
	const char *message;
	struct buf words;
	int n = 0;

	buf_init(&words, sizeof(err->text) / 2);
	cJSON_ArrayForEach (each, errors) {
		message = json_string(each, "message");
		if (!message || n++ >= ERRORS_MAX)
			continue;
		buf_printf(&words, "%s%lld: %s", words.len ? "; " : "",
			   (long long)json_int(each, "code", 0), message);
	}
	if (!words.len)
		buf_printf(&words, "an answer %ld without a reason", response->status);
	err_set(err, ERR_REFUSED, "Cloudflare says %s", buf_str(&words));
	str_make_printable(err->text);
	buf_release(&words);
	provider_http_kind(response, err);
	if (err->kind == ERR_CONFIG)
		err_wrap(err, "the token is not accepted: it needs the rights "
			      "Zone.Zone:Read and Zone.DNS:Edit in this zone");
	return -1;
}

/* Does the answer carry this error? */
static bool has_error(const cJSON *json, int64_t code)
{
	const cJSON *each;

	cJSON_ArrayForEach (each, cJSON_GetObjectItemCaseSensitive(json, "errors")) {
		if (json_int(each, "code", 0) == code)
			return true;
	}
	return false;
}

static int judge(const struct http_response *response, cJSON **ret, struct err *err)
{
	struct err bad = { 0 };
	cJSON *json = NULL;

	if (json_parse(response->body.data, response->body.len, &json, &bad)) {
		if (provider_http_judge(response, "Cloudflare", err))
			return -1;
		return err_set(err, ERR_TRANSIENT, "Cloudflare's answer is %s", bad.text);
	}
	if (json_bool(json, "success", false)) {
		*ret = json;
		return 0;
	}
	if (has_error(json, IDENTICAL_RECORD_EXISTS) || has_error(json, RECORD_EXISTS) ||
	    has_error(json, NO_SUCH_RECORD)) {
		*ret = json; /* what was wanted is so already */
		return 0;
	}
	say_errors(response, json, err);
	cJSON_Delete(json);
	return -1;
}

/* Gives *ret, the answer to a request that was granted. */
static int ask(struct cloudflare *cf, const char *method, const char *path,
	       const char *body, cJSON **ret, struct err *err)
{
	const char *base = cf->work->provider->url;
	char *url = provider_http_url(base ? base : PUBLIC_URL, path);
	const char *headers[] = { cf->authorization, "Accept: application/json",
				  body ? "Content-Type: application/json" : NULL, NULL };
	struct http_request request = { .method = method,
					.url = url,
					.headers = headers,
					.body = body,
					.body_len = body ? strlen(body) : 0 };
	struct http_response response = { 0 };
	int rc = http_client_perform(cf->client, &request, &response, err);

	if (!rc) {
		rc = judge(&response, ret, err);
		http_response_release(&response);
	}
	free(url);
	return rc;
}

/* ---- zones --------------------------------------------------------------- */

/* An id becomes part of a URL. */
static bool is_id(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	return len && len <= ID_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-_") == len;
}

/* Gives *ret_id, NULL when the token sees no zone of that very name. */
static int look_up_zone(void *ctx, const char *name, char **ret_id, struct err *err)
{
	struct cloudflare *cf = ctx;
	char *escaped = provider_http_escape(name);
	char *path = str_printf("/client/v4/zones?name=%s&per_page=50", escaped);
	const cJSON *each;
	cJSON *json = NULL;
	int rc = ask(cf, "GET", path, NULL, &json, err);

	free(path);
	free(escaped);
	if (rc)
		return err_wrap(err, "look for zone '%s'", name);
	*ret_id = NULL;
	cJSON_ArrayForEach (each, cJSON_GetObjectItemCaseSensitive(json, "result")) {
		const char *found = json_string(each, "name");

		if (!*ret_id && found && str_equal_nocase(found, name) &&
		    is_id(json_string(each, "id")))
			*ret_id = str_dup(json_string(each, "id"));
	}
	cJSON_Delete(json);
	return 0;
}

static int find_zone(struct cloudflare *cf, const char *record, char **ret_id,
		     struct err *err)
{
	const struct provider_zones zones = {
		.ctx = cf,
		.look_up = look_up_zone,
		.given = cf->work->provider->zone,
		.way_out = "does the token cover it (Zone.Zone:Read)?",
	};

	return provider_find_zone(&zones, record, ret_id, err);
}

/* ---- records ------------------------------------------------------------- */

/* Adds the ids of one page's records that mean `value`. */
static void take_ids(const cJSON *json, const char *value, struct strlist *ids)
{
	const cJSON *each;

	cJSON_ArrayForEach (each, cJSON_GetObjectItemCaseSensitive(json, "result")) {
		const char *content = json_string(each, "content");

		if (content && txt_means(content, TXT_DECIMAL, value) &&
		    is_id(json_string(each, "id")))
			strlist_add(ids, json_string(each, "id"));
	}
}

/* Adds what is on one page, and says how many there are. */
static int read_page(struct cloudflare *cf, const char *path, const char *value,
		     struct strlist *ids, int64_t *ret_pages, struct err *err)
{
	cJSON *json = NULL;

	if (ask(cf, "GET", path, NULL, &json, err))
		return err_wrap(err, "look for the record");
	take_ids(json, value, ids);
	*ret_pages = json_int(cJSON_GetObjectItemCaseSensitive(json, "result_info"),
			      "total_pages", 1);
	cJSON_Delete(json);
	if (*ret_pages > PAGES_MAX)
		return err_set(err, ERR_REFUSED,
			       "there are %lld pages of TXT records at this name, more "
			       "than we read",
			       (long long)*ret_pages);
	return 0;
}

/* Adds the ids of all TXT records at `name` that mean `value`. */
static int find_records(struct cloudflare *cf, const char *zone,
			const struct dns_answer *answer, struct strlist *ids,
			struct err *err)
{
	char *name = provider_http_escape(answer->record);
	int64_t pages = 1;
	int rc = 0;

	for (int64_t page = 1; !rc && page <= pages; page++) {
		char *path = str_printf("/client/v4/zones/%s/dns_records?type=TXT"
					"&name=%s&per_page=100&page=%lld",
					zone, name, (long long)page);

		rc = read_page(cf, path, answer->value, ids, &pages, err);
		free(path);
	}
	free(name);
	return rc;
}

static int create_record(struct cloudflare *cf, const char *zone,
			 const struct dns_answer *answer, struct err *err)
{
	int64_t ttl_s = cf->work->provider->ttl_s;
	char *path = str_printf("/client/v4/zones/%s/dns_records", zone), *body;
	cJSON *json = cJSON_CreateObject(), *made = NULL;
	struct buf content;
	int rc;

	buf_init(&content, VALUE_MAX);
	txt_quote(answer->value, TXT_DECIMAL, &content);
	json_set_string(json, "type", "TXT");
	json_set_string(json, "name", answer->record);
	json_set_string(json, "content", buf_str(&content));
	json_set_int(json, "ttl", ttl_s > MIN_TTL_S ? ttl_s : MIN_TTL_S);
	body = json_print(json);
	rc = ask(cf, "POST", path, body, &made, err);
	cJSON_Delete(made);
	cJSON_Delete(json);
	buf_release(&content);
	free(body);
	free(path);
	return rc;
}

static int delete_record(struct cloudflare *cf, const char *zone, const char *id,
			 struct err *err)
{
	char *path = str_printf("/client/v4/zones/%s/dns_records/%s", zone, id);
	cJSON *json = NULL;
	int rc = ask(cf, "DELETE", path, NULL, &json, err);

	cJSON_Delete(json);
	free(path);
	return rc;
}

/* ---- the row ------------------------------------------------------------- */

static int present(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err)
{
	struct strlist ids = { 0 };
	struct cloudflare cf;
	char *zone = NULL;
	int rc = -1;

	if (cloudflare_open(work, &cf, err) ||
	    find_zone(&cf, answer->record, &zone, err) ||
	    find_records(&cf, zone, answer, &ids, err))
		goto out;
	rc = ids.n ? 0 : create_record(&cf, zone, answer, err);
out:
	cloudflare_close(&cf);
	strlist_clear(&ids);
	free(zone);
	return rc;
}

static int withdraw(const struct dns_work *work, const struct dns_answer *answer,
		    struct err *err)
{
	struct strlist ids = { 0 };
	struct cloudflare cf;
	char *zone = NULL;
	int rc = -1;

	if (cloudflare_open(work, &cf, err) ||
	    find_zone(&cf, answer->record, &zone, err) ||
	    find_records(&cf, zone, answer, &ids, err))
		goto out;
	rc = 0;
	for (size_t i = 0; !rc && i < ids.n; i++)
		rc = delete_record(&cf, zone, ids.items[i], err);
out:
	cloudflare_close(&cf);
	strlist_clear(&ids);
	free(zone);
	return rc;
}

static int check(const struct dns_work *work, const char *domain, struct err *err)
{
	char *record = provider_record_of(work, domain), *zone = NULL;
	struct cloudflare cf;
	int rc = cloudflare_open(work, &cf, err);

	if (!rc)
		rc = find_zone(&cf, record, &zone, err);
	cloudflare_close(&cf);
	free(zone);
	free(record);
	return rc;
}

const struct dns_provider_kind dns_cloudflare = { .present = present,
						  .withdraw = withdraw,
						  .check = check };
