#include "daemon/windows/control_pipe.h"

#include <io.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/str.h"
#include "base/windows/wide.h"
#include "daemon/control.h"

#define HASH_BYTES 8

/* One state directory, one name, however it is spelled. */
char *control_path(const char *state_dir)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char digits[2 * HASH_BYTES + 1], *folded, *path;
	wchar_t *wide = wide_path(state_dir);
	unsigned len;

	(void)CharLowerBuffW(wide, (DWORD)wcslen(wide));
	folded = path_from_wide(wide);
	if (!EVP_Digest(folded, strlen(folded), hash, &len, EVP_sha256(), NULL))
		abort();
	hex_encode(hash, HASH_BYTES, false, digits);
	path = str_printf("\\\\.\\pipe\\certrenewd-%s", digits);
	free(folded);
	free(wide);
	return path;
}

int control_pipe_open(uv_pipe_t *pipe, HANDLE handle, struct err *err)
{
	int fd = _open_osfhandle((intptr_t)handle, 0), failed;

	if (fd < 0) {
		CloseHandle(handle);
		return err_set(err, ERR_IO, "open the control pipe: out of descriptors");
	}
	failed = uv_pipe_open(pipe, fd);
	if (failed) {
		(void)_close(fd);
		return err_set(err, ERR_IO, "open the control pipe: %s",
			       uv_strerror(failed));
	}
	return 0;
}
