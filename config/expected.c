/* expected.c - what a field takes, in words: for complaints and for the documentation. */
#include <stdio.h>

#include "base/str.h"
#include "config/fields.h"

static size_t list_choices(const struct choice *choices, char *out, size_t size)
{
	size_t len = 0;

	for (const struct choice *c = choices; c->name && len < size; c++) {
		const char *glue = c == choices ? "" : c[1].name ? ", " : " or ";

		len += (size_t)snprintf(out + len, size - len, "%s%s", glue, c->name);
	}
	return len;
}

static void bounds(const struct field *field, char *out, size_t size)
{
	char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];

	out[0] = '\0';
	if (!field->max)
		return;
	if (field->type == FIELD_DURATION || field->type == FIELD_PATIENCE) {
		value_format_duration(field->min, min);
		value_format_duration(field->max, max);
		snprintf(out, size, " from %s to %s", min, max);
	} else if (field->type == FIELD_SIZE) {
		value_format_size(field->min, min);
		value_format_size(field->max, max);
		snprintf(out, size, " from %s to %s", min, max);
	} else if (field->type == FIELD_NUMBER) {
		snprintf(out, size, " from %lld to %lld", (long long)field->min,
			 (long long)field->max);
	} else if (field->type == FIELD_TEXT) {
		snprintf(out, size, " of up to %lld characters", (long long)field->max);
	} else if (field_kind(field->type)->list || field->type == FIELD_NAMED ||
		   field->type == FIELD_ENVIRONMENT) {
		snprintf(out, size, " (%lld to %lld)", (long long)field->min,
			 (long long)field->max);
	}
}

void field_expected(const struct field *field, char *out, size_t size)
{
	const struct field_kind *kind = field_kind(field->type);
	const char *word = field->section ? field->section->word : NULL;
	const char *none = field->section && field->section->none_ok ? " or none" : "";
	const char *alone = field->section ? field->section->alone : NULL;
	char limits[80], words[400] = "";

	if (field->choices)
		list_choices(field->choices, words, sizeof(words));
	bounds(field, limits, sizeof(limits));
	snprintf(out, size, "%s%s%s%s%s%s%s%s%s%s", kind->expected ? kind->expected : "",
		 words, alone ? " or its " : "", alone ? alone : "", word ? ", " : "",
		 word ? word : "", none, limits, kind->example ? ", such as " : "",
		 kind->example ? kind->example : "");
}
