/* show.c - the effective configuration as YAML that loads again. It prints the tree, not
 * the structs: what was read from secrets was never in it. */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "config/loaded.h"
#include "config/yaml_tree.h"

#define SHOW_MAX_BYTES (16 * 1024 * 1024)
#define LINE_MAX 90
#define MARK_MAX 12

static const char *const marks[] = {
	[FROM_FILE] = "",
	[FROM_DEFAULT] = "  # default",
	[FROM_PRESET] = "  # preset",
	[FROM_SYSTEM] = "  # system",
};

/* ---- scalars ------------------------------------------------------------- */

/* Plain where no reader of YAML could take it for the beginning of something else. */
static bool is_plain(const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_./+-@:";

	if (!strspn(text, safe) || text[strspn(text, safe)] || strchr("-.+@:", text[0]))
		return false;
	for (const char *colon = strchr(text, ':'); colon;
	     colon = strchr(colon + 1, ':')) {
		if (colon[1] != '/' && strncmp(text, "mailto:", 7) != 0)
			return false;
	}
	return !str_equal_nocase(text, "null");
}

/* Decodes the character at *text and steps over it. libyaml let valid UTF-8 in only. */
static uint32_t next_character(const char **text)
{
	static const uint32_t first_bits[] = { 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t byte = (unsigned char)*(*text)++;
	uint32_t n = byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
	uint32_t character = byte & first_bits[n];

	if (!n)
		return byte;
	for (; n && (**text & 0xc0) == 0x80; n--)
		character = character << 6 | (uint32_t)(*(*text)++ & 0x3f);
	return character;
}

/* Can it stand in YAML and on a terminal as it is? Not: controls, what YAML 1.1 takes for
 * the end of a line, a byte order mark, what is no character. */
static bool is_visible(uint32_t character)
{
	return character >= ' ' && (character < 0x7f || character > 0x9f) &&
	       character != 0x2028 && character != 0x2029 && character != 0xfeff &&
	       (character & 0xfffe) != 0xfffe;
}

static bool is_all_visible(const char *text)
{
	while (*text) {
		if (!is_visible(next_character(&text)))
			return false;
	}
	return true;
}

static void put_escaped(struct buf *out, const char *text)
{
	buf_puts(out, "\"");
	while (*text) {
		uint32_t character = next_character(&text);

		if (character == '"' || character == '\\')
			buf_printf(out, "\\%c", (int)character);
		else if (character >= ' ' && character < 0x7f)
			buf_printf(out, "%c", (int)character);
		else
			buf_printf(out, "\\U%08X", (unsigned)character);
	}
	buf_puts(out, "\"");
}

static void put_scalar(struct buf *out, const char *text)
{
	if (is_plain(text)) {
		buf_puts(out, text);
		return;
	}
	if (!is_all_visible(text)) {
		put_escaped(out, text);
		return;
	}
	buf_puts(out, "'");
	for (; *text; text++)
		buf_printf(out, *text == '\'' ? "''" : "%c", *text);
	buf_puts(out, "'");
}

/* ---- one line ------------------------------------------------------------ */

static bool same_origin(const struct node *node, enum node_origin origin)
{
	if (node->first) { /* a map is from nowhere: its members are from somewhere */
		for (const struct node *child = node->first; child; child = child->next) {
			if (!same_origin(child, origin))
				return false;
		}
		return true;
	}
	return node->origin == origin;
}

static enum node_origin origin_of(const struct node *node)
{
	while (node->first)
		node = node->first;
	return node->origin;
}

static void put_flow(struct buf *out, const struct node *node)
{
	if (node->type == NODE_SCALAR) {
		put_scalar(out, node->text);
		return;
	}
	buf_puts(out, node->type == NODE_LIST ? "[" : "{");
	for (const struct node *child = node->first; child; child = child->next) {
		if (node->type == NODE_MAP) {
			put_scalar(out, child->key);
			buf_puts(out, ": ");
		}
		put_flow(out, child);
		if (child->next)
			buf_puts(out, ", ");
	}
	buf_puts(out, node->type == NODE_LIST ? "]" : "}");
}

/* A map or list of plain values that all come from one place. */
static bool is_short(const struct node *node)
{
	for (const struct node *child = node->first; child; child = child->next) {
		if (child->first)
			return false;
	}
	return same_origin(node, origin_of(node));
}

/* Writes " value  # mark" and ends the line, or nothing if it does not fit in one. */
static bool put_in_line(struct buf *out, const struct node *node, size_t indent)
{
	struct buf flow;
	bool fits;

	if (!is_short(node))
		return false;
	buf_init(&flow, SHOW_MAX_BYTES);
	put_flow(&flow, node);
	fits = !node->first || indent + flow.len + MARK_MAX <= LINE_MAX;
	if (fits)
		buf_printf(out, " %s%s\n", buf_str(&flow), marks[origin_of(node)]);
	buf_release(&flow);
	return fits;
}

/* ---- blocks -------------------------------------------------------------- */

static void put_members(struct buf *out, const struct node *map, size_t indent,
			bool first_is_indented);

static void put_items(struct buf *out, const struct node *list, size_t indent)
{
	for (const struct node *item = list->first; item; item = item->next) {
		buf_printf(out, "%*s-", (int)indent, "");
		if (put_in_line(out, item, indent + 2))
			continue;
		buf_puts(out, " ");
		put_members(out, item, indent + 2, true);
	}
}

static void put_members(struct buf *out, const struct node *map, size_t indent,
			bool first_is_indented)
{
	for (const struct node *child = map->first; child; child = child->next) {
		if (child != map->first || !first_is_indented)
			buf_printf(out, "%*s", (int)indent, "");
		put_scalar(out, child->key);
		buf_puts(out, ":");
		if (put_in_line(out, child, indent + strlen(child->key) + 2))
			continue;
		buf_puts(out, "\n");
		if (child->type == NODE_LIST)
			put_items(out, child, indent + 2);
		else
			put_members(out, child, indent + 2, false);
	}
}

char *config_show(const struct config *config)
{
	const struct loaded *loaded = (const struct loaded *)config;
	struct buf out;

	buf_init(&out, SHOW_MAX_BYTES);
	buf_printf(&out, "# what '%s' means: with every default and preset\n",
		   config->path);
	put_members(&out, loaded->root, 0, false);
	return buf_steal(&out);
}
