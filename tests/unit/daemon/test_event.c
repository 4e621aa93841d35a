#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/files.h"
#include "config/config.h"
#include "daemon/event.h"
#include "tests/unit/base/tempdir.h"

static void every_kind_has_a_name_of_its_own_in_lower_case(void **state)
{
	(void)state;
	for (int a = 0; a < EVENT_KINDS; a++) {
		const char *name = event_name((enum event_kind)a);

		assert_true(strlen(name) > 0);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
				 strlen(name));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(name, event_name((enum event_kind)b));
	}
	assert_string_equal(event_name(EVENT_WAITING_FOR_SERVICE), "waiting_for_service");
}

static void what_stops_a_service_is_critical_and_good_news_is_a_notice(void **state)
{
	(void)state;
	assert_int_equal(event_severity(EVENT_EXPIRED), SEVERITY_CRITICAL);
	assert_int_equal(event_severity(EVENT_FALLBACK), SEVERITY_CRITICAL);
	assert_int_equal(event_severity(EVENT_BROKEN), SEVERITY_CRITICAL);
	assert_int_equal(event_severity(EVENT_FAILED), SEVERITY_WARNING);
	assert_int_equal(event_severity(EVENT_RENEWED), SEVERITY_NOTICE);
	assert_int_equal(event_severity(EVENT_RECOVERED), SEVERITY_NOTICE);
}

static void expiring_grows_more_severe_with_fewer_attempts_left(void **state)
{
	enum severity before = SEVERITY_CRITICAL;

	(void)state;
	assert_int_equal(event_expiring_severity(0), SEVERITY_CRITICAL);
	assert_int_equal(event_expiring_severity(99), SEVERITY_NOTICE);
	for (unsigned left = 0; left < 100; left++) {
		assert_true(event_expiring_severity(left) <= before);
		before = event_expiring_severity(left);
	}
	assert_int_equal(event_expiring_severity(12), SEVERITY_CRITICAL);
	assert_int_equal(event_expiring_severity(13), SEVERITY_WARNING);
	assert_int_equal(event_expiring_severity(24), SEVERITY_WARNING);
	assert_int_equal(event_expiring_severity(25), SEVERITY_NOTICE);
}

static void what_recovered_closes_is_a_trouble_and_news_is_not(void **state)
{
	(void)state;
	assert_true(event_is_trouble(EVENT_FAILED));
	assert_true(event_is_trouble(EVENT_DRIFT));
	assert_true(event_is_trouble(EVENT_FALLBACK));
	assert_false(event_is_trouble(EVENT_RENEWED));
	assert_false(event_is_trouble(EVENT_RECOVERED));
	assert_false(event_is_trouble(EVENT_STATE_DAMAGED));
}

/* config/ cannot ask daemon/ for the names: this holds the two together. */
static void an_operator_may_except_every_kind(void **state)
{
	const struct config *config = NULL;
	struct config_report report = { 0 };
	struct buf yaml;
	struct err err;
	char *dir = tempdir_new(), *path = path_join(dir, "certrenewd.yaml");

	(void)state;
	buf_init(&yaml, 4096);
	buf_puts(&yaml,
		 "issuers: {a: {directory: https://ca.example/}}\n"
		 "certificates: {}\n"
		 "alerts:\n  ops:\n    type: webhook\n    url: https://h.example/\n"
		 "    except: [");
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		buf_printf(&yaml, "%s%s", kind ? ", " : "",
			   event_name((enum event_kind)kind));
	buf_puts(&yaml, "]\n");
	assert_int_equal(file_replace(path, yaml.data, yaml.len, FILE_SECRET, &err), 0);
	(void)config_load(path, false, &config, &report);
	for (size_t i = 0; i < report.errors.n; i++)
		assert_null(strstr(report.errors.items[i], "except"));
	config_report_clear(&report);
	config_free(config);
	buf_release(&yaml);
	free(path);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_name_of_its_own_in_lower_case),
		cmocka_unit_test(
			what_stops_a_service_is_critical_and_good_news_is_a_notice),
		cmocka_unit_test(expiring_grows_more_severe_with_fewer_attempts_left),
		cmocka_unit_test(what_recovered_closes_is_a_trouble_and_news_is_not),
		cmocka_unit_test(an_operator_may_except_every_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
