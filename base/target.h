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
	STORE_WINDOWS,   /* the Windows certificate store, keys in containers beside it */
};

struct store {
	enum store_type type;
	const char *path; /* STORE_DIRECTORY: absent, or our own link */
	const char *key, *fullchain, *chain,
		*cert;             /* STORE_FILES: paths, NULL: not wanted */
	const char *owner, *group; /* names or numbers; NULL: the daemon's */
	uint32_t key_mode;         /* 0640 with a group, 0600 without */

	/* STORE_WINDOWS */
	const char *location, *name; /* "LocalMachine"; "My", "WebHosting" */
	const char *friendly_name;   /* NULL: made of the first host and the date */
	bool exportable;             /* may the key leave its container again? */
	bool experimental;           /* EC keys through CNG */
	const char *const *access;   /* accounts that get read access to the key; empty:
					the one that the target's service runs as */
	const char *records; /* folder of ours: one file for each entry that we imported,
				written before its key container is made */
};

enum service_kind { SERVICE_NONE, SERVICE_SYSTEMD, SERVICE_WINDOWS, SERVICE_COMMAND };
enum service_action { SERVICE_RESTART, SERVICE_RELOAD };

struct service {
	enum service_kind kind;
	const char *name;  /* unit or service name; NULL for a command */
	const char *below; /* SERVICE_WINDOWS without a name: the one service whose
			      program lies below this folder */
	bool kill;         /* SERVICE_WINDOWS: end its process when it does not stop */
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

/* Before a restart: wait until no extraction runs, for so long at most. */
struct wait_idle {
	const char *url; /* "https://127.0.0.1:8165": asked for /logs/extractions; NULL:
			    not waited for */
	int64_t at_most_s;
};

/* When the application may be restarted: "Sat,Sun 22:00-04:00", the machine's zone. */
struct window {
	unsigned days;      /* bit 0 Monday ... bit 6 Sunday: on which it begins */
	int begin_s, end_s; /* seconds since midnight; end <= begin: on the next day */
};

struct target {
	const char *name;
	const char *preset;      /* NULL: none */
	const char *install_dir; /* NULL: unknown */
	struct store store;
	const char *tls_json;         /* path; NULL: the application has none */
	const char *subject_alt_name; /* for tls.json: the certificate's first host */
	const char *const *settings;  /* patterns of folders ("C:\\x\\config\\server*"):
					 every *.json below them that carries the old
					 thumbprint is rewritten with tls.json */
	const char *listener_json; /* Xtract Core: `mode` becomes Localhost for the time
				      of a fallback; NULL: the application has none */
	struct wait_idle wait_idle;
	const struct window *windows; /* maintenance_window; none: at any time */
	size_t n_windows;
	const struct program *programs; /* run when files are switched, in order */
	size_t n_programs;
	struct service service;
	const struct endpoint *verify;
	size_t n_verify;
	int64_t verify_timeout_s; /* until the new certificate must be seen */
	int64_t soak_s; /* looked at again for so long, and taken back when it does not
			   last */
	int64_t retire_after_s;
	int64_t keep; /* old versions to leave in the store */

	enum when_expired when_expired;
	const char *http; /* "127.0.0.1:1337": answers plain HTTP after a fallback */
	struct program before_fallback, after_fallback;
	bool firewall_guard; /* `before_fallback: firewall`: the built-in one (Windows) */
	bool even_if_guard_fails;
};

#endif
