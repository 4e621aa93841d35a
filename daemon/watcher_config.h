/* watcher_config.h - the configuration as `certrenewd watch` sees it. It keeps a copy of
 * the last one that was accepted, in its own folder, so that a typo in the file, which no
 * daemon starts with, does not silence the watcher too. */
#ifndef DAEMON_WATCHER_CONFIG_H
#define DAEMON_WATCHER_CONFIG_H

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

/* Loads the file, or where that is refused the copy of the one before: `refused` then
 * gets every complaint about the file. May become the account that owns the state. Gives
 * *ret; release with config_free(). Fails   when there is no copy that can be used
 * either. */
int watcher_config_load(const char *path, const struct config **ret,
			struct strlist *refused, struct err *err);

/* Keeps the copy, 0600, when it is not there already. The folder exists; the caller holds
 * the watcher's lock, and `config` was read from its file. */
int watcher_config_keep(const struct config *config, struct err *err);

#endif
