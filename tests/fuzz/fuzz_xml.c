/* XML as web services write it. */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "hooks/dns/xml.h"

#define STOP_AT 7

struct walk {
	size_t elements;
	char last[64]; /* the path of the newest, or its head */
	bool stops;
};

static int element(void *ctx, const char *path, const char *text, struct err *err)
{
	struct walk *walk = ctx;
	size_t levels = 0;

	for (const char *c = path; *c; c++)
		levels += *c == '/';
	PROMISED(path[0] == '/' && path[1] && levels >= 1 && levels <= 16);
	PROMISED(strlen(text) <= 8192);
	walk->elements++;
	snprintf(walk->last, sizeof(walk->last), "%s", path);
	if (walk->stops && walk->elements == STOP_AT)
		return err_set(err, ERR_CANCELLED, "enough");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct walk walk = { 0 }, stopped = { .stops = true };
	struct err err = { 0 };
	int rc = xml_walk(text, size, element, &walk, &err);

	PROMISED(walk.elements <= 20000);
	if (rc)
		PROMISED(err.kind == ERR_REFUSED && strstr(err.text, "at byte"));
	else /* the root ends last */
		PROMISED(walk.elements && !strchr(walk.last + 1, '/'));
	rc = xml_walk(text, size, element, &stopped, &err);
	PROMISED(stopped.elements == (walk.elements < STOP_AT ? walk.elements : STOP_AT));
	if (walk.elements >= STOP_AT)
		PROMISED(rc && err.kind == ERR_CANCELLED);
	return 0;
}
