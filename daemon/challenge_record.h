/* challenge_record.h - answers to challenges that lie outside of us: TXT records, files
 * below a web server's folder. certificates/<name>/challenges.json.
 *
 * An answer is written down, durable, before it is made, and struck out when it is gone
 * again: whatever a run that died has left behind is named here, with all that it takes
 * to remove it. An answer that is named and does not exist is no harm, removing is
 * idempotent.
 *
 *     challenge_record_add(&record, &entry); challenge_record_write(folder, &record)
 *     make the answer ... take it away
 *     challenge_record_remove(&record, &entry); challenge_record_write(folder, &record)
 */
#ifndef DAEMON_CHALLENGE_RECORD_H
#define DAEMON_CHALLENGE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct challenge_entry {      /* strings: owned by the record they are in */
	char *type;           /* "dns-01", "http-01" */
	char *provider;       /* dns-01: of `dns_providers`; else NULL */
	char *webroot;        /* http-01; else NULL */
	char *domain;         /* the name that was to be proven */
	char *record, *value; /* dns-01: the TXT record; else NULL */
	char *token, *key_authorization;
	int64_t made_at;
	unsigned tries; /* to remove it that failed since */
};

struct challenge_record {
	struct challenge_entry *items;
	size_t n;
};

/* Reads <folder>/challenges.json; missing: none. A damaged one is set aside: success, and
 * err->kind is ERR_CONFIG with the sentence to report (else ERR_NONE). */
int challenge_record_read(const char *folder, struct challenge_record *ret,
			  struct err *err);

/* Replaces it, 0600 and synced; an empty record is no file. */
int challenge_record_write(const char *folder, const struct challenge_record *record,
			   struct err *err);

/* Appends a copy. */
void challenge_record_add(struct challenge_record *record,
			  const struct challenge_entry *entry);
/* Strikes out those with the type, token and record of `entry`, which is none of the
 * record's own. */
void challenge_record_remove(struct challenge_record *record,
			     const struct challenge_entry *entry);
void challenge_record_drop(struct challenge_record *record, size_t i);
void challenge_record_clear(struct challenge_record *record);

#endif
