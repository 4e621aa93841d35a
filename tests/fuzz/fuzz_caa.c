/* CAA records, one a line: "!tag value", the '!' of those that are critical; and each
 * line as the value of an issue record. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/str.h"
#include "hooks/caa.h"

#define LINES_MAX 64

static const char *const domains[] = { "ca.example", "other.example", NULL };

static void add(struct caa_set *set, bool critical, const char *tag, const char *value)
{
	set->items = mem_realloc(set->items, (set->n + 1) * sizeof(*set->items));
	set->items[set->n++] = (struct caa_record){ critical, str_dup(tag),
						    str_dup(value) };
}

static void read_lines(char *text, struct caa_set *set)
{
	char *rest = text;

	while (rest && set->n < LINES_MAX) {
		char *line = rest, *value;

		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		value = strchr(line, ' ');
		if (value)
			*value++ = '\0';
		add(set, *line == '!', line + (*line == '!'), value ? value : "");
	}
}

static int check(const struct caa_set *set, const char *identifier, const char *account)
{
	const struct caa_question question = { identifier, domains, account, "dns-01" };
	struct err err = { 0 };
	int rc = caa_check(set, &question, &err);

	if (rc) {
		PROMISED(err.kind == ERR_REFUSED && err.text[0]);
		for (const char *c = err.text; *c; c++)
			PROMISED((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	return rc;
}

/* One record of the set is enough to allow, and it names the CA. */
static void check_values(const struct caa_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		char *value = str_printf("%s%s", set->items[i].tag, set->items[i].value);
		char tag[] = "issue";
		struct caa_record record = { false, tag, value };
		const struct caa_set one = { &record, 1, set->at };

		if (!check(&one, "www.a.example", NULL))
			PROMISED(strlen(value) >= strlen(domains[0]));
		free(value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct caa_set set = { .at = str_dup("a.example") };
	char *text = str_ndup((const char *)data, size);
	bool critical = false;
	int refused;

	read_lines(text, &set);
	check_values(&set);
	for (size_t i = 0; i < set.n; i++)
		critical = critical || set.items[i].critical;
	check(&set, "*.a.example", "https://ca.example/acct/1");
	refused = check(&set, "www.a.example", NULL);
	add(&set, false, "issue", ";"); /* names nobody: no permission comes of it */
	PROMISED(!refused || check(&set, "www.a.example", NULL));
	add(&set, false, "ISSUE", " ca.example ");
	add(&set, false, "issuewild", "other.example;");
	if (!critical) { /* one record that allows is enough */
		PROMISED(!check(&set, "www.a.example", NULL));
		PROMISED(!check(&set, "*.a.example", NULL));
	}
	caa_set_clear(&set);
	free(text);
	return 0;
}
