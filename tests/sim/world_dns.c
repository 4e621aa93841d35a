/* world_dns.c - hooks/resolver.h: a DNS in which nobody has published anything, or that
 * does not answer. And the machine's name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/resolver.h"
#include "tests/sim/world.h"

struct resolver {
	char unused;
};

int resolver_new(const struct resolver_options *options, const struct cancel *cancel,
		 struct resolver **ret, struct err *err)
{
	(void)options;
	(void)cancel;
	(void)err;
	*ret = mem_calloc(1, sizeof(**ret));
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	free(resolver);
}

static int silent(const char *name, struct err *err)
{
	return world->dns_down
		       ? err_set(err, ERR_TRANSIENT, "'%s': no name server answers", name)
		       : 0;
}

int resolver_txt(struct resolver *resolver, const char *name, struct strlist *values,
		 struct err *err)
{
	(void)resolver;
	(void)values;
	return silent(name, err)
		       ? -1
		       : err_set(err, ERR_NOT_FOUND, "'%s': no such name", name);
}

int resolver_follow(struct resolver *resolver, const char *name, char **ret_name,
		    struct err *err)
{
	(void)resolver;
	if (silent(name, err))
		return -1;
	*ret_name = str_dup(name);
	return 0;
}

int resolver_has_address(struct resolver *resolver, const char *name, struct err *err)
{
	(void)resolver;
	return silent(name, err);
}

int resolver_zone(struct resolver *resolver, const char *name, char **ret_zone,
		  struct strlist *servers, struct err *err)
{
	(void)servers;
	return resolver_follow(resolver, name, ret_zone, err);
}

void caa_set_clear(struct caa_set *set)
{
	*set = (struct caa_set){ 0 };
}

int resolver_caa(struct resolver *resolver, const char *name, struct caa_set *ret,
		 struct err *err)
{
	(void)resolver;
	*ret = (struct caa_set){ 0 };
	return silent(name, err);
}

int resolver_await(struct resolver *resolver, const char *name, const char *value,
		   int64_t timeout_s, struct err *err)
{
	(void)resolver;
	(void)value;
	(void)timeout_s;
	return silent(name, err);
}

/* Alerts name the host: the same one on every machine. */
int uv_os_gethostname(char *buffer, size_t *size);
int uv_os_gethostname(char *buffer, size_t *size)
{
	snprintf(buffer, *size, "sim.example");
	*size = strlen(buffer);
	return 0;
}
