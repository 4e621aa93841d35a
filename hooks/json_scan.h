/* json_scan.h - the checking scanner below json_edit.c, and nobody else's business. */
#ifndef HOOKS_JSON_SCAN_H
#define HOOKS_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "hooks/json_edit.h"

struct json_scan {
	const unsigned char *bytes; /* borrowed */
	size_t len, at;
	int depth;
};

/* Moves behind white space. */
void json_scan_space(struct json_scan *scan);

/* Reads one value at `at`, gives its span and moves behind it. ERR_CONFIG with line and
 * column. */
int json_scan_value(struct json_scan *scan, struct json_span *ret, struct err *err);

/* Steps through an object's members. `scan->at` stands behind '{' or behind the last
 * member's value; *ret_more false: it stands behind '}'. */
int json_scan_member(struct json_scan *scan, bool first, struct json_span *ret_name,
		     struct json_span *ret_value, bool *ret_more, struct err *err);

/* "line 3, column 7" of a byte; columns count characters. */
void json_scan_place(const unsigned char *bytes, size_t at, size_t *ret_line,
		     size_t *ret_column);

/* Fails with the place of `at`: "not JSON: line 3, column 7: <what>". */
int json_scan_fail(const struct json_scan *scan, size_t at, const char *what,
		   struct err *err);

#endif
