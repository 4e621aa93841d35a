#include "daemon/report_views.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/revoked.h"
#include "daemon/watch.h"
#include "hooks/observe.h"

static const char *const store_states[] = {
	[STORE_LOOK_NONE] = "none",        [STORE_LOOK_RIGHT] = "right",
	[STORE_LOOK_LOST] = "lost",        [STORE_LOOK_DAMAGED] = "damaged",
	[STORE_LOOK_ACCESS] = "no_access", [STORE_LOOK_OTHER] = "other",
	[STORE_LOOK_UNKNOWN] = "unknown",
};

static const char *sha1_in_hand(const struct known *known)
{
	return known->present ? cert_sha1(known->version.cert) : "";
}

static void set_text(cJSON *json, const char *name, const char *text)
{
	json_set_string(json, name, text && text[0] ? text : NULL);
}

/* ---- the CA -------------------------------------------------------------- */

static cJSON *ca_json(const struct known *known)
{
	const struct job *job = &known->job;
	const struct cert *cert = known->version.cert;
	cJSON *json = cJSON_CreateObject();
	char *ari_id;

	set_text(json, "issuer", job->last_issuer);
	set_text(json, "directory", job->last_directory);
	set_text(json, "order_under_way", job->order_url);
	if (!known->present)
		return json;
	json_set_string(json, "sha1", cert_sha1(cert));
	json_set_string(json, "serial", cert_serial(cert));
	report_set_instant(json, "not_after", cert_not_after(cert));
	json_set_bool(json, "revoked", revoked_has(job->revoked, cert_sha1(cert)));
	ari_id = cert_ari_id(cert);
	report_set_instant(json, "renew_at",
			   str_equal(ari_id, job->ari_id) ? job->ari_at : 0);
	free(ari_id);
	json_set_bool(json, "differs",
		      revoked_has(job->revoked, cert_sha1(cert)) ||
			      cert_has_expired(cert, known->now));
	return json;
}

/* ---- file and store ------------------------------------------------------ */

static cJSON *file_json(const struct known *known, const struct target *target)
{
	cJSON *json = cJSON_CreateObject();
	struct target_view view;
	bool known_off;

	observe_tls_json(target, &view);
	known_off = !view.files_problem[0];
	json_set_string(json, "path", target->tls_json);
	json_set_bool(json, "present", view.tls_json_present);
	if (view.tls_enabled || known_off)
		json_set_bool(json, "tls_enabled", view.tls_enabled);
	else
		cJSON_AddNullToObject(json, "tls_enabled");
	set_text(json, "sha1", view.tls_json_sha1);
	set_text(json, "problem", view.files_problem);
	json_set_bool(json, "differs",
		      !view.tls_enabled ||
			      !str_equal_nocase(view.tls_json_sha1, sha1_in_hand(known)));
	return json;
}

static char *place_of(const struct store *store)
{
	if (store->type == STORE_WINDOWS)
		return str_printf("%s\\%s", store->location, store->name);
	if (store->type == STORE_FILES)
		return str_dup(store->fullchain ? store->fullchain
			       : store->cert    ? store->cert
						: store->key);
	return str_dup(store->path);
}

static cJSON *store_json(const struct known *known, const struct target *target)
{
	const struct material material = {
		.cert = known->version.cert,
		.key_pem = known->version.key ? buf_str(&known->version.key_pem) : NULL,
		.key_len = known->version.key_pem.len,
		.version = known->version.n,
	};
	enum store_look look = STORE_LOOK_UNKNOWN;
	cJSON *json = cJSON_CreateObject();
	char *place = place_of(&target->store), *readers = observe_readers(target);
	struct err why = { 0 }, key_why = { 0 };
	bool usable;

	if (known->present)
		look = observe_store(target, &material, &why);
	usable = look == STORE_LOOK_RIGHT ||
		 (look == STORE_LOOK_OTHER && observe_current_key(target, &key_why));
	json_set_string(json, "place", place);
	json_set_string(json, "state", store_states[look]);
	set_text(json, "sha1",
		 look == STORE_LOOK_RIGHT   ? sha1_in_hand(known)
		 : look == STORE_LOOK_OTHER ? why.text
					    : NULL);
	json_set_bool(json, "key_usable", usable);
	json_set_string(json, "key_readers", readers);
	set_text(json, "problem", look == STORE_LOOK_OTHER ? key_why.text : why.text);
	json_set_bool(json, "differs", look != STORE_LOOK_RIGHT);
	free(readers);
	free(place);
	return json;
}

/* ---- served -------------------------------------------------------------- */

static cJSON *served_json(const struct known *known, const struct target *target,
			  const struct sightings *seen)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < target->n_verify; i++) {
		const char *connect = target->verify[i].connect;
		const struct sighting *one = sightings_find(seen, target->name, connect);
		cJSON *json = cJSON_CreateObject();

		json_set_string(json, "connect", connect);
		set_text(json, "sha1", one ? one->sha1 : NULL);
		report_set_instant(json, "not_after", one ? one->not_after : 0);
		report_set_instant(json, "seen_at", one ? one->seen_at : 0);
		set_text(json, "problem", one ? one->problem : NULL);
		json_set_bool(json, "differs",
			      one && !str_equal(one->sha1, sha1_in_hand(known)));
		cJSON_AddItemToArray(list, json);
	}
	return list;
}

void report_views_json(const struct known *known, cJSON *json, struct strlist *damaged)
{
	cJSON *views = cJSON_AddObjectToObject(json, "views"), *list;
	struct sightings seen;
	struct err err;

	if (sightings_read(known->folder, &seen, &err)) {
		seen = (struct sightings){ 0 };
		strlist_add(damaged, err.text);
	} else {
		report_damage(damaged, &err);
	}
	cJSON_AddItemToObject(views, "ca", ca_json(known));
	list = cJSON_AddArrayToObject(views, "targets");
	for (size_t i = 0; i < known->config->n_targets; i++) {
		const struct target *target = &known->config->targets[i];
		cJSON *item = cJSON_CreateObject();

		json_set_string(item, "name", target->name);
		if (target->tls_json)
			cJSON_AddItemToObject(item, "configuration",
					      file_json(known, target));
		if (target->store.type != STORE_NONE)
			cJSON_AddItemToObject(item, "store", store_json(known, target));
		cJSON_AddItemToObject(item, "served", served_json(known, target, &seen));
		cJSON_AddItemToArray(list, item);
	}
	sightings_clear(&seen);
}

/* ---- for people ---------------------------------------------------------- */

static void begin_line(const cJSON *view, const char *label, bool colour, struct buf *out)
{
	bool differs = json_bool(view, "differs", false);
	const char *sha1 = json_string(view, "sha1");

	buf_printf(out, "  %s%c %-10s %s%s", colour && differs ? "\033[33m" : "",
		   differs ? '!' : ' ', label, sha1 ? sha1 : "-",
		   colour && differs ? "\033[0m" : "");
}

static void add_instant(const cJSON *view, const char *name, const char *words,
			struct buf *out)
{
	const char *text = json_string(view, name);
	char people[CLOCK_TEXT_MAX];
	int64_t at;

	if (!text || clock_parse_rfc3339(text, &at))
		return;
	clock_format_people_local(at, people);
	buf_printf(out, "%s %s", words, people);
}

static void add_problem(const cJSON *view, struct buf *out)
{
	const char *problem = json_string(view, "problem");

	buf_printf(out, "%s%s\n", problem ? ", " : "", problem ? problem : "");
}

static void print_ca(const cJSON *ca, bool colour, struct buf *out)
{
	const char *issuer = json_string(ca, "issuer");
	const char *serial = json_string(ca, "serial");

	begin_line(ca, "CA", colour, out);
	if (issuer)
		buf_printf(out, ", from '%s'", issuer);
	if (serial)
		buf_printf(out, ", serial %s", serial);
	add_instant(ca, "not_after", ", until", out);
	add_instant(ca, "renew_at", ", to be renewed", out);
	if (json_bool(ca, "revoked", false))
		buf_puts(out, ", revoked");
	if (json_string(ca, "order_under_way"))
		buf_puts(out, ", another order is under way");
	buf_puts(out, "\n");
}

static void print_file(const cJSON *file, bool colour, struct buf *out)
{
	begin_line(file, "tls.json", colour, out);
	if (!json_bool(file, "present", false))
		buf_puts(out, ", not there");
	else if (!json_bool(file, "tls_enabled", true))
		buf_puts(out, ", TLS is off");
	add_problem(file, out);
}

static void print_store(const cJSON *store, bool colour, struct buf *out)
{
	const char *readers = json_string(store, "key_readers");

	begin_line(store, "store", colour, out);
	buf_printf(out, ", key %s",
		   json_bool(store, "key_usable", false) ? "signs" : "not usable");
	if (readers)
		buf_printf(out, ", read by %s", readers);
	add_problem(store, out);
}

static void print_served(const cJSON *served, bool colour, struct buf *out)
{
	begin_line(served, "served", colour, out);
	buf_printf(out, ", %s", json_string(served, "connect"));
	add_instant(served, "not_after", ", until", out);
	add_instant(served, "seen_at", ", seen", out);
	if (!json_string(served, "seen_at"))
		buf_puts(out, ", not looked at yet");
	add_problem(served, out);
}

void report_views_print(const cJSON *certificate, bool colour, struct buf *out)
{
	const cJSON *views = cJSON_GetObjectItemCaseSensitive(certificate, "views");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(views, "targets");
	const cJSON *target, *part;

	if (!views)
		return;
	print_ca(cJSON_GetObjectItemCaseSensitive(views, "ca"), colour, out);
	cJSON_ArrayForEach (target, list) {
		if (cJSON_GetArraySize(list) > 1)
			buf_printf(out, "    %s\n", json_string(target, "name"));
		part = cJSON_GetObjectItemCaseSensitive(target, "configuration");
		if (part)
			print_file(part, colour, out);
		part = cJSON_GetObjectItemCaseSensitive(target, "store");
		if (part)
			print_store(part, colour, out);
		cJSON_ArrayForEach (part,
				    cJSON_GetObjectItemCaseSensitive(target, "served"))
			print_served(part, colour, out);
	}
}
