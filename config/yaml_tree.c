#include "config/yaml_tree.h"

#include <assert.h>
#include <string.h>

#include <yaml.h>

#include "base/arena.h"
#include "base/str.h"

struct parse {
	yaml_parser_t yaml;
	const char *data;
	size_t len;
	struct arena *arena;
	struct problems *problems;
	size_t n_nodes;
};

static struct place place_of(yaml_mark_t mark)
{
	return (struct place){ (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

/* ---- libyaml's complaints ------------------------------------------------ */

/* The reader knows only how many bytes it had taken. A byte order mark is no column, and
 * neither is what continues a character. */
static struct place place_of_offset(const struct parse *p, size_t offset)
{
	size_t i = p->len >= 3 && !memcmp(p->data, "\xef\xbb\xbf", 3) ? 3 : 0;
	struct place place = { 1, 1 };

	for (; i < offset && i < p->len; i++) {
		if ((p->data[i] & 0xc0) != 0x80)
			place.column++;
		if (p->data[i] == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return place;
}

static bool line_begins_with_tab(const struct parse *p, size_t line)
{
	const char *at = p->data, *end = p->data + p->len;

	while (line && at < end) {
		if (*at++ == '\n')
			line--;
	}
	while (at < end && *at == ' ')
		at++;
	return at < end && *at == '\t';
}

static int complain_syntax(struct parse *p)
{
	const yaml_parser_t *yaml = &p->yaml;
	const char *problem = yaml->problem ? yaml->problem : "out of memory";

	if (yaml->error == YAML_READER_ERROR)
		problem_at(p->problems, place_of_offset(p, yaml->problem_offset),
			   "not YAML: %s: save the file as UTF-8 text", problem);
	else if (line_begins_with_tab(p, yaml->problem_mark.line))
		problem_at(p->problems, place_of(yaml->problem_mark),
			   "not YAML: a line begins with a tab: indent with spaces");
	else if (yaml->context && yaml->context_mark.line < yaml->problem_mark.line)
		problem_at(p->problems, place_of(yaml->problem_mark),
			   "not YAML: %s %s that begins in line %zu", problem,
			   yaml->context, yaml->context_mark.line + 1);
	else
		problem_at(p->problems, place_of(yaml->problem_mark), "not YAML: %s%s%s",
			   problem, yaml->context ? " " : "",
			   yaml->context ? yaml->context : "");
	return -1;
}

/* ---- events -------------------------------------------------------------- */

static int next_event(struct parse *p, yaml_event_t *event)
{
	if (!yaml_parser_parse(&p->yaml, event))
		return complain_syntax(p);
	if (++p->n_nodes <= YAML_MAX_NODES)
		return 0;
	problem_at(p->problems, place_of(event->start_mark),
		   "the file has more than %d values: split it", YAML_MAX_NODES);
	yaml_event_delete(event);
	return -1;
}

static void refuse_decorations(struct parse *p, yaml_mark_t mark,
			       const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		problem_at(p->problems, place_of(mark),
			   "anchors ('&%s') are not supported: write the value out",
			   (const char *)anchor);
	if (tag)
		problem_at(p->problems, place_of(mark),
			   "tags ('%s') are not supported: write the plain value",
			   (const char *)tag);
}

static struct node *new_node(struct parse *p, enum node_type type, yaml_mark_t mark)
{
	struct node *node = arena_calloc(p->arena, 1, sizeof(*node));

	node->type = type;
	node->place = node->key_place = place_of(mark);
	return node;
}

static struct node *scalar_node(struct parse *p, const yaml_event_t *event)
{
	struct node *node = new_node(p, NODE_SCALAR, event->start_mark);
	const char *text = (const char *)event->data.scalar.value;

	refuse_decorations(p, event->start_mark, event->data.scalar.anchor,
			   event->data.scalar.tag);
	node->text = arena_strndup(p->arena, text, event->data.scalar.length);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (strlen(node->text) != event->data.scalar.length) {
		problem_at(p->problems, node->place, "a value contains a NUL character");
		node->type = NODE_REFUSED;
	}
	return node;
}

static int parse_value(struct parse *p, yaml_event_t *event, unsigned depth,
		       struct node **ret);

static int parse_list(struct parse *p, struct node *list, unsigned depth)
{
	yaml_event_t event;
	struct node *item;

	for (;;) {
		if (next_event(p, &event))
			return -1;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (parse_value(p, &event, depth, &item))
			return -1;
		node_append(list, item);
	}
	yaml_event_delete(&event);
	return 0;
}

/* Takes the key out of `event`; NULL when it is none. */
static struct node *parse_key(struct parse *p, yaml_event_t *event)
{
	struct node *key = NULL;

	if (event->type == YAML_SCALAR_EVENT)
		key = scalar_node(p, event);
	else
		problem_at(p->problems, place_of(event->start_mark),
			   "expected a key, such as 'hosts:'");
	yaml_event_delete(event);
	return key;
}

static void add_member(struct parse *p, struct node *map, const struct node *key,
		       struct node *value)
{
	const struct node *first = node_member(map, key->text);

	if (!strcmp(key->text, "<<") && !key->quoted) {
		problem_at(p->problems, key->place,
			   "merge keys ('<<') are not supported: write the values out");
		return;
	}
	if (first) {
		problem_at(p->problems, key->place,
			   "'%s' is given twice, first in line %u: remove one", key->text,
			   first->key_place.line);
		return;
	}
	value->key = key->text;
	value->key_place = key->place;
	node_append(map, value);
}

static int parse_map(struct parse *p, struct node *map, unsigned depth)
{
	yaml_event_t event;
	struct node *key, *value;

	for (;;) {
		if (next_event(p, &event))
			return -1;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		key = parse_key(p, &event);
		if (!key || next_event(p, &event) ||
		    parse_value(p, &event, depth, &value))
			return -1;
		add_member(p, map, key, value);
	}
	yaml_event_delete(&event);
	return 0;
}

static int parse_children(struct parse *p, struct node *parent, unsigned depth)
{
	if (depth >= YAML_MAX_DEPTH) {
		problem_at(p->problems, parent->place,
			   "more than %d levels of nesting: nothing here is that deep",
			   YAML_MAX_DEPTH);
		return -1;
	}
	return parent->type == NODE_LIST ? parse_list(p, parent, depth + 1)
					 : parse_map(p, parent, depth + 1);
}

/* Takes `event`, which starts the value. */
static int parse_value(struct parse *p, yaml_event_t *event, unsigned depth,
		       struct node **ret)
{
	struct node *node;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		node = scalar_node(p, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		node = new_node(p, NODE_LIST, event->start_mark);
		refuse_decorations(p, event->start_mark,
				   event->data.sequence_start.anchor,
				   event->data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		node = new_node(p, NODE_MAP, event->start_mark);
		refuse_decorations(p, event->start_mark, event->data.mapping_start.anchor,
				   event->data.mapping_start.tag);
		break;
	default: /* nothing else but an alias can start a value */
		node = new_node(p, NODE_REFUSED, event->start_mark);
		problem_at(p->problems, node->place,
			   "aliases ('*%s') are not supported: write the value out",
			   (const char *)event->data.alias.anchor);
	}
	yaml_event_delete(event);
	if ((node->type == NODE_LIST || node->type == NODE_MAP) &&
	    parse_children(p, node, depth))
		return -1;
	*ret = node;
	return 0;
}

/* ---- the document -------------------------------------------------------- */

static int expect_no_more(struct parse *p)
{
	yaml_event_t event;
	int rc = 0;

	if (next_event(p, &event)) /* the end of the document */
		return -1;
	yaml_event_delete(&event);
	if (next_event(p, &event))
		return -1;
	if (event.type != YAML_STREAM_END_EVENT) {
		problem_at(
			p->problems, place_of(event.start_mark),
			"a second document begins here: keep one and remove the '---'");
		rc = -1;
	}
	yaml_event_delete(&event);
	return rc;
}

static int parse_document(struct parse *p, struct node **ret)
{
	yaml_event_t event;
	struct node *root;

	if (next_event(p, &event)) /* the start of the stream */
		return -1;
	yaml_event_delete(&event);
	if (next_event(p, &event))
		return -1;
	if (event.type == YAML_STREAM_END_EVENT) {
		yaml_event_delete(&event);
		problem_at(p->problems, (struct place){ 1, 1 },
			   "the file is empty: it needs at least 'issuers' and "
			   "'certificates'");
		return -1;
	}
	yaml_event_delete(&event);
	if (next_event(p, &event) || parse_value(p, &event, 0, &root) ||
	    expect_no_more(p))
		return -1;
	*ret = root;
	return 0;
}

int yaml_tree_parse(const void *data, size_t len, struct arena *arena,
		    struct problems *problems, struct node **ret_root)
{
	struct parse p = {
		.data = data, .len = len, .arena = arena, .problems = problems
	};
	int rc;

	if (!yaml_parser_initialize(&p.yaml)) {
		problem_at(problems, (struct place){ 0, 0 }, "out of memory");
		return -1;
	}
	yaml_parser_set_input_string(&p.yaml, data, len);
	rc = parse_document(&p, ret_root);
	yaml_parser_delete(&p.yaml);
	return rc;
}
