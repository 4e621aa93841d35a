/* yaml_tree.h - a YAML file as a bounded tree whose nodes know where they stand.
 *
 * Refuses what makes YAML dangerous or surprising: anchors, aliases, merge keys and tags
 * (so that no bomb can be written), duplicate keys, several documents, depth over 16,
 * more than 10,000 nodes. Knows no key of ours. A scalar stays the text that was written:
 * what it means is the business of the field that reads it.
 *
 * The tree is also what show-config prints: defaults and presets are added to it as nodes
 * with another origin, and readers put the effective text into it.
 */
#ifndef CONFIG_YAML_TREE_H
#define CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problems.h"

#define YAML_MAX_DEPTH 16
#define YAML_MAX_NODES 10000

struct arena;

enum node_type {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
	NODE_REFUSED, /* complained about already: readers leave it alone */
};

enum node_origin { FROM_FILE, FROM_DEFAULT, FROM_PRESET, FROM_SYSTEM };

struct node {
	enum node_type type;
	enum node_origin origin;
	struct place place;     /* of the value */
	const char *key;        /* in a map; NULL elsewhere */
	struct place key_place; /* in a map; else as place */
	const char *text;       /* NODE_SCALAR */
	bool quoted;            /* NODE_SCALAR: '' or "" or a block, so never null */
	struct node *first;     /* NODE_LIST, NODE_MAP: children in order */
	struct node *last;      /* where the next one is appended */
	size_t n;               /* how many */
	struct node *next;      /* sibling */
};

/* Parses one document. Gives a tree that lives in `arena`.
 * Fails   when there is no tree to look at (not YAML, empty, over a bound); complaints
 * are in `problems`, where lesser ones can be after success too. */
int yaml_tree_parse(const void *data, size_t len, struct arena *arena,
		    struct problems *problems, struct node **ret_root);

/* The member of a map with that key; NULL when there is none, or no map. */
struct node *node_member(const struct node *map, const char *key);

/* Appends a child to a list or map. */
void node_append(struct node *parent, struct node *child);

/* Puts a child behind `before`, which is one; NULL: in front. */
void node_insert(struct node *parent, struct node *before, struct node *child);

/* Nothing was written: `key:`, `key: ~`, `key: null`. */
bool node_is_null(const struct node *node);

/* Is it a scalar with exactly this text? NULL is not. */
bool node_is_word(const struct node *node, const char *word);

/* What to add to the tree: where it comes from, and the place to name in complaints. */
struct node_source {
	enum node_origin origin;
	struct place place;
};

/* A member `key` with the value `yaml`, written as the operator would write it. The text
 * is ours: it must parse. Gives a node in the arena, not yet in a map. */
struct node *node_from_text(struct arena *arena, struct node_source source,
			    const char *key, const char *yaml);

/* The same for a scalar, taken as it is (nothing in it is YAML). */
struct node *node_from_scalar(struct arena *arena, struct node_source source,
			      const char *key, const char *text);

#endif
