/* world.h - everything that certrenewd sees, in memory: clock, files, DNS, CA, services,
 * applications, the receiver of its alerts. The world_*.c files define the functions of
 * the seams (base/files.h, base/clock.h, base/http_client.h, base/service_system.h,
 * base/process.h, hooks/resolver.h, and the handshake of hooks/probe.h) in place of the
 * members of our libraries; everything behind and above them is the product's own code.
 *
 * There is one world in a process: the seams have no place for a context. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/files.h"
#include "base/str.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define MINUTE INT64_C(60)
#define APPS_MAX 4

/* ---- chance --------------------------------------------------------------- */

struct dice {
	uint64_t state;
};
uint64_t dice_roll(struct dice *dice);
/* Uniform in [low, high]. */
int64_t dice_between(struct dice *dice, int64_t low, int64_t high);
/* True with a chance of `percent`. */
bool dice_chance(struct dice *dice, int percent);
/* Makes OpenSSL's generator, and so ours, throw these dice. */
void dice_for_openssl(struct dice *dice);

/* ---- files ---------------------------------------------------------------- */

struct node {
	char *path;
	size_t path_len;
	uint32_t hash, folder_hash; /* of the path, and of the folder it is in */
	size_t next;                /* with a hash that ends alike; see buckets */
	enum file_type type;
	uint32_t mode;
	char *data; /* a link: its target */
	size_t len;
	int64_t modified_at;
	struct tree *tree; /* of JSON, once it was read or written as that */
};

#define BUCKETS ((size_t)256)
#define LINKS_MAX 64

struct memory_files {
	struct node *nodes;
	size_t n, cap;
	size_t buckets[BUCKETS]; /* the first node of each, counted from 1; 0: none */
	size_t links[LINKS_MAX]; /* those of them that are links ... */
	size_t n_links;
	bool links_known; /* ... if this is true */
	bool full;        /* the disk */
};

/* The node of this very name, or with links followed; NULL: none. Borrowed until the next
 * change. */
struct node *files_find(const char *path);
struct node *files_follow(const char *path);
/* What an operator, or an application, does to its files. */
void files_put(const char *path, const char *text, uint32_t mode);
void files_make_folder(const char *path);
void files_remove(const char *path); /* with what is below it */
/* Gives the real path, every link followed. */
char *files_real(const char *path, bool follow_last);
/* Makes these the bytes of a node; takes `data`. */
void files_set(struct node *node, char *data, size_t len);
struct node *files_add(const char *path, enum file_type type, uint32_t mode);
void files_drop(struct node *node);
/* All below `folder` whose path has this end; NULL: any. */
size_t files_count(const char *folder, const char *suffix);
/* A copy of all files, and all files as they were then: what an operator's backup does.
 */
struct memory_files files_copy(const char *folder);
void files_restore(const char *folder, const struct memory_files *copy);

/* ---- the CA --------------------------------------------------------------- */

enum ca_weather {
	CA_WELL,
	CA_SILENT,            /* no answer at all */
	CA_BUSY,              /* 503 with Retry-After */
	CA_BROKEN,            /* 500 */
	CA_LIMITING,          /* newOrder is rateLimited, with Retry-After */
	CA_STALE,             /* it issues what is nearly over */
	CA_REFUSING_REPLACES, /* any newOrder with `replaces` */
};

struct order {
	int64_t made_at;
	int app; /* which certificate: by its first name */
	char name[64];
	char token[24];
	bool proven, finalized, failed;
	char *pem;
	const char *account;
};

struct issued {
	int64_t at; /* true time */
	int64_t not_before, not_after;
	int app;
	bool revoked;
	char ari_id[128];
};

struct ca {
	const char *host;        /* "ca.example" */
	struct testcert *signer; /* an intermediate */
	enum ca_weather weather;
	int64_t retry_s; /* of CA_BUSY and CA_LIMITING */
	int64_t lifetime_s;
	int64_t ari_every_s;
	bool has_ari;
	struct order orders[64]; /* the last ones */
	unsigned long n_orders;
	struct issued *issued;
	size_t n_issued;
	unsigned long n_nonces, requests;
	int64_t wait_until[APPS_MAX]; /* a Retry-After stands: true time */
	int64_t busy_until;           /* the same, said to whoever asked */
	int64_t asked_at[256];        /* the last requests while it was not well */
	unsigned long n_asked;
	int64_t mass_revoked_at; /* certificates from before are to be renewed now */
};

/* ---- applications --------------------------------------------------------- */

enum app_state { APP_STOPPED, APP_RUNNING, APP_FAILED };

struct app {
	char name[32], unit[40], host[40];
	bool by_tls_json; /* else it reads the directory store's link */
	char *tls_json, *store;
	enum app_state state;
	bool stopped_by_admin;
	bool plain; /* what it loaded: no tls.json, plain HTTP */
	X509 *leaf; /* what it serves; NULL: nothing or plain */
	STACK_OF(X509) * sent;
	char sha1[41], last_sha1[41]; /* and what it served last, if it is stopped */
	int64_t not_before, not_after;
	int64_t refuses_until; /* it will not start with a certificate newer than ... */
	char good_sha1[41];    /* ... this one, which it liked */
	unsigned long restarts;
	int64_t restarted_at;
	bool guard; /* the firewall keeps strangers away */
};

/* ---- the world ------------------------------------------------------------ */

struct alert_seen {
	char id[48], event[32], certificate[16], target[16], severity[12];
};

struct world {
	uint64_t seed;
	struct dice events, chance; /* what happens; what OpenSSL and policy throw */

	int64_t true_ms;       /* UTC, milliseconds since 1970 */
	int64_t wall_offset_s; /* of the machine's clock */
	int64_t booted_ms;     /* true time of the last boot */
	unsigned boots;

	struct memory_files files;
	struct ca ca[2];
	size_t n_cas;
	struct app apps[APPS_MAX];
	size_t n_apps;
	bool webhook_down, dns_down;

	jmp_buf death;
	bool alive;         /* the daemon is inside one of our calls */
	int64_t dies_after; /* changes from now; 0: it lives */
	bool lock_held;

	bool trace;
	char failed[600]; /* the first invariant that was broken; "" none */
	const char *invariant;
};

extern struct world *world;

int64_t true_now(void); /* seconds */
/* Every change goes through here: it may be the last that the daemon does. */
void world_touch(const char *what, const char *detail);
/* A line of the trace. */
void trace(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* An invariant is broken: the first one counts. */
void broken(const char *invariant, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Application number of a host name or unit; -1: none. */
int app_of_host(const char *host);
int app_of_unit(const char *unit);
/* Starts it with what its files say now. */
void app_start(struct app *app);
void app_stop(struct app *app);

/* world_ca.c: one request to a CA. */
struct http_request;
struct http_response;
void ca_open(struct ca *ca, const char *host);
int ca_answer(struct ca *ca, const struct http_request *request,
	      struct http_response *ret, struct err *err);
/* The answer's parts. */
void answer_begin(struct http_response *ret, const struct http_request *request,
		  long status);
void answer_header(struct http_response *ret, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* receiver.c: an alert came in. */
void receiver_take(const char *json);

#endif
