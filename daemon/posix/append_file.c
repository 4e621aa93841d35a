#include "daemon/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

struct append_file {
	int fd;
};

int append_file_open(const char *path, struct append_file **ret, int64_t *ret_bytes,
		     struct err *err)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			  O_NONBLOCK;
	struct append_file *file;
	struct stat st;
	int fd = open(path, flags, 0600);

	if (fd < 0 || fstat(fd, &st)) {
		err_os(err, "open '%s'", path);
		goto failed;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, ERR_CONFIG, "'%s' is not a file", path);
		goto failed;
	}
	file = mem_calloc(1, sizeof(*file));
	file->fd = fd;
	*ret_bytes = st.st_size;
	*ret = file;
	return 0;
failed:
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

int append_file_write(struct append_file *file, const void *data, size_t len)
{
	const char *from = data;

	while (len) {
		ssize_t n = write(file->fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

void append_file_close(struct append_file *file)
{
	if (!file)
		return;
	(void)close(file->fd);
	free(file);
}

int append_file_rename(const char *from, const char *to)
{
	return rename(from, to) ? -1 : 0;
}
