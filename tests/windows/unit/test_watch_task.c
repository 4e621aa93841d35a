/* The description of the scheduled task; Wine's scheduler keeps little of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/windows/watch_task.h"

static void it_runs_as_system_every_ten_minutes_and_when_one_was_missed(void **state)
{
	char *xml = watch_task_xml("C:\\Program Files\\certrenewd\\certrenewd.exe",
				   "C:\\ProgramData\\certrenewd\\certrenewd.yaml");

	(void)state;
	assert_non_null(strstr(xml, "<UserId>S-1-5-18</UserId>"));
	assert_non_null(strstr(xml, "<Interval>PT10M</Interval>"));
	assert_non_null(strstr(xml, "<StartWhenAvailable>true</StartWhenAvailable>"));
	assert_non_null(strstr(xml, "<MultipleInstancesPolicy>IgnoreNew<"));
	free(xml);
}

static void program_and_configuration_stand_in_quotes(void **state)
{
	char *xml = watch_task_xml("C:\\Program Files\\certrenewd\\certrenewd.exe",
				   "C:\\Program Data\\c.yaml");

	(void)state;
	assert_non_null(strstr(xml, "<Command>\"C:\\Program Files\\certrenewd\\certrenewd"
				    ".exe\"</Command>"));
	assert_non_null(strstr(xml, "<Arguments>--config \"C:\\Program Data\\c.yaml\" "
				    "watch</Arguments>"));
	free(xml);
}

static void a_path_cannot_end_its_element(void **state)
{
	char *xml = watch_task_xml("C:\\R&D <x>\\c.exe", "C:\\a&b.yaml");

	(void)state;
	assert_non_null(strstr(xml, "<Command>\"C:\\R&amp;D &lt;x&gt;\\c.exe\"<"));
	assert_non_null(strstr(xml, "\"C:\\a&amp;b.yaml\""));
	free(xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			it_runs_as_system_every_ten_minutes_and_when_one_was_missed),
		cmocka_unit_test(program_and_configuration_stand_in_quotes),
		cmocka_unit_test(a_path_cannot_end_its_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
