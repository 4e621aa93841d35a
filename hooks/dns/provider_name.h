/* provider_name.h - names on the way to a provider: where the record goes, and the zone
 * that it is in, for those who can be asked for a zone by its name. Private to the rows.
 */
#ifndef HOOKS_DNS_PROVIDER_NAME_H
#define HOOKS_DNS_PROVIDER_NAME_H

#include "hooks/dns.h"

struct provider_zones {
	void *ctx;
	/* Gives *ret_id, NULL when there is no zone of that very name. */
	int (*look_up)(void *ctx, const char *name, char **ret_id, struct err *err);
	const char *given; /* by the operator: no other zone is asked for; may be NULL */
	const char *way_out; /* what the operator may do when there is none */
};

/* Asks for `record` without its labels that begin with '_', then label by label up to the
 * last that has a dot: gives *ret_id of the first zone that there is. ERR_CONFIG with the
 * names that were asked for when there is none, or when `record` is not in `given`. */
int provider_find_zone(const struct provider_zones *zones, const char *record,
		       char **ret_id, struct err *err);

/* Gives where the record of `domain` goes, as far as can be seen: the alias, or where the
 * CNAMEs of "_acme-challenge.<domain>" lead; what cannot be followed is no error here. */
char *provider_record_of(const struct dns_work *work, const char *domain);

#endif
