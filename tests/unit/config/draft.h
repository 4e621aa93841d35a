/* draft.h - for the tests of config/: a folder with a certrenewd.yaml, loaded. */
#ifndef TESTS_CONFIG_DRAFT_H
#define TESTS_CONFIG_DRAFT_H

#include <stdbool.h>

#include "config/config.h"

/* The shortest file that loads, in its three parts: lines 1-3, 4-7, 8-10. */
#define ISSUER                                                                           \
	"issuers:\n"                                                                     \
	"  le:\n"                                                                        \
	"    directory: https://ca.example/dir\n"
#define CERTIFICATE                                                                      \
	"certificates:\n"                                                                \
	"  a:\n"                                                                         \
	"    hosts: [a.example]\n"                                                       \
	"    issuers: [le]\n"
#define TARGET                                                                           \
	"    deploy:\n"                                                                  \
	"      - store: {type: directory, path: /srv/a}\n"                               \
	"        verify: [{connect: \"127.0.0.1:443\"}]\n"

struct draft {
	char *folder, *path;
	bool check_trust;
	const struct config *config; /* NULL: refused */
	struct config_report report;
};

/* Makes the folder, empty, 0700. */
void draft_open(struct draft *draft);

/* Removes it and everything that was loaded. */
void draft_close(struct draft *draft);

/* Writes a file of that name and mode into the folder. */
void draft_file(const struct draft *draft, const char *name, unsigned mode,
		const char *text);

/* Writes certrenewd.yaml and loads it; what an earlier load gave is gone. */
void draft_load(struct draft *draft, const char *yaml);

/* The two for cmocka, with a struct draft as state. */
int draft_setup(void **state);
int draft_teardown(void **state);

/* Loads what must be right, from the draft that is the state; borrowed from it. */
const struct config *draft_must_load(void **state, const char *yaml);

/* Runs `run` as an account without rights, which root has to become to prove anything
 * about permissions, in a process of its own. Returns what it returned; 100: no such
 * account could be become. */
int draft_as_nobody(struct draft *draft, int (*run)(struct draft *draft));

/* Fails the test unless the report has "line:column: sentence" (without the file). */
void draft_expect_error(const struct draft *draft, const char *sentence);
void draft_expect_warning(const struct draft *draft, const char *sentence);

/* One whole test: this file is refused, and exactly this is said. */
void expect_one_error(const char *yaml, const char *sentence);

/* One whole test: among what is said is this. */
void expect_error(const char *yaml, const char *sentence);

#endif
