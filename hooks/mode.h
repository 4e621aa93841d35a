/* mode.h - how a target stands, kept across restarts: serving HTTPS by us, fallen back to
 * plain HTTP by us, or taken over by an operator. */
#ifndef HOOKS_MODE_H
#define HOOKS_MODE_H

#include "base/err.h"

enum target_mode { MODE_HTTPS, MODE_FALLBACK, MODE_OPERATOR };

const char *target_mode_name(enum target_mode mode); /* "https", "fallback", "operator" */

/* Reads the mode of `target` from certificates/<name> (`folder`); MODE_HTTPS when nothing
 * was written. A damaged file is ERR_CONFIG and *ret is MODE_HTTPS. */
int target_mode_read(const char *folder, const char *target, enum target_mode *ret,
		     struct err *err);

/* Makes it durable. */
int target_mode_write(const char *folder, const char *target, enum target_mode mode,
		      struct err *err);

#endif
