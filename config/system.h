/* system.h - the little in which a configuration differs by system; twin files below
 * posix/ and windows/. */
#ifndef CONFIG_SYSTEM_H
#define CONFIG_SYSTEM_H

#include "base/target.h"

/* Why services of that kind cannot exist here: a clause for a complaint ("exists on
 * Windows only"), borrowed; NULL when they can. */
const char *system_lacks_service(enum service_kind kind);

/* Gives `path` made absolute by the working folder, links unresolved. */
char *system_absolute_path(const char *path);

#endif
