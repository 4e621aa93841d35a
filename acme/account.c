#include "acme/account.h"

#include <stdlib.h>
#include <string.h>

#include "acme/answer.h"
#include "acme/jws.h"
#include "acme/url.h"
#include "base/json.h"
#include "base/str.h"

/* May we register, as far as the directory tells beforehand? In words that say which key
 * of the configuration does it. */
static int check_terms(const struct acme_issuer *issuer,
		       const struct acme_directory *directory, struct err *err)
{
	if (directory->terms_of_service && !issuer->agree_to_terms)
		return err_set(
			err, ERR_CONFIG,
			"the CA asks you to agree to its terms of service '%.500s': "
			"read them, then set 'agree_to_terms: yes' for this issuer",
			directory->terms_of_service);
	if (directory->external_account_required && !issuer->eab_key_id)
		return err_set(
			err, ERR_CONFIG,
			"the CA binds accounts to one that you have with it already: "
			"give the issuer 'eab: {key_id: ..., hmac_key: ...}' with what "
			"the CA handed out");
	return 0;
}

/* RFC 8555 7.3 newAccount. Gives *ret_payload. */
static int registration(struct acme_session *session, char **ret_payload, struct err *err)
{
	const struct acme_issuer *issuer = session->issuer;
	cJSON *json = cJSON_CreateObject();
	char *binding = NULL;
	int rc = -1;

	if (issuer->agree_to_terms)
		json_set_bool(json, "termsOfServiceAgreed", true);
	if (issuer->contact && issuer->contact[0]) {
		cJSON *list = cJSON_AddArrayToObject(json, "contact");

		for (size_t i = 0; issuer->contact[i]; i++)
			cJSON_AddItemToArray(list,
					     cJSON_CreateString(issuer->contact[i]));
	}
	if (issuer->eab_key_id) {
		if (jws_bind_external_account(session->key, issuer,
					      session->directory.new_account, &binding,
					      err))
			goto out;
		cJSON_AddRawToObject(json, "externalAccountBinding", binding);
	}
	*ret_payload = json_print(json);
	rc = 0;
out:
	free(binding);
	cJSON_Delete(json);
	return rc;
}

/* Takes over the account that newAccount answered with. */
static int adopt_account(struct acme_session *session,
			 const struct http_response *response, struct err *err)
{
	const char *url = http_header(response, "location");
	const char *status;
	cJSON *json = NULL;
	int rc = -1;

	if (answer_json(response, &json, err) || url_check(url, "account", err))
		goto out;
	status = json_string(json, "status");
	if (status && !str_equal(status, "valid")) {
		err_set(err, ERR_CONFIG,
			"the account '%s' is '%.32s' at the CA: register with a new key",
			url, status);
		str_make_printable(err->text);
		goto out;
	}
	free(session->account_url);
	session->account_url = str_dup(url);
	rc = 0;
out:
	cJSON_Delete(json);
	return rc;
}

/* RFC 8555 7.3.1: the URL of the account that this key has already. Sets *ret_found. */
static int find_account(struct acme_session *session, bool *ret_found, struct err *err)
{
	const struct session_request request = {
		.url = session->directory.new_account,
		.payload = "{\"onlyReturnExisting\":true}",
		.with_jwk = true,
	};
	struct http_response response = { 0 };
	int rc = 0;

	if (session_exchange(session, &request, &response, err))
		return err_wrap(err, "look the account up");
	if (answer_is_problem(&response, "unauthorized")) {
		answer_check(&response, err);
		err->kind = ERR_CONFIG;
		rc = err_wrap(err, "the CA does not accept the account of this key any "
				   "more: register with a new key");
		http_response_release(&response);
		return rc;
	}
	/* Some CAs ask for the binding even here; registering answers that question. */
	*ret_found = !answer_is_problem(&response, "accountDoesNotExist") &&
		     !answer_is_problem(&response, "externalAccountRequired");
	if (*ret_found && adopt_account(session, &response, err))
		rc = err_wrap(err, "look the account up");
	http_response_release(&response);
	return rc;
}

static int create_account(struct acme_session *session, struct err *err)
{
	struct http_response response = { 0 };
	struct session_request request = { .with_jwk = true };
	char *payload = NULL;
	int rc = -1;

	if (check_terms(session->issuer, &session->directory, err) ||
	    registration(session, &payload, err))
		goto out;
	request.url = session->directory.new_account;
	request.payload = payload;
	if (session_exchange(session, &request, &response, err) ||
	    adopt_account(session, &response, err))
		goto out;
	rc = 0;
out:
	free(payload);
	http_response_release(&response);
	return rc ? err_wrap(err, "register the account") : 0;
}

static int ensure_account(struct acme_session *session, struct err *err)
{
	const struct acme_directory *directory;
	bool found = false;

	if (acme_session_directory(session, &directory, err) ||
	    find_account(session, &found, err))
		return -1;
	return found ? 0 : create_account(session, err);
}

int acme_account_find(struct acme_session *session, bool *ret_found, struct err *err)
{
	const struct acme_directory *directory;

	return acme_session_directory(session, &directory, err) ||
			       find_account(session, ret_found, err)
		       ? -1
		       : 0;
}

int acme_register(struct acme_session *session, char **ret_url, struct err *err)
{
	if (ensure_account(session, err))
		return -1;
	*ret_url = str_dup(session->account_url);
	return 0;
}

static size_t origin_len(const char *url) /* "https://host:port" */
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/") : strlen(url);
}

/* Does it refuse us because the account is at another address now? A CA that moves keeps
 * its accounts, under new URLs. */
static bool account_moved(const struct acme_session *session, const char *url,
			  const struct http_response *response)
{
	size_t len = origin_len(url);

	if (answer_is_problem(response, "accountDoesNotExist"))
		return true;
	if (len == origin_len(session->account_url) &&
	    strncmp(url, session->account_url, len) == 0)
		return false;
	return answer_is_problem(response, "malformed") ||
	       answer_is_problem(response, "unauthorized");
}

/* An account for the request: one that is made if need be, or one that there is. */
static int account_known(struct acme_session *session,
			 const struct session_request *request, struct err *err)
{
	bool found = false;

	if (!request->existing_account)
		return ensure_account(session, err);
	if (acme_account_find(session, &found, err))
		return -1;
	if (!found)
		return err_set(err, ERR_NOT_FOUND,
			       "the CA knows no account with this key");
	return 0;
}

/* Whoever has no valid account is `unauthorized` whatever he asks for (RFC 8555 7.3.6):
 * is that the reason? Asked once in a session, so that the operator reads it in words. */
static bool has_ended(struct acme_session *session, const struct http_response *response,
		      struct err *err)
{
	bool found;

	if (session->standing_checked ||
	    (response->status != 401 && response->status != 403))
		return false;
	if (!answer_is_problem(response, "unauthorized"))
		return false;
	session->standing_checked = true;
	return acme_account_find(session, &found, err) && err->kind == ERR_CONFIG;
}

static int exchange(struct acme_session *session, const struct session_request *request,
		    struct http_response *ret, struct err *err)
{
	struct http_response response = { 0 };

	if (!session->account_url && account_known(session, request, err))
		return -1;
	if (session_exchange(session, request, &response, err))
		return -1;
	if (account_moved(session, request->url, &response)) {
		http_response_release(&response);
		if (account_known(session, request, err))
			return err_wrap(err, "the CA does not know the account any more");
		if (session_exchange(session, request, &response, err))
			return -1;
	}
	if (has_ended(session, &response, err)) {
		http_response_release(&response);
		return -1;
	}
	*ret = response;
	return 0;
}

/* The URL may be the directory's, which is read anew when the account is looked up. */
int account_exchange(struct acme_session *session, const struct session_request *request,
		     struct http_response *ret, struct err *err)
{
	struct session_request own = *request;
	char *url = str_dup(request->url);
	int rc;

	own.url = url;
	rc = exchange(session, &own, ret, err);
	free(url);
	return rc;
}

int account_post(struct acme_session *session, const char *url, const char *payload,
		 struct http_response *ret, struct err *err)
{
	const struct session_request request = { .url = url, .payload = payload };
	struct http_response response = { 0 };

	if (account_exchange(session, &request, &response, err))
		return -1;
	if (answer_check(&response, err)) {
		http_response_release(&response);
		return -1;
	}
	*ret = response;
	return 0;
}

static char *joined_contact(const cJSON *account)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(account, "contact");
	const cJSON *each;
	struct buf text;

	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
		return NULL;
	buf_init(&text, 4096);
	cJSON_ArrayForEach (each, list) {
		if (cJSON_IsString(each))
			buf_printf(&text, "%s%s", text.len ? ", " : "",
				   each->valuestring);
	}
	return buf_steal(&text);
}

int acme_account_read(struct acme_session *session, struct acme_account_facts *ret,
		      struct err *err)
{
	struct acme_account_facts facts = { 0 };
	struct http_response response = { 0 };
	const char *status;
	cJSON *json = NULL;
	char *url = NULL;
	int rc = -1;

	if (!session->account_url && ensure_account(session, err))
		goto out;
	url = str_dup(session->account_url);
	if (account_post(session, url, "", &response, err) ||
	    answer_json(&response, &json, err))
		goto out;
	status = json_string(json, "status");
	strncpy(facts.status, status ? status : "valid", sizeof(facts.status) - 1);
	facts.url = url;
	url = NULL;
	facts.contact = joined_contact(json);
	facts.orders_url = str_dup(json_string(json, "orders"));
	str_make_printable(facts.status);
	if (facts.contact)
		str_make_printable(facts.contact);
	if (facts.orders_url)
		str_make_printable(facts.orders_url);
	*ret = facts;
	rc = 0;
out:
	free(url);
	cJSON_Delete(json);
	http_response_release(&response);
	return rc ? err_wrap(err, "read the account") : 0;
}

void acme_account_facts_clear(struct acme_account_facts *facts)
{
	if (!facts)
		return;
	free(facts->url);
	free(facts->contact);
	free(facts->orders_url);
	*facts = (struct acme_account_facts){ 0 };
}
