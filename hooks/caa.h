/* caa.h - may this CA issue for this name? RFC 8659, RFC 8657. Pure. */
#ifndef HOOKS_CAA_H
#define HOOKS_CAA_H

#include <stdbool.h>

#include "base/err.h"
#include "hooks/resolver.h"

struct caa_question {                      /* borrowed */
	const char *identifier;            /* "*.a.example" asks issuewild */
	const char *const *issuer_domains; /* of the CA; NULL-terminated */
	const char *account_url;           /* NULL: not known yet */
	const char *method;                /* "dns-01" */
};

/* 0: it may (also when there is no set, or the CA's domains are not known). ERR_REFUSED
 * with the record that forbids it, where it stands, and what to publish instead. */
int caa_check(const struct caa_set *set, const struct caa_question *question,
	      struct err *err);

#endif
