/* provider_program.c - what providers that are programs have in common. */
#include "hooks/dns/provider_program.h"

#include <stdlib.h>

#include "base/files.h"
#include "base/process.h"
#include "base/str.h"

static void environment_add(struct strlist *env, const struct environment_value *value)
{
	char *line = str_printf("%s=%s", value->name,
				value->value ? value->value : value->secret.bytes);

	strlist_add(env, line);
	str_free_secret(line);
}

int provider_program_run(const struct dns_work *work, const char *const *argv,
			 const char *const *more, struct err *err)
{
	const struct dns_provider *provider = work->provider;
	struct process_spec spec = { .argv = argv,
				     .timeout_s = provider->timeout_s,
				     .cancel = work->cancel };
	struct strlist env = { 0 };
	int rc;

	for (size_t i = 0; i < provider->n_environment; i++)
		environment_add(&env, &provider->environment[i]);
	for (size_t i = 0; more && more[i]; i++)
		strlist_add(&env, more[i]);
	spec.env = (const char *const *)env.items;
	rc = process_run_ok(&spec, err);
	strlist_clear_secret(&env);
	return rc;
}

int provider_program_check(const char *path, struct err *err)
{
	struct file_facts facts;

	if (file_inspect(path, &facts, err))
		return -1;
	if (facts.type == FILE_REGULAR || facts.type == FILE_LINK)
		return 0;
	return err_set(err, ERR_CONFIG, "there is no file '%s'", path);
}
