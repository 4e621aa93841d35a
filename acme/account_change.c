/* account_change.c - an account that lives on: its contacts, its key, its end (RFC 8555
 * 7.3.2, 7.3.5, 7.3.6). */
#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/answer.h"
#include "acme/jws.h"
#include "base/json.h"
#include "base/str.h"

/* Gives the URL of the account that there is; none is made to be changed. */
static char *account_url(struct acme_session *session, struct err *err)
{
	bool found = false;

	if (!session->account_url) {
		if (acme_account_find(session, &found, err))
			return NULL;
		if (!found) {
			err_set(err, ERR_NOT_FOUND,
				"the CA knows no account with this key");
			return NULL;
		}
	}
	return str_dup(session->account_url);
}

/* Posts to the account's own URL. */
static int post_to_account(struct acme_session *session, const char *payload,
			   struct err *err)
{
	char *url = account_url(session, err);
	const struct session_request request = { .url = url,
						 .payload = payload,
						 .existing_account = true };
	struct http_response response = { 0 };
	int rc = -1;

	if (url && account_exchange(session, &request, &response, err) == 0)
		rc = answer_check(&response, err);
	http_response_release(&response);
	free(url);
	return rc;
}

int acme_account_set_contact(struct acme_session *session, const char *const *contact,
			     struct err *err)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "contact");
	char *payload;
	int rc;

	for (size_t i = 0; contact && contact[i]; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(contact[i]));
	payload = json_print(json);
	rc = post_to_account(session, payload, err);
	cJSON_Delete(json);
	free(payload);
	return rc ? err_wrap(err, "change the account's contact") : 0;
}

int acme_account_deactivate(struct acme_session *session, struct err *err)
{
	int rc = post_to_account(session, "{\"status\":\"deactivated\"}", err);

	return rc ? err_wrap(err, "deactivate the account") : 0;
}

/* ---- key change ---------------------------------------------------------- */

/* The inner JWS: the new key says which account it wants, and whose key it replaces.
 * Gives. */
static int key_change_payload(const struct acme_session *session, const char *url,
			      EVP_PKEY *new_key, char **ret_payload, struct err *err)
{
	const struct jws_header header = { .url = session->directory.key_change };
	char *old_jwk = jws_jwk(session->key), *inner;
	cJSON *json = cJSON_CreateObject();
	int rc;

	json_set_string(json, "account", url);
	cJSON_AddRawToObject(json, "oldKey", old_jwk ? old_jwk : "null");
	inner = json_print(json);
	rc = jws_sign(new_key, &header, inner, ret_payload, err);
	free(inner);
	free(old_jwk);
	cJSON_Delete(json);
	return rc;
}

static int judge_key_change(const struct http_response *response, struct err *err)
{
	const char *other = http_header(response, "location");

	if (response->status != 409)
		return answer_check(response, err);
	err_set(err, ERR_REFUSED,
		"the CA has another account with the new key already%s%.300s",
		other ? ": " : "", other ? other : "");
	str_make_printable(err->text);
	return -1;
}

int acme_account_change_key(struct acme_session *session, EVP_PKEY *new_key,
			    struct err *err)
{
	const struct acme_directory *directory;
	struct http_response response = { 0 };
	struct session_request request = { 0 };
	char *url = NULL, *payload = NULL;
	int rc = -1;

	if (!jws_fits_account(new_key)) {
		err_set(err, ERR_CONFIG,
			"an account key is ec-p256 or rsa-2048 to rsa-4096");
		goto out;
	}
	url = account_url(session, err);
	if (!url || acme_session_directory(session, &directory, err))
		goto out;
	if (!directory->key_change) {
		err_set(err, ERR_REFUSED,
			"the CA offers no change of keys: its directory "
			"has no 'keyChange'");
		goto out;
	}
	if (key_change_payload(session, url, new_key, &payload, err))
		goto out;
	request = (struct session_request){ .url = directory->key_change,
					    .payload = payload,
					    .existing_account = true };
	if (account_exchange(session, &request, &response, err) ||
	    judge_key_change(&response, err))
		goto out;
	EVP_PKEY_up_ref(new_key);
	EVP_PKEY_free(session->key);
	session->key = new_key;
	rc = 0;
out:
	http_response_release(&response);
	free(payload);
	free(url);
	return rc ? err_wrap(err, "change the account's key") : 0;
}
