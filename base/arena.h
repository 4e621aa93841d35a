/* arena.h - memory whose pieces all die together: one per loaded configuration, one per
 * renewal run. Pieces are zeroed, aligned for any type, and never freed singly.
 * Out of memory aborts (STYLE 13: the journals make death at any instruction safe). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

struct arena;

/* Gives an empty arena; release with arena_free(). */
struct arena *arena_new(void);

/* Frees the arena and every piece of it; NULL is fine. */
void arena_free(struct arena *arena);

/* A zeroed piece of n * size bytes; lives as long as the arena. */
void *arena_calloc(struct arena *arena, size_t n, size_t size);

/* Copies of strings that live as long as the arena. NULL gives NULL. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
