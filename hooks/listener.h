/* listener.h - Xtract Core's listener.json for the time of plain HTTP: its `mode` "Any"
 * becomes "Localhost", so that nobody but the machine itself speaks to it unencrypted.
 * Ports are the configuration's business (config/), everything else the product's.
 *
 * The fallback's journal holds the bytes before; what somebody changed meanwhile is
 * theirs and stays. Internal to hooks/. */
#ifndef HOOKS_LISTENER_H
#define HOOKS_LISTENER_H

#include <stdbool.h>

#include "base/err.h"
#include "hooks/change.h"

/* Appends the change of `path` to "Localhost" when its mode is "Any", in any case.
 * *ret_open tells. A missing file, a mode that is not there or another one needs none.
 * ERR_CONFIG when the file cannot be understood: then nobody knows who could listen. */
int listener_plan(const char *path, struct change_list *list, bool *ret_open,
		  struct err *err);

#endif
