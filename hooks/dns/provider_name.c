/* provider_name.c - climbing from a record to its zone. */
#include "hooks/dns/provider_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "hooks/resolver.h"

#define LEVELS_MAX 16
#define TRIED_MAX 1024

static bool is_in(const char *name, const char *zone)
{
	size_t len = strlen(name), len_zone = strlen(zone);

	return len >= len_zone && str_equal_nocase(name + len - len_zone, zone) &&
	       (len == len_zone || name[len - len_zone - 1] == '.');
}

static int ask_given(const struct provider_zones *zones, const char *record,
		     char **ret_id, struct err *err)
{
	char *id = NULL;

	if (!is_in(record, zones->given))
		return err_set(err, ERR_CONFIG,
			       "'%s' is not in the zone '%s' that the "
			       "configuration names",
			       record, zones->given);
	if (zones->look_up(zones->ctx, zones->given, &id, err))
		return -1;
	if (!id)
		return err_set(err, ERR_CONFIG, "there is no zone '%s' there: %s",
			       zones->given, zones->way_out);
	*ret_id = id;
	return 0;
}

static int climb(const struct provider_zones *zones, const char *name, struct buf *tried,
		 char **ret_id, struct err *err)
{
	char *id = NULL;

	for (int level = 0; level < LEVELS_MAX && strchr(name, '.'); level++) {
		if (zones->look_up(zones->ctx, name, &id, err))
			return -1;
		if (id) {
			*ret_id = id;
			return 0;
		}
		buf_printf(tried, "%s'%s'", tried->len ? ", " : "", name);
		name = strchr(name, '.') + 1;
	}
	return err_set(err, ERR_CONFIG,
		       "none of the zones there has this name (asked for %s): %s",
		       buf_str(tried), zones->way_out);
}

int provider_find_zone(const struct provider_zones *zones, const char *record,
		       char **ret_id, struct err *err)
{
	const char *name = record;
	struct buf tried;
	int rc;

	if (zones->given)
		return ask_given(zones, record, ret_id, err);
	while (*name == '_' && strchr(name, '.'))
		name = strchr(name, '.') + 1;
	buf_init(&tried, TRIED_MAX);
	rc = climb(zones, name, &tried, ret_id, err);
	buf_release(&tried);
	return rc;
}

char *provider_record_of(const struct dns_work *work, const char *domain)
{
	char *name = str_printf("_acme-challenge.%s", domain), *record = NULL;
	struct err ignored;

	if (work->alias) {
		free(name);
		return str_dup(work->alias);
	}
	if (!work->resolver || resolver_follow(work->resolver, name, &record, &ignored))
		return name;
	free(name);
	return record;
}
