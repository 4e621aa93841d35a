/* revoke.c - the operator's `revoke`: the certificate in hand is taken back by the CA
 * that issued it. What was asked for is in job.json before the CA is asked, so that an
 * answer that is lost, or our death, leaves a revocation that is repeated, and a
 * certificate that is renewed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/account_session.h"
#include "daemon/accounts.h"
#include "daemon/pass.h"
#include "daemon/revoke_reason.h"
#include "daemon/revoked.h"
#include "daemon/sessions.h"

static const struct {
	const char *word;
	enum acme_revocation reason;
} reasons[] = {
	{ "unspecified", REVOKE_UNSPECIFIED },
	{ "keyCompromise", REVOKE_KEY_COMPROMISE },
	{ "affiliationChanged", REVOKE_AFFILIATION_CHANGED },
	{ "superseded", REVOKE_SUPERSEDED },
	{ "cessationOfOperation", REVOKE_CESSATION_OF_OPERATION },
};

bool revoke_reason_of(const char *word, enum acme_revocation *ret)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (!word || str_equal_nocase(word, reasons[i].word)) {
			*ret = reasons[i].reason;
			return true;
		}
	return false;
}

const char *revoke_reason_words(void)
{
	return "unspecified, keyCompromise, affiliationChanged, superseded or "
	       "cessationOfOperation";
}

/* ---- what must not come back ---------------------------------------------- */

bool pass_is_revoked(const struct pass *pass)
{
	return pass->have_current &&
	       revoked_has(pass->job.revoked, cert_sha1(pass->current.cert));
}

bool pass_key_is_burnt(const struct pass *pass, const EVP_PKEY *key)
{
	char digest[KEY_DIGEST_SIZE];

	if (pass_is_revoked(pass) && cert_matches_key(pass->current.cert, key))
		return true;
	return !key_digest(key, digest) && revoked_has(pass->job.burnt_keys, digest);
}

/* A key that waits for a certificate may be the one that is compromised. */
static void forget_waiting(struct pass *pass)
{
	char *path;
	struct err ignored;

	if (!pass->job.order_version || pass->job.order_version == pass->current.n)
		return;
	path = str_printf("%s/versions/%lld", pass->folder,
			  (long long)pass->job.order_version);
	(void)tree_remove(path, &ignored);
	free(path);
	pass->job.order_version = 0;
	pass->job.order_url[0] = '\0';
}

static void burn_key(struct pass *pass)
{
	EVP_PKEY *key = X509_get0_pubkey(cert_leaf(pass->current.cert));
	char digest[KEY_DIGEST_SIZE];

	if (key && !key_digest(key, digest))
		revoked_add(pass->job.burnt_keys, sizeof(pass->job.burnt_keys), digest);
	forget_waiting(pass);
}

/* ---- at the CA ------------------------------------------------------------ */

/* Who issued it; by its own key it can be revoked wherever it came from. */
static const struct issuer_config *whose(const struct pass *pass, struct err *err)
{
	const struct config *config = pass->in->config;
	const struct issuer_config *issuer = config_issuer(config, pass->job.last_issuer);

	if (issuer && issuer->type == ISSUER_ACME)
		return issuer;
	for (size_t i = 0; pass->job.revoke_with_key && pass->certificate->issuers[i];
	     i++) {
		issuer = config_issuer(config, pass->certificate->issuers[i]);
		if (issuer && issuer->type == ISSUER_ACME)
			return issuer;
	}
	err_set(err, ERR_CONFIG,
		"'%s' came from '%s', which is no CA of this configuration that can be "
		"asked by ACME: revoke it where it was issued%s",
		pass->certificate->name,
		pass->job.last_issuer[0] ? pass->job.last_issuer : "somebody else",
		pass->job.revoke_with_key
			? ""
			: ", or give the certificate that CA as issuer and say "
			  "--with-key");
	return NULL;
}

/* Signed by the certificate's key: our account is not asked, it need not be there. */
static int revoke_by_key(struct pass *pass, const struct issuer_config *issuer,
			 enum acme_revocation reason, struct err *err)
{
	const struct acme_issuer facts = account_issuer(issuer);
	struct acme_session *session = NULL;
	struct account account = { 0 };
	int rc = -1;

	if (!account_read(pass->in->config, issuer, &account, err) &&
	    !acme_session_new(&facts, account.key, account.url, pass->in->cancel,
			      &session, err))
		rc = acme_revoke(session, pass->current.cert, reason, pass->current.key,
				 err);
	acme_session_free(session);
	account_clear(&account);
	return rc;
}

static int ask_ca(struct pass *pass, const struct issuer_config *issuer, struct err *err)
{
	enum acme_revocation reason = (enum acme_revocation)pass->job.revoke_reason;
	struct acme_session *session;
	int rc = -1;

	if (pass->job.revoke_with_key && pass->current.key)
		return revoke_by_key(pass, issuer, reason, err);
	if (!sessions_get(pass->in->sessions, issuer, &session, err))
		rc = acme_revoke(session, pass->current.cert, reason, NULL, err);
	sessions_rest(pass->in->sessions);
	return rc;
}

static bool may_be_answered_later(const struct err *err)
{
	return err->kind == ERR_TRANSIENT || err->kind == ERR_CANCELLED ||
	       err->kind == ERR_IO;
}

static void forget_request(struct pass *pass)
{
	struct err ignored;

	pass->job.revoke_sha1[0] = '\0';
	pass->job.revoked_at = 0;
	(void)pass_save_job(pass, &ignored);
}

/* Asks, and keeps what came of it. */
static int revoke(struct pass *pass, struct err *err)
{
	const char *sha1 = cert_sha1(pass->current.cert);
	const struct issuer_config *issuer = whose(pass, err);

	if (!issuer || ask_ca(pass, issuer, err)) {
		if (!issuer || !may_be_answered_later(err)) {
			forget_request(pass);
			return err_wrap(err, "revoke '%s'", pass->certificate->name);
		}
		return err_wrap(err,
				"revoke '%s': it is not known whether the CA has done "
				"it, and it is asked again in some minutes",
				pass->certificate->name);
	}
	pass->job.revoked_at = clock_wall();
	revoked_add(pass->job.revoked, sizeof(pass->job.revoked), sha1);
	if (pass->job.revoke_reason == REVOKE_KEY_COMPROMISE)
		burn_key(pass);
	pass_note(pass, "revoked", "'%s' has revoked %s", issuer->name, sha1);
	return pass_save_job(pass, err);
}

bool pass_revocation_pending(const struct pass *pass)
{
	return pass->have_current && !pass->job.revoked_at &&
	       str_equal(pass->job.revoke_sha1, cert_sha1(pass->current.cert));
}

int pass_finish_revocation(struct pass *pass, struct err *err)
{
	if (!revoke(pass, err))
		return 0;
	pass_tell(pass, EVENT_FAILED, NULL, err->text,
		  "the revocation was asked for by `certrenewd revoke`; see to it that "
		  "the CA can be reached");
	return -1;
}

/* ---- the command ---------------------------------------------------------- */

/* Names those that serve it. Gives; NULL: nobody. */
static char *who_serves(const struct pass *pass)
{
	char *names = NULL, *more;

	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		if (!pass_target_deployed(pass, i))
			continue;
		more = str_printf("%s%s'%s'", names ? names : "", names ? ", " : "",
				  pass->certificate->targets[i].name);
		free(names);
		names = more;
	}
	return names;
}

static int check_served(const struct pass *pass, struct err *err)
{
	char *names = who_serves(pass);

	if (names && !pass->in->force)
		err_set(err, ERR_CONFIG,
			"'%s' is served by %s: once it is revoked, clients that look "
			"refuse it until the next one is in place, which is ordered "
			"with a new key and deployed at once; there is no way back; "
			"--force does it",
			pass->certificate->name, names);
	free(names);
	return names && !pass->in->force ? -1 : 0;
}

static int check_key(const struct pass *pass, struct err *err)
{
	if (!pass->in->revoke_with_key || pass->current.key)
		return 0;
	return err_set(err, ERR_CONFIG,
		       "the key of '%s' is not on this disk, so it cannot sign: leave "
		       "out --with-key",
		       pass->certificate->name);
}

/* What follows the one that was revoked last is at hand, and nobody serves it yet: who
 * repeats the command wants that ended, not this one revoked, too. */
static bool what_follows_waits(const struct pass *pass)
{
	char *names;
	bool served;

	if (!pass->job.revoked_at ||
	    str_equal(pass->job.revoke_sha1, cert_sha1(pass->current.cert)))
		return false;
	names = who_serves(pass);
	served = names != NULL;
	free(names);
	return !served;
}

void pass_forget_revocation(struct pass *pass)
{
	struct job *job = &pass->job;

	if (!job->revoked_at || !pass_deployed(pass) ||
	    str_equal(job->revoke_sha1, cert_sha1(pass->current.cert)))
		return;
	job->revoke_sha1[0] = '\0';
	job->revoked_at = 0;
}

int pass_revoke(struct pass *pass, struct err *err)
{
	struct job *job = &pass->job;

	if (!pass->have_current)
		return err_set(err, ERR_NOT_FOUND, "there is no certificate to revoke");
	if (pass_is_revoked(pass) || what_follows_waits(pass)) {
		pass_note(pass, "revoked", "%s was revoked before",
			  pass_is_revoked(pass) ? cert_sha1(pass->current.cert)
						: job->revoke_sha1);
		return 0;
	}
	if (check_served(pass, err) || check_key(pass, err))
		return -1;
	str_copy(job->revoke_sha1, sizeof(job->revoke_sha1),
		 cert_sha1(pass->current.cert));
	job->revoke_reason = pass->in->revoke_reason;
	job->revoke_with_key = pass->in->revoke_with_key;
	job->revoked_at = 0;
	if (pass_save_job(pass, err))
		return -1;
	return revoke(pass, err);
}
