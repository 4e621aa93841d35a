/* companions.h - several certificates, one service, one restart.
 *
 * While one certificate is brought in, others whose targets live in the same service may
 * be at hand and due as well. Their files are switched right before its restart, which
 * then serves all of them; each is verified afterwards on its own, with its own journal,
 * events and failures. When the restart does not lead to the end, what was switched for
 * them is taken back first, unless it is served already, so that nobody's way back
 * stumbles over somebody else's files; then each is tried alone.
 *
 * Works inside the pass of the certificate that restarts: no pass over one that shares
 * its service runs meanwhile (conflict.h). */
#ifndef DAEMON_COMPANIONS_H
#define DAEMON_COMPANIONS_H

#include "daemon/pass.h"

struct companions;

/* Who could share a restart with this pass: at hand, due, not under way. Looks only.
 * Gives; NULL: nobody. */
struct companions *companions_open(struct pass *pass);

/* For struct deployment. Borrowed; NULL for nobody. */
const struct deploy_sharing *companions_sharing(const struct companions *companions);

/* Was the restart one that failed, and may it have been because of one of them? What they
 * had switched is taken back: the leader alone may succeed. */
bool companions_spoiled(const struct companions *companions);

/* Brings those whose files were switched to their end and remembers it. Takes
 * `companions`; NULL is fine. */
void companions_finish(struct companions *companions);

#endif
