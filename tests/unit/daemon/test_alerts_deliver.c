#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "daemon/alerts_spool.h"
#include "tests/unit/base/tempdir.h"

#define AT INT64_C(1795231888)

/* Two programs as channels. Each appends "event severity certificate" of its environment
 * and a line of the document to <dir>/<channel>; it fails while <dir>/<channel>.down
 * exists, and on the event that <dir>/<channel>.refuses names. */
static const char script[] = "[ -e \"$1.down\" ] && { echo 'out of order'; exit 3; }\n"
			     "[ \"$CERTRENEWD_EVENT\" = \"$(cat \"$1.refuses\" "
			     "2>/dev/null)\" ] && exit 4\n"
			     "echo \"$CERTRENEWD_EVENT $CERTRENEWD_SEVERITY "
			     "$CERTRENEWD_CERTIFICATE\" >> \"$1\"\n"
			     "cat >> \"$1.json\"; echo >> \"$1.json\"\n";

struct bench {
	char *dir, *path[2], *down[2];
	const char *argv[2][6];
	struct alert_config channels[2];
	struct config config;
	struct alerts *alerts;
	struct strlist failures;
};

static void bench_open(struct bench *b)
{
	static const char *const names[] = { "ops", "page" };
	struct err err;

	*b = (struct bench){ .dir = tempdir_new() };
	for (size_t i = 0; i < 2; i++) {
		b->path[i] = path_join(b->dir, names[i]);
		b->down[i] = str_printf("%s.down", b->path[i]);
		b->argv[i][0] = "/bin/sh";
		b->argv[i][1] = "-c";
		b->argv[i][2] = script;
		b->argv[i][3] = "channel";
		b->argv[i][4] = b->path[i];
		b->channels[i] = (struct alert_config){
			.name = names[i],
			.type = CHANNEL_PROGRAM,
			.program = { .argv = b->argv[i], .timeout_s = 20 },
			.min = SEVERITY_NOTICE,
		};
	}
	b->config = (struct config){ .alerts = b->channels, .n_alerts = 2 };
	if (alerts_open(b->dir, &b->alerts, &err))
		fail_msg("%s", err.text);
}

static void bench_release(struct bench *b)
{
	alerts_close(b->alerts);
	for (size_t i = 0; i < 2; i++) {
		free(b->path[i]);
		free(b->down[i]);
	}
	strlist_clear(&b->failures);
	tempdir_free(b->dir);
}

static void failed(void *ctx, const char *sentence)
{
	strlist_add(&((struct bench *)ctx)->failures, sentence);
}

static int64_t deliver(struct bench *b)
{
	return alerts_deliver(b->alerts, &b->config, NULL, NULL, failed, b);
}

static void take(struct bench *b, enum event_kind kind)
{
	struct event event = { .kind = kind,
			       .severity = event_severity(kind),
			       .certificate = "xu",
			       .what = "something happened",
			       .attempts_left = -1,
			       .at = AT };
	struct err err;

	if (alerts_take(b->alerts, &b->config, &event, NULL, &err))
		fail_msg("%s", err.text);
}

/* As if the delay of everything that failed had passed. */
static void let_time_pass(struct bench *b)
{
	for (size_t i = 0; i < b->alerts->queue.n; i++)
		b->alerts->queue.items[i].next_ms = 0;
}

static void assert_soon(int64_t at, int64_t seconds)
{
	int64_t from_now = at - clock_wall();

	if (from_now < seconds - 3 || from_now > seconds + 1)
		fail_msg("in %lld s and not in %lld s", (long long)from_now,
			 (long long)seconds);
}

static void delivered_alerts_leave_nothing_behind(void **state)
{
	struct bench b;
	struct strlist names = { 0 };
	struct err err;
	char *queue;

	(void)state;
	bench_open(&b);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	take(&b, EVENT_FAILED);
	assert_int_equal(alerts_pending(b.alerts), 2);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_int_equal(alerts_pending(b.alerts), 0);
	assert_int_equal(b.failures.n, 0);
	assert_holds(b.path[0], "failed warning xu\n");
	assert_holds(b.path[1], "failed warning xu\n");
	queue = path_join(b.dir, "alerts/queue");
	assert_int_equal(dir_list(queue, &names, &err), 0);
	assert_int_equal(names.n, 0);
	free(queue);
	bench_release(&b);
}

static void the_document_is_the_one_that_was_queued(void **state)
{
	struct bench b;
	char *path, *text, *id;
	cJSON *json = NULL;
	struct err err;

	(void)state;
	bench_open(&b);
	take(&b, EVENT_BROKEN);
	id = str_dup(b.alerts->queue.items[0].id);
	deliver(&b);
	path = path_join(b.dir, "ops.json");
	text = get(path);
	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	assert_string_equal(json_string(json, "id"), id);
	assert_string_equal(json_string(json, "event"), "broken");
	assert_non_null(strstr(json_string(json, "text"), "something happened"));
	cJSON_Delete(json);
	free(text);
	free(path);
	free(id);
	bench_release(&b);
}

static void a_failure_is_told_and_tried_again_in_10_seconds_then_20(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	put(b.down[0], "", 0600);
	take(&b, EVENT_FAILED);
	assert_soon(deliver(&b), 10);
	assert_int_equal(b.failures.n, 1);
	assert_non_null(strstr(b.failures.items[0], "(failed) to channel 'ops': "));
	assert_non_null(strstr(b.failures.items[0], "exited with code 3: out of order"));
	assert_non_null(strstr(b.failures.items[0], ": tried again in 10 s"));
	assert_soon(deliver(&b), 10); /* not due: nobody is bothered */
	assert_int_equal(b.failures.n, 1);
	let_time_pass(&b);
	assert_soon(deliver(&b), 20);
	assert_int_equal(b.failures.n, 2);
	let_time_pass(&b);
	assert_int_equal(remove(b.down[0]), 0);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_holds(b.path[0], "failed warning xu\n");
	bench_release(&b);
}

static void a_channel_that_is_down_does_not_hold_up_the_other(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	put(b.down[0], "", 0600);
	take(&b, EVENT_FAILED);
	take(&b, EVENT_DRIFT);
	deliver(&b);
	assert_holds(b.path[1], "failed warning xu\ndrift warning xu\n");
	assert_int_equal(alerts_pending(b.alerts), 2);
	bench_release(&b);
}

static void a_channel_hears_in_order_even_after_a_failure(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	put(b.down[0], "", 0600);
	take(&b, EVENT_FAILED);
	deliver(&b);
	assert_int_equal(remove(b.down[0]), 0);
	take(&b, EVENT_RECOVERED);
	assert_soon(deliver(&b), 10); /* recovered waits behind failed */
	assert_int_equal(access(b.path[0], F_OK), -1);
	assert_holds(b.path[1], "failed warning xu\nrecovered notice xu\n");
	let_time_pass(&b);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_holds(b.path[0], "failed warning xu\nrecovered notice xu\n");
	bench_release(&b);
}

static void an_endpoint_that_is_down_costs_one_try_for_all_that_waits(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	put(b.down[0], "", 0600);
	for (int i = 0; i < 5; i++)
		take(&b, EVENT_RENEWED);
	assert_soon(deliver(&b), 10);
	assert_int_equal(b.failures.n, 1);
	assert_int_equal(alerts_pending(b.alerts), 5);
	bench_release(&b);
}

/* The first channel takes no `failed`, and has said so five times. */
static void fail_five_times(struct bench *b)
{
	char *refuses = str_printf("%s.refuses", b->path[0]);

	put(refuses, "failed", 0600);
	take(b, EVENT_FAILED);
	for (int i = 0; i < 5; i++) {
		let_time_pass(b);
		deliver(b);
	}
	assert_int_equal(b->failures.n, 5);
	free(refuses);
}

static void an_alert_that_failed_five_times_lets_the_others_pass(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	fail_five_times(&b);
	take(&b, EVENT_DRIFT);
	assert_soon(deliver(&b), 320); /* and was tried once more before */
	assert_int_equal(b.failures.n, 6);
	assert_holds(b.path[0], "drift warning xu\n");
	assert_int_equal(alerts_pending(b.alerts), 1);
	bench_release(&b);
}

static void behind_an_outage_a_trouble_comes_before_its_end(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	put(b.down[0], "", 0600);
	take(&b, EVENT_FAILED);
	for (int i = 0; i < 9; i++) {
		let_time_pass(&b);
		deliver(&b);
	}
	assert_int_equal(remove(b.down[0]), 0);
	take(&b, EVENT_RECOVERED);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_holds(b.path[0], "failed warning xu\nrecovered notice xu\n");
	bench_release(&b);
}

static void a_trouble_that_is_over_does_not_come_behind_its_end(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	fail_five_times(&b);
	take(&b, EVENT_RECOVERED);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_holds(b.path[0], "recovered notice xu\n");
	assert_int_equal(alerts_pending(b.alerts), 0);
	bench_release(&b);
}

static void a_channel_that_is_no_longer_configured_drops_its_alerts(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	put(b.down[1], "", 0600);
	take(&b, EVENT_FAILED);
	deliver(&b);
	assert_int_equal(alerts_pending(b.alerts), 1);
	b.config.n_alerts = 1;
	let_time_pass(&b);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_int_equal(alerts_pending(b.alerts), 0);
	assert_int_equal(access(b.path[1], F_OK), -1);
	bench_release(&b);
}

static void what_waits_is_delivered_after_a_restart(void **state)
{
	struct bench b;
	struct err err;

	(void)state;
	bench_open(&b);
	take(&b, EVENT_FAILED);
	alerts_close(b.alerts);
	assert_int_equal(alerts_open(b.dir, &b.alerts, &err), 0);
	assert_int_equal(alerts_pending(b.alerts), 2);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_holds(b.path[0], "failed warning xu\n");
	bench_release(&b);
}

static void what_the_disk_did_not_take_is_delivered_from_memory(void **state)
{
	struct event event = { .kind = EVENT_BROKEN,
			       .severity = SEVERITY_CRITICAL,
			       .what = "no space left on device",
			       .attempts_left = -1,
			       .at = AT };
	struct bench b;
	struct err err;
	char *queue;

	(void)state;
	bench_open(&b);
	queue = path_join(b.dir, "alerts/queue");
	assert_int_equal(tree_remove(queue, &err), 0);
	assert_int_equal(alerts_take(b.alerts, &b.config, &event, NULL, &err), -1);
	assert_int_equal(alerts_pending(b.alerts), 2);
	deliver(&b);
	assert_holds(b.path[0], "broken critical \n");
	assert_int_equal(alerts_pending(b.alerts), 0);
	free(queue);
	bench_release(&b);
}

static void a_file_that_is_damaged_meanwhile_is_reported_as_lost(void **state)
{
	struct bench b;
	char *path;

	(void)state;
	bench_open(&b);
	take(&b, EVENT_FAILED);
	path = str_printf("%s/alerts/queue/%s-ops.json", b.dir,
			  b.alerts->queue.items[0].id);
	put(path, "{", 0600);
	assert_int_equal(deliver(&b), CLOCK_NEVER);
	assert_int_equal(b.failures.n, 1);
	assert_non_null(strstr(b.failures.items[0], "to 'ops' is lost: damaged: '"));
	assert_holds(b.path[1], "failed warning xu\n");
	free(path);
	bench_release(&b);
}

static void a_cancelled_delivery_counts_as_none(void **state)
{
	struct cancel *cancel = cancel_new();
	struct bench b;
	int64_t next;

	(void)state;
	bench_open(&b);
	take(&b, EVENT_FAILED);
	cancel_request(cancel);
	next = alerts_deliver(b.alerts, &b.config, cancel, NULL, failed, &b);
	assert_true(next <= clock_wall());
	assert_int_equal(b.failures.n, 0);
	assert_int_equal(alerts_pending(b.alerts), 2);
	cancel_free(cancel);
	bench_release(&b);
}

static void an_unreachable_webhook_keeps_its_alert_and_tells_no_token(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	b.channels[0].type = CHANNEL_WEBHOOK;
	b.channels[0].url = "http://127.0.0.1:1/hook"; /* nobody listens there */
	b.channels[0].authorization.bytes = "Bearer s3cr3t";
	b.channels[0].authorization.len = strlen("Bearer s3cr3t");
	b.config.n_alerts = 1;
	take(&b, EVENT_FAILED);
	assert_soon(deliver(&b), 10);
	assert_int_equal(b.failures.n, 1);
	assert_non_null(strstr(b.failures.items[0], "127.0.0.1"));
	assert_null(strstr(b.failures.items[0], "s3cr3t"));
	assert_int_equal(alerts_pending(b.alerts), 1);
	bench_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivered_alerts_leave_nothing_behind),
		cmocka_unit_test(the_document_is_the_one_that_was_queued),
		cmocka_unit_test(a_failure_is_told_and_tried_again_in_10_seconds_then_20),
		cmocka_unit_test(a_channel_that_is_down_does_not_hold_up_the_other),
		cmocka_unit_test(a_channel_hears_in_order_even_after_a_failure),
		cmocka_unit_test(
			an_endpoint_that_is_down_costs_one_try_for_all_that_waits),
		cmocka_unit_test(an_alert_that_failed_five_times_lets_the_others_pass),
		cmocka_unit_test(behind_an_outage_a_trouble_comes_before_its_end),
		cmocka_unit_test(a_trouble_that_is_over_does_not_come_behind_its_end),
		cmocka_unit_test(a_channel_that_is_no_longer_configured_drops_its_alerts),
		cmocka_unit_test(what_waits_is_delivered_after_a_restart),
		cmocka_unit_test(what_the_disk_did_not_take_is_delivered_from_memory),
		cmocka_unit_test(a_file_that_is_damaged_meanwhile_is_reported_as_lost),
		cmocka_unit_test(a_cancelled_delivery_counts_as_none),
		cmocka_unit_test(
			an_unreachable_webhook_keeps_its_alert_and_tells_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
