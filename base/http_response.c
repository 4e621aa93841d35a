/* http_response.c - an answer as it arrives, within its limits. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http_parts.h"

static void restart(struct http_incoming *incoming)
{
	strlist_clear(&incoming->response.headers);
	buf_clear(&incoming->response.body);
	incoming->response.date = 0;
	incoming->header_bytes = 0;
}

/* Gives "name: value" with the name in lower case and one blank. */
static char *normalised(const char *line, const char *colon, const char *end)
{
	char *name = str_ndup(line, (size_t)(colon - line)), *value, *header, *c;

	for (c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
		;
	while (end > colon && strchr(" \t\r\n", end[-1]))
		end--;
	value = str_ndup(colon, (size_t)(end - colon));
	header = str_printf("%s: %s", name, value);
	free(name);
	free(value);
	return header;
}

static void add_header(struct http_response *response, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	char *header;

	if (!colon || colon == line)
		return; /* the status line was, the empty last line is, no header */
	header = normalised(line, colon, line + len);
	strlist_add(&response->headers, header);
	if (str_starts(header, "date: "))
		(void)clock_parse_http_date(header + strlen("date: "), &response->date);
	free(header);
}

size_t http_take_header(char *line, size_t size, size_t n, void *ctx)
{
	struct http_incoming *incoming = ctx;
	size_t len = size * n;

	/* Each answer on the way begins anew: 100 Continue, redirects. */
	if (len >= 5 && !memcmp(line, "HTTP/", 5)) {
		restart(incoming);
		return len;
	}
	incoming->header_bytes += len;
	if (incoming->header_bytes > HTTP_MAX_HEADER_BYTES ||
	    incoming->response.headers.n >= HTTP_MAX_HEADERS) {
		incoming->headers_too_large = true;
		return 0;
	}
	add_header(&incoming->response, line, len);
	return len;
}

size_t http_take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct http_incoming *incoming = ctx;

	if (buf_append(&incoming->response.body, data, size * n)) {
		incoming->body_too_large = true;
		return 0;
	}
	return size * n;
}

const char *http_header(const struct http_response *response, const char *name)
{
	size_t len = strlen(name), i;
	const char *header;

	for (i = 0; i < response->headers.n; i++) {
		header = response->headers.items[i];
		if (!strncmp(header, name, len) && header[len] == ':')
			return header + len + strlen(": ");
	}
	return NULL;
}

void http_response_release(struct http_response *response)
{
	buf_release(&response->body);
	strlist_clear(&response->headers);
	free(response->url);
	*response = (struct http_response){ 0 };
}
