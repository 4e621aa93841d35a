/* findings.h - what a look at many things found, one line each: shown as it is found, and
 * gathered for machines (`rehearse`, `publish`). For the stages of a pass only. */
#ifndef DAEMON_FINDINGS_H
#define DAEMON_FINDINGS_H

#include <stdbool.h>

#include "base/err.h"
#include "daemon/pass.h"

enum finding {
	FINDING_OK,
	FINDING_NOTE,   /* worth a line, no reason to worry */
	FINDING_FAILED, /* the whole has failed with it */
};

struct dns_wish { /* borrowed */
	const char *name, *type, *value;
};

/* Adds one. `of`: an issuer, a target, a name; NULL: the certificate. `check`: what was
 * looked at, a word. */
void pass_find(struct pass *pass, enum finding finding, const char *of, const char *check,
	       const char *fmt, ...) PRINTF_LIKE(5, 6);

/* A record of the DNS: one that has to be there, and whether it is. For machines with its
 * name, type and value. */
void pass_find_record(struct pass *pass, enum finding finding, const char *of,
		      const struct dns_wish *wish, const char *fmt, ...)
	PRINTF_LIKE(5, 6);

/* FINDING_FAILED with err's sentence when rc is not 0, else FINDING_OK with `well`. True
 * when it is well. */
bool pass_find_result(struct pass *pass, int rc, const char *of, const char *check,
		      const char *well, const struct err *err);

/* How many have failed so far, not counting the first `skip` of them; and the first of
 * those: "check of: sentence". */
unsigned pass_findings_failed(const struct pass *pass, unsigned skip, char *ret_first,
			      size_t size);

#endif
