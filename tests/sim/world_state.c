/* world_state.c - a state file that is read again as it was written is not parsed again:
 * the linker sends json_read_file() and json_write_file() here first (CMakeLists.txt).
 * What is given is a tree of its own, in one piece of memory (world_json.c frees it).
 * What is not plain is parsed; and so is each hundredth, to be compared. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "tests/sim/world.h"
#include "tests/sim/world_tree.h"

#define COMPARED_EVERY 100

int __wrap_json_read_file(const char *path, size_t max_bytes, cJSON **ret_json,
			  struct err *err);
int __real_json_write_file(const char *path, const cJSON *json, struct err *err);
int __wrap_json_write_file(const char *path, const cJSON *json, struct err *err);

/* ---- into one piece -------------------------------------------------------------- */

struct room {
	size_t items, bytes; /* of the names and texts */
};

static bool is_plain_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
			return false;
	return true;
}

/* What cJSON makes of its own text is the same again. */
static bool is_plain(const cJSON *item)
{
	switch (item->type & 0xFF) {
	case cJSON_Number:
		return item->valuedouble > -1e15 && item->valuedouble < 1e15 &&
		       item->valuedouble == (double)(int64_t)item->valuedouble &&
		       !(item->valuedouble == 0 && signbit(item->valuedouble));
	case cJSON_String:
		return item->valuestring && is_plain_text(item->valuestring);
	default:
		return (item->type & 0xFF) != cJSON_Raw;
	}
}

static bool measure(const cJSON *item, struct room *room)
{
	if (!is_plain(item) || (item->string && !is_plain_text(item->string)))
		return false;
	room->items++;
	room->bytes += item->string ? strlen(item->string) + 1 : 0;
	if (cJSON_IsString(item))
		room->bytes += strlen(item->valuestring) + 1;
	for (const cJSON *child = item->child; child; child = child->next)
		if (!measure(child, room))
			return false;
	return true;
}

struct packer {
	cJSON *item; /* the next free one */
	char *text;
};

static char *pack_text(struct packer *to, const char *text)
{
	size_t len = strlen(text) + 1;
	char *at = memcpy(to->text, text, len);

	to->text += len;
	return at;
}

static cJSON *pack_item(struct packer *to, const cJSON *from)
{
	cJSON *item = to->item++, *last = NULL;

	*item = (cJSON){ .type = (from->type & 0xFF) | TREE_PART,
			 .valueint = cJSON_IsTrue(from) ? 1 : from->valueint,
			 .valuedouble = from->valuedouble };
	if (from->string)
		item->string = pack_text(to, from->string);
	if (cJSON_IsString(from))
		item->valuestring = pack_text(to, from->valuestring);
	for (const cJSON *each = from->child; each; each = each->next) {
		cJSON *child = pack_item(to, each);

		child->prev = last;
		*(last ? &last->next : &item->child) = child;
		last = child;
	}
	if (last)
		item->child->prev = last;
	return item;
}

/* NULL: it is not plain. */
static struct tree *pack(const cJSON *json)
{
	struct room room = { 0 };
	struct packer to;
	struct tree *tree;
	size_t len;

	if (!measure(json, &room))
		return NULL;
	len = sizeof(*tree) + room.items * sizeof(cJSON) + room.bytes;
	tree = mem_realloc(NULL, len);
	tree->len = len;
	tree->n = room.items;
	to = (struct packer){ tree->items, (char *)(tree->items + room.items) };
	pack_item(&to, json)->type |= TREE_ROOT;
	return tree;
}

static inline void move(void *pointer, ptrdiff_t by)
{
	char *at;

	memcpy(&at, pointer, sizeof(at));
	at = at ? at + by : NULL;
	memcpy(pointer, &at, sizeof(at));
}

/* Gives: a tree for the caller alone. */
static cJSON *copy_of(const struct tree *tree)
{
	struct tree *copy = mem_realloc(NULL, tree->len);
	ptrdiff_t by = (char *)copy - (const char *)tree;

	memcpy(copy, tree, tree->len);
	for (size_t i = 0; i < copy->n; i++) {
		cJSON *item = &copy->items[i];

		move(&item->next, by);
		move(&item->prev, by);
		move(&item->child, by);
		move(&item->string, by);
		move(&item->valuestring, by);
	}
	return copy->items;
}

/* ---- in base/json.h's place -------------------------------------------------------- */

/* Is it what its file says? */
static void compare(const struct node *node, const struct tree *tree)
{
	static unsigned long count;
	struct err err;
	cJSON *json;

	if (++count % COMPARED_EVERY)
		return;
	if (json_parse(node->data, node->len, &json, &err) ||
	    !cJSON_Compare(json, tree->items, true))
		abort();
	cJSON_Delete(json);
}

static int read_whole(const char *path, struct node *node, cJSON **ret_json,
		      struct err *err)
{
	cJSON *json = NULL;

	if (json_parse(node->data ? node->data : "", node->len, &json, err)) {
		err->kind = ERR_CONFIG;
		return err_wrap(err, "damaged: '%s'", path);
	}
	if (!cJSON_IsObject(json)) {
		cJSON_Delete(json);
		return err_set(err, ERR_CONFIG, "damaged: '%s': not a JSON object", path);
	}
	node->tree = pack(json);
	*ret_json = json;
	return 0;
}

/* As base/json.c does it. */
int __wrap_json_read_file(const char *path, size_t max_bytes, cJSON **ret_json,
			  struct err *err)
{
	struct node *node = files_follow(path);
	struct buf text;
	int rc;

	if (!node || node->type != FILE_REGULAR || node->len > max_bytes) {
		buf_init(&text, max_bytes);
		rc = file_read(path, &text, err); /* says why not */
		buf_release(&text);
		return rc ? rc : err_set(err, ERR_IO, "'%s' was read", path);
	}
	if (!node->tree)
		return read_whole(path, node, ret_json, err);
	compare(node, node->tree);
	*ret_json = copy_of(node->tree);
	return 0;
}

int __wrap_json_write_file(const char *path, const cJSON *json, struct err *err)
{
	struct node *node;
	int rc = __real_json_write_file(path, json, err);

	node = rc ? NULL : files_follow(path);
	if (node && !node->tree && cJSON_IsObject(json))
		node->tree = pack(json);
	return rc;
}
