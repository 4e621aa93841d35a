/* world_json.c - cJSON's reading, printing and finding, which were a third of a seed's
 * time: the same trees and the same bytes, for the plain texts that state files are.
 * Whatever is not plain (escapes, fractions, errors) is left to cJSON, and so is each
 * hundredth text, to be compared. */
#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/str.h"
#include "tests/sim/world_tree.h"

#define DIGITS_MAX 15 /* doubles are exact that far, and %.15g shows them all */
#define DEPTH_MAX 32
#define COMPARED_EVERY 100

/* ---- reading ------------------------------------------------------------------- */

struct reader {
	const char *at, *end;
	int depth;
};

static cJSON *read_value(struct reader *in);

static void skip_space(struct reader *in)
{
	while (in->at < in->end &&
	       (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r'))
		in->at++;
}

static bool eat(struct reader *in, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
		return false;
	in->at += len;
	return true;
}

/* Gives a string without escapes; NULL: it is none. */
static char *read_text(struct reader *in)
{
	const char *begins = in->at + 1, *at = begins;
	char *text;

	if (in->at >= in->end || *in->at != '"')
		return NULL;
	while (at < in->end && *at != '"' && *at != '\\')
		at++;
	if (at >= in->end || *at != '"')
		return NULL;
	text = str_ndup(begins, (size_t)(at - begins));
	in->at = at + 1;
	return text;
}

static bool read_number(struct reader *in, cJSON *ret)
{
	bool negative = eat(in, "-");
	const char *begins = in->at;
	double value = 0;

	for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++)
		value = value * 10 + (*in->at - '0');
	if (in->at == begins || in->at - begins > DIGITS_MAX || in->at >= in->end ||
	    !strchr(",]} \t\r\n", *in->at))
		return false;
	ret->type = cJSON_Number;
	ret->valuedouble = negative ? -value : value;
	ret->valueint = value < INT_MAX ? (int)ret->valuedouble
			: negative      ? INT_MIN
					: INT_MAX;
	return true;
}

/* The members of an object, or the items of an array, into `parent`. */
static bool read_children(struct reader *in, cJSON *parent, const char *close)
{
	cJSON *last = NULL, *item;
	char *name = NULL;

	if (++in->depth > DEPTH_MAX)
		return false;
	for (;; last = item) {
		skip_space(in);
		if (!last && eat(in, close))
			break;
		if (parent->type == cJSON_Object) {
			name = read_text(in);
			skip_space(in);
			if (!name || !eat(in, ":")) {
				free(name);
				return false;
			}
		}
		item = read_value(in);
		if (!item) {
			free(name);
			return false;
		}
		item->string = name;
		item->prev = last;
		*(last ? &last->next : &parent->child) = item;
		parent->child->prev = item;
		skip_space(in);
		if (eat(in, close))
			break;
		if (!eat(in, ","))
			return false;
	}
	in->depth--;
	return true;
}

static bool read_into(struct reader *in, cJSON *item)
{
	if (eat(in, "{")) {
		item->type = cJSON_Object;
		return read_children(in, item, "}");
	}
	if (eat(in, "[")) {
		item->type = cJSON_Array;
		return read_children(in, item, "]");
	}
	if (in->at < in->end && *in->at == '"') {
		item->type = cJSON_String;
		item->valuestring = read_text(in);
		return item->valuestring;
	}
	item->type = eat(in, "true")    ? cJSON_True
		     : eat(in, "false") ? cJSON_False
		     : eat(in, "null")  ? cJSON_NULL
					: cJSON_Invalid;
	if (item->type == cJSON_True)
		item->valueint = 1;
	return item->type != cJSON_Invalid || read_number(in, item);
}

static cJSON *read_value(struct reader *in)
{
	cJSON *item = mem_calloc(1, sizeof(*item));

	skip_space(in);
	if (read_into(in, item))
		return item;
	cJSON_Delete(item);
	return NULL;
}

/* ---- printing ------------------------------------------------------------------ */

struct printer {
	char *text;
	size_t len, room;
	bool format;
	int depth;
};

static bool print_value(struct printer *out, const cJSON *item);

static void reserve(struct printer *out, size_t len)
{
	if (out->room - out->len >= len + 1)
		return;
	out->room = (out->room + len + 512) * 2;
	out->text = mem_realloc(out->text, out->room);
}

static inline void put(struct printer *out, const char *bytes, size_t len)
{
	reserve(out, len);
	memcpy(out->text + out->len, bytes, len);
	out->len += len;
}

static void put_tabs(struct printer *out)
{
	for (int i = 0; out->format && i < out->depth; i++)
		put(out, "\t", 1);
}

static bool print_text(struct printer *out, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	char *to;

	if (!text)
		return false;
	reserve(out, len + 2);
	to = out->text + out->len;
	*to++ = '"';
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == '"' || text[i] == '\\')
			return false;
		*to++ = text[i];
	}
	*to = '"';
	out->len += len + 2;
	return true;
}

static bool print_number(struct printer *out, double value)
{
	char digits[DIGITS_MAX + 1], *at = digits + sizeof(digits);
	int64_t left;

	if (!(value > -1e15 && value < 1e15) || value != (double)(int64_t)value ||
	    (value == 0 && signbit(value)))
		return false;
	left = value < 0 ? -(int64_t)value : (int64_t)value;
	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		*--at = '-';
	put(out, at, (size_t)(digits + sizeof(digits) - at));
	return true;
}

static bool print_object(struct printer *out, const cJSON *object)
{
	put(out, "{\n", out->format ? 2 : 1);
	out->depth++;
	for (const cJSON *item = object->child; item; item = item->next) {
		put_tabs(out);
		if (!print_text(out, item->string))
			return false;
		put(out, ":\t", out->format ? 2 : 1);
		if (!print_value(out, item))
			return false;
		if (item->next)
			put(out, ",", 1);
		if (out->format)
			put(out, "\n", 1);
	}
	out->depth--;
	put_tabs(out);
	put(out, "}", 1);
	return true;
}

static bool print_array(struct printer *out, const cJSON *array)
{
	put(out, "[", 1);
	out->depth++;
	for (const cJSON *item = array->child; item; item = item->next) {
		if (!print_value(out, item))
			return false;
		if (item->next)
			put(out, ", ", out->format ? 2 : 1);
	}
	out->depth--;
	put(out, "]", 1);
	return true;
}

static bool print_value(struct printer *out, const cJSON *item)
{
	switch (item->type & 0xFF) {
	case cJSON_NULL:
		put(out, "null", 4);
		return true;
	case cJSON_False:
		put(out, "false", 5);
		return true;
	case cJSON_True:
		put(out, "true", 4);
		return true;
	case cJSON_Number:
		return print_number(out, item->valuedouble);
	case cJSON_String:
		return print_text(out, item->valuestring);
	case cJSON_Array:
		return print_array(out, item);
	case cJSON_Object:
		return print_object(out, item);
	default:
		return false;
	}
}

/* Most differ in the first bytes: no call for those. */
static inline bool is_named(const cJSON *item, const char *name)
{
	const char *a = item->string;

	if (!a)
		return false;
	for (; *a == *name && *a; a++)
		name++;
	return *a == *name;
}

/* ---- in cJSON's place ------------------------------------------------------------ */

typedef cJSON *parse(const char *text, size_t len, const char **ret_end,
		     cJSON_bool whole);
typedef char *print(const cJSON *item);

static char *print_as(const cJSON *item, bool format, const char *name)
{
	static unsigned long count;
	struct printer out = { .format = format };
	bool done = item && print_value(&out, item),
	     compared = ++count % COMPARED_EVERY == 0;
	print *real;
	char *text;

	if (done)
		out.text[out.len] = '\0';
	if (done && !compared)
		return out.text;
	*(void **)&real = dlsym(RTLD_NEXT, name);
	text = real(item);
	if (done && !str_equal(text, out.text))
		abort();
	free(out.text);
	return text;
}

char *cJSON_Print(const cJSON *item)
{
	return print_as(item, true, "cJSON_Print");
}

char *cJSON_PrintUnformatted(const cJSON *item)
{
	return print_as(item, false, "cJSON_PrintUnformatted");
}

cJSON *cJSON_ParseWithLengthOpts(const char *text, size_t len, const char **ret_end,
				 cJSON_bool whole)
{
	static unsigned long count;
	struct reader in = { .at = text, .end = text + len };
	cJSON *json = text && ret_end && !whole ? read_value(&in) : NULL, *same;
	parse *real;

	if (json && ++count % COMPARED_EVERY) {
		*ret_end = in.at;
		return json;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "cJSON_ParseWithLengthOpts");
	same = real(text, len, ret_end, whole);
	if (json && (!cJSON_Compare(json, same, true) || *ret_end != in.at))
		abort();
	cJSON_Delete(json);
	return same;
}

/* The member that was found last, and in which object: forgotten when anything goes or
 * changes its place. */
static struct {
	const cJSON *object, *item;
} found;

/* Members are asked for in the order in which they were written, some twice: begins with
 * the last one that was found. */
cJSON *cJSON_GetObjectItemCaseSensitive(const cJSON *object, const char *name)
{
	cJSON *first = object && name ? object->child : NULL;
	cJSON *begin = first && found.object == object ? (cJSON *)(uintptr_t)found.item
						       : NULL;

	if (!begin)
		begin = first;
	for (cJSON *item = begin; item; item = item->next)
		if (is_named(item, name)) {
			found.object = object;
			found.item = item;
			return item;
		}
	for (cJSON *item = first; item != begin; item = item->next)
		if (is_named(item, name))
			return item;
	return NULL;
}

/* What is taken out of a piece must not go with it. */
static cJSON *apart(cJSON *item)
{
	cJSON *copy = item;

	if (!item || (item->type & TREE_PART) != TREE_PART)
		return item;
	copy = mem_calloc(1, sizeof(*copy));
	*copy = *item;
	copy->type &= 0xFF;
	copy->next = copy->prev = copy->child = NULL;
	copy->string = str_dup(item->string);
	copy->valuestring = str_dup(item->valuestring);
	for (cJSON *child = item->child, *next; child; child = next) {
		next = child->next;
		if (!cJSON_AddItemToArray(copy, apart(child)))
			abort();
	}
	return copy;
}

cJSON *cJSON_DetachItemViaPointer(cJSON *parent, cJSON *item)
{
	typedef cJSON *detach(cJSON * parent, cJSON * item);
	static detach *real;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "cJSON_DetachItemViaPointer");
	found.object = NULL;
	return apart(real(parent, item));
}

cJSON_bool cJSON_ReplaceItemViaPointer(cJSON *parent, cJSON *item, cJSON *replacement)
{
	typedef cJSON_bool replace(cJSON * parent, cJSON * item, cJSON * replacement);
	static replace *real;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "cJSON_ReplaceItemViaPointer");
	found.object = NULL;
	return real(parent, item, replacement);
}

static void free_item(cJSON *item)
{
	if ((item->type & TREE_PART) == TREE_PART) {
		cJSON_Delete(item->child); /* what was added to it */
		if (item->type & TREE_ROOT)
			free((char *)item - offsetof(struct tree, items));
		return;
	}
	if (!(item->type & cJSON_IsReference)) {
		cJSON_Delete(item->child);
		free(item->valuestring);
	}
	if (!(item->type & cJSON_StringIsConst))
		free(item->string);
	free(item);
}

/* As cJSON's, and for what stands in one piece (world_tree.h). */
void cJSON_Delete(cJSON *item)
{
	found.object = NULL;
	while (item) {
		cJSON *next = item->next;

		free_item(item);
		item = next;
	}
}
