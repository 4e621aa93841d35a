/* limits_json.c - what is kept of our history at an issuer, in memory and as JSON. */
#include "daemon/limits_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define DAY_S INT64_C(86400)
#define KEEP_ORDERS_S (DAY_S / 4)       /* the rule looks back 3 h */
#define KEEP_CERTIFICATES_S (8 * DAY_S) /* the rules look back 7 d */
#define KEEP_FAILURES_S (DAY_S / 12)    /* the rule looks back 1 h */
#define KEEP_WAITS_S (8 * DAY_S)
#define ORDERS_MAX 1000
#define CERTIFICATES_MAX 2000
#define FAILURES_MAX 2000
#define FAILURES_EACH_MAX 50
#define WAITS_MAX 200
#define FORGIVEN_AFTER_S DAY_S /* one of those in a row a day */

static const char *const as_names[] = { "fresh", "renewal", "ari" };

static void failures_release(struct limits_failures *failures)
{
	free(failures->identifier);
	free(failures->at);
}

static void wait_release(struct limits_wait *wait)
{
	strlist_clear(&wait->names);
	free(wait->text);
}

void limits_history_clear(struct limits_history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < history->n_certificates; i++)
		strlist_clear(&history->certificates[i].names);
	for (size_t i = 0; i < history->n_failures; i++)
		failures_release(&history->failures[i]);
	for (size_t i = 0; i < history->n_waits; i++)
		wait_release(&history->waits[i]);
	free(history->orders);
	free(history->certificates);
	free(history->failures);
	free(history->waits);
	memset(history, 0, sizeof(*history));
}

/* ---- adding ----------------------------------------------------------------- */

/* One more item of `size` bytes, zeroed; `list` may move. Gives its place. */
static void *grow(void **list, size_t *n, size_t size)
{
	char *item;

	*list = mem_realloc(*list, (*n + 1) * size);
	item = (char *)*list + *n * size;
	memset(item, 0, size);
	++*n;
	return item;
}

static void add_instant(int64_t **list, size_t *n, int64_t at)
{
	*list = mem_realloc(*list, (*n + 1) * sizeof(**list));
	(*list)[(*n)++] = at;
}

static void add_names(struct strlist *list, const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		strlist_add(list, names[i]);
	strlist_sort(list);
}

void limits_add_order(struct limits_history *history, int64_t at)
{
	add_instant(&history->orders, &history->n_orders, at);
}

static struct limits_certificate *new_certificate(struct limits_history *history)
{
	void *list = history->certificates;
	void *item = grow(&list, &history->n_certificates,
			  sizeof(*history->certificates));

	history->certificates = list;
	return item;
}

void limits_add_certificate(struct limits_history *history, const char *const *names,
			    enum limits_order as, int64_t at)
{
	struct limits_certificate *certificate = new_certificate(history);

	certificate->at = at;
	certificate->as = as;
	add_names(&certificate->names, names);
}

static struct limits_failures *failures_of(struct limits_history *history,
					   const char *identifier)
{
	void *list = history->failures;
	struct limits_failures *item;

	for (size_t i = 0; i < history->n_failures; i++) {
		if (str_equal_nocase(history->failures[i].identifier, identifier))
			return &history->failures[i];
	}
	item = grow(&list, &history->n_failures, sizeof(*history->failures));
	history->failures = list;
	item->identifier = str_dup(identifier);
	return item;
}

void limits_add_failure(struct limits_history *history, const char *identifier,
			int64_t at)
{
	struct limits_failures *failures = failures_of(history, identifier);

	add_instant(&failures->at, &failures->n, at);
	if (failures->forgiven_at < at)
		failures->forgiven_at = at;
	failures->forgiven_at += FORGIVEN_AFTER_S;
}

void limits_forgive(struct limits_history *history, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		for (size_t k = 0; k < history->n_failures; k++) {
			if (str_equal_nocase(history->failures[k].identifier, names[i]))
				history->failures[k].forgiven_at = 0;
		}
	}
}

static struct limits_wait *new_wait(struct limits_history *history)
{
	void *list = history->waits;
	void *item = grow(&list, &history->n_waits, sizeof(*history->waits));

	history->waits = list;
	return item;
}

void limits_add_wait(struct limits_history *history, const char *const *names,
		     int64_t until, int64_t said_at, const char *text)
{
	struct limits_wait *wait = new_wait(history);

	wait->until = until;
	wait->said_at = said_at;
	wait->text = str_dup(text);
	if (names)
		add_names(&wait->names, names);
}

/* ---- dropping ---------------------------------------------------------------- */

/* Drops instants before `since`, and the first of more than `most`. */
static void drop_instants(int64_t *list, size_t *n, int64_t since, size_t most)
{
	size_t kept = 0, first = *n > most ? *n - most : 0;

	for (size_t i = first; i < *n; i++) {
		if (list[i] >= since)
			list[kept++] = list[i];
	}
	*n = kept;
}

static void drop_certificates(struct limits_history *history, int64_t since)
{
	size_t kept = 0, n = history->n_certificates;
	size_t first = n > CERTIFICATES_MAX ? n - CERTIFICATES_MAX : 0;

	for (size_t i = 0; i < n; i++) {
		struct limits_certificate *each = &history->certificates[i];

		if (i >= first && each->at >= since)
			history->certificates[kept++] = *each;
		else
			strlist_clear(&each->names);
	}
	history->n_certificates = kept;
}

static void drop_failures(struct limits_history *history, int64_t now)
{
	size_t kept = 0, n = history->n_failures;
	size_t first = n > FAILURES_MAX ? n - FAILURES_MAX : 0;

	for (size_t i = 0; i < n; i++) {
		struct limits_failures *each = &history->failures[i];

		drop_instants(each->at, &each->n, now - KEEP_FAILURES_S,
			      FAILURES_EACH_MAX);
		if (i >= first && (each->n || each->forgiven_at > now))
			history->failures[kept++] = *each;
		else
			failures_release(each);
	}
	history->n_failures = kept;
}

static void drop_waits(struct limits_history *history, int64_t now)
{
	size_t kept = 0, n = history->n_waits;
	size_t first = n > WAITS_MAX ? n - WAITS_MAX : 0;

	for (size_t i = 0; i < n; i++) {
		struct limits_wait *each = &history->waits[i];

		if (i >= first && each->until > now &&
		    each->until <= now + KEEP_WAITS_S + DAY_S)
			history->waits[kept++] = *each;
		else
			wait_release(each);
	}
	history->n_waits = kept;
}

void limits_prune(struct limits_history *history, int64_t now)
{
	drop_instants(history->orders, &history->n_orders, now - KEEP_ORDERS_S,
		      ORDERS_MAX);
	drop_certificates(history, now - KEEP_CERTIFICATES_S);
	drop_failures(history, now);
	drop_waits(history, now);
}

/* ---- from JSON ----------------------------------------------------------------- */

static int read_instants(const cJSON *object, const char *name, int64_t **ret, size_t *n)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, name), *item;
	double value;

	if (!cJSON_IsArray(list))
		return -1;
	cJSON_ArrayForEach (item, list) {
		value = cJSON_GetNumberValue(item); /* NaN when it is no number */
		if (!(value >= 0 && value <= 9007199254740992.0))
			return -1;
		add_instant(ret, n, (int64_t)value);
	}
	return 0;
}

static int read_names(const cJSON *object, struct strlist *ret)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "names"), *item;

	if (!cJSON_IsArray(list))
		return -1;
	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsString(item))
			return -1;
		strlist_add(ret, item->valuestring);
	}
	strlist_sort(ret);
	return 0;
}

static int read_certificate(const cJSON *item, struct limits_history *history)
{
	struct limits_certificate *certificate = new_certificate(history);
	const char *as = json_string(item, "as");
	int found = -1;

	certificate->at = json_int(item, "at", -1);
	for (int i = 0; i <= LIMITS_ARI; i++) {
		if (str_equal(as, as_names[i]))
			found = i;
	}
	if (found < 0 || certificate->at < 0)
		return -1;
	certificate->as = (enum limits_order)found;
	return read_names(item, &certificate->names);
}

static int read_failures(const cJSON *item, struct limits_history *history)
{
	const char *identifier = json_string(item, "identifier");
	struct limits_failures *failures;

	if (!identifier)
		return -1;
	failures = failures_of(history, identifier);
	failures->forgiven_at = json_int(item, "forgiven_at", -1);
	if (failures->forgiven_at < 0)
		return -1;
	return read_instants(item, "at", &failures->at, &failures->n);
}

static int read_wait(const cJSON *item, struct limits_history *history)
{
	struct limits_wait *wait = new_wait(history);

	wait->until = json_int(item, "until", -1);
	wait->said_at = json_int(item, "said_at", -1);
	wait->text = str_dup(json_string(item, "text"));
	if (wait->until < 0 || wait->said_at < 0 || !wait->text)
		return -1;
	return read_names(item, &wait->names);
}

static int read_list(const cJSON *json, const char *name,
		     int (*read)(const cJSON *item, struct limits_history *history),
		     struct limits_history *ret)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, name), *item;

	if (!cJSON_IsArray(list))
		return -1;
	cJSON_ArrayForEach (item, list) {
		if (read(item, ret))
			return -1;
	}
	return 0;
}

int limits_from_json(const cJSON *json, struct limits_history *ret)
{
	struct limits_history history = { 0 };

	if (read_instants(json, "orders", &history.orders, &history.n_orders) ||
	    read_list(json, "certificates", read_certificate, &history) ||
	    read_list(json, "failures", read_failures, &history) ||
	    read_list(json, "waits", read_wait, &history)) {
		limits_history_clear(&history);
		return -1;
	}
	*ret = history;
	return 0;
}

/* ---- to JSON ------------------------------------------------------------------- */

static cJSON *add_array(cJSON *object, const char *name)
{
	cJSON *list = cJSON_AddArrayToObject(object, name);

	if (!list)
		abort();
	return list;
}

static cJSON *add_object(cJSON *list)
{
	cJSON *object = cJSON_CreateObject();

	if (!object || !cJSON_AddItemToArray(list, object))
		abort();
	return object;
}

static void write_instants(cJSON *object, const char *name, const int64_t *at, size_t n)
{
	cJSON *list = add_array(object, name);

	for (size_t i = 0; i < n; i++) {
		if (!cJSON_AddItemToArray(list, cJSON_CreateNumber((double)at[i])))
			abort();
	}
}

static void write_names(cJSON *object, const struct strlist *names)
{
	cJSON *list = add_array(object, "names");

	for (size_t i = 0; i < names->n; i++) {
		if (!cJSON_AddItemToArray(list, cJSON_CreateString(names->items[i])))
			abort();
	}
}

cJSON *limits_to_json(const struct limits_history *history)
{
	cJSON *json = cJSON_CreateObject(), *list, *item;

	write_instants(json, "orders", history->orders, history->n_orders);
	list = add_array(json, "certificates");
	for (size_t i = 0; i < history->n_certificates; i++) {
		item = add_object(list);
		json_set_int(item, "at", history->certificates[i].at);
		json_set_string(item, "as", as_names[history->certificates[i].as]);
		write_names(item, &history->certificates[i].names);
	}
	list = add_array(json, "failures");
	for (size_t i = 0; i < history->n_failures; i++) {
		item = add_object(list);
		json_set_string(item, "identifier", history->failures[i].identifier);
		json_set_int(item, "forgiven_at", history->failures[i].forgiven_at);
		write_instants(item, "at", history->failures[i].at,
			       history->failures[i].n);
	}
	list = add_array(json, "waits");
	for (size_t i = 0; i < history->n_waits; i++) {
		item = add_object(list);
		json_set_int(item, "until", history->waits[i].until);
		json_set_int(item, "said_at", history->waits[i].said_at);
		json_set_string(item, "text", history->waits[i].text);
		write_names(item, &history->waits[i].names);
	}
	return json;
}
