/* store_fixture.h - a certificate store of a test's own, certificates to bring into it,
 * and what another process sees of it.
 *
 * A test program starts with `return fixture_main(argc, argv, run)`: the other process is
 * the same program with a word in front, "prove-key" among them. Whatever a test has
 * brought in is gone after it, or the test fails: entries and records are removed by the
 * store's own way, and as many key containers as before are left. */
#ifndef TESTS_WINDOWS_UNIT_STORE_FIXTURE_H
#define TESTS_WINDOWS_UNIT_STORE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/target.h"
#include "hooks/material.h"
#include "tests/support/testcert.h"

#define FIXTURE_STORE "certrenewd-unit"

struct store_fixture {
	char *dir, *records;
	struct store store; /* LocalMachine\certrenewd-unit; a test may change it */
	struct testcert *root, *intermediate;
	size_t containers; /* of the machine, before the test */
};

/* Setup and teardown of cmocka; *state is the fixture. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Answers the words of the other process, else runs the tests. Gives the exit code. */
int fixture_main(int argc, char **argv, int (*run)(void));

/* Makes a store of the machine if need be, and removes what is in it. */
void fixture_make_store(const char *name);
void fixture_empty_store(const char *name);

/* A certificate for xu.example with chain and key, as it is handed in. */
struct issued {
	struct testcert *made;
	struct cert *cert;
	char *key_pem;
	struct material material;
	const char *sha1; /* of `cert` */
};

/* A new one: with this key (borrowed), or a new one of rsa-2048. Gives. */
struct issued issue(const struct store_fixture *f, EVP_PKEY *key);
/* With a new key of this type. Gives. */
struct issued issue_with(const struct store_fixture *f, const char *key_type);
void issued_clear(struct issued *issued);

/* ---- seen from another process -------------------------------------------- */

/* Runs this program with these words, NULL-terminated; gives its exit code. */
int elsewhere(const char *const *words);

bool elsewhere_has_entry(const char *store, const char *sha1);
bool elsewhere_has_container(const char *container);

/* Adds the entry with the place of its key, and dies before the store is committed. */
void elsewhere_adds_and_dies(const struct store_fixture *f, const struct issued *issued,
			     const char *container);

/* ---- by Windows itself, not by our code ----------------------------------- */

/* The container that the entry names; "" without a key. Gives. */
char *container_of(const char *store, const char *sha1);

/* The entry's friendly name in UTF-8. Gives. */
char *friendly_name_of(const char *store, const char *sha1);

/* How many containers the machine has. */
size_t count_containers(void);

/* May the key leave its container? */
bool is_exportable(const char *container);

/* The access list of a container as SDDL. Gives. */
char *sddl_of(const char *container);
void set_sddl(const char *container, const wchar_t *sddl);

/* Removes a container, as an administrator who does not know of us. */
void destroy_container(const char *container);

/* Adds an entry that no record of ours names, with the key in this container (NULL: no
 * key). */
void add_foreign(const char *store, const struct issued *issued, const char *container);

#endif
