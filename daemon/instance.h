/* instance.h - who this certrenewd is among others: the machine and its name, and an id
 * that lives in the state directory. For the owner files of shared folders
 * (hooks/owner.h). */
#ifndef DAEMON_INSTANCE_H
#define DAEMON_INSTANCE_H

#include "base/err.h"
#include "daemon/machine.h"

#define INSTANCE_ID_LENGTH 32

struct instance {
	char host[256];
	char machine[MACHINE_ID_MAX];
	char id[INSTANCE_ID_LENGTH + 1];
};

/* Reads <state_dir>/instance.json, and makes it where there is none. A damaged one is set
 * aside and made anew: success, and err->kind is ERR_CONFIG with the sentence to report
 * (else ERR_NONE). The caller holds the state lock. */
int instance_read(const char *state_dir, struct instance *ret, struct err *err);

#endif
