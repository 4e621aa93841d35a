/* source_store.c - there is no such store here. */
#include "hooks/source.h"

int source_find_in_store(const char *location, const char *name,
			 const struct source_query *query, struct source_found *ret,
			 struct err *err)
{
	(void)query;
	(void)ret;
	return err_set(err, ERR_CONFIG,
		       "there is no certificate store '%s\\%s' on this system: give the "
		       "issuer a folder as 'path'",
		       location ? location : "LocalMachine", name ? name : "My");
}
