/* issue_store.c - certificates that we did not order: whoever put it there, the newest
 * that has our names is brought into the applications. */
#include "daemon/issue.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/facts.h"
#include "hooks/source.h"

/* Gives; ERR_NOT_FOUND when nothing is newer than what is in hand. */
static int find(const struct pass *pass, const struct issuer_config *issuer,
		struct source_found *ret, struct err *err)
{
	const struct source_query query = {
		.names = pass->certificate->hosts,
		.than = pass->have_current && cert_names_cover(pass->current.cert,
							       pass->certificate->hosts)
				? pass->current.cert
				: NULL,
		.now = pass->now,
	};

	if (issuer->path)
		return source_find_in_folder(issuer->path, &query, ret, err);
	return source_find_in_store(issuer->location, issuer->store_name, &query, ret,
				    err);
}

static const struct issuer_config *first_issuer(const struct pass *pass)
{
	return config_issuer(pass->in->config, pass->certificate->issuers[0]);
}

bool pass_comes_from_store(const struct pass *pass)
{
	const struct issuer_config *issuer = first_issuer(pass);

	return issuer && issuer->type == ISSUER_STORE;
}

bool pass_newer_was_put(struct pass *pass)
{
	struct source_found found = { 0 };
	struct err err;

	if (!pass_comes_from_store(pass))
		return false;
	pass->now = clock_wall();
	if (find(pass, first_issuer(pass), &found, &err)) {
		pass_note(pass, "look", "nothing newer: %s", err.text);
		return false;
	}
	pass_note(pass, "look", "%s was put into %s", cert_sha1(found.cert), found.where);
	source_found_clear(&found);
	return true;
}

static int nothing_newer(const struct pass *pass, struct err *err)
{
	char until[CLOCK_TEXT_MAX];

	if (err->kind != ERR_NOT_FOUND)
		return err_wrap(err, "look for a newer certificate");
	if (!pass->have_current)
		return err_wrap(err, "nobody has put a certificate for '%s' there yet",
				pass->certificate->hosts[0]);
	clock_format_people_local(cert_not_after(pass->current.cert), until);
	return err_wrap(err,
			"nobody has put a newer certificate for '%s' there, and the one "
			"in hand ends on %s",
			pass->certificate->hosts[0], until);
}

int issue_from_store(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct source_found found = { 0 };
	char *pem = NULL;
	int rc = -1;

	pass->now = clock_wall();
	if (find(pass, attempt->issuer, &found, err)) {
		nothing_newer(pass, err);
		goto out;
	}
	pass_note(pass, "order", "taking %s from %s", cert_sha1(found.cert), found.where);
	attempt->key = found.key;
	found.key = NULL;
	if (issue_begin_version(attempt, err))
		goto out;
	pem = cert_fullchain_pem(found.cert);
	if (buf_puts(&attempt->pem, pem)) {
		err_set(err, ERR_BUG, "a chain of %zu bytes", strlen(pem));
		goto out;
	}
	rc = 0;
out:
	free(pem);
	source_found_clear(&found);
	return rc;
}
