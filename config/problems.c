#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/config.h"

#define SENTENCE_MAX 1024

static void add(struct problems *problems, struct place place, bool warning,
		const char *text)
{
	struct problem *problem;

	if (problems->n == problems->cap) {
		problems->cap = problems->cap ? 2 * problems->cap : 16;
		problems->items = mem_realloc(problems->items,
					      problems->cap * sizeof(*problems->items));
	}
	problem = &problems->items[problems->n];
	problem->place = place;
	problem->order = problems->n++;
	problem->warning = warning;
	problem->text = str_dup(text);
	str_make_printable(problem->text);
	if (!warning)
		problems->n_errors++;
}

void problem_at(struct problems *problems, struct place place, const char *fmt, ...)
{
	char text[SENTENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(problems, place, false, text);
}

void warning_at(struct problems *problems, struct place place, const char *fmt, ...)
{
	char text[SENTENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(problems, place, true, text);
}

static int by_place(const void *left, const void *right)
{
	const struct problem *a = left, *b = right;

	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

void problems_report(struct problems *problems, struct config_report *report)
{
	if (problems->n)
		qsort(problems->items, problems->n, sizeof(*problems->items), by_place);
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *problem = &problems->items[i];
		char *line;

		if (problem->place.line)
			line = str_printf("%s:%u:%u: %s", problems->file,
					  problem->place.line, problem->place.column,
					  problem->text);
		else
			line = str_printf("%s: %s", problems->file, problem->text);
		strlist_add(problem->warning ? &report->warnings : &report->errors, line);
		free(line);
	}
}

void problems_release(struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		free(problems->items[i].text);
	free(problems->items);
	memset(problems, 0, sizeof(*problems));
}
