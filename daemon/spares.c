/* spares.c - the issuers that a certificate may be asked of when the first cannot: an
 * account there takes a terms-of-service, an external account binding, sometimes a
 * person. That is found out now, not on the day it is needed. Whether such a CA would
 * issue is found out by rehearsals. */
#include "daemon/pass.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/str.h"
#include "daemon/accounts.h"
#include "daemon/sessions.h"

#define TRY_EVERY_S INT64_C(86400)

static bool is_registered(const struct pass *pass, const struct issuer_config *issuer)
{
	struct account account = { 0 };
	struct err ignored;
	bool registered = !account_read(pass->in->config, issuer, &account, &ignored) &&
			  account.url;

	account_clear(&account);
	return registered;
}

static void register_at(struct pass *pass, const struct issuer_config *issuer)
{
	struct acme_session *session;
	char *whom, *what;
	struct err err;

	if (!sessions_get(pass->in->sessions, issuer, &session, &err)) {
		pass_note(pass, "account", "registered at '%s', in case it is needed",
			  issuer->name);
		return;
	}
	if (err.kind == ERR_CANCELLED)
		return;
	/* As rehearsals say it: when one succeeds, it is over. */
	whom = str_printf("issuer %s", issuer->name);
	what = str_printf("no account could be made at '%s', which is to be asked when "
			  "another issuer cannot: %s",
			  issuer->name, err.text);
	pass_note(pass, "account", "%s", what);
	pass_tell(pass, EVENT_REHEARSAL_FAILED, whom, what,
		  "repair what it names before that issuer is needed");
	free(what);
	free(whom);
}

void pass_register_spares(struct pass *pass)
{
	const char *const *names = pass->certificate->issuers;

	if (pass->in->command != PIPELINE_KEEP || !names[0] || !names[1] ||
	    pass->now < pass->job.spares_try_at || pass->in->not_saved)
		return;
	pass->job.spares_try_at = pass->now + TRY_EVERY_S;
	for (; *names && !cancel_requested(pass->in->cancel); names++) {
		const struct issuer_config *issuer = config_issuer(pass->in->config,
								   *names);

		if (issuer && issuer->type == ISSUER_ACME && !is_registered(pass, issuer))
			register_at(pass, issuer);
	}
}
