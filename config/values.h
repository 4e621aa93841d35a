/* values.h - what a scalar of the file means: numbers, durations, fractions, modes,
 * switches, names and paths. Pure but for memory; knows no field and no tree. */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define DURATION_TEXT_MAX 32

/* All return 0, or -1 when `text` is something else; *ret is set only on success. */

/* Decimal digits only. */
int value_number(const char *text, int64_t *ret);

/* "90s", "15m", "24h", "30d", "2w" -> seconds. "0" needs no unit. */
int value_duration(const char *text, int64_t *ret_s);

/* "1/3": both parts at least 1, together in (0,1), at most 1000. */
int value_fraction(const char *text, int64_t *ret_numerator, int64_t *ret_denominator);

/* "500k", "10M", "1G" (of 1024), or bytes. */
int value_size(const char *text, int64_t *ret_bytes);

/* YAML 1.1: yes no true false on off, as yes, Yes or YES. */
int value_switch(const char *text, bool *ret);

/* Three octal digits, or four that begin with 0. */
int value_mode(const char *text, uint32_t *ret);

/* The largest unit that leaves no rest: 5400 -> "90m". */
void value_format_duration(int64_t seconds, char out[DURATION_TEXT_MAX]);

/* The same for sizes: 10485760 -> "10M". */
void value_format_size(int64_t bytes, char out[DURATION_TEXT_MAX]);

/* Absolute on any system: "/opt/x", "C:\x", "C:/x", "\\host\share". */
bool value_is_absolute(const char *path);

/* Has it characters that move a cursor or end a line (anything below a space, DEL)? */
bool value_has_control(const char *text);

/* What a converter may need besides the text. Everything is borrowed. */
struct value_context {
	struct arena *arena; /* where results live */
	const char *folder;  /* what relative paths are relative to */
};

/* Checks `text` and returns it as the program wants it, in the arena. NULL when it is not
 * acceptable; then *ret_why may be set to a clause that says why ("is an IP address:
 * ..."), and is left alone when what was expected says enough. */
typedef const char *value_converter(const struct value_context *context, const char *text,
				    const char **ret_why);

value_converter value_name;       /* [A-Za-z0-9][A-Za-z0-9_-]{0,62} */
value_converter value_unit;       /* a systemd unit; ".service" is added */
value_converter value_account;    /* user or group, name or number */
value_converter value_path;       /* relative to the folder */
value_converter value_absolute;   /* absolute only */
value_converter value_credential; /* a file name without folders */

#endif
