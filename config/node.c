/* node.c - looking at the tree of yaml_tree.h, and adding to it. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/yaml_tree.h"

struct node *node_member(const struct node *map, const char *key)
{
	if (!map || map->type != NODE_MAP)
		return NULL;
	for (struct node *child = map->first; child; child = child->next) {
		if (str_equal(child->key, key))
			return child;
	}
	return NULL;
}

void node_append(struct node *parent, struct node *child)
{
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->n++;
}

void node_insert(struct node *parent, struct node *before, struct node *child)
{
	child->next = before ? before->next : parent->first;
	if (before)
		before->next = child;
	else
		parent->first = child;
	if (!child->next)
		parent->last = child;
	parent->n++;
}

bool node_is_null(const struct node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	if (node->type != NODE_SCALAR || node->quoted)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++) {
		if (!strcmp(node->text, nulls[i]))
			return true;
	}
	return false;
}

bool node_is_word(const struct node *node, const char *word)
{
	return node && node->type == NODE_SCALAR && !strcmp(node->text, word);
}

static struct node *named(struct arena *arena, struct node_source source, const char *key,
			  enum node_type type)
{
	struct node *node = arena_calloc(arena, 1, sizeof(*node));

	node->type = type;
	node->key = key;
	node->origin = source.origin;
	node->place = node->key_place = source.place;
	return node;
}

struct node *node_from_scalar(struct arena *arena, struct node_source source,
			      const char *key, const char *text)
{
	struct node *node = named(arena, source, key, NODE_SCALAR);

	node->text = arena_strdup(arena, text);
	node->quoted = true;
	return node;
}

static void set_source(struct node *node, struct node_source source)
{
	node->origin = source.origin;
	node->place = node->key_place = source.place;
	for (struct node *child = node->first; child; child = child->next)
		set_source(child, source);
}

struct node *node_from_text(struct arena *arena, struct node_source source,
			    const char *key, const char *yaml)
{
	struct problems problems = { .file = "built in" };
	struct node *node = NULL;
	int rc;

	if (!strcmp(yaml, "[]"))
		return named(arena, source, key, NODE_LIST);
	if (!strcmp(yaml, "{}"))
		return named(arena, source, key, NODE_MAP);
	if (!strpbrk(yaml, "[{"))
		return node_from_scalar(arena, source, key, yaml);
	rc = yaml_tree_parse(yaml, strlen(yaml), arena, &problems, &node);
	assert(!rc && !problems.n);
	(void)rc;
	problems_release(&problems);
	set_source(node, source);
	node->key = key;
	return node;
}
