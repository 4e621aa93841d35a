#include "hooks/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"

#define JOURNAL_MAX_BYTES (4 * 1024 * 1024)

void deploy_say(const struct deployment *deployment, const char *target, const char *step,
		const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!deployment->note)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	deployment->note(deployment->note_ctx,
			 &(struct deploy_note){ target, step, text });
}

/* A damaged journal must not stop the certificate: it goes out of the way, a person hears
 * of it, and files and endpoints say what is true. */
static int set_aside(struct journal *journal, struct strlist *damaged, struct err *err)
{
	char *to = str_printf("%s.damaged-%s", journal->path, journal->deployment->run);
	char *said = str_printf("'%s' is %s; it was set aside as '%s'", journal->path,
				err->text, path_base(to));
	int rc = -1;

	if (file_rename(journal->path, to, err))
		goto out;
	if (damaged)
		strlist_add(damaged, said);
	deploy_say(journal->deployment, journal->target, "journal", "%s", said);
	rc = 0;
out:
	free(said);
	free(to);
	return rc;
}

static int load(struct journal *journal, struct strlist *damaged, struct err *err)
{
	cJSON *json = NULL;
	int rc = -1;

	if (!json_read_file(journal->path, JOURNAL_MAX_BYTES, &json, err)) {
		rc = journal_from_json(json, journal);
		if (rc)
			err_set(err, ERR_CONFIG, "damaged: members are missing or wrong");
	}
	cJSON_Delete(json);
	journal->exists = !rc;
	if (!rc || err->kind == ERR_NOT_FOUND)
		return 0;
	journal_reset(journal);
	if (err->kind == ERR_CONFIG)
		return set_aside(journal, damaged, err);
	return err_wrap(err, "read the journal");
}

int journal_open(struct journal *journal, const struct deployment *deployment,
		 const char *target, const char *file, struct strlist *damaged,
		 struct err *err)
{
	*journal = (struct journal){ 0 };
	journal->deployment = deployment;
	journal->target = target;
	journal->folder = target ? str_printf("%s/targets/%s", deployment->folder, target)
				 : str_dup(deployment->folder);
	journal->path = path_join(journal->folder, file);
	return load(journal, damaged, err);
}

void journal_forget_files(struct journal *journal)
{
	for (size_t i = 0; i < journal->n_files; i++)
		saved_release(&journal->files[i]);
	free(journal->files);
	journal->files = NULL;
	journal->n_files = 0;
}

static void forget(struct journal *journal)
{
	journal_forget_files(journal);
	for (size_t i = 0; i < journal->n_baseline; i++)
		free(journal->baseline[i].connect);
	free(journal->baseline);
	free(journal->replaced);
	strlist_clear(&journal->created);
}

void journal_reset(struct journal *journal)
{
	struct journal fresh = {
		.path = journal->path,
		.folder = journal->folder,
		.target = journal->target,
		.deployment = journal->deployment,
		.exists = journal->exists,
	};

	forget(journal);
	*journal = fresh;
}

void journal_release(struct journal *journal)
{
	forget(journal);
	free(journal->path);
	free(journal->folder);
	*journal = (struct journal){ 0 };
}

int journal_move(struct journal *journal, const struct journal_change *change,
		 struct err *err)
{
	enum journal_step told = change->intent != STEP_NONE ? change->intent
							     : change->state;
	cJSON *json;
	int rc;

	snprintf(journal->run, sizeof(journal->run), "%s", journal->deployment->run);
	journal->state = change->state;
	journal->intent = change->intent;
	journal->back = change->back;
	journal->end = change->end;
	json = journal_to_json(journal);
	rc = dir_make(journal->folder, FILE_SECRET, err) ||
	     json_write_file(journal->path, json, err);
	cJSON_Delete(json);
	if (rc)
		return err_wrap(err, "write the journal");
	journal->exists = true;
	deploy_say(journal->deployment, journal->target,
		   change->back ? "undo" : journal_step_name(told), "%s", change->text);
	return 0;
}

int journal_remove(struct journal *journal, struct err *err)
{
	if (file_remove(journal->path, err))
		return -1;
	journal_reset(journal);
	journal->exists = false;
	return 0;
}

bool journal_unfinished(const struct journal *journal)
{
	return journal->exists && journal->end == DEPLOY_PENDING &&
	       journal->intent != STEP_NONE;
}

bool journal_is_about(const struct journal *journal, const struct material *material)
{
	return journal->exists && str_equal(journal->new_sha1, cert_sha1(material->cert));
}

struct saved *journal_file(const struct journal *journal, const char *path)
{
	for (size_t i = 0; i < journal->n_files; i++)
		if (str_equal(journal->files[i].path, path))
			return &journal->files[i];
	return NULL;
}

void journal_add_file(struct journal *journal, struct saved *saved)
{
	size_t n = journal->n_files + 1;

	journal->files = mem_realloc(journal->files, n * sizeof(*journal->files));
	journal->files[journal->n_files++] = *saved;
	*saved = (struct saved){ 0 };
}

void journal_add_baseline(struct journal *journal, const char *connect,
			  const struct probe_result *seen)
{
	size_t n = journal->n_baseline + 1;

	journal->baseline = mem_realloc(journal->baseline,
					n * sizeof(*journal->baseline));
	journal->baseline[journal->n_baseline].connect = str_dup(connect);
	journal->baseline[journal->n_baseline++].seen = *seen;
}

const struct probe_result *journal_seen(const struct journal *journal,
					const char *connect)
{
	static const struct probe_result nothing = { .kind = PROBE_NOTHING };

	for (size_t i = 0; i < journal->n_baseline; i++)
		if (str_equal(journal->baseline[i].connect, connect))
			return &journal->baseline[i].seen;
	return &nothing;
}

void journal_add_replaced(struct journal *journal,
			  const struct journal_replaced *replaced)
{
	size_t n = journal->n_replaced + 1;

	journal->replaced = mem_realloc(journal->replaced,
					n * sizeof(*journal->replaced));
	journal->replaced[journal->n_replaced++] = *replaced;
}

void journal_drop_replaced(struct journal *journal, const char *sha1)
{
	size_t kept = 0;

	for (size_t i = 0; i < journal->n_replaced; i++)
		if (!str_equal(journal->replaced[i].sha1, sha1))
			journal->replaced[kept++] = journal->replaced[i];
	journal->n_replaced = kept;
}

struct copies { /* below the journal's folder */
	const struct journal *journal;
	const char *below;
};

static bool is_unnamed(const void *ctx, const char *name)
{
	const struct copies *copies = ctx;
	const struct journal *journal = copies->journal;
	char *prefix = str_printf("%s/%s/", copies->below, name);
	bool named = false;

	for (size_t i = 0; i < journal->n_files && !named; i++)
		named = journal->files[i].copy &&
			str_starts(journal->files[i].copy, prefix);
	free(prefix);
	return !named;
}

int journal_sweep(const struct journal *journal, const char *saved, struct err *err)
{
	const struct copies copies = { journal, saved };
	const struct dir_leftovers unnamed = { is_unnamed, &copies, .folders = true };
	char *root = path_join(journal->folder, saved);
	int rc = dir_sweep(root, &unnamed, err);

	free(root);
	return rc;
}
