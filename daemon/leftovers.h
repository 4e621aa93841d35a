/* leftovers.h - answers to challenges that a death of ours would leave behind, outside of
 * us: pass->leftovers is what challenges.json says. For the stages of a pass only. */
#ifndef DAEMON_LEFTOVERS_H
#define DAEMON_LEFTOVERS_H

#include "daemon/challenge_record.h"
#include "daemon/pass.h"

/* Writes down an answer that is about to be made; durable when this returns. Borrows
 * `entry`, which is none of pass->leftovers. */
int leftovers_add(struct pass *pass, const struct challenge_entry *entry,
		  struct err *err);

/* It is gone again. What cannot be struck out is noted: the next pass removes what is not
 * there, which is no harm. */
void leftovers_remove(struct pass *pass, const struct challenge_entry *entry);

#endif
