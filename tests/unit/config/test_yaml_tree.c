#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/yaml_tree.h"

struct parsed {
	struct arena *arena;
	struct problems problems;
	struct node *root; /* NULL: refused */
};

static int setup(void **state)
{
	struct parsed *parsed = calloc(1, sizeof(*parsed));

	parsed->arena = arena_new();
	parsed->problems.file = "x";
	*state = parsed;
	return 0;
}

static int teardown(void **state)
{
	struct parsed *parsed = *state;

	problems_release(&parsed->problems);
	arena_free(parsed->arena);
	free(parsed);
	return 0;
}

static struct node *parse_bytes(void **state, const char *text, size_t len)
{
	struct parsed *parsed = *state;
	int rc = yaml_tree_parse(text, len, parsed->arena, &parsed->problems,
				 &parsed->root);

	assert_int_equal(rc == 0, parsed->root != NULL);
	return parsed->root;
}

static struct node *parse(void **state, const char *text)
{
	return parse_bytes(state, text, strlen(text));
}

static void complains(void **state, size_t at, unsigned line, unsigned column,
		      const char *sentence)
{
	const struct parsed *parsed = *state;

	assert_true(parsed->problems.n > at);
	assert_string_equal(parsed->problems.items[at].text, sentence);
	assert_int_equal(parsed->problems.items[at].place.line, line);
	assert_int_equal(parsed->problems.items[at].place.column, column);
}

static void nodes_know_their_key_text_and_place(void **state)
{
	struct node *root = parse(state, "a: 1\nb:\n  - x\n  - 'y'\nc: {d: e}\n");
	struct node *b = node_member(root, "b");

	assert_int_equal(root->type, NODE_MAP);
	assert_int_equal(root->n, 3);
	assert_string_equal(node_member(root, "a")->text, "1");
	assert_int_equal(b->type, NODE_LIST);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->key_place.line, 2);
	assert_string_equal(b->first->next->text, "y");
	assert_true(b->first->next->quoted);
	assert_int_equal(b->first->next->place.line, 4);
	assert_int_equal(b->first->next->place.column, 5);
	assert_true(node_is_word(node_member(node_member(root, "c"), "d"), "e"));
	assert_null(node_member(root, "z"));
	assert_null(node_member(b, "x"));
}

static void null_is_written_in_several_ways_but_never_quoted(void **state)
{
	struct node *root = parse(state,
				  "a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: none\n");

	assert_true(node_is_null(node_member(root, "a")));
	assert_true(node_is_null(node_member(root, "b")));
	assert_true(node_is_null(node_member(root, "c")));
	assert_false(node_is_null(node_member(root, "d")));
	assert_false(node_is_null(node_member(root, "e")));
	assert_false(node_is_null(node_member(root, "f")));
	assert_false(node_is_null(root));
}

static void a_syntax_error_says_where_and_what_it_is_inside_of(void **state)
{
	assert_null(parse(state, "a: [1, 2\nb: 3\n"));
	complains(state, 0, 2, 2,
		  "not YAML: did not find expected ',' or ']' while parsing a flow "
		  "sequence that begins in line 1");
}

static void a_syntax_error_in_one_line_says_what_was_found(void **state)
{
	assert_null(parse(state, "a: %x\n"));
	complains(state, 0, 1, 4,
		  "not YAML: found character that cannot start any token while scanning "
		  "for the next token");
}

static void a_tab_at_the_beginning_of_a_line_is_named(void **state)
{
	assert_null(parse(state, "a:\n\tb: 1\n"));
	complains(state, 0, 2, 1,
		  "not YAML: a line begins with a tab: indent with spaces");
}

static void bytes_that_are_not_utf8_are_found(void **state)
{
	assert_null(parse(state, "a: b\nc: \xfc\n"));
	complains(state, 0, 2, 4,
		  "not YAML: invalid leading UTF-8 octet: save the file as UTF-8 text");
}

static void a_file_without_anything_is_empty(void **state)
{
	assert_null(parse(state, ""));
	assert_null(parse(state, "# nothing but a comment\n"));
	complains(state, 1, 1, 1,
		  "the file is empty: it needs at least 'issuers' and 'certificates'");
}

static void a_key_is_given_once(void **state)
{
	struct node *root = parse(state, "a: 1\nb: 2\na: 3\n");

	complains(state, 0, 3, 1, "'a' is given twice, first in line 1: remove one");
	assert_string_equal(node_member(root, "a")->text, "1");
}

static void anchors_aliases_and_merge_keys_are_refused_one_by_one(void **state)
{
	struct node *root = parse(
		state, "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\nd: &y [1]\n'<<': 1\n");

	complains(state, 0, 1, 4,
		  "anchors ('&x') are not supported: write the value out");
	complains(state, 1, 2, 4,
		  "aliases ('*x') are not supported: write the value out");
	complains(state, 2, 4, 7,
		  "aliases ('*x') are not supported: write the value out");
	complains(state, 3, 4, 3,
		  "merge keys ('<<') are not supported: write the values out");
	complains(state, 4, 5, 4,
		  "anchors ('&y') are not supported: write the value out");
	assert_int_equal(node_member(root, "b")->type, NODE_REFUSED);
	assert_string_equal(node_member(root, "<<")->text, "1");
}

static void an_alias_bomb_is_refused_without_going_off(void **state)
{
	const struct parsed *parsed = *state;

	parse(state, "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		     "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]\n");
	assert_int_equal(parsed->problems.n_errors, 3 + 9 + 9 + 7);
	assert_int_equal(parsed->root->n, 4);
}

static void tags_are_refused(void **state)
{
	parse(state, "a: !!str 1\nb: !x {c: d}\ne: !y [f]\n");
	complains(state, 0, 1, 4,
		  "tags ('tag:yaml.org,2002:str') are not supported: write the plain "
		  "value");
	complains(state, 1, 2, 4, "tags ('!x') are not supported: write the plain value");
	complains(state, 2, 3, 4, "tags ('!y') are not supported: write the plain value");
}

static void a_second_document_is_refused(void **state)
{
	assert_null(parse(state, "a: 1\n---\nb: 2\n"));
	complains(state, 0, 2, 1,
		  "a second document begins here: keep one and remove the '---'");
}

static void what_comes_after_the_document_must_be_yaml_too(void **state)
{
	assert_null(parse(state, "a: 1\n...\n%x y\n@\n"));
	assert_int_equal(((struct parsed *)*state)->problems.n_errors, 1);
}

static void a_key_is_a_plain_word(void **state)
{
	assert_null(parse(state, "? [a, b]\n: c\n"));
	complains(state, 0, 1, 3, "expected a key, such as 'hosts:'");
}

static void a_nul_character_is_refused(void **state)
{
	struct node *root = parse(state, "a: \"x\\0y\"\n");

	complains(state, 0, 1, 4, "a value contains a NUL character");
	assert_int_equal(node_member(root, "a")->type, NODE_REFUSED);
}

static void sixteen_levels_are_deep_enough(void **state)
{
	char text[64] = "";

	for (int i = 0; i < 16; i++)
		strncat(text, "[", 2);
	for (int i = 0; i < 16; i++)
		strncat(text, "]", 2);
	assert_non_null(parse(state, text));
}

static void the_seventeenth_level_is_refused(void **state)
{
	char text[64] = "";

	for (int i = 0; i < 17; i++)
		strncat(text, "[", 2);
	for (int i = 0; i < 17; i++)
		strncat(text, "]", 2);
	assert_null(parse(state, text));
	complains(state, 0, 1, 17,
		  "more than 16 levels of nesting: nothing here is that deep");
}

static void more_than_ten_thousand_values_are_refused(void **state)
{
	struct buf text;

	buf_init(&text, 65536);
	buf_puts(&text, "[");
	for (int i = 0; i < 10001; i++)
		buf_puts(&text, "1,");
	buf_puts(&text, "]");
	assert_null(parse_bytes(state, buf_str(&text), text.len));
	assert_string_equal(((struct parsed *)*state)->problems.items[0].text,
			    "the file has more than 10000 values: split it");
	buf_release(&text);
}

static void what_is_added_knows_its_origin(void **state)
{
	struct parsed *parsed = *state;
	struct node_source source = { FROM_PRESET, { 7, 3 } };
	struct node *root = parse(state, "a: 1\n");
	struct node *list = node_from_text(parsed->arena, source, "v", "[{k: 'x y'}]");
	struct node *word = node_from_scalar(parsed->arena, source, "w", "[not yaml");

	node_append(root, list);
	node_insert(root, NULL, word);
	assert_ptr_equal(root->first, word);
	assert_string_equal(word->text, "[not yaml");
	assert_string_equal(node_member(list->first, "k")->text, "x y");
	assert_int_equal(node_member(list->first, "k")->origin, FROM_PRESET);
	assert_int_equal(node_member(list->first, "k")->place.line, 7);
	node_insert(root, list, node_from_text(parsed->arena, source, "e", "[]"));
	assert_string_equal(root->last->key, "e");
	assert_int_equal(root->last->type, NODE_LIST);
	assert_int_equal(root->n, 4);
	assert_int_equal(node_from_text(parsed->arena, source, "m", "{}")->type,
			 NODE_MAP);
	assert_string_equal(node_from_text(parsed->arena, source, "s", "1h")->text, "1h");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest trees[] = {
		TEST(nodes_know_their_key_text_and_place),
		TEST(null_is_written_in_several_ways_but_never_quoted),
		TEST(a_syntax_error_says_where_and_what_it_is_inside_of),
		TEST(a_syntax_error_in_one_line_says_what_was_found),
		TEST(a_tab_at_the_beginning_of_a_line_is_named),
		TEST(bytes_that_are_not_utf8_are_found),
		TEST(a_file_without_anything_is_empty),
		TEST(a_key_is_given_once),
		TEST(anchors_aliases_and_merge_keys_are_refused_one_by_one),
		TEST(an_alias_bomb_is_refused_without_going_off),
		TEST(tags_are_refused),
		TEST(a_second_document_is_refused),
		TEST(what_comes_after_the_document_must_be_yaml_too),
		TEST(a_key_is_a_plain_word),
		TEST(a_nul_character_is_refused),
		TEST(sixteen_levels_are_deep_enough),
		TEST(the_seventeenth_level_is_refused),
		TEST(more_than_ten_thousand_values_are_refused),
		TEST(what_is_added_knows_its_origin),
	};
	return cmocka_run_group_tests(trees, NULL, NULL);
}
