/* order.h - the order object (RFC 8555 7.1.3) and the run that brings it forward. */
#ifndef ACME_ORDER_H
#define ACME_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "acme/acme.h"
#include "base/http_client.h"
#include "base/str.h"

#define NEW_ORDERS_MAX 3 /* in one run */

/* RFC 8555 7.1.6: of orders, authorizations and challenges alike. */
enum acme_status {
	STATUS_OTHER,
	STATUS_PENDING,
	STATUS_READY,
	STATUS_PROCESSING,
	STATUS_VALID,
	STATUS_INVALID,
	STATUS_GONE, /* deactivated, expired, revoked */
};

enum acme_status acme_status_parse(const char *text);  /* NULL is STATUS_OTHER */
const char *acme_status_name(enum acme_status status); /* borrowed */

struct order {
	char *url;
	enum acme_status status;
	char *finalize, *certificate; /* NULL: not given */
	struct strlist authorizations, names;
	int64_t expires_at;    /* CLOCK_NEVER: not given */
	int64_t retry_after_s; /* of the newest answer; -1: none */
	struct err failure;    /* why it is invalid; kind ERR_NONE: not said */
	bool profile_refused;  /* because of its profile */
};

/* Parses an order object. Fills *ret, whose url and retry_after_s stay NULL and -1;
 * order_release(). ERR_REFUSED when a URL in it is not https or it is too large. */
int order_parse(const cJSON *json, struct order *ret, struct err *err);
void order_release(struct order *order);

/* One acme_obtain(): what it was asked, how long it may take, how far it is. */
struct order_run {
	struct acme_session *session;
	const struct acme_request *request;
	struct acme_result *result;
	int64_t timeout_s, deadline_ms; /* monotonic */
	unsigned hiccups;               /* polls in a row that failed for a moment */
	unsigned new_orders;            /* newOrder requests so far */
	bool without_replaces, without_profile, without_dates; /* the CA would not */
	struct order order;
};

/* Tells whoever watches. Borrows. */
void order_progress(const struct order_run *run, const char *stage, const char *detail);

/* RFC 8555 7.4: resumes request->order_url if the CA still has it, it is for the same
 * names and of use, else makes a new order; record.order_created has been called when
 * a new one is there. */
int order_open(struct order_run *run, struct err *err);

/* Makes a new order (new_order.c). A CA that refuses it with `replaces`, with a profile
 * that is merely preferred or with dates is asked again without, and one whose directory
 * has changed at its new address: NEW_ORDERS_MAX requests in a run at most. What was
 * given up is a note of the result. record.order_created has been called on success. */
int order_make(struct order_run *run, struct err *err);

/* finalize has failed, but only because of a profile that is merely preferred, and there
 * may be another newOrder: makes one without. False: `err` stands. */
bool order_again_without_profile(struct order_run *run, struct err *err);

/* Takes over the order object that `response` (2xx) carries. */
int order_adopt(struct order_run *run, const struct http_response *response,
		struct err *err);

/* Waits as poll_delay_ms() says, then fetches the order; a hiccup of the CA is tolerated
 * twice in a row. ERR_TRANSIENT at the deadline: "still 'processing' after 300 s". */
int order_poll(struct order_run *run, unsigned attempt, struct err *err);

/* The order is 'invalid': err in the CA's words, as far as the order has them. -1. */
int order_fail(const struct order_run *run, struct err *err);

#endif
