#include "acme/link.h"

#include <stdlib.h>
#include <string.h>

#include "acme/url.h"

#define BLANK " \t"
/* RFC 9110 5.6.2 */
#define TOKEN                                                                            \
	"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define RELATION_MAX 256

static const char *skip_blank(const char *at)
{
	return at + strspn(at, BLANK);
}

/* A quoted-string or a token, decoded into `out` (cut when too long). NULL: neither. */
static const char *read_value(const char *at, char *out, size_t size)
{
	size_t n = 0;

	if (*at != '"') {
		size_t len = strspn(at, TOKEN);

		str_copy(out, len + 1 < size ? len + 1 : size, at);
		return len ? at + len : NULL;
	}
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && !*++at)
			return NULL;
		if (n + 1 < size)
			out[n++] = *at;
	}
	out[n] = '\0';
	return *at == '"' ? at + 1 : NULL;
}

/* Is `rel` one of the relations that blanks separate? */
static bool has_relation(const char *relations, const char *rel)
{
	char word[RELATION_MAX];

	for (const char *at = skip_blank(relations); *at; at = skip_blank(at)) {
		size_t len = strcspn(at, BLANK);

		str_copy(word, len + 1 < sizeof(word) ? len + 1 : sizeof(word), at);
		if (str_equal_nocase(word, rel))
			return true;
		at += len;
	}
	return false;
}

/* The parameters behind a target. Only the first `rel` counts (RFC 8288 3.3). NULL: they
 * are malformed. */
static const char *read_parameters(const char *at, const char *rel, bool *ret_matches)
{
	char name[64], value[RELATION_MAX];
	bool seen_rel = false;

	*ret_matches = false;
	for (at = skip_blank(at); *at == ';'; at = skip_blank(at)) {
		size_t len;

		at = skip_blank(at + 1);
		len = strspn(at, TOKEN);
		if (!len)
			continue; /* "; ;" */
		str_copy(name, len + 1 < sizeof(name) ? len + 1 : sizeof(name), at);
		at = skip_blank(at + len);
		if (*at != '=')
			continue;
		at = read_value(skip_blank(at + 1), value, sizeof(value));
		if (!at)
			return NULL;
		if (!seen_rel && str_equal_nocase(name, "rel")) {
			seen_rel = true;
			*ret_matches = has_relation(value, rel);
		}
	}
	return at;
}

void link_targets(const char *value, const char *rel, struct strlist *targets)
{
	const char *at = skip_blank(value);

	while (*at == '<' && targets->n < LINKS_MAX) {
		const char *end = strchr(++at, '>');
		bool matches;
		char *url;

		if (!end)
			return;
		url = str_ndup(at, (size_t)(end - at));
		at = read_parameters(end + 1, rel, &matches);
		if (at && matches && url_is_https(url) && !strlist_has(targets, url))
			strlist_add(targets, url);
		free(url);
		if (!at || *at != ',')
			return;
		at = skip_blank(at + 1);
	}
}

void link_targets_of(const struct http_response *response, const char *rel,
		     struct strlist *targets)
{
	static const char prefix[] = "link:";

	for (size_t i = 0; i < response->headers.n; i++) {
		const char *header = response->headers.items[i];

		if (str_starts(header, prefix))
			link_targets(header + sizeof(prefix) - 1, rel, targets);
	}
}
