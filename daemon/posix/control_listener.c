#include "daemon/control_channel.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/str.h"
#include "daemon/control.h"

struct control_listener {
	uv_pipe_t socket;
	char *path;
	void (*arrived)(void *ctx);
	void *ctx;
};

char *control_path(const char *state_dir)
{
	return path_join(state_dir, "control.sock");
}

static void on_connection(uv_stream_t *socket, int status)
{
	struct control_listener *listener = socket->data;

	if (status >= 0)
		listener->arrived(listener->ctx);
}

/* Its account is ours, or root. */
static bool peer_allowed(const uv_pipe_t *pipe)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)pipe, &fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

int control_listener_accept(struct control_listener *listener, uv_pipe_t *pipe)
{
	if (uv_accept((uv_stream_t *)&listener->socket, (uv_stream_t *)pipe) ||
	    !peer_allowed(pipe))
		return -1;
	return 0;
}

static int listen_at(struct control_listener *listener, struct err *err)
{
	const char *path = listener->path;
	int failed;

	/* We hold the state directory's lock: a socket that is there is a dead one's. */
	if (file_remove(path, err))
		return -1;
	failed = uv_pipe_bind(&listener->socket, path);
	if (!failed)
		failed = uv_listen((uv_stream_t *)&listener->socket, 8, on_connection);
	if (failed)
		return err_set(err, ERR_IO, "listen on '%s': %s", path,
			       uv_strerror(failed));
	if (chmod(path, 0600))
		return err_os(err, "chmod 0600 '%s'", path);
	return 0;
}

int control_listener_new(uv_loop_t *loop, const char *path, void (*arrived)(void *ctx),
			 void *ctx, struct control_listener **ret, struct err *err)
{
	struct control_listener *listener = mem_calloc(1, sizeof(*listener));

	listener->path = str_dup(path);
	listener->arrived = arrived;
	listener->ctx = ctx;
	listener->socket.data = listener;
	(void)uv_pipe_init(loop, &listener->socket, 0);
	*ret = listener; /* its handle is the loop's now, whatever happens */
	return listen_at(listener, err);
}

void control_listener_close(struct control_listener *listener)
{
	struct err ignored;

	if (!uv_is_closing((uv_handle_t *)&listener->socket))
		uv_close((uv_handle_t *)&listener->socket, NULL);
	(void)file_remove(listener->path, &ignored);
}

void control_listener_free(struct control_listener *listener)
{
	if (!listener)
		return;
	free(listener->path);
	free(listener);
}
