/* source.c - which certificate of a place is ours: the judgement. Where they are read
 * from: source_folder.c, and the twin source_store.c. */
#include "hooks/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "hooks/source_search.h"

void source_found_clear(struct source_found *found)
{
	cert_free(found->cert);
	EVP_PKEY_free(found->key);
	free(found->where);
	*found = (struct source_found){ 0 };
}

void source_search_clear(struct source_search *search)
{
	source_found_clear(&search->best);
	free(search->refused);
	search->refused = NULL;
}

static bool is_asked_for(const struct source_query *query, const struct cert *cert)
{
	if (query->sha1)
		return str_equal_nocase(query->sha1, cert_sha1(cert));
	return !query->names || cert_names_cover(cert, query->names);
}

/* NULL, or why it does not do. Gives. */
static char *shortcoming(const struct source_query *query, const struct cert *cert)
{
	const struct cert *than = query->than;
	char when[CLOCK_TEXT_MAX];

	if (query->look_only)
		return NULL;
	if (cert_has_expired(cert, query->now)) {
		clock_format_people_local(cert_not_after(cert), when);
		return str_printf("it has expired on %s", when);
	}
	if (cert_not_before(cert) > query->now) {
		clock_format_people_local(cert_not_before(cert), when);
		return str_printf("it is not valid before %s", when);
	}
	if (!cert_has_server_auth(cert))
		return str_dup("it is not for servers (extended key usage)");
	if (than && !strcmp(cert_sha256(cert), cert_sha256(than)))
		return str_dup("it is the one in hand");
	if (than && cert_not_after(cert) <= cert_not_after(than)) {
		clock_format_people_local(cert_not_after(cert), when);
		return str_printf("it ends on %s, not later than the one in hand", when);
	}
	return NULL;
}

bool source_wants(struct source_search *search, const struct cert *cert,
		  const char *where)
{
	char *why;

	search->seen++;
	if (!is_asked_for(search->query, cert))
		return false;
	why = shortcoming(search->query, cert);
	if (!why)
		return true;
	source_refuse(search, cert, where, why);
	free(why);
	return false;
}

void source_refuse(struct source_search *search, const struct cert *cert,
		   const char *where, const char *why)
{
	if (search->refused && cert_not_before(cert) <= search->refused_not_before)
		return;
	free(search->refused);
	search->refused = str_printf("the newest of these names, %.12s... in %s, does "
				     "not do: %s",
				     cert_sha1(cert), where, why);
	search->refused_not_before = cert_not_before(cert);
}

/* A chain in one file, the bare leaf in another: clients want the chain. */
static bool is_better(const struct source_found *best, const struct cert *cert)
{
	if (!best->cert)
		return true;
	if (!strcmp(cert_sha256(best->cert), cert_sha256(cert)))
		return sk_X509_num(cert_chain(cert)) >
		       sk_X509_num(cert_chain(best->cert));
	return cert_not_before(cert) > cert_not_before(best->cert);
}

void source_offer(struct source_search *search, struct cert *cert, EVP_PKEY *key,
		  const char *where)
{
	struct source_found offered = { .cert = cert, .key = key };

	if (!is_better(&search->best, cert)) {
		source_found_clear(&offered);
		return;
	}
	offered.where = str_dup(where);
	source_found_clear(&search->best);
	search->best = offered;
}

int source_conclude(struct source_search *search, const char *place,
		    struct source_found *ret, struct err *err)
{
	if (search->best.cert) {
		*ret = search->best;
		search->best = (struct source_found){ 0 };
		return 0;
	}
	if (search->refused)
		return err_set(err, ERR_NOT_FOUND, "%s: %s", place, search->refused);
	return err_set(err, ERR_NOT_FOUND,
		       "%s holds no certificate with these names (%zu of others)", place,
		       search->seen);
}
