#include "acme/session.h"

#include <stdlib.h>
#include <string.h>

#include "acme/answer.h"
#include "acme/jws.h"
#include "acme/key.h"
#include "acme/url.h"
#include "base/clock.h"
#include "base/str.h"

#define NONCE_TRIES 10
#define DIRECTORY_REDIRECTS 5
#define DIRECTORY_KEPT_MS (24LL * 60 * 60 * 1000)
#define BODY_MAX 1048576
#define LANGUAGE "Accept-Language: en"

/* RFC 8555 6.1 wants one. */
static const char user_agent[] = "User-Agent: certrenewd/" CERTRENEWD_VERSION
				 " (ACME, libcurl)";

int acme_session_new(const struct acme_issuer *issuer, EVP_PKEY *account_key,
		     const char *account_url, const struct cancel *cancel,
		     struct acme_session **ret_session, struct err *err)
{
	struct http_client_options options = {
		.ca_bundle = issuer->ca_bundle,
		.proxy = issuer->proxy,
		.timeout_s = issuer->request_timeout_s,
		.max_body_bytes = BODY_MAX,
	};
	struct acme_session *session;

	if (!url_is_https(issuer->directory_url))
		return err_set(err, ERR_CONFIG,
			       "directory '%.200s' is not an https:// URL",
			       issuer->directory_url ? issuer->directory_url : "");
	if (!jws_fits_account(account_key))
		return err_set(
			err, ERR_CONFIG,
			"an account key is ec-p256 or rsa-2048 to rsa-4096, this one "
			"is '%s'",
			key_type_name(account_key));
	session = mem_calloc(1, sizeof(*session));
	if (http_client_new(&options, cancel, &session->client, err)) {
		free(session);
		return -1;
	}
	EVP_PKEY_up_ref(account_key);
	session->key = account_key;
	session->issuer = issuer;
	session->cancel = cancel;
	session->account_url = str_dup(account_url);
	*ret_session = session;
	return 0;
}

void acme_session_free(struct acme_session *session)
{
	if (!session)
		return;
	http_client_free(session->client);
	nonces_clear(&session->nonces);
	acme_directory_clear(&session->directory);
	EVP_PKEY_free(session->key);
	free(session->account_url);
	free(session);
}

const char *acme_session_account_url(const struct acme_session *session)
{
	return session->account_url;
}

bool acme_session_date(const struct acme_session *session, int64_t *ret_date,
		       int64_t *ret_mono_ms)
{
	return http_client_date(session->client, ret_date, ret_mono_ms);
}

void acme_session_counts(const struct acme_session *session, unsigned long *ret_requests,
			 unsigned long *ret_connections)
{
	http_client_counts(session->client, ret_requests, ret_connections);
}

/* Every request goes through here: cancellable, its nonce is kept. */
static int perform(struct acme_session *session, const struct http_request *request,
		   struct http_response *ret, struct err *err)
{
	session->answered = false;
	if (cancel_check(session->cancel, err))
		return -1;
	if (http_client_perform(session->client, request, ret, err))
		return -1;
	session->answered = true;
	nonces_put(&session->nonces, http_header(ret, "replay-nonce"));
	return 0;
}

int session_get(struct acme_session *session, const char *url, int max_redirects,
		struct http_response *ret, struct err *err)
{
	static const char *const headers[] = { user_agent, LANGUAGE, NULL };
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.headers = headers,
		.max_redirects = max_redirects,
	};

	return perform(session, &request, ret, err);
}

static int read_directory(struct acme_session *session, struct err *err)
{
	const char *url = session->issuer->directory_url;
	struct acme_directory directory;
	struct http_response response = { 0 };
	cJSON *json = NULL;
	int rc = -1;

	if (session_get(session, url, DIRECTORY_REDIRECTS, &response, err) ||
	    answer_json(&response, &json, err) ||
	    acme_directory_parse(response.body.data, response.body.len, &directory,
				 err)) {
		err_wrap(err, "read the CA's directory '%s'", url);
		goto out;
	}
	session_forget_directory(session);
	session->directory = directory;
	session->have_directory = true;
	session->directory_is_old = false;
	session->directory_read_ms = clock_mono_ms();
	rc = 0;
out:
	cJSON_Delete(json);
	http_response_release(&response);
	return rc;
}

int acme_session_directory(struct acme_session *session,
			   const struct acme_directory **ret_directory, struct err *err)
{
	int64_t age_ms = clock_mono_ms() - session->directory_read_ms;

	if (!session->have_directory || session->directory_is_old ||
	    age_ms > DIRECTORY_KEPT_MS) {
		if (read_directory(session, err))
			return -1;
	}
	*ret_directory = &session->directory;
	return 0;
}

void session_forget_directory(struct acme_session *session)
{
	acme_directory_clear(&session->directory);
	session->have_directory = false;
}

/* RFC 8555 7.2. Gives *ret_nonce. */
static int fetch_nonce(struct acme_session *session, char **ret_nonce, struct err *err)
{
	static const char *const headers[] = { user_agent, NULL };
	struct http_request request = { .method = "HEAD", .headers = headers };
	struct http_response response = { 0 };
	char *nonce = NULL;
	int rc = -1;

	/* However old it is: a request that is being made may point into it. */
	if (!session->have_directory && read_directory(session, err))
		return -1;
	nonce = nonces_take(
		&session->nonces); /* the directory's answer may have had one */
	if (nonce) {
		*ret_nonce = nonce;
		return 0;
	}
	request.url = session->directory.new_nonce;
	if (perform(session, &request, &response, err) || answer_check(&response, err)) {
		err_wrap(err, "newNonce");
		session->directory_is_old = response.status == 404 ||
					    response.status == 410;
		goto out;
	}
	nonce = nonces_take(&session->nonces);
	if (!nonce) {
		err_set(err, ERR_TRANSIENT,
			"newNonce: '%s' answered %ld without a usable "
			"Replay-Nonce",
			session->directory.new_nonce, response.status);
		goto out;
	}
	*ret_nonce = nonce;
	rc = 0;
out:
	http_response_release(&response);
	return rc;
}

static int post_once(struct acme_session *session, const struct session_request *request,
		     struct http_response *ret, struct err *err)
{
	const char *headers[] = { user_agent, LANGUAGE,
				  "Content-Type: application/jose+json", NULL, NULL };
	struct http_request http = { .method = "POST",
				     .url = request->url,
				     .headers = headers };
	struct jws_header header = { .url = request->url };
	char *nonce = NULL, *body = NULL, *accept = NULL;
	int rc = -1;

	nonce = nonces_take(&session->nonces);
	if (!nonce && fetch_nonce(session, &nonce, err))
		goto out;
	header.nonce = nonce;
	header.kid = request->with_jwk ? NULL : session->account_url;
	if (jws_sign(request->sign_with ? request->sign_with : session->key, &header,
		     request->payload, &body, err))
		goto out;
	http.body = body;
	http.body_len = strlen(body);
	if (request->accept)
		headers[3] = accept = str_printf("Accept: %s", request->accept);
	rc = perform(session, &http, ret, err);
out:
	free(nonce);
	free(body);
	free(accept);
	return rc;
}

int session_exchange(struct acme_session *session, const struct session_request *request,
		     struct http_response *ret, struct err *err)
{
	struct http_response response = { 0 };

	for (int try = 1;; try++) {
		if (post_once(session, request, &response, err))
			return -1;
		if (!answer_is_problem(&response, "badNonce"))
			break;
		if (try == NONCE_TRIES) {
			answer_check(&response, err);
			http_response_release(&response);
			return err_wrap(err, "%d nonces in a row were refused", try);
		}
		/* Others of the same age are as bad: only this error's own is left. */
		nonces_clear(&session->nonces);
		nonces_put(&session->nonces, http_header(&response, "replay-nonce"));
		http_response_release(&response);
	}
	*ret = response;
	return 0;
}
