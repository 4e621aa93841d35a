/* watcher_look.h - what `certrenewd watch` looks at, gathered: the heartbeat, the clocks,
 * and every endpoint of the configuration. Reads only; takes no lock. */
#ifndef DAEMON_WATCHER_LOOK_H
#define DAEMON_WATCHER_LOOK_H

#include "daemon/watcher.h"

struct watcher_look {
	struct watcher_facts facts; /* what the members below are for */
	struct heartbeat beat;
	struct err no_beat;
	char boot_id[64], config_sha256[65];
	struct watcher_endpoint *endpoints;
};

/* Looks. Borrows `config` until watcher_look_release(). */
void watcher_look(const struct config *config, struct watcher_look *ret);
void watcher_look_release(struct watcher_look *look);

#endif
