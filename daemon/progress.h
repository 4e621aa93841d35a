/* progress.h - a step of a command, shown on standard output as it happens: aligned and
 * coloured on a terminal, plain lines elsewhere. */
#ifndef DAEMON_PROGRESS_H
#define DAEMON_PROGRESS_H

/* One line. Any text may be NULL. */
void progress_print(const char *step, const char *target, const char *text);

#endif
