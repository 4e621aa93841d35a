/* Orders, authorizations, nonces and URLs, as objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/authorization.h"
#include "acme/nonces.h"
#include "acme/order.h"
#include "acme/url.h"
#include "base/clock.h"
#include "base/json.h"

static cJSON *json(const char *text)
{
	struct err err;
	cJSON *value;

	if (json_parse(text, strlen(text), &value, &err))
		fail_msg("%s", err.text);
	return value;
}

static void an_order_is_read_whole(void **state)
{
	cJSON *object = json(
		"{\"status\":\"invalid\",\"expires\":\"2026-11-21T03:31:28.5Z\","
		"\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},{\"type\":1}"
		"],"
		"\"authorizations\":[\"https://ca/z/1\",\"https://ca/z/2\"],"
		"\"finalize\":\"https://ca/f\",\"certificate\":\"https://ca/c\","
		"\"error\":{\"type\":\"urn:ietf:params:acme:error:badCSR\","
		"\"detail\":\"weak\"}}");
	struct order order;
	struct err err;

	(void)state;
	assert_int_equal(order_parse(object, &order, &err), 0);
	assert_int_equal(order.status, STATUS_INVALID);
	assert_int_equal(order.expires_at, 1795231888);
	assert_int_equal(order.names.n, 1);
	assert_string_equal(order.names.items[0], "a.example");
	assert_int_equal(order.authorizations.n, 2);
	assert_string_equal(order.finalize, "https://ca/f");
	assert_string_equal(order.certificate, "https://ca/c");
	assert_string_equal(order.failure.text, "badCSR: weak");
	assert_int_equal(order.retry_after_s, -1);
	order_release(&order);
	cJSON_Delete(object);
}

static void an_order_that_says_little_is_read_too(void **state)
{
	cJSON *object = json("{\"expires\":\"never\",\"error\":null}");
	struct order order;
	struct err err;

	(void)state;
	assert_int_equal(order_parse(object, &order, &err), 0);
	assert_int_equal(order.status, STATUS_OTHER);
	assert_true(order.expires_at == CLOCK_NEVER);
	assert_null(order.finalize);
	assert_int_equal(order.failure.kind, ERR_NONE);
	order_release(&order);
	cJSON_Delete(object);
}

static void an_order_with_too_much_in_it_is_refused(void **state)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(object, "authorizations");
	cJSON *names = cJSON_AddArrayToObject(object, "identifiers");
	struct order order;
	struct err err;

	(void)state;
	for (int i = 0; i < 201; i++) {
		cJSON *name = cJSON_CreateObject();

		json_set_string(name, "value", "a.example");
		cJSON_AddItemToArray(names, name);
	}
	assert_int_equal(order_parse(object, &order, &err), 0);
	assert_int_equal(order.names.n, 0);
	order_release(&order);
	for (int i = 0; i < 201; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString("https://ca/z"));
	assert_int_equal(order_parse(object, &order, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_string_equal(err.text, "the order has 201 authorizations");
	cJSON_Delete(object);
}

static void an_order_with_something_else_for_a_url_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"authorizations\":[7]}",
		"{\"finalize\":\"http://ca/f\"}",
		"{\"certificate\":\"file:///etc/shadow\"}",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		cJSON *object = json(bad[i]);
		struct order order;
		struct err err;

		assert_int_equal(order_parse(object, &order, &err), -1);
		assert_int_equal(err.kind, ERR_REFUSED);
		cJSON_Delete(object);
	}
}

static void every_status_has_its_name(void **state)
{
	(void)state;
	for (int i = STATUS_PENDING; i <= STATUS_INVALID; i++)
		assert_int_equal(acme_status_parse(acme_status_name((enum acme_status)i)),
				 i);
	assert_int_equal(acme_status_parse("expired"), STATUS_GONE);
	assert_int_equal(acme_status_parse("deactivated"), STATUS_GONE);
	assert_int_equal(acme_status_parse("revoked"), STATUS_GONE);
	assert_int_equal(acme_status_parse("unknown"), STATUS_OTHER);
	assert_int_equal(acme_status_parse(NULL), STATUS_OTHER);
}

#define CHALLENGE(more)                                                                  \
	"{\"type\":\"http-01\",\"url\":\"https://ca/h\",\"token\":\"t0k_e-n\"" more "}"

static const struct acme_solver http_solver = { .type = "http-01" };
static const struct solvers http = { &http_solver, 1 };

static void an_authorization_is_read_with_the_challenge_we_answer(void **state)
{
	cJSON *object = json(
		"{\"status\":\"pending\",\"wildcard\":true,\"identifier\":"
		"{\"type\":\"dns\",\"value\":\"a.example\"},\"challenges\":["
		"{\"type\":\"dns-01\"},{}," CHALLENGE(",\"status\":\"processing\"") "]}");
	struct authorization parsed;
	struct err err;

	(void)state;
	assert_int_equal(authorization_parse(object, http, &parsed, &err), 0);
	assert_string_equal(parsed.identifier, "*.a.example");
	assert_int_equal(parsed.status, STATUS_PENDING);
	assert_string_equal(parsed.token, "t0k_e-n");
	assert_string_equal(parsed.challenge_url, "https://ca/h");
	assert_int_equal(parsed.challenge_status, STATUS_PROCESSING);
	assert_string_equal(parsed.offered, "dns-01, http-01");
	assert_int_equal(parsed.failure.kind, ERR_NONE);
	authorization_release(&parsed);
	cJSON_Delete(object);
}

static void the_failure_of_another_challenge_is_told_too(void **state)
{
	cJSON *object = json("{\"status\":\"invalid\",\"identifier\":{\"value\":\"a\"},"
			     "\"challenges\":[{\"type\":\"dns-01\",\"error\":"
			     "{\"detail\":\"no TXT\"}}]}");
	struct authorization parsed;
	struct err err;

	(void)state;
	assert_int_equal(authorization_parse(object, http, &parsed, &err), 0);
	assert_null(parsed.challenge_url);
	assert_string_equal(parsed.failure.text, "no TXT");
	authorization_release(&parsed);
	cJSON_Delete(object);
}

static void an_authorization_for_nobody_is_refused(void **state)
{
	cJSON *object = json("{\"status\":\"pending\"}");
	struct authorization parsed;
	struct err err;

	(void)state;
	assert_int_equal(authorization_parse(object, http, &parsed, &err), -1);
	assert_string_equal(err.text, "an authorization without an identifier");
	cJSON_Delete(object);
}

static void a_token_is_base64url_and_nothing_else(void **state)
{
	char longest[258];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[256] = '\0';
	assert_true(token_is_usable("AZaz09-_"));
	assert_true(token_is_usable(longest));
	longest[256] = 'a';
	longest[257] = '\0';
	assert_false(token_is_usable(longest));
	assert_false(token_is_usable(""));
	assert_false(token_is_usable(NULL));
	assert_false(token_is_usable("../../etc/passwd"));
	assert_false(token_is_usable("a.b"));
	assert_false(token_is_usable("a b"));
	assert_false(token_is_usable("\xc3\xa4"));
}

static void urls_are_https_printable_and_of_sane_length(void **state)
{
	char longest[2100] = "https://";
	struct err err;

	(void)state;
	assert_true(url_is_https("https://ca.example:14000/dir?a=b"));
	assert_false(url_is_https(NULL));
	assert_false(url_is_https(""));
	assert_false(url_is_https("https://"));
	assert_false(url_is_https("https:///path"));
	assert_false(url_is_https("http://ca.example/"));
	assert_false(url_is_https("HTTPS://ca.example/"));
	assert_false(url_is_https("https://ca.example/a b"));
	assert_false(url_is_https("https://ca.example/\r\nX: y"));
	assert_false(url_is_https("https://ca.example/\xc3\xa4"));
	assert_false(url_is_https("https://user:word@ca.example/"));
	assert_false(url_is_https("https://user@ca.example?a"));
	assert_true(url_is_https("https://ca.example/acct/a@b"));
	memset(longest + 8, 'a', 1992);
	assert_true(url_is_https(longest));
	longest[2000] = 'a';
	assert_false(url_is_https(longest));
	assert_int_equal(url_check(NULL, "order", &err), -1);
	assert_string_equal(err.text, "the CA's answer names no order URL");
	assert_int_equal(url_check("http://\033", "order", &err), -1);
	assert_string_equal(err.text,
			    "the CA gave 'http://?' as order URL: not an https:// URL");
}

static void nonces_are_used_in_the_order_they_came(void **state)
{
	struct nonces nonces = { 0 };
	char *nonce;

	(void)state;
	assert_null(nonces_take(&nonces));
	nonces_put(&nonces, "first");
	nonces_put(&nonces, "second");
	nonce = nonces_take(&nonces);
	assert_string_equal(nonce, "first");
	free(nonce);
	nonce = nonces_take(&nonces);
	assert_string_equal(nonce, "second");
	free(nonce);
	assert_null(nonces_take(&nonces));
}

static void nonces_are_bounded_in_number_and_form(void **state)
{
	struct nonces nonces = { 0 };
	char text[600], *nonce;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	nonces_put(&nonces, text);
	nonces_put(&nonces, "");
	nonces_put(&nonces, NULL);
	nonces_put(&nonces, "a=b");
	nonces_put(&nonces, "a\"b");
	assert_int_equal(nonces.n, 0);
	for (int i = 0; i < NONCES_KEPT + 3; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		nonces_put(&nonces, text);
	}
	assert_int_equal(nonces.n, NONCES_KEPT);
	nonce = nonces_take(&nonces);
	assert_string_equal(nonce, "n3"); /* the oldest went */
	free(nonce);
	nonces_clear(&nonces);
	assert_null(nonces_take(&nonces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_read_whole),
		cmocka_unit_test(an_order_that_says_little_is_read_too),
		cmocka_unit_test(an_order_with_too_much_in_it_is_refused),
		cmocka_unit_test(an_order_with_something_else_for_a_url_is_refused),
		cmocka_unit_test(every_status_has_its_name),
		cmocka_unit_test(an_authorization_is_read_with_the_challenge_we_answer),
		cmocka_unit_test(the_failure_of_another_challenge_is_told_too),
		cmocka_unit_test(an_authorization_for_nobody_is_refused),
		cmocka_unit_test(a_token_is_base64url_and_nothing_else),
		cmocka_unit_test(urls_are_https_printable_and_of_sane_length),
		cmocka_unit_test(nonces_are_used_in_the_order_they_came),
		cmocka_unit_test(nonces_are_bounded_in_number_and_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
