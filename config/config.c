#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/files.h"
#include "config/checks.h"
#include "config/fields.h"
#include "config/loaded.h"
#include "config/sections.h"
#include "config/system.h"
#include "config/trust.h"

#define FILE_MAX_BYTES (256 * 1024)

static const struct place whole_file = { 0, 0 };

static void complain_unreadable(struct problems *problems, const char *path,
				const struct err *err)
{
	struct file_facts facts = { .type = FILE_ABSENT };
	struct err ignored;

	if (err->kind == ERR_NOT_FOUND)
		problem_at(
			problems, whole_file,
			"there is no such file: write it, or name another with --config");
	else if (!file_inspect(path, &facts, &ignored) && facts.type == FILE_DIRECTORY)
		problem_at(problems, whole_file,
			   "is a folder: name the file in it, such as "
			   "'%.512s/certrenewd.yaml'",
			   problems->file);
	else
		problem_at(problems, whole_file, "%s", err->text);
}

struct manner {
	bool check_trust, watching;
	const char *copy; /* its text stands for the file's; NULL: none */
};

/* Wiped with the secrets: somebody may have written one in by mistake. */
static void keep_text(struct loaded *loaded, const struct buf *text)
{
	loaded->config.text = (struct secret){
		.bytes = secret_list_add(&loaded->secrets, buf_str(text), text->len),
		.len = text->len,
	};
}

/* Gives the tree of the file in the arena; complains by itself. */
static int read_tree(const char *path, struct loaded *loaded, struct manner manner,
		     struct problems *problems)
{
	struct buf text;
	struct err err;
	int rc = -1;

	buf_init_secret(&text, FILE_MAX_BYTES); /* somebody may write one in by mistake */
	if (file_read(path, &text, &err)) {
		complain_unreadable(problems, path, &err);
		goto out;
	}
	if (yaml_tree_parse(buf_str(&text), text.len, loaded->arena, problems,
			    &loaded->root))
		goto out;
	if (manner.watching)
		keep_text(loaded, &text);
	rc = 0;
out:
	buf_release(&text);
	return rc;
}

static void read_sections(struct loaded *loaded, struct reading *reading)
{
	struct frame file = { .key = "" };

	if (loaded->root->type == NODE_MAP) {
		section_read(reading, &file, &top_section, loaded->root, &loaded->config);
		checks_run(&loaded->config, loaded->root, loaded->arena,
			   reading->problems);
	} else if (loaded->root->type != NODE_REFUSED) {
		problem_at(reading->problems, loaded->root->place,
			   node_is_null(loaded->root)
				   ? "the file is empty: it needs at least 'issuers' and "
				     "'certificates'"
				   : "the file is no map: expected 'issuers:' and "
				     "'certificates:'");
	}
}

/* Fills `loaded`; every complaint lands in `problems`. */
static void load(struct loaded *loaded, const char *path, struct manner manner,
		 struct problems *problems)
{
	char *absolute = system_absolute_path(path), *folder = path_parent(absolute);
	const char *file = manner.copy ? manner.copy : absolute;
	struct reading reading = {
		.values = { loaded->arena, arena_strdup(loaded->arena, folder) },
		.problems = problems,
		.secrets = &loaded->secrets,
		.check_trust = manner.check_trust,
		.watching = manner.watching,
		.config = &loaded->config,
	};

	loaded->config.path = arena_strdup(loaded->arena, absolute);
	if (!read_tree(file, loaded, manner, problems)) {
		trust_require(&reading, whole_file, file);
		read_sections(loaded, &reading);
	}
	free(folder);
	free(absolute);
}

static int load_file(const char *path, struct manner manner,
		     const struct config **ret_config, struct config_report *report)
{
	struct loaded *loaded = mem_calloc(1, sizeof(*loaded));
	struct problems problems = { .file = path };
	int rc = -1;

	loaded->arena = arena_new();
	load(loaded, path, manner, &problems);
	problems_report(&problems, report);
	if (problems.n_errors)
		goto out;
	*ret_config = &loaded->config;
	loaded = NULL;
	rc = 0;
out:
	problems_release(&problems);
	config_free(loaded ? &loaded->config : NULL);
	return rc;
}

int config_load(const char *path, bool check_trust, const struct config **ret_config,
		struct config_report *report)
{
	return load_file(path, (struct manner){ .check_trust = check_trust }, ret_config,
			 report);
}

int config_load_to_watch(const char *path, const char *copy,
			 const struct config **ret_config, struct config_report *report)
{
	const struct manner manner = { .check_trust = true,
				       .watching = true,
				       .copy = copy };

	return load_file(path, manner, ret_config, report);
}

void config_free(const struct config *config)
{
	struct loaded *loaded = (struct loaded *)config;

	if (!loaded)
		return;
	secret_list_release(&loaded->secrets);
	arena_free(loaded->arena);
	free(loaded);
}

const struct issuer_config *config_issuer(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_issuers; i++) {
		if (!strcmp(config->issuers[i].name, name))
			return &config->issuers[i];
	}
	return NULL;
}

const struct certificate_config *config_certificate(const struct config *config,
						    const char *name)
{
	for (size_t i = 0; i < config->n_certificates; i++) {
		if (!strcmp(config->certificates[i].name, name))
			return &config->certificates[i];
	}
	return NULL;
}

void config_report_clear(struct config_report *report)
{
	strlist_clear(&report->errors);
	strlist_clear(&report->warnings);
}
