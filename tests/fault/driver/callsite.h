/* callsite.h - where in the program under test a stopped thread is: the return addresses
 * within its own executable, innermost first, whatever libraries lie between. */
#ifndef TESTS_FAULT_DRIVER_CALLSITE_H
#define TESTS_FAULT_DRIVER_CALLSITE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What was learned about the code of programs: two processes have nothing at one address,
 * unless one is the other's fork. NULL when there is no memory. Freed by nobody: it is
 * kept as long as the driver runs. */
struct callsites;
struct callsites *callsites_new(void);

/* Prints them as hexadecimal offsets into the file, with commas; nothing when there are
 * none. The thread is traced and stopped. */
void callsite_print(struct callsites *known, FILE *out, pid_t tid);

#endif
