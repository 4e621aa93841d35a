/* httpreq.c - a web service of the operator's, asked in the form of lego's httpreq:
 * POST <url>/present and <url>/cleanup with {"fqdn", "value"}, or in raw mode with
 * {"domain", "token", "keyAuth"}; HTTP basic authentication where there is a username. */
#include "hooks/dns/provider.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/json.h"
#include "base/str.h"
#include "hooks/dns/provider_http.h"

/* Gives "Authorization: Basic ...", secret; NULL without a username. */
static char *authorization(const struct dns_provider *provider)
{
	const char *password = provider->password.bytes ? provider->password.bytes : "";
	char *plain, *encoded, *header;
	size_t len;

	if (!provider->username)
		return NULL;
	plain = str_printf("%s:%s", provider->username, password);
	len = strlen(plain);
	encoded = mem_calloc(len / 3 * 4 + 5, 1);
	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)plain, (int)len);
	header = str_printf("Authorization: Basic %s", encoded);
	str_free_secret(plain);
	str_free_secret(encoded);
	return header;
}

/* Gives the document that is posted. */
static char *document(const struct dns_provider *provider,
		      const struct dns_answer *answer)
{
	cJSON *json = cJSON_CreateObject();
	char *fqdn = str_printf("%s.", answer->record), *text;

	if (provider->raw) {
		json_set_string(json, "domain", answer->domain);
		json_set_string(json, "token", answer->token);
		json_set_string(json, "keyAuth", answer->key_authorization);
	} else {
		json_set_string(json, "fqdn", fqdn);
		json_set_string(json, "value", answer->value);
	}
	text = json_print(json);
	cJSON_Delete(json);
	free(fqdn);
	return text;
}

static int post(const struct dns_work *work, const struct dns_answer *answer,
		const char *path, struct err *err)
{
	const struct dns_provider *provider = work->provider;
	char *url = provider_http_url(provider->url, path);
	char *header = authorization(provider), *body = document(provider, answer);
	const char *headers[] = { "Content-Type: application/json", header, NULL };
	struct http_request request = { .method = "POST",
					.url = url,
					.headers = headers,
					.body = body,
					.body_len = strlen(body) };
	struct http_response response = { 0 };
	struct http_client *client = NULL;
	int rc = -1;

	if (provider_http_open(work, provider->url, &client, err) ||
	    http_client_perform(client, &request, &response, err))
		goto out;
	rc = provider_http_judge(&response, "the web service", err);
	if (rc)
		err_wrap(err, "POST '%s'", url);
	http_response_release(&response);
out:
	http_client_free(client);
	str_free_secret(header);
	free(body);
	free(url);
	return rc;
}

static int present(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err)
{
	return post(work, answer, "/present", err);
}

static int withdraw(const struct dns_work *work, const struct dns_answer *answer,
		    struct err *err)
{
	return post(work, answer, "/cleanup", err);
}

const struct dns_provider_kind dns_httpreq = { .present = present, .withdraw = withdraw };
