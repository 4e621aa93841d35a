/* section_store.c - a target's store: section. */
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/target.h"
#include "config/sections.h"
#include "config/system.h"

#define AT(member) .offset = offsetof(struct store, member)

static const struct field files_fields[] = {
	{ .key = "key",
	  .type = FIELD_ABSOLUTE,
	  AT(key),
	  .fallback = FIELD_OPTIONAL,
	  .help = "path of the private key; required, except with the certificate's "
		  "'csr'" },
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
	if (!node_member(map, "key") && !node_member(r->certificate, "csr"))
		problem_at(r->problems, map->key_place,
			   "'%skey' is missing in %s (path of the private key)",
			   frame->prefix, frame->up->label);
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
	{ "windows", STORE_WINDOWS },
	{ NULL, 0 },
};

static const struct choice locations[] = {
	{ "LocalMachine", 0 },
	{ NULL, 0 },
};

static const struct field store_fields[] = {
	{ .key = "type",
	  .type = FIELD_CHOICE,
	  AT(type),
	  .choices = store_types,
	  .help = "a folder of ours with all forms, files where the application wants "
		  "them, or the Windows certificate store" },
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
	  .only = "directory files",
	  .help = "account that owns the files; else the one that certrenewd runs as" },
	{ .key = "group",
	  .type = FIELD_ACCOUNT,
	  AT(group),
	  .fallback = FIELD_OPTIONAL,
	  .only = "directory files",
	  .help = "group that may read the key" },
	{ .key = "mode",
	  .type = FIELD_MODE,
	  AT(key_mode),
	  .fallback = FIELD_OPTIONAL,
	  .only = "directory files",
	  .help = "permissions of the key: 0640 with a group, 0600 without" },
	{ .key = "location",
	  .type = FIELD_WORD,
	  AT(location),
	  .fallback = "LocalMachine",
	  .choices = locations,
	  .only = "windows",
	  .help = "where the store is" },
	{ .key = "name",
	  .type = FIELD_TEXT,
	  AT(name),
	  .fallback = "My",
	  .max = 64,
	  .only = "windows",
	  .help = "which store: `My` (Personal) or `WebHosting`" },
	{ .key = "exportable",
	  .type = FIELD_SWITCH,
	  AT(exportable),
	  .fallback = "no",
	  .only = "windows",
	  .help = "may the key leave its container again" },
	{ .key = "friendly_name",
	  .type = FIELD_TEXT,
	  AT(friendly_name),
	  .fallback = FIELD_OPTIONAL,
	  .max = 128,
	  .only = "windows",
	  .help = "what the entry is called; made of the first host and the date when "
		  "not given" },
	{ .key = "access",
	  .type = FIELD_ACCOUNTS,
	  AT(access),
	  .fallback = "[]",
	  .max = 16,
	  .only = "windows",
	  .help = "accounts that get read access to the key; the one that the service "
		  "runs as when empty" },
	{ .key = "experimental",
	  .type = FIELD_SWITCH,
	  AT(experimental),
	  .fallback = "no",
	  .only = "windows",
	  .help = "EC keys too, which has not been proven on every Windows" },
};

static void check_windows(struct reading *r, const struct frame *frame,
			  const struct node *map, const struct store *store)
{
	const struct node *name = node_member(map, "name");

	if (store->name && strpbrk(store->name, "\\/"))
		field_problem(r, frame, "name", name->place,
			      "is '%s': expected a store's name alone, such as My",
			      store->name);
	else if (store->name && str_equal_nocase(store->name, "Personal"))
		field_problem(r, frame, "name", name->place,
			      "is '%s', as Windows shows it: the store is called My",
			      store->name);
}

/* Our link may stand in them, but not in their place. */
static bool is_the_systems(const char *path)
{
	static const char *const folders[] = {
		"/",      "/bin",   "/boot", "/dev", "/etc",  "/home", "/lib",
		"/lib64", "/media", "/mnt",  "/opt", "/proc", "/root", "/run",
		"/sbin",  "/srv",   "/sys",  "/tmp", "/usr",  "/var",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (!strcmp(folders[i], path))
			return true;
	return false;
}

static void complete_store(struct reading *r, const struct frame *frame, struct node *map,
			   void *base)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };
	struct store *store = base;
	bool group = node_member(map, "group") != NULL;
	const char *lacking = system_lacks_store(store->type);

	if (lacking)
		field_problem(r, frame, "type", node_member(map, "type")->place,
			      "is '%s', which %s", node_member(map, "type")->text,
			      lacking);
	if (store->type == STORE_WINDOWS)
		check_windows(r, frame, map, store);
	if (store->type == STORE_DIRECTORY && store->path && is_the_systems(store->path))
		field_problem(r, frame, "path", node_member(map, "path")->place,
			      "is '%s', a folder of the system's own: expected a path of "
			      "ours, such as /etc/certrenewd/live/NAME",
			      store->path);
	if (node_member(map, "mode") || store->type == STORE_WINDOWS)
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
