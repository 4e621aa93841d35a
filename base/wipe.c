#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

static void *take(size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(bytes);
}

static void give_back(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	if (block)
		OPENSSL_cleanse(block, wipe_block_bytes(block));
	free(block);
}

/* Never realloc(), which may leave a copy behind. */
static void *resize(void *block, size_t bytes, const char *file, int line)
{
	size_t before = block ? wipe_block_bytes(block) : 0;
	void *larger;

	if (block && bytes && bytes <= before && bytes >= before / 2)
		return block;
	larger = bytes ? malloc(bytes) : NULL;
	if (bytes && !larger)
		return NULL;
	if (larger && block)
		memcpy(larger, block, before < bytes ? before : bytes);
	give_back(block, file, line);
	return larger;
}

int wipe_library_memory(void)
{
	return CRYPTO_set_mem_functions(take, resize, give_back) == 1 ? 0 : -1;
}
