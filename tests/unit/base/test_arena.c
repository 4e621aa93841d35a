#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new();
	unsigned char *pieces[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_calloc(arena, i + 1, 1);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)i, i + 1);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(pieces[i][k], i);
	}
	arena_free(arena);
}

static void a_piece_may_be_larger_than_a_chunk(void **state)
{
	struct arena *arena = arena_new();
	char *small = arena_strdup(arena, "small");
	char *large = arena_calloc(arena, 1000, 1000);

	(void)state;
	memset(large, 'x', 1000000);
	assert_string_equal(arena_strdup(arena, "after"), "after");
	assert_string_equal(small, "small");
	arena_free(arena);
}

static void strings_are_copied_cut_and_printed(void **state)
{
	struct arena *arena = arena_new();
	char text[] = "abc", *copy = arena_strdup(arena, text);

	(void)state;
	text[0] = 'x';
	assert_string_equal(copy, "abc");
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(arena, "abc", 10), "abc");
	assert_string_equal(arena_printf(arena, "%s-%03d", "a", 7), "a-007");
	arena_free(arena);
}

static void nothing_gives_nothing(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_null(arena_strdup(arena, NULL));
	assert_null(arena_strndup(arena, NULL, 3));
	arena_free(arena);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(a_piece_may_be_larger_than_a_chunk),
		cmocka_unit_test(strings_are_copied_cut_and_printed),
		cmocka_unit_test(nothing_gives_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
