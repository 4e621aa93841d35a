/* control_listener.c - a thread waits for who connects to our named pipe and hands each
 * connection to the loop.
 *
 * libuv could listen by itself, but makes its pipes with the access list of the process,
 * for remote clients too, and takes a name that somebody else holds. */
#include "daemon/control_channel.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

#include "base/str.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"
#include "daemon/windows/control_pipe.h"

#define PIPE_BYTES 65536
#define RETRY_MS 1000 /* when Windows gives no further instance */

/* SYSTEM and Administrators. Other machines are kept out by PIPE_REJECT_REMOTE_CLIENTS
 * and not by a denial for NETWORK, which an administrator in a remote shell carries too.
 */
#define PIPE_ACCESS L"O:BAG:BAD:P(A;;GA;;;SY)(A;;GA;;;BA)"

struct arrival {
	HANDLE pipe;
	struct arrival *next;
};

struct control_listener {
	wchar_t *path;
	SECURITY_ATTRIBUTES access;
	void (*arrived)(void *ctx);
	void *ctx;
	uv_async_t wake;
	uv_thread_t thread;
	bool running;
	HANDLE stop, connected; /* events */
	HANDLE waiting;         /* the instance that the next client gets; the thread's */
	uv_mutex_t mutex;       /* over the list */
	struct arrival *first, **last;
};

static HANDLE new_instance(const struct control_listener *listener, DWORD flags)
{
	SECURITY_ATTRIBUTES access = listener->access;

	return CreateNamedPipeW(
		listener->path, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
		PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT |
			PIPE_REJECT_REMOTE_CLIENTS,
		PIPE_UNLIMITED_INSTANCES, PIPE_BYTES, PIPE_BYTES, 0, &access);
}

/* ---- the thread ---------------------------------------------------------- */

static void hand_over(struct control_listener *listener, HANDLE pipe)
{
	struct arrival *arrival = mem_calloc(1, sizeof(*arrival));

	arrival->pipe = pipe;
	uv_mutex_lock(&listener->mutex);
	*listener->last = arrival;
	listener->last = &arrival->next;
	uv_mutex_unlock(&listener->mutex);
	(void)uv_async_send(&listener->wake);
}

/* Waits until a client has connected. -1: asked to stop. */
static int wait_for_client(struct control_listener *listener, bool *ret_came)
{
	OVERLAPPED overlapped = { .hEvent = listener->connected };
	HANDLE events[] = { listener->stop, listener->connected };
	DWORD code, n;

	*ret_came = true;
	(void)ResetEvent(listener->connected);
	if (ConnectNamedPipe(listener->waiting, &overlapped))
		return 0;
	code = GetLastError();
	if (code == ERROR_PIPE_CONNECTED)
		return 0;
	if (code != ERROR_IO_PENDING) { /* came and went */
		*ret_came = false;
		return 0;
	}
	if (WaitForMultipleObjects(2, events, FALSE, INFINITE) == WAIT_OBJECT_0) {
		(void)CancelIoEx(listener->waiting, &overlapped);
		(void)GetOverlappedResult(listener->waiting, &overlapped, &n, TRUE);
		return -1;
	}
	*ret_came = GetOverlappedResult(listener->waiting, &overlapped, &n, FALSE);
	return 0;
}

/* The next instance is there before this one is given away: a client never finds no
 * pipe at all, and nobody else can make the first one. */
static void listen_on(void *arg)
{
	struct control_listener *listener = arg;
	HANDLE next;
	bool came;

	while (!wait_for_client(listener, &came)) {
		while ((next = new_instance(listener, 0)) == INVALID_HANDLE_VALUE)
			if (WaitForSingleObject(listener->stop, RETRY_MS) ==
			    WAIT_OBJECT_0)
				return;
		if (came)
			hand_over(listener, listener->waiting);
		else
			CloseHandle(listener->waiting);
		listener->waiting = next;
	}
}

/* ---- the loop ------------------------------------------------------------ */

static bool has_arrivals(struct control_listener *listener)
{
	bool any;

	uv_mutex_lock(&listener->mutex);
	any = listener->first != NULL;
	uv_mutex_unlock(&listener->mutex);
	return any;
}

static void on_wake(uv_async_t *wake)
{
	struct control_listener *listener = wake->data;

	while (has_arrivals(listener))
		listener->arrived(listener->ctx);
}

static HANDLE take_arrival(struct control_listener *listener)
{
	struct arrival *arrival;
	HANDLE pipe = INVALID_HANDLE_VALUE;

	uv_mutex_lock(&listener->mutex);
	arrival = listener->first;
	if (arrival) {
		listener->first = arrival->next;
		if (!listener->first)
			listener->last = &listener->first;
		pipe = arrival->pipe;
		free(arrival);
	}
	uv_mutex_unlock(&listener->mutex);
	return pipe;
}

int control_listener_accept(struct control_listener *listener, uv_pipe_t *pipe)
{
	HANDLE handle = take_arrival(listener);
	struct err ignored;

	if (handle == INVALID_HANDLE_VALUE)
		return -1;
	return control_pipe_open(pipe, handle, &ignored);
}

/* ---- beginning and end --------------------------------------------------- */

static int begin(struct control_listener *listener, const char *path, struct err *err)
{
	if (security_attributes_from(PIPE_ACCESS, &listener->access, err))
		return -1;
	listener->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	listener->connected = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!listener->stop || !listener->connected)
		return err_os(err, "make an event");
	listener->waiting = new_instance(listener, FILE_FLAG_FIRST_PIPE_INSTANCE);
	if (listener->waiting == INVALID_HANDLE_VALUE) {
		err_os(err, "make the control pipe '%s'", path);
		if (err->kind == ERR_DENIED)
			err_wrap(err, "another program holds its name");
		return -1;
	}
	if (uv_thread_create(&listener->thread, listen_on, listener))
		return err_set(err, ERR_IO, "start a thread for '%s'", path);
	listener->running = true;
	return 0;
}

int control_listener_new(uv_loop_t *loop, const char *path, void (*arrived)(void *ctx),
			 void *ctx, struct control_listener **ret, struct err *err)
{
	struct control_listener *listener = mem_calloc(1, sizeof(*listener));

	listener->path = wide_from_utf8(path);
	listener->arrived = arrived;
	listener->ctx = ctx;
	listener->waiting = INVALID_HANDLE_VALUE;
	listener->last = &listener->first;
	listener->wake.data = listener;
	if (uv_mutex_init(&listener->mutex))
		abort();
	(void)uv_async_init(loop, &listener->wake, on_wake);
	*ret = listener; /* its handle is the loop's now, whatever happens */
	return begin(listener, path, err);
}

void control_listener_close(struct control_listener *listener)
{
	if (listener->running) {
		(void)SetEvent(listener->stop);
		(void)uv_thread_join(&listener->thread);
		listener->running = false;
	}
	if (!uv_is_closing((uv_handle_t *)&listener->wake))
		uv_close((uv_handle_t *)&listener->wake, NULL);
}

void control_listener_free(struct control_listener *listener)
{
	HANDLE pipe;

	if (!listener)
		return;
	while ((pipe = take_arrival(listener)) != INVALID_HANDLE_VALUE)
		CloseHandle(pipe);
	if (listener->waiting != INVALID_HANDLE_VALUE)
		CloseHandle(listener->waiting);
	if (listener->stop)
		CloseHandle(listener->stop);
	if (listener->connected)
		CloseHandle(listener->connected);
	security_attributes_release(&listener->access);
	uv_mutex_destroy(&listener->mutex);
	free(listener->path);
	free(listener);
}
