/* world_memory.c - malloc() for one thread that lives for seconds: free lists by size, no
 * locks, nothing is given back. A sixth of a seed's time was spent in the library's.
 * Not in a build with sanitizers, which bring their own (CMakeLists.txt). */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT ((size_t)16)        /* of alignment, and between small sizes */
#define SMALL_MAX ((size_t)2048) /* up to here a list for each multiple of UNIT */
#define SMALL_LISTS (SMALL_MAX / UNIT + 1)
#define LISTS (SMALL_LISTS + 64) /* then one for each power of two */
#define PIECE ((size_t)4 << 20)

struct block {
	size_t list; /* where it goes back to */
	struct block *next;
};

static struct block *lists[LISTS];
static char *piece;
static size_t left;

static size_t list_of(size_t bytes)
{
	if (bytes <= SMALL_MAX)
		return (bytes + UNIT - 1) / UNIT;
	return SMALL_LISTS + (size_t)(64 - __builtin_clzll(bytes - 1));
}

static size_t room_of(size_t list)
{
	if (list < SMALL_LISTS)
		return list ? list * UNIT : UNIT;
	return (size_t)1 << (list - SMALL_LISTS);
}

/* Fresh room of the system's, which is all zero; NULL: there is none. */
static struct block *carve(size_t list)
{
	size_t bytes = UNIT + room_of(list), more = bytes > PIECE ? bytes : PIECE;
	struct block *block;

	if (left < bytes) {
		piece = mmap(NULL, more, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		left = piece == MAP_FAILED ? 0 : more;
	}
	if (left < bytes) {
		errno = ENOMEM;
		return NULL;
	}
	block = (struct block *)piece;
	piece += bytes;
	left -= bytes;
	block->list = list;
	return block;
}

static void *memory_of(struct block *block)
{
	return (char *)block + UNIT;
}

static struct block *block_of(void *memory)
{
	return (struct block *)((char *)memory - UNIT);
}

void *malloc(size_t bytes)
{
	struct block *block;
	size_t list;

	if (bytes > PTRDIFF_MAX / 2) {
		errno = ENOMEM;
		return NULL;
	}
	list = list_of(bytes);
	block = lists[list];
	if (block)
		lists[list] = block->next;
	else
		block = carve(list);
	return block ? memory_of(block) : NULL;
}

void free(void *memory)
{
	struct block *block;

	if (!memory)
		return;
	block = block_of(memory);
	block->next = lists[block->list];
	lists[block->list] = block;
}

void *calloc(size_t n, size_t each)
{
	size_t bytes;
	void *memory;

	if (__builtin_mul_overflow(n, each, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	memory = malloc(bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

void *realloc(void *memory, size_t bytes)
{
	size_t room = memory ? room_of(block_of(memory)->list) : 0;
	void *fresh;

	if (memory && bytes <= room)
		return memory;
	fresh = malloc(bytes);
	if (!fresh || !memory)
		return fresh;
	memcpy(fresh, memory, room);
	free(memory);
	return fresh;
}
