/* deploy_faults.h - the N-th change of a disk dies or fails. Every function of
 * base/files.h that changes something is wrapped by the linker (CMakeLists.txt), in the
 * whole program: the product knows nothing of it. */
#ifndef TESTS_UNIT_HOOKS_DEPLOY_FAULTS_H
#define TESTS_UNIT_HOOKS_DEPLOY_FAULTS_H

#include <stdbool.h>

#include "tests/unit/hooks/deploy_world.h"

enum fault {
	FAULT_NONE,
	FAULT_KILL_BEFORE, /* kill -9 instead of the N-th operation */
	FAULT_KILL_AFTER,  /* ... right after it */
	FAULT_FAIL,        /* it fails: no space left on device */
};

/* Arms for the operation `nth` (from 1). */
void fault_arm(enum fault fault, unsigned nth);

/* Disarms; did it fire? */
bool fault_fired(void);

struct sweep {
	void (*prepare)(struct world *w); /* may be NULL */
	int (*act)(struct world *w);      /* what dies */
	void (*check)(struct world *w);   /* finishes and looks */
	size_t n_apps;                    /* 0: one */
};

/* Runs `act` in a child that dies at its nth change. False when it lived to the end. */
bool dies(struct world *w, int (*act)(struct world *w), enum fault fault, unsigned nth);

/* A new world for the first change, the second, and so on, until `act` lives to the end;
 * there must have been `at_least` deaths. */
void kill_at_every_change(const struct sweep *sweep, enum fault fault, unsigned at_least);

/* Makes the served certificate an expired one (which becomes w->a). */
void expire(struct world *w);

#endif
