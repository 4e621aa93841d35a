/* Route 53's documents, and the quoted strings in them. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "hooks/dns/route53_xml.h"
#include "hooks/dns/txt.h"

static void read_set(const char *text, size_t size)
{
	struct route53_set set = { 0 };
	struct err err;
	struct buf out;

	if (route53_read_set(text, size, "a.example", &set, &err))
		return;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < set.values.n; i++)
		(void)txt_means(set.values.items[i], TXT_OCTAL, "value");
	route53_write_change("a.example", true, &set, &out);
	buf_release(&out);
	route53_set_clear(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct strlist ids = { 0 };
	struct route53_change change;
	struct route53_error error;
	struct err err;

	(void)route53_read_zones(text, size, "a.example", &ids, &err);
	for (size_t i = 0; i < ids.n; i++)
		PROMISED(*ids.items[i] && !strpbrk(ids.items[i], "/?#. "));
	strlist_clear(&ids);
	read_set(text, size);
	if (!route53_read_change(text, size, &change, &err))
		PROMISED(*change.id && !strpbrk(change.id, "/?#. "));
	route53_read_error(text, size, &error);
	for (const char *c = error.message; *c; c++)
		PROMISED((unsigned char)*c >= ' ');
	return 0;
}
