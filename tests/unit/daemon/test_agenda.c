/* What the daemon does next, in which order, and what a pass is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/agenda.h"

#define NOW INT64_C(1800000000)
#define MONO_MS INT64_C(5000000)

static const struct target nginx = {
	.name = "t", .service = { .kind = SERVICE_SYSTEMD, .name = "nginx" }
};
static const struct target other = {
	.name = "t", .service = { .kind = SERVICE_SYSTEMD, .name = "other" }
};

/* a and b share a service. */
static const struct certificate_config certificates[] = {
	{ .name = "a", .targets = &nginx, .n_targets = 1 },
	{ .name = "b", .targets = &nginx, .n_targets = 1 },
	{ .name = "c", .targets = &other, .n_targets = 1 },
};
static const struct config all = { .certificates = certificates, .n_certificates = 3 };
static const struct config without_a = { .certificates = certificates + 1,
					 .n_certificates = 2 };

static struct agenda_clock after(int64_t s)
{
	return (struct agenda_clock){ NOW + s, MONO_MS + s * 1000 };
}

/* What one walk says, a letter each: a certificate's name, or '!' for alerts. Begins it
 * all. Gives the wait that is left. */
static int64_t walk(struct agenda *agenda, struct agenda_clock clock, char ret[8])
{
	struct agenda_look look = agenda_look();
	struct pipeline_input input;
	enum agenda_step step;
	struct slot *slot;
	size_t n = 0;

	while ((step = agenda_next(agenda, clock, &look, &slot))) {
		assert_true(n < 7);
		ret[n++] = step == AGENDA_PASS ? slot->certificate->name[0] : '!';
		if (step == AGENDA_PASS)
			free(agenda_begin(agenda, slot, clock, &input));
		else
			agenda_delivering(agenda);
	}
	ret[n] = '\0';
	return look.wait_ms;
}

static void end(struct agenda *agenda, size_t i, int64_t next_at,
		struct agenda_clock clock)
{
	const struct pipeline_outcome outcome = { .next_at = next_at };

	agenda_ended(agenda, &certificates[i], &outcome, true, clock);
}

/* Everything has been looked at and told, and is due again in an hour. */
static void begin_calm(struct agenda *agenda)
{
	char said[8];

	memset(agenda, 0, sizeof(*agenda));
	assert_null(agenda_use(agenda, &all));
	(void)walk(agenda, after(0), said);
	for (size_t i = 0; i < 3; i++)
		end(agenda, i, NOW + 3600, after(0));
	agenda_delivered(agenda, CLOCK_NEVER, after(0));
	(void)walk(agenda, after(0), said);
	assert_string_equal(said, "!");
	agenda_delivered(agenda, CLOCK_NEVER, after(0));
}

static struct request *some_request(enum pipeline_command command)
{
	struct request *request = mem_calloc(1, sizeof(*request));

	request->command = command;
	return request;
}

static void at_first_every_certificate_is_looked_at_and_alerts_go_out(void **state)
{
	struct agenda agenda = { 0 };
	char said[8];

	(void)state;
	assert_null(agenda_use(&agenda, &all));
	(void)walk(&agenda, after(0), said);
	assert_string_equal(said, "ac!"); /* b waits for the end of a */
	agenda_release(&agenda);
}

static void two_passes_of_one_service_never_run_side_by_side(void **state)
{
	struct agenda agenda = { 0 };
	char said[8];

	(void)state;
	assert_null(agenda_use(&agenda, &all));
	(void)walk(&agenda, after(0), said);
	(void)walk(&agenda, after(1), said);
	assert_string_equal(said, "");
	end(&agenda, 0, NOW + 3600, after(2));
	(void)walk(&agenda, after(2), said);
	assert_string_equal(said, "b");
	agenda_release(&agenda);
}

static void it_sleeps_until_the_earliest_of_what_is_planned(void **state)
{
	struct agenda agenda;
	char said[8];

	(void)state;
	begin_calm(&agenda);
	assert_int_equal(walk(&agenda, after(600), said), 3000 * 1000);
	assert_string_equal(said, "");
	(void)walk(&agenda, after(3600), said);
	assert_string_equal(said, "ac");
	agenda_release(&agenda);
}

static void the_first_of_a_service_holds_for_the_next_that_is_due(void **state)
{
	struct agenda_look look = agenda_look();
	struct pipeline_input input;
	struct agenda agenda;
	struct slot *slot;

	(void)state;
	begin_calm(&agenda);
	assert_int_equal(agenda_next(&agenda, after(3600), &look, &slot), AGENDA_PASS);
	assert_null(agenda_begin(&agenda, slot, after(3600), &input));
	assert_ptr_equal(input.certificate, &certificates[0]);
	assert_true(input.hold);
	end(&agenda, 0, NOW + 7200, after(3601));
	look = agenda_look();
	assert_int_equal(agenda_next(&agenda, after(3601), &look, &slot), AGENDA_PASS);
	assert_null(agenda_begin(&agenda, slot, after(3601), &input));
	assert_ptr_equal(input.certificate, &certificates[1]);
	assert_false(input.hold);
	agenda_release(&agenda);
}

static void who_asks_is_served_at_once_and_in_order(void **state)
{
	struct agenda_look look = agenda_look();
	struct pipeline_input input;
	struct agenda agenda;
	struct slot *slot;

	(void)state;
	begin_calm(&agenda);
	agenda_ask(agenda_slot(&agenda, "b"), some_request(PIPELINE_RENEW));
	agenda_ask(agenda_slot(&agenda, "b"), some_request(PIPELINE_DEPLOY));
	assert_int_equal(agenda_next(&agenda, after(60), &look, &slot), AGENDA_PASS);
	free(agenda_begin(&agenda, slot, after(60), &input));
	assert_ptr_equal(input.certificate, &certificates[1]);
	assert_int_equal(input.command, PIPELINE_RENEW);
	end(&agenda, 1, NOW + 3600, after(61));
	look = agenda_look();
	assert_int_equal(agenda_next(&agenda, after(61), &look, &slot), AGENDA_PASS);
	free(agenda_begin(&agenda, slot, after(61), &input));
	assert_int_equal(input.command, PIPELINE_DEPLOY);
	agenda_release(&agenda);
}

static void a_request_survives_a_reload_unless_its_certificate_goes(void **state)
{
	struct request *first = some_request(PIPELINE_RENEW);
	struct request *second = some_request(PIPELINE_RENEW);
	struct agenda agenda;

	(void)state;
	begin_calm(&agenda);
	agenda_ask(agenda_slot(&agenda, "a"), first);
	agenda_ask(agenda_slot(&agenda, "c"), second);
	assert_ptr_equal(agenda_use(&agenda, &without_a), first);
	assert_null(first->next);
	assert_null(agenda_slot(&agenda, "a"));
	assert_ptr_equal(agenda_drop(&agenda), second);
	free(first);
	free(second);
	agenda_release(&agenda);
}

static void the_plan_of_another_configuration_is_none(void **state)
{
	const struct pipeline_outcome outcome = { .next_at = NOW + 3600 };
	struct agenda agenda = { 0 };
	char said[8];

	(void)state;
	assert_null(agenda_use(&agenda, &all));
	(void)walk(&agenda, after(0), said);
	assert_null(agenda_use(&agenda, &without_a));
	agenda_ended(&agenda, &certificates[0], &outcome, false, after(1));
	agenda_ended(&agenda, &certificates[2], &outcome, false, after(1));
	agenda_delivered(&agenda, CLOCK_NEVER, after(1));
	(void)walk(&agenda, after(1), said);
	assert_string_equal(said, "bc!");
	agenda_release(&agenda);
}

static void what_comes_up_while_alerts_go_out_goes_out_after_them(void **state)
{
	struct agenda agenda;
	char said[8];

	(void)state;
	begin_calm(&agenda);
	agenda_tell(&agenda);
	(void)walk(&agenda, after(1), said);
	assert_string_equal(said, "!");
	agenda_tell(&agenda);
	(void)walk(&agenda, after(2), said);
	assert_string_equal(said, "");
	agenda_delivered(&agenda, NOW + 3600, after(3));
	(void)walk(&agenda, after(3), said);
	assert_string_equal(said, "!");
	agenda_delivered(&agenda, NOW + 603, after(3));
	assert_int_equal(walk(&agenda, after(3), said), 600 * 1000);
	agenda_release(&agenda);
}

static void files_that_were_changed_are_looked_at_a_little_later(void **state)
{
	struct agenda_look look = agenda_look();
	struct pipeline_input input;
	struct agenda agenda;
	struct slot *slot;
	char said[8];

	(void)state;
	begin_calm(&agenda);
	slot = agenda_slot(&agenda, "c");
	assert_true(agenda_changed(slot, after(60).mono_ms));
	assert_false(agenda_changed(slot, after(61).mono_ms));
	assert_int_equal(walk(&agenda, after(61), said), 1000);
	assert_int_equal(agenda_next(&agenda, after(62), &look, &slot), AGENDA_PASS);
	assert_null(agenda_begin(&agenda, slot, after(62), &input));
	assert_ptr_equal(input.certificate, &certificates[2]);
	assert_true(input.changed);
	agenda_release(&agenda);
}

static void a_pass_is_told_that_the_last_one_could_not_be_written_down(void **state)
{
	const struct pipeline_outcome outcome = { .next_at = NOW, .not_saved = true };
	struct pipeline_input input;
	struct agenda agenda;

	(void)state;
	begin_calm(&agenda);
	agenda_ended(&agenda, &certificates[2], &outcome, true, after(0));
	assert_null(agenda_begin(&agenda, agenda_slot(&agenda, "c"), after(1), &input));
	assert_true(input.not_saved);
	end(&agenda, 2, NOW + 3600, after(2));
	assert_null(agenda_begin(&agenda, agenda_slot(&agenda, "c"), after(3), &input));
	assert_false(input.not_saved);
	agenda_release(&agenda);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			at_first_every_certificate_is_looked_at_and_alerts_go_out),
		cmocka_unit_test(two_passes_of_one_service_never_run_side_by_side),
		cmocka_unit_test(it_sleeps_until_the_earliest_of_what_is_planned),
		cmocka_unit_test(the_first_of_a_service_holds_for_the_next_that_is_due),
		cmocka_unit_test(who_asks_is_served_at_once_and_in_order),
		cmocka_unit_test(a_request_survives_a_reload_unless_its_certificate_goes),
		cmocka_unit_test(the_plan_of_another_configuration_is_none),
		cmocka_unit_test(what_comes_up_while_alerts_go_out_goes_out_after_them),
		cmocka_unit_test(files_that_were_changed_are_looked_at_a_little_later),
		cmocka_unit_test(
			a_pass_is_told_that_the_last_one_could_not_be_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
