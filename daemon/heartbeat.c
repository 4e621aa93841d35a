#include "daemon/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/report_known.h"

#define FILE_MAX_BYTES ((size_t)16 * 1024 * 1024)

void heartbeat_certificate_clear(struct heartbeat_certificate *certificate)
{
	for (size_t i = 0; i < certificate->n_targets; i++)
		free(certificate->targets[i].name);
	free(certificate->targets);
	free(certificate->name);
	*certificate = (struct heartbeat_certificate){ 0 };
}

void heartbeat_clear(struct heartbeat *beat)
{
	if (!beat)
		return;
	for (size_t i = 0; i < beat->n_certificates; i++)
		heartbeat_certificate_clear(&beat->certificates[i]);
	free(beat->certificates);
	*beat = (struct heartbeat){ 0 };
}

const struct heartbeat_certificate *heartbeat_find(const struct heartbeat *beat,
						   const char *certificate)
{
	for (size_t i = 0; i < beat->n_certificates; i++)
		if (!strcmp(beat->certificates[i].name, certificate))
			return &beat->certificates[i];
	return NULL;
}

const struct heartbeat_target *
heartbeat_find_target(const struct heartbeat_certificate *certificate, const char *target)
{
	for (size_t i = 0; i < certificate->n_targets; i++)
		if (!strcmp(certificate->targets[i].name, target))
			return &certificate->targets[i];
	return NULL;
}

/* ---- what is known ------------------------------------------------------- */

static struct heartbeat_target *add_target(struct heartbeat_certificate *certificate,
					   const char *name)
{
	size_t n = certificate->n_targets++;

	certificate->targets = mem_realloc(certificate->targets,
					   (n + 1) * sizeof(*certificate->targets));
	certificate->targets[n] = (struct heartbeat_target){ .name = str_dup(name) };
	return &certificate->targets[n];
}

/* Nobody orders it here: what it serves is looked at, and never claimed. */
static bool only_watched(const struct known *known)
{
	const char *first = known->config->issuers[0];
	const struct issuer_config *issuer = first ? config_issuer(known->all, first)
						   : NULL;

	return issuer && issuer->type == ISSUER_NONE;
}

static void look_at_target(const struct known *known, const struct target_state *state,
			   struct heartbeat_target *ret)
{
	bool well = state->end == DEPLOY_DONE && state->mode == MODE_HTTPS &&
		    !state->unfinished;

	if (well && known->state.exists)
		str_copy(ret->sha1, sizeof(ret->sha1), known->state.sha1);
	ret->told = !well && !only_watched(known);
}

void heartbeat_look(const struct config *config,
		    const struct certificate_config *certificate,
		    struct heartbeat_certificate *ret, struct strlist *damaged)
{
	struct known known;
	struct err err;

	*ret = (struct heartbeat_certificate){ .name = str_dup(certificate->name) };
	if (!known_read(config, certificate, &known, damaged, &err)) {
		ret->failing = known.job.renewal.count || known.job.deployment.count;
		for (size_t i = 0; i < known.state.n_targets; i++)
			look_at_target(&known, &known.state.targets[i],
				       add_target(ret, known.state.targets[i].target));
	}
	known_release(&known);
}

void heartbeat_digest(const char *config_path, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct err ignored;
	struct buf bytes;

	out[0] = '\0';
	buf_init(&bytes, FILE_MAX_BYTES);
	if (!file_read(config_path, &bytes, &ignored) &&
	    EVP_Digest(bytes.data, bytes.len, digest, &len, EVP_sha256(), NULL) == 1)
		hex_encode(digest, len, false, out);
	buf_release(&bytes);
}

/* ---- the file ------------------------------------------------------------ */

static char *path_of(const char *state_dir)
{
	return path_join(state_dir, "heartbeat.json");
}

static void set_instant(cJSON *object, const char *name, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	clock_format_rfc3339(at, text);
	json_set_string(object, name, at && at != CLOCK_NEVER ? text : NULL);
}

static int64_t get_instant(const cJSON *object, const char *name)
{
	const char *text = json_string(object, name);
	int64_t at;

	return text && !clock_parse_rfc3339(text, &at) ? at : 0;
}

static cJSON *certificate_json(const struct heartbeat_certificate *certificate)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *targets = cJSON_AddArrayToObject(object, "targets");

	json_set_string(object, "name", certificate->name);
	set_instant(object, "next_at", certificate->next_at);
	json_set_int(object, "busy_awake_ms", certificate->busy_awake_ms);
	json_set_bool(object, "failing", certificate->failing);
	for (size_t i = 0; i < certificate->n_targets; i++) {
		const struct heartbeat_target *target = &certificate->targets[i];
		cJSON *item = cJSON_CreateObject();

		json_set_string(item, "name", target->name);
		json_set_string(item, "serves", target->sha1[0] ? target->sha1 : NULL);
		json_set_bool(item, "told", target->told);
		cJSON_AddItemToArray(targets, item);
	}
	return object;
}

int heartbeat_write(const char *state_dir, const struct heartbeat *beat, struct err *err)
{
	cJSON *object = cJSON_CreateObject(), *list;
	char *path = path_of(state_dir);
	int rc;

	json_set_int(object, "pid", beat->pid);
	set_instant(object, "started_at", beat->started_at);
	set_instant(object, "beat_at", beat->beat_at);
	json_set_int(object, "beat_awake_ms", beat->beat_awake_ms);
	json_set_string(object, "boot_id", beat->boot_id);
	json_set_string(object, "config_sha256", beat->config_sha256);
	json_set_bool(object, "stopped", beat->stopped);
	list = cJSON_AddArrayToObject(object, "certificates");
	for (size_t i = 0; i < beat->n_certificates; i++)
		cJSON_AddItemToArray(list, certificate_json(&beat->certificates[i]));
	rc = json_write_file(path, object, err);
	cJSON_Delete(object);
	free(path);
	return rc;
}

static int read_certificate(const cJSON *object, struct heartbeat *beat)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "targets"), *item;
	const char *name = json_string(object, "name");
	struct heartbeat_certificate *one;

	if (!name)
		return -1;
	beat->certificates = mem_realloc(beat->certificates,
					 (beat->n_certificates + 1) *
						 sizeof(*beat->certificates));
	one = &beat->certificates[beat->n_certificates++];
	*one = (struct heartbeat_certificate){
		.name = str_dup(name),
		.next_at = get_instant(object, "next_at"),
		.busy_awake_ms = json_int(object, "busy_awake_ms", 0),
		.failing = json_bool(object, "failing", false),
	};
	cJSON_ArrayForEach (item, list) {
		const char *sha1 = json_string(item, "serves");
		struct heartbeat_target *target;

		name = json_string(item, "name");
		if (!name)
			return -1;
		target = add_target(one, name);
		str_copy(target->sha1, sizeof(target->sha1), sha1 ? sha1 : "");
		target->told = json_bool(item, "told", false);
	}
	return 0;
}

static int from_json(const cJSON *object, struct heartbeat *beat)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "certificates");
	const char *boot_id = json_string(object, "boot_id");
	const char *digest = json_string(object, "config_sha256");
	const cJSON *item;

	beat->pid = json_int(object, "pid", 0);
	beat->started_at = get_instant(object, "started_at");
	beat->beat_at = get_instant(object, "beat_at");
	beat->beat_awake_ms = json_int(object, "beat_awake_ms", -1);
	beat->stopped = json_bool(object, "stopped", false);
	str_copy(beat->config_sha256, sizeof(beat->config_sha256), digest ? digest : "");
	if (beat->pid <= 0 || !beat->beat_at || beat->beat_awake_ms < 0 || !boot_id)
		return -1;
	str_copy(beat->boot_id, sizeof(beat->boot_id), boot_id);
	cJSON_ArrayForEach (item, list)
		if (read_certificate(item, beat))
			return -1;
	return 0;
}

int heartbeat_read(const char *state_dir, struct heartbeat *ret, struct err *err)
{
	char *path = path_of(state_dir);
	struct heartbeat beat = { 0 };
	cJSON *object = NULL;
	int rc = -1;

	if (json_read_file(path, FILE_MAX_BYTES, &object, err))
		goto out;
	if (from_json(object, &beat)) {
		err_set(err, ERR_CONFIG, "damaged: '%s': not a heartbeat", path);
		heartbeat_clear(&beat);
		goto out;
	}
	*ret = beat;
	rc = 0;
out:
	cJSON_Delete(object);
	free(path);
	return rc;
}
