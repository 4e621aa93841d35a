/* wipe.c - the size of a block, as the C library knows it. */
#include "base/wipe.h"

#include <malloc.h>

size_t wipe_block_bytes(void *block)
{
	return malloc_usable_size(block);
}
