#include "daemon/options.h"

#include <string.h>

static const struct {
	const char *word;
	size_t offset;
} switches[] = {
	{ "--json", offsetof(struct options, json) },
	{ "--force", offsetof(struct options, force) },
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

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct options options = { .config = DEFAULT_CONFIG };
	bool only_words = false;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];

		if (!only_words && !strcmp(word, "--")) {
			only_words = true;
		} else if (!only_words &&
			   (!strcmp(word, "--config") || !strcmp(word, "-c"))) {
			if (++i == argc)
				return err_set(err, ERR_CONFIG, "--config needs a file");
			options.config = argv[i];
		} else if (!only_words && str_starts(word, "--config=")) {
			options.config = word + strlen("--config=");
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
