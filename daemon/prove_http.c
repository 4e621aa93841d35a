/* prove_http.c - http-01 (RFC 8555 8.3): by our own responder, or by a file below the
 * folder of the web server that keeps port 80. */
#include "daemon/prove.h"

#include "base/clock.h"
#include "daemon/leftovers.h"
#include "daemon/responders.h"
#include "hooks/http01.h"

static struct http01 *responder(const struct prover *prover)
{
	return prover->all->pass->in->responders->http01;
}

static int check(struct prover *prover, const char *identifier, struct err *err)
{
	const struct challenge *way = prover->challenge;
	struct err taken;

	(void)identifier;
	if (way->webroot)
		return webroot_check(way->webroot, err);
	if (!http01_check(responder(prover), way->listen, err))
		return 0;
	if (err->kind == ERR_TRANSIENT) {
		taken = *err;
		err_set(err, ERR_TRANSIENT,
			"%s: stop it, or if it is the web server that answers for these "
			"names, give its folder as 'webroot:' of the challenge",
			taken.text);
	}
	return -1;
}

/* What has to be removed if we die. */
static struct challenge_entry file_of(const struct prover *prover,
				      const struct acme_challenge *challenge)
{
	return (struct challenge_entry){
		.type = (char *)prover->type->name,
		.webroot = (char *)prover->challenge->webroot,
		.domain = (char *)challenge->identifier,
		.token = (char *)challenge->token,
		.made_at = clock_wall(),
	};
}

static int present(struct prover *prover, const struct acme_challenge *challenge,
		   struct err *err)
{
	const struct challenge *way = prover->challenge;
	const struct challenge_entry file = file_of(prover, challenge);

	if (!way->webroot)
		return http01_serve(responder(prover), way->listen, challenge->token,
				    challenge->key_authorization, err);
	if (leftovers_add(prover->all->pass, &file, err))
		return -1;
	return webroot_serve(way->webroot, challenge->token, challenge->key_authorization,
			     err);
}

static void cleanup(struct prover *prover, const struct acme_challenge *challenge)
{
	const struct challenge *way = prover->challenge;
	const struct challenge_entry file = file_of(prover, challenge);
	struct err err;

	if (!way->webroot)
		http01_withdraw(responder(prover), way->listen, challenge->token);
	else if (webroot_withdraw(way->webroot, challenge->token, &err))
		pass_note(prover->all->pass, "challenge", "could not clean up: %s",
			  err.text);
	else
		leftovers_remove(prover->all->pass, &file);
}

const struct prover_type prove_http = {
	.name = "http-01",
	.addresses = true,
	.check = check,
	.present = present,
	.cleanup = cleanup,
};
