/* ca_fixture.h - the fake CA (fake_ca.py) and what a test needs to order from it. */
#ifndef TEST_CA_FIXTURE_H
#define TEST_CA_FIXTURE_H

#include <stdbool.h>

#include "acme/acme.h"
#include "base/cancel.h"

/* cmocka group setup and teardown: one CA process per test program. */
int ca_start(void **state);
int ca_stop(void **state);

/* One test's client. */
struct client {
	char *scenario; /* "id=3,chall=fail" */
	char *directory_url, *ca_bundle;
	struct acme_issuer issuer;
	struct acme_session *session;
	struct cancel *cancel;
	EVP_PKEY *account_key, *leaf_key;
	struct acme_request request;
	struct acme_solver solver;
	struct acme_result result;
	struct err err;

	/* what the callbacks saw, and how they shall behave */
	char order_url[512]; /* of the last order_created */
	int asked;           /* before_order */
	bool asked_replaces, fail_before_order;
	int orders, finalizes, presented, withdrawn, live;
	bool fail_present, fail_order_created, fail_finalize, cancel_at_order;
	int challenges_while_presenting; /* 0 when all were presented before the first */
	char stages[512];                /* "order authorize challenge ..." */
};

/* A client of a CA configured by `options` (see fake_ca.py), for the names a.example and,
 * with `two_names`, b.example. */
struct client *client_new(const char *options, bool two_names);
void client_free(struct client *client);

/* Forgets the session (connection, nonces, account URL) as a restart would; the account
 * key stays. */
void client_restart(struct client *client);

/* acme_obtain() into client->result. */
int client_obtain(struct client *client);

/* How many requests at `point` the CA saw, and the payload of the n-th (from 0; "" when
 * there is none; borrowed until the next call of either). */
int ca_count(struct client *client, const char *point);
const char *ca_payload(struct client *client, const char *point, int n);

/* The HTTP User-Agent of the first request. Borrowed until the next call. */
const char *ca_agent(struct client *client);

#endif
