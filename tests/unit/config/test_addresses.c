#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "config/addresses.h"

static struct arena *arena;

static int make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *convert(value_converter *converter, const char *text, const char **why)
{
	struct value_context context = { arena, "/" };

	*why = NULL;
	return converter(&context, text, why);
}

static void takes(value_converter *converter, const char *text)
{
	const char *why;

	assert_string_equal(convert(converter, text, &why), text);
}

static void refuses(value_converter *converter, const char *text)
{
	const char *why;

	if (convert(converter, text, &why))
		fail_msg("took '%s'", text);
}

static void refuses_because(value_converter *converter, const char *text,
			    const char *reason)
{
	const char *why;

	assert_null(convert(converter, text, &why));
	assert_non_null(why);
	if (!strstr(why, reason))
		fail_msg("'%s' is refused because it '%s'", text, why);
}

static void a_host_becomes_lower_case(void **state)
{
	const char *why;

	(void)state;
	assert_string_equal(convert(address_host, "WWW.Example.COM", &why),
			    "www.example.com");
	takes(address_host, "localhost");
	takes(address_host, "a-1.xn--bcher-kva.example");
}

static void an_international_host_becomes_its_a_labels(void **state)
{
	const char *why;

	(void)state;
	assert_string_equal(convert(address_host,
				    "B\xc3\xbc"
				    "cher.example",
				    &why),
			    "xn--bcher-kva.example");
}

/* Non-transitional: not made into ss, which is another name. */
static void a_sharp_s_is_kept(void **state)
{
	const char *why;

	(void)state;
	assert_string_equal(convert(address_host,
				    "stra\xc3\x9f"
				    "e.example",
				    &why),
			    "xn--strae-oqa.example");
}

static void an_impossible_international_host_is_refused_with_the_reason(void **state)
{
	(void)state;
	refuses_because(address_host, "a\xe2\x80\x8d.example",
			"is no international host name: ");
	refuses_because(address_host, "\xff.example", "is no international host name: ");
}

static void a_host_is_no_address_no_wildcard_and_no_url(void **state)
{
	(void)state;
	refuses_because(address_host, "*.example.com", "is a wildcard");
	refuses_because(address_host, "192.0.2.1", "is an IP address");
	refuses_because(address_host, "2001:db8::1", "is an IP address");
	refuses_because(address_host, "[::1]", "is an IP address");
	refuses_because(address_host, "https://a.example", "looks like a URL");
	refuses_because(address_host, "a.example/x", "looks like a URL");
	refuses_because(address_host, "a.example.", "ends in a dot");
}

static void becomes(value_converter *converter, const char *text, const char *expected)
{
	const char *why;

	assert_string_equal(convert(converter, text, &why), expected);
}

static void an_identifier_is_a_name_a_wildcard_or_an_address(void **state)
{
	(void)state;
	becomes(address_identifier, "A.example", "a.example");
	becomes(address_identifier,
		"*.B\xc3\xbc"
		"cher.example",
		"*.xn--bcher-kva.example");
	becomes(address_identifier, "2001:DB8:0:0::1", "2001:db8::1");
	takes(address_identifier, "192.0.2.1");
	refuses_because(address_identifier, "*.1.2.3.4", "is an IP address");
	refuses_because(address_identifier, "*.example", "is a wildcard for a whole top");
	refuses_because(address_identifier, "*.*.a.example", "has a '*' in it");
	refuses_because(address_identifier, "a*.example", "has a '*' in it");
	refuses_because(address_identifier, "*", "has a '*' in it");
	refuses_because(address_identifier, "1.2.3", "ends in a number");
	refuses(address_identifier, "*.");
}

static void a_wildcard_is_no_longer_than_a_name(void **state)
{
	char text[300] = "*.";

	(void)state;
	for (size_t i = 0; i < 251; i++)
		text[2 + i] = i % 50 == 49 ? '.' : 'a';
	takes(address_identifier, text);
	text[253] = 'a';
	refuses_because(address_identifier, text, "is longer than 253 characters");
}

static void a_name_in_the_dns_may_have_underscores_and_a_dot_behind(void **state)
{
	(void)state;
	becomes(address_dns_name, "_ACME-Challenge.a.example.",
		"_acme-challenge.a.example");
	takes(address_dns_name, "corp");
	refuses(address_dns_name, "");
	refuses(address_dns_name, ".");
	refuses(address_dns_name, "a..b");
	refuses(address_dns_name, "a b");
	refuses(address_dns_name, "*.a");
}

static void a_dns_server_has_port_53(void **state)
{
	(void)state;
	becomes(address_dns_server, "ns.example", "ns.example:53");
	becomes(address_dns_server, "::1", "[::1]:53");
	becomes(address_dns_server, "[::1]", "[::1]:53");
	takes(address_dns_server, "[::1]:5353");
	takes(address_dns_server, "ns.example:5353");
	refuses(address_dns_server, "ns.example:70000");
	refuses(address_dns_server, "a b");
	refuses(address_dns_server, "");
}

static void a_host_has_labels_of_letters_digits_and_inner_hyphens(void **state)
{
	static const char *const wrong[] = {
		"",           "a..example",  ".example",    "-a.example",
		"a-.example", "a_b.example", "a b.example", "a:443",
		"*"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refuses(address_host, wrong[i]);
}

static void labels_have_63_characters_and_names_253(void **state)
{
	char host[1100];

	(void)state;
	memset(host, 'a', sizeof(host));
	host[63] = '\0';
	takes(address_host, host);
	host[63] = 'a';
	host[64] = '\0';
	refuses(address_host, host);
	memset(host, 'a', 255);
	for (size_t i = 60; i < 250; i += 60)
		host[i] = '.';
	host[254] = '\0';
	refuses_because(address_host, host, "longer than 253");
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	refuses_because(address_host, host, "longer than any host name");
}

static void a_server_name_may_be_none(void **state)
{
	(void)state;
}

static void an_endpoint_is_a_host_and_a_port(void **state)
{
	static const char *const right[] = { "127.0.0.1:443", "[::1]:443", "name:1",
					     "A.example:65535" };
	static const char *const wrong[] = {
		"127.0.0.1", "127.0.0.1:", ":443",       "::1:443", "[::1]", "[x]:443",
		"a:0",       "a:65536",    "a:99999999", "a b:1",   ""
	};

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		takes(address_endpoint, right[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refuses(address_endpoint, wrong[i]);
}

static void one_listens_on_a_port_or_an_address_but_not_on_a_name(void **state)
{
	(void)state;
	takes(address_listen, ":80");
	takes(address_listen, "127.0.0.1:8080");
	takes(address_listen, "[::1]:8080");
	refuses(address_listen, "localhost:80");
	refuses(address_listen, "80");
	refuses(address_listen, "256.0.0.1:80");
	refuses(address_listen, "1.2.3:80");
	refuses(address_listen, "1.2.3.4.5:80");
}

static void a_ca_is_spoken_to_over_https_only(void **state)
{
	(void)state;
	takes(address_https, "https://ca.example/dir?x=1");
	takes(address_https, "https://[::1]:14000/dir");
	takes(address_https, "https://127.0.0.1:14000/dir");
	refuses(address_https, "http://ca.example/dir");
	refuses(address_https, "https://");
	refuses(address_https, "https:///dir");
	refuses(address_https, "https://a b/");
	refuses(address_https, "https://a:x/");
	refuses(address_https, "https://[::1/");
	refuses(address_https, "ca.example");
}

static void a_url_holds_no_password(void **state)
{
	(void)state;
	refuses_because(address_https, "https://u:p@ca.example/", "password");
	refuses_because(address_proxy, "http://u:p@proxy:3128", "password");
	takes(address_https, "https://ca.example/@x");
}

static void a_webhook_in_the_clear_stays_on_this_machine(void **state)
{
	(void)state;
	takes(address_webhook, "https://hooks.example.com/ops");
	takes(address_webhook, "http://127.0.0.1:8080/x");
	takes(address_webhook, "http://localhost/x");
	takes(address_webhook, "http://[::1]:9/x");
	refuses_because(address_webhook, "http://hooks.example.com/", "in the clear");
	refuses_because(address_webhook, "http://127.0.0.1.example.com/", "in the clear");
	refuses(address_webhook, "ftp://hooks.example.com/");
}

static void a_proxy_is_an_http_url(void **state)
{
	(void)state;
	takes(address_proxy, "http://proxy:3128");
	takes(address_proxy, "https://proxy.example");
	refuses(address_proxy, "proxy:3128");
	refuses(address_proxy, "socks5://proxy:1080");
}

static void a_contact_is_a_mailto_address(void **state)
{
	(void)state;
	takes(address_contact, "mailto:ops@example.com");
	refuses(address_contact, "ops@example.com");
	refuses(address_contact, "mailto:ops");
	refuses(address_contact, "mailto:@example.com");
	refuses(address_contact, "mailto:a@b,c@d");
	refuses(address_contact, "mailto:a@");
}

int main(void)
{
	const struct CMUnitTest addresses[] = {
		cmocka_unit_test(a_host_becomes_lower_case),
		cmocka_unit_test(an_international_host_becomes_its_a_labels),
		cmocka_unit_test(a_sharp_s_is_kept),
		cmocka_unit_test(
			an_impossible_international_host_is_refused_with_the_reason),
		cmocka_unit_test(a_host_is_no_address_no_wildcard_and_no_url),
		cmocka_unit_test(an_identifier_is_a_name_a_wildcard_or_an_address),
		cmocka_unit_test(a_wildcard_is_no_longer_than_a_name),
		cmocka_unit_test(a_name_in_the_dns_may_have_underscores_and_a_dot_behind),
		cmocka_unit_test(a_dns_server_has_port_53),
		cmocka_unit_test(a_host_has_labels_of_letters_digits_and_inner_hyphens),
		cmocka_unit_test(labels_have_63_characters_and_names_253),
		cmocka_unit_test(a_server_name_may_be_none),
		cmocka_unit_test(an_endpoint_is_a_host_and_a_port),
		cmocka_unit_test(one_listens_on_a_port_or_an_address_but_not_on_a_name),
		cmocka_unit_test(a_ca_is_spoken_to_over_https_only),
		cmocka_unit_test(a_url_holds_no_password),
		cmocka_unit_test(a_webhook_in_the_clear_stays_on_this_machine),
		cmocka_unit_test(a_proxy_is_an_http_url),
		cmocka_unit_test(a_contact_is_a_mailto_address),
	};
	return cmocka_run_group_tests(addresses, make_arena, free_arena);
}
