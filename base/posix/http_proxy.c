#include "base/http_client.h"

#include <stddef.h>

char *http_system_proxy(const char *url)
{
	(void)url;
	return NULL;
}
