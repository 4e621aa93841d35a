/* resolve.h - the DNS as a pass asks it: one resolver, made when it is first needed, and
 * what was said about CAA so far. For the stages of a pass only. */
#ifndef DAEMON_RESOLVE_H
#define DAEMON_RESOLVE_H

#include "daemon/pass.h"
#include "hooks/resolver.h"

/* The pass's resolver (`resolvers:`). Borrowed until the pass closes. */
int resolve_open(struct pass *pass, struct resolver **ret, struct err *err);

/* The relevant CAA set of a name, asked once a pass: of a DNS that has not answered once
 * nothing more is asked. Borrowed until the next question. Errors as resolver_caa(). */
int resolve_caa(struct pass *pass, const char *name, const struct caa_set **ret,
		struct err *err);

/* Forgets all of it. */
void resolve_close(struct pass *pass);

#endif
