/* seam.h - the N-th call into the system or a library fails, or is the last thing that
 * certrenewd does. certrenewd-seam is the product's main() and libraries, linked so that
 * every call of a function of rows.h goes through a gate of gates.c; the product knows
 * nothing of it, and nobody installs it.
 *
 * Read from the environment of that program alone:
 *
 *     SEAM_LOG   a file that gets a line for each call: "call NAME SITE", and for the one
 *                that failed or died "fired NAME SITE". SITE is where the call returns
 *                to, in hexadecimal, counted from the program's beginning
 *     SEAM_SITE  this call site
 *     SEAM_NAME  of the functions that return there: one whose last act is a call returns
 *                to its own caller
 *     SEAM_NTH   its N-th call, from 1
 *     SEAM_KIND  "io", "denied", "transient" (a struct err of that kind, or what the
 *                function gives for failure), "kill" (instead of the call)
 *     SEAM_LAST  "1": and every later call of that site fails too
 *
 * Programs that certrenewd starts have an environment of their own and run as ever. */
#ifndef TESTS_FAULT_INJECT_SEAM_H
#define TESTS_FAULT_INJECT_SEAM_H

#include <stdbool.h>
#include <stdint.h>

struct seam_row {
	const char *group, *name;
	int err_arg;    /* which argument is its struct err; -1: it has none */
	intptr_t value; /* what it returns when it fails */
	bool kill_only;
};

/* Called by every gate before its function. True: it fails and returns *ret_value. */
bool seam_enter(const struct seam_row *row, const uintptr_t *caller,
		const uintptr_t *regs, intptr_t *ret_value);

#endif
