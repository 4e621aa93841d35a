/* readers.h - the readers of single types, for the table in kinds.c alone. */
#ifndef CONFIG_READERS_H
#define CONFIG_READERS_H

#include "config/fields.h"

/* Scalars (readers.c); each is a field_reader and complains by itself. */
field_reader read_text, read_converted, read_trusted, read_or_none, read_tls_json;
field_reader read_word, read_choice, read_flag, read_number, read_duration, read_patience,
	read_size, read_switch, read_mode;
field_reader read_renew_at;

/* What belongs to programs and to names of the file (readers_dns.c). */
field_reader read_provider, read_script, read_environment;

/* Lists, and sections inside sections (readers_list.c). */
field_reader read_list, read_flags, read_command, read_section, read_each,
	read_one_or_more;

/* When an application may be restarted (maintenance.c). */
field_reader read_maintenance;

/* The row of .choices with that name; NULL when there is none. */
const struct choice *field_choice(const struct field *field, const char *text);

/* Is the value within .min and .max? */
bool field_in_bounds(const struct field *field, int64_t value);

/* Has the list or map as many entries as it may? Complains if not. */
bool field_count_fits(struct reading *reading, const struct frame *frame,
		      const struct field *field, const struct node *list);

/* Writes a string's address into its slot. */
void field_put_text(const struct field *field, void *base, const char *text);

#endif
