/* rehearsal_ca.c - one CA on trial: the real one as far as no order is needed, and its
 * directory for trials from order to certificate. */
#include <stdlib.h>
#include <string.h>

#include "acme/acme.h"
#include "acme/key.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/account_session.h"
#include "daemon/accounts.h"
#include "daemon/findings.h"
#include "daemon/issue.h"
#include "daemon/prove.h"
#include "daemon/rehearsal_parts.h"
#include "daemon/sessions.h"
#include "daemon/state_file.h"

struct trial {
	struct pass *pass;
	const struct issuer_config *issuer;
	bool registers;
	struct account_session look;  /* of the real account, when it is only looked at */
	struct acme_session *session; /* borrowed; NULL: the CA cannot be spoken to */
	const struct acme_directory *directory; /* borrowed */
};

/* ---- the real CA ---------------------------------------------------------- */

static int open_session(struct trial *trial, bool *ret_known, struct err *err)
{
	struct pass *pass = trial->pass;

	if (trial->registers) {
		*ret_known = true;
		return sessions_get(pass->in->sessions, trial->issuer, &trial->session,
				    err);
	}
	if (account_session_look(&trial->look, pass->in->config, trial->issuer,
				 pass->in->cancel, ret_known, err))
		return -1;
	trial->session = trial->look.session;
	return 0;
}

/* Nobody has registered yet: could the first order? */
static int check_admission(const struct trial *trial, struct err *err)
{
	const struct issuer_config *issuer = trial->issuer;

	if (trial->directory->terms_of_service && !issuer->agree_to_terms)
		return err_set(err, ERR_CONFIG,
			       "there is none yet, and none can be made: the CA asks to "
			       "agree to its terms of service '%.500s' (agree_to_terms)",
			       trial->directory->terms_of_service);
	if (trial->directory->external_account_required && !issuer->eab_key_id)
		return err_set(err, ERR_CONFIG,
			       "there is none yet, and none can be made: the CA binds "
			       "accounts to one that you have with it already (eab)");
	return 0;
}

static void look_at_account(struct trial *trial, bool known)
{
	struct acme_account_facts facts = { 0 };
	struct pass *pass = trial->pass;
	const char *name = trial->issuer->name;
	struct err err;

	if (!known) {
		pass_find_result(pass, check_admission(trial, &err), name, "account",
				 "there is none yet; the first order makes one", &err);
	} else if (acme_account_read(trial->session, &facts, &err)) {
		pass_find(pass, FINDING_FAILED, name, "account", "%s", err.text);
	} else {
		pass_find(pass,
			  strcmp(facts.status, "valid") != 0 ? FINDING_FAILED
							     : FINDING_OK,
			  name, "account", "%s is %s", facts.url, facts.status);
	}
	acme_account_facts_clear(&facts);
}

static void look_at_ca(struct trial *trial)
{
	const char *name = trial->issuer->name;
	bool known = false;
	struct err err;

	if (open_session(trial, &known, &err)) {
		pass_find(trial->pass, FINDING_FAILED, name, "account", "%s", err.text);
		trial->session = NULL;
		return;
	}
	if (acme_session_directory(trial->session, &trial->directory, &err)) {
		pass_find(trial->pass, FINDING_FAILED, name, "directory", "%s", err.text);
		trial->session = NULL;
		return;
	}
	pass_find(trial->pass, FINDING_OK, name, "directory", "%s",
		  trial->issuer->directory);
	look_at_account(trial, known);
}

/* ---- the names, without an order ------------------------------------------ */

static const char *const *ca_names(const struct trial *trial)
{
	const struct issuer_config *issuer = trial->issuer;

	if (issuer->caa && issuer->caa[0])
		return issuer->caa;
	return trial->session
		       ? (const char *const *)trial->directory->caa_identities.items
		       : NULL;
}

/* Whether it could be ordered, as far as no order is needed. A CA that cannot be spoken
 * to says nothing of what is not well on our side. */
static bool look_at_names(struct trial *trial, bool alone)
{
	const struct rehearsal_names names = {
		.issuer = trial->issuer,
		.account_url = trial->session ? acme_session_account_url(trial->session)
					      : NULL,
		.domains = ca_names(trial),
		.unheard = !trial->session,
		.alone = alone,
	};

	return rehearse_names(trial->pass, &names);
}

/* ---- an order at the directory for trials ---------------------------------- */

static int on_order_created(void *ctx, const char *order_url, struct err *err)
{
	(void)ctx;
	(void)order_url;
	(void)err;
	return 0; /* nobody resumes a trial */
}

static int on_before_finalize(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	return 0; /* nor is it counted */
}

static void on_progress(void *ctx, const char *stage, const char *detail)
{
	const struct trial *trial = ctx;

	pass_note(trial->pass, stage, "on trial: %s", detail);
}

/* The issuer as it is on trial: an account folder of its own. Gives its name. */
static struct issuer_config on_trial(const struct issuer_config *issuer)
{
	struct issuer_config staging = *issuer;

	staging.name = str_printf("%s.staging", issuer->name);
	staging.directory = issuer->staging;
	staging.staging = NULL;
	return staging;
}

/* Passes over several certificates may want the same trial account at the same moment. */
static int prepare_account(const struct config *config,
			   const struct issuer_config *staging, struct err *err)
{
	char *path = str_printf("%s/accounts/trial.lock", config->state_dir);
	struct strlist notes = { 0 };
	struct file_lock *lock = NULL;
	int rc = -1;

	if (!state_file_lock(path, &lock, err))
		rc = account_prepare(config, staging, &notes, err);
	file_lock_release(lock);
	strlist_clear(&notes);
	free(path);
	return rc;
}

static int order_once(struct trial *trial, struct acme_session *session,
		      struct provers *provers, EVP_PKEY *key, struct acme_result *result,
		      struct err *err)
{
	const struct certificate_config *certificate = trial->pass->certificate;
	const struct acme_request request = {
		.names = certificate->hosts,
		.key = key,
		.common_name = certificate->common_name,
		.profile = certificate->profile,
		.profile_required = certificate->profile_required,
		.chain = certificate->chain,
		.solvers = provers->solvers,
		.n_solvers = provers->n,
		.record = { .ctx = trial,
			    .order_created = on_order_created,
			    .before_finalize = on_before_finalize,
			    .progress = on_progress },
	};

	return acme_obtain(session, &request, result, err);
}

static int judge(struct trial *trial, const struct acme_result *result, EVP_PKEY *key,
		 struct err *err)
{
	struct cert *cert = NULL;
	int rc = -1;

	for (size_t i = 0; i < result->notes.n; i++)
		pass_find(trial->pass, FINDING_NOTE, trial->issuer->name, "order", "%s",
			  result->notes.items[i]);
	if (cert_parse(buf_str(&result->pem), result->pem.len, &cert, err))
		goto out;
	if (!cert_names_are(cert, trial->pass->certificate->hosts))
		err_set(err, ERR_REFUSED, "the certificate has other names than ordered");
	else if (!cert_matches_key(cert, key))
		err_set(err, ERR_REFUSED, "the certificate is for another key");
	else
		rc = 0;
out:
	cert_free(cert);
	return rc;
}

/* The key lives here and dies here. */
static int order(struct trial *trial, struct acme_session *session,
		 struct provers *provers, struct err *err)
{
	struct acme_result result;
	EVP_PKEY *key = NULL;
	bool again = true;
	int rc = -1;

	if (key_generate(trial->pass->certificate->key_type, &key, err))
		return -1;
	for (size_t round = 0; rc && again && round < provers->n; round++) {
		acme_result_init(&result);
		rc = order_once(trial, session, provers, key, &result, err);
		again = rc && err->kind != ERR_CANCELLED &&
			provers_fall_back(provers, &result.challenged, err);
		if (!rc && judge(trial, &result, key, err)) {
			rc = -1;
			again = false;
		}
		acme_result_clear(&result);
	}
	if (rc)
		provers_explain(provers, err);
	EVP_PKEY_free(key);
	return rc;
}

static int prove_and_order(struct trial *trial, struct acme_session *session,
			   struct err *err)
{
	struct provers provers;
	int rc = -1;

	provers_open(&provers, trial->pass);
	if (!provers_check(&provers, err) &&
	    !provers_know(&provers, acme_session_account_url(session), NULL, err))
		rc = order(trial, session, &provers, err);
	provers_close(&provers);
	return rc;
}

/* A record for one account lets no other in. */
static bool only_persistent(const struct certificate_config *certificate)
{
	for (size_t i = 0; i < certificate->n_challenges; i++)
		if (certificate->challenges[i].type != DNS_PERSIST_01)
			return false;
	return certificate->n_challenges > 0;
}

static void note_wait(struct rehearsal *record, const struct err *err)
{
	record->order_not_before = err->retry_after_s ? clock_wall() + err->retry_after_s
						      : 0;
}

/* What came of it, for those that may not order again so soon. */
static void note_order(struct rehearsal *record, int rc, const struct err *err)
{
	record->ordered_at = clock_wall();
	record->ordered = !rc;
	record->order_failed = rc != 0;
	str_copy(record->order_text, sizeof(record->order_text), rc ? err->text : "");
	record->order_not_before = 0;
	if (rc)
		note_wait(record, err);
}

static void order_on_trial(struct trial *trial, struct rehearsal *record)
{
	struct issuer_config staging = on_trial(trial->issuer);
	const struct config *config = trial->pass->in->config;
	struct account_session session = { 0 };
	struct err err;
	int rc;

	if (prepare_account(config, &staging, &err) ||
	    account_session_open(&session, config, &staging, trial->pass->in->cancel,
				 &err)) {
		pass_find(trial->pass, FINDING_FAILED, trial->issuer->name, "staging",
			  "%s: %s", trial->issuer->staging, err.text);
		note_wait(record, &err);
	} else {
		pass_find(trial->pass, FINDING_OK, trial->issuer->name, "staging",
			  "%s, with the account %s", trial->issuer->staging,
			  session.known_url);
		rc = prove_and_order(trial, session.session, &err);
		note_order(record, rc, &err);
		pass_find_result(trial->pass, rc, trial->issuer->name, "order",
				 "a certificate was obtained there, and thrown away",
				 &err);
	}
	account_session_close(&session);
	free((char *)staging.name);
}

/* Its directory is not to be asked again so soon: what was learned last still counts. */
static void recall_order(struct trial *trial, struct rehearsal *record)
{
	char day[CLOCK_TEXT_MAX];

	if (!record->ordered_at) {
		clock_format_people(record->order_not_before, day);
		pass_find(
			trial->pass, FINDING_NOTE, trial->issuer->name, "order",
			"none was made on trial: its directory for trials asked to wait "
			"until %s",
			day);
		return;
	}
	clock_format_people(record->ordered_at, day);
	record->ordered = record->ordered_at && !record->order_failed;
	pass_find(trial->pass, record->order_failed ? FINDING_FAILED : FINDING_OK,
		  trial->issuer->name, "order",
		  record->order_failed
			  ? "the order on trial of %s failed: %s; one a week is made, or "
			    "now by `certrenewd rehearse`"
			  : "a certificate was obtained on trial on %s%s; one a week is "
			    "made",
		  day, record->order_failed ? record->order_text : "");
}

static bool can_order_on_trial(const struct trial *trial)
{
	return trial->issuer->staging && !only_persistent(trial->pass->certificate);
}

static void say_why_not(struct trial *trial)
{
	pass_find(trial->pass, FINDING_NOTE, trial->issuer->name, "staging",
		  trial->issuer->staging
			  ? "the record of dns-persist-01 lets the real account in, and "
			    "no other: nothing was ordered"
			  : "no directory for trials is known (`staging:` names one): "
			    "nothing was ordered");
}

static void learn_date(struct trial *trial)
{
	if (trial->session)
		issue_learn_date(trial->pass, trial->session);
}

void rehearse_ca(struct pass *pass, const struct issuer_config *issuer, bool registers,
		 bool may_order, struct rehearsal *record)
{
	struct trial trial = { .pass = pass, .issuer = issuer, .registers = registers };
	bool well;

	record->ordered = false;
	look_at_ca(&trial);
	well = look_at_names(&trial, !may_order || !can_order_on_trial(&trial));
	learn_date(&trial);
	sessions_rest(pass->in->sessions);
	account_session_close(&trial.look);
	if (!can_order_on_trial(&trial))
		say_why_not(&trial);
	else if (!well) /* the order would say the same once more */
		pass_find(pass, FINDING_NOTE, issuer->name, "order",
			  "none was made on trial: it would fail for that");
	else if (may_order)
		order_on_trial(&trial, record);
	else
		recall_order(&trial, record);
}
