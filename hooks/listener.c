#include "hooks/listener.h"

#include <stdlib.h>

#include "base/files.h"
#include "base/str.h"
#include "hooks/json_edit.h"

#define LISTENER_MAX_BYTES ((size_t)256 * 1024)

static bool is_any(const struct json_edit *edit, const struct json_span *mode)
{
	struct buf text;
	bool is;

	if (mode->kind != JSON_IS_STRING)
		return false;
	buf_init(&text, LISTENER_MAX_BYTES);
	is = !json_edit_text(edit, mode, &text) &&
	     str_equal_nocase(buf_str(&text), "Any");
	buf_release(&text);
	return is;
}

static int render(const struct buf *bytes, struct buf *out, bool *ret_open,
		  struct err *err)
{
	struct json_span mode;
	struct json_edit edit;
	bool found = false;
	int rc = -1;

	if (json_edit_open(&edit, bytes->data, bytes->len, err))
		goto out;
	if (edit.root.kind != JSON_IS_OBJECT) {
		err_set(err, ERR_CONFIG, "is %s, not an object",
			json_kind_text(edit.root.kind));
		goto out;
	}
	if (json_edit_member(&edit, &edit.root, "mode", &mode, &found, err))
		goto out;
	*ret_open = found && is_any(&edit, &mode);
	if (*ret_open)
		json_edit_replace(&edit, &mode, "\"Localhost\"");
	rc = json_edit_finish(&edit, out, err);
out:
	json_edit_release(&edit);
	return rc;
}

int listener_plan(const char *path, struct change_list *list, bool *ret_open,
		  struct err *err)
{
	struct buf bytes, rendered;
	int rc = -1;

	*ret_open = false;
	buf_init(&bytes, LISTENER_MAX_BYTES);
	buf_init(&rendered, LISTENER_MAX_BYTES);
	if (file_read(path, &bytes, err)) {
		rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
		goto out;
	}
	if (render(&bytes, &rendered, ret_open, err)) {
		err_wrap(err, "'%s'", path);
		goto out;
	}
	if (*ret_open)
		buf_append(&change_add(list, CHANGE_FILE, path, FILE_PUBLIC)->content,
			   rendered.data, rendered.len);
	rc = 0;
out:
	buf_release(&rendered);
	buf_release(&bytes);
	return rc;
}
