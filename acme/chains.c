#include "acme/chains.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "acme/account.h"
#include "acme/answer.h"
#include "acme/link.h"

#define ALTERNATES_MAX 8
#define NAME_MAX_BYTES 512

/* Gives the common name, made printable; the whole name where there is none. */
static char *name_of(const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *utf8 = NULL;
	char *text, line[NAME_MAX_BYTES];
	int len = at < 0 ? -1
			 : ASN1_STRING_to_UTF8(&utf8,
					       X509_NAME_ENTRY_get_data(
						       X509_NAME_get_entry(name, at)));

	if (len >= 0) {
		text = str_ndup((const char *)utf8,
				strnlen((const char *)utf8, (size_t)len));
		OPENSSL_free(utf8);
	} else {
		X509_NAME_oneline(name, line, sizeof(line));
		text = str_dup(line);
	}
	str_make_printable(text);
	return text;
}

static const X509 *last_of(const struct cert *cert)
{
	STACK_OF(X509) *chain = cert_chain(cert);
	int n = chain ? sk_X509_num(chain) : 0;

	return n > 0 ? sk_X509_value(chain, n - 1) : cert_leaf(cert);
}

char *chain_top(const struct cert *cert)
{
	return name_of(X509_get_issuer_name(last_of(cert)));
}

static bool issued_by(const X509 *cert, const char *name)
{
	char *issuer = name_of(X509_get_issuer_name(cert));
	bool same = str_equal(issuer, name);

	free(issuer);
	return same;
}

bool chain_is_from(const struct cert *cert, const char *name)
{
	STACK_OF(X509) *chain = cert_chain(cert);

	for (int i = 0; chain && i < sk_X509_num(chain); i++)
		if (issued_by(sk_X509_value(chain, i), name))
			return true;
	return issued_by(cert_leaf(cert), name);
}

static int keep(struct order_run *run, const struct http_response *response,
		struct err *err)
{
	buf_clear(&run->result->pem);
	if (buf_append(&run->result->pem, response->body.data, response->body.len))
		return err_set(err, ERR_REFUSED, "a chain of %zu bytes is too long",
			       response->body.len);
	return 0;
}

/* The one that was taken stands first. */
static void note_top(struct order_run *run, const struct cert *cert, bool taken)
{
	struct strlist *chains = &run->result->chains;
	char *top = chain_top(cert), *first;

	strlist_add(chains, top);
	if (taken && chains->n > 1) {
		first = chains->items[0];
		chains->items[0] = chains->items[chains->n - 1];
		chains->items[chains->n - 1] = first;
	}
	free(top);
}

/* Downloads one of the others. Sets *ret_taken when it is the one asked for. */
static int look_at(struct order_run *run, const char *url, const struct cert *leaf,
		   bool *ret_taken, struct err *err)
{
	struct http_response response = { 0 };
	struct cert *cert = NULL;
	int rc = -1;

	*ret_taken = false;
	if (account_post(run->session, url, "", &response, err) ||
	    cert_parse(buf_str(&response.body), response.body.len, &cert, err))
		goto out;
	if (strcmp(cert_sha256(cert), cert_sha256(leaf)) != 0) {
		err_set(err, ERR_REFUSED, "the chain at '%s' is of another certificate",
			url);
		goto out;
	}
	*ret_taken = chain_is_from(cert, run->request->chain);
	note_top(run, cert, *ret_taken);
	rc = *ret_taken ? keep(run, &response, err) : 0;
out:
	cert_free(cert);
	http_response_release(&response);
	return rc;
}

static void note_missing(struct order_run *run)
{
	struct strlist *chains = &run->result->chains;
	struct buf offered;
	char *note;

	buf_init(&offered, 2048);
	for (size_t i = 0; i < chains->n; i++)
		buf_printf(&offered, "%s'%.100s'", i ? ", " : "", chains->items[i]);
	note = str_printf("the CA has no chain from '%s', only %s: the first is taken",
			  run->request->chain, buf_str(&offered));
	strlist_add(&run->result->notes, note);
	free(note);
	buf_release(&offered);
}

int chains_choose(struct order_run *run, const struct http_response *response,
		  const struct cert *cert, struct err *err)
{
	const char *wanted = run->request->chain;
	struct strlist others = { 0 };
	struct err trouble;
	bool taken = false;
	int rc = 0;

	note_top(run, cert, false);
	if (keep(run, response, err))
		return -1;
	if (!wanted || chain_is_from(cert, wanted))
		return 0;
	link_targets_of(response, "alternate", &others);
	for (size_t i = 0; i < others.n && i < ALTERNATES_MAX && !taken && !rc; i++) {
		if (look_at(run, others.items[i], cert, &taken, &trouble) &&
		    trouble.kind == ERR_CANCELLED) {
			*err = trouble;
			rc = -1;
		}
	}
	if (!rc && !taken)
		note_missing(run);
	strlist_clear(&others);
	return rc;
}
