/* inspection.h - one target as inspect.c saw it, on its way to heal.c. For these two. */
#ifndef DAEMON_INSPECTION_H
#define DAEMON_INSPECTION_H

#include "daemon/drift.h"
#include "daemon/healing.h"
#include "daemon/pass.h"
#include "hooks/observe.h"

struct inspection {
	size_t i; /* of the target in its certificate */
	struct target_view view;
	struct healing healing;
	struct drift_facts facts;
	struct drift_verdict verdict;
	struct strlist settings;    /* files that name a certificate of before */
	struct err store_why;       /* what is wrong with the store, or whom it names */
	char before[CERT_SHA1_HEX]; /* the earlier certificate that was met, if any */
};

/* What was found, as a clause for people ("tls.json was removed"). Gives. */
char *inspection_words(const struct pass *pass, const struct inspection *seen);

/* heal.c: puts back what the verdicts say (DRIFT_HEAL) in one deployment, and tells what
 * was found and what came of it. */
void pass_heal(struct pass *pass, struct inspection *list, size_t n);

#endif
