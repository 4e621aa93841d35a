#include "daemon/options.h"

#include <string.h>

static const struct {
	const char *word;
	size_t offset;
} switches[] = {
	{ "--json", offsetof(struct options, json) },
	{ "--service", offsetof(struct options, service) },
	{ "--force", offsetof(struct options, force) },
	{ "--dry-run", offsetof(struct options, dry_run) },
	{ "--undo", offsetof(struct options, undo) },
	{ "--with-key", offsetof(struct options, with_key) },
	{ "--take-over", offsetof(struct options, take_over) },
	{ "--help", offsetof(struct options, help) },
	{ "-h", offsetof(struct options, help) },
	{ "--version", offsetof(struct options, version) },
};

static bool take_switch(const char *word, struct options *options)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		if (!strcmp(word, switches[i].word)) {
			*(bool *)((char *)options + switches[i].offset) = true;
			return true;
		}
	return false;
}

static const struct {
	const char *word, *needs;
	size_t offset;
} values[] = {
	{ "--config", "a file", offsetof(struct options, config) },
	{ "-c", "a file", offsetof(struct options, config) },
	{ "--path", "a folder", offsetof(struct options, path) },
	{ "--reason", "a word", offsetof(struct options, reason) },
};

/* Takes `--word value` or `--word=value` at argv[*i]. 1: taken, 0: it is no such word,
 * -1.
 */
static int take_value(int argc, char **argv, int *i, struct options *options,
		      struct err *err)
{
	const char *word = argv[*i];

	for (size_t k = 0; k < sizeof(values) / sizeof(*values); k++) {
		const char **slot = (const char **)((char *)options + values[k].offset);
		size_t n = strlen(values[k].word);

		if (strncmp(word, values[k].word, n) != 0)
			continue;
		if (word[n] == '=' && n > 2) {
			*slot = word + n + 1;
			return 1;
		}
		if (word[n])
			continue;
		if (++*i == argc)
			return err_set(err, ERR_CONFIG, "%s needs %s", values[k].word,
				       values[k].needs);
		*slot = argv[*i];
		return 1;
	}
	return 0;
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct options options = { 0 };
	bool only_words = false;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];
		int taken = only_words ? 0 : take_value(argc, argv, &i, &options, err);

		if (taken < 0)
			return -1;
		if (taken)
			continue;
		if (!only_words && !strcmp(word, "--")) {
			only_words = true;
		} else if (!only_words && word[0] == '-' && word[1]) {
			if (!take_switch(word, &options))
				return err_set(
					err, ERR_CONFIG,
					"unknown option '%s': see certrenewd --help",
					word);
		} else {
			argv[++n] = word;
		}
	}
	if (n) {
		options.command = argv[1];
		options.args = (const char *const *)&argv[2];
		options.n_args = n - 1;
	}
	*ret = options;
	return 0;
}
