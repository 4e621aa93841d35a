/* section_program.c - the programs of a target: run: when files are switched, and before
 * and after a fallback. */
#include <string.h>

#include "base/arena.h"
#include "base/target.h"
#include "config/sections.h"

#define IN_PROGRAM(member) .offset = offsetof(struct program, member)

#define COMMAND_FIELD                                                                    \
	{                                                                                \
		.key = "command", .type = FIELD_COMMAND, IN_PROGRAM(argv), .min = 1,     \
		.max = 64,                                                               \
		.help = "the program by its absolute path, and its arguments; no shell"  \
	}

#define TIMEOUT_FIELD                                                                    \
	{                                                                                \
		.key = "timeout", .type = FIELD_DURATION, IN_PROGRAM(timeout_s),         \
		.fallback = "1m", .min = 1 * SECONDS, .max = 1 * HOURS,                  \
		.help = "how long it may run; then it is ended with all its children"    \
	}

static const struct field run_fields[] = {
	COMMAND_FIELD,
	TIMEOUT_FIELD,
	{ .key = "changes",
	  .type = FIELD_PATHS,
	  IN_PROGRAM(changes),
	  .fallback = "[]",
	  .max = 16,
	  .help = "files that it changes: saved before, put back on undo" },
};

/* ---- placeholders of win-acme's arguments --------------------------------- */

static const struct word {
	const char *prefix, *also;
	bool refused;
	const char *why;
} words[] = {
	{ "{CachePassword}", "{1}", true,
	  "which there is none of: no PFX file is ever written, so it has no password" },
	{ "{vault://", NULL, true,
	  "which there is no vault for: let the program read the secret itself, or "
	  "give it to certrenewd by {file:} or {dpapi:} where a secret belongs" },
	{ "{CacheFile}", "{2}", false,
	  "which will be empty: no PFX file is ever written" },
	{ "{CacheFolder}", "{6}", false,
	  "which will be empty: no PFX file is ever written" },
};

static void check_argument(struct reading *r, const struct frame *frame,
			   const struct node *argument)
{
	for (size_t i = 0; i < N_FIELDS(words); i++) {
		const struct word *word = &words[i];
		const char *found = strstr(argument->text, word->prefix);

		if (!found && word->also)
			found = strstr(argument->text, word->also);
		if (!found)
			continue;
		if (word->refused)
			field_problem(r, frame, "command", argument->place,
				      "has %.*s in it, %s", (int)strcspn(found, "}") + 1,
				      found, word->why);
		else
			warning_at(r->problems, argument->place,
				   "%s: 'command' has %.*s in it, %s", frame->label,
				   (int)strcspn(found, "}") + 1, found, word->why);
	}
}

static void check_run(struct reading *r, const struct frame *frame, struct node *map,
		      void *base)
{
	const struct node *command = node_member(map, "command");
	const struct node *argument = command ? command->first : NULL;

	(void)base;
	for (; argument; argument = argument->next) {
		if (argument->type == NODE_SCALAR)
			check_argument(r, frame, argument);
	}
}

const struct section run_section = {
	.what = "run",
	.fields = run_fields,
	.n_fields = N_FIELDS(run_fields),
	.size = sizeof(struct program),
	.after = check_run,
};

/* ---- guards of the fallback ----------------------------------------------- */

static const struct field guard_fields[] = { COMMAND_FIELD, TIMEOUT_FIELD };

static void complete_guard(struct reading *r, const struct frame *frame, struct node *map,
			   void *base)
{
	struct program *program = base;

	(void)frame;
	(void)map;
	program->changes = arena_calloc(r->values.arena, 1, sizeof(char *));
}

const struct section guard_section = {
	.what = "program",
	.word = "firewall",
	.fields = guard_fields,
	.n_fields = N_FIELDS(guard_fields),
	.none_ok = true,
	.after = complete_guard,
};

const struct section after_section = {
	.what = "program",
	.fields = guard_fields,
	.n_fields = N_FIELDS(guard_fields),
	.none_ok = true,
	.after = complete_guard,
};
