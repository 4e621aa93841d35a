/* xml.h - the little of XML that web services answer in: elements, attributes (passed
 * over), text, the five named entities and numbers. Strict and bounded: no declarations,
 * no comments, no CDATA, 16 levels, 20,000 elements, 8 KiB of text in one. Pure. */
#ifndef HOOKS_DNS_XML_H
#define HOOKS_DNS_XML_H

#include <stddef.h>

#include "base/err.h"

/* Called at the end of each element: its path from the root, "/A/B", and its text, "" if
 * it has elements in it. Both borrowed for the call. An error stops the walk. */
typedef int xml_element_fn(void *ctx, const char *path, const char *text,
			   struct err *err);

/* Reads one document, elements in the order of their ends. ERR_REFUSED "not XML that we
 * read: ... at byte N" for anything else. */
int xml_walk(const char *data, size_t len, xml_element_fn *element, void *ctx,
	     struct err *err);

#endif
