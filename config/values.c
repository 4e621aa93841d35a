#include "config/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/files.h"
#include "base/str.h"
#include "config/system.h"

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* ---- numbers ------------------------------------------------------------- */

/* Reads at most 9 digits, so that nothing below can overflow. */
static const char *read_digits(const char *text, int64_t *ret)
{
	size_t n = strspn(text, DIGITS);
	int64_t number = 0;

	if (n < 1 || n > 9)
		return NULL;
	for (size_t i = 0; i < n; i++)
		number = number * 10 + (text[i] - '0');
	*ret = number;
	return text + n;
}

int value_number(const char *text, int64_t *ret)
{
	int64_t number;
	const char *end = read_digits(text, &number);

	if (!end || *end)
		return -1;
	*ret = number;
	return 0;
}

static const struct unit {
	char letter;
	int64_t factor;
} units[] = { { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

#define N_UNITS (sizeof(units) / sizeof(*units))

int value_duration(const char *text, int64_t *ret_s)
{
	int64_t number;
	const char *end = read_digits(text, &number);

	if (!end)
		return -1;
	if (!*end && !number) {
		*ret_s = 0;
		return 0;
	}
	for (size_t i = 0; i < N_UNITS; i++) {
		if (end[0] == units[i].letter && !end[1]) {
			*ret_s = number * units[i].factor;
			return 0;
		}
	}
	return -1;
}

void value_format_duration(int64_t seconds, char out[DURATION_TEXT_MAX])
{
	size_t i = 0;

	while (i < N_UNITS - 1 &&
	       (seconds < units[i].factor || seconds % units[i].factor != 0))
		i++;
	snprintf(out, DURATION_TEXT_MAX, "%lld%c", (long long)(seconds / units[i].factor),
		 units[i].letter);
}

int value_fraction(const char *text, int64_t *ret_numerator, int64_t *ret_denominator)
{
	int64_t numerator, denominator;
	const char *end = read_digits(text, &numerator);

	if (!end || *end != '/')
		return -1;
	end = read_digits(end + 1, &denominator);
	if (!end || *end || numerator < 1 || numerator >= denominator ||
	    denominator > 1000)
		return -1;
	*ret_numerator = numerator;
	*ret_denominator = denominator;
	return 0;
}

static const struct unit sizes[] = { { 'G', 1 << 30 },
				     { 'M', 1 << 20 },
				     { 'k', 1 << 10 } };

#define N_SIZES (sizeof(sizes) / sizeof(*sizes))

int value_size(const char *text, int64_t *ret_bytes)
{
	int64_t number;
	const char *end = read_digits(text, &number);

	if (!end)
		return -1;
	if (!*end) {
		*ret_bytes = number;
		return 0;
	}
	for (size_t i = 0; i < N_SIZES; i++) {
		if (end[0] == sizes[i].letter && !end[1]) {
			*ret_bytes = number * sizes[i].factor;
			return 0;
		}
	}
	return -1;
}

void value_format_size(int64_t bytes, char out[DURATION_TEXT_MAX])
{
	for (size_t i = 0; i < N_SIZES; i++) {
		if (bytes < sizes[i].factor || bytes % sizes[i].factor != 0)
			continue;
		snprintf(out, DURATION_TEXT_MAX, "%lld%c",
			 (long long)(bytes / sizes[i].factor), sizes[i].letter);
		return;
	}
	snprintf(out, DURATION_TEXT_MAX, "%lld", (long long)bytes);
}

int value_switch(const char *text, bool *ret)
{
	static const char *const words[][2] = { { "no", "yes" },
						{ "false", "true" },
						{ "off", "on" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		for (int value = 0; value < 2; value++) {
			if (str_equal_nocase(text, words[i][value])) {
				*ret = value;
				return 0;
			}
		}
	}
	return -1;
}

int value_mode(const char *text, uint32_t *ret)
{
	size_t n = strlen(text);
	uint32_t mode = 0;

	if (strspn(text, "01234567") != n || n < 3 || n > 4 || (n == 4 && text[0] != '0'))
		return -1;
	for (size_t i = 0; i < n; i++)
		mode = mode * 8 + (uint32_t)(text[i] - '0');
	*ret = mode;
	return 0;
}

/* ---- names --------------------------------------------------------------- */

bool value_has_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

const char *value_name(const struct value_context *context, const char *text,
		       const char **ret_why)
{
	size_t n = strlen(text);

	(void)ret_why;
	if (n < 1 || n > 63 || strspn(text, ALPHA DIGITS "_-") != n ||
	    !strchr(ALPHA DIGITS, text[0]))
		return NULL;
	return arena_strdup(context->arena, text);
}

const char *value_unit(const struct value_context *context, const char *text,
		       const char **ret_why)
{
	size_t n = strlen(text);

	(void)ret_why;
	if (n < 1 || n > 255 || strspn(text, ALPHA DIGITS ":-_.\\@") != n)
		return NULL;
	if (strchr(text, '.'))
		return arena_strdup(context->arena, text);
	return arena_printf(context->arena, "%s.service", text);
}

const char *value_account(const struct value_context *context, const char *text,
			  const char **ret_why)
{
	size_t n = strlen(text);

	(void)ret_why;
	if (n < 1 || n > 255 || strpbrk(text, ":/"))
		return NULL;
	return arena_strdup(context->arena, text);
}

const char *value_credential(const struct value_context *context, const char *text,
			     const char **ret_why)
{
	(void)ret_why;
	if (!*text || strlen(text) > 255 || strpbrk(text, "/\\") ||
	    str_equal(text, ".") || str_equal(text, ".."))
		return NULL;
	return arena_strdup(context->arena, text);
}

/* ---- paths --------------------------------------------------------------- */

static bool begins_with_drive(const char *path)
{
	return path[0] && strchr(ALPHA, path[0]) && path[1] == ':' &&
	       (path[2] == '\\' || path[2] == '/');
}

bool value_is_absolute(const char *path)
{
	return path_is_absolute(path) || path[0] == '/' || begins_with_drive(path) ||
	       str_starts(path, "\\\\");
}

/* One spelling for one path. */
static const char *tidy(struct arena *arena, const char *path)
{
	char *tidied = system_tidy_path(path);
	const char *out = arena_strdup(arena, tidied);

	free(tidied);
	return out;
}

static bool climbs(const char *path)
{
	while (path) {
		if (str_starts(path, "..") && (!path[2] || strchr("/\\", path[2])))
			return true;
		path = strpbrk(path, "/\\");
		if (path)
			path++;
	}
	return false;
}

const char *value_path(const struct value_context *context, const char *text,
		       const char **ret_why)
{
	const char *path;
	char *joined;

	if (!*text)
		return NULL;
	if (value_is_absolute(text))
		return tidy(context->arena, text);
	if (strchr(ALPHA, text[0]) && text[1] == ':') {
		*ret_why = "begins with a drive and is not absolute: write C:\\folder";
		return NULL;
	}
	joined = path_join(context->folder, text);
	path = tidy(context->arena, joined);
	free(joined);
	return path;
}

const char *value_absolute(const struct value_context *context, const char *text,
			   const char **ret_why)
{
	if (!value_is_absolute(text))
		return NULL;
	if (climbs(text)) {
		*ret_why = "has a '..' in it: write the path without it";
		return NULL;
	}
	return tidy(context->arena, text);
}
