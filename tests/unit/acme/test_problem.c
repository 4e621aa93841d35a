#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/answer.h"
#include "acme/problem.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define ACME "\"type\":\"urn:ietf:params:acme:error:"

static struct err told(const char *text, long status)
{
	struct err err;
	cJSON *json;

	if (json_parse(text, strlen(text), &json, &err))
		fail_msg("%s", err.text);
	assert_int_equal(problem_to_err(json, status, &err), -1);
	cJSON_Delete(json);
	return err;
}

static void expect(const char *text, long status, enum err_kind kind,
		   const char *sentence)
{
	struct err err = told(text, status);

	assert_string_equal(err.text, sentence);
	assert_string_equal(err_kind_name(err.kind), err_kind_name(kind));
}

static void a_problem_is_told_in_the_cas_own_words(void **state)
{
	(void)state;
	expect("{" ACME "rateLimited\",\"detail\":\"too many certificates\"}", 429,
	       ERR_TRANSIENT, "rateLimited: too many certificates");
	expect("{" ACME "malformed\",\"title\":\"Bad\"}", 400, ERR_REFUSED,
	       "malformed: Bad");
	expect("{" ACME "caa\"}", 403, ERR_REFUSED, "caa");
	expect("{\"detail\":\"no\"}", 403, ERR_REFUSED, "no");
	expect("{\"type\":\"about:blank\",\"detail\":\"no\"}", 403, ERR_REFUSED, "no");
	expect("{\"type\":\"https://ca/why\",\"detail\":\"no\"}", 403, ERR_REFUSED,
	       "https://ca/why: no");
	expect("{}", 403, ERR_REFUSED, "the CA gave no reason");
}

static void the_kind_goes_by_type_and_by_status(void **state)
{
	(void)state;
	assert_int_equal(told("{" ACME "serverInternal\"}", 500).kind, ERR_TRANSIENT);
	assert_int_equal(told("{" ACME "rateLimited\"}", 403).kind, ERR_TRANSIENT);
	assert_int_equal(told("{" ACME "malformed\"}", 503).kind, ERR_TRANSIENT);
	assert_int_equal(told("{" ACME "malformed\"}", 429).kind, ERR_TRANSIENT);
	assert_int_equal(told("{" ACME "accountDoesNotExist\"}", 400).kind, ERR_CONFIG);
	assert_int_equal(told("{" ACME "userActionRequired\"}", 403).kind, ERR_CONFIG);
	assert_int_equal(told("{" ACME "rejectedIdentifier\"}", 403).kind, ERR_REFUSED);
	assert_int_equal(told("{" ACME "connection\"}", 0).kind, ERR_REFUSED);
	assert_int_equal(told("{" ACME "neverHeardOf\"}", 400).kind, ERR_REFUSED);
	assert_int_equal(told("{" ACME "neverHeardOf\"}", 502).kind, ERR_TRANSIENT);
}

static void a_hint_says_what_the_operator_can_do(void **state)
{
	(void)state;
	expect("{" ACME "externalAccountRequired\",\"detail\":\"bind it\"}", 401,
	       ERR_CONFIG,
	       "externalAccountRequired: bind it; give the issuer "
	       "'eab: {key_id: ..., hmac_key: ...}' with what the CA handed out");
	expect("{" ACME "userActionRequired\",\"detail\":\"new terms\","
	       "\"instance\":\"https://ca/t\"}",
	       403, ERR_CONFIG,
	       "userActionRequired: new terms (see 'https://ca/t'); do what the CA asks "
	       "for, "
	       "then try again");
}

static void every_subproblem_is_told_with_its_name(void **state)
{
	(void)state;
	expect("{" ACME "compound\",\"detail\":\"two\",\"subproblems\":["
	       "{" ACME "caa\",\"detail\":\"forbidden\",\"identifier\":{\"type\":\"dns\","
	       "\"value\":\"a.example\"}},{" ACME "dns\",\"detail\":\"SERVFAIL\"}]}",
	       403, ERR_REFUSED,
	       "compound: two ['a.example': caa: forbidden; dns: SERVFAIL]");
	expect("{" ACME "compound\",\"subproblems\":[]}", 403, ERR_REFUSED, "compound");
	expect("{" ACME "compound\",\"subproblems\":7}", 403, ERR_REFUSED, "compound");
}

static void more_subproblems_than_fit_are_counted(void **state)
{
	cJSON *problem = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(problem, "subproblems");
	struct err err;

	(void)state;
	json_set_string(problem, "detail", "many");
	for (int i = 0; i < 100; i++) {
		cJSON *each = cJSON_CreateObject();

		json_set_string(each, "detail",
				"a rather long explanation of what is wrong "
				"with this name, the next and the one after");
		cJSON_AddItemToArray(list, each);
	}
	problem_to_err(problem, 403, &err);
	assert_non_null(strstr(err.text, "; and 8"));
	assert_true(str_ends(err.text, " more]"));
	assert_in_range(strlen(err.text), 1000, 1600);
	cJSON_Delete(problem);
}

static void endless_details_are_cut_and_controls_are_made_visible(void **state)
{
	cJSON *problem = cJSON_CreateObject();
	char detail[5000];
	struct err err;

	(void)state;
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	detail[0] = '\033';
	json_set_string(problem, "type", detail);
	json_set_string(problem, "detail", detail);
	problem_to_err(problem, 400, &err);
	assert_in_range(strlen(err.text), 700, 800);
	assert_int_equal(err.text[0], '?');
	cJSON_Delete(problem);
}

static void a_compound_is_what_its_parts_are(void **state)
{
	(void)state;
	assert_int_equal(told("{" ACME "compound\",\"subproblems\":[{" ACME
			      "rateLimited\"},{" ACME "serverInternal\"}]}",
			      403)
				 .kind,
			 ERR_TRANSIENT);
	assert_int_equal(told("{" ACME "compound\",\"subproblems\":[{" ACME
			      "rateLimited\"},{" ACME "unsupportedContact\"}]}",
			      403)
				 .kind,
			 ERR_CONFIG);
	assert_int_equal(told("{" ACME "compound\",\"subproblems\":[{" ACME
			      "rateLimited\"},{" ACME "caa\"}]}",
			      403)
				 .kind,
			 ERR_REFUSED);
	assert_int_equal(
		told("{" ACME "compound\",\"subproblems\":[{" ACME "caa\"}]}", 503).kind,
		ERR_TRANSIENT);
}

static void of_members_that_stand_twice_the_first_counts(void **state)
{
	(void)state;
	expect("{" ACME "caa\"," ACME "rateLimited\",\"detail\":\"no\","
	       "\"detail\":\"yes\"}",
	       403, ERR_REFUSED, "caa: no");
}

static void a_detail_that_is_no_text_is_no_detail(void **state)
{
	(void)state;
	expect("{" ACME "caa\",\"detail\":{\"a\":1}}", 403, ERR_REFUSED, "caa");
	expect("{" ACME "caa\",\"detail\":7,\"title\":\"CAA\"}", 403, ERR_REFUSED,
	       "caa: CAA");
	expect("{\"type\":[],\"detail\":null}", 403, ERR_REFUSED,
	       "the CA gave no reason");
}

/* A detail of `words` characters and a URL of `url` behind it. */
static struct err paused(size_t words, size_t url)
{
	cJSON *problem = cJSON_CreateObject();
	char detail[4000], *at = detail;
	struct err err;

	memset(at, 'w', words);
	at += words;
	memcpy(at, " https://ca/", 12);
	memset(at + 12, 'x', url);
	memcpy(at + 12 + url, "END", 4);
	json_set_string(problem, "type", "urn:ietf:params:acme:error:rateLimited");
	json_set_string(problem, "detail", detail);
	problem_to_err(problem, 429, &err);
	cJSON_Delete(problem);
	return err;
}

static void a_url_is_never_cut_in_half(void **state)
{
	(void)state;
	assert_true(str_ends(paused(100, 500).text, "xxEND"));
	assert_true(str_ends(paused(100, 1300).text, "xxEND"));
	assert_true(str_ends(paused(900, 1300).text, "xxEND"));
	assert_non_null(strstr(paused(900, 1300).text, "www ... https://ca/xxx"));
	assert_in_range(strlen(paused(100, 3000).text), 600, 800); /* beyond reason */
}

static void a_problem_says_something(void **state)
{
	cJSON *empty = cJSON_CreateObject(), *some = cJSON_CreateObject();

	(void)state;
	json_set_string(some, "type", "urn:ietf:params:acme:error:badNonce");
	assert_false(problem_present(NULL));
	assert_false(problem_present(empty));
	assert_true(problem_present(some));
	assert_true(problem_is(some, "badNonce"));
	assert_false(problem_is(some, "malformed"));
	assert_false(problem_is(empty, "badNonce"));
	json_set_string(some, "type", "badNonce"); /* not ACME's */
	assert_false(problem_is(some, "badNonce"));
	cJSON_Delete(empty);
	cJSON_Delete(some);
}

/* ---- answers ------------------------------------------------------------- */

static struct http_response answer(long status, const char *header, const char *body)
{
	struct http_response response = { .status = status };

	buf_init(&response.body, 4096);
	buf_puts(&response.body, body);
	if (header)
		strlist_add(&response.headers, header);
	response.url = str_dup("https://ca/x");
	return response;
}

static void an_answer_without_a_problem_says_what_came(void **state)
{
	struct http_response response = answer(502, "content-type: text/html; charset=x",
					       "<html>");
	cJSON *json = NULL;
	struct err err;

	(void)state;
	assert_int_equal(answer_check(&response, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_string_equal(err.text,
			    "'https://ca/x' answered 502 with text/html, not an "
			    "ACME problem");
	response.status = 404;
	assert_int_equal(answer_check(&response, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	response.status = 200;
	assert_int_equal(answer_check(&response, &err), 0);
	assert_int_equal(answer_json(&response, &json, &err), -1);
	assert_string_equal(err.text,
			    "'https://ca/x' answered 200 with text/html, not JSON");
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_null(json);
	http_response_release(&response);
}

static void an_endless_content_type_is_cut(void **state)
{
	char header[300] = "content-type: ";
	struct http_response response;
	struct err err;

	(void)state;
	memset(header + strlen(header), 'x', 250);
	response = answer(500, header, "");
	assert_int_equal(answer_check(&response, &err), -1);
	assert_in_range(strlen(err.text), 80, 140);
	http_response_release(&response);
}

static void retry_after_counts_from_the_answers_own_date(void **state)
{
	struct http_response response = answer(
		503, "retry-after: Sat, 21 Nov 2026 03:31:28 GMT", "");
	struct err err;

	(void)state;
	assert_int_equal(
		clock_parse_http_date("Sat, 21 Nov 2026 03:30:00 GMT", &response.date),
		0);
	assert_int_equal(answer_retry_after(&response), 88);
	assert_int_equal(answer_check(&response, &err), -1);
	assert_int_equal(err.retry_after_s, 88);
	http_response_release(&response);

	response = answer(429, NULL,
			  "{" ACME "rateLimited\",\"detail\":\"retry after "
			  "2026-11-21 03:31:28 UTC\"}");
	response.date = 1795231888 - 90;
	assert_int_equal(answer_check(&response, &err), -1);
	assert_int_equal(err.retry_after_s, 90);
	strlist_add(&response.headers, "retry-after: 7"); /* the header wins */
	assert_int_equal(answer_check(&response, &err), -1);
	assert_int_equal(err.retry_after_s, 7);
	response.date = 1795231888 + 1; /* past */
	strlist_clear(&response.headers);
	assert_int_equal(answer_check(&response, &err), -1);
	assert_int_equal(err.retry_after_s, 0);
	http_response_release(&response);

	response = answer(503, "retry-after: soon", "");
	assert_int_equal(answer_retry_after(&response), -1);
	http_response_release(&response);
	response = answer(503, NULL, "");
	assert_int_equal(answer_retry_after(&response), -1);
	http_response_release(&response);
}

static void terms_are_named_once(void **state)
{
	struct http_response response = answer(
		403, "link: <https://ca/t>; rel=\"terms-of-service\"",
		"{" ACME "userActionRequired\",\"instance\":\"https://ca/t\"}");
	struct err err;

	(void)state;
	assert_int_equal(answer_check(&response, &err), -1);
	assert_string_equal(err.text,
			    "userActionRequired (see 'https://ca/t'); do what the CA "
			    "asks for, then try again");
	strlist_clear(&response.headers);
	strlist_add(&response.headers, "link: <https://ca/u>; rel=terms-of-service");
	assert_int_equal(answer_check(&response, &err), -1);
	assert_true(str_ends(err.text, "; the CA's terms of service: 'https://ca/u'"));
	http_response_release(&response);
}

static void the_content_type_does_not_matter_where_the_body_is_right(void **state)
{
	struct http_response response = answer(400, "content-type: text/html",
					       "{" ACME "badNonce\"}");
	cJSON *json = NULL;
	struct err err;

	(void)state;
	assert_true(answer_is_problem(&response, "badNonce"));
	response.status = 200;
	assert_int_equal(answer_json(&response, &json, &err), 0);
	cJSON_Delete(json);
	http_response_release(&response);
}

static void a_problem_type_counts_only_in_an_error(void **state)
{
	struct http_response response = answer(400, NULL, "{" ACME "badNonce\"}");

	(void)state;
	assert_true(answer_is_problem(&response, "badNonce"));
	assert_false(answer_is_problem(&response, "malformed"));
	response.status = 200;
	assert_false(answer_is_problem(&response, "badNonce"));
	http_response_release(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_problem_is_told_in_the_cas_own_words),
		cmocka_unit_test(the_kind_goes_by_type_and_by_status),
		cmocka_unit_test(a_hint_says_what_the_operator_can_do),
		cmocka_unit_test(every_subproblem_is_told_with_its_name),
		cmocka_unit_test(more_subproblems_than_fit_are_counted),
		cmocka_unit_test(endless_details_are_cut_and_controls_are_made_visible),
		cmocka_unit_test(a_compound_is_what_its_parts_are),
		cmocka_unit_test(of_members_that_stand_twice_the_first_counts),
		cmocka_unit_test(a_detail_that_is_no_text_is_no_detail),
		cmocka_unit_test(a_url_is_never_cut_in_half),
		cmocka_unit_test(a_problem_says_something),
		cmocka_unit_test(an_answer_without_a_problem_says_what_came),
		cmocka_unit_test(an_endless_content_type_is_cut),
		cmocka_unit_test(retry_after_counts_from_the_answers_own_date),
		cmocka_unit_test(terms_are_named_once),
		cmocka_unit_test(
			the_content_type_does_not_matter_where_the_body_is_right),
		cmocka_unit_test(a_problem_type_counts_only_in_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
