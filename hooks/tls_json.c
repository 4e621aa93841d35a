/* tls_json.c - the values of a tls.json: from a certificate, from bytes, into bytes. How
 * bytes are kept is json_edit.h's business. */
#include "hooks/tls_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"
#include "hooks/dotnet_name.h"
#include "hooks/json_edit.h"

#define CERTIFICATE "certificate"
#define TLS_ENABLED "tlsEnabled"

/* The members of "certificate", in the manual's order. */
static const struct field {
	const char *name;
	size_t offset, size;
} fields[] = {
	{ "subjectAltName", offsetof(struct tls_json_values, subject_alt_name),
	  sizeof(((struct tls_json_values *)0)->subject_alt_name) },
	{ "issuer", offsetof(struct tls_json_values, issuer),
	  sizeof(((struct tls_json_values *)0)->issuer) },
	{ "notAfter", offsetof(struct tls_json_values, not_after),
	  sizeof(((struct tls_json_values *)0)->not_after) },
	{ "thumbprint", offsetof(struct tls_json_values, thumbprint),
	  sizeof(((struct tls_json_values *)0)->thumbprint) },
};
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

/* Where the values stand in a document; a member that is missing is not found. */
struct places {
	struct json_span enabled, certificate, field[N_FIELDS];
	bool has_enabled, has_certificate, has_field[N_FIELDS];
};

static const char *value_of(const struct tls_json_values *values,
			    const struct field *field)
{
	return (const char *)values + field->offset;
}

static int set_value(struct tls_json_values *values, const struct field *field,
		     const char *text, struct err *err)
{
	if (strlen(text) >= field->size)
		return err_set(err, ERR_CONFIG, "'%s' is longer than %zu bytes",
			       field->name, field->size - 1);
	memcpy((char *)values + field->offset, text, strlen(text) + 1);
	return 0;
}

int tls_json_values_of(const struct cert *cert, const char *subject_alt_name,
		       struct tls_json_values *ret, struct err *err)
{
	struct tls_json_values values = { .tls_enabled = true };
	char not_after[CLOCK_TEXT_MAX];
	struct buf issuer;
	int rc = -1;

	buf_init(&issuer, TLS_JSON_MAX_BYTES);
	clock_format_basic(cert_not_after(cert), not_after);
	if (dotnet_name(X509_get_issuer_name(cert_leaf(cert)), true, &issuer, err))
		goto out;
	if (set_value(&values, &fields[0], subject_alt_name, err) ||
	    set_value(&values, &fields[1], buf_str(&issuer), err) ||
	    set_value(&values, &fields[2], not_after, err) ||
	    set_value(&values, &fields[3], cert_sha1(cert), err))
		goto out;
	*ret = values;
	rc = 0;
out:
	buf_release(&issuer);
	return rc;
}

/* ---- finding ------------------------------------------------------------- */

static int wrong_kind(const char *what, enum json_kind kind, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%sis %s, not an object", what,
		       json_kind_text(kind));
}

/* Opens the document and finds what we know; on success the caller releases `edit`. */
static int find_places(struct json_edit *edit, const void *bytes, size_t len,
		       struct places *ret, struct err *err)
{
	const struct json_span *certificate = &ret->certificate;

	*edit = (struct json_edit){ 0 };
	*ret = (struct places){ 0 };
	if (len > TLS_JSON_MAX_BYTES)
		return err_set(err, ERR_CONFIG, "is larger than %zu bytes",
			       TLS_JSON_MAX_BYTES);
	if (json_edit_open(edit, bytes, len, err))
		return -1;
	if (edit->root.kind != JSON_IS_OBJECT)
		return wrong_kind("", edit->root.kind, err);
	if (json_edit_member(edit, &edit->root, TLS_ENABLED, &ret->enabled,
			     &ret->has_enabled, err) ||
	    json_edit_member(edit, &edit->root, CERTIFICATE, &ret->certificate,
			     &ret->has_certificate, err))
		return -1;
	if (!ret->has_certificate || certificate->kind == JSON_IS_NULL)
		return 0;
	if (certificate->kind != JSON_IS_OBJECT)
		return wrong_kind("'" CERTIFICATE "' ", certificate->kind, err);
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (json_edit_member(edit, certificate, fields[i].name, &ret->field[i],
				     &ret->has_field[i], err))
			return -1;
	}
	return 0;
}

static int read_field(const struct json_edit *edit, const struct json_span *value,
		      const struct field *field, struct tls_json_values *ret,
		      struct err *err)
{
	struct buf text;
	int rc = 0;

	if (value->kind != JSON_IS_STRING)
		return 0;
	buf_init(&text, TLS_JSON_MAX_BYTES);
	json_edit_text(edit, value, &text);
	if (text.len)
		str_make_printable((char *)text.data);
	rc = set_value(ret, field, buf_str(&text), err);
	buf_release(&text);
	return rc;
}

int tls_json_read(const void *bytes, size_t len, struct tls_json_values *ret,
		  struct err *err)
{
	struct tls_json_values values = { 0 };
	struct places places;
	struct json_edit edit;
	int rc = -1;

	if (find_places(&edit, bytes ? bytes : "", bytes ? len : 0, &places, err))
		goto out;
	values.tls_enabled = places.has_enabled && places.enabled.kind == JSON_IS_TRUE;
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (places.has_field[i] &&
		    read_field(&edit, &places.field[i], &fields[i], &values, err))
			goto out;
	}
	*ret = values;
	rc = 0;
out:
	json_edit_release(&edit);
	return rc;
}

/* ---- rendering ----------------------------------------------------------- */

/* A document as the vendor's manual prints it, its odd indentation included. */
static void new_document(const struct tls_json_values *values, struct buf *out)
{
	buf_printf(out, "{\n    \"" TLS_ENABLED "\": %s,\n    \"" CERTIFICATE "\": {\n",
		   values->tls_enabled ? "true" : "false");
	for (size_t i = 0; i < N_FIELDS; i++) {
		buf_printf(out, "    \"%s\": ", fields[i].name);
		json_quote(out, value_of(values, &fields[i]));
		buf_puts(out, i + 1 < N_FIELDS ? ",\n" : "\n");
	}
	buf_puts(out, "    }\n}");
}

/* The whole "certificate" object, one step further in than its siblings. */
static void new_certificate(const struct tls_json_values *values,
			    const struct json_style *style, struct buf *out)
{
	const char *line = strrchr(style->separator, '\n');
	const char *step = line ? line + 1 : "";

	buf_puts(out, "{");
	for (size_t i = 0; i < N_FIELDS; i++) {
		buf_printf(out, "%s%s%s\"%s\"%s", i ? "," : "", style->separator, step,
			   fields[i].name, style->colon);
		json_quote(out, value_of(values, &fields[i]));
	}
	buf_printf(out, "%s}", style->separator);
}

/* Replaces a member's value, or adds the member, unless it says so already. */
static void put(struct json_edit *edit, const struct json_style *style,
		const struct json_span *value, const char *name, const char *text)
{
	if (value)
		json_edit_replace(edit, value, text);
	else
		json_edit_add(edit, style, name, text);
}

static void edit_fields(struct json_edit *edit, const struct places *places,
			const struct json_style *style,
			const struct tls_json_values *values)
{
	struct buf text;

	buf_init(&text, TLS_JSON_MAX_BYTES);
	for (size_t i = 0; i < N_FIELDS; i++) {
		const struct json_span *value = places->has_field[i] ? &places->field[i]
								     : NULL;

		if (value && json_edit_says(edit, value, value_of(values, &fields[i])))
			continue;
		buf_clear(&text);
		json_quote(&text, value_of(values, &fields[i]));
		put(edit, style, value, fields[i].name, buf_str(&text));
	}
	buf_release(&text);
}

static void edit_certificate(struct json_edit *edit, const struct places *places,
			     const struct json_style *root_style,
			     const struct tls_json_values *values)
{
	const struct json_span *object = places->has_certificate ? &places->certificate
								 : NULL;
	struct json_style style = { 0 };
	struct buf text;

	if (object && object->kind == JSON_IS_OBJECT &&
	    json_edit_style(edit, object, &style)) {
		edit_fields(edit, places, &style, values);
	} else {
		buf_init(&text, TLS_JSON_MAX_BYTES);
		new_certificate(values, root_style, &text);
		put(edit, root_style, object, CERTIFICATE, buf_str(&text));
		buf_release(&text);
	}
	json_style_release(&style);
}

static void edit_root(struct json_edit *edit, const struct places *places,
		      const struct tls_json_values *values)
{
	enum json_kind wanted = values->tls_enabled ? JSON_IS_TRUE : JSON_IS_FALSE;
	const struct json_span *enabled = places->has_enabled ? &places->enabled : NULL;
	struct json_style style = { 0 };
	struct buf text;

	if (!json_edit_style(edit, &edit->root, &style)) {
		buf_init(&text, TLS_JSON_MAX_BYTES);
		new_document(values, &text);
		json_edit_replace(edit, &edit->root, buf_str(&text));
		buf_release(&text);
		return;
	}
	if (!enabled || enabled->kind != wanted)
		put(edit, &style, enabled, TLS_ENABLED, json_kind_text(wanted));
	edit_certificate(edit, places, &style, values);
	json_style_release(&style);
}

int tls_json_render(const void *bytes, size_t len, const struct tls_json_values *values,
		    struct buf *out, struct err *err)
{
	struct places places;
	struct json_edit edit;
	int rc = -1;

	if (!bytes) {
		new_document(values, out);
		buf_puts(out, "\n");
		return buf_ok(out) ? 0
				   : err_set(err, ERR_CONFIG, "would grow over %zu bytes",
					     out->max);
	}
	if (find_places(&edit, bytes, len, &places, err))
		goto out;
	edit_root(&edit, &places, values);
	rc = json_edit_finish(&edit, out, err);
out:
	json_edit_release(&edit);
	return rc;
}

/* ---- planning ------------------------------------------------------------ */

/* Reads the file through trusted links; *ret_absent: there is none. */
static int read_file(const char *path, struct buf *ret, bool *ret_absent, struct err *err)
{
	char *real = NULL;
	int rc = -1;

	*ret_absent = false;
	if (file_resolve_trusted(path, &real, err))
		goto out;
	if (!file_read(real, ret, err)) {
		rc = 0;
	} else if (err->kind == ERR_NOT_FOUND) {
		*ret_absent = true;
		rc = 0;
	}
out:
	free(real);
	return rc;
}

int tls_json_plan(const char *path, const struct buf *from,
		  const struct tls_json_values *values, struct change_list *list,
		  struct err *err)
{
	struct buf bytes, rendered;
	bool absent = false;
	int rc = -1;

	buf_init(&bytes, TLS_JSON_MAX_BYTES);
	buf_init(&rendered, TLS_JSON_MAX_BYTES);
	if (!from && read_file(path, &bytes, &absent, err))
		goto out;
	if (!from)
		from = &bytes;
	if (tls_json_render(absent ? NULL : buf_str(from), from->len, values, &rendered,
			    err)) {
		err_wrap(err, "'%s'", path);
		goto out;
	}
	buf_append(&change_add(list, CHANGE_FILE, path, FILE_PUBLIC)->content,
		   rendered.data, rendered.len);
	rc = 0;
out:
	buf_release(&bytes);
	buf_release(&rendered);
	return rc;
}
