/* section_store.c - a target's store: and service: sections. */
#include "base/arena.h"
#include "base/target.h"
#include "config/sections.h"
#include "config/system.h"

#define AT(member) .offset = offsetof(struct store, member)

static const struct field files_fields[] = {
	{ .key = "key",
	  .type = FIELD_ABSOLUTE,
	  AT(key),
	  .help = "path of the private key" },
	{ .key = "fullchain",
	  .type = FIELD_ABSOLUTE,
	  AT(fullchain),
	  .fallback = FIELD_OPTIONAL,
	  .help = "path of the certificate with its intermediates behind it" },
	{ .key = "chain",
	  .type = FIELD_ABSOLUTE,
	  AT(chain),
	  .fallback = FIELD_OPTIONAL,
	  .help = "path of the intermediates alone" },
	{ .key = "cert",
	  .type = FIELD_ABSOLUTE,
	  AT(cert),
	  .fallback = FIELD_OPTIONAL,
	  .help = "path of the certificate alone" },
};

static void check_files(struct reading *r, const struct frame *frame, struct node *map,
			void *base)
{
	(void)base;
	if (!node_member(map, "fullchain") && !node_member(map, "cert"))
		problem_at(r->problems, map->key_place,
			   "%s has neither 'fullchain' nor 'cert': name where the "
			   "certificate goes",
			   frame->label);
}

static const struct section files_section = {
	.what = "files",
	.fields = files_fields,
	.n_fields = N_FIELDS(files_fields),
	.after = check_files,
};

static const struct choice store_types[] = {
	{ "directory", STORE_DIRECTORY },
	{ "files", STORE_FILES },
	{ NULL, 0 },
};

static const struct field store_fields[] = {
	{ .key = "type",
	  .type = FIELD_CHOICE,
	  AT(type),
	  .choices = store_types,
	  .help = "a folder of ours with all forms, or files where the application wants "
		  "them" },
	{ .key = "path",
	  .type = FIELD_ABSOLUTE,
	  AT(path),
	  .only = "directory",
	  .help = "our link to the current version, which holds key.pem, cert.pem, "
		  "chain.pem and fullchain.pem" },
	{ .key = "files",
	  .type = FIELD_SECTION,
	  .only = "files",
	  .section = &files_section,
	  .help = "the files, each replaced singly" },
	{ .key = "owner",
	  .type = FIELD_ACCOUNT,
	  AT(owner),
	  .fallback = FIELD_OPTIONAL,
	  .help = "account that owns the files; else the one that certrenewd runs as" },
	{ .key = "group",
	  .type = FIELD_ACCOUNT,
	  AT(group),
	  .fallback = FIELD_OPTIONAL,
	  .help = "group that may read the key" },
	{ .key = "mode",
	  .type = FIELD_MODE,
	  AT(key_mode),
	  .fallback = FIELD_OPTIONAL,
	  .help = "permissions of the key: 0640 with a group, 0600 without" },
};

static void complete_store(struct reading *r, const struct frame *frame, struct node *map,
			   void *base)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };
	struct store *store = base;
	bool group = node_member(map, "group") != NULL;

	(void)frame;
	if (node_member(map, "mode"))
		return;
	store->key_mode = group ? 0640 : 0600;
	node_append(map, node_from_scalar(r->values.arena, source, "mode",
					  group ? "0640" : "0600"));
}

const struct section store_section = {
	.what = "store",
	.fields = store_fields,
	.n_fields = N_FIELDS(store_fields),
	.none_ok = true,
	.after = complete_store,
};
