/* revoke.c - a certificate that must go (RFC 8555 7.6). */
#include <stdlib.h>

#include "acme/account.h"
#include "acme/answer.h"
#include "base/base64url.h"
#include "base/json.h"
#include "base/str.h"

static int make_payload(const struct cert *cert, enum acme_revocation reason,
			char **ret_payload, struct err *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert_leaf(cert), &der);
	cJSON *json;
	char *text;

	if (len <= 0)
		return err_openssl(err, "encode the certificate");
	json = cJSON_CreateObject();
	text = base64url_encode(der, (size_t)len);
	json_set_string(json, "certificate", text);
	if (reason != REVOKE_UNSPECIFIED) /* RFC 5280 5.3.1: absent instead of zero */
		json_set_int(json, "reason", reason);
	*ret_payload = json_print(json);
	free(text);
	OPENSSL_free(der);
	cJSON_Delete(json);
	return 0;
}

int acme_revoke(struct acme_session *session, const struct cert *cert,
		enum acme_revocation reason, EVP_PKEY *certificate_key, struct err *err)
{
	const struct acme_directory *directory;
	struct http_response response = { 0 };
	struct session_request request = { 0 };
	char *payload = NULL;
	int rc = -1;

	if (acme_session_directory(session, &directory, err))
		goto out;
	if (!directory->revoke_cert) {
		err_set(err, ERR_REFUSED,
			"the CA's directory has no 'revokeCert': ask it in another way");
		goto out;
	}
	if (make_payload(cert, reason, &payload, err))
		goto out;
	request = (struct session_request){ .url = directory->revoke_cert,
					    .payload = payload,
					    .with_jwk = certificate_key != NULL,
					    .sign_with = certificate_key,
					    .existing_account = true };
	if (certificate_key ? session_exchange(session, &request, &response, err)
			    : account_exchange(session, &request, &response, err))
		goto out;
	if (!answer_is_problem(&response, "alreadyRevoked") &&
	    answer_check(&response, err))
		goto out;
	rc = 0;
out:
	http_response_release(&response);
	free(payload);
	return rc ? err_wrap(err, "revoke certificate %s", cert_serial(cert)) : 0;
}
