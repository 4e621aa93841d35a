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
#define REDIRECTS 3

#define CERT_ID "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

static int64_t when_to_ask_again(int64_t retry_after_s)
{
	if (retry_after_s < 0)
		return 6 * HOUR;
	if (retry_after_s < MINUTE)
		return MINUTE;
	return retry_after_s < DAY ? retry_after_s : DAY;
}

/* Year 1 is how some programs write that they do not know. */
static int read_instant(const cJSON *window, const char *name, int64_t *ret_at,
			struct err *err)
{
	const char *text = json_string(window, name);

	if (text && clock_parse_rfc3339(text, ret_at) == 0 && *ret_at > 0)
		return 0;
	err_set(err, ERR_REFUSED,
		"suggestedWindow.%s is '%.60s', not an RFC 3339 instant since 1970", name,
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

/* One question to the CA at `base`. Sets *ret_gone when nothing is there. */
static int ask(struct acme_session *session, const char *base, const char *cert_id,
	       struct acme_renewal_info *ret, bool *ret_gone, struct err *err)
{
	char *url = str_printf("%s%s%s", base, str_ends(base, "/") ? "" : "/", cert_id);
	struct http_response response = { 0 };
	int rc = -1;

	*ret_gone = false;
	if (session_get(session, url, REDIRECTS, &response, err))
		goto out;
	*ret_gone = response.status == 404 || response.status == 410;
	if (answer_check(&response, err) ||
	    renewal_info_parse(response.body.data, response.body.len,
			       answer_retry_after(&response), ret, err))
		goto out;
	rc = 0;
out:
	free(url);
	http_response_release(&response);
	return rc;
}

/* Nothing is at `base`: where is it now? Gives *ret_base; NULL: nowhere else. */
static int look_elsewhere(struct acme_session *session, const char *base, char **ret_base,
			  struct err *err)
{
	const struct acme_directory *directory;

	session_forget_directory(session);
	if (acme_session_directory(session, &directory, err))
		return -1;
	if (!directory->renewal_info)
		return err_set(err, ERR_NOT_FOUND, "the CA gives no renewal information");
	*ret_base = str_equal(base, directory->renewal_info)
			    ? NULL
			    : str_dup(directory->renewal_info);
	return 0;
}

int acme_renewal_info(struct acme_session *session, const char *cert_id,
		      struct acme_renewal_info *ret, struct err *err)
{
	const struct acme_directory *directory;
	char *base = NULL, *elsewhere = NULL;
	bool gone;
	int rc = -1;

	if (!cert_id || !*cert_id || strspn(cert_id, CERT_ID) != strlen(cert_id))
		return err_set(err, ERR_NOT_FOUND,
			       "renewal information: the certificate has "
			       "no usable identifier");
	if (acme_session_directory(session, &directory, err))
		return -1;
	if (!directory->renewal_info)
		return err_set(err, ERR_NOT_FOUND, "the CA gives no renewal information");
	base = str_dup(directory->renewal_info);
	rc = ask(session, base, cert_id, ret, &gone, err);
	if (rc && gone) {
		struct err trouble;

		if (look_elsewhere(session, base, &elsewhere, &trouble))
			*err = trouble;
		else if (elsewhere)
			rc = ask(session, elsewhere, cert_id, ret, &gone, err);
	}
	free(base);
	free(elsewhere);
	return rc ? err_wrap(err, "renewal information") : 0;
}
