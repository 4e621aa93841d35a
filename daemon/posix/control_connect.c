#include "daemon/control_channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

static int judge(const char *path, struct err *err)
{
	if (errno == ENOENT || errno == ECONNREFUSED)
		return err_set(err, ERR_NOT_FOUND, "no daemon listens on '%s'", path);
	if (errno == EACCES || errno == EPERM)
		return err_set(
			err, ERR_DENIED,
			"this account may not speak to the daemon on '%s': run it as "
			"root, or as the daemon's account",
			path);
	if (errno == EAGAIN) /* more wait already than it has room for */
		return err_set(err, ERR_TRANSIENT,
			       "too many commands wait for it "
			       "already");
	err_os(err, "connect to the daemon on '%s'", path);
	err->kind = ERR_IO;
	return -1;
}

int control_connect(const char *path, uv_pipe_t *pipe, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, failed;

	str_copy(address.sun_path, sizeof(address.sun_path), path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_os(err, "make a socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		judge(path, err);
		(void)close(fd);
		return -1;
	}
	failed = uv_pipe_open(pipe, fd);
	if (failed) {
		(void)close(fd);
		return err_set(err, ERR_IO, "connect to the daemon on '%s': %s", path,
			       uv_strerror(failed));
	}
	return 0;
}
