/* issue_command.c - a program reads our certificate request and writes the chain: certreq
 * against a CA of the house, a script to a CA without ACME.
 *
 * What if we die here? The program may have obtained a certificate that nobody takes; the
 * next attempt asks again with the same key, and the breaker has counted both. */
#include "daemon/issue.h"

#include <stdlib.h>
#include <string.h>

#include "acme/csr.h"
#include "base/files.h"
#include "base/process.h"

struct exchange { /* the folder that request and answer pass through */
	char *folder, *csr, *chain;
};

static int exchange_open(const struct pass *pass, struct exchange *exchange,
			 struct err *err)
{
	exchange->folder = path_join(pass->folder, "command");
	exchange->csr = path_join(exchange->folder, "request.csr");
	exchange->chain = path_join(exchange->folder, "chain.pem");
	/* An answer of last time must not be taken for this one's. */
	if (tree_remove(exchange->folder, err) ||
	    dir_make(exchange->folder, FILE_SECRET, err))
		return err_wrap(err, "make room for the request");
	return 0;
}

static void exchange_close(struct exchange *exchange)
{
	struct err ignored;

	(void)tree_remove(exchange->folder, &ignored);
	free(exchange->folder);
	free(exchange->csr);
	free(exchange->chain);
}

static int write_request(const struct attempt *attempt, const struct exchange *exchange,
			 struct err *err)
{
	const struct certificate_config *certificate = attempt->pass->certificate;
	char *pem = NULL;
	int rc;

	if (csr_make_pem(attempt->key, certificate->hosts, certificate->common_name, &pem,
			 err))
		return -1;
	rc = file_replace(exchange->csr, pem, strlen(pem), FILE_SECRET, err);
	free(pem);
	return rc;
}

/* Every `word` in `text` becomes `value`. Gives. */
static char *fill_in(const char *text, const char *word, const char *value)
{
	char *out = str_dup("");
	const char *at;

	while ((at = strstr(text, word)) != NULL) {
		char *head = str_ndup(text, (size_t)(at - text));
		char *more = str_printf("%s%s%s", out, head, value);

		free(head);
		free(out);
		out = more;
		text = at + strlen(word);
	}
	at = out;
	out = str_printf("%s%s", at, text);
	free((char *)at);
	return out;
}

static void arguments(const struct program *program, const struct exchange *exchange,
		      struct strlist *ret)
{
	for (size_t i = 0; program->argv[i]; i++) {
		char *with_csr = fill_in(program->argv[i], "{csr}", exchange->csr);
		char *with_both = fill_in(with_csr, "{chain}", exchange->chain);

		strlist_add(ret, with_both);
		free(with_both);
		free(with_csr);
	}
}

static int run(const struct attempt *attempt, const struct exchange *exchange,
	       struct err *err)
{
	const struct program *program = &attempt->issuer->program;
	struct strlist argv = { 0 };
	struct process_spec spec = { .timeout_s = program->timeout_s,
				     .cancel = attempt->pass->in->cancel };
	int rc;

	arguments(program, exchange, &argv);
	spec.argv = (const char *const *)argv.items;
	rc = process_run_ok(&spec, err);
	strlist_clear(&argv);
	return rc;
}

static int read_answer(struct attempt *attempt, const struct exchange *exchange,
		       struct err *err)
{
	const char *program = attempt->issuer->program.argv[0];

	if (!file_read(exchange->chain, &attempt->pem, err))
		return 0;
	if (err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_TRANSIENT,
			       "'%s' ended well, but wrote no certificate: it has to "
			       "write the chain in PEM form, the certificate first, to "
			       "the path that its argument {chain} becomes",
			       program);
	return err_wrap(err, "read what '%s' wrote", program);
}

int issue_by_command(struct attempt *attempt, struct err *err)
{
	struct exchange exchange = { 0 };
	int rc = -1;

	if (issue_check_breaker(attempt, err) || issue_prepare_key(attempt, err))
		return -1;
	if (exchange_open(attempt->pass, &exchange, err) ||
	    write_request(attempt, &exchange, err) || issue_count(attempt, err) ||
	    run(attempt, &exchange, err) || read_answer(attempt, &exchange, err))
		goto out;
	rc = 0;
out:
	exchange_close(&exchange);
	return rc;
}

int issue_check_command(const struct attempt *attempt, const struct cert *fresh,
			struct err *err)
{
	const char *ca_bundle = attempt->issuer->ca_bundle;

	if (!ca_bundle || !cert_verify_chain(fresh, ca_bundle, true, err))
		return 0;
	err->kind = ERR_REFUSED;
	return err_wrap(err, "it does not end at a CA of '%s'", ca_bundle);
}
