#include "config/proxy.h"

#include <stdlib.h>

#include "base/http_client.h"
#include "config/addresses.h"

const char *proxy_of_system(struct reading *r, const struct frame *frame,
			    struct node *map, const char *url)
{
	struct node_source source = { FROM_SYSTEM, map->key_place };
	const char *why = NULL, *proxy;
	char *found;

	if (!url || node_member(map, "proxy"))
		return NULL;
	found = http_system_proxy(url);
	if (!found)
		return NULL;
	proxy = address_proxy(&r->values, found, &why);
	if (proxy)
		node_append(map,
			    node_from_scalar(r->values.arena, source, "proxy", proxy));
	else /* it may have a password in it: not repeated */
		warning_at(r->problems, map->key_place,
			   "%s: the system's proxy is not used, because it is not of the "
			   "form http://HOST:PORT alone: write 'proxy: URL' or 'proxy: "
			   "none'",
			   frame->label);
	free(found);
	return proxy;
}
