/* resolver.h - questions to the DNS, by c-ares: what is published, and where.
 *
 * Blocking, cancellable within a second; one resolver belongs to one worker. Asks the
 * system's servers, or those that the operator names, by UDP and TCP, or by HTTPS (RFC
 * 8484). An answer that cannot be had says which: no such name is ERR_NOT_FOUND, SERVFAIL
 * (a broken DNSSEC chain looks so) is ERR_REFUSED with the name and the server, no answer
 * is ERR_TRANSIENT. */
#ifndef HOOKS_RESOLVER_H
#define HOOKS_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct cancel;
struct resolver;

struct resolver_options {
	const char *const *servers; /* "9.9.9.9:53", "https://..."; NULL or empty: the
				       system's */
	const char *ca_bundle;      /* for https; NULL: the system's trust */
	int64_t timeout_s;          /* of one question; 0: 10 */
};

/* Gives *ret. Copies the options, keeps `cancel`. */
int resolver_new(const struct resolver_options *options, const struct cancel *cancel,
		 struct resolver **ret, struct err *err);
void resolver_free(struct resolver *resolver); /* NULL is fine */

/* Adds the texts of every TXT record at `name` (its strings joined) to `values`. */
int resolver_txt(struct resolver *resolver, const char *name, struct strlist *values,
		 struct err *err);

/* 0 when `name` has an address, IPv4 or IPv6, at the end of its CNAMEs; ERR_NOT_FOUND
 * when it has none, or does not exist. */
int resolver_has_address(struct resolver *resolver, const char *name, struct err *err);

/* Follows CNAMEs from `name`, 16 at most: gives *ret_name, `name` itself where there is
 * none or it does not exist. ERR_REFUSED for a loop. */
int resolver_follow(struct resolver *resolver, const char *name, char **ret_name,
		    struct err *err);

/* The zone that `name` is in: gives *ret_zone ("example.com"), and adds the addresses of
 * its name servers ("192.0.2.53:53", see resolver_await()) to `servers` (may be NULL). */
int resolver_zone(struct resolver *resolver, const char *name, char **ret_zone,
		  struct strlist *servers, struct err *err);

struct caa_record {
	bool critical;
	char *tag, *value;
};
struct caa_set { /* the relevant set of a name: RFC 8659 3 */
	struct caa_record *items;
	size_t n;
	char *at; /* the name that has them; NULL: nobody up the tree has any */
};
void caa_set_clear(struct caa_set *set);

/* Climbs from `name` to the first that has CAA records. Fills *ret, also with none. */
int resolver_caa(struct resolver *resolver, const char *name, struct caa_set *ret,
		 struct err *err);

/* Waits, `timeout_s` at most, until every authoritative server of the zone of `name`
 * answers `value` as a TXT record there. 0 seen everywhere. Else ERR_TRANSIENT with the
 * servers that do not have it yet and what they said: a warning, never a veto. Polls
 * gently.
 *
 * They are found through the resolver's servers and asked at port 53; one whose address
 * is that of a server of the resolver's is asked at that one's port. One that does not
 * answer twice is left out: what cannot be reached from here says nothing about what the
 * CA sees. When none answers (port 53 is closed), the resolver's own servers speak for
 * them. Where the network has its own view of the zone, this sees that one: public
 * servers, or HTTPS, in the options see what the CA sees. */
int resolver_await(struct resolver *resolver, const char *name, const char *value,
		   int64_t timeout_s, struct err *err);

#endif
