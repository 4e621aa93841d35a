/* fallback.h - plain HTTP when the certificate has expired, and the way back.
 *
 * As the vendor documents it (delete tls.json, restart), made safe: before_fallback (the
 * guard; if it fails there is no fallback unless even_if_guard_fails), every
 * JSON file below config/server* copied, an open listener.json limited to this machine
 * (hooks/listener.h), tls.json moved into the state directory,
 * restart, the HTTP port answers, mode becomes MODE_FALLBACK. Journaled like a
 * deployment: dying anywhere, the next call finishes it.
 *
 * The way back is a deployment: deploy_run() on a target in MODE_FALLBACK renders
 * tls.json on the moved-away bytes, puts back the settings that the product reset,
 * restarts, verifies HTTPS, runs after_fallback and sets MODE_HTTPS. A tls.json that an
 * operator wrote meanwhile wins: MODE_OPERATOR. Whether to fall back is decided in
 * daemon/expired.h, never here. */
#ifndef HOOKS_FALLBACK_H
#define HOOKS_FALLBACK_H

#include "base/err.h"
#include "hooks/deploy.h"

/* Falls back (or finishes falling back) for one target of the deployment. `material` may
 * be NULL. Returns 0 when plain HTTP answers. On failure the sentence says what is served
 * now; a failing guard leaves everything as it was. */
int fallback_enter(const struct deployment *deployment, const struct target *target,
		   struct err *err);

/* Did we die while falling back? Then fallback_enter() is to be called again. */
bool fallback_unfinished(const char *folder, const char *target);

#endif
