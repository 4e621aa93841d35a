/* calls.h - which system calls change something outside memory, what they are applied to,
 * and which of our faults the kernel could really answer them with. */
#ifndef TESTS_FAULT_DRIVER_CALLS_H
#define TESTS_FAULT_DRIVER_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum fault {
	FAULT_KILL = 1 << 0,
	FAULT_EIO = 1 << 1,
	FAULT_ENOSPC = 1 << 2,
	FAULT_EACCES = 1 << 3,
	FAULT_EINTR = 1 << 4,
	FAULT_EMFILE = 1 << 5,
};

/* The fault of a word such as "enospc"; 0 if there is none. */
unsigned fault_of(const char *word);

/* The errno of a fault; 0 for FAULT_KILL. */
int fault_errno(unsigned fault);

#define CALL_TARGET_BYTES 4200

/* One entry into a call that counts. */
struct call {
	const char *name;
	unsigned faults;                /* those that it can meet */
	char target[CALL_TARGET_BYTES]; /* absolute path, or "socket 127.0.0.1:443" */
	char other[CALL_TARGET_BYTES];  /* the second path of rename, link, symlink */
	uint64_t number; /* flags of an open, a mode, a length, a socket's descriptor; 0
			  * where there is none */
	uint64_t offset; /* of a write or truncation of a file */
	uint64_t data;   /* address of what a write writes; 0: not a write to a file */
	uint64_t length;
};

/* Does this entry change anything? Then fills *ret. `args` are the six arguments of call
 * `nr` that thread `tid` makes. `foreign`: another program than the one under test, of
 * which changes to files and signals count, no network and no new processes, because
 * scripts that wait ask in loops. */
bool call_read(pid_t tid, uint64_t nr, const uint64_t args[6], bool foreign,
	       struct call *ret);

/* Writes up to `max` bytes of the traced process as hexadecimal. */
void call_print_data(FILE *out, pid_t tid, const struct call *call, uint64_t max);

#endif
