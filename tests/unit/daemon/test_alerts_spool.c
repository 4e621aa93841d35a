#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/alerts_spool.h"
#include "tests/unit/base/tempdir.h"

#define HOUR INT64_C(3600)
#define AT INT64_C(1795231888)

/* ops hears warnings, log everything but renewed, page what is critical. */
static const char *const no_renewed[] = { "renewed", NULL };
static const struct alert_config channels[] = {
	{ .name = "ops", .min = SEVERITY_WARNING },
	{ .name = "log", .min = SEVERITY_NOTICE, .except = no_renewed },
	{ .name = "page", .min = SEVERITY_CRITICAL },
};
static const struct config config = { .alerts = channels, .n_alerts = 3 };

struct spool { /* one test's state directory, opened */
	char *dir, *queue;
	struct alerts *alerts;
};

static void spool_open(struct spool *spool)
{
	struct err err = { 0 };

	if (!spool->dir) {
		spool->dir = tempdir_new();
		spool->queue = path_join(spool->dir, "alerts/queue");
	}
	if (alerts_open(spool->dir, &spool->alerts, &err))
		fail_msg("%s", err.text);
	assert_int_equal(err.kind, ERR_NONE);
}

static void spool_restart(struct spool *spool)
{
	alerts_close(spool->alerts);
	spool_open(spool);
}

static void spool_release(struct spool *spool)
{
	alerts_close(spool->alerts);
	free(spool->queue);
	tempdir_free(spool->dir);
}

static struct event event_of(enum event_kind kind, const char *target, int64_t at)
{
	return (struct event){ .kind = kind,
			       .severity = event_severity(kind),
			       .certificate = "xu",
			       .target = target,
			       .what = "something happened",
			       .attempts_left = -1,
			       .at = at };
}

static enum alert_verdict take(struct spool *spool, struct event event)
{
	enum alert_verdict verdict = ALERT_NOTHING;
	struct err err;

	if (alerts_take(spool->alerts, &config, &event, &verdict, &err))
		fail_msg("%s", err.text);
	return verdict;
}

/* What waits in the folder, as "event>channel ..." from the oldest on. */
static void assert_queued(const struct spool *spool, const char *expected)
{
	struct strlist names = { 0 };
	struct buf found;
	struct err err;

	buf_init(&found, 4096);
	assert_int_equal(dir_list(spool->queue, &names, &err), 0);
	for (size_t i = 0; i < names.n; i++) {
		char *path = path_join(spool->queue, names.items[i]);
		const char *channel = strrchr(names.items[i], '-') + 1;
		cJSON *json = NULL;

		assert_int_equal(json_read_file(path, 65536, &json, &err), 0);
		buf_printf(&found, "%s%s>%.*s", i ? " " : "", json_string(json, "event"),
			   (int)(strlen(channel) - 5), channel);
		cJSON_Delete(json);
		free(path);
	}
	assert_string_equal(buf_str(&found), expected);
	assert_int_equal(alerts_pending(spool->alerts), names.n);
	buf_release(&found);
	strlist_clear(&names);
}

/* The member of the newest alert in the folder. */
static int64_t newest_withheld(const struct spool *spool)
{
	struct strlist names = { 0 };
	cJSON *json = NULL;
	struct err err;
	int64_t withheld;
	char *path;

	assert_int_equal(dir_list(spool->queue, &names, &err), 0);
	assert_true(names.n > 0);
	path = path_join(spool->queue, names.items[names.n - 1]);
	assert_int_equal(json_read_file(path, 65536, &json, &err), 0);
	withheld = json_int(json, "withheld", -1);
	cJSON_Delete(json);
	free(path);
	strlist_clear(&names);
	return withheld;
}

static void an_event_is_queued_for_every_channel_that_it_reaches(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	spool_open(&spool);
	assert_int_equal(take(&spool, event_of(EVENT_RENEWED, NULL, AT)), ALERT_TELL);
	assert_queued(&spool, "");
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT)), ALERT_TELL);
	assert_queued(&spool, "failed>log failed>ops");
	assert_int_equal(take(&spool, event_of(EVENT_BROKEN, NULL, AT)), ALERT_TELL);
	assert_queued(&spool, "failed>log failed>ops broken>log broken>ops broken>page");
	spool_release(&spool);
}

static void repeats_are_withheld_counted_and_told_after_24_hours(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	spool_open(&spool);
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT)), ALERT_TELL);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(
			take(&spool, event_of(EVENT_FAILED, NULL, AT + i * HOUR)),
			ALERT_WITHHOLD);
	assert_queued(&spool, "failed>log failed>ops");
	spool_restart(&spool); /* the count survives */
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT + 6 * HOUR)),
			 ALERT_WITHHOLD);
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT + 24 * HOUR)),
			 ALERT_TELL);
	assert_queued(&spool, "failed>log failed>ops failed>log failed>ops");
	assert_int_equal(newest_withheld(&spool), 6);
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT + 25 * HOUR)),
			 ALERT_WITHHOLD);
	spool_release(&spool);
}

static void troubles_of_other_kinds_and_targets_are_distinct(void **state)
{
	struct spool spool = { 0 };
	struct event other = event_of(EVENT_FAILED, NULL, AT);

	(void)state;
	other.certificate = "shop";
	spool_open(&spool);
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT)), ALERT_TELL);
	assert_int_equal(take(&spool, event_of(EVENT_DRIFT, NULL, AT)), ALERT_TELL);
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, "nginx", AT)), ALERT_TELL);
	assert_int_equal(take(&spool, other), ALERT_TELL);
	other.certificate = NULL;
	assert_int_equal(take(&spool, other), ALERT_TELL);
	assert_int_equal(take(&spool, other), ALERT_WITHHOLD);
	spool_release(&spool);
}

static void a_more_severe_repeat_is_told_at_once(void **state)
{
	struct spool spool = { 0 };
	struct event event = event_of(EVENT_EXPIRING, NULL, AT);

	(void)state;
	spool_open(&spool);
	event.severity = SEVERITY_NOTICE;
	assert_int_equal(take(&spool, event), ALERT_TELL);
	assert_int_equal(take(&spool, event), ALERT_WITHHOLD);
	event.severity = SEVERITY_CRITICAL;
	assert_int_equal(take(&spool, event), ALERT_TELL);
	assert_queued(&spool, "expiring>log expiring>log expiring>ops expiring>page");
	assert_int_equal(newest_withheld(&spool), 1);
	event.severity = SEVERITY_WARNING;
	assert_int_equal(take(&spool, event), ALERT_WITHHOLD);
	spool_release(&spool);
}

static void recovered_is_told_once_and_only_to_channels_that_heard(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	spool_open(&spool);
	assert_int_equal(take(&spool, event_of(EVENT_RECOVERED, NULL, AT)),
			 ALERT_NOTHING);
	take(&spool, event_of(EVENT_FAILED, NULL, AT));
	take(&spool, event_of(EVENT_FAILED, NULL, AT + 1));
	take(&spool, event_of(EVENT_DRIFT, "nginx", AT + 2));
	assert_true(alerts_has_trouble(spool.alerts, "xu", NULL));
	spool_restart(&spool); /* who heard survives */
	assert_int_equal(take(&spool, event_of(EVENT_RECOVERED, NULL, AT + 3)),
			 ALERT_TELL);
	/* ops heard of the trouble: it hears the end, below its minimum; page does not */
	assert_queued(&spool, "failed>log failed>ops drift>log drift>ops "
			      "recovered>log recovered>ops");
	assert_int_equal(newest_withheld(&spool), 1);
	assert_false(alerts_has_trouble(spool.alerts, "xu", NULL));
	assert_int_equal(take(&spool, event_of(EVENT_RECOVERED, NULL, AT + 4)),
			 ALERT_NOTHING);
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT + 5)), ALERT_TELL);
	spool_release(&spool);
}

static void recovered_of_a_target_closes_only_that_target(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	spool_open(&spool);
	take(&spool, event_of(EVENT_DRIFT, "nginx", AT));
	take(&spool, event_of(EVENT_DRIFT, "postfix", AT));
	take(&spool, event_of(EVENT_FAILED, NULL, AT));
	assert_int_equal(take(&spool, event_of(EVENT_RECOVERED, "nginx", AT)),
			 ALERT_TELL);
	assert_false(alerts_has_trouble(spool.alerts, "xu", "nginx"));
	assert_true(alerts_has_trouble(spool.alerts, "xu", "postfix"));
	assert_true(alerts_has_trouble(spool.alerts, "xu", NULL));
	assert_false(alerts_has_trouble(spool.alerts, "shop", NULL));
	assert_false(alerts_has_trouble(spool.alerts, NULL, NULL));
	spool_release(&spool);
}

static void a_renewal_proves_nothing_of_a_spare_issuer(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	spool_open(&spool);
	take(&spool, event_of(EVENT_REHEARSAL_FAILED, "issuer spare", AT));
	assert_int_equal(take(&spool, event_of(EVENT_RECOVERED, NULL, AT + 1)),
			 ALERT_NOTHING);
	assert_true(alerts_has_trouble(spool.alerts, "xu", "issuer spare"));
	assert_int_equal(take(&spool, event_of(EVENT_RECOVERED, "issuer spare", AT + 2)),
			 ALERT_TELL);
	assert_false(alerts_has_trouble(spool.alerts, "xu", "issuer spare"));
	spool_release(&spool);
}

static void a_channel_may_except_recovered_by_name(void **state)
{
	static const char *const except[] = { "recovered", NULL };
	static const struct alert_config quiet[] = {
		{ .name = "ops", .min = SEVERITY_NOTICE, .except = except },
	};
	static const struct config with = { .alerts = quiet, .n_alerts = 1 };
	struct spool spool = { 0 };
	struct event event = event_of(EVENT_FAILED, NULL, AT);
	struct err err;

	(void)state;
	spool_open(&spool);
	assert_int_equal(alerts_take(spool.alerts, &with, &event, NULL, &err), 0);
	event = event_of(EVENT_RECOVERED, NULL, AT);
	assert_int_equal(alerts_take(spool.alerts, &with, &event, NULL, &err), 0);
	assert_queued(&spool, "failed>ops");
	spool_release(&spool);
}

static void a_restart_keeps_the_queue_in_order(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	spool_open(&spool);
	take(&spool, event_of(EVENT_FAILED, NULL, AT));
	spool_restart(&spool);
	take(&spool, event_of(EVENT_DRIFT, NULL, AT - HOUR)); /* the clock went back */
	spool_restart(&spool);
	take(&spool, event_of(EVENT_RECOVERED, NULL, AT - 2 * HOUR));
	spool_restart(&spool);
	assert_queued(&spool, "failed>log failed>ops drift>log drift>ops "
			      "recovered>log recovered>ops");
	spool_release(&spool);
}

static void one_alert_has_one_id_in_all_channels(void **state)
{
	struct spool spool = { 0 };
	const struct queue *queue;

	(void)state;
	spool_open(&spool);
	take(&spool, event_of(EVENT_FAILED, NULL, AT));
	take(&spool, event_of(EVENT_DRIFT, NULL, AT));
	queue = &spool.alerts->queue;
	assert_int_equal(queue->n, 4);
	assert_string_equal(queue->items[0].id, queue->items[1].id);
	assert_string_equal(queue->items[2].id, queue->items[3].id);
	assert_string_not_equal(queue->items[0].id, queue->items[2].id);
	spool_release(&spool);
}

static size_t set_aside_in(const char *folder)
{
	struct strlist names = { 0 };
	struct err err;
	size_t n = 0;

	assert_int_equal(dir_list(folder, &names, &err), 0);
	for (size_t i = 0; i < names.n; i++)
		n += strstr(names.items[i], ".damaged-") != NULL;
	strlist_clear(&names);
	return n;
}

static void damaged_files_are_set_aside_and_the_rest_goes_on(void **state)
{
	struct spool spool = { 0 };
	char *troubles, *first, *folder;
	struct err err = { 0 };

	(void)state;
	spool_open(&spool);
	take(&spool, event_of(EVENT_FAILED, NULL, AT));
	folder = path_join(spool.dir, "alerts");
	troubles = path_join(folder, "troubles.json");
	first = str_printf("%s/%s-%s.json", spool.queue, spool.alerts->queue.items[0].id,
			   spool.alerts->queue.items[0].channel);
	put(troubles, "{\"open\": [{\"kind\": 3}]}", 0600);
	put(first, "{\"id\"", 0600);
	alerts_close(spool.alerts);
	assert_int_equal(alerts_open(spool.dir, &spool.alerts, &err), 0);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "troubles.json");
	assert_says(&err, spool.alerts->queue.items[0].id);
	assert_int_equal(set_aside_in(folder), 1);
	assert_int_equal(set_aside_in(spool.queue), 1);
	assert_int_equal(alerts_pending(spool.alerts), 1);
	assert_int_equal(take(&spool, event_of(EVENT_FAILED, NULL, AT)), ALERT_TELL);
	assert_int_equal(alerts_pending(spool.alerts), 3);
	spool_restart(&spool); /* reported once: what is set aside is left alone */
	free(first);
	free(troubles);
	free(folder);
	spool_release(&spool);
}

static void every_kind_of_damage_to_the_troubles_is_survived(void **state)
{
	static const char *const damage[] = {
		"",
		"[]",
		"{}",
		"{\"open\": 3}",
		"{\"open\": [3]}",
		"{\"open\": [{\"kind\": \"failed\", \"severity\": 9, \"told_at\": 1, "
		"\"withheld\": 0, \"heard\": []}]}",
		"{\"open\": [{\"kind\": \"failed\", \"severity\": 1, \"told_at\": -1, "
		"\"withheld\": 0, \"heard\": []}]}",
		"{\"open\": [{\"kind\": \"failed\", \"severity\": 1, \"told_at\": 1, "
		"\"withheld\": 1e300, \"heard\": []}]}",
		"{\"open\": [{\"kind\": \"failed\", \"severity\": 1, \"told_at\": 1, "
		"\"withheld\": 0, \"heard\": [5]}]}",
		"{\"open\": [{\"kind\": \"failed\", \"severity\": 1, \"told_at\": 1, "
		"\"withheld\": 0, \"heard\": [], \"target\": 5}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct spool spool = { 0 };
		struct err err = { 0 };
		char *path;

		spool_open(&spool);
		take(&spool, event_of(EVENT_FAILED, NULL, AT));
		alerts_close(spool.alerts);
		path = path_join(spool.dir, "alerts/troubles.json");
		put(path, damage[i], 0600);
		assert_int_equal(alerts_open(spool.dir, &spool.alerts, &err), 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_false(alerts_has_trouble(spool.alerts, "xu", NULL));
		free(path);
		spool_release(&spool);
	}
}

static void over_a_thousand_the_oldest_notices_go_first(void **state)
{
	struct spool spool = { 0 };
	struct event notice = event_of(EVENT_CA_CHANGED, NULL, AT);
	struct event warning = event_of(EVENT_STATE_DAMAGED, NULL, AT);
	const struct queue *queue;
	char *oldest_notice;

	(void)state;
	spool_open(&spool);
	queue = &spool.alerts->queue;
	take(&spool, warning); /* log and ops: the two oldest */
	take(&spool, notice);  /* log */
	oldest_notice = str_dup(queue->items[2].id);
	while (queue->n < QUEUE_MAX)
		take(&spool, notice);
	take(&spool, notice);
	assert_int_equal(queue->n, QUEUE_MAX);
	assert_null(queue_find(queue, oldest_notice, "log"));
	assert_int_equal(queue->items[0].severity, SEVERITY_WARNING);
	assert_int_equal(queue->items[1].severity, SEVERITY_WARNING);
	free(oldest_notice);
	spool_release(&spool);
}

static void a_notice_never_displaces_a_warning(void **state)
{
	struct spool spool = { 0 };
	const struct queue *queue;

	(void)state;
	spool_open(&spool);
	queue = &spool.alerts->queue;
	while (queue->n < QUEUE_MAX)
		take(&spool, event_of(EVENT_STATE_DAMAGED, NULL, AT));
	take(&spool, event_of(EVENT_CA_CHANGED, NULL, AT));
	assert_int_equal(queue->n, QUEUE_MAX);
	for (size_t i = 0; i < queue->n; i++)
		assert_int_equal(queue->items[i].severity, SEVERITY_WARNING);
	take(&spool, event_of(EVENT_BROKEN, NULL, AT));
	assert_int_equal(queue->n, QUEUE_MAX);
	assert_int_equal(queue->items[queue->n - 1].severity, SEVERITY_CRITICAL);
	spool_release(&spool);
}

static void what_the_disk_does_not_take_waits_in_memory(void **state)
{
	struct spool spool = { 0 };
	struct event event = event_of(EVENT_FAILED, NULL, AT);
	enum alert_verdict verdict = ALERT_NOTHING;
	struct err err = { 0 };

	(void)state;
	spool_open(&spool);
	assert_int_equal(tree_remove(spool.queue, &err), 0); /* root too fails then */
	assert_int_equal(alerts_take(spool.alerts, &config, &event, &verdict, &err), -1);
	assert_int_equal(verdict, ALERT_TELL);
	assert_says(&err, "keep an alert for channel 'ops' on disk: ");
	assert_int_equal(alerts_pending(spool.alerts), 2);
	assert_true(alerts_has_trouble(spool.alerts, "xu", NULL));
	spool_release(&spool);
}

static void files_of_the_queue_are_readable_by_us_alone(void **state)
{
	struct spool spool = { 0 };
	struct strlist names = { 0 };
	struct file_facts facts;
	struct err err;
	char *path;

	(void)state;
	spool_open(&spool);
	take(&spool, event_of(EVENT_FAILED, NULL, AT));
	assert_int_equal(dir_list(spool.queue, &names, &err), 0);
	path = path_join(spool.queue, names.items[0]);
	assert_int_equal(file_inspect(path, &facts, &err), 0);
	assert_int_equal(facts.mode, 0600);
	free(path);
	strlist_clear(&names);
	spool_release(&spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_queued_for_every_channel_that_it_reaches),
		cmocka_unit_test(repeats_are_withheld_counted_and_told_after_24_hours),
		cmocka_unit_test(troubles_of_other_kinds_and_targets_are_distinct),
		cmocka_unit_test(a_more_severe_repeat_is_told_at_once),
		cmocka_unit_test(recovered_is_told_once_and_only_to_channels_that_heard),
		cmocka_unit_test(recovered_of_a_target_closes_only_that_target),
		cmocka_unit_test(a_renewal_proves_nothing_of_a_spare_issuer),
		cmocka_unit_test(a_channel_may_except_recovered_by_name),
		cmocka_unit_test(a_restart_keeps_the_queue_in_order),
		cmocka_unit_test(one_alert_has_one_id_in_all_channels),
		cmocka_unit_test(damaged_files_are_set_aside_and_the_rest_goes_on),
		cmocka_unit_test(every_kind_of_damage_to_the_troubles_is_survived),
		cmocka_unit_test(over_a_thousand_the_oldest_notices_go_first),
		cmocka_unit_test(a_notice_never_displaces_a_warning),
		cmocka_unit_test(what_the_disk_does_not_take_waits_in_memory),
		cmocka_unit_test(files_of_the_queue_are_readable_by_us_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
