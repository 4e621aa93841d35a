/* http_server.c - http.sys (HTTP Server API 2.0): the kernel listens, we answer what is
 * below our prefix. A strong wildcard with a longer path wins over the bindings of IIS,
 * so both share port 80 (learn.microsoft.com, "UrlPrefix Strings"). */
#include "base/http_server.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <http.h>

#include "base/str.h"
#include "base/windows/wide.h"

#define MAX_CONNECTIONS 64
#define TIMEOUT_S 5
#define REMOVE_ALL_URLS 1 /* HTTP_URL_FLAG_REMOVE_ALL */
#define MAX_BODY_BYTES 65536
#define REQUEST_BYTES (8 * 1024 + sizeof(HTTP_REQUEST))

struct http_server {
	http_server_answer *answer;
	void *ctx;
	char *prefix;
	HTTP_SERVER_SESSION_ID session;
	HTTP_URL_GROUP_ID group;
	HANDLE queue, thread, stop, ready; /* ready: of the overlapped receive */
	bool initialised;
};

static const HTTPAPI_VERSION version = HTTPAPI_VERSION_2;

/* ---- where --------------------------------------------------------------- */

struct place {
	char *host; /* "+", "127.0.0.1", "[::1]" */
	unsigned port;
};

/* ":80", "127.0.0.1:80", "[::1]:80" */
static int parse_listen(const char *listen, struct place *ret, struct err *err)
{
	const char *colon = strrchr(listen, ':');
	char *end = NULL;
	long port = colon ? strtol(colon + 1, &end, 10) : 0;
	size_t n = colon ? (size_t)(colon - listen) : 0;
	bool brackets = n > 2 && listen[0] == '[' && listen[n - 1] == ']';

	if (!colon || !colon[1] || *end || port < 1 || port > 65535 ||
	    (!brackets && memchr(listen, ':', n)))
		return err_set(err, ERR_CONFIG,
			       "cannot listen on '%s': expected ':80', '127.0.0.1:80' or "
			       "'[::1]:80'",
			       listen);
	ret->host = n ? str_ndup(listen, n) : str_dup("+");
	ret->port = (unsigned)port;
	return 0;
}

static int say_not_added(ULONG code, const char *listen, unsigned port, struct err *err)
{
	char *owner;

	switch (code) {
	case ERROR_ACCESS_DENIED:
		return err_set(err, ERR_DENIED,
			       "may not listen on '%s': run as administrator", listen);
	case ERROR_ALREADY_EXISTS:
		return err_set(
			err, ERR_TRANSIENT,
			"port %u is taken: another program has registered the same "
			"URL with http.sys (netsh http show servicestate)",
			port);
	case ERROR_SHARING_VIOLATION:
		owner = port_owner(port);
		err_set(err, ERR_TRANSIENT, "port %u is taken by %s", port,
			owner ? owner : "another program");
		free(owner);
		return -1;
	case ERROR_INVALID_PARAMETER:
		return err_set(err, ERR_CONFIG,
			       "cannot listen on '%s': it is no address of this machine",
			       listen);
	default:
		return err_windows(err, code, "listen on '%s'", listen);
	}
}

static bool is_address(const char *host)
{
	unsigned char ignored[16];
	char *bare;
	bool is;

	if (str_equal(host, "+"))
		return true;
	if (*host != '[')
		return inet_pton(AF_INET, host, ignored) == 1;
	bare = str_ndup(host + 1, strlen(host) - 2);
	is = inet_pton(AF_INET6, bare, ignored) == 1;
	free(bare);
	return is;
}

static int add_url(struct http_server *server, const char *listen, struct err *err)
{
	struct place place = { 0 };
	wchar_t *wide;
	char *url;
	ULONG code;

	if (parse_listen(listen, &place, err))
		return -1;
	if (!is_address(place.host)) {
		err_set(err, ERR_CONFIG, "cannot listen on '%s': '%s' is no IP address",
			listen, place.host);
		free(place.host);
		return -1;
	}
	url = str_printf("http://%s:%u%s", place.host, place.port, server->prefix);
	wide = wide_from_utf8(url);
	code = HttpAddUrlToUrlGroup(server->group, wide, 0, 0);
	free(wide);
	free(url);
	free(place.host);
	return code ? say_not_added(code, listen, place.port, err) : 0;
}

/* ---- answering ----------------------------------------------------------- */

static char *text_of(const char *text, USHORT bytes)
{
	return text && bytes ? str_ndup(text, bytes) : NULL;
}

/* The path without its query, decoded by http.sys. Gives. */
static char *path_of(const HTTP_REQUEST *request)
{
	const HTTP_COOKED_URL *url = &request->CookedUrl;
	size_t n = url->AbsPathLength / sizeof(wchar_t);
	wchar_t *wide = mem_calloc(n + 1, sizeof(*wide));
	char *path;

	if (url->pAbsPath)
		memcpy(wide, url->pAbsPath, n * sizeof(*wide));
	if (wcschr(wide, L'?'))
		*wcschr(wide, L'?') = L'\0';
	path = utf8_from_wide(wide);
	free(wide);
	return path;
}

static unsigned ask(struct http_server *server, const HTTP_REQUEST *request,
		    struct buf *body)
{
	const HTTP_KNOWN_HEADER *host = &request->Headers.KnownHeaders[HttpHeaderHost];
	char *path = path_of(request);
	char *name = text_of(host->pRawValue, host->RawValueLength);
	unsigned status = 404;

	if (request->Verb != HttpVerbGET && request->Verb != HttpVerbHEAD)
		status = 405;
	else if (str_starts(path, server->prefix))
		status = server->answer(server->ctx, path, name, body);
	if (!buf_ok(body) || status < 200 || status > 599) {
		status = 500;
		buf_clear(body);
	}
	free(name);
	free(path);
	return status;
}

static void set_header(HTTP_RESPONSE *response, HTTP_HEADER_ID id, const char *value)
{
	response->Headers.KnownHeaders[id].pRawValue = value;
	response->Headers.KnownHeaders[id].RawValueLength = (USHORT)strlen(value);
}

static void respond(struct http_server *server, const HTTP_REQUEST *request)
{
	HTTP_RESPONSE response = { 0 };
	HTTP_DATA_CHUNK chunk = { .DataChunkType = HttpDataChunkFromMemory };
	char length[16];
	struct buf body;
	ULONG sent;

	buf_init(&body, MAX_BODY_BYTES);
	response.StatusCode = (USHORT)ask(server, request, &body);
	response.pReason = response.StatusCode == 200 ? "OK" : "";
	response.ReasonLength = (USHORT)strlen(response.pReason);
	set_header(&response, HttpHeaderContentType, "text/plain; charset=utf-8");
	if (response.StatusCode == 405)
		set_header(&response, HttpHeaderAllow, "GET, HEAD");
	chunk.FromMemory.pBuffer = (void *)buf_str(&body);
	chunk.FromMemory.BufferLength = (ULONG)body.len;
	if (request->Verb == HttpVerbHEAD) {
		snprintf(length, sizeof(length), "%zu", body.len);
		set_header(&response, HttpHeaderContentLength, length);
	} else {
		response.EntityChunkCount = body.len ? 1 : 0;
		response.pEntityChunks = &chunk;
	}
	/* Buffered: a slow reader holds up nobody else. */
	(void)HttpSendHttpResponse(server->queue, request->RequestId,
				   HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA, &response, NULL,
				   &sent, NULL, 0, NULL, NULL);
	buf_release(&body);
}

/* ---- the thread ---------------------------------------------------------- */

/* Waits for a request or the end. false: the end. */
static bool receive(struct http_server *server, HTTP_REQUEST_ID id, HTTP_REQUEST *request,
		    ULONG size, ULONG *ret_code)
{
	HANDLE either[] = { server->stop, server->ready };
	OVERLAPPED overlapped = { .hEvent = server->ready };
	DWORD n = 0;
	ULONG code;

	ResetEvent(server->ready);
	memset(request, 0, sizeof(*request));
	code = HttpReceiveHttpRequest(server->queue, id, 0, request, size, NULL,
				      &overlapped);
	if (code == ERROR_IO_PENDING) {
		if (WaitForMultipleObjects(2, either, FALSE, INFINITE) == WAIT_OBJECT_0) {
			(void)CancelIoEx(server->queue, &overlapped);
			/* Until nobody writes to our stack any more. */
			(void)GetOverlappedResult(server->queue, &overlapped, &n, TRUE);
			return false;
		}
		code = GetOverlappedResult(server->queue, &overlapped, &n, TRUE)
			       ? NO_ERROR
			       : GetLastError();
	}
	*ret_code = code;
	return WaitForSingleObject(server->stop, 0) != WAIT_OBJECT_0;
}

/* A request that is larger than the buffer is refused, and so is what is left of it. */
static void refuse_large(struct http_server *server, HTTP_REQUEST_ID id)
{
	HTTP_RESPONSE response = { .StatusCode = 431 };
	ULONG sent;

	response.pReason = "Request Header Fields Too Large";
	response.ReasonLength = (USHORT)strlen(response.pReason);
	(void)HttpSendHttpResponse(server->queue, id, HTTP_SEND_RESPONSE_FLAG_DISCONNECT,
				   &response, NULL, &sent, NULL, 0, NULL, NULL);
}

static DWORD WINAPI serve(void *arg)
{
	struct http_server *server = arg;
	HTTP_REQUEST *request = mem_calloc(1, REQUEST_BYTES);
	ULONG code;

	while (receive(server, HTTP_NULL_ID, request, REQUEST_BYTES, &code)) {
		if (code == NO_ERROR)
			respond(server, request);
		else if (code == ERROR_MORE_DATA)
			refuse_large(server, request->RequestId);
		else if (code != ERROR_CONNECTION_INVALID)
			Sleep(100); /* never spin on what does not go away */
	}
	free(request);
	return 0;
}

/* ---- beginning and end --------------------------------------------------- */

/* What bounds a stranger: not every system knows all of them. */
static void set_limits(struct http_server *server)
{
	HTTP_TIMEOUT_LIMIT_INFO timeouts = {
		.Flags = { .Present = 1 },
		.EntityBody = TIMEOUT_S,
		.DrainEntityBody = TIMEOUT_S,
		.RequestQueue = TIMEOUT_S,
		.IdleConnection = TIMEOUT_S,
		.HeaderWait = TIMEOUT_S,
	};
	HTTP_CONNECTION_LIMIT_INFO connections = { .Flags = { .Present = 1 },
						   .MaxConnections = MAX_CONNECTIONS };
	HTTP_QOS_SETTING_INFO quality = { HttpQosSettingTypeConnectionLimit,
					  &connections };

	(void)HttpSetUrlGroupProperty(server->group, HttpServerTimeoutsProperty,
				      &timeouts, sizeof(timeouts));
	(void)HttpSetUrlGroupProperty(server->group, HttpServerQosProperty, &quality,
				      sizeof(quality));
}

static int open_queue(struct http_server *server, struct err *err)
{
	HTTP_BINDING_INFO binding = { .Flags = { .Present = 1 } };
	ULONG code = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);

	if (code)
		return err_windows(err, code, "use http.sys");
	server->initialised = true;
	code = HttpCreateServerSession(version, &server->session, 0);
	if (!code)
		code = HttpCreateUrlGroup(server->session, &server->group, 0);
	if (!code)
		code = HttpCreateRequestQueue(version, NULL, NULL, 0, &server->queue);
	if (code)
		return err_windows(err, code, "use http.sys");
	binding.RequestQueueHandle = server->queue;
	code = HttpSetUrlGroupProperty(server->group, HttpServerBindingProperty, &binding,
				       sizeof(binding));
	if (code)
		return err_windows(err, code, "use http.sys");
	set_limits(server);
	return 0;
}

int http_server_start(const char *listen, const char *prefix, http_server_answer *answer,
		      void *ctx, struct http_server **ret, struct err *err)
{
	struct http_server *server = mem_calloc(1, sizeof(*server));

	server->answer = answer;
	server->ctx = ctx;
	server->prefix = str_dup(prefix);
	server->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	server->ready = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!server->stop || !server->ready) {
		err_os(err, "start a server on '%s'", listen);
		goto failed;
	}
	if (open_queue(server, err) || add_url(server, listen, err))
		goto failed;
	server->thread = CreateThread(NULL, 0, serve, server, 0, NULL);
	if (!server->thread) {
		err_os(err, "start a server on '%s'", listen);
		goto failed;
	}
	*ret = server;
	return 0;
failed:
	http_server_stop(server);
	return -1;
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	if (server->group)
		(void)HttpRemoveUrlFromUrlGroup(server->group, NULL, REMOVE_ALL_URLS);
	if (server->stop)
		(void)SetEvent(server->stop);
	if (server->thread) {
		(void)WaitForSingleObject(server->thread, INFINITE);
		(void)CloseHandle(server->thread);
	}
	if (server->group)
		(void)HttpCloseUrlGroup(server->group);
	if (server->queue)
		(void)HttpCloseRequestQueue(server->queue);
	if (server->session)
		(void)HttpCloseServerSession(server->session);
	if (server->initialised)
		(void)HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
	if (server->stop)
		(void)CloseHandle(server->stop);
	if (server->ready)
		(void)CloseHandle(server->ready);
	free(server->prefix);
	free(server);
}
