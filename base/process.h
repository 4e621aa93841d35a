/* process.h - run a program by argument vector, never through a shell.
 *
 * The child gets a minimal environment (PATH, HOME=/, LANG=C.UTF-8, TZ if set, and what
 * `env` adds), no standard input, no descriptors of ours, its own process group; on
 * timeout or cancel the whole group is ended (SIGTERM, 2 s later SIGKILL). */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Windows: a script is started by what runs it. Batch files (.cmd, .bat) by cmd.exe /d
 * /v:off /s /c, each argument in double quotes; one that holds a double quote, a '%' or a
 * control character is refused (ERR_CONFIG), because cmd.exe would read it: hand such
 * data over in `env`. PowerShell scripts (.ps1) by powershell.exe -NoProfile
 * -NonInteractive -ExecutionPolicy Bypass -File. The group is a job object; nobody in it
 * can be asked to end, so a timeout ends it at once. */

#define PROCESS_TAIL_BYTES 2048

struct cancel;

struct process_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is an absolute path */
	const char *const *env;  /* "NAME=value", NULL-terminated; NULL for none */
	const char *input;       /* fed to standard input, then closed; NULL for none */
	int64_t timeout_s;
	const struct cancel *cancel; /* NULL for none */
};

struct process_result {
	int exit_code; /* -1 when a signal ended it */
	int signal;    /* 0 unless a signal ended it */
	bool timed_out;
	char tail[PROCESS_TAIL_BYTES]; /* last output of both streams, made printable */
};

/* Runs the program to its end and fills *ret, whatever the exit code was.
 * Fails   ERR_CONFIG when it cannot be started (missing, not executable),
 *         ERR_CANCELLED, ERR_IO. Borrows `spec`. */
int process_run(const struct process_spec *spec, struct process_result *ret,
		struct err *err);

/* process_run(), and an exit code other than 0 is an error too:
 * "'/usr/bin/x' exited with code 3: <tail>", "... did not end within 60 s: <tail>". */
int process_run_ok(const struct process_spec *spec, struct err *err);

/* The path of the program that we are. Gives; NULL when the system does not tell. */
char *process_self_path(void);

#endif
