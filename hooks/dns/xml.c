/* xml.c - a walk over a small document, once, left to right. */
#include "hooks/dns/xml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define DEPTH_MAX 16
#define ELEMENTS_MAX 20000
#define PATH_MAX_BYTES 512
#define TEXT_MAX_BYTES ((size_t)8 * 1024)
#define ENTITY_MAX 8
#define BLANKS " \t\r\n"

struct walk {
	const char *start, *at; /* NUL-terminated */
	xml_element_fn *element;
	void *ctx;
	struct buf path, text;
	size_t lengths[DEPTH_MAX]; /* of the path before each level */
	int depth, n_elements;
	struct err *err;
};

static int fail(struct walk *walk, const char *what)
{
	return err_set(walk->err, ERR_REFUSED, "not XML that we read: %s at byte %zu",
		       what, (size_t)(walk->at - walk->start));
}

/* ---- text ---------------------------------------------------------------- */

static void add_utf8(struct buf *out, uint32_t c)
{
	unsigned char bytes[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		bytes[i] = (unsigned char)(0x80 | (c & 0x3F));
	bytes[0] = (unsigned char)(lead[n] | c);
	buf_append(out, bytes, n);
}

/* "#38" or "#x26"; 0 when it is no character. */
static uint32_t number_of(const char *name)
{
	bool hex = name[1] == 'x';
	const char *digits = name + (hex ? 2 : 1);
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	unsigned long c = strtoul(digits, NULL, hex ? 16 : 10);

	if (!n || digits[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	return (uint32_t)c;
}

static int take_entity(struct walk *walk)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "amp", '&' },
		      { "lt", '<' },
		      { "gt", '>' },
		      { "quot", '"' },
		      { "apos", '\'' } };
	size_t len = strcspn(walk->at + 1, "; <&");
	char name[ENTITY_MAX + 1];
	uint32_t c = 0;

	if (walk->at[1 + len] != ';' || len > ENTITY_MAX)
		return fail(walk, "an entity without an end");
	str_copy(name, len + 1, walk->at + 1);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_equal(name, known[i].name))
			c = (unsigned char)known[i].c;
	if (*name == '#')
		c = number_of(name);
	if (!c)
		return fail(walk, "an unknown entity");
	add_utf8(&walk->text, c);
	walk->at += len + 2;
	return 0;
}

static int take_text(struct walk *walk)
{
	while (*walk->at && *walk->at != '<') {
		if (*walk->at == '&') {
			if (take_entity(walk))
				return -1;
			continue;
		}
		if (!walk->depth && !strchr(BLANKS, *walk->at))
			return fail(walk, "text outside of the document");
		buf_append(&walk->text, walk->at++, 1);
	}
	return buf_ok(&walk->text) ? 0 : fail(walk, "too much text");
}

/* ---- elements ------------------------------------------------------------ */

static size_t name_length(const char *at)
{
	return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "0123456789_.:-");
}

static int end_element(struct walk *walk)
{
	int rc = walk->element(walk->ctx, buf_str(&walk->path), buf_str(&walk->text),
			       walk->err);

	walk->path.len = walk->lengths[--walk->depth];
	walk->path.data[walk->path.len] = '\0';
	buf_clear(&walk->text);
	return rc;
}

static int take_end(struct walk *walk)
{
	const char *name = walk->at + 2;
	size_t len = name_length(name), before;

	if (!walk->depth)
		return fail(walk, "an end without a beginning");
	before = walk->lengths[walk->depth - 1] + 1;
	if (walk->path.len - before != len ||
	    strncmp(buf_str(&walk->path) + before, name, len) != 0)
		return fail(walk, "the end of another element");
	walk->at = name + len;
	walk->at += strspn(walk->at, BLANKS);
	if (*walk->at != '>')
		return fail(walk, "a tag without an end");
	walk->at++;
	return end_element(walk);
}

/* Passes over attributes, up to '>' or "/>". */
static int pass_attributes(struct walk *walk)
{
	for (;;) {
		size_t blanks = strspn(walk->at, BLANKS), len;
		const char *value, *end;

		walk->at += blanks;
		if (*walk->at == '>' || *walk->at == '/')
			return 0;
		len = name_length(walk->at);
		if (!blanks || !len || walk->at[len] != '=')
			return fail(walk, "a bad attribute");
		value = walk->at + len + 1;
		if (*value != '"' && *value != '\'')
			return fail(walk, "an attribute without quotes");
		end = strchr(value + 1, *value);
		if (!end || memchr(value, '<', (size_t)(end - value)))
			return fail(walk, "an attribute without an end");
		walk->at = end + 1;
	}
}

static int take_start(struct walk *walk)
{
	const char *name = walk->at + 1;
	size_t len = name_length(name);

	if (!len)
		return fail(walk, "a declaration, a comment or no name");
	if (walk->depth == DEPTH_MAX || ++walk->n_elements > ELEMENTS_MAX)
		return fail(walk, "too many elements");
	if (!walk->depth && walk->n_elements > 1)
		return fail(walk, "a second document");
	walk->lengths[walk->depth++] = walk->path.len;
	buf_printf(&walk->path, "/%.*s", (int)len, name);
	if (!buf_ok(&walk->path))
		return fail(walk, "too long a name");
	buf_clear(&walk->text);
	walk->at = name + len;
	if (pass_attributes(walk))
		return -1;
	if (*walk->at == '>') {
		walk->at++;
		return 0;
	}
	if (walk->at[1] != '>')
		return fail(walk, "a tag without an end");
	walk->at += 2;
	return end_element(walk);
}

static int pass_prolog(struct walk *walk)
{
	const char *end;

	if (str_starts(walk->at, "\xEF\xBB\xBF"))
		walk->at += 3;
	if (!str_starts(walk->at, "<?xml"))
		return 0;
	end = strstr(walk->at, "?>");
	if (!end)
		return fail(walk, "a prolog without an end");
	walk->at = end + 2;
	return 0;
}

static int walk_all(struct walk *walk)
{
	if (pass_prolog(walk))
		return -1;
	while (*walk->at) {
		if (take_text(walk))
			return -1;
		if (*walk->at == '<' &&
		    (walk->at[1] == '/' ? take_end(walk) : take_start(walk)))
			return -1;
	}
	return walk->depth || !walk->n_elements ? fail(walk, "its end") : 0;
}

int xml_walk(const char *data, size_t len, xml_element_fn *element, void *ctx,
	     struct err *err)
{
	struct walk walk = { .element = element, .ctx = ctx, .err = err };
	char *copy = mem_calloc(len + 1, 1);
	int rc;

	if (len)
		memcpy(copy, data, len);
	walk.start = walk.at = copy;
	buf_init(&walk.path, PATH_MAX_BYTES);
	buf_init(&walk.text, TEXT_MAX_BYTES);
	rc = strlen(copy) == len ? walk_all(&walk) : fail(&walk, "a NUL byte");
	buf_release(&walk.path);
	buf_release(&walk.text);
	free(copy);
	return rc;
}
