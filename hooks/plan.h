/* plan.h - all changes that bring a certificate into one target, made before anything is
 * touched: the store's link or files, tls.json, settings that the product reset while it
 * spoke plain HTTP or that name the old certificate, and the files that the operator's
 * programs rewrite. Looks only. Internal to hooks/. */
#ifndef HOOKS_PLAN_H
#define HOOKS_PLAN_H

#include "base/err.h"
#include "base/str.h"
#include "base/target.h"
#include "hooks/change.h"
#include "hooks/journal.h"
#include "hooks/material.h"

struct plan_request { /* all borrowed */
	const struct target *target;
	const struct material *material;
	const char *older;            /* struct deployment's; NULL: none */
	const struct journal *kept;   /* of the fallback: the way back; NULL: none */
	const struct journal *before; /* of an interrupted attempt; NULL: none */
	struct strlist *notes;        /* what is worth telling is appended; may be NULL */
};

/* Appends the changes in the order in which they are applied. */
int plan_build(const struct plan_request *request, struct change_list *list,
	       struct err *err);

/* Is everything already as planned? Files that a program rewrites cannot be told: they
 * count as `watched_count`. */
bool plan_is_applied(const struct change_list *list, bool watched_count);

/* Which certificate does tls.json name: "" when there is none, it names none, or it is
 * switched off (then *ret_enabled is false). */
int plan_named(const struct target *target, char ret_sha1[CERT_SHA1_HEX],
	       bool *ret_enabled, struct err *err);

#endif
