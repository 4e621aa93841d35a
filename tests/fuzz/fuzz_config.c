/* The YAML tree, and the whole configuration behind it. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "config/checks.h"
#include "config/fields.h"
#include "config/loaded.h"
#include "config/sections.h"

/* Secrets come from the key `file`, and the machine's files are no input of ours;
 * `profile` is another key. */
static bool reads_files(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i++)
		if (!memcmp(data + i, "file", 4) &&
		    (i < 3 || memcmp(data + i - 3, "pro", 3) != 0))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loaded *loaded = mem_calloc(1, sizeof(*loaded));
	struct problems problems = { .file = "fuzz.yaml" };
	struct config_report report = { 0 };
	struct frame file = { .key = "" };
	struct reading reading;
	char *shown;

	loaded->arena = arena_new();
	reading = (struct reading){ .values = { loaded->arena, "/nowhere" },
				    .problems = &problems,
				    .secrets = &loaded->secrets,
				    .config = &loaded->config };
	loaded->config.path = "/nowhere/fuzz.yaml";
	if (!yaml_tree_parse(data, size, loaded->arena, &problems, &loaded->root) &&
	    loaded->root->type == NODE_MAP && !reads_files(data, size)) {
		section_read(&reading, &file, &top_section, loaded->root,
			     &loaded->config);
		checks_run(&loaded->config, loaded->root, loaded->arena, &problems);
		if (!problems.n_errors) {
			shown = config_show(&loaded->config);
			PROMISED(shown && *shown);
			free(shown);
		}
	}
	problems_report(&problems, &report);
	for (size_t i = 0; i < report.errors.n; i++)
		PROMISED(!strpbrk(report.errors.items[i], "\n\r\033"));
	config_report_clear(&report);
	problems_release(&problems);
	config_free(&loaded->config);
	return 0;
}
