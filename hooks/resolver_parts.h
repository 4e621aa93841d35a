/* resolver_parts.h - what the resolver's own files share: messages on their way to a
 * server and back, by c-ares or by HTTPS, and one question put to the servers in their
 * order. Everybody else uses hooks/resolver.h. */
#ifndef HOOKS_RESOLVER_PARTS_H
#define HOOKS_RESOLVER_PARTS_H

#include <stdint.h>

#include "base/str.h"
#include "hooks/dns/message.h"
#include "hooks/resolver.h"

#define RESOLVER_CHAIN_MAX 16

struct cancel;
struct http_client;

struct resolver {
	struct strlist servers; /* empty: the system's */
	char *ca_bundle;
	int64_t timeout_s;
	const struct cancel *cancel;
	struct http_client *https; /* made when first needed */
};

/* ---- transport ----------------------------------------------------------- */

struct resolver_send {      /* one message to one server */
	const char *server; /* "192.0.2.53:53"; borrowed */
	struct buf answer;  /* of DNS_MESSAGE_MAX; stays empty when none came */
	struct err err;     /* then: why, ERR_TRANSIENT or ERR_CONFIG */
};

/* Sends `query` to all servers at once, by UDP and, where the answer does not fit, by
 * TCP, and waits for the answers, `timeout_ms` at most. -1 only when cancelled. */
int resolver_send_all(const struct buf *query, struct resolver_send *sends, size_t n,
		      int64_t timeout_ms, const struct cancel *cancel, struct err *err);

/* Adds the addresses of the system's servers, "192.0.2.53:53". */
int resolver_system_servers(struct strlist *servers, struct err *err);

/* Sends `query` to a server of RFC 8484, within `timeout_s`, and fills `answer`. */
int resolver_send_https(struct resolver *resolver, const char *url,
			const struct buf *query, struct buf *answer, struct err *err);

/* Reads what came as an answer to `query`, whatever its rcode. ERR_REFUSED: it is none.
 */
int resolver_read_answer(const struct buf *query, const struct buf *bytes,
			 struct dns_message *ret, struct err *err);

/* Starts a question with a random id. */
int resolver_question(const char *name, enum dns_type type, bool recurse, struct buf *out,
		      struct err *err);

/* ---- one question -------------------------------------------------------- */

struct resolver_answer {
	struct dns_message message; /* NOERROR or NXDOMAIN */
	char *owner;                /* where the CNAMEs from the name lead */
	char *server;               /* who answered */
};
void resolver_answer_release(struct resolver_answer *answer);

/* Asks the resolver's servers, one after the other until one has an answer, and goes on
 * at the end of a CNAME where they stop there. Fills *ret. ERR_REFUSED for SERVFAIL and
 * other refusals, ERR_TRANSIENT when nobody answers, ERR_CANCELLED. */
int resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
		 struct resolver_answer *ret, struct err *err);

/* The next record of that type that answers the question; NULL: there is none. */
const struct dns_record *resolver_next(const struct resolver_answer *answer,
				       const struct dns_record *after,
				       enum dns_type type);

#endif
