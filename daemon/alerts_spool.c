/* alerts_spool.c - events in: decided by alerts.c, remembered by alerts_troubles.c,
 * queued by alerts_queue.c. Alerts out: alerts_deliver.c.
 *
 * What happens if we die here? The alert is on disk before the trouble, or an event with
 * a key, counts as told: at worst it is told twice, never not at all. */
#include "daemon/alerts_spool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "daemon/alert_document.h"

static struct alerts *alerts_new(void)
{
	struct alerts *alerts = mem_calloc(1, sizeof(*alerts));
	size_t size = sizeof(alerts->host);

	if (uv_mutex_init(&alerts->mutex) || uv_mutex_init(&alerts->delivery))
		abort();
	if (uv_os_gethostname(alerts->host, &size))
		snprintf(alerts->host, sizeof(alerts->host), "unknown");
	return alerts;
}

void alerts_close(struct alerts *alerts)
{
	if (!alerts)
		return;
	queue_clear(&alerts->queue);
	troubles_clear(&alerts->troubles);
	free(alerts->troubles_path);
	uv_mutex_destroy(&alerts->delivery);
	uv_mutex_destroy(&alerts->mutex);
	free(alerts);
}

/* One report of all that was damaged; ERR_NONE when nothing was. */
static void report(const struct strlist *damaged, struct err *err)
{
	struct buf text;

	buf_init(&text, sizeof(err->text) - 1);
	for (size_t i = 0; i < damaged->n; i++)
		buf_printf(&text, "%s%s", i ? "; " : "", damaged->items[i]);
	err_set(err, damaged->n ? ERR_CONFIG : ERR_NONE, "%s", buf_str(&text));
	buf_release(&text);
}

int alerts_open(const char *state_dir, struct alerts **ret, struct err *err)
{
	char *folder = path_join(state_dir, "alerts");
	char *queue_folder = path_join(folder, "queue");
	struct alerts *alerts = alerts_new();
	struct strlist damaged = { 0 };
	int rc = -1;

	alerts->troubles_path = path_join(folder, "troubles.json");
	if (queue_open(queue_folder, &alerts->queue, &damaged, err) ||
	    troubles_read(alerts->troubles_path, &alerts->troubles, err)) {
		err_wrap(err, "open the alerts");
		goto out;
	}
	if (err->kind != ERR_NONE)
		strlist_add(&damaged, err->text);
	report(&damaged, err);
	*ret = alerts;
	alerts = NULL;
	rc = 0;
out:
	alerts_close(alerts);
	strlist_clear(&damaged);
	free(queue_folder);
	free(folder);
	return rc;
}

struct alerts *alerts_in_memory(void)
{
	return alerts_new();
}

/* Queues the alert for one channel; the first failure is kept in `err`. */
static int tell_spool(struct alerts *alerts, const char *id, const char *channel,
		      const cJSON *document, int rc, struct err *err)
{
	struct err later;

	if (queue_add(&alerts->queue, id, channel, document, rc ? &later : err))
		return -1;
	return rc;
}

static int save_troubles(struct alerts *alerts, int rc, struct err *err)
{
	struct err later;

	if (!alerts->troubles_path)
		return rc;
	if (troubles_write(alerts->troubles_path, &alerts->troubles, rc ? &later : err))
		return rc ? rc : err_wrap(err, "remember what was told");
	return rc;
}

/* One with a key has the same digits whenever and how often it is taken. */
static void id_of(struct alerts *alerts, const struct event *event,
		  char out[QUEUE_ID_SIZE])
{
	char *key;

	if (!event->key) {
		queue_new_id(&alerts->queue, out);
		return;
	}
	key = str_printf("%s %s %s %s %s", alerts->host, event_name(event->kind),
			 event->certificate ? event->certificate : "",
			 event->target ? event->target : "", event->key);
	queue_id_of(&alerts->queue, key, out);
	free(key);
}

/* Tells every channel that the event reaches; they are added to `heard` (may be NULL). */
static int tell_reached(struct alerts *alerts, const struct config *config,
			const struct event *event, unsigned withheld,
			struct strlist *heard, struct err *err)
{
	char id[QUEUE_ID_SIZE];
	cJSON *document;
	int rc = 0;

	id_of(alerts, event, id);
	document = alert_document(id, event, alerts->host, withheld);
	for (size_t i = 0; i < config->n_alerts; i++) {
		const struct alert_config *channel = &config->alerts[i];

		if (!alert_reaches(channel, event->kind, event->severity) ||
		    queue_find(&alerts->queue, id, channel->name))
			continue;
		rc = tell_spool(alerts, id, channel->name, document, rc, err);
		if (heard && !strlist_has(heard, channel->name))
			strlist_add(heard, channel->name);
	}
	cJSON_Delete(document);
	return rc;
}

/* Good news, say: nothing stays open. */
static int take_news(struct alerts *alerts, const struct config *config,
		     const struct event *event, enum alert_verdict *ret_verdict,
		     struct err *err)
{
	int rc;

	if (event->key && troubles_was_told(&alerts->troubles, event)) {
		*ret_verdict = ALERT_NOTHING;
		return 0;
	}
	rc = tell_reached(alerts, config, event, 0, NULL, err);
	if (!event->key)
		return rc;
	troubles_note_told(&alerts->troubles, event);
	return save_troubles(alerts, rc, err);
}

static int take_event(struct alerts *alerts, const struct config *config,
		      const struct event *event, enum alert_verdict *ret_verdict,
		      struct err *err)
{
	struct trouble_record *record = troubles_find(&alerts->troubles, event);
	struct trouble none = { 0 };
	int rc = 0;

	*ret_verdict = alert_decide(record ? &record->state : &none, event->kind,
				    event->severity, event->at);
	if (record && *ret_verdict == ALERT_WITHHOLD) {
		record->state.withheld++;
		return save_troubles(alerts, 0, err);
	}
	if (!event_is_trouble(event->kind))
		return take_news(alerts, config, event, ret_verdict, err);
	if (!record)
		record = troubles_open(&alerts->troubles, event);
	rc = tell_reached(alerts, config, event, record->state.withheld, &record->heard,
			  err);
	record->state.severity = event->severity;
	record->state.told_at = event->at;
	record->state.withheld = 0;
	return save_troubles(alerts, rc, err);
}

/* Everything open that the event closes, as one: who heard of it, what was withheld. */
static struct trouble gather(const struct alerts *alerts, const struct event *event,
			     struct strlist *heard)
{
	struct trouble all = { 0 };

	for (size_t i = 0; i < alerts->troubles.n; i++) {
		const struct trouble_record *record = &alerts->troubles.items[i];

		if (!trouble_is_about(record, event->certificate, event->target))
			continue;
		all.open = true;
		all.withheld += record->state.withheld;
		for (size_t j = 0; j < record->heard.n; j++) {
			if (!strlist_has(heard, record->heard.items[j]))
				strlist_add(heard, record->heard.items[j]);
		}
	}
	return all;
}

/* Whoever heard of the trouble hears that it is over, whatever its `min` is. */
static bool hears_recovery(const struct alert_config *channel,
			   const struct strlist *heard)
{
	return strlist_has(heard, channel->name) &&
	       alert_reaches(channel, EVENT_RECOVERED, SEVERITY_CRITICAL);
}

static int take_recovered(struct alerts *alerts, const struct config *config,
			  const struct event *event, enum alert_verdict *ret_verdict,
			  struct err *err)
{
	struct strlist heard = { 0 };
	struct trouble all = gather(alerts, event, &heard);
	char id[QUEUE_ID_SIZE];
	cJSON *document;
	int rc = 0;

	*ret_verdict = alert_decide(&all, event->kind, event->severity, event->at);
	if (*ret_verdict != ALERT_TELL)
		goto out;
	queue_new_id(&alerts->queue, id);
	document = alert_document(id, event, alerts->host, all.withheld);
	for (size_t i = 0; i < config->n_alerts; i++) {
		if (hears_recovery(&config->alerts[i], &heard))
			rc = tell_spool(alerts, id, config->alerts[i].name, document, rc,
					err);
	}
	cJSON_Delete(document);
	troubles_close(&alerts->troubles, event->certificate, event->target);
	rc = save_troubles(alerts, rc, err);
out:
	strlist_clear(&heard);
	return rc;
}

int alerts_take(struct alerts *alerts, const struct config *config,
		const struct event *event, enum alert_verdict *ret_verdict,
		struct err *err)
{
	enum alert_verdict verdict = ALERT_NOTHING;
	int rc;

	uv_mutex_lock(&alerts->mutex);
	if (event->kind == EVENT_RECOVERED)
		rc = take_recovered(alerts, config, event, &verdict, err);
	else
		rc = take_event(alerts, config, event, &verdict, err);
	uv_mutex_unlock(&alerts->mutex);
	if (ret_verdict)
		*ret_verdict = verdict;
	return rc;
}

bool alerts_has_trouble(struct alerts *alerts, const char *certificate,
			const char *target)
{
	bool found = false;

	uv_mutex_lock(&alerts->mutex);
	for (size_t i = 0; i < alerts->troubles.n && !found; i++)
		found = trouble_is_about(&alerts->troubles.items[i], certificate, target);
	uv_mutex_unlock(&alerts->mutex);
	return found;
}

size_t alerts_pending(struct alerts *alerts)
{
	size_t n;

	uv_mutex_lock(&alerts->mutex);
	n = alerts->queue.n;
	uv_mutex_unlock(&alerts->mutex);
	return n;
}
