#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/alerts_spool.h"
#include "tests/unit/base/tempdir.h"

#define AT INT64_C(1795231888)

static const struct alert_config channels[] = {
	{ .name = "ops", .min = SEVERITY_NOTICE },
	{ .name = "log", .min = SEVERITY_NOTICE },
};
static const struct config config = { .alerts = channels, .n_alerts = 2 };

struct spool {
	char *dir, *troubles;
	struct alerts *alerts;
};

static void start(struct spool *spool)
{
	struct err err = { 0 };

	if (!spool->dir) {
		spool->dir = tempdir_new();
		spool->troubles = path_join(spool->dir, "alerts/troubles.json");
	}
	alerts_close(spool->alerts);
	if (alerts_open(spool->dir, &spool->alerts, &err))
		fail_msg("%s", err.text);
	assert_int_equal(err.kind, ERR_NONE);
}

static void release(struct spool *spool)
{
	alerts_close(spool->alerts);
	free(spool->troubles);
	tempdir_free(spool->dir);
}

static enum alert_verdict renewed(struct spool *spool, const char *certificate,
				  const char *key)
{
	const struct event event = { .kind = EVENT_RENEWED,
				     .certificate = certificate,
				     .what = "it serves another",
				     .key = key,
				     .attempts_left = -1,
				     .at = AT };
	enum alert_verdict verdict = ALERT_WITHHOLD;
	struct err err;

	if (alerts_take(spool->alerts, &config, &event, &verdict, &err))
		fail_msg("%s", err.text);
	return verdict;
}

/* Delivered to that channel: what waits for it is gone. */
static void deliver(struct spool *spool, const char *channel)
{
	struct queue *queue = &spool->alerts->queue;
	struct err err;

	for (size_t i = queue->n; i-- > 0;)
		if (str_equal(queue->items[i].channel, channel))
			assert_int_equal(
				queue_remove(queue, queue->items[i].id, channel, &err),
				0);
}

static void news_with_a_key_are_told_once_whatever_was_delivered(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_TELL);
	assert_int_equal(alerts_pending(spool.alerts), 2);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_NOTHING);
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_NOTHING);
	deliver(&spool, "ops");
	deliver(&spool, "log");
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_NOTHING);
	assert_int_equal(alerts_pending(spool.alerts), 0);
	release(&spool);
}

static void another_key_or_certificate_is_other_news(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_TELL);
	assert_int_equal(renewed(&spool, "shop", "AA"), ALERT_TELL);
	assert_int_equal(renewed(&spool, "xu", "BB"), ALERT_TELL);
	assert_int_equal(alerts_pending(spool.alerts), 6);
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "BB"), ALERT_NOTHING);
	assert_int_equal(renewed(&spool, "shop", "AA"), ALERT_NOTHING);
	assert_int_equal(spool.alerts->troubles.n_told, 2);
	release(&spool);
}

static void news_without_a_key_are_told_each_time(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", NULL), ALERT_TELL);
	assert_int_equal(renewed(&spool, "xu", NULL), ALERT_TELL);
	assert_int_equal(alerts_pending(spool.alerts), 4);
	release(&spool);
}

/* Dead behind the queue and before troubles.json, which is put back for that. */
static void one_that_waits_already_is_not_queued_again_after_a_death(void **state)
{
	struct spool spool = { 0 };
	char id[QUEUE_ID_SIZE];
	struct err err;

	(void)state;
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_TELL);
	str_copy(id, sizeof(id), spool.alerts->queue.items[0].id);
	assert_int_equal(file_remove(spool.troubles, &err), 0);
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_TELL);
	assert_int_equal(alerts_pending(spool.alerts), 2);
	assert_string_equal(spool.alerts->queue.items[0].id, id);
	release(&spool);
}

/* Dead between the files of two channels. */
static void a_channel_that_was_not_reached_hears_it_under_the_same_id(void **state)
{
	struct spool spool = { 0 };
	char id[QUEUE_ID_SIZE];
	struct err err;

	(void)state;
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_TELL);
	str_copy(id, sizeof(id), spool.alerts->queue.items[0].id);
	deliver(&spool, "log"); /* as if it had never been written */
	assert_int_equal(file_remove(spool.troubles, &err), 0);
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_TELL);
	assert_int_equal(alerts_pending(spool.alerts), 2);
	assert_non_null(queue_find(&spool.alerts->queue, id, "ops"));
	assert_non_null(queue_find(&spool.alerts->queue, id, "log"));
	release(&spool);
}

static void a_file_without_what_was_told_is_one_of_an_older_version(void **state)
{
	struct spool spool = { 0 };

	(void)state;
	start(&spool);
	put(spool.troubles, "{\"open\": []}", 0600);
	start(&spool);
	assert_int_equal(renewed(&spool, "xu", "AA"), ALERT_TELL);
	release(&spool);
}

static void damage_to_what_was_told_is_set_aside(void **state)
{
	static const char *const damages[] = {
		"{\"open\": [], \"told\": 1}",
		"{\"open\": [], \"told\": [1]}",
		"{\"open\": [], \"told\": [{\"kind\": \"renewed\"}]}",
		"{\"open\": [], \"told\": [{\"kind\": \"renewed\", \"key\": 3}]}",
		"{\"open\": [], \"told\": [{\"kind\": \"renewed\", \"key\": \"AA\", "
		"\"target\": 4}]}",
	};
	struct spool spool = { 0 };
	struct err err;

	(void)state;
	start(&spool);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		put(spool.troubles, damages[i], 0600);
		alerts_close(spool.alerts);
		spool.alerts = NULL;
		err = (struct err){ 0 };
		assert_int_equal(alerts_open(spool.dir, &spool.alerts, &err), 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_says(&err, "not a list of troubles");
	}
	release(&spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(news_with_a_key_are_told_once_whatever_was_delivered),
		cmocka_unit_test(another_key_or_certificate_is_other_news),
		cmocka_unit_test(news_without_a_key_are_told_each_time),
		cmocka_unit_test(
			one_that_waits_already_is_not_queued_again_after_a_death),
		cmocka_unit_test(
			a_channel_that_was_not_reached_hears_it_under_the_same_id),
		cmocka_unit_test(a_file_without_what_was_told_is_one_of_an_older_version),
		cmocka_unit_test(damage_to_what_was_told_is_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
