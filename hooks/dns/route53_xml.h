/* route53_xml.h - what Route 53 answers, and what it is told (API version 2013-04-01).
 * Pure: bytes in, facts out. All readers fail with ERR_REFUSED for what is not such an
 * answer. */
#ifndef HOOKS_DNS_ROUTE53_XML_H
#define HOOKS_DNS_ROUTE53_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Adds the ids of the public zones of that very name to `ids`. */
int route53_read_zones(const char *data, size_t len, const char *name,
		       struct strlist *ids, struct err *err);

struct route53_set {           /* the TXT records at one name */
	int64_t ttl_s;         /* 0: there is no such set */
	struct strlist values; /* quoted, as they stand there */
	bool special;          /* an alias, or one of several sets behind a policy */
};
void route53_set_clear(struct route53_set *set);

/* Fills *ret with the TXT records at `name`, which may be none. */
int route53_read_set(const char *data, size_t len, const char *name,
		     struct route53_set *ret, struct err *err);

struct route53_change {
	char id[64];  /* fit for a path; "" when there was none */
	bool in_sync; /* all of its servers have it */
};
int route53_read_change(const char *data, size_t len, struct route53_change *ret,
			struct err *err);

struct route53_error {
	char code[64];     /* "NoSuchHostedZone"; "" when there was none */
	char message[512]; /* printable */
};
/* What an answer that is no success says; empty when it is something else. */
void route53_read_error(const char *data, size_t len, struct route53_error *ret);

/* Appends the request that sets (`upsert`) or deletes the whole set at `name`. */
void route53_write_change(const char *name, bool upsert, const struct route53_set *set,
			  struct buf *out);

#endif
