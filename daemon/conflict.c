#include "daemon/conflict.h"

#include "base/service.h"
#include "base/str.h"

static bool lists_meet(const char *const *a, const char *const *b)
{
	for (; a && *a; a++)
		for (const char *const *other = b; other && *other; other++)
			if (str_equal(*a, *other))
				return true;
	return false;
}

/* Files that programs of both rewrite. */
static bool programs_meet(const struct target *a, const struct target *b)
{
	for (size_t i = 0; i < a->n_programs; i++)
		for (size_t k = 0; k < b->n_programs; k++)
			if (lists_meet(a->programs[i].changes, b->programs[k].changes))
				return true;
	return false;
}

static bool is_same(const char *a, const char *b)
{
	return a && str_equal(a, b);
}

/* One tls.json cannot be shared (config/checks.c); what lies beside it can. */
static bool files_meet(const struct target *a, const struct target *b)
{
	return lists_meet(a->settings, b->settings) || programs_meet(a, b) ||
	       is_same(a->listener_json, b->listener_json) ||
	       is_same(a->install_dir, b->install_dir);
}

static bool services_meet(const struct target *a, const struct target *b)
{
	return a->service.kind != SERVICE_NONE && service_same(&a->service, &b->service);
}

static bool any_pair(const struct certificate_config *a,
		     const struct certificate_config *b,
		     bool meet(const struct target *a, const struct target *b))
{
	for (size_t i = 0; i < a->n_targets; i++)
		for (size_t k = 0; k < b->n_targets; k++)
			if (meet(&a->targets[i], &b->targets[k]))
				return true;
	return false;
}

bool conflict_of_services(const struct certificate_config *a,
			  const struct certificate_config *b)
{
	return any_pair(a, b, services_meet);
}

bool conflict_between(const struct certificate_config *a,
		      const struct certificate_config *b)
{
	return any_pair(a, b, services_meet) || any_pair(a, b, files_meet);
}
