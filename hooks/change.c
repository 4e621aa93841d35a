/* change.c - applying the paths of a deployment, one by one. Saving and undoing them is
 * the transaction's business (journal.c), which needs the old bytes before the first. */
#include "hooks/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hooks/access.h"

#define MAX_SECRET_BYTES ((size_t)64 * 1024)
#define MAX_PUBLIC_BYTES ((size_t)1024 * 1024)

struct change *change_add(struct change_list *list, enum change_kind kind,
			  const char *path, enum file_audience audience)
{
	struct change *change;

	list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
	change = &list->items[list->n++];
	*change = (struct change){ .kind = kind, .audience = audience };
	change->path = str_dup(path);
	if (audience == FILE_SECRET)
		buf_init_secret(&change->content, MAX_SECRET_BYTES);
	else
		buf_init(&change->content, MAX_PUBLIC_BYTES);
	return change;
}

void change_list_clear(struct change_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->n; i++) {
		struct change *change = &list->items[i];

		free(change->path);
		buf_release(&change->content);
		free(change->link_target);
		free(change->owner);
		free(change->group);
	}
	free(list->items);
	*list = (struct change_list){ 0 };
}

static bool file_is_applied(const struct change *change)
{
	struct buf now;
	struct err err;
	bool same;

	if (change->audience == FILE_SECRET)
		buf_init_secret(&now, MAX_SECRET_BYTES);
	else
		buf_init(&now, MAX_PUBLIC_BYTES);
	same = !file_read(change->path, &now, &err) && now.len == change->content.len &&
	       (!now.len || !memcmp(now.data, change->content.data, now.len)) &&
	       !access_check(change->path, change->owner, change->group, change->mode,
			     &err);
	buf_release(&now);
	return same;
}

static bool link_is_applied(const struct change *change)
{
	struct file_facts facts;
	char *target = NULL;
	struct err err;
	bool same;

	if (file_inspect(change->path, &facts, &err) || facts.type != FILE_LINK)
		return false;
	same = !link_read(change->path, &target, &err) &&
	       str_equal(target, change->link_target);
	free(target);
	return same;
}

bool change_is_applied(const struct change *change)
{
	switch (change->kind) {
	case CHANGE_FILE:
		return file_is_applied(change);
	case CHANGE_LINK:
		return link_is_applied(change);
	case CHANGE_WATCHED:
		break;
	}
	return false;
}

/* Bytes first, then access: a new key is readable by us alone until it is whole. */
static int apply_file(const struct change *change, const char *expected, struct err *err)
{
	const struct file_new new = {
		.data = buf_str(&change->content),
		.len = change->content.len,
		.audience = change->audience,
		.expected = expected,
	};
	char *real = NULL;
	int rc = -1;

	if (file_replace_if(change->path, &new, err))
		goto out;
	if (change->owner || change->group || change->mode) {
		if (file_resolve_trusted(change->path, &real, err))
			goto out;
		if (file_set_access(real, change->owner, change->group, change->mode,
				    err))
			goto out;
	}
	rc = 0;
out:
	free(real);
	return rc;
}

int change_apply(const struct change *change, const char *expected, struct err *err)
{
	switch (change->kind) {
	case CHANGE_FILE:
		return apply_file(change, expected, err);
	case CHANGE_LINK:
		return link_replace(change->path, change->link_target, err);
	case CHANGE_WATCHED:
		break;
	}
	return 0;
}

void change_tidy(enum change_kind kind, const char *path)
{
	char *real = kind == CHANGE_LINK ? str_dup(path) : NULL, *left;
	struct file_facts facts;
	struct err ignored;

	if (!real && file_resolve_trusted(path, &real, &ignored))
		return;
	left = str_printf("%s%s", real, FILE_NEW_SUFFIX);
	if (!file_inspect(left, &facts, &ignored) && facts.type != FILE_ABSENT)
		(void)file_remove(left, &ignored);
	free(left);
	free(real);
}
