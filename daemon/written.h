/* written.h - which places besides the usual state directory the configuration has us
 * write, and for whom. Pure: looks at no disk. A service that may write nowhere else
 * needs to know (daemon/posix/sandbox.h). */
#ifndef DAEMON_WRITTEN_H
#define DAEMON_WRITTEN_H

#include <stddef.h>

#include "config/config.h"

struct written {
	char *path;  /* absolute */
	bool folder; /* everything below it; else one file, which is replaced beside
			itself: its folder is written */
	char *whom;  /* "shop: nginx", "log_file": where it stands in the configuration */
};

struct written_list {
	struct written *items;
	size_t n;
};

/* Adds every place, each path once; the state directory only where it is another one than
 * system_default_state_dir(). Places that a program writes are only known as far as
 * `changes:` names them. */
void written_by(const struct config *config, struct written_list *ret);
void written_clear(struct written_list *list);

#endif
