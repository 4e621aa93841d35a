/* file_trust.c - who else could read or change a file: by its owner, its DACL, its
 * folders. */
#include "base/files.h"

#include <stdlib.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"

int file_resolve_trusted(const char *path, char **ret_path, struct err *err)
{
	struct place place = { 0 };

	if (place_find(path, PLACE_TRUST_LINKS, &place, err))
		return -1;
	*ret_path = place_path(&place);
	place_release(&place);
	return 0;
}

int file_check_trusted(const char *path, struct err *err)
{
	struct place place = { 0 };

	if (place_find(path, PLACE_TRUST_ALL, &place, err))
		return -1;
	place_release(&place);
	return 0;
}

int file_check_secret(const char *path, struct err *err)
{
	HANDLE node = node_open(path, READ_CONTROL, SHARE_ALL);
	PSECURITY_DESCRIPTOR descriptor = NULL;
	char *who = NULL;
	int rc = -1;

	if (node == INVALID_HANDLE_VALUE || !(descriptor = node_security(node))) {
		err_os(err, "look at '%s'", path);
		goto out;
	}
	who = descriptor_others_with(descriptor,
				     FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA |
					     RIGHTS_TO_CHANGE,
				     file_mapping());
	if (who) {
		err_set(err, ERR_DENIED,
			"'%s' holds a secret, but is open to %s: icacls \"%s\" "
			"/setowner *S-1-5-32-544 and icacls \"%s\" /inheritance:r "
			"/grant:r *S-1-5-18:F *S-1-5-32-544:F /remove \"%s\"",
			path, who, path, path, who);
		goto out;
	}
	rc = 0;
out:
	if (node != INVALID_HANDLE_VALUE)
		CloseHandle(node);
	if (descriptor)
		LocalFree(descriptor);
	free(who);
	return rc;
}
