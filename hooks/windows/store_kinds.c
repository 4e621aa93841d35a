/* store_kinds.c - the kinds of store that there are. */
#include "hooks/store_kind.h"

#include "hooks/windows/windows_store.h"

const struct store_kind *store_kind_of(const struct store *store)
{
	static const struct store_kind *const kinds[] = {
		[STORE_NONE] = &store_none,
		[STORE_DIRECTORY] = &store_directory,
		[STORE_FILES] = &store_files,
		[STORE_WINDOWS] = &windows_store,
	};

	return kinds[store->type];
}
