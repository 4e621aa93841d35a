#include "acme/renewal_info.h"

#include <stdlib.h>
#include <string.h>

#include "acme/answer.h"
#include "acme/session.h"
#include "acme/url.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define CERT_ID "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

static int64_t when_to_ask_again(int64_t retry_after_s)
{
	if (retry_after_s < 0)
		return 6 * HOUR;
	if (retry_after_s < MINUTE)
		return MINUTE;
	return retry_after_s < DAY ? retry_after_s : DAY;
}

static int read_instant(const cJSON *window, const char *name, int64_t *ret_at,
			struct err *err)
{
	const char *text = json_string(window, name);

	if (text && clock_parse_rfc3339(text, ret_at) == 0)
		return 0;
	err_set(err, ERR_REFUSED,
		"suggestedWindow.%s is '%.60s', not an RFC 3339 instant", name,
		text ? text : "");
	str_make_printable(err->text);
	return -1;
}

int renewal_info_parse(const void *data, size_t len, int64_t retry_after_s,
		       struct acme_renewal_info *ret, struct err *err)
{
	struct acme_renewal_info info = { 0 };
	const cJSON *window;
	const char *url;
	cJSON *json = NULL;
	int rc = -1;

	if (json_parse(data, len, &json, err)) {
		err->kind = ERR_REFUSED;
		goto out;
	}
	window = cJSON_GetObjectItemCaseSensitive(json, "suggestedWindow");
	if (read_instant(window, "start", &info.start_at, err) ||
	    read_instant(window, "end", &info.end_at, err))
		goto out;
	if (info.end_at <= info.start_at) {
		err_set(err, ERR_REFUSED, "suggestedWindow ends before it starts");
		goto out;
	}
	info.retry_after_s = when_to_ask_again(retry_after_s);
	url = json_string(json, "explanationURL");
	if (url_is_https(url) && strlen(url) < sizeof(info.explanation_url))
		memcpy(info.explanation_url, url, strlen(url));
	*ret = info;
	rc = 0;
out:
	cJSON_Delete(json);
	return rc;
}

int acme_renewal_info(struct acme_session *session, const char *cert_id,
		      struct acme_renewal_info *ret, struct err *err)
{
	const struct acme_directory *directory;
	struct http_response response = { 0 };
	const char *base;
	char *url = NULL;
	int rc = -1;

	if (!cert_id || !*cert_id || strspn(cert_id, CERT_ID) != strlen(cert_id))
		return err_set(err, ERR_NOT_FOUND,
			       "renewal information: the certificate has "
			       "no usable identifier");
	if (acme_session_directory(session, &directory, err))
		return -1;
	base = directory->renewal_info;
	if (!base)
		return err_set(err, ERR_NOT_FOUND, "the CA gives no renewal information");
	url = str_printf("%s%s%s", base, str_ends(base, "/") ? "" : "/", cert_id);
	if (session_get(session, url, 0, &response, err) ||
	    answer_check(&response, err) ||
	    renewal_info_parse(response.body.data, response.body.len,
			       answer_retry_after(&response), ret, err)) {
		err_wrap(err, "renewal information");
		goto out;
	}
	rc = 0;
out:
	free(url);
	http_response_release(&response);
	return rc;
}
