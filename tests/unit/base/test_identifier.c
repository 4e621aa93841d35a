#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/identifier.h"

static void what_is_no_address_is_a_name_or_a_wildcard(void **state)
{
	(void)state;
	assert_int_equal(identifier_kind("a.example"), IDENTIFIER_DNS);
	assert_int_equal(identifier_kind("*.a.example"), IDENTIFIER_WILDCARD);
	assert_int_equal(identifier_kind("192.0.2.7"), IDENTIFIER_IPV4);
	assert_int_equal(identifier_kind("2001:db8::1"), IDENTIFIER_IPV6);
	assert_int_equal(identifier_kind("192.0.2.256"), IDENTIFIER_DNS);
	assert_int_equal(identifier_kind("192.0.2"), IDENTIFIER_DNS);
	assert_int_equal(identifier_kind("fe80::1%eth0"), IDENTIFIER_DNS);
	assert_int_equal(identifier_kind(""), IDENTIFIER_DNS);
	assert_true(identifier_is_ip("::1"));
	assert_false(identifier_is_ip("*.a.example"));
}

static void an_address_is_its_bytes_in_network_order(void **state)
{
	unsigned char bytes[IDENTIFIER_IP_MAX];

	(void)state;
	assert_int_equal(identifier_ip_bytes("192.0.2.7", bytes), 4);
	assert_memory_equal(bytes, "\xc0\x00\x02\x07", 4);
	assert_int_equal(identifier_ip_bytes("2001:db8::1", bytes), 16);
	assert_memory_equal(bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	assert_int_equal(identifier_ip_bytes("a.example", bytes), 0);
}

static void an_address_has_one_spelling(void **state)
{
	static const unsigned char loopback[16] = { [15] = 1 };
	char text[IDENTIFIER_TEXT_MAX];

	(void)state;
	assert_int_equal(identifier_ip_text("2001:0DB8:0:0::0:1", text), 0);
	assert_string_equal(text, "2001:db8::1");
	assert_int_equal(identifier_ip_text("192.0.2.7", text), 0);
	assert_string_equal(text, "192.0.2.7");
	assert_int_equal(identifier_ip_text("a.example", text), -1);
	assert_int_equal(identifier_ip_from_bytes(loopback, 16, text), 0);
	assert_string_equal(text, "::1");
	assert_int_equal(identifier_ip_from_bytes(loopback, 4, text), 0);
	assert_string_equal(text, "0.0.0.0");
	assert_int_equal(identifier_ip_from_bytes(loopback, 5, text), -1);
}

static void an_address_is_proven_under_its_reverse_name(void **state)
{
	char text[IDENTIFIER_TEXT_MAX];

	(void)state;
	assert_int_equal(identifier_ip_reverse("192.0.2.7", text), 0);
	assert_string_equal(text, "7.2.0.192.in-addr.arpa");
	assert_int_equal(identifier_ip_reverse("2001:db8::1", text), 0); /* RFC 8738 6 */
	assert_string_equal(text, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d."
				  "0.1.0.0.2.ip6.arpa");
	assert_int_equal(identifier_ip_reverse("a.example", text), -1);
}

static void a_wildcards_records_are_at_its_base(void **state)
{
	(void)state;
	assert_string_equal(identifier_base("*.a.example"), "a.example");
	assert_string_equal(identifier_base("a.example"), "a.example");
	assert_string_equal(identifier_base("192.0.2.7"), "192.0.2.7");
}

static void spelling_and_case_make_no_difference(void **state)
{
	(void)state;
	assert_true(identifier_equal("A.example", "a.EXAMPLE"));
	assert_true(identifier_equal("2001:db8::1",
				     "2001:0db8:0000:0000:0000:0000:0000:0001"));
	assert_false(identifier_equal("2001:db8::1", "2001:db8::2"));
	assert_false(identifier_equal("*.a.example", "a.example"));
	assert_false(identifier_equal("192.0.2.7", "192.0.2.7.example"));
	assert_false(identifier_equal("a.example", "192.0.2.7"));
	/* An IPv4 address in IPv6's clothes is another identifier. */
	assert_false(identifier_equal("192.0.2.7", "::ffff:192.0.2.7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_address_is_a_name_or_a_wildcard),
		cmocka_unit_test(an_address_is_its_bytes_in_network_order),
		cmocka_unit_test(an_address_has_one_spelling),
		cmocka_unit_test(an_address_is_proven_under_its_reverse_name),
		cmocka_unit_test(a_wildcards_records_are_at_its_base),
		cmocka_unit_test(spelling_and_case_make_no_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
