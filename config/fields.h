/* fields.h - the one engine that turns the tree into structs, driven by tables.
 *
 * A section of the file is a `static const struct section`: rows of `struct field`, each
 * with its key, type, offset in the struct, default as an operator would write it, bounds
 * and help. The engine finds unknown and missing keys, adds defaults to the tree, reads
 * every value into its slot and complains about all that it cannot read. What a single
 * row cannot say ("exactly one of") is said by the section's `after` hook.
 *
 *     section_read() -> before -> unknown keys -> defaults, required -> readers -> after
 *
 * The docs table and show-config come from the same rows.
 */
#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/problems.h"
#include "config/secrets.h"
#include "config/values.h"
#include "config/yaml_tree.h"

enum field_type {
	FIELD_TEXT,        /* const char *; min..max bytes, 0: 1..1024 */
	FIELD_NAME,        /* const char *: a name of ours */
	FIELD_UNIT,        /* const char *: a systemd unit */
	FIELD_ACCOUNT,     /* const char *: a user or group */
	FIELD_PATH,        /* const char *: relative to the file's folder */
	FIELD_TRUSTED,     /* the same, of a file that nobody else may write */
	FIELD_ABSOLUTE,    /* const char *: an absolute path */
	FIELD_TLS_JSON,    /* const char *: path, {path: path} or none */
	FIELD_HTTPS,       /* const char * */
	FIELD_WEBHOOK,     /* const char * */
	FIELD_PROXY,       /* const char *, or none: NULL */
	FIELD_LISTEN,      /* const char * */
	FIELD_ENDPOINT,    /* const char * */
	FIELD_SERVER_NAME, /* const char *, or none: NULL */
	FIELD_DNS_NAME,    /* const char *: a name in the DNS, '_' allowed */
	FIELD_DNS_SERVER,  /* const char *: "name:53" */
	FIELD_SERVICE_URL, /* const char * */
	FIELD_PROVIDER,    /* const struct dns_provider *, by its name */
	FIELD_SCRIPT,      /* an argument vector of a trusted file alone */
	FIELD_WORD,        /* const char *: one of .choices */
	FIELD_CHOICE,      /* an enum: the value of one of .choices */
	FIELD_FLAG,        /* bool: the value of one of .choices */
	FIELD_FLAGS,       /* unsigned: the values of a list of .choices */
	FIELD_NUMBER,      /* int64_t, min..max */
	FIELD_DURATION,    /* int64_t seconds, min..max */
	FIELD_PATIENCE,    /* the same, or no: 0 */
	FIELD_SIZE,        /* int64_t bytes, min..max */
	FIELD_SWITCH,      /* bool */
	FIELD_MODE,        /* uint32_t */
	FIELD_RENEW_AT,    /* struct renew_at */
	FIELD_SECRET,      /* struct secret */
	FIELD_ENVIRONMENT, /* pointer at offset and size_t at .count: a map of struct
			      environment_value */
	FIELD_HOSTS,       /* NULL-terminated lists of strings, min..max items: */
	FIELD_CONTACTS,    /*   mailto: */
	FIELD_DNS_NAMES,   /*   names in the DNS */
	FIELD_RESOLVERS,   /*   "9.9.9.9:53", https:// */
	FIELD_NAMES,       /*   names of ours */
	FIELD_PATHS,       /*   absolute paths */
	FIELD_ACCOUNTS,    /*   users or groups */
	FIELD_WORDS,       /*   of .choices */
	FIELD_COMMAND,     /*   an argument vector; its program is trusted */
	FIELD_MAINTENANCE, /* pointer at offset and size_t at .count: struct window */
	FIELD_SECTION,     /* the struct at offset, by .section */
	FIELD_SECTIONS, /* pointer at offset and size_t at .count: a list of .section */
	FIELD_ONE_OR_MORE, /* the same, or one map without a list around it */
	FIELD_NAMED,       /* the same from a map; the struct begins with its name */
	FIELD_TYPES,
};

struct choice {
	const char *name; /* NULL ends the table */
	int value;
};

struct section;
struct config;

struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	const char
		*fallback; /* as written; NULL: required; FIELD_OPTIONAL: may be absent */
	int64_t min, max;  /* of a number, a duration (seconds) or a list; both 0: none */
	const char *help;
	size_t count;
	const struct choice *choices;
	const struct section *section;
	const char *only; /* exists only where the section's `type` is this word, or one
			     of these: "acme command" */
};

#define FIELD_OPTIONAL ""

struct reading;
struct frame;

/* Adds to the tree before the rows are read: what depends on other keys. */
typedef void section_before(struct reading *reading, struct node *map);

/* Checks and completes the struct at `base` after its rows were read. Members that were
 * complained about are as zeroed: look at the tree to know what was written. */
typedef void section_after(struct reading *reading, const struct frame *frame,
			   struct node *map, void *base);

struct section {
	const char *what; /* "certificate", in complaints and docs */
	const struct field *fields;
	size_t n_fields;
	size_t size;  /* of the struct, where the engine allocates it */
	bool none_ok; /* `none` may stand for the whole section: the struct stays zeroed
		       */
	const char *word;  /* so may this; NULL: no other */
	const char *alone; /* a plain value is the map with this key alone; NULL: no */
	section_before *before;
	section_after *after;
};

/* What one load shares. */
struct reading {
	struct value_context values; /* arena, and folder of the file */
	struct problems *problems;
	struct secret_list *secrets;
	bool check_trust;
	bool watching;                  /* a secret that is not readable is no error */
	const struct node *root;        /* the whole file */
	const struct node *certificate; /* whose targets are being read; NULL: none */
	const struct config *config;    /* what was read of it so far */
};

/* Where we are in the file, for complaints. */
struct frame {
	const struct frame *up; /* NULL: the whole file */
	const char *key;        /* under which the section stands in `up` */
	const char *item;       /* FIELD_NAMED: which one */
	bool nested;            /* FIELD_SECTION: 'renew.at' instead of 'at' */
	const char *label;      /* "certificate 'xu'"; set by section_read() */
	const char *prefix;     /* "renew." or ""; set by section_read() */
};

/* Reads the whole tree below `map` into the struct at `base`. */
void section_read(struct reading *reading, struct frame *frame,
		  const struct section *section, struct node *map, void *base);

/* Complains about a key of the section: "'renew.at' ...". */
void field_problem(struct reading *reading, const struct frame *frame, const char *key,
		   struct place place, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* "'renew.at' is '30': expected ...", or "'hosts' has '*.a', which <why>" where that says
 * more than the expectation; NULL else. `text`: the value, NULL to name its kind only. */
void field_wrong(struct reading *reading, const struct frame *frame,
		 const struct field *field, const struct node *node, const char *why);

/* Writes what a field takes, with its bounds: "a duration from 1s to 10m, such as 30s".
 */
void field_expected(const struct field *field, char *out, size_t size);

/* Does the row exist where the section's type is that word? */
bool field_is_for(const struct field *field, const char *type);

/* ---- between the engine and the readers (readers.c) ---------------------- */

/* Reads `node`, of a shape that fits, into the struct at `base`, and puts the effective
 * text into the node. Complains by itself. */
typedef void field_reader(struct reading *reading, const struct frame *frame,
			  const struct field *field, struct node *node, void *base);

struct field_kind {
	bool scalar, list, map; /* shapes that it takes */
	field_reader *read;
	value_converter *convert; /* of the scalar, or of each item; NULL: .choices */
	const char *expected;     /* "a path", "a list of host names" */
	const char *example;      /* "such as ..." goes behind the bounds; NULL: none */
};

/* The row of a type; never NULL. */
const struct field_kind *field_kind(enum field_type type);

#endif
