/* issue_csr.c - the operator's own request (`csr:`): its key is elsewhere, so the version
 * that waits for the certificate holds none. Read anew at each pass: he may replace it.
 */
#include "daemon/issue.h"

#include <stdlib.h>

#include "acme/csr.h"
#include "base/files.h"
#include "daemon/request.h"

#define REQUEST_MAX_BYTES ((size_t)64 * 1024)

static int read_request(const struct certificate_config *certificate,
			struct csr_facts *ret, struct err *err)
{
	struct buf file;
	int rc = -1;

	buf_init(&file, REQUEST_MAX_BYTES);
	if (!file_read(certificate->csr, &file, err))
		rc = csr_read(file.data, file.len, ret, err);
	if (rc)
		err_wrap(err, "the request in 'csr', '%s'", certificate->csr);
	buf_release(&file);
	return rc;
}

static bool has_host(const struct certificate_config *certificate, const char *name)
{
	for (size_t i = 0; certificate->hosts[i]; i++)
		if (str_equal_nocase(certificate->hosts[i], name))
			return true;
	return false;
}

static void list_names(const char *const *names, struct buf *out)
{
	buf_init(out, 1024);
	for (size_t i = 0; names && names[i]; i++)
		buf_printf(out, "%s%s", i ? ", " : "", names[i]);
}

/* A CA finalizes only a request for exactly the names of the order (RFC 8555 7.4). */
static int check_names(const struct certificate_config *certificate,
		       const struct csr_facts *facts, struct err *err)
{
	struct buf theirs, ours;
	bool same = true;

	for (size_t i = 0; i < facts->names.n; i++)
		same = same && has_host(certificate, facts->names.items[i]);
	for (size_t i = 0; certificate->hosts[i]; i++)
		same = same && strlist_has(&facts->names, certificate->hosts[i]);
	if (same)
		return 0;
	list_names((const char *const *)facts->names.items, &theirs);
	list_names(certificate->hosts, &ours);
	err_set(err, ERR_CONFIG,
		"the request in 'csr', '%s', is for '%s', and 'hosts' are '%s': make a "
		"new request, or correct 'hosts'",
		certificate->csr, buf_str(&theirs), buf_str(&ours));
	buf_release(&theirs);
	buf_release(&ours);
	return -1;
}

/* One that was begun for a request and never came to a certificate. */
static bool version_waits(const struct pass *pass)
{
	struct version waiting;
	struct err ignored;
	bool waits;

	if (!pass->job.order_version ||
	    version_load(pass->folder, pass->job.order_version, &waiting, &ignored))
		return false;
	waits = !waiting.cert && !waiting.key;
	version_clear(&waiting);
	return waits;
}

int issue_take_request(struct attempt *attempt, struct err *err)
{
	const struct certificate_config *certificate = attempt->pass->certificate;
	struct csr_facts facts = { 0 };
	int rc = -1;

	if (read_request(certificate, &facts, err) ||
	    check_names(certificate, &facts, err))
		goto out;
	if (pass_key_is_burnt(attempt->pass, facts.key)) {
		err_set(err, ERR_CONFIG,
			"the request in 'csr', '%s', has the key of a certificate that "
			"was revoked: make a new request with a new key",
			certificate->csr);
		goto out;
	}
	if (facts.asks_client_auth)
		pass_note(
			attempt->pass, "order",
			"the request asks for clientAuth: public CAs refuse or drop it");
	attempt->key = facts.key;
	attempt->csr = facts.der;
	attempt->key_elsewhere = true;
	facts.key = NULL;
	facts.der = NULL;
	rc = version_waits(attempt->pass) ? issue_remember_whose(attempt, err)
					  : issue_begin_version(attempt, err);
out:
	csr_facts_clear(&facts);
	return rc;
}

bool request_changed(const struct certificate_config *certificate,
		     const struct cert *current)
{
	struct csr_facts facts = { 0 };
	struct err ignored;
	bool changed;

	if (!certificate->csr || read_request(certificate, &facts, &ignored))
		return false;
	changed = !cert_matches_key(current, facts.key);
	csr_facts_clear(&facts);
	return changed;
}
