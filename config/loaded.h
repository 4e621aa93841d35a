/* loaded.h - what stands behind a const struct config: its memory, its secrets, and the
 * tree that show-config prints. For config.c and show.c alone. */
#ifndef CONFIG_LOADED_H
#define CONFIG_LOADED_H

#include "config/config.h"
#include "config/secrets.h"

struct arena;
struct node;

struct loaded {
	struct config config; /* first: the one address is the other */
	struct arena *arena;
	struct secret_list secrets;
	struct node *root; /* complete: defaults and presets are in it */
};

#endif
