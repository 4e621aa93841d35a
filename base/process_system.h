/* process_system.h - the part of running a program that each system does in its own way.
 * Twin files; private to process.c. */
#ifndef BASE_PROCESS_SYSTEM_H
#define BASE_PROCESS_SYSTEM_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Appends the environment that every program gets: "NAME=value". */
void process_environment(struct strlist *ret);

/* Appends the argument vector that starts `argv`: the same, or an interpreter in front of
 * a script that the system does not start by itself. *ret_verbatim: the words are put
 * together as they are, without quoting. ERR_CONFIG for an argument that could not be
 * handed over safely. */
int process_command(const char *const *argv, struct strlist *ret, bool *ret_verbatim,
		    struct err *err);

/* Marks every descriptor of ours as not to be inherited. Libraries do not always do so.
 */
void process_hide_descriptors(void);

/* The program of this pid and all that it starts from now on. Gives. */
struct process_group;
struct process_group *process_group_open(int pid);
void process_group_close(struct process_group *group); /* NULL is fine; ends nobody */

/* Asks the whole group to end, or ends it (`now`). Where nobody can be asked, both end
 * it. */
void process_group_end(struct process_group *group, bool now);

/* Is anybody left in the group? */
bool process_group_alive(const struct process_group *group);

/* Writing to a program that has closed its input must fail, not signal us: on this
 * thread, from mute to unmute. */
struct process_mute;
struct process_mute *process_mute_pipes(void);
void process_unmute_pipes(struct process_mute *mute); /* takes it */

#endif
