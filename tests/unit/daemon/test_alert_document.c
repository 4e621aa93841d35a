#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/alert_document.h"

#define AT INT64_C(1795231888) /* 2026-11-21T03:31:28Z */

static const struct event failed = {
	.kind = EVENT_FAILED,
	.severity = SEVERITY_WARNING,
	.certificate = "xu",
	.target = "nginx",
	.what = "finalize order: rateLimited: too many certificates",
	.todo = "wait, or ask another issuer",
	.run = "3f2a",
	.not_after = AT + 2 * 86400 + 3 * 3600,
	.attempts_left = 12,
	.at = AT,
};

static void assert_member(const cJSON *document, const char *name, const char *expected)
{
	const char *found = json_string(document, name);

	if (!found)
		fail_msg("no string '%s'", name);
	assert_string_equal(found, expected);
}

static bool is_null(const cJSON *document, const char *name)
{
	return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(document, name));
}

static void it_has_every_member_that_receivers_rely_on(void **state)
{
	cJSON *document = alert_document("000000000001-abc", &failed, "srv1", 4);

	(void)state;
	assert_member(document, "id", "000000000001-abc");
	assert_member(document, "event", "failed");
	assert_member(document, "severity", "warning");
	assert_member(document, "certificate", "xu");
	assert_member(document, "target", "nginx");
	assert_member(document, "what", failed.what);
	assert_member(document, "todo", failed.todo);
	assert_member(document, "run", "3f2a");
	assert_member(document, "host", "srv1");
	assert_member(document, "at", "2026-11-21T03:31:28Z");
	assert_member(document, "at_local", "2026-11-21 03:31 UTC (04:31 CET)");
	assert_member(document, "not_after", "2026-11-23T06:31:28Z");
	assert_member(document, "remaining", "2 d 3 h left");
	assert_int_equal(json_int(document, "attempts_left", -1), 12);
	assert_int_equal(json_int(document, "withheld", -1), 4);
	assert_int_equal(cJSON_GetArraySize(document), 16);
	cJSON_Delete(document);
}

static void the_text_says_what_happened_how_much_remains_and_what_to_do(void **state)
{
	cJSON *document = alert_document("1", &failed, "srv1", 4);

	(void)state;
	assert_member(
		document, "text",
		"warning: failed: certificate 'xu', target 'nginx', on host 'srv1'\n"
		"finalize order: rateLimited: too many certificates\n"
		"The certificate in use is valid until 2026-11-23 06:31 UTC (07:31 "
		"CET): 2 d 3 h left.\n"
		"12 more attempts will be made in that time.\n"
		"What to do: wait, or ask another issuer\n"
		"Repeated 4 times since the last alert about it.\n"
		"It happened at 2026-11-21 03:31 UTC (04:31 CET) in run 3f2a.");
	cJSON_Delete(document);
}

static void what_an_event_does_not_say_is_null_and_not_in_the_text(void **state)
{
	struct event event = { .kind = EVENT_CONFIG_REJECTED,
			       .severity = SEVERITY_WARNING,
			       .what = "certrenewd.yaml:3:1: unknown key",
			       .attempts_left = -1,
			       .at = AT };
	static const char *const absent[] = { "certificate",  "target",    "todo",
					      "run",          "not_after", "remaining",
					      "attempts_left" };
	cJSON *document = alert_document("1", &event, "srv1", 0);

	(void)state;
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		assert_true(is_null(document, absent[i]));
	assert_member(document, "text",
		      "warning: config_rejected: certrenewd itself, on host 'srv1'\n"
		      "certrenewd.yaml:3:1: unknown key\n"
		      "It happened at 2026-11-21 03:31 UTC (04:31 CET).");
	cJSON_Delete(document);
}

static void an_expired_certificate_says_since_when(void **state)
{
	struct event event = failed;
	cJSON *document;

	(void)state;
	event.not_after = AT - 300;
	event.attempts_left = 1;
	document = alert_document("1", &event, "srv1", 1);
	assert_member(document, "remaining", "expired 5 min ago");
	assert_non_null(strstr(json_string(document, "text"), "1 more attempt will"));
	assert_non_null(strstr(json_string(document, "text"), "Repeated 1 time since"));
	cJSON_Delete(document);
}

static void what_strangers_said_cannot_break_a_line_or_the_json(void **state)
{
	struct event event = failed;
	cJSON *document, *again = NULL;
	struct err err;
	char *text;

	(void)state;
	event.what = "bad \"quote\"\nnewline \033[31m red \xff\xfe end";
	document = alert_document("1", &event, "srv1", 0);
	assert_member(document, "what", "bad \"quote\" newline ?[31m red ?? end");
	text = json_print(document);
	assert_int_equal(json_parse(text, strlen(text), &again, &err), 0);
	assert_member(again, "what", json_string(document, "what"));
	free(text);
	cJSON_Delete(again);
	cJSON_Delete(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_every_member_that_receivers_rely_on),
		cmocka_unit_test(
			the_text_says_what_happened_how_much_remains_and_what_to_do),
		cmocka_unit_test(what_an_event_does_not_say_is_null_and_not_in_the_text),
		cmocka_unit_test(an_expired_certificate_says_since_when),
		cmocka_unit_test(what_strangers_said_cannot_break_a_line_or_the_json),
	};

	setenv("TZ", "CET-1", 1); /* needs no zone files */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
