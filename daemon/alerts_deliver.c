/* alerts_deliver.c - alerts out: what is due is handed to hooks/channel.h, oldest first.
 * Events come in while we deliver, so no lock is held then.
 *
 * A channel hears in order (`recovered` never before `failed`): while its oldest alert
 * waits to be tried again the others wait behind it, until it has failed so often that it
 * may be the alert and not the channel. Even then it is tried once more in front of each
 * other one about the same certificate; and where `recovered` has passed the trouble that
 * it ends, that trouble is not told any more. */
#include "daemon/alerts_spool.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "hooks/channel.h"

/* An alert that failed this often lets the others pass. */
#define PATIENCE 5

/* A channel that failed this often in one pass is left alone until later, so that an
 * endpoint that hangs costs a few timeouts and not a thousand. */
#define FAILURES_A_PASS 2

struct pass {
	struct alerts *alerts;
	const struct config *config;
	const struct cancel *cancel;
	void (*seen_date)(void *ctx, int64_t date, int64_t mono_ms);
	void (*failed)(void *ctx, const char *sentence);
	void *ctx;
	unsigned *failures;  /* in a row, for each channel of the configuration */
	int64_t *put_off_ms; /* until when, once it failed too often; monotonic */
};

/* One alert on its way, copied out of the queue. */
struct letter {
	char *id, *channel;
	cJSON *document;
};

static void letter_release(struct letter *letter)
{
	free(letter->id);
	free(letter->channel);
	cJSON_Delete(letter->document);
	*letter = (struct letter){ 0 };
}

static void complain(const struct pass *pass, const char *sentence)
{
	if (pass->failed)
		pass->failed(pass->ctx, sentence);
}

static bool waits_behind(const struct queue *queue, size_t i, int64_t now_ms)
{
	for (size_t j = 0; j < i; j++) {
		if (queue->items[j].next_ms > now_ms &&
		    queue->items[j].attempts < PATIENCE &&
		    str_equal(queue->items[j].channel, queue->items[i].channel))
			return true;
	}
	return false;
}

static bool is_due(const struct queue *queue, size_t i, int64_t now_ms)
{
	return queue->items[i].next_ms <= now_ms && !waits_behind(queue, i, now_ms);
}

/* Is a later one to the same channel, about the same certificate, due? */
static bool would_be_passed(const struct queue *queue, size_t i, int64_t now_ms)
{
	const struct queued *queued = &queue->items[i];

	for (size_t j = i + 1; j < queue->n; j++) {
		if (str_equal(queue->items[j].channel, queued->channel) &&
		    str_equal(queue->items[j].certificate, queued->certificate) &&
		    is_due(queue, j, now_ms))
			return true;
	}
	return false;
}

/* Gives ids and channels of what is to be tried now, oldest first, in turns. */
static void list_due(struct alerts *alerts, struct strlist *ret)
{
	const struct queue *queue = &alerts->queue;
	int64_t now_ms = clock_mono_ms();

	uv_mutex_lock(&alerts->mutex);
	for (size_t i = 0; i < queue->n; i++) {
		if (!is_due(queue, i, now_ms) && !would_be_passed(queue, i, now_ms))
			continue;
		strlist_add(ret, queue->items[i].id);
		strlist_add(ret, queue->items[i].channel);
	}
	uv_mutex_unlock(&alerts->mutex);
}

/* Was it a trouble, and is it over with this `recovered`? */
static bool is_ended_by(const struct queued *queued, const struct queued *recovered)
{
	const char *target = recovered->target;
	bool of_spare = str_equal(queued->event, event_name(EVENT_REHEARSAL_FAILED));
	bool trouble = false;

	for (int kind = 0; kind < EVENT_KINDS && !trouble; kind++)
		trouble = event_is_trouble((enum event_kind)kind) &&
			  str_equal(queued->event, event_name((enum event_kind)kind));
	return trouble && str_equal(queued->channel, recovered->channel) &&
	       str_equal(queued->certificate, recovered->certificate) &&
	       (target ? str_equal(queued->target, target) : !of_spare);
}

/* `recovered` was heard: what it ends, and what it has passed, is not told any more. */
static void drop_passed(const struct pass *pass, const struct letter *letter)
{
	struct queue *queue = &pass->alerts->queue;
	const struct queued *heard;
	struct err ignored; /* a file that stays is tried once more after a restart */

	uv_mutex_lock(&pass->alerts->mutex);
	heard = queue_find(queue, letter->id, letter->channel);
	for (size_t i = heard ? (size_t)(heard - queue->items) : 0; i-- > 0;)
		if (str_equal(heard->event, event_name(EVENT_RECOVERED)) &&
		    is_ended_by(&queue->items[i], heard)) {
			(void)queue_remove(queue, queue->items[i].id, letter->channel,
					   &ignored);
			heard--;
		}
	uv_mutex_unlock(&pass->alerts->mutex);
}

/* Copies one alert out of the queue. -1: it went meanwhile, or its file is damaged and
 * was set aside. */
static int fetch(const struct pass *pass, const char *id, const char *channel,
		 struct letter *ret)
{
	struct queue *queue = &pass->alerts->queue;
	struct err err = { 0 }, ignored;
	struct queued *queued;
	int rc = -1;

	uv_mutex_lock(&pass->alerts->mutex);
	queued = queue_find(queue, id, channel);
	if (!queued)
		goto out;
	if (queue_load(queue, queued, &ret->document, &err)) {
		err_wrap(&err, "alert '%s' to '%s' is lost", id, channel);
		(void)queue_remove(queue, id, channel, &ignored);
		goto out;
	}
	ret->id = str_dup(id);
	ret->channel = str_dup(channel);
	rc = 0;
out:
	uv_mutex_unlock(&pass->alerts->mutex);
	if (err.kind != ERR_NONE)
		complain(pass, err.text);
	return rc;
}

static void forget(const struct pass *pass, const struct letter *letter)
{
	struct err err;
	int rc;

	uv_mutex_lock(&pass->alerts->mutex);
	rc = queue_remove(&pass->alerts->queue, letter->id, letter->channel, &err);
	uv_mutex_unlock(&pass->alerts->mutex);
	if (rc) {
		err_wrap(&err, "forget the delivered alert '%s'", letter->id);
		complain(pass, err.text);
	}
}

/* Puts off an alert that failed, and says whether the others have to wait for it. Returns
 * when it is tried again, monotonic. */
static int64_t put_off_failed(const struct pass *pass, const struct letter *letter,
			      bool *ret_others_wait)
{
	struct queued *queued;
	unsigned attempts = 1;
	int64_t next_ms;

	uv_mutex_lock(&pass->alerts->mutex);
	queued = queue_find(&pass->alerts->queue, letter->id, letter->channel);
	if (queued)
		attempts = ++queued->attempts;
	next_ms = clock_mono_ms() + alert_retry_delay(attempts) * 1000;
	if (queued)
		queued->next_ms = next_ms;
	uv_mutex_unlock(&pass->alerts->mutex);
	*ret_others_wait = attempts < PATIENCE;
	return next_ms;
}

/* Puts off an alert that was not tried. */
static void put_off(const struct pass *pass, const char *id, const char *channel,
		    int64_t next_ms)
{
	struct queued *queued;

	uv_mutex_lock(&pass->alerts->mutex);
	queued = queue_find(&pass->alerts->queue, id, channel);
	if (queued)
		queued->next_ms = next_ms;
	uv_mutex_unlock(&pass->alerts->mutex);
}

static void tell_failure(const struct pass *pass, const struct letter *letter,
			 int64_t next_ms, struct err *err)
{
	char delay[CLOCK_TEXT_MAX], *sentence;

	clock_format_duration((next_ms - clock_mono_ms() + 999) / 1000, delay);
	sentence = str_printf("alert '%s' (%s) to channel '%s': %s: tried again in %s",
			      letter->id, json_string(letter->document, "event"),
			      letter->channel, err->text, delay);
	complain(pass, sentence);
	free(sentence);
}

struct channel alert_channel(const struct alert_config *config)
{
	return (struct channel){
		.kind = config->type == CHANNEL_WEBHOOK ? CHANNEL_KIND_WEBHOOK
							: CHANNEL_KIND_PROGRAM,
		.name = config->name,
		.url = config->url,
		.authorization = config->authorization.bytes,
		.ca_bundle = config->ca_bundle,
		.proxy = config->proxy,
		.program = config->program,
	};
}

static int hand_over(const struct pass *pass, const struct alert_config *config,
		     const struct letter *letter, struct err *err)
{
	const struct secret *authorization = &config->authorization;
	const char *certificate = json_string(letter->document, "certificate");
	struct channel channel = alert_channel(config);
	char *json = json_print(letter->document);
	int64_t date = 0, mono_ms = 0;
	char *env[4] = {
		str_printf("CERTRENEWD_EVENT=%s", json_string(letter->document, "event")),
		str_printf("CERTRENEWD_SEVERITY=%s",
			   json_string(letter->document, "severity")),
		str_printf("CERTRENEWD_CERTIFICATE=%s", certificate ? certificate : ""),
	};
	int rc;

	if (authorization->source && !authorization->bytes)
		rc = err_set(err, ERR_CONFIG, "its 'authorization', %s, cannot be read",
			     authorization->source);
	else
		rc = channel_deliver(&channel, json, (const char *const *)env,
				     pass->cancel, &date, &mono_ms, err);
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(json);
	if (date && pass->seen_date)
		pass->seen_date(pass->ctx, date, mono_ms);
	return rc;
}

static void deliver(struct pass *pass, size_t i, const struct letter *letter)
{
	struct err err = { 0 };
	bool others_wait;
	int64_t next_ms;

	if (hand_over(pass, &pass->config->alerts[i], letter, &err) == 0) {
		pass->failures[i] = 0;
		drop_passed(pass, letter);
		forget(pass, letter);
		return;
	}
	if (err.kind == ERR_CANCELLED)
		return;
	next_ms = put_off_failed(pass, letter, &others_wait);
	if (++pass->failures[i] >= FAILURES_A_PASS || others_wait)
		pass->put_off_ms[i] = next_ms;
	tell_failure(pass, letter, next_ms, &err);
}

static size_t channel_index(const struct config *config, const char *name)
{
	size_t i = 0;

	while (i < config->n_alerts && !str_equal(config->alerts[i].name, name))
		i++;
	return i;
}

static void treat(struct pass *pass, const char *id, const char *channel)
{
	size_t i = channel_index(pass->config, channel);
	struct letter letter = { 0 };

	if (i < pass->config->n_alerts && pass->put_off_ms[i]) {
		put_off(pass, id, channel, pass->put_off_ms[i]);
		return;
	}
	if (fetch(pass, id, channel, &letter))
		return;
	if (i < pass->config->n_alerts)
		deliver(pass, i, &letter);
	else
		forget(pass, &letter); /* nobody there to tell any more */
	letter_release(&letter);
}

/* When something is due next, by the wall clock. */
static int64_t next_due(struct alerts *alerts)
{
	int64_t next_ms = CLOCK_NEVER, now_ms = clock_mono_ms(), left_ms;

	uv_mutex_lock(&alerts->mutex);
	for (size_t i = 0; i < alerts->queue.n; i++) {
		if (alerts->queue.items[i].next_ms < next_ms &&
		    !waits_behind(&alerts->queue, i, now_ms))
			next_ms = alerts->queue.items[i].next_ms;
	}
	uv_mutex_unlock(&alerts->mutex);
	if (next_ms == CLOCK_NEVER)
		return CLOCK_NEVER;
	left_ms = next_ms - now_ms;
	return clock_wall() + (left_ms > 0 ? (left_ms + 999) / 1000 : 0);
}

int64_t alerts_deliver(struct alerts *alerts, const struct config *config,
		       const struct cancel *cancel,
		       void (*seen_date)(void *ctx, int64_t date, int64_t mono_ms),
		       void (*failed)(void *ctx, const char *sentence), void *ctx)
{
	struct pass pass = { alerts, config, cancel, seen_date, failed, ctx, NULL, NULL };
	struct strlist due = { 0 };

	pass.failures = mem_calloc(config->n_alerts + 1, sizeof(*pass.failures));
	pass.put_off_ms = mem_calloc(config->n_alerts + 1, sizeof(*pass.put_off_ms));
	uv_mutex_lock(&alerts->delivery);
	list_due(alerts, &due);
	for (size_t i = 0; i + 1 < due.n && !cancel_requested(cancel); i += 2)
		treat(&pass, due.items[i], due.items[i + 1]);
	uv_mutex_unlock(&alerts->delivery);
	strlist_clear(&due);
	free(pass.failures);
	free(pass.put_off_ms);
	return next_due(alerts);
}
