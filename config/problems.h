/* problems.h - everything that is wrong with one file, collected until it can be told at
 * once, in the order of its lines. Decides nothing about what is wrong. */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct config_report;

struct place {
	unsigned line, column; /* from 1; line 0: the file as a whole */
};

struct problem {
	struct place place;
	size_t order; /* of arrival: ties stay in it */
	bool warning;
	char *text;
};

struct problems {
	const char *file; /* how the operator called it; borrowed */
	struct problem *items;
	size_t n, cap, n_errors;
};

/* Adds one sentence (lower case, no full stop) about `place`. What the file contributes
 * to it is made printable. */
void problem_at(struct problems *problems, struct place place, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* The same for what is worth saying but stops nobody. */
void warning_at(struct problems *problems, struct place place, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* Appends the sentences, sorted by place, to the report's two lists. */
void problems_report(struct problems *problems, struct config_report *report);

/* Frees the contents; a zeroed struct is fine. */
void problems_release(struct problems *problems);

#endif
