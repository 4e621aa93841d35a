#include "config/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/files.h"
#include "base/seal.h"
#include "base/str.h"
#include "config/config.h"
#include "config/fields.h"
#include "config/suggest.h"
#include "config/system.h"
#include "config/trust.h"

#define EXPECTED                                                                         \
	"expected {file: PATH}, {env: NAME}, {credential: NAME} or {dpapi: BASE64}"

/* What DPAPI puts around a secret. */
#define SEALED_MAX_BYTES (SECRET_MAX_BYTES + 4096)

void secret_list_release(struct secret_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		str_free_secret(list->items[i]);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

const char *secret_list_add(struct secret_list *list, const char *bytes, size_t len)
{
	char *copy = str_ndup(bytes, len);

	list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
	list->items[list->n++] = copy;
	return copy;
}

/* One secret being read: where from, and what to call that. */
struct source {
	struct reading *reading;
	const struct frame *frame;
	const struct field *field;
	const struct node *node; /* the member: its text is the path or name */
	const char *called;      /* "file 'eab.key'" */
};

static void complain(const struct source *source, const char *what)
{
	if (source->reading->watching)
		warning_at(source->reading->problems, source->node->place, "'%s%s' %s",
			   source->frame->prefix, source->field->key, what);
	else
		field_problem(source->reading, source->frame, source->field->key,
			      source->node->place, "%s", what);
}

/* Copies the bytes into wiped memory, without the line end that editors add. */
static void keep(const struct source *source, const char *bytes, size_t len,
		 struct secret *ret)
{
	struct arena *arena = source->reading->values.arena;

	while (len && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	if (!len || memchr(bytes, '\0', len) || len > SECRET_MAX_BYTES) {
		complain(source,
			 arena_printf(arena, "%s %s", source->called,
				      !len ? "is empty" : "is not the text of a secret"));
		return;
	}
	ret->bytes = secret_list_add(source->reading->secrets, bytes, len);
	ret->len = len;
	ret->source = source->called;
}

/* `ours`: a file of the operator's, whose access we judge. systemd guards credentials by
 * their folder, and their mode looks open where an ACL is set. */
static void read_file(const struct source *source, const char *path, bool ours,
		      struct secret *ret)
{
	struct buf buf;
	struct err err;

	buf_init_secret(&buf, SECRET_MAX_BYTES + 2);
	if (file_read(path, &buf, &err) || (ours && file_check_secret(path, &err)))
		complain(source, err.text);
	else
		keep(source, buf_str(&buf), buf.len, ret);
	buf_release(&buf);
}

typedef void secret_reader(const struct source *source, struct secret *ret);

static void from_file(const struct source *source, struct secret *ret)
{
	const char *why = NULL, *path;

	path = value_path(&source->reading->values, source->node->text, &why);
	trust_require(source->reading, source->node->place, path);
	read_file(source, path, true, ret);
}

static void from_env(const struct source *source, struct secret *ret)
{
	char *value = system_getenv(source->node->text);

	if (value)
		keep(source, value, strlen(value), ret);
	else
		complain(source,
			 arena_printf(source->reading->values.arena,
				      "%s is not set in this process", source->called));
	str_free_secret(value);
}

static void from_credential(const struct source *source, struct secret *ret)
{
	char *folder = system_getenv("CREDENTIALS_DIRECTORY"), *path = NULL;
	const char *why = NULL;

	if (system_lacks_service(SERVICE_SYSTEMD)) {
		complain(source, "names a credential of systemd's, which is not on this "
				 "system: use {dpapi:} or {file:}");
		goto out;
	}
	if (!value_credential(&source->reading->values, source->node->text, &why)) {
		complain(source, "expected the credential's name, without folders");
		goto out;
	}
	if (!folder || !value_is_absolute(folder)) {
		complain(source, "systemd gave no credentials to this process: the unit "
				 "needs LoadCredential= or LoadCredentialEncrypted=");
		goto out;
	}
	path = path_join(folder, source->node->text);
	read_file(source, path, false, ret);
out:
	free(path);
	free(folder);
}

/* Sealed by `certrenewd protect` on this machine. */
static void from_dpapi(const struct source *source, struct secret *ret)
{
	struct buf sealed, bytes;
	struct err err;

	buf_init_secret(&sealed, SEALED_MAX_BYTES);
	buf_init_secret(&bytes, SECRET_MAX_BYTES + 2);
	if (!seal_protects())
		complain(source, "has 'dpapi', which exists on Windows only: use {file:} "
				 "or {credential:}");
	else if (base64_any_decode(source->node->text, &sealed) || !sealed.len)
		complain(source,
			 "has a 'dpapi' that is not base64: copy what 'certrenewd "
			 "protect' printed");
	else if (unseal(sealed.data, sealed.len, &bytes, &err))
		complain(source, err.text);
	else
		keep(source, buf_str(&bytes), bytes.len, ret);
	buf_release(&bytes);
	buf_release(&sealed);
}

static const struct kind {
	const char *key;
	const char *noun; /* NULL: its text is no name, so it is not repeated */
	secret_reader *read;
} kinds[] = {
	{ "file", "file", from_file },
	{ "env", "environment variable", from_env },
	{ "credential", "credential", from_credential },
	{ "dpapi", NULL, from_dpapi },
};

static const struct kind *find_kind(const char *key)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (str_equal(kinds[i].key, key))
			return &kinds[i];
	}
	return NULL;
}

void secret_read(struct reading *reading, const struct frame *frame,
		 const struct field *field, struct node *node, void *base)
{
	struct secret *slot = (struct secret *)((char *)base + field->offset);
	const struct node *member = node->first;
	struct source source = { reading, frame, field, member, NULL };
	const struct kind *kind;

	if (node->n != 1) {
		field_problem(reading, frame, field->key, node->place,
			      "names %zu sources: " EXPECTED, node->n);
		return;
	}
	kind = find_kind(member->key);
	if (!kind) {
		field_problem(reading, frame, field->key, member->key_place,
			      "has the unknown key '%.64s': " EXPECTED, member->key);
		return;
	}
	if (member->type == NODE_REFUSED)
		return;
	if (member->type != NODE_SCALAR || !*member->text ||
	    value_has_control(member->text)) {
		field_problem(reading, frame, field->key, member->place,
			      "has no usable '%s': " EXPECTED, member->key);
		return;
	}
	source.called = "the sealed secret";
	if (kind->noun)
		source.called = arena_printf(reading->values.arena, "%s '%s'", kind->noun,
					     member->text);
	kind->read(&source, slot);
	if (reading->watching && !slot->bytes)
		slot->source = source.called;
}
