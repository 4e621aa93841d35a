#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "daemon/watcher.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define MINUTE WATCHER_MINUTE_MS
#define OLD "0123456789ABCDEF0123456789ABCDEF01234567"
#define NEW "89ABCDEF0123456789ABCDEF0123456789ABCDEF"

/* A machine that has been awake for a day, its daemon well, one endpoint with 60 of 90
 * days left. */
struct world {
	struct target target;
	struct certificate_config certificate;
	struct config config;
	struct heartbeat_target beat_target;
	struct heartbeat_certificate beat_certificate;
	struct heartbeat beat;
	struct endpoint place;
	struct watcher_endpoint endpoint;
	struct watcher_facts facts;
	struct watcher_findings findings;
};

static int begin(void **state)
{
	static struct world world;

	world = (struct world){
		.target = { .name = "app" },
		.place = { .connect = "127.0.0.1:443" },
		.certificate = { .name = "shop", .n_targets = 1 },
		.config = { .path = "/etc/c.yaml", .n_certificates = 1 },
		.beat_target = { .name = (char *)"app", .sha1 = OLD },
		.beat_certificate = { .name = (char *)"shop",
				      .next_at = NOW + 600,
				      .n_targets = 1 },
		.beat = { .pid = 7,
			  .beat_at = NOW - 30,
			  .boot_id = "this",
			  .config_sha256 = "aa",
			  .n_certificates = 1 },
		.facts = { .alive = true,
			   .awake_ms = 24 * 60 * MINUTE,
			   .boot_id = "this",
			   .config_sha256 = "aa",
			   .config_modified_at = NOW - DAY,
			   .n_endpoints = 1 },
	};
	world.certificate.targets = &world.target;
	world.config.certificates = &world.certificate;
	world.beat_certificate.targets = &world.beat_target;
	world.beat.certificates = &world.beat_certificate;
	world.beat.beat_awake_ms = world.facts.awake_ms - MINUTE / 2;
	world.endpoint = (struct watcher_endpoint){
		.certificate = &world.certificate,
		.target = &world.target,
		.endpoint = &world.place,
		.seen = { .kind = PROBE_TLS,
			  .sha1 = OLD,
			  .not_before = NOW - 30 * DAY,
			  .not_after = NOW + 60 * DAY,
			  .detail = "refused" },
	};
	world.facts.beat = &world.beat;
	world.facts.config = &world.config;
	world.facts.endpoints = &world.endpoint;
	*state = &world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	watcher_findings_clear(&world->findings);
	return 0;
}

static void expect_well(struct world *world)
{
	watcher_decide(&world->facts, NOW, &world->findings);
	if (world->findings.n)
		fail_msg("found: %s", world->findings.items[0].what);
}

/* Exactly one finding, of that kind, that says `words`. */
static void expect(struct world *world, enum event_kind kind, const char *words)
{
	const struct finding_of_watch *one;

	watcher_findings_clear(&world->findings);
	watcher_decide(&world->facts, NOW, &world->findings);
	assert_int_equal(world->findings.n, 1);
	one = &world->findings.items[0];
	assert_string_equal(event_name(one->kind), event_name(kind));
	if (!strstr(one->what, words))
		fail_msg("'%s' does not say '%s'", one->what, words);
	assert_non_null(one->todo);
}

/* ---- the daemon ---------------------------------------------------------- */

static void all_is_well(void **state)
{
	expect_well(*state);
}

static void a_process_that_is_gone_is_dead_after_three_minutes(void **state)
{
	struct world *world = *state;

	world->facts.alive = false;
	world->beat.beat_awake_ms = world->facts.awake_ms - WATCHER_DEAD_MS + 1;
	expect_well(world);
	world->beat.beat_awake_ms--;
	expect(world, EVENT_DAEMON_DEAD, "process 7 is gone");
}

static void a_process_that_does_not_beat_is_stuck_after_ten_minutes(void **state)
{
	struct world *world = *state;

	world->beat.beat_awake_ms = world->facts.awake_ms - WATCHER_STUCK_MS + 1;
	expect_well(world);
	world->beat.beat_awake_ms--;
	expect(world, EVENT_DAEMON_STUCK, "process 7 is there");
}

/* The wall clock and the clock through suspend say hours; the one that stood still says
 * half a minute. */
static void a_machine_that_slept_has_no_dead_daemon(void **state)
{
	struct world *world = *state;

	world->beat.beat_at = NOW - 9 * 3600;
	world->beat_certificate.next_at = NOW - 8 * 3600;
	expect_well(world);
}

static void a_daemon_that_was_stopped_is_told_as_that(void **state)
{
	struct world *world = *state;

	world->beat.stopped = true;
	world->facts.alive = false;
	expect_well(world); /* a restart under way */
	world->beat.beat_awake_ms = world->facts.awake_ms - WATCHER_DEAD_MS;
	expect(world, EVENT_DAEMON_DEAD, "was stopped at");
}

static void after_a_boot_the_daemon_has_five_minutes(void **state)
{
	struct world *world = *state;

	world->facts.boot_id = "another";
	world->facts.alive = false;
	world->facts.awake_ms = WATCHER_BOOT_MS - 1;
	expect_well(world);
	world->facts.awake_ms++;
	expect(world, EVENT_DAEMON_DEAD, "has not started since the system booted");
}

/* Another program has the old pid. */
static void a_pid_of_another_boot_is_nobodys(void **state)
{
	struct world *world = *state;

	world->facts.boot_id = "another";
	world->facts.alive = true;
	expect(world, EVENT_DAEMON_DEAD, "since the system booted");
}

static void no_heartbeat_at_all_is_a_dead_daemon(void **state)
{
	struct world *world = *state;

	world->facts.beat = NULL;
	world->facts.no_beat = "'/x/heartbeat.json': no such file";
	expect(world, EVENT_DAEMON_DEAD, "no such file");
}

static void
a_heartbeat_that_is_damaged_does_not_say_that_the_daemon_does_not_run(void **state)
{
	struct world *world = *state;

	world->facts.beat = NULL;
	world->facts.no_beat = "damaged: '/x/heartbeat.json': not a heartbeat";
	world->facts.beat_damaged = true;
	watcher_decide(&world->facts, NOW, &world->findings);
	assert_non_null(strstr(world->findings.items[0].what, "damaged: "));
	assert_non_null(
		strstr(world->findings.items[0].todo,
		       "see whether the daemon runs: one that lives writes this"));
}

static void a_configuration_that_was_edited_an_hour_ago_and_not_read_is_told(void **state)
{
	struct world *world = *state;

	world->facts.config_sha256 = "bb";
	world->facts.config_modified_at = NOW - WATCHER_RELOAD_S + 1;
	expect_well(world);
	world->facts.config_modified_at--;
	expect(world, EVENT_CONFIG_REJECTED, "another configuration than '/etc/c.yaml'");
}

/* ---- its passes ---------------------------------------------------------- */

static void a_pass_of_hours_is_stuck_and_agreed_waiting_is_not(void **state)
{
	struct world *world = *state;

	world->beat_certificate.busy_awake_ms = world->facts.awake_ms - WATCHER_PASS_MS;
	expect_well(world);
	world->beat_certificate.busy_awake_ms--;
	expect(world, EVENT_DAEMON_STUCK, "at work on it for 6 h");
	assert_string_equal(world->findings.items[0].certificate, "shop");
	world->target.wait_idle.at_most_s = 3600;
	watcher_findings_clear(&world->findings);
	expect_well(world);
}

static void a_certificate_that_nobody_looks_at_any_more_is_told(void **state)
{
	struct world *world = *state;

	world->beat_certificate.next_at = world->beat.beat_at - WATCHER_OVERDUE_S;
	expect_well(world);
	world->beat_certificate.next_at--;
	expect(world, EVENT_DAEMON_STUCK, "has not begun");
}

/* ---- what is served ------------------------------------------------------ */

static void an_expired_certificate_is_told_whatever_the_daemon_says(void **state)
{
	struct world *world = *state;

	world->endpoint.seen.not_after = NOW - 1;
	world->beat_certificate.failing = true;
	world->beat_target.told = true;
	expect(world, EVENT_SERVED_WRONG,
	       "127.0.0.1:443 serves a certificate that expired");
	assert_int_equal(world->findings.items[0].severity, SEVERITY_CRITICAL);
}

static void one_that_runs_out_is_told_when_the_daemon_says_that_all_is_well(void **state)
{
	struct world *world = *state;

	world->endpoint.seen.not_before = NOW - 80 * DAY;
	world->endpoint.seen.not_after = NOW + 10 * DAY;
	expect(world, EVENT_SERVED_WRONG, "the daemon says that all is well");
	assert_int_equal(world->findings.items[0].severity, SEVERITY_WARNING);
	world->beat_certificate.failing = true; /* it tells it itself */
	watcher_findings_clear(&world->findings);
	expect_well(world);
}

static void one_that_runs_out_with_no_daemon_is_told_beside_its_death(void **state)
{
	struct world *world = *state;

	world->facts.beat = NULL;
	world->facts.no_beat = "none";
	world->endpoint.seen.not_before = NOW - 85 * DAY;
	world->endpoint.seen.not_after = NOW + 5 * DAY;
	watcher_decide(&world->facts, NOW, &world->findings);
	assert_int_equal(world->findings.n, 2);
	assert_non_null(strstr(world->findings.items[1].what, "no daemon is there"));
	assert_int_equal(world->findings.items[1].severity, SEVERITY_CRITICAL);
}

static void another_certificate_than_the_daemon_says_is_told(void **state)
{
	struct world *world = *state;

	str_copy(world->endpoint.seen.sha1, sizeof(world->endpoint.seen.sha1), NEW);
	expect(world, EVENT_SERVED_WRONG, "serves " NEW ", not " OLD);
	assert_string_equal(world->findings.items[0].target, "app");
	world->beat_certificate.busy_awake_ms = world->facts.awake_ms -
						1; /* exchanging */
	watcher_findings_clear(&world->findings);
	expect_well(world);
}

static void an_endpoint_that_is_silent_is_told_but_for_what_was_told(void **state)
{
	struct world *world = *state;

	world->endpoint.seen.kind = PROBE_NOTHING;
	expect(world, EVENT_SILENT, "does not answer: refused");
	world->endpoint.seen.kind = PROBE_PLAIN;
	expect(world, EVENT_SERVED_WRONG, "does not speak TLS");
	world->beat_target.told = true;
	watcher_findings_clear(&world->findings);
	expect_well(world);
	world->beat_target.told = false;
	world->beat_certificate.busy_awake_ms = world->facts.awake_ms - 1;
	expect_well(world);
}

static void findings_are_found_by_certificate_and_target(void **state)
{
	struct world *world = *state;

	world->endpoint.seen.kind = PROBE_NOTHING;
	watcher_decide(&world->facts, NOW, &world->findings);
	assert_true(watcher_found(&world->findings, "shop", "app"));
	assert_true(watcher_found(&world->findings, "shop", NULL));
	assert_false(watcher_found(&world->findings, "shop", "other"));
	assert_false(watcher_found(&world->findings, NULL, NULL));
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_is_well),
		test(a_process_that_is_gone_is_dead_after_three_minutes),
		test(a_process_that_does_not_beat_is_stuck_after_ten_minutes),
		test(a_machine_that_slept_has_no_dead_daemon),
		test(a_daemon_that_was_stopped_is_told_as_that),
		test(after_a_boot_the_daemon_has_five_minutes),
		test(a_pid_of_another_boot_is_nobodys),
		test(no_heartbeat_at_all_is_a_dead_daemon),
		test(a_heartbeat_that_is_damaged_does_not_say_that_the_daemon_does_not_run),
		test(a_configuration_that_was_edited_an_hour_ago_and_not_read_is_told),
		test(a_pass_of_hours_is_stuck_and_agreed_waiting_is_not),
		test(a_certificate_that_nobody_looks_at_any_more_is_told),
		test(an_expired_certificate_is_told_whatever_the_daemon_says),
		test(one_that_runs_out_is_told_when_the_daemon_says_that_all_is_well),
		test(one_that_runs_out_with_no_daemon_is_told_beside_its_death),
		test(another_certificate_than_the_daemon_says_is_told),
		test(an_endpoint_that_is_silent_is_told_but_for_what_was_told),
		test(findings_are_found_by_certificate_and_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
