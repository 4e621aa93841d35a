/* file_glob.c - patterns of paths: `*` and `?` within a component, in either case; names
 * that begin with a dot must be named with it, as on POSIX. */
#include "base/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/windows/wide.h"

/* Both in upper case. Goes back to the last star only: no pattern costs more than n * m.
 */
static bool matches(const wchar_t *pattern, const wchar_t *name)
{
	const wchar_t *star = NULL, *retry = NULL;

	while (*name) {
		if (*pattern == L'*') {
			star = pattern++;
			retry = name;
		} else if (*pattern && (*pattern == L'?' || *pattern == *name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == L'*')
		pattern++;
	return !*pattern;
}

static bool name_matches(const char *pattern, const char *name)
{
	wchar_t *wide_pattern = wide_from_utf8(pattern),
		*wide_name = wide_from_utf8(name);
	wchar_t *a = wide_upper(wide_pattern), *b = wide_upper(wide_name);
	bool does = (*name != '.' || *pattern == '.') && matches(a, b);

	free(a);
	free(b);
	free(wide_pattern);
	free(wide_name);
	return does;
}

static int glob_below(const char *dir, const char *pattern, struct strlist *found,
		      struct err *err);

/* `path` matches so far; `rest` is the pattern behind it. */
static int glob_entry(const char *path, const char *rest, struct strlist *found,
		      struct err *err)
{
	struct file_facts facts;

	if (file_inspect(path, &facts, err))
		return -1;
	if (facts.type == FILE_ABSENT)
		return 0;
	if (*rest)
		return glob_below(path, rest, found, err);
	strlist_add(found, path);
	return 0;
}

/* Tries every name of the folder; a folder that is none has none. */
static int glob_names(const char *dir, const char *component, const char *rest,
		      struct strlist *found, struct err *err)
{
	struct strlist names = { 0 };
	struct file_facts facts;
	char *path;
	size_t i;
	int rc;

	if (file_inspect(dir, &facts, err))
		return -1;
	if (facts.type != FILE_DIRECTORY && facts.type != FILE_LINK)
		return 0;
	rc = dir_list(dir, &names, err);
	for (i = 0; !rc && i < names.n; i++) {
		if (!name_matches(component, names.items[i]))
			continue;
		path = path_join(dir, names.items[i]);
		rc = glob_entry(path, rest, found, err);
		free(path);
	}
	strlist_clear(&names);
	return rc;
}

static int glob_below(const char *dir, const char *pattern, struct strlist *found,
		      struct err *err)
{
	size_t len = strcspn(pattern, "\\/");
	char *component = str_ndup(pattern, len), *path;
	const char *rest = pattern + len + strspn(pattern + len, "\\/");
	int rc;

	if (strpbrk(component, "*?")) {
		rc = glob_names(dir, component, rest, found, err);
	} else {
		path = path_join(dir, component);
		rc = glob_entry(path, rest, found, err);
		free(path);
	}
	free(component);
	return rc;
}

/* Length of the path up to the first component with a wildcard: "\\?\" has none. */
static size_t plain_length(const char *pattern)
{
	size_t from = str_starts(pattern, "\\\\?\\") ? 4 : 0;
	size_t len = from + strcspn(pattern + from, "*?");

	if (!pattern[len])
		return len;
	while (len > 0 && pattern[len - 1] != '\\' && pattern[len - 1] != '/')
		len--;
	return len;
}

int dir_glob(const char *pattern, struct strlist *ret, struct err *err)
{
	size_t len = plain_length(pattern), i;
	char *start = len ? str_ndup(pattern, len) : str_dup(".");
	struct strlist found = { 0 };
	int rc = glob_entry(start, pattern + len, &found, err);

	if (rc) {
		err_wrap(err, "look for '%s'", pattern);
	} else {
		strlist_sort(&found);
		for (i = 0; i < found.n; i++)
			strlist_add(ret, found.items[i]);
	}
	strlist_clear(&found);
	free(start);
	return rc;
}
