/* dns_fixture.h - the services that DNS providers speak to
 * (tests/e2e/lib/dns_services.py), beside a test program, and what a test needs to ask
 * one of them through hooks/dns.h.
 *
 * CNAMEs are what dns_cname() says: resolver_follow() is replaced at link time. */
#ifndef TEST_DNS_FIXTURE_H
#define TEST_DNS_FIXTURE_H

#include "base/challenge.h"
#include "base/json.h"
#include "hooks/dns.h"

/* cmocka group setup and teardown: one server process per test program. */
int dns_start(void **state);
int dns_stop(void **state);

struct dns_world {
	char *folder; /* of this test; removed with it */
	struct dns_provider provider;
	struct dns_work work;
	struct dns_answer answer; /* "_acme-challenge.a.example.com" */
	struct err err;
	cJSON *seen; /* of the last dns_seen() */
};

#define DNS_RECORD "_acme-challenge.a.example.com"
#define DNS_VALUE "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define DNS_OTHER "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"

/* A provider of that type at the services, which start anew. `path` is that of its URL,
 * "" for none. */
void dns_world_init(struct dns_world *world, enum dns_provider_type type,
		    const char *path);
void dns_world_release(struct dns_world *world);

/* What `name` is a CNAME of. NULL for `name`: there is none; for `target`: nobody answers
 * when asked for it. */
void dns_cname(const char *name, const char *target);

/* Tells the services how to behave: a document for /control, with ' for ". */
void dns_control(const char *json);

/* What the services saw: {"log": [...], "records": {...}, "route53": [...], ...}.
 * Borrowed until the next call. */
const cJSON *dns_seen(struct dns_world *world);

/* How many requests of that method (NULL: any) were answered with that status. */
int dns_count(struct dns_world *world, const char *method, int status);

/* The texts at a name, joined by blanks, "" for none. Borrowed until the next call. */
const char *dns_texts(struct dns_world *world, const char *name);

/* dns_present() and dns_withdraw() that must succeed. */
void dns_must_present(struct dns_world *world, const char *value);
void dns_must_withdraw(struct dns_world *world, const char *value);

/* dns_present() must fail so, with this in its sentence. */
void dns_must_fail(struct dns_world *world, enum err_kind kind, const char *part);

/* A secret of the configuration. */
struct secret dns_secret(const char *text);

/* The URLs of the services without a path: https, and http on loopback. Borrowed. */
const char *dns_url(void);
const char *dns_plain_url(void);

#endif
