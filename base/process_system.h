/* process_system.h - the part of running a program that each system does in its own way
 * (posix/process_system.c). Private to process.c. */
#ifndef BASE_PROCESS_SYSTEM_H
#define BASE_PROCESS_SYSTEM_H

#include <stdbool.h>

/* The environment every program gets: "NAME=value", NULL-terminated, borrowed for ever.
 */
const char *const *process_environment(void);

/* Marks every descriptor of ours as not to be inherited. Libraries do not always do so.
 */
void process_hide_descriptors(void);

/* Asks the whole group that `pid` leads to end, or ends it (`now`). */
void process_end_group(int pid, bool now);

/* Is anybody left in the group? */
bool process_group_alive(int pid);

/* Writing to a program that has closed its input must fail, not signal us: on this
 * thread, from mute to unmute. */
struct process_mute;
struct process_mute *process_mute_pipes(void);
void process_unmute_pipes(struct process_mute *mute); /* takes it */

#endif
