/* issue_key.c - what must be durable before somebody is asked for a certificate: the key,
 * its number, and the count that keeps us from asking too often. */
#include "daemon/issue.h"

#include <stdlib.h>
#include <string.h>

#include "acme/key.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/breaker.h"
#include "daemon/facts.h"

/* ---- the key ------------------------------------------------------------- */

/* The key of an order that was begun, or of one that never came to a certificate. */
static int load_waiting_key(const struct pass *pass, EVP_PKEY **ret_key)
{
	struct version waiting;
	struct err err;
	int rc = -1;

	if (!pass->job.order_version ||
	    version_load(pass->folder, pass->job.order_version, &waiting, &err))
		return -1;
	if (!waiting.cert && waiting.key && !pass_key_is_burnt(pass, waiting.key) &&
	    (pass->certificate->key_reuse ||
	     !strcmp(key_type_name(waiting.key), pass->certificate->key_type))) {
		EVP_PKEY_up_ref(waiting.key);
		*ret_key = waiting.key;
		rc = 0;
	}
	version_clear(&waiting);
	return rc;
}

static int64_t newest_number(const struct pass *pass)
{
	int64_t *numbers = NULL, newest = 0;
	size_t n = 0;
	struct err err;

	if (!versions_list(pass->folder, &numbers, &n, &err) && n)
		newest = numbers[n - 1];
	free(numbers);
	return newest > pass->job.version ? newest : pass->job.version;
}

static int make_key(const struct pass *pass, EVP_PKEY **ret_key, struct err *err)
{
	const struct certificate_config *certificate = pass->certificate;

	if (!certificate->key_reuse || !pass->have_current || !pass->current.key ||
	    pass_key_is_burnt(pass, pass->current.key) ||
	    strcmp(key_type_name(pass->current.key), certificate->key_type) != 0)
		return key_generate(certificate->key_type, ret_key, err);
	EVP_PKEY_up_ref(pass->current.key);
	*ret_key = pass->current.key;
	return 0;
}

static const char *directory_of(const struct issuer_config *issuer)
{
	return issuer->directory ? issuer->directory : "";
}

int issue_remember_whose(struct attempt *attempt, struct err *err)
{
	struct job *job = &attempt->pass->job;

	str_copy(job->order_issuer, sizeof(job->order_issuer), attempt->issuer->name);
	str_copy(job->order_directory, sizeof(job->order_directory),
		 directory_of(attempt->issuer));
	return pass_save_job(attempt->pass, err);
}

int issue_begin_version(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	int64_t n = newest_number(pass) + 1;

	if (version_create(pass->folder, n, attempt->key_elsewhere ? NULL : attempt->key,
			   err))
		return -1;
	pass->job.order_version = n;
	pass->job.order_url[0] = '\0';
	return issue_remember_whose(attempt, err);
}

void issue_leave_others(struct attempt *attempt)
{
	struct pass *pass = attempt->pass;
	struct job *job = &pass->job;
	const struct issuer_config *whose = config_issuer(pass->in->config,
							  job->order_issuer);

	if (strcmp(job->order_issuer, attempt->issuer->name) != 0 ||
	    strcmp(job->order_directory, directory_of(attempt->issuer)) != 0)
		job->order_url[0] = '\0';
	if (whose && whose->type == ISSUER_STORE)
		job->order_version = 0;
}

int issue_prepare_key(struct attempt *attempt, struct err *err)
{
	issue_leave_others(attempt);
	if (attempt->pass->certificate->csr)
		return issue_take_request(attempt, err);
	if (!load_waiting_key(attempt->pass, &attempt->key))
		return issue_remember_whose(attempt, err);
	if (make_key(attempt->pass, &attempt->key, err))
		return -1;
	return issue_begin_version(attempt, err);
}

/* ---- the circuit breaker ------------------------------------------------- */

/* A state file that was damaged and begun anew is no failure, but it is news. */
static void tell_damage(struct pass *pass, const struct err *err)
{
	if (err->kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err->text, NULL);
}

int issue_count(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;

	if (breaker_count(pass->in->config->state_dir, pass->certificate->hosts,
			  attempt->issuer->name, clock_wall(), err))
		return -1;
	tell_damage(pass, err);
	return 0;
}

/* A revoked certificate must be followed by another at once: what was issued before the
 * revocation counts no more. Returns how many are left. */
static size_t count_since_revocation(const struct pass *pass, int64_t *issued, size_t n)
{
	size_t left = 0;

	if (!pass_is_revoked(pass) || !pass->job.revoked_at)
		return n;
	for (size_t i = 0; i < n; i++)
		if (issued[i] >= pass->job.revoked_at)
			issued[left++] = issued[i];
	return left;
}

int issue_check_breaker(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct breaker_verdict verdict;
	char when[CLOCK_TEXT_MAX];
	int64_t *issued = NULL, interval;
	size_t n = 0;

	if (breaker_read(pass->in->config->state_dir, pass->certificate->hosts,
			 attempt->issuer->name, &issued, &n, err))
		return -1;
	tell_damage(pass, err);
	interval = facts_renewal_interval(pass->certificate,
					  pass->have_current ? pass->current.cert : NULL);
	n = count_since_revocation(pass, issued, n);
	verdict = breaker_decide(issued, n, interval, pass->now);
	free(issued);
	if (verdict.allowed)
		return 0;
	attempt->held = true;
	if (!pass->by_hand)
		pass_tell(
			pass, EVENT_CIRCUIT_OPEN, NULL, verdict.text,
			"find out why it is renewed so often before the CA's limits do");
	clock_format_people(verdict.retry_at, when);
	err_set(err, ERR_TRANSIENT,
		"the circuit breaker is open: %s; the next one is allowed at %s",
		verdict.text, when);
	if (verdict.retry_at > pass->now)
		err->retry_after_s = (uint32_t)(verdict.retry_at - pass->now);
	return -1;
}
