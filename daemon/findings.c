#include "daemon/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/json.h"

static const char *const words[] = {
	[FINDING_OK] = "ok",
	[FINDING_NOTE] = "note",
	[FINDING_FAILED] = "failed",
};

static cJSON *gather(struct pass *pass, enum finding finding, const char *of,
		     const char *check, const char *text)
{
	cJSON *object = cJSON_CreateObject();

	if (!pass->out->findings)
		pass->out->findings = cJSON_CreateArray();
	json_set_string(object, "check", check);
	json_set_string(object, "of", of);
	json_set_string(object, "result", words[finding]);
	json_set_string(object, "text", text);
	if (!cJSON_AddItemToArray(pass->out->findings, object))
		abort();
	return object;
}

/* Nobody reads what is well where nobody asked. */
static void show(struct pass *pass, enum finding finding, const char *of,
		 const char *check, const char *text)
{
	if (pass->in->command == PIPELINE_KEEP && finding != FINDING_FAILED)
		return;
	pass_note(pass, words[finding], "%s%s%s: %s", check, of ? " " : "", of ? of : "",
		  text);
}

void pass_find(struct pass *pass, enum finding finding, const char *of, const char *check,
	       const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gather(pass, finding, of, check, text);
	show(pass, finding, of, check, text);
}

void pass_find_record(struct pass *pass, enum finding finding, const char *of,
		      const struct dns_wish *wish, const char *fmt, ...)
{
	char text[2048];
	cJSON *object;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	object = gather(pass, finding, of, wish->type, text);
	json_set_string(object, "name", wish->name);
	json_set_string(object, "value", wish->value);
	show(pass, finding, of, wish->type, text);
}

bool pass_find_result(struct pass *pass, int rc, const char *of, const char *check,
		      const char *well, const struct err *err)
{
	pass_find(pass, rc ? FINDING_FAILED : FINDING_OK, of, check, "%s",
		  rc ? err->text : well);
	return !rc;
}

unsigned pass_findings_failed(const struct pass *pass, unsigned skip, char *ret_first,
			      size_t size)
{
	unsigned n = 0;
	const cJSON *each;

	cJSON_ArrayForEach (each, pass->out->findings) {
		const char *of = json_string(each, "of");

		if (!str_equal(json_string(each, "result"), words[FINDING_FAILED]))
			continue;
		if (n++ == skip)
			snprintf(ret_first, size, "%s%s%s: %s",
				 json_string(each, "check"), of ? " " : "", of ? of : "",
				 json_string(each, "text"));
	}
	return n - skip;
}
