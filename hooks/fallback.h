/* fallback.h - plain HTTP when the certificate has expired, and the way back.
 *
 * As the vendor documents it (delete tls.json, restart), made safe: before_fallback (the
 * guard; if it fails there is no fallback unless even_if_guard_fails), every
 * JSON file below config/server* copied, an open listener.json limited to this machine
 * (hooks/listener.h), tls.json moved into the state directory,
 * restart, the HTTP port answers, what the product made of its settings is noted, mode
 * becomes MODE_FALLBACK. Journaled like a
 * deployment: dying anywhere, the next call finishes it.
 *
 * The way back is a deployment: deploy_run() on a target in MODE_FALLBACK renders
 * tls.json on the moved-away bytes, puts back the settings that the product reset (one
 * that somebody has edited since is left to them, and said), restarts, verifies HTTPS,
 * runs after_fallback and sets MODE_HTTPS. A tls.json that an operator wrote meanwhile
 * wins: MODE_OPERATOR. Whether to fall back is decided in daemon/expired.h, never here.
 */
#ifndef HOOKS_FALLBACK_H
#define HOOKS_FALLBACK_H

#include "base/err.h"
#include "hooks/deploy.h"

struct fallback_wish {
	bool by_operator;      /* asked for by command: not given up by itself */
	struct strlist *notes; /* what people should hear of is appended; may be NULL */
};

/* Falls back (or finishes falling back) for one target of the deployment. `material` may
 * be NULL, and so may `wish`. Returns 0 when plain HTTP answers. On failure the sentence
 * says what is served now; a failing guard leaves everything as it was.
 *
 * A tls.json that somebody wrote after ours was copied is theirs: MODE_OPERATOR, and
 * ERR_CONFIG says so. A deployment that was in the middle is over: it begins anew, from
 * plain HTTP. after_fallback may run twice only if we die while it runs. */
int fallback_enter(const struct deployment *deployment, const struct target *target,
		   const struct fallback_wish *wish, struct err *err);

/* Takes back one that was interrupted and that nobody wants any more: tls.json and
 * service as they were, guard off. Nothing to do for one that is over. `why` is for the
 * journal. An operator's tls.json wins as above. */
int fallback_abandon(const struct deployment *deployment, const struct target *target,
		     const char *why, struct err *err);

/* Has somebody written a tls.json since this target speaks plain HTTP? Then *ret is true
 * and it is theirs: MODE_OPERATOR, durable. Looks at the file only, and leaves everything
 * as it is, guard and changed settings included, until 'deploy'. */
int fallback_yield(const struct deployment *deployment, const struct target *target,
		   bool *ret, struct err *err);

struct fallback_look {
	bool unfinished;  /* died, or failed on its way back: fallback_enter() again */
	bool back;        /* on its way back to tls.json */
	bool touched;     /* more than the guard may have been changed */
	bool by_operator; /* asked for by command */
};

/* How far is it, as the journal on disk says? Looks only; a missing or damaged journal is
 * no fallback. */
struct fallback_look fallback_look(const char *folder, const char *target);

/* Did we die while falling back? Then fallback_enter() is to be called again. */
bool fallback_unfinished(const char *folder, const char *target);

#endif
