/* world_tree.h - a parsed file in one piece of memory: its items, and behind them their
 * names and texts. Made by world_state.c; given to the product as what cJSON would have
 * made; freed in cJSON_Delete()'s place (world_json.c). */
#ifndef TESTS_SIM_WORLD_TREE_H
#define TESTS_SIM_WORLD_TREE_H

#include <stddef.h>

#include <cjson/cJSON.h>

/* Bits of cJSON's `type` that cJSON does not use. A name of such an item is not to be
 * freed. */
#define TREE_PART (1 << 12 | cJSON_StringIsConst)
#define TREE_ROOT (1 << 13)

struct tree {
	size_t len, n;
	cJSON items[]; /* the first is the root */
};

#endif
