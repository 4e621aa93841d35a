#include "daemon/alerts_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/files.h"
#include "base/random.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024)
#define NUMBER_DIGITS 12
#define RANDOM_DIGITS 12 /* so that a receiver never takes one alert for another */
#define ID_LEN (NUMBER_DIGITS + 1 + RANDOM_DIGITS)

static char *file_path(const struct queue *queue, const char *id, const char *channel)
{
	return str_printf("%s/%s-%s.json", queue->folder, id, channel);
}

static void queued_release(struct queued *queued)
{
	free(queued->id);
	free(queued->channel);
	free(queued->event);
	free(queued->certificate);
	free(queued->target);
	free(queued->unsaved);
}

void queue_clear(struct queue *queue)
{
	for (size_t i = 0; i < queue->n; i++)
		queued_release(&queue->items[i]);
	free(queue->items);
	free(queue->folder);
	*queue = (struct queue){ 0 };
}

static struct queued *append(struct queue *queue, const char *id, const char *channel,
			     enum severity severity, const cJSON *document)
{
	struct queued *queued;

	queue->items = mem_realloc(queue->items, (queue->n + 1) * sizeof(*queue->items));
	queued = &queue->items[queue->n++];
	*queued = (struct queued){ .id = str_dup(id),
				   .channel = str_dup(channel),
				   .event = str_dup(json_string(document, "event")),
				   .certificate = str_dup(
					   json_string(document, "certificate")),
				   .target = str_dup(json_string(document, "target")),
				   .severity = severity };
	return queued;
}

static int severity_of(const cJSON *document, enum severity *ret)
{
	const char *name = json_string(document, "severity");

	for (int i = SEVERITY_NOTICE; i <= SEVERITY_CRITICAL; i++) {
		if (str_equal(name, severity_name((enum severity)i))) {
			*ret = (enum severity)i;
			return 0;
		}
	}
	return -1;
}

/* Splits "<id>-<channel>.json". Gives both. */
static int split_name(const char *name, char **ret_id, char **ret_channel)
{
	size_t len = strlen(name);

	if (!str_ends(name, ".json") || len <= ID_LEN + 1 + strlen(".json") ||
	    strspn(name, "0123456789") != NUMBER_DIGITS || name[NUMBER_DIGITS] != '-' ||
	    name[ID_LEN] != '-')
		return -1;
	*ret_id = str_ndup(name, ID_LEN);
	*ret_channel = str_ndup(name + ID_LEN + 1, len - ID_LEN - 1 - strlen(".json"));
	return 0;
}

/* Takes in one file of the folder. Names that are not ours are left alone. */
static int take_file(struct queue *queue, const char *name, struct strlist *damaged,
		     struct err *err)
{
	char *path = path_join(queue->folder, name), *id = NULL, *channel = NULL;
	enum severity severity = SEVERITY_NOTICE;
	cJSON *document = NULL;
	int64_t number;
	int rc = -1;

	if (split_name(name, &id, &channel)) {
		rc = 0;
		goto out;
	}
	if (state_file_read(path, FILE_MAX_BYTES, &document, err))
		goto out;
	if (document && (!str_equal(json_string(document, "id"), id) ||
			 severity_of(document, &severity))) {
		cJSON_Delete(document);
		document = NULL;
		err_set(err, ERR_CONFIG, "damaged: '%s': not an alert", path);
		if (state_file_set_aside(path, err))
			goto out;
	}
	number = strtoll(id, NULL, 10);
	if (number > queue->last_number)
		queue->last_number = number;
	if (document)
		append(queue, id, channel, severity, document);
	else if (err->kind != ERR_NONE)
		strlist_add(damaged, err->text);
	rc = 0;
out:
	cJSON_Delete(document);
	free(id);
	free(channel);
	free(path);
	return rc;
}

int queue_open(const char *folder, struct queue *ret, struct strlist *damaged,
	       struct err *err)
{
	struct queue queue = { .folder = str_dup(folder) };
	struct strlist names = { 0 };
	struct err ignored;
	int rc = -1;

	if (dir_make(folder, FILE_SECRET, err))
		goto out;
	/* No name is used twice: what a death left half written nobody writes again. */
	(void)state_file_sweep(folder, &ignored);
	if (dir_list(folder, &names, err))
		goto out;
	for (size_t i = 0; i < names.n; i++) {
		if (take_file(&queue, names.items[i], damaged, err))
			goto out;
	}
	*ret = queue;
	queue = (struct queue){ 0 };
	rc = 0;
out:
	queue_clear(&queue);
	strlist_clear(&names);
	return rc;
}

static void number_id(struct queue *queue, const char *digits, char out[QUEUE_ID_SIZE])
{
	snprintf(out, QUEUE_ID_SIZE, "%0*lld-%s", NUMBER_DIGITS,
		 (long long)++queue->last_number, digits);
}

void queue_new_id(struct queue *queue, char out[QUEUE_ID_SIZE])
{
	char random[RANDOM_DIGITS + 1];

	random_hex(random, RANDOM_DIGITS);
	number_id(queue, random, out);
}

void queue_id_of(struct queue *queue, const char *key, char out[QUEUE_ID_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char digits[RANDOM_DIGITS + 1];

	if (!EVP_Digest(key, strlen(key), digest, NULL, EVP_sha256(), NULL)) {
		queue_new_id(queue, out); /* told twice at worst */
		return;
	}
	hex_encode(digest, RANDOM_DIGITS / 2, false, digits);
	for (size_t i = 0; i < queue->n; i++)
		if (str_ends(queue->items[i].id, digits)) {
			str_copy(out, QUEUE_ID_SIZE, queue->items[i].id);
			return;
		}
	number_id(queue, digits, out);
}

static size_t position(const struct queue *queue, const char *id, const char *channel)
{
	size_t i = 0;

	while (i < queue->n && (!str_equal(queue->items[i].id, id) ||
				!str_equal(queue->items[i].channel, channel)))
		i++;
	return i;
}

struct queued *queue_find(const struct queue *queue, const char *id, const char *channel)
{
	size_t i = position(queue, id, channel);

	return i < queue->n ? &queue->items[i] : NULL;
}

/* One that the disk did not take may have left its name there all the same; most often
 * it has not, and a disk that does not write says so here again. */
static int remove_file(const struct queue *queue, const struct queued *queued,
		       struct err *err)
{
	struct err ignored;
	char *path;
	int rc;

	if (!queue->folder)
		return 0;
	path = file_path(queue, queued->id, queued->channel);
	rc = file_remove(path, queued->unsaved ? &ignored : err);
	free(path);
	return queued->unsaved ? 0 : rc;
}

static int remove_at(struct queue *queue, size_t i, struct err *err)
{
	int rc = remove_file(queue, &queue->items[i], err);

	queued_release(&queue->items[i]);
	queue->n--;
	memmove(&queue->items[i], &queue->items[i + 1],
		(queue->n - i) * sizeof(*queue->items));
	return rc;
}

int queue_remove(struct queue *queue, const char *id, const char *channel,
		 struct err *err)
{
	size_t i = position(queue, id, channel);

	return i < queue->n ? remove_at(queue, i, err) : 0;
}

/* Room for one of that severity: the oldest of the least severe goes. -1 when the new one
 * is less severe than all that wait. */
static int make_room(struct queue *queue, enum severity severity)
{
	struct err ignored; /* a file that stays is delivered once more after a restart */
	size_t least = 0;

	if (queue->n < QUEUE_MAX)
		return 0;
	for (size_t i = 1; i < queue->n; i++) {
		if (queue->items[i].severity < queue->items[least].severity)
			least = i;
	}
	if (severity < queue->items[least].severity)
		return -1;
	(void)remove_at(queue, least, &ignored);
	return 0;
}

int queue_add(struct queue *queue, const char *id, const char *channel,
	      const cJSON *document, struct err *err)
{
	enum severity severity = SEVERITY_NOTICE;
	struct queued *queued;
	char *path;
	int rc;

	if (severity_of(document, &severity))
		return err_set(err, ERR_BUG, "an alert without a severity");
	if (make_room(queue, severity))
		return 0;
	queued = append(queue, id, channel, severity, document);
	if (!queue->folder) {
		queued->unsaved = json_print(document);
		return 0;
	}
	path = file_path(queue, id, channel);
	rc = json_write_file(path, document, err);
	if (rc) {
		queued->unsaved = json_print(document);
		err_wrap(err, "keep an alert for channel '%s' on disk", channel);
	}
	free(path);
	return rc;
}

int queue_load(const struct queue *queue, const struct queued *queued, cJSON **ret,
	       struct err *err)
{
	char *path;
	int rc;

	if (queued->unsaved)
		return json_parse(queued->unsaved, strlen(queued->unsaved), ret, err);
	path = file_path(queue, queued->id, queued->channel);
	rc = state_file_read(path, FILE_MAX_BYTES, ret, err);
	if (rc == 0 && !*ret) {
		if (err->kind == ERR_NONE)
			err_set(err, ERR_NOT_FOUND, "'%s' is gone", path);
		rc = -1;
	}
	free(path);
	return rc;
}
