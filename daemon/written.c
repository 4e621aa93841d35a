#include "daemon/written.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/str.h"
#include "config/system.h"

/* Takes `path`. */
static void add(struct written_list *list, char *path, bool folder, const char *whom)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i].path, path)) {
			list->items[i].folder |= folder;
			free(path);
			return;
		}
	list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
	list->items[list->n++] = (struct written){ path, folder, str_dup(whom) };
}

static void add_file(struct written_list *list, const char *path, const char *whom)
{
	if (path)
		add(list, str_dup(path), false, whom);
}

static void add_changes(struct written_list *list, const struct program *program,
			const char *whom)
{
	for (size_t i = 0; program->changes && program->changes[i]; i++)
		add_file(list, program->changes[i], whom);
}

static void add_store(struct written_list *list, const struct store *store,
		      const char *whom)
{
	if (store->type == STORE_DIRECTORY) /* a link, and the versions beside it */
		add(list, path_parent(store->path), true, whom);
	if (store->type != STORE_FILES)
		return;
	add_file(list, store->key, whom);
	add_file(list, store->fullchain, whom);
	add_file(list, store->chain, whom);
	add_file(list, store->cert, whom);
}

/* The folder above the first component with a wildcard. */
static char *above_wildcard(const char *pattern)
{
	char *plain = str_ndup(pattern, strcspn(pattern, "*?"));
	char *cut, *folder;

	if (strlen(plain) == strlen(pattern))
		return plain;
	cut = str_printf("%sx", plain); /* "config/" stays what it is */
	folder = path_parent(cut);
	free(cut);
	free(plain);
	return folder;
}

/* A fallback puts settings below config/ back that the product has reset. */
static void add_application(struct written_list *list, const struct target *target,
			    const char *whom)
{
	add_file(list, target->tls_json, whom);
	add_file(list, target->listener_json, whom);
	if (target->tls_json && target->install_dir)
		add(list, path_join(target->install_dir, "config"), true, whom);
	for (size_t i = 0; target->settings && target->settings[i]; i++)
		add(list, above_wildcard(target->settings[i]), true, whom);
}

static void add_target(struct written_list *list, const struct target *target,
		       const char *whom)
{
	add_store(list, &target->store, whom);
	add_application(list, target, whom);
	for (size_t i = 0; i < target->n_programs; i++)
		add_changes(list, &target->programs[i], whom);
	add_changes(list, &target->service.command, whom);
	add_changes(list, &target->before_fallback, whom);
	add_changes(list, &target->after_fallback, whom);
}

/* A target that nobody deploys into is only looked at. */
static bool only_watched(const struct config *config,
			 const struct certificate_config *certificate)
{
	const char *first = certificate->issuers ? certificate->issuers[0] : NULL;
	const struct issuer_config *issuer = first ? config_issuer(config, first) : NULL;

	return issuer && issuer->type == ISSUER_NONE;
}

static void add_certificate(struct written_list *list,
			    const struct certificate_config *certificate)
{
	char *whom;

	for (size_t i = 0; i < certificate->n_challenges; i++)
		if (certificate->challenges[i].webroot)
			add(list, str_dup(certificate->challenges[i].webroot), true,
			    certificate->name);
	for (size_t i = 0; i < certificate->n_targets; i++) {
		whom = str_printf("%s: %s", certificate->name,
				  certificate->targets[i].name);
		add_target(list, &certificate->targets[i], whom);
		free(whom);
	}
}

/* Every service of ours may write the usual one. */
static void add_state_dir(struct written_list *list, const struct config *config)
{
	char *usual = system_default_state_dir();

	if (config->state_dir && strcmp(config->state_dir, usual) != 0)
		add(list, str_dup(config->state_dir), true, "state_dir");
	free(usual);
}

void written_by(const struct config *config, struct written_list *ret)
{
	add_state_dir(ret, config);
	add_file(ret, config->log_file, "log_file");
	for (size_t i = 0; i < config->n_certificates; i++)
		if (!only_watched(config, &config->certificates[i]))
			add_certificate(ret, &config->certificates[i]);
}

void written_clear(struct written_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].path);
		free(list->items[i].whom);
	}
	free(list->items);
	*list = (struct written_list){ 0 };
}
