/* str.h - memory that aborts when there is none, strings, and lists of strings. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* calloc, realloc and strdup that abort when memory is out. Give; release with free(). */
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *old, size_t size);
char *str_dup(const char *text); /* NULL gives NULL */
char *str_ndup(const char *text, size_t len);
char *str_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Copies as much of `text` as fits into `size` bytes, NUL included. For sentences in
 * fixed fields, where a cut end is better than none. */
void str_copy(char *out, size_t size, const char *text);

/* Wipes and frees a secret string; NULL is fine. */
void str_free_secret(char *text);

/* Comparisons. str_equal treats two NULLs as equal, NULL and "" as different;
 * str_equal_nocase folds ASCII only. */
bool str_equal(const char *a, const char *b);
bool str_equal_nocase(const char *a, const char *b);
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

/* Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`: for "did you
 * mean". Strings over 64 characters count as 64 apart. */
size_t str_distance(const char *a, const char *b);

/* Writes 2 * len hex digits and a NUL to `out`. */
void hex_encode(const void *data, size_t len, bool upper, char *out);

/* Decodes exactly 2 * len hex digits of either case. -1 if `text` is anything else. */
int hex_decode(const char *text, void *out, size_t len);

/* Replaces control characters and invalid UTF-8 by '?', in place: what a peer or a child
 * process said must not move an operator's cursor. Newlines and tabs become spaces. */
void str_make_printable(char *text);

/* Overwrites every occurrence of the `len` bytes at `secret` in `text` by '*': a peer or
 * a program may have echoed it. Secrets under 4 bytes stay: they would be anywhere. */
void str_hide(char *text, const char *secret, size_t len);

struct strlist {
	char **items; /* NULL-terminated when n > 0: usable as an argument vector */
	size_t n;
};

/* Appends a copy of `text`. */
void strlist_add(struct strlist *list, const char *text);
bool strlist_has(const struct strlist *list, const char *text);
void strlist_sort(struct strlist *list);

/* Frees the contents and empties the list; the second wipes them too. */
void strlist_clear(struct strlist *list);
void strlist_clear_secret(struct strlist *list);

#endif
