/* proxy.h - the system's proxy where the file names none: shown as such, so that nobody
 * has to guess what a connection went through. */
#ifndef CONFIG_PROXY_H
#define CONFIG_PROXY_H

#include "config/fields.h"

/* The proxy that the system uses on the way to `url`, added to the map as its `proxy`; a
 * warning where it cannot be used. NULL: none, or one is written. Lives in the arena. */
const char *proxy_of_system(struct reading *reading, const struct frame *frame,
			    struct node *map, const char *url);

#endif
