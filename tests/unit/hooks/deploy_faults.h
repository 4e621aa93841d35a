/* deploy_faults.h - the N-th change of a disk dies or fails. Every function of
 * base/files.h that changes something is wrapped by the linker (CMakeLists.txt), in the
 * whole program: the product knows nothing of it. */
#ifndef TESTS_UNIT_HOOKS_DEPLOY_FAULTS_H
#define TESTS_UNIT_HOOKS_DEPLOY_FAULTS_H

#include <stdbool.h>

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

#endif
