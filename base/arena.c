#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define CHUNK_BYTES 4096

/* Pieces are cut from the newest chunk; a large piece gets a chunk of its own. */
struct chunk {
	struct chunk *older;
	size_t used, size;
	max_align_t data[];
};

struct arena {
	struct chunk *newest;
};

struct arena *arena_new(void)
{
	return mem_calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	struct chunk *chunk, *older;

	if (!arena)
		return;
	for (chunk = arena->newest; chunk; chunk = older) {
		older = chunk->older;
		free(chunk);
	}
	free(arena);
}

void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
	struct chunk *chunk = arena->newest;
	size_t bytes, room;
	void *piece;

	if (size && n > SIZE_MAX / 2 / size)
		abort();
	bytes = (n * size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!chunk || bytes > chunk->size - chunk->used) {
		room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
		chunk = mem_calloc(1, sizeof(*chunk) + room);
		chunk->size = room;
		chunk->older = arena->newest;
		arena->newest = chunk;
	}
	piece = (char *)chunk->data + chunk->used;
	chunk->used += bytes;
	return piece;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy;

	if (!text)
		return NULL;
	len = strnlen(text, len);
	copy = arena_calloc(arena, len + 1, 1);
	memcpy(copy, text, len);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();

	text = arena_calloc(arena, (size_t)len + 1, 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}
