/* http_client.c - one request after the other over kept connections.
 *
 * A multi handle of our own drives the easy handle, because it alone lets us look at the
 * cancel flag as often as we like; it also keeps the connections. */
#include "base/http_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/http_parts.h"

/* Since 7.84 curl_global_init() counts its calls and may be called by several threads at
 * once: each client calls it, and no flag of ours is needed. */
#if LIBCURL_VERSION_NUM < 0x075400
#error "libcurl 7.84 or later is needed"
#endif

#ifndef CERTRENEWD_VERSION
#define CERTRENEWD_VERSION "0"
#endif

#define DEFAULT_TIMEOUT_S 30
#define DEFAULT_BODY_BYTES (1024 * 1024)
#define SLICE_MS 200

struct http_client {
	const struct cancel *cancel;
	CURLM *multi;
	CURL *easy;
	struct http_trust trust;
	char *proxy;
	int64_t timeout_s;
	size_t max_body_bytes;
	bool allow_plain;
	bool initialised;
	CURLcode refused; /* the first option that curl did not take */
	unsigned long requests, connections;
	int64_t date, date_mono_ms; /* date 0: none learnt */
	char words[CURL_ERROR_SIZE];
};

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->easy);
	curl_multi_cleanup(client->multi);
	if (client->initialised)
		curl_global_cleanup();
	sk_X509_pop_free(client->trust.bundle, X509_free);
	free(client->proxy);
	free(client);
}

int http_client_new(const struct http_client_options *options,
		    const struct cancel *cancel, struct http_client **ret_client,
		    struct err *err)
{
	struct http_client *client = mem_calloc(1, sizeof(*client));

	client->cancel = cancel;
	client->proxy = str_dup(options->proxy ? options->proxy : "");
	client->timeout_s = options->timeout_s > 0 ? options->timeout_s
						   : DEFAULT_TIMEOUT_S;
	client->max_body_bytes = options->max_body_bytes ? options->max_body_bytes
							 : DEFAULT_BODY_BYTES;
	client->allow_plain = options->allow_plain;
	if (options->ca_bundle &&
	    http_bundle_load(options->ca_bundle, &client->trust.bundle, err))
		goto fail;

	client->initialised = !curl_global_init(CURL_GLOBAL_DEFAULT);
	if (client->initialised) {
		client->multi = curl_multi_init();
		client->easy = curl_easy_init();
	}
	if (!client->multi || !client->easy) {
		err_set(err, ERR_IO, "cannot set up libcurl");
		goto fail;
	}
	*ret_client = client;
	return 0;
fail:
	http_client_free(client);
	return -1;
}

/* ---- one request --------------------------------------------------------- */

/* One option. A request goes out only when curl took all of them: without one it could
 * trust, follow or send what it must not. */
#define SET(client, option, value)                                                       \
	set((client), curl_easy_setopt((client)->easy, (option), (value)))

static void set(struct http_client *client, CURLcode code)
{
	if (!client->refused)
		client->refused = code;
}

/* curl's own file stays unread unless the chain needs it. */
static void set_trust(struct http_client *client)
{
	char *file = NULL;

	SET(client, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(client, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(client, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_getinfo(client->easy, CURLINFO_CAINFO, &file);
	client->trust.file = file; /* built into curl, or NULL: OpenSSL's */
	SET(client, CURLOPT_CAINFO, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
	(void)curl_easy_setopt(client->easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
	SET(client, CURLOPT_SSL_CTX_FUNCTION, http_trust);
	SET(client, CURLOPT_SSL_CTX_DATA, &client->trust);
}

static void set_limits(struct http_client *client, const struct http_request *request)
{
	const char *protocols = client->allow_plain ? "http,https" : "https";
	bool follow = request->max_redirects > 0 && !str_equal(request->method, "POST") &&
		      !str_equal(request->method, "DELETE");

	SET(client, CURLOPT_PROTOCOLS_STR, protocols);
	SET(client, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
	SET(client, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);
	SET(client, CURLOPT_MAXREDIRS, (long)request->max_redirects);
	SET(client, CURLOPT_TIMEOUT_MS, (long)(client->timeout_s * 1000));
	SET(client, CURLOPT_CONNECTTIMEOUT_MS, (long)(client->timeout_s * 1000));
	SET(client, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)client->max_body_bytes);
	SET(client, CURLOPT_NOSIGNAL, 1L);
}

static void set_method(struct http_client *client, const struct http_request *request)
{
	if (str_equal(request->method, "HEAD")) {
		SET(client, CURLOPT_NOBODY, 1L);
	} else if (str_equal(request->method, "POST")) {
		SET(client, CURLOPT_POST, 1L);
		SET(client, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)(request->body ? request->body_len : 0));
		SET(client, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	} else {
		SET(client, CURLOPT_HTTPGET, 1L);
	}
	if (str_equal(request->method, "DELETE"))
		SET(client, CURLOPT_CUSTOMREQUEST, "DELETE");
}

/* Gives the header list; never empty. "Expect:" forbids a round trip nobody needs. */
static struct curl_slist *header_list(const struct http_request *request)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"), *longer;
	size_t i;

	for (i = 0; list && request->headers && request->headers[i]; i++) {
		longer = curl_slist_append(list, request->headers[i]);
		if (!longer)
			curl_slist_free_all(list);
		list = longer;
	}
	return list;
}

static int configure(struct http_client *client, const struct http_request *request,
		     struct http_incoming *incoming, struct curl_slist *headers,
		     struct err *err)
{
	curl_easy_reset(client->easy);
	client->refused = CURLE_OK;
	*client->words = '\0';
	SET(client, CURLOPT_ERRORBUFFER, client->words);
	SET(client, CURLOPT_URL, request->url);
	SET(client, CURLOPT_HTTPHEADER, headers);
	SET(client, CURLOPT_USERAGENT, "certrenewd/" CERTRENEWD_VERSION);
	SET(client, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(client, CURLOPT_PROXY, client->proxy); /* "": no environment either */
	SET(client, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(client, CURLOPT_OPENSOCKETFUNCTION, http_socket_open);
	SET(client, CURLOPT_HEADERFUNCTION, http_take_header);
	SET(client, CURLOPT_HEADERDATA, incoming);
	SET(client, CURLOPT_WRITEFUNCTION, http_take_body);
	SET(client, CURLOPT_WRITEDATA, incoming);
	set_method(client, request);
	set_limits(client, request);
	set_trust(client);
	if (client->refused)
		return err_set(err, ERR_IO, "cannot set up libcurl: %s",
			       curl_easy_strerror(client->refused));
	return 0;
}

/* Drives the transfer to its end. 0 and curl's verdict, or -1 when cancelled. */
static int drive(struct http_client *client, CURLcode *ret_code, struct err *err)
{
	int running = 1, left;
	CURLMcode code = CURLM_OK;
	CURLMsg *message;

	while (running && !code) {
		if (cancel_check(client->cancel, err)) {
			/* Else curl would wait for a name server that does not answer. */
			(void)curl_easy_setopt(client->easy, CURLOPT_QUICK_EXIT, 1L);
			return -1;
		}
		code = curl_multi_perform(client->multi, &running);
		if (running && !code)
			code = curl_multi_poll(client->multi, NULL, 0, SLICE_MS, NULL);
	}
	*ret_code = CURLE_FAILED_INIT;
	while ((message = curl_multi_info_read(client->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			*ret_code = message->data.result;
	return 0;
}

static void count(struct http_client *client)
{
	long connections = 0, redirects = 0;

	(void)curl_easy_getinfo(client->easy, CURLINFO_NUM_CONNECTS, &connections);
	(void)curl_easy_getinfo(client->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	client->connections += (unsigned long)connections;
	client->requests += 1 + (unsigned long)redirects;
}

/* Only who proved who it is may tell the time, and only fresh from its own clock. */
static void learn_date(struct http_client *client, const struct http_response *response)
{
	const char *scheme = NULL, *age = http_header(response, "age");

	(void)curl_easy_getinfo(client->easy, CURLINFO_SCHEME, &scheme);
	if (!response->date || (age && !str_equal(age, "0")) || !scheme ||
	    !str_equal_nocase(scheme, "https"))
		return;
	client->date = response->date;
	client->date_mono_ms = clock_mono_ms();
}

static void complete(struct http_client *client, struct http_response *response)
{
	const char *url = NULL;

	(void)curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &response->status);
	(void)curl_easy_getinfo(client->easy, CURLINFO_EFFECTIVE_URL, &url);
	response->url = str_dup(url ? url : "");
	learn_date(client, response);
}

static int transfer(struct http_client *client, const struct http_request *request,
		    struct http_incoming *incoming, struct err *err)
{
	CURLcode code;
	int rc;

	if (curl_multi_add_handle(client->multi, client->easy))
		return err_set(err, ERR_IO, "cannot set up libcurl");
	rc = drive(client, &code, err);
	count(client);
	if (!rc && code)
		rc = http_say(client->easy, code, request, incoming, client->words, err);
	if (!rc)
		complete(client, &incoming->response);
	curl_multi_remove_handle(client->multi, client->easy);
	return rc;
}

int http_client_perform(struct http_client *client, const struct http_request *request,
			struct http_response *ret, struct err *err)
{
	struct http_incoming incoming = { 0 };
	struct curl_slist *headers = header_list(request);
	int rc;

	if (!headers)
		return err_set(err, ERR_IO, "cannot set up libcurl");
	buf_init(&incoming.response.body, client->max_body_bytes);
	rc = configure(client, request, &incoming, headers, err);
	if (!rc)
		rc = transfer(client, request, &incoming, err);
	if (rc)
		http_response_release(&incoming.response);
	else
		*ret = incoming.response;
	curl_easy_reset(client->easy); /* it must not remember what dies now */
	curl_slist_free_all(headers);
	return rc;
}

bool http_client_date(const struct http_client *client, int64_t *ret_date,
		      int64_t *ret_mono_ms)
{
	if (!client->date)
		return false;
	*ret_date = client->date;
	*ret_mono_ms = client->date_mono_ms;
	return true;
}

void http_client_counts(const struct http_client *client, unsigned long *ret_requests,
			unsigned long *ret_connections)
{
	*ret_requests = client->requests;
	*ret_connections = client->connections;
}
