#include "hooks/owner.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"

#define OWNER_MAX_BYTES 4096
#define TRIES 3 /* who is refreshed while we look is looked at again */

struct kept { /* the owner file as it is */
	char *path;
	char hash[FILE_HASH_MAX]; /* "": nobody keeps it */
	cJSON *json;              /* NULL: it makes no sense */
};

static void kept_release(struct kept *kept)
{
	cJSON_Delete(kept->json);
	free(kept->path);
}

static int kept_read(const char *tls_json, struct kept *ret, struct err *err)
{
	struct kept kept = { 0 };
	struct err ignored;
	struct buf bytes;
	char *real = NULL;
	int rc = -1;

	buf_init(&bytes, OWNER_MAX_BYTES);
	if (file_resolve_trusted(tls_json, &real, err))
		goto out;
	kept.path = str_printf("%s%s", real, OWNER_SUFFIX);
	if (!file_read(kept.path, &bytes, err)) {
		bytes_hash(bytes.data, bytes.len, kept.hash);
		(void)json_parse(bytes.data, bytes.len, &kept.json, &ignored);
	} else if (err->kind != ERR_NOT_FOUND) {
		goto out;
	}
	*ret = kept;
	kept = (struct kept){ 0 };
	rc = 0;
out:
	kept_release(&kept);
	buf_release(&bytes);
	free(real);
	return rc ? err_wrap(err, "who keeps '%s'", tls_json) : 0;
}

/* What the file says of `name`; NULL: nothing. */
static const char *said(const struct kept *kept, const char *name)
{
	const char *text = json_string(kept->json, name);

	return text && text[0] ? text : NULL;
}

enum machine { MACHINE_UNKNOWN, MACHINE_OURS, MACHINE_OTHER };

static enum machine machine_of(const struct owner *owner, const struct kept *kept)
{
	const char *machine = said(kept, "machine");

	if (!machine || !owner->machine || !owner->machine[0])
		return MACHINE_UNKNOWN;
	return str_equal(machine, owner->machine) ? MACHINE_OURS : MACHINE_OTHER;
}

static bool is_ours(const struct owner *owner, const struct kept *kept)
{
	enum machine machine = machine_of(owner, kept);
	bool host = str_equal(said(kept, "host"), owner->host);

	if (str_equal(said(kept, "instance"), owner->instance))
		return host || machine == MACHINE_OURS;
	return host && machine != MACHINE_OTHER &&
	       str_equal(said(kept, "state_dir"), owner->state_dir);
}

/* What stands in the file is somebody's text. Gives. */
static char *text_of(const struct kept *kept, const char *name)
{
	const char *text = said(kept, name);
	char *copy = str_printf("%.120s", text ? text : "?");

	str_make_printable(copy);
	return copy;
}

static const char *who(const struct owner *owner, const struct kept *kept)
{
	if (!str_equal(said(kept, "host"), owner->host))
		return "the certrenewd of host";
	return machine_of(owner, kept) == MACHINE_OTHER
		       ? "the certrenewd of another machine of this name, host"
		       : "another certrenewd of this host";
}

static int refuse(const struct owner *owner, const char *tls_json,
		  const struct kept *kept, struct err *err)
{
	char *host = text_of(kept, "host"), *dir = text_of(kept, "state_dir");
	char *certificate = text_of(kept, "certificate"), *since = text_of(kept, "time");

	if (!kept->json)
		err_set(err, ERR_CONFIG,
			"'%s' is kept by somebody, but '%s' is damaged and does not say "
			"by whom: see that no other server writes it, then take it over "
			"by `certrenewd deploy %s --take-over`, or remove that file",
			tls_json, kept->path, owner->certificate);
	else
		err_set(err, ERR_CONFIG,
			"'%s' is kept by %s '%s' (its certificate '%s', its state "
			"directory '%s', last written at %s): two would undo each other; "
			"end it there, then `certrenewd deploy %s --take-over` here, or "
			"remove '%s'",
			tls_json, who(owner, kept), host, certificate, dir, since,
			owner->certificate, kept->path);
	free(since);
	free(certificate);
	free(dir);
	free(host);
	return -1;
}

static char *render(const struct owner *owner)
{
	cJSON *json = cJSON_CreateObject();
	char now[CLOCK_TEXT_MAX], *text;

	clock_format_rfc3339(clock_wall(), now);
	json_set_string(json, "kept_by", "certrenewd");
	json_set_string(json, "host", owner->host);
	json_set_string(json, "machine", owner->machine);
	json_set_string(json, "instance", owner->instance);
	json_set_string(json, "state_dir", owner->state_dir);
	json_set_string(json, "certificate", owner->certificate);
	json_set_string(json, "time", now);
	text = json_print(json);
	cJSON_Delete(json);
	return text;
}

/* In place of exactly what was read. ERR_TRANSIENT: somebody was faster. */
static int put(const struct owner *owner, const struct kept *kept, struct err *err)
{
	char *text = render(owner);
	char *suffix = str_printf(".%.8s.new", owner->instance);
	const struct file_new new = {
		.data = text,
		.len = strlen(text),
		.audience = FILE_PUBLIC,
		.expected = kept->hash,
		.suffix = suffix,
	};
	int rc = file_replace_if(kept->path, &new, err);

	free(suffix);
	free(text);
	return rc;
}

int owner_check(const struct owner *owner, const char *tls_json, struct err *err)
{
	struct kept kept = { 0 };
	int rc = 0;

	if (!tls_json)
		return 0;
	if (kept_read(tls_json, &kept, err))
		return -1;
	if (kept.hash[0] && !is_ours(owner, &kept))
		rc = refuse(owner, tls_json, &kept, err);
	kept_release(&kept);
	return rc;
}

int owner_take(const struct owner *owner, const char *tls_json, bool take_over,
	       struct err *err)
{
	int rc = -1;

	for (int i = 0; tls_json && rc && i < TRIES; i++) {
		struct kept kept = { 0 };
		bool tried = false;

		if (kept_read(tls_json, &kept, err))
			return -1;
		if (kept.hash[0] && !take_over && !is_ours(owner, &kept)) {
			rc = refuse(owner, tls_json, &kept, err);
		} else {
			tried = true;
			rc = put(owner, &kept, err);
		}
		kept_release(&kept);
		if (!tried || (rc && err->kind != ERR_TRANSIENT))
			break;
	}
	return tls_json ? rc : 0;
}
