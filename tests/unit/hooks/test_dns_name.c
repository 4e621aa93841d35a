#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hooks/dns/message.h"

/* Bytes of a literal, without its NUL. */
#define BYTES(literal) (const unsigned char *)(literal), sizeof(literal) - 1

static void names_go_to_the_wire_and_come_back(void **state)
{
	static const char *const names[] = {
		"a.example",       "*.a.example",           "_acme-challenge.x",
		"a\\046b.example", "a\\000\\255\\092.test", ""
	};
	char text[DNS_NAME_TEXT_MAX];
	struct buf wire;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t at = 0;

		buf_init(&wire, DNS_NAME_WIRE_MAX);
		assert_int_equal(dns_name_write(names[i], &wire, &err), 0);
		assert_int_equal(dns_name_read(wire.data, wire.len, &at, text), 0);
		assert_int_equal(at, wire.len);
		assert_string_equal(text, names[i]);
		buf_release(&wire);
	}
}

static void what_is_no_name_is_refused(void **state)
{
	char too_long[300];
	const char *names[] = { "a..b",  ".a",          "a b",    "a\\", "a\\300",
				"a\x07", "caf\xc3\xa9", too_long, NULL };
	struct buf wire;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 298; i++)
		too_long[i] = i % 50 == 49 ? '.' : 'x';
	too_long[298] = '\0';
	for (size_t i = 0; names[i]; i++) {
		buf_init(&wire, DNS_NAME_WIRE_MAX);
		if (!dns_name_write(names[i], &wire, &err))
			fail_msg("'%s' was written", names[i]);
		assert_int_equal(err.kind, ERR_CONFIG);
		buf_release(&wire);
	}
	too_long[64] = '\0';
	memset(too_long, 'x', 64);
	buf_init(&wire, DNS_NAME_WIRE_MAX);
	assert_int_equal(dns_name_write(too_long, &wire, &err), -1);
	assert_int_equal(dns_name_write(too_long + 1, &wire, &err), 0);
	buf_release(&wire);
}

static void pointers_lead_backwards_only_and_names_stay_short(void **state)
{
	static const struct {
		const char *what;
		const unsigned char *data;
		size_t len, at;
	} broken[] = {
		{ "to itself", BYTES("\xc0\x00"), 0 },
		{ "forwards", BYTES("\xc0\x02\x00"), 0 },
		{ "in a circle",
		  BYTES("\x01"
			"a\xc0\x00"),
		  0 },
		{ "in a circle of two", BYTES("\xc0\x02\xc0\x00"), 2 },
		{ "cut in a pointer", BYTES("\x00\xc0"), 1 },
		{ "cut in a label",
		  BYTES("\x05"
			"ab"),
		  0 },
		{ "without an end",
		  BYTES("\x01"
			"a"),
		  0 },
		{ "an extended label",
		  BYTES("\x41"
			"a\x00"),
		  0 },
		{ "nothing at all", BYTES(""), 0 },
	};
	char text[DNS_NAME_TEXT_MAX];
	unsigned char chain[600];
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		at = broken[i].at;
		if (!dns_name_read(broken[i].data, broken[i].len, &at, text))
			fail_msg("read: %s", broken[i].what);
	}
	/* Labels that each lead to the one before: 3 bytes of message, 2 of the name. */
	memcpy(chain, "\x00", 1);
	for (size_t i = 0; i < 140; i++) {
		size_t back = i ? 1 + (i - 1) * 4 : 0;

		memcpy(chain + 1 + i * 4, "\x01x", 2);
		chain[1 + i * 4 + 2] = (unsigned char)(0xc0 | back >> 8);
		chain[1 + i * 4 + 3] = (unsigned char)back;
	}
	at = 1 + 126 * 4;
	assert_int_equal(dns_name_read(chain, sizeof(chain), &at, text), 0);
	assert_int_equal(strlen(text), 253);
	at = 1 + 127 * 4;
	assert_int_equal(dns_name_read(chain, sizeof(chain), &at, text), -1);
}

static void names_are_compared_by_labels_without_case(void **state)
{
	(void)state;
	assert_true(dns_name_equal("A.Example.", "a.example"));
	assert_false(dns_name_equal("a.example", "a.exampl"));
	assert_true(dns_name_is_below("x.A.example", "a.Example."));
	assert_true(dns_name_is_below("a.example", "a.example"));
	assert_true(dns_name_is_below("a.example", ""));
	assert_false(dns_name_is_below("xa.example", "a.example"));
	assert_false(dns_name_is_below("example", "a.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_to_the_wire_and_come_back),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(pointers_lead_backwards_only_and_names_stay_short),
		cmocka_unit_test(names_are_compared_by_labels_without_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
