/* child.h - a helper program of a test, running beside it. */
#ifndef TEST_CHILD_H
#define TEST_CHILD_H

#include <stddef.h>
#include <stdio.h>

struct child {
	int pid;
	int input; /* the helper ends when this is closed */
	FILE *output;
};

/* Starts argv[0] and waits for its first line of output, without the newline, in `line`.
 * Aborts the test program when it does not come. */
void child_start(struct child *child, const char *const *argv, char *line, size_t size);

/* Closes its input and waits until it has ended. */
void child_stop(struct child *child);

/* Makes an empty folder below $TMPDIR. Gives its path. */
char *folder_make(void);

/* Removes the plain files in the folder and the folder. Takes `path`. */
void folder_remove(char *path);

#endif
