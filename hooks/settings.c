#include "hooks/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "hooks/json_edit.h"

#define SETTINGS_MAX_BYTES ((size_t)1024 * 1024)
#define SHA1_DIGITS (CERT_SHA1_HEX - 1)

/* ---- bytes --------------------------------------------------------------- */

static unsigned char lower(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
}

static bool same_digits(const unsigned char *bytes, const char *sha1)
{
	for (size_t i = 0; i < SHA1_DIGITS; i++)
		if (lower(bytes[i]) != lower((unsigned char)sha1[i]))
			return false;
	return true;
}

static bool has_small_letter(const unsigned char *bytes)
{
	for (size_t i = 0; i < SHA1_DIGITS; i++)
		if (bytes[i] >= 'a' && bytes[i] <= 'f')
			return true;
	return false;
}

/* Behind the closing quote of the string whose text begins at `at`. */
static size_t string_end(const unsigned char *bytes, size_t len, size_t at)
{
	while (at < len && bytes[at] != '"')
		at += bytes[at] == '\\' ? 2 : 1;
	return at < len ? at + 1 : len;
}

static bool is_name(const unsigned char *bytes, size_t len, size_t end)
{
	while (end < len && bytes[end] && strchr(" \t\r\n", bytes[end]))
		end++;
	return end < len && bytes[end] == ':';
}

static void put_digits(unsigned char *bytes, const char *sha1)
{
	bool small = has_small_letter(bytes);

	for (size_t i = 0; i < SHA1_DIGITS; i++)
		bytes[i] = small ? lower((unsigned char)sha1[i]) : (unsigned char)sha1[i];
}

size_t settings_rename(void *data, size_t len, const char *old_sha1, const char *new_sha1)
{
	unsigned char *bytes = data;
	size_t found = 0, at = 0;

	if (strlen(old_sha1) != SHA1_DIGITS || strlen(new_sha1) != SHA1_DIGITS)
		return 0;
	while (at < len) {
		size_t end;

		if (bytes[at++] != '"')
			continue;
		end = string_end(bytes, len, at);
		if (end - at == SHA1_DIGITS + 1 && same_digits(bytes + at, old_sha1) &&
		    !is_name(bytes, len, end)) {
			put_digits(bytes + at, new_sha1);
			found++;
		}
		at = end;
	}
	return found;
}

static bool carries(const struct buf *bytes, const char *sha1)
{
	if (strlen(sha1) != SHA1_DIGITS)
		return false;
	for (size_t i = 0; i + SHA1_DIGITS <= bytes->len; i++)
		if (same_digits(bytes->data + i, sha1))
			return true;
	return false;
}

static bool is_json(const struct buf *bytes, struct err *err)
{
	struct json_edit edit;
	bool is = !json_edit_open(&edit, bytes->data, bytes->len, err);

	json_edit_release(&edit);
	return is;
}

/* ---- files --------------------------------------------------------------- */

typedef int visit_file(void *ctx, const char *path, struct err *err);

static int each_file(const struct target *target, visit_file *visit, void *ctx,
		     struct err *err)
{
	struct strlist folders = { 0 }, files = { 0 };
	const char *const *pattern = target->settings;
	int rc = 0;

	for (; pattern && *pattern && !rc; pattern++)
		rc = dir_glob(*pattern, &folders, err);
	for (size_t i = 0; i < folders.n && !rc; i++)
		rc = dir_find(folders.items[i], ".json", &files, err);
	for (size_t i = 0; i < files.n && !rc; i++)
		if (!str_equal(files.items[i], target->tls_json))
			rc = visit(ctx, files.items[i], err);
	strlist_clear(&files);
	strlist_clear(&folders);
	return rc;
}

struct planning {
	const struct settings_request *request;
	struct change_list *list;
};

static bool is_planned(const struct change_list *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_equal(list->items[i].path, path))
			return true;
	return false;
}

static void tell(const struct settings_request *request, char *sentence)
{
	if (request->notes)
		strlist_add(request->notes, sentence);
	free(sentence);
}

/* Has the interrupted attempt rewritten it? Its way back must not be lost. */
static bool is_our_work(const struct settings_request *request, const char *path)
{
	const struct saved *saved = request->before ? journal_file(request->before, path)
						    : NULL;
	enum saved_look look;
	struct err ignored;

	return saved && saved->kind == CHANGE_FILE &&
	       !saved_look(saved, &look, &ignored) && look == LOOK_OURS;
}

static void add_change(struct planning *planning, const char *path,
		       const struct buf *bytes)
{
	struct change *change = change_add(planning->list, CHANGE_FILE, path,
					   FILE_PUBLIC);

	buf_append(&change->content, bytes->data, bytes->len);
}

static void plan_bytes(struct planning *planning, const char *path, struct buf *bytes)
{
	const struct settings_request *request = planning->request;
	char *real = NULL;
	struct err why;

	if (is_our_work(request, path)) {
		add_change(planning, path, bytes);
		return;
	}
	if (!carries(bytes, request->old_sha1))
		return;
	if (!is_json(bytes, &why) || file_resolve_trusted(path, &real, &why)) {
		tell(request, str_printf("'%s' names the old certificate and is left "
					 "alone: %s",
					 path, why.text));
	} else if (settings_rename(bytes->data, bytes->len, request->old_sha1,
				   request->new_sha1)) {
		add_change(planning, path, bytes);
		tell(request, str_printf("'%s' named the old certificate and names the "
					 "new one now",
					 path));
	}
	free(real);
}

static int plan_file(void *ctx, const char *path, struct err *err)
{
	struct planning *planning = ctx;
	struct buf bytes;

	if (is_planned(planning->list, path))
		return 0;
	buf_init_secret(&bytes, SETTINGS_MAX_BYTES);
	if (!file_read(path, &bytes, err))
		plan_bytes(planning, path, &bytes);
	else if (err->kind != ERR_NOT_FOUND)
		tell(planning->request,
		     str_printf("'%s' was not searched for the old certificate: %s", path,
				err->text));
	buf_release(&bytes);
	return 0;
}

int settings_plan(const struct settings_request *request, struct change_list *list,
		  struct err *err)
{
	struct planning planning = { request, list };

	if (!request->old_sha1[0] ||
	    str_equal_nocase(request->old_sha1, request->new_sha1))
		return 0;
	return each_file(request->target, plan_file, &planning, err);
}

struct finding {
	const char *sha1;
	struct strlist *found;
};

static int find_in_file(void *ctx, const char *path, struct err *err)
{
	const struct finding *finding = ctx;
	struct buf bytes;

	buf_init_secret(&bytes, SETTINGS_MAX_BYTES);
	if (!file_read(path, &bytes, err) && carries(&bytes, finding->sha1))
		strlist_add(finding->found, path);
	buf_release(&bytes);
	return 0;
}

int settings_find(const struct target *target, const char *sha1, struct strlist *ret,
		  struct err *err)
{
	struct finding finding = { sha1, ret };

	return each_file(target, find_in_file, &finding, err);
}
