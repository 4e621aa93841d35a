/* resolver_https.c - DNS over HTTPS (RFC 8484): where port 53 is closed, or the network
 * has its own idea of our zone. */
#include "hooks/resolver_parts.h"

#include "base/http_client.h"

#define MEDIA_TYPE "application/dns-message"

static int open_client(struct resolver *resolver, struct err *err)
{
	const struct http_client_options options = { .ca_bundle = resolver->ca_bundle,
						     .timeout_s = resolver->timeout_s,
						     .max_body_bytes = DNS_MESSAGE_MAX };

	if (resolver->https)
		return 0;
	return http_client_new(&options, resolver->cancel, &resolver->https, err);
}

static int judge(const char *url, const struct http_response *response, struct err *err)
{
	const char *type = http_header(response, "content-type");

	if (response->status != 200)
		return err_set(err,
			       response->status >= 500 || response->status == 429
				       ? ERR_TRANSIENT
				       : ERR_REFUSED,
			       "'%s' answered %ld instead of a DNS message", url,
			       response->status);
	if (!type || !str_starts(type, MEDIA_TYPE))
		return err_set(err, ERR_REFUSED,
			       "'%s' is no DNS server: its answer is no " MEDIA_TYPE,
			       url);
	return 0;
}

int resolver_send_https(struct resolver *resolver, const char *url,
			const struct buf *query, struct buf *answer, struct err *err)
{
	static const char *const headers[] = { "Content-Type: " MEDIA_TYPE,
					       "Accept: " MEDIA_TYPE, NULL };
	const struct http_request request = { .method = "POST",
					      .url = url,
					      .headers = headers,
					      .body = (const char *)query->data,
					      .body_len = query->len };
	struct http_response response = { 0 };
	int rc;

	if (open_client(resolver, err) ||
	    http_client_perform(resolver->https, &request, &response, err))
		return -1;
	rc = judge(url, &response, err);
	if (!rc)
		buf_append(answer, response.body.data, response.body.len);
	http_response_release(&response);
	return rc;
}
