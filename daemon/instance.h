/* instance.h - who this certrenewd is among others: the machine's name, and an id that
 * lives in the state directory. For the owner files of shared folders (hooks/owner.h). */
#ifndef DAEMON_INSTANCE_H
#define DAEMON_INSTANCE_H

#include "base/err.h"

#define INSTANCE_ID_LENGTH 32

struct instance {
	char host[256];
	char id[INSTANCE_ID_LENGTH + 1];
};

/* Reads <state_dir>/instance.json, and makes it where there is none; a damaged one is
 * made anew, which makes us somebody else. The caller holds the state lock. */
int instance_read(const char *state_dir, struct instance *ret, struct err *err);

#endif
