/* deploy_world.h - real applications to deploy into: xcapp under xcctl in a temporary
 * folder, served certificates, and a note taker. Everything asserts. */
#ifndef TESTS_UNIT_HOOKS_DEPLOY_WORLD_H
#define TESTS_UNIT_HOOKS_DEPLOY_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"
#include "hooks/deploy.h"
#include "hooks/fallback.h"
#include "tests/support/testcert.h"

#define DAY INT64_C(86400)
#define APPS 3

struct brought { /* a certificate with its key */
	struct testcert *leaf;
	struct cert *cert;
	char *key_pem;
	struct material material;
};

struct app { /* one installation */
	char *dir, *store, *tls_json, *listener_connect, *http;
	const char *restart[4], *status[4];
	struct endpoint endpoint;
};

struct world {
	char *root, *folder; /* everything; certificates/xu */
	struct testcert *ca;
	struct brought a, b, c; /* served at first, new, newer */
	struct app apps[APPS];
	struct target targets[APPS];
	struct deployment deployment; /* one target, material b */
	struct deploy_outcome outcome;
	struct strlist notes; /* "target step: text" */
	const char *both[2];  /* share_service() */
	struct err err;
};

/* An application that serves `a`, in odd but valid tls.json bytes, and a deployment of
 * `b` for it. `n` applications; only the first is started. */
struct world *world_new(size_t n);
void world_free(struct world *w);

/* cmocka fixtures: *state is a world with one application. */
int set_up(void **state);
int tear_down(void **state);

/* The same with three, all of which serve `a`. */
int set_up_three(void **state);

/* Makes one command the service of the first two applications (the deployment's targets
 * from now on); it adds a line "once" to the file "count". */
void share_service(struct world *w);

/* A certificate for xu.example that ends at `not_after`. */
struct brought bring(struct world *w, int64_t not_after, int64_t version);
void brought_clear(struct brought *brought);

/* xcctl APP VERB; the exit code. */
int app_ctl(const struct app *app, const char *verb);
void app_start(const struct app *app);

/* Writes misbehave.json; NULL removes it. */
void app_misbehaves(const struct app *app, const char *json);

/* Gives application `i` the certificate `old` (store, link, tls.json) without us. */
void app_installs(struct world *w, size_t i, const struct brought *old);

/* What is served. */
void assert_serves(const struct app *app, const struct brought *what);
void assert_plain_http(const struct app *app);
void assert_nothing_served(const struct app *app);
bool app_serves(const struct app *app, const struct brought *what);

/* Bytes of a file; gives. NULL when it is not there. */
char *bytes_of(const char *path);

/* A path below the world's root; gives. */
char *in_world(const struct world *w, const char *name);

/* deploy_run() with what `w` says; clears the outcome before. */
int run(struct world *w);
int run_target(struct world *w, const char *only, bool take_over);

/* deploy_retire(), deploy_rollback() and deploy_state_read() (nothing damaged) likewise.
 */
int retire(struct world *w);
int rollback(struct world *w, const char *only);
struct deploy_state read_state(struct world *w);

/* Was a note taken that contains `text`? */
bool noted(const struct world *w, const char *text);
void assert_end(const struct world *w, size_t i, enum deploy_end end, const char *text);
void assert_contains(const char *text, const char *part);

/* Writes an executable shell script; gives its path. */
char *script(const struct world *w, const char *name, const char *body);

/* The link of the application's store names this certificate. */
void assert_link_names(const struct app *app, const struct brought *what);
bool version_exists(const struct app *app, const struct brought *what);

#endif
