#include "daemon/watch_look.h"

#include <stdlib.h>

#include "base/files.h"
#include "base/str.h"
#include "hooks/probe.h"
#include "hooks/source.h"
#include "hooks/tls_json.h"

#define PROBE_TIMEOUT_S 10

static void saw(struct sighting *one, const struct cert *cert, int64_t now)
{
	str_copy(one->sha1, sizeof(one->sha1), cert_sha1(cert));
	one->not_before = cert_not_before(cert);
	one->not_after = cert_not_after(cert);
	one->seen_at = now;
}

/* ---- on disk ------------------------------------------------------------- */

/* What tls.json names; "" when there is none to be read. */
static void thumbprint_of(const struct target *target, struct tls_json_values *values)
{
	struct err ignored;
	struct buf bytes;

	*values = (struct tls_json_values){ 0 };
	if (!target->tls_json)
		return;
	buf_init(&bytes, TLS_JSON_MAX_BYTES);
	if (file_read(target->tls_json, &bytes, &ignored) ||
	    tls_json_read(bytes.data, bytes.len, values, &ignored))
		values->thumbprint[0] = '\0';
	buf_release(&bytes);
}

static void look_in_windows_store(const struct look *look, const struct target *target,
				  struct sightings *list)
{
	const struct store *store = &target->store;
	struct source_query query = { .names = look->hosts,
				      .now = look->now,
				      .look_only = true };
	char *where = str_printf("%s\\%s", store->location, store->name);
	struct sighting *one = sightings_add(list, target->name, where);
	struct source_found found = { 0 };
	struct tls_json_values values;
	struct err err;

	thumbprint_of(target, &values);
	query.sha1 = values.thumbprint[0] ? values.thumbprint : NULL;
	if (source_find_in_store(store->location, store->name, &query, &found, &err))
		one->problem = str_dup(err.text);
	else
		saw(one, found.cert, look->now);
	source_found_clear(&found);
	free(where);
}

static void look_in_folder(const struct look *look, const struct target *target,
			   struct sightings *list)
{
	struct source_query query = { .names = look->hosts,
				      .now = look->now,
				      .look_only = true };
	struct sighting *one = sightings_add(list, target->name, target->store.path);
	struct source_found found = { 0 };
	struct err err;

	if (source_find_in_folder(target->store.path, &query, &found, &err))
		one->problem = str_dup(err.text);
	else
		saw(one, found.cert, look->now);
	source_found_clear(&found);
}

static void look_at_file(const struct look *look, const struct target *target,
			 struct sightings *list)
{
	const struct store *store = &target->store;
	const char *path = store->fullchain ? store->fullchain : store->cert;
	struct sighting *one;
	struct cert *cert = NULL;
	struct err err;

	if (!path)
		return;
	one = sightings_add(list, target->name, path);
	if (cert_load(path, &cert, &err))
		one->problem = str_dup(err.text);
	else
		saw(one, cert, look->now);
	cert_free(cert);
}

void look_at_store(const struct look *look, const struct target *target,
		   struct sightings *list)
{
	switch (target->store.type) {
	case STORE_NONE:
		break;
	case STORE_DIRECTORY:
		look_in_folder(look, target, list);
		break;
	case STORE_FILES:
		look_at_file(look, target, list);
		break;
	case STORE_WINDOWS:
		look_in_windows_store(look, target, list);
		break;
	}
}

/* ---- served -------------------------------------------------------------- */

void look_at_endpoints(const struct look *look, const struct target *target,
		       struct sightings *list)
{
	for (size_t i = 0; i < target->n_verify; i++) {
		const struct endpoint *endpoint = &target->verify[i];
		struct sighting *one = sightings_add(list, target->name,
						     endpoint->connect);
		struct probe_result seen;

		probe_endpoint(endpoint, PROBE_TIMEOUT_S, look->cancel, &seen);
		if (seen.kind != PROBE_TLS) {
			one->problem = str_printf("it %s: %s",
						  seen.kind == PROBE_PLAIN
							  ? "does not speak TLS"
							  : "does not answer",
						  seen.detail);
			continue;
		}
		str_copy(one->sha1, sizeof(one->sha1), seen.sha1);
		one->not_before = seen.not_before;
		one->not_after = seen.not_after;
		one->seen_at = look->now;
	}
}
