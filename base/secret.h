/* secret.h - a secret of the configuration, as it travels to who needs it. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

/* A secret's bytes, read when the configuration is loaded; wiped by config_free(). */
struct secret {
	const char *bytes; /* NULL: not given, or (to who watches) not readable. Also
			      NUL-terminated */
	size_t len;
	const char *source; /* how to say where it came from: "file 'eab.key'"; NULL: not
			       given */
};

#endif
