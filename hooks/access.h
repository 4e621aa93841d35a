/* access.h - does a file belong to whom the operator said it must belong to? Looks only;
 * setting is file_set_access() in base/files.h. Twin files below. */
#ifndef HOOKS_ACCESS_H
#define HOOKS_ACCESS_H

#include <stdint.h>

#include "base/err.h"

/* Is `path` (links followed) owned by `owner` and `group` (names or numbers, NULL: does
 * not matter) with exactly the permission bits `mode` (0: does not matter)?
 * ERR_IO "'/etc/x/key.pem' has mode 0600, not 0640"; ERR_CONFIG for an unknown account;
 * ERR_NOT_FOUND. */
int access_check(const char *path, const char *owner, const char *group, uint32_t mode,
		 struct err *err);

/* Who may read `path`, for people: "root:www-data 0640"; on Windows "administrators, and
 * 'NT SERVICE\\shop'". Gives; NULL when it cannot be looked at. */
char *access_describe(const char *path);

#endif
