/* exec.c - a program of the operator's, called in the form of lego's exec:
 * `program present|cleanup FQDN. VALUE`, in raw mode `program present|cleanup -- DOMAIN
 * TOKEN KEYAUTH`. No shell; the environment is ours and what the configuration adds. */
#include "hooks/dns/provider.h"

#include <stdlib.h>

#include "base/process.h"
#include "base/str.h"
#include "hooks/dns/provider_program.h"

static int run(const struct dns_work *work, const struct dns_answer *answer,
	       const char *verb, struct err *err)
{
	const struct dns_provider *provider = work->provider;
	struct strlist argv = { 0 };
	char *fqdn = str_printf("%s.", answer->record);
	int rc;

	for (size_t i = 0; provider->program.argv[i]; i++)
		strlist_add(&argv, provider->program.argv[i]);
	strlist_add(&argv, verb);
	if (provider->raw) {
		strlist_add(&argv, "--");
		strlist_add(&argv, answer->domain);
		strlist_add(&argv, answer->token);
		strlist_add(&argv, answer->key_authorization);
	} else {
		strlist_add(&argv, fqdn);
		strlist_add(&argv, answer->value);
	}
	rc = provider_program_run(work, (const char *const *)argv.items, NULL, err);
	strlist_clear(&argv);
	free(fqdn);
	return rc ? err_wrap(err, "%s", verb) : 0;
}

static int present(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err)
{
	return run(work, answer, "present", err);
}

static int withdraw(const struct dns_work *work, const struct dns_answer *answer,
		    struct err *err)
{
	return run(work, answer, "cleanup", err);
}

static int check(const struct dns_work *work, const char *domain, struct err *err)
{
	(void)domain;
	return provider_program_check(work->provider->program.argv[0], err);
}

const struct dns_provider_kind dns_exec = { .present = present,
					    .withdraw = withdraw,
					    .check = check };
