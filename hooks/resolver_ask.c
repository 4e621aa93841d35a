/* resolver_ask.c - one question, put to the servers in their order until one has an
 * answer, and what a refusal means to the operator. */
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/random.h"
#include "hooks/resolver_parts.h"

void resolver_answer_release(struct resolver_answer *answer)
{
	dns_message_release(&answer->message);
	free(answer->owner);
	free(answer->server);
	*answer = (struct resolver_answer){ 0 };
}

const struct dns_record *resolver_next(const struct resolver_answer *answer,
				       const struct dns_record *after, enum dns_type type)
{
	return dns_message_next(&answer->message, after, DNS_ANSWER, answer->owner, type);
}

/* ---- one server ---------------------------------------------------------- */

int resolver_question(const char *name, enum dns_type type, bool recurse, struct buf *out,
		      struct err *err)
{
	uint16_t id;

	random_bytes(&id, sizeof(id));
	return dns_query_build(id, name, type, recurse, out, err);
}

/* The ids were compared by c-ares, which may have chosen its own; by HTTPS there is no
 * need. */
int resolver_read_answer(const struct buf *query, const struct buf *bytes,
			 struct dns_message *ret, struct err *err)
{
	struct dns_message asked = { 0 }, answer = { 0 };
	int rc = -1;

	if (dns_message_read(query->data, query->len, &asked, err) ||
	    dns_message_read(bytes->data, bytes->len, &answer, err))
		goto out;
	asked.id = answer.id;
	if (dns_message_answers(&answer, &asked, err))
		goto out;
	*ret = answer;
	answer = (struct dns_message){ 0 };
	rc = 0;
out:
	dns_message_release(&asked);
	dns_message_release(&answer);
	return rc;
}

static int send_one(struct resolver *resolver, const char *server,
		    const struct buf *query, int64_t timeout_ms, struct dns_message *ret,
		    struct err *err)
{
	struct resolver_send send = { .server = server };
	int rc = -1;

	buf_init(&send.answer, DNS_MESSAGE_MAX);
	if (str_starts(server, "https://")) {
		if (resolver_send_https(resolver, server, query, &send.answer, err))
			goto out;
	} else if (resolver_send_all(query, &send, 1, timeout_ms, resolver->cancel,
				     err)) {
		goto out;
	} else if (!send.answer.len) {
		*err = send.err;
		goto out;
	}
	rc = resolver_read_answer(query, &send.answer, ret, err);
	if (rc)
		err_wrap(err, "'%s'", server);
out:
	buf_release(&send.answer);
	return rc;
}

/* ---- all of them --------------------------------------------------------- */

static int judge(const char *name, const char *server, unsigned rcode, struct err *err)
{
	char spare[16];

	if (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN)
		return 0;
	if (rcode == DNS_SERVFAIL)
		return err_set(
			err, ERR_REFUSED,
			"'%s' answers SERVFAIL about '%s': the zone's servers do "
			"not answer, or its DNSSEC chain is broken, and then no CA "
			"may issue: look at it with `delv %s` or dnsviz.net",
			server, name, name);
	return err_set(err, ERR_REFUSED, "'%s' answers %s about '%s'%s", server,
		       dns_rcode_name(rcode, spare), name,
		       rcode == DNS_REFUSED ? ": it does not resolve names for us, name "
					      "another in `resolvers`"
					    : "");
}

/* What one server refused says more than that another did not answer. */
static void keep_worst(struct err *worst, const struct err *err)
{
	if (worst->kind != ERR_REFUSED)
		*worst = *err;
}

/* Asks once. Fills message and server of *ret. */
static int ask_servers(struct resolver *resolver, const struct strlist *servers,
		       const char *name, const struct buf *query,
		       struct resolver_answer *ret, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + resolver->timeout_s * 1000;
	struct err worst = { 0 };

	for (size_t i = 0; i < servers->n; i++) {
		const char *server = servers->items[i];
		int64_t left_ms = until_ms - clock_mono_ms();
		int64_t share_ms = left_ms / (int64_t)(servers->n - i);

		if (share_ms <= 0)
			break;
		if (!send_one(resolver, server, query, share_ms, &ret->message, err)) {
			if (!judge(name, server, ret->message.rcode, err)) {
				ret->server = str_dup(server);
				return 0;
			}
			dns_message_release(&ret->message);
		}
		if (cancel_requested(resolver->cancel))
			return cancel_check(resolver->cancel, err);
		keep_worst(&worst, err);
	}
	*err = worst;
	return err_wrap(err, "ask the DNS about '%s'", name);
}

static int ask_once(struct resolver *resolver, const char *name, enum dns_type type,
		    struct resolver_answer *ret, struct err *err)
{
	struct strlist system = { 0 };
	struct buf query;
	int rc = -1;

	buf_init(&query, DNS_MESSAGE_MAX);
	if (resolver_question(name, type, true, &query, err) ||
	    (!resolver->servers.n && resolver_system_servers(&system, err)))
		goto out;
	rc = ask_servers(resolver, resolver->servers.n ? &resolver->servers : &system,
			 name, &query, ret, err);
out:
	strlist_clear(&system);
	buf_release(&query);
	return rc;
}

/* Did the server stop at the end of a CNAME without a word about what is there? */
static bool stopped(const struct resolver_answer *answer, const char *name,
		    enum dns_type type)
{
	return answer->message.rcode == DNS_NOERROR &&
	       !dns_name_equal(answer->owner, name) &&
	       !resolver_next(answer, NULL, type) &&
	       !dns_message_next(&answer->message, NULL, DNS_AUTHORITY, NULL,
				 DNS_TYPE_SOA);
}

int resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
		 struct resolver_answer *ret, struct err *err)
{
	struct resolver_answer answer = { 0 };
	char *at = str_dup(name);

	for (int i = 0; i < RESOLVER_CHAIN_MAX; i++) {
		if (ask_once(resolver, at, type, &answer, err)) {
			free(at);
			return -1;
		}
		answer.owner = str_dup(type == DNS_TYPE_CNAME
					       ? at
					       : dns_message_owner(&answer.message, at));
		if (!stopped(&answer, at, type)) {
			free(at);
			*ret = answer;
			return 0;
		}
		free(at);
		at = str_dup(answer.owner);
		resolver_answer_release(&answer);
	}
	free(at);
	return err_set(err, ERR_REFUSED,
		       "the CNAMEs from '%s' lead on and on, or in a circle", name);
}
