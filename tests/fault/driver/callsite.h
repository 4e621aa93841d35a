/* callsite.h - where in the program under test a stopped thread is: the return addresses
 * within its own executable, innermost first, whatever libraries lie between. */
#ifndef TESTS_FAULT_DRIVER_CALLSITE_H
#define TESTS_FAULT_DRIVER_CALLSITE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Prints them as hexadecimal offsets into the file, with commas; nothing when there are
 * none. The thread is traced and stopped. */
void callsite_print(FILE *out, pid_t tid);

#endif
