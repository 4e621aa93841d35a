#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/renewal_info.h"
#include "base/clock.h"
#include "base/str.h"
#include "ca_fixture.h"

#define CERT_ID "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE" /* RFC 9773 4.1 */

static int parse(const char *json, int64_t retry_after_s, struct acme_renewal_info *ret,
		 struct err *err)
{
	return renewal_info_parse(json, strlen(json), retry_after_s, ret, err);
}

#define WINDOW(start, end)                                                               \
	"{\"suggestedWindow\":{\"start\":\"" start "\",\"end\":\"" end "\"}}"

static void expect_refusal(const char *json, const char *words)
{
	struct acme_renewal_info info;
	struct err err;

	assert_int_equal(parse(json, -1, &info, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	if (!strstr(err.text, words))
		fail_msg("%s", err.text);
}

static void the_window_of_the_rfc_is_read(void **state)
{
	struct acme_renewal_info info;
	char text[CLOCK_TEXT_MAX];
	struct err err;

	(void)state;
	assert_int_equal(parse("{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\","
			       "\"end\":\"2025-01-03T05:00:00.5+01:00\"},"
			       "\"explanationURL\":\"https://acme.example/docs/ari\"}",
			       21600, &info, &err),
			 0);
	clock_format_rfc3339(info.start_at, text);
	assert_string_equal(text, "2025-01-02T04:00:00Z");
	clock_format_rfc3339(info.end_at, text);
	assert_string_equal(text, "2025-01-03T04:00:00Z");
	assert_int_equal(info.retry_after_s, 21600);
	assert_string_equal(info.explanation_url, "https://acme.example/docs/ari");
}

static void a_window_that_ends_before_it_starts_is_no_answer(void **state)
{
	(void)state;
	expect_refusal(WINDOW("2025-01-02T04:00:00Z", "2025-01-02T04:00:00Z"),
		       "ends before it starts");
	expect_refusal(WINDOW("2025-01-02T04:00:00Z", "2025-01-01T04:00:00Z"),
		       "ends before it starts");
}

/* They are kept in files that have no instants below zero. */
static void a_window_from_before_1970_is_no_answer(void **state)
{
	(void)state;
	expect_refusal(WINDOW("0001-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
		       "suggestedWindow.start is '0001-01-01T00:00:00Z'");
	expect_refusal(WINDOW("1969-12-31T23:59:58Z", "1969-12-31T23:59:59Z"),
		       "since 1970");
	expect_refusal(WINDOW("1970-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
		       "since 1970");
}

static void what_is_no_window_is_no_answer(void **state)
{
	(void)state;
	expect_refusal("<html>", "not JSON");
	expect_refusal("{}", "suggestedWindow.start is ''");
	expect_refusal(WINDOW("tomorrow\\u0007", "2025-01-01T04:00:00Z"), "'tomorrow?'");
	expect_refusal(WINDOW("2025-01-02T04:00:00Z", "2025-02-30T04:00:00Z"),
		       "suggestedWindow.end");
}

static void retry_after_is_kept_within_a_minute_and_a_day(void **state)
{
	static const int64_t cases[][2] = { { -1, 21600 },    { 0, 60 },
					    { 5, 60 },        { 3600, 3600 },
					    { 86400, 86400 }, { 31536000, 86400 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct acme_renewal_info info;
		struct err err;

		assert_int_equal(
			parse(WINDOW("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Z"),
			      cases[i][0], &info, &err),
			0);
		assert_int_equal(info.retry_after_s, cases[i][1]);
		assert_string_equal(info.explanation_url, "");
	}
}

static void the_ca_is_asked_by_the_certificates_id(void **state)
{
	struct client *client = client_new("ari=1", false);
	struct acme_renewal_info info;

	(void)state;
	if (acme_renewal_info(client->session, CERT_ID, &info, &client->err))
		fail_msg("%s", client->err.text);
	assert_int_equal(info.end_at - info.start_at, 86400);
	assert_int_equal(info.retry_after_s, 21600);
	assert_string_equal(info.explanation_url, "https://ca.example/why");
	client_free(client);
}

static void a_ca_without_renewal_information_is_not_found(void **state)
{
	struct client *client = client_new("", false);
	struct acme_renewal_info info;

	(void)state;
	assert_int_equal(acme_renewal_info(client->session, CERT_ID, &info, &client->err),
			 -1);
	assert_int_equal(client->err.kind, ERR_NOT_FOUND);
	assert_int_equal(
		acme_renewal_info(client->session, "../dir", &info, &client->err), -1);
	assert_int_equal(client->err.kind, ERR_NOT_FOUND);
	client_free(client);
}

static void trouble_with_it_is_told_as_such(void **state)
{
	struct client *client = client_new("ari=1,f=ari:503:1+ari:html:1", false);
	struct acme_renewal_info info;

	(void)state;
	assert_int_equal(acme_renewal_info(client->session, CERT_ID, &info, &client->err),
			 -1);
	assert_int_equal(client->err.kind, ERR_TRANSIENT);
	assert_int_equal(client->err.retry_after_s, 77);
	assert_non_null(strstr(client->err.text, "renewal information: "));
	assert_int_equal(acme_renewal_info(client->session, CERT_ID, &info, &client->err),
			 -1);
	assert_int_equal(client->err.kind, ERR_REFUSED);
	client_free(client);

	client = client_new("ari=1,f=dir:500:9", false);
	assert_int_equal(acme_renewal_info(client->session, CERT_ID, &info, &client->err),
			 -1);
	assert_non_null(strstr(client->err.text, "read the CA's directory"));
	client_free(client);
}

static void an_address_that_has_moved_is_found_in_the_directory(void **state)
{
	struct client *client = client_new("ari=1,moves=ari", false);
	struct acme_renewal_info info;

	(void)state;
	if (acme_renewal_info(client->session, CERT_ID, &info, &client->err))
		fail_msg("%s", client->err.text);
	assert_int_equal(ca_count(client, "ariold"), 1);
	assert_int_equal(ca_count(client, "dir"), 2);
	client_free(client);

	client = client_new("ari=1,f=ari:gone:9", false); /* and not for ever */
	assert_int_equal(acme_renewal_info(client->session, CERT_ID, &info, &client->err),
			 -1);
	assert_int_equal(client->err.kind, ERR_REFUSED);
	assert_string_equal(client->err.text,
			    "renewal information: malformed: no such thing");
	assert_int_equal(ca_count(client, "ari"), 1);
	assert_int_equal(ca_count(client, "dir"), 2);
	client_free(client);
}

static void what_passes_is_told_from_what_lasts(void **state)
{
	static const struct {
		const char *fault;
		enum err_kind kind;
	} cases[] = { { "500", ERR_TRANSIENT },   { "429s", ERR_TRANSIENT },
		      { "close", ERR_TRANSIENT }, { "html", ERR_REFUSED },
		      { "array", ERR_REFUSED },   { "malformed", ERR_REFUSED },
		      { "empty", ERR_REFUSED },   { "big", ERR_REFUSED } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *options = str_printf("ari=1,f=ari:%s:99", cases[i].fault);
		struct client *client = client_new(options, false);
		struct acme_renewal_info info;

		assert_int_equal(
			acme_renewal_info(client->session, CERT_ID, &info, &client->err),
			-1);
		if (client->err.kind != cases[i].kind)
			fail_msg("%s: %s", cases[i].fault, client->err.text);
		free(options);
		client_free(client);
	}
}

static void fractions_and_offsets_are_instants_too(void **state)
{
	struct acme_renewal_info info;
	struct err err;

	(void)state;
	assert_int_equal(parse(WINDOW("2025-01-02T04:00:00.999+02:00",
				      "2025-01-02T04:00:00-00:30"),
			       0, &info, &err),
			 0);
	assert_int_equal(info.end_at - info.start_at, 2 * 3600 + 1800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_of_the_rfc_is_read),
		cmocka_unit_test(a_window_that_ends_before_it_starts_is_no_answer),
		cmocka_unit_test(a_window_from_before_1970_is_no_answer),
		cmocka_unit_test(what_is_no_window_is_no_answer),
		cmocka_unit_test(retry_after_is_kept_within_a_minute_and_a_day),
		cmocka_unit_test(the_ca_is_asked_by_the_certificates_id),
		cmocka_unit_test(a_ca_without_renewal_information_is_not_found),
		cmocka_unit_test(trouble_with_it_is_told_as_such),
		cmocka_unit_test(an_address_that_has_moved_is_found_in_the_directory),
		cmocka_unit_test(what_passes_is_told_from_what_lasts),
		cmocka_unit_test(fractions_and_offsets_are_instants_too),
	};
	return cmocka_run_group_tests(tests, ca_start, ca_stop);
}
