/* resolver.c - what is published at a name: texts, and where CNAMEs lead. */
#include "hooks/resolver.h"

#include <stdlib.h>

#include <ares.h>

#include "base/http_client.h"
#include "hooks/resolver_parts.h"

#define TIMEOUT_S 10

int resolver_new(const struct resolver_options *options, const struct cancel *cancel,
		 struct resolver **ret, struct err *err)
{
	struct resolver *resolver;
	int status = ares_library_init(ARES_LIB_INIT_ALL); /* counts; never undone */

	if (status != ARES_SUCCESS)
		return err_set(err, ERR_IO, "set up c-ares: %s", ares_strerror(status));
	resolver = mem_calloc(1, sizeof(*resolver));
	for (size_t i = 0; options->servers && options->servers[i]; i++)
		strlist_add(&resolver->servers, options->servers[i]);
	resolver->ca_bundle = str_dup(options->ca_bundle);
	resolver->timeout_s = options->timeout_s > 0 ? options->timeout_s : TIMEOUT_S;
	resolver->cancel = cancel;
	*ret = resolver;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	strlist_clear(&resolver->servers);
	http_client_free(resolver->https);
	free(resolver->ca_bundle);
	free(resolver);
}

int resolver_txt(struct resolver *resolver, const char *name, struct strlist *values,
		 struct err *err)
{
	const struct dns_record *record = NULL;
	struct resolver_answer answer;
	size_t before = values->n;
	int rc = 0;

	if (resolver_ask(resolver, name, DNS_TYPE_TXT, &answer, err))
		return -1;
	while ((record = resolver_next(&answer, record, DNS_TYPE_TXT)))
		strlist_add(values, record->text);
	if (answer.message.rcode == DNS_NXDOMAIN)
		rc = err_set(err, ERR_NOT_FOUND, "'%s' does not exist (NXDOMAIN at '%s')",
			     answer.owner, answer.server);
	else if (values->n == before)
		rc = err_set(err, ERR_NOT_FOUND, "'%s' has no TXT record (asked '%s')",
			     answer.owner, answer.server);
	resolver_answer_release(&answer);
	return rc;
}

int resolver_has_address(struct resolver *resolver, const char *name, struct err *err)
{
	static const enum dns_type types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
	struct resolver_answer answer;
	bool found = false;

	for (size_t i = 0; i < 2 && !found; i++) {
		if (resolver_ask(resolver, name, types[i], &answer, err))
			return -1;
		found = resolver_next(&answer, NULL, types[i]) != NULL;
		resolver_answer_release(&answer);
	}
	return found ? 0
		     : err_set(err, ERR_NOT_FOUND, "the DNS has no address for '%s'",
			       name);
}

int resolver_follow(struct resolver *resolver, const char *name, char **ret_name,
		    struct err *err)
{
	const struct dns_record *alias;
	struct resolver_answer answer;
	char *at = str_dup(name);

	for (int i = 0; i < RESOLVER_CHAIN_MAX; i++) {
		if (resolver_ask(resolver, at, DNS_TYPE_CNAME, &answer, err)) {
			free(at);
			return -1;
		}
		alias = resolver_next(&answer, NULL, DNS_TYPE_CNAME);
		if (!alias) {
			resolver_answer_release(&answer);
			*ret_name = at;
			return 0;
		}
		free(at);
		at = str_dup(alias->text);
		resolver_answer_release(&answer);
	}
	free(at);
	return err_set(err, ERR_REFUSED,
		       "the CNAMEs from '%s' lead on and on, or in a circle: "
		       "%d were followed",
		       name, RESOLVER_CHAIN_MAX);
}
