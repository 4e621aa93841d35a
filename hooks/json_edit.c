/* json_edit.c - finding members and collecting edits. The scanner stands in json_scan.c.
 */
#include "hooks/json_edit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hooks/json_scan.h"

const char *json_kind_text(enum json_kind kind)
{
	static const char *const texts[] = {
		[JSON_IS_OBJECT] = "an object", [JSON_IS_ARRAY] = "an array",
		[JSON_IS_STRING] = "a string",  [JSON_IS_NUMBER] = "a number",
		[JSON_IS_TRUE] = "true",        [JSON_IS_FALSE] = "false",
		[JSON_IS_NULL] = "null",
	};

	return texts[kind];
}

int json_edit_open(struct json_edit *edit, const void *bytes, size_t len, struct err *err)
{
	struct json_scan scan = { .bytes = bytes, .len = len };

	*edit = (struct json_edit){ .bytes = bytes, .len = len };
	if (len >= 2 && (!memcmp(bytes, "\xFF\xFE", 2) || !memcmp(bytes, "\xFE\xFF", 2)))
		return err_set(err, ERR_CONFIG, "is UTF-16, not UTF-8: save it as UTF-8");
	if (len >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3))
		scan.at = 3;
	json_scan_space(&scan);
	if (scan.at == len)
		return err_set(err, ERR_CONFIG, "is empty");
	if (json_scan_value(&scan, &edit->root, err))
		return -1;
	json_scan_space(&scan);
	if (scan.at != len)
		return json_scan_fail(&scan, scan.at,
				      "something stands behind the document", err);
	return 0;
}

void json_edit_release(struct json_edit *edit)
{
	if (!edit)
		return;
	for (size_t i = 0; i < edit->n_changes; i++)
		free(edit->changes[i].text);
	*edit = (struct json_edit){ 0 };
}

static struct json_scan scan_inside(const struct json_edit *edit,
				    const struct json_span *object)
{
	return (struct json_scan){ .bytes = edit->bytes,
				   .len = object->end,
				   .at = object->start + 1 };
}

static int duplicate(const struct json_edit *edit, const char *name, size_t a, size_t b,
		     struct err *err)
{
	size_t line_a, column_a, line_b, column_b;

	json_scan_place(edit->bytes, a, &line_a, &column_a);
	json_scan_place(edit->bytes, b, &line_b, &column_b);
	return err_set(err, ERR_CONFIG,
		       "'%s' is there twice: line %zu, column %zu and line %zu, column "
		       "%zu",
		       name, line_a, column_a, line_b, column_b);
}

int json_edit_member(const struct json_edit *edit, const struct json_span *object,
		     const char *name, struct json_span *ret, bool *ret_found,
		     struct err *err)
{
	struct json_scan scan = scan_inside(edit, object);
	struct json_span label, value, found = { 0 };
	size_t found_at = 0;
	bool more = true;

	for (bool first = true; more; first = false) {
		if (json_scan_member(&scan, first, &label, &value, &more, err))
			return -1;
		if (!more || !json_edit_says(edit, &label, name))
			continue;
		if (found_at)
			return duplicate(edit, name, found_at, label.start, err);
		found_at = label.start;
		found = value;
	}
	*ret_found = found_at != 0;
	if (found_at)
		*ret = found;
	return 0;
}

static void add_change(struct json_edit *edit, size_t start, size_t end, char *text)
{
	assert(edit->n_changes < JSON_EDIT_MAX);
	edit->changes[edit->n_changes++] = (struct json_change){ start, end, text };
}

void json_edit_replace(struct json_edit *edit, const struct json_span *value,
		       const char *text)
{
	add_change(edit, value->start, value->end, str_dup(text));
}

/* Steps back over white space. */
static size_t space_before(const struct json_edit *edit, size_t at)
{
	while (at > 0 && edit->bytes[at - 1] && strchr(" \t\r\n", edit->bytes[at - 1]))
		at--;
	return at;
}

static char *copy_bytes(const struct json_edit *edit, size_t start, size_t end)
{
	return str_ndup((const char *)edit->bytes + start, end - start);
}

bool json_edit_style(const struct json_edit *edit, const struct json_span *object,
		     struct json_style *ret)
{
	struct json_scan scan = scan_inside(edit, object);
	struct json_span name, value, last_name = { 0 };
	bool more = true, any = false;
	size_t end = 0, value_start = 0;
	struct err err;

	while (!json_scan_member(&scan, !any, &name, &value, &more, &err) && more) {
		last_name = name;
		value_start = value.start;
		end = value.end;
		any = true;
	}
	if (!any)
		return false;
	ret->end = end;
	ret->separator = copy_bytes(edit, space_before(edit, last_name.start),
				    last_name.start);
	ret->colon = copy_bytes(edit, last_name.end, value_start);
	return true;
}

void json_style_release(struct json_style *style)
{
	free(style->separator);
	free(style->colon);
	*style = (struct json_style){ 0 };
}

void json_edit_add(struct json_edit *edit, const struct json_style *style,
		   const char *name, const char *text)
{
	add_change(
		edit, style->end, style->end,
		str_printf(",%s\"%s\"%s%s", style->separator, name, style->colon, text));
}

/* By place; additions at one place stay in the order of their calls. */
static void sort_changes(struct json_edit *edit)
{
	for (size_t i = 1; i < edit->n_changes; i++) {
		struct json_change change = edit->changes[i];
		size_t at = i;

		for (; at > 0 && edit->changes[at - 1].start > change.start; at--)
			edit->changes[at] = edit->changes[at - 1];
		edit->changes[at] = change;
	}
}

int json_edit_finish(struct json_edit *edit, struct buf *out, struct err *err)
{
	size_t at = 0;

	sort_changes(edit);
	for (size_t i = 0; i < edit->n_changes; i++) {
		const struct json_change *change = &edit->changes[i];

		assert(change->start >= at);
		buf_append(out, edit->bytes + at, change->start - at);
		buf_puts(out, change->text);
		at = change->end;
	}
	buf_append(out, edit->bytes + at, edit->len - at);
	if (!buf_ok(out))
		return err_set(err, ERR_CONFIG, "would grow over %zu bytes", out->max);
	return 0;
}
