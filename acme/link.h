/* link.h - the Link header (RFC 8288), as far as CAs use it. Pure. */
#ifndef ACME_LINK_H
#define ACME_LINK_H

#include "base/http_client.h"
#include "base/str.h"

#define LINKS_MAX 16

/* Adds to `targets` the https URLs of all links of one header's value that have the
 * relation `rel` ("alternate", any case). LINKS_MAX at most are there when it returns.
 * Whatever is malformed ends the reading; what stood in front of it counts. */
void link_targets(const char *value, const char *rel, struct strlist *targets);

/* The same for every Link header of an answer. */
void link_targets_of(const struct http_response *response, const char *rel,
		     struct strlist *targets);

#endif
