#include "hooks/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "hooks/settings.h"
#include "hooks/store.h"
#include "hooks/tls_json.h"

static void tell(struct strlist *notes, char *sentence)
{
	if (notes)
		strlist_add(notes, sentence);
	free(sentence);
}

/* The bytes that were moved away when we fell back. A lost or damaged copy is no reason
 * to stay on plain HTTP: tls.json is then made anew. */
static int kept_tls_json(const struct plan_request *request, struct strlist *notes,
			 struct buf *ret, bool *ret_has, struct err *err)
{
	const struct saved *saved = NULL;

	*ret_has = false;
	if (request->kept)
		saved = journal_file(request->kept, request->target->tls_json);
	if (!saved || saved->was != WAS_FILE)
		return 0;
	if (!saved_read(saved, request->kept->folder, ret, err)) {
		*ret_has = true;
		return 0;
	}
	if (err->kind != ERR_CONFIG && err->kind != ERR_NOT_FOUND)
		return -1;
	tell(notes, str_printf("'%s' is made anew: %s", saved->path, err->text));
	return 0;
}

static int plan_tls_json(const struct plan_request *request, struct change_list *list,
			 struct err *err)
{
	const struct target *target = request->target;
	struct tls_json_values values;
	struct buf bytes;
	bool has_bytes;
	int rc = -1;

	if (!target->tls_json)
		return 0;
	buf_init_secret(&bytes, TLS_JSON_MAX_BYTES);
	if (tls_json_values_of(request->material->cert, target->subject_alt_name, &values,
			       err) ||
	    kept_tls_json(request, request->notes, &bytes, &has_bytes, err))
		goto out;
	rc = tls_json_plan(target->tls_json, has_bytes ? &bytes : NULL, &values, list,
			   err);
out:
	buf_release(&bytes);
	return rc;
}

/* The certificate that tls.json named when all this began. */
static int find_old(const struct plan_request *request, char ret_sha1[CERT_SHA1_HEX],
		    struct err *err)
{
	struct tls_json_values values = { 0 };
	struct buf bytes;
	bool enabled, has_bytes;
	int rc = -1;

	ret_sha1[0] = '\0';
	if (!request->target->tls_json)
		return 0;
	if (request->before && request->before->old_sha1[0]) {
		memcpy(ret_sha1, request->before->old_sha1, CERT_SHA1_HEX);
		return 0;
	}
	buf_init_secret(&bytes, TLS_JSON_MAX_BYTES);
	if (kept_tls_json(request, NULL, &bytes, &has_bytes, err))
		goto out;
	if (!has_bytes)
		rc = plan_named(request->target, ret_sha1, &enabled, err);
	else
		rc = tls_json_read(bytes.data, bytes.len, &values, err);
	if (has_bytes && strlen(values.thumbprint) < CERT_SHA1_HEX)
		memcpy(ret_sha1, values.thumbprint, strlen(values.thumbprint) + 1);
out:
	buf_release(&bytes);
	return rc;
}

/* One setting that the product may have reset: put back when it differs, and naming the
 * new certificate. What somebody else wrote over our own work stays. */
static int plan_setting(const struct plan_request *request, const struct saved *saved,
			const char *old_sha1, struct change_list *list, struct err *err)
{
	enum file_audience audience = saved->mode & 077 ? FILE_PUBLIC : FILE_SECRET;
	struct change *change;
	enum saved_look look;
	struct buf bytes;

	if (saved_look(saved, &look, err))
		return -1;
	if (look == LOOK_SAVED)
		return 0;
	if (look == LOOK_FOREIGN) {
		tell(request->notes,
		     str_printf("'%s' was changed by somebody while plain HTTP "
				"was spoken and stays as it is: see whether what "
				"the product had reset in it has to be put back by "
				"hand",
				saved->path));
		return 0;
	}
	buf_init_secret(&bytes, SAVED_MAX_BYTES);
	if (saved_read(saved, request->kept->folder, &bytes, err)) {
		buf_release(&bytes);
		if (err->kind != ERR_CONFIG && err->kind != ERR_NOT_FOUND)
			return -1;
		/* No reason to stay on plain HTTP. */
		tell(request->notes, str_printf("'%s' is not put back as it was before "
						"plain HTTP: %s",
						saved->path, err->text));
		return 0;
	}
	change = change_add(list, CHANGE_FILE, saved->path, audience);
	buf_release(&change->content);
	change->content = bytes;
	settings_rename(change->content.data, change->content.len, old_sha1,
			cert_sha1(request->material->cert));
	tell(request->notes,
	     str_printf("'%s' is put back as it was before plain HTTP", saved->path));
	return 0;
}

/* Settings that name any of those certificates. */
static int plan_older(const struct settings_request *first, const char *older,
		      struct change_list *list, struct err *err)
{
	char sha1[CERT_SHA1_HEX];
	struct settings_request each = *first;

	each.old_sha1 = sha1;
	for (; older && *older; older += strcspn(older, " ")) {
		older += strspn(older, " ");
		if (strcspn(older, " ") != CERT_SHA1_HEX - 1)
			continue;
		memcpy(sha1, older, CERT_SHA1_HEX - 1);
		sha1[CERT_SHA1_HEX - 1] = '\0';
		if (settings_plan(&each, list, err))
			return -1;
	}
	return 0;
}

static int plan_settings(const struct plan_request *request, struct change_list *list,
			 struct err *err)
{
	char old_sha1[CERT_SHA1_HEX];
	const struct journal *kept = request->kept;
	const struct settings_request others = {
		.target = request->target,
		.old_sha1 = old_sha1,
		.new_sha1 = cert_sha1(request->material->cert),
		.before = request->before,
		.notes = request->notes,
	};

	if (find_old(request, old_sha1, err))
		return -1;

	for (size_t i = 0; kept && i < kept->n_files; i++) {
		const struct saved *saved = &kept->files[i];

		if (saved->was != WAS_FILE ||
		    str_equal(saved->path, request->target->tls_json))
			continue;
		if (plan_setting(request, saved, old_sha1, list, err))
			return -1;
	}
	if (settings_plan(&others, list, err))
		return -1;
	return plan_older(&others, request->older, list, err);
}

static bool is_planned(const struct change_list *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_equal(list->items[i].path, path))
			return true;
	return false;
}

static void plan_programs(const struct target *target, struct change_list *list)
{
	for (size_t i = 0; i < target->n_programs; i++) {
		const char *const *path = target->programs[i].changes;

		for (; path && *path; path++)
			if (!is_planned(list, *path))
				change_add(list, CHANGE_WATCHED, *path, FILE_SECRET);
	}
}

int plan_build(const struct plan_request *request, struct change_list *list,
	       struct err *err)
{
	if (store_plan(&request->target->store, request->material, list, err) ||
	    plan_settings(request, list, err) || plan_tls_json(request, list, err))
		return err_wrap(err, "plan");
	plan_programs(request->target, list);
	return 0;
}

bool plan_is_applied(const struct change_list *list, bool watched_count)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].kind == CHANGE_WATCHED) {
			if (!watched_count)
				return false;
		} else if (!change_is_applied(&list->items[i])) {
			return false;
		}
	}
	return true;
}

int plan_named(const struct target *target, char ret_sha1[CERT_SHA1_HEX],
	       bool *ret_enabled, struct err *err)
{
	struct tls_json_values values = { 0 };
	struct buf bytes;
	int rc = -1;

	ret_sha1[0] = '\0';
	*ret_enabled = false;
	if (!target->tls_json)
		return 0;
	buf_init(&bytes, TLS_JSON_MAX_BYTES);
	if (file_read(target->tls_json, &bytes, err)) {
		rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
		goto out;
	}
	if (tls_json_read(bytes.data, bytes.len, &values, err)) {
		err_wrap(err, "read '%s'", target->tls_json);
		goto out;
	}
	*ret_enabled = values.tls_enabled;
	if (strlen(values.thumbprint) < CERT_SHA1_HEX)
		memcpy(ret_sha1, values.thumbprint, strlen(values.thumbprint) + 1);
	rc = 0;
out:
	buf_release(&bytes);
	return rc;
}
