/* world_http.c - base/http_client.h: requests go to the CAs and to the receiver of
 * alerts. A peer is believed while its certificate is valid by the machine's clock. */
#include "base/http_client.h"
#include "base/http_server.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/civil.h"
#include "base/clock.h"
#include "tests/sim/judge.h"
#include "tests/sim/world.h"

#define REQUEST_MS 30
#define SILENCE_MS 10000
#define TRUST_S (40 * DAY) /* how far off a clock may be before no TLS is believed */

struct http_client {
	int64_t date, mono_ms;
	unsigned long requests;
};

int http_client_new(const struct http_client_options *options,
		    const struct cancel *cancel, struct http_client **ret_client,
		    struct err *err)
{
	(void)options;
	(void)cancel;
	(void)err;
	*ret_client = mem_calloc(1, sizeof(**ret_client));
	return 0;
}

void http_client_free(struct http_client *client)
{
	free(client);
}

void answer_header(struct http_response *ret, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	strlist_add(&ret->headers, line);
}

void answer_begin(struct http_response *ret, const struct http_request *request,
		  long status)
{
	memset(ret, 0, sizeof(*ret));
	ret->status = status;
	ret->url = str_dup(request->url);
	ret->date = true_now();
	buf_init(&ret->body, 1024 * 1024);
}

static bool goes_to(const char *url, const char *host)
{
	return str_starts(url, "https://") &&
	       !strncmp(url + strlen("https://"), host, strlen(host)) &&
	       url[strlen("https://") + strlen(host)] == '/';
}

static int no_answer(const struct http_request *request, struct err *err)
{
	world->true_ms += SILENCE_MS;
	return err_set(err, ERR_TRANSIENT, "%s %s: connection timed out", request->method,
		       request->url);
}

static int send_alert(const struct http_request *request, struct http_response *ret,
		      struct err *err)
{
	if (world->webhook_down)
		return no_answer(request, err);
	if (request->body)
		receiver_take(request->body);
	answer_begin(ret, request, 200);
	return 0;
}

static int send(const struct http_request *request, struct http_response *ret,
		struct err *err)
{
	int64_t off = world->wall_offset_s;

	if (off > TRUST_S || off < -TRUST_S)
		return err_set(err, ERR_CONFIG,
			       "%s %s: SSL certificate problem: certificate %s",
			       request->method, request->url,
			       off > 0 ? "has expired" : "is not yet valid");
	if (goes_to(request->url, "hooks.example"))
		return send_alert(request, ret, err);
	for (size_t i = 0; i < world->n_cas; i++) {
		if (goes_to(request->url, world->ca[i].host))
			judge_request(&world->ca[i]);
		if (goes_to(request->url, world->ca[i].host))
			return world->ca[i].weather == CA_SILENT
				       ? no_answer(request, err)
				       : ca_answer(&world->ca[i], request, ret, err);
	}
	return err_set(err, ERR_TRANSIENT, "%s %s: could not resolve host",
		       request->method, request->url);
}

int http_client_perform(struct http_client *client, const struct http_request *request,
			struct http_response *ret, struct err *err)
{
	world->true_ms += REQUEST_MS;
	client->requests++;
	world_touch("request", request->url);
	if (send(request, ret, err))
		return -1;
	client->date = ret->date;
	client->mono_ms = clock_mono_ms();
	world_touch("answer", request->url);
	return 0;
}

bool http_client_date(const struct http_client *client, int64_t *ret_date,
		      int64_t *ret_mono_ms)
{
	if (!client->date)
		return false;
	*ret_date = client->date;
	*ret_mono_ms = client->mono_ms;
	return true;
}

void http_client_counts(const struct http_client *client, unsigned long *ret_requests,
			unsigned long *ret_connections)
{
	*ret_requests = client->requests;
	*ret_connections = 1;
}

/* ---- base/http_server.h: who listens here ---------------------------------------- */

char *port_owner(unsigned port)
{
	(void)port;
	return NULL;
}

/* The web server of /srv/www is somebody else's, and always runs. */
bool port_is_silent(unsigned port)
{
	(void)port;
	return false;
}
