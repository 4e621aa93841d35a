/* system.h - what the daemon needs of the system and libuv does not give: our command
 * line, terminals, whose files these are. Twin files. */
#ifndef DAEMON_SYSTEM_H
#define DAEMON_SYSTEM_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

/* The command line in UTF-8, from what main() was given; *argc follows. Lives as long as
 * the process. */
char **system_arguments(int *argc, char **argv);

/* Makes a console show UTF-8, and puts it back at the end. */
unsigned system_console_begin(void);
/* Takes what system_console_begin() returned. */
void system_console_end(unsigned before);

/* Is the state directory ours alone? ERR_DENIED when it belongs to another account or
 * others may enter; the sentence says what to do. */
int system_check_state_dir(const char *path, struct err *err);

/* Adds a sentence for each folder that the configuration names and that our process may
 * not write because of how it was started (a sandbox). None on Windows. */
void system_closed_folders(const struct config *config, struct strlist *ret);

/* Becomes the owner of the state directory when an administrator runs a command for a
 * daemon that has an account of its own. Nothing to do when it does not exist yet.
 * ERR_DENIED when we may not; else it cannot be known whose it is. On Windows: ERR_DENIED
 * unless we are an administrator already. */
int system_become_owner_of(const char *path, struct err *err);

/* Little memory kept for later, what OpenSSL frees is wiped, no core dumps, no privileges
 * through setuid children, umask 077, broken pipes are errors and not signals; on
 * Windows: no library from a folder that others could write, no dialogs, no dump of the
 * heap. For the start of the process. */
void system_harden(void);

/* Is standard output a terminal that understands colours? */
bool system_stdout_is_terminal(void);

/* Gives memory that is free back to the system after a pass. */
void system_trim_memory(void);

#endif
