/* firewall.h - rules of the Windows firewall that are ours: one that keeps everybody away
 * from plain HTTP while it is spoken, one that lets our own http-01 answers be asked for.
 * By netsh.exe, argument by argument, because that is on every Windows; and read back.
 * Twin files; on POSIX each fails with ERR_CONFIG (before_fallback takes a program).
 *
 * A rule is known by its name alone, so a name is ours: "certrenewd: plain HTTP of xc".
 * All are idempotent: what is there under the name goes first. */
#ifndef HOOKS_FIREWALL_H
#define HOOKS_FIREWALL_H

#include "base/err.h"

/* Blocks TCP `port` for everybody from outside. A blocking rule wins over every rule that
 * allows; the machine itself is not affected (loopback is not filtered). */
int firewall_block(const char *rule, unsigned port, struct err *err);

/* Takes the block away. Not there is success. */
int firewall_unblock(const char *rule, struct err *err);

/* Lets `program` (absolute path) be reached at TCP `port`. */
int firewall_allow_program(const char *rule, const char *program, unsigned port,
			   struct err *err);

/* Removes every rule of that name. Not there is success. */
int firewall_forget(const char *rule, struct err *err);

#endif
