/* system.h - the little in which a configuration differs by system; twin files below
 * posix/ and windows/. */
#ifndef CONFIG_SYSTEM_H
#define CONFIG_SYSTEM_H

#include <stdbool.h>

#include "base/target.h"

/* Why services or stores of that kind cannot exist here: a clause for a complaint
 * ("exists on Windows only"), borrowed; NULL when they can. */
const char *system_lacks_service(enum service_kind kind);
const char *system_lacks_store(enum store_type type);

/* The same for scripts of acme.sh. */
const char *system_lacks_shell(void);

/* Gives `path` made absolute by the working folder, links unresolved. */
char *system_absolute_path(const char *path);

/* Gives the one spelling of an absolute path: no doubled, trailing or "." components, the
 * separators of this system. What another system would call absolute is left alone. */
char *system_tidy_path(const char *path);

/* Do two tidied paths name one file, links apart? */
bool system_same_path(const char *a, const char *b);

/* Gives a variable of this process's environment in UTF-8, to be wiped
 * (str_free_secret); NULL when it is not set. */
char *system_getenv(const char *name);

/* Give where the configuration and the state are unless told otherwise:
 * /etc/certrenewd/certrenewd.yaml and /var/lib/certrenewd, or certrenewd.yaml and state
 * below "certrenewd" of the folder that Windows knows as ProgramData. */
char *system_default_config(void);
char *system_default_state_dir(void);

#endif
