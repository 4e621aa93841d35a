/* Link headers, one a line. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "acme/link.h"
#include "acme/url.h"

#define OURS "https://ca.example/other"

static void read_lines(const char *text, struct http_response *response)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = str_ndup(text, len);
		char *header = str_printf("link: %s", line);

		strlist_add(&response->headers, header);
		free(header);
		free(line);
		text += len + (text[len] == '\n');
	}
}

static void check(const struct strlist *targets)
{
	PROMISED(targets->n <= LINKS_MAX);
	for (size_t i = 0; i < targets->n; i++)
		PROMISED(url_is_https(targets->items[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_response response = { 0 };
	struct strlist targets = { 0 };
	char *text = str_ndup((const char *)data, size);
	char *behind = str_printf("<" OURS ">;rel=\"up ALTERNATE\", %s", text);

	read_lines(text, &response);
	link_targets_of(&response, "alternate", &targets);
	check(&targets);
	strlist_clear(&targets);
	link_targets(behind, "alternate", &targets);
	check(&targets); /* what is malformed takes nothing from what stood in front */
	PROMISED(targets.n && str_equal(targets.items[0], OURS));
	strlist_clear(&targets);
	strlist_clear(&response.headers);
	free(behind);
	free(text);
	return 0;
}
