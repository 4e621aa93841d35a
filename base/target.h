/* target.h - the vocabulary of a deployment, as plain facts: what the operator says about
 * one application that a certificate is brought into.
 *
 * config/ fills these structs from the YAML, hooks/ acts on them, daemon/ hands them
 * over; no functions here, so that the three need no glue. Everything is owned by the
 * arena of the configuration and const after load. Lists of strings are NULL-terminated.
 */
#ifndef BASE_TARGET_H
#define BASE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A program to run: argument vector, never a shell. argv == NULL: none. */
struct program {
	const char *const *argv;
	const char *const *changes; /* files it changes: saved before, restored on undo */
	int64_t timeout_s;
};

enum store_type {
	STORE_NONE,
	STORE_DIRECTORY, /* `path` is our link to the current version's folder */
	STORE_FILES,     /* fixed file names, each replaced singly */
};

struct store {
	enum store_type type;
	const char *path; /* STORE_DIRECTORY: absent, or our own link */
	const char *key, *fullchain, *chain,
		*cert;             /* STORE_FILES: paths, NULL: not wanted */
	const char *owner, *group; /* names or numbers; NULL: the daemon's */
	uint32_t key_mode;         /* 0640 with a group, 0600 without */
};

enum service_kind { SERVICE_NONE, SERVICE_SYSTEMD, SERVICE_WINDOWS, SERVICE_COMMAND };
enum service_action { SERVICE_RESTART, SERVICE_RELOAD };

struct service {
	enum service_kind kind;
	const char *name; /* unit or service name; NULL for a command */
	enum service_action action;
	struct program command; /* SERVICE_COMMAND: restarts it */
	struct program status;  /* optional; exit 0 runs, 3 stopped (LSB), else failed */
	int64_t timeout_s;      /* until it must run */
};

struct endpoint {
	const char *connect;     /* "127.0.0.1:443", "[::1]:443", "name:443" */
	const char *server_name; /* SNI; NULL sends none */
	bool chain_required;     /* an incomplete chain fails even if it was so before */
};

enum when_expired { EXPIRED_KEEP, EXPIRED_HTTP };

struct target {
	const char *name;
	const char *preset;      /* NULL: none */
	const char *install_dir; /* NULL: unknown */
	struct store store;
	const char *tls_json;           /* path; NULL: the application has none */
	const char *subject_alt_name;   /* for tls.json: the certificate's first host */
	const struct program *programs; /* run when files are switched, in order */
	size_t n_programs;
	struct service service;
	const struct endpoint *verify;
	size_t n_verify;
	int64_t verify_timeout_s; /* until the new certificate must be seen */
	int64_t retire_after_s;
	int64_t keep; /* old versions to leave in the store */

	enum when_expired when_expired;
	const char *http; /* "127.0.0.1:1337": answers plain HTTP after a fallback */
	struct program before_fallback, after_fallback;
	bool even_if_guard_fails;
};

#endif
