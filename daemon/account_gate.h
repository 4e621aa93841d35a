/* account_gate.h - keeps a change of an account apart from the orders that use it.
 *
 * Whoever speaks to a CA by an account enters, any number at once; who changes an account
 * (its key, its end) closes the gate, waits until all are out, and opens it again. Each
 * opening is a new epoch: sessions of an older one hold a key that may count no more, and
 * are dropped (sessions.c). One mutex, in account_gate.c. */
#ifndef DAEMON_ACCOUNT_GATE_H
#define DAEMON_ACCOUNT_GATE_H

#include "base/err.h"

struct cancel;
struct account_gate;

/* Gives an open gate. All functions but this accept NULL: a process with one thread needs
 * none. */
struct account_gate *account_gate_new(void);
void account_gate_free(struct account_gate *gate);

/* Goes in, waiting while it is closed. Sets *ret_epoch (0 without a gate).
 * ERR_CANCELLED. */
int account_gate_enter(struct account_gate *gate, const struct cancel *cancel,
		       unsigned long *ret_epoch, struct err *err);
void account_gate_leave(struct account_gate *gate);

/* Closes it for a change and waits until everybody is out. ERR_CANCELLED: it is open
 * again. */
int account_gate_close(struct account_gate *gate, const struct cancel *cancel,
		       struct err *err);
/* Opens it after the change: a new epoch. */
void account_gate_open(struct account_gate *gate);

#endif
