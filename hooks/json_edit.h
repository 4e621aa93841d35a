/* json_edit.h - changes values inside somebody else's JSON document and leaves every
 * other byte alone: byte order mark, line endings, indentation, order and duplicates of
 * unknown members, number literals of any length, escapes.
 *
 * Not a parser into a tree: it finds where values stand. The whole document is checked
 * once (RFC 8259, at most JSON_EDIT_DEPTH levels), so that spans can be trusted
 * afterwards. Edits are collected and applied in one go:
 *
 *     json_edit_open(&edit, bytes, len, &err);
 *     json_edit_member(&edit, &edit.root, "thumbprint", &value, &found, &err);
 *     json_edit_replace(&edit, &value, "\"77AF\"");
 *     json_edit_finish(&edit, &out, &err);
 *     json_edit_release(&edit);
 */
#ifndef HOOKS_JSON_EDIT_H
#define HOOKS_JSON_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_EDIT_DEPTH 32
#define JSON_EDIT_MAX 16 /* edits of one document */

enum json_kind {
	JSON_IS_OBJECT,
	JSON_IS_ARRAY,
	JSON_IS_STRING,
	JSON_IS_NUMBER,
	JSON_IS_TRUE,
	JSON_IS_FALSE,
	JSON_IS_NULL,
};

/* "an object", "an array", ... for sentences. */
const char *json_kind_text(enum json_kind kind);

/* Where a value stands: bytes [start, end). */
struct json_span {
	enum json_kind kind;
	size_t start, end;
};

struct json_edit {                  /* read `root`; the rest is json_edit.c's */
	const unsigned char *bytes; /* borrowed until released */
	size_t len;
	struct json_span root;
	struct json_change {
		size_t start, end;
		char *text;
	} changes[JSON_EDIT_MAX];
	size_t n_changes;
};

/* Checks the document and finds its root. Borrows `bytes` until json_edit_release().
 * ERR_CONFIG "is empty", "is UTF-16, not UTF-8", "not JSON: line 3, column 7: expected
 * ',' or '}'" (columns count characters, from 1). */
int json_edit_open(struct json_edit *edit, const void *bytes, size_t len,
		   struct err *err);
void json_edit_release(struct json_edit *edit);

/* Looks for the member `name` (escapes in the document's names are understood) of an
 * object. *ret_found false: there is none. ERR_CONFIG "'thumbprint' is there twice: line
 * 4, column 5 and line 9, column 5". */
int json_edit_member(const struct json_edit *edit, const struct json_span *object,
		     const char *name, struct json_span *ret, bool *ret_found,
		     struct err *err);

/* Appends the decoded text of a string. Bytes that are not UTF-8 are passed on as they
 * are; \u0000 and half surrogate pairs become U+FFFD. -1 when `out` is full. */
int json_edit_text(const struct json_edit *edit, const struct json_span *string,
		   struct buf *out);

/* Is it a string and does it say exactly `text`? */
bool json_edit_says(const struct json_edit *edit, const struct json_span *value,
		    const char *text);

/* Puts `text`, which is JSON, in the place of the value. Edits must not overlap; borrows
 * `text` for the call. */
void json_edit_replace(struct json_edit *edit, const struct json_span *value,
		       const char *text);

/* How an object that has members is written: what a further member would look like. */
struct json_style {
	size_t end;      /* where the last member's value ends */
	char *separator; /* white space in front of the last member: "\r\n\t" */
	char *colon;     /* between its name and its value: ": " */
};

/* Gives the style of an object, released with json_style_release(); false when it has no
 * member. */
bool json_edit_style(const struct json_edit *edit, const struct json_span *object,
		     struct json_style *ret);
void json_style_release(struct json_style *style);

/* Adds `"name": text` behind the last member, in its style. Several additions to one
 * object come in the order of the calls. */
void json_edit_add(struct json_edit *edit, const struct json_style *style,
		   const char *name, const char *text);

/* Appends the changed document to `out`. ERR_CONFIG when it does not fit. */
int json_edit_finish(struct json_edit *edit, struct buf *out, struct err *err);

/* Appends `text` (UTF-8) as a JSON string in pure ASCII, so that it is right in a
 * document of any ASCII-compatible encoding. */
void json_quote(struct buf *out, const char *text);

#endif
