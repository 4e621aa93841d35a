/* store_kinds.c - the kinds of store that there are. */
#include "hooks/store_kind.h"

const struct store_kind *store_kind_of(const struct store *store)
{
	static const struct store_kind *const kinds[] = {
		[STORE_NONE] = &store_none,
		[STORE_DIRECTORY] = &store_directory,
		[STORE_FILES] = &store_files,
		[STORE_WINDOWS] = &store_none, /* refused by config/ */
	};

	return kinds[store->type];
}
