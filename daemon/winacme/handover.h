/* handover.h - from win-acme to us, and back: its scheduled task is switched off when
 * every certificate that it renewed was seen served by our deployment, not before.
 *
 * `<state_dir>/handover.json` says which task stands for which certificates. A task that
 * renews something we did not take over is never switched off. */
#ifndef DAEMON_WINACME_HANDOVER_H
#define DAEMON_WINACME_HANDOVER_H

#include "base/err.h"
#include "base/str.h"
#include "daemon/winacme/winacme.h"

/* Records what was taken over; the caller holds the state lock. */
int handover_begin(const char *state_dir, const struct winacme *found, struct err *err);

/* This certificate is served by our deployment. When it was the last of a task, the task
 * is switched off; `notes` gets a sentence for each one that was, and for one that has to
 * be switched off by hand. Nothing to do when nothing was imported. */
int handover_proven(const char *state_dir, const char *certificate, struct strlist *notes,
		    struct err *err);

/* Switches on again what was switched off, and never off again. A sentence for each in
 * `notes`. ERR_NOT_FOUND when nothing was imported. */
int handover_undo(const char *state_dir, struct strlist *notes, struct err *err);

#endif
