#include "daemon/event_list.h"

#include <string.h>

void event_list_add(struct event_list *list, const struct event *event)
{
	struct event *copy;

	if (!list->arena)
		list->arena = arena_new();
	if (list->n == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 8;
		struct event *items = arena_calloc(list->arena, capacity, sizeof(*items));

		if (list->n)
			memcpy(items, list->items, list->n * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	copy = &list->items[list->n++];
	*copy = *event;
	copy->certificate = arena_strdup(list->arena, event->certificate);
	copy->target = arena_strdup(list->arena, event->target);
	copy->what = arena_strdup(list->arena, event->what);
	copy->todo = arena_strdup(list->arena, event->todo);
	copy->run = arena_strdup(list->arena, event->run);
	copy->key = arena_strdup(list->arena, event->key);
}

void event_list_clear(struct event_list *list)
{
	arena_free(list->arena);
	memset(list, 0, sizeof(*list));
}
