/* served.h - which chain an application really serves, beside the one that we stored:
 * certificates/<name>/served.json. Windows builds a chain of its own from what it has in
 * its stores, whatever we brought in: it is reported, and nothing is promised. */
#ifndef DAEMON_SERVED_H
#define DAEMON_SERVED_H

#include <cjson/cJSON.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/target.h"
#include "hooks/observe.h"

struct served_facts { /* of one target; borrowed */
	const struct target *target;
	const struct target_view *view; /* with its endpoints */
	const struct cert *stored;
	const char *wanted; /* `chain:`; NULL: none is preferred */
};

/* Puts what the target's endpoints were seen serving into `seen`, an array of {"target",
 * "connect", "sha1", "issuers", "complete"}; what serves another certificate than ours
 * stays as it was. Returns whether `seen` has changed. Pure. */
bool served_update(cJSON *seen, const struct served_facts *facts);

/* The sentence to tell when a preferred chain was stored and the target's endpoint number
 * `i` serves one that does not have it. Gives; NULL: nothing to tell. Pure. */
char *served_complaint(const struct served_facts *facts, size_t i);

/* The array of <folder>/served.json. Gives; empty when there is none, or it was damaged
 * and set aside: then err->kind is ERR_CONFIG with the sentence (else ERR_NONE). */
cJSON *served_read(const char *folder, struct err *err);

/* Replaces it, durable. */
int served_write(const char *folder, const cJSON *seen, struct err *err);

#endif
