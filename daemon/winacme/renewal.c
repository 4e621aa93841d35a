/* renewal.c - one *.renewal.json: which names, how validated, where stored, what runs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "daemon/winacme/winacme.h"

#define RENEWAL_MAX_BYTES ((size_t)4 * 1024 * 1024) /* histories grow for years */
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

int winacme_json(const char *path, cJSON **ret, struct err *err)
{
	const size_t mark = strlen(BYTE_ORDER_MARK);
	struct buf text;
	size_t skip;
	int rc = -1;

	buf_init(&text, RENEWAL_MAX_BYTES);
	if (file_read(path, &text, err))
		goto out;
	skip = str_starts(buf_str(&text), BYTE_ORDER_MARK) ? mark : 0;
	if (json_parse(buf_str(&text) + skip, text.len - skip, ret, err)) {
		err_wrap(err, "'%s'", path);
		err->kind = ERR_CONFIG;
		goto out;
	}
	rc = 0;
out:
	buf_release(&text);
	return rc;
}

/* ---- helpers ------------------------------------------------------------- */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Old files have an object where new ones have a list of them. */
static const cJSON *first_of(const cJSON *list)
{
	return cJSON_IsArray(list) ? list->child : list;
}

static const cJSON *next_of(const cJSON *list, const cJSON *item)
{
	return cJSON_IsArray(list) ? item->next : NULL;
}

static void add_strings(const cJSON *list, struct strlist *ret)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		if (cJSON_IsString(item) && !strlist_has(ret, item->valuestring))
			strlist_add(ret, item->valuestring);
	}
}

static void say(struct strlist *list, const char *fmt, const char *what)
{
	char *text = str_printf("%s%s", fmt, what);

	strlist_add(list, text);
	free(text);
}

static char *text_of(const cJSON *object, const char *name)
{
	const char *text = json_string(object, name);

	return text && *text ? str_dup(text) : NULL;
}

static enum winacme_plugin plugin_of(const cJSON *options, const char **ret_name)
{
	return winacme_plugin(json_string(options, "Plugin"), ret_name);
}

/* ---- names --------------------------------------------------------------- */

static void read_target(const cJSON *options, struct winacme_renewal *renewal)
{
	const char *name, *common = json_string(options, "CommonName");

	if (plugin_of(options, &name) != PLUGIN_MANUAL) {
		say(&renewal->refusals, "its names come from ", name);
		return;
	}
	if (common && *common)
		strlist_add(&renewal->hosts, common);
	add_strings(member(options, "AlternativeNames"), &renewal->hosts);
	if (!renewal->hosts.n)
		strlist_add(&renewal->refusals, "it names no host");
	for (size_t i = 0; i < renewal->hosts.n; i++)
		if (str_starts(renewal->hosts.items[i], "*."))
			say(&renewal->refusals,
			    "a wildcard cannot be validated by http-01: ",
			    renewal->hosts.items[i]);
}

static void read_order(const cJSON *options, struct winacme_renewal *renewal)
{
	const char *name;

	if (options && plugin_of(options, &name) != PLUGIN_SINGLE && renewal->hosts.n > 1)
		say(&renewal->losses,
		    "one certificate is made for all of its names, where win-acme made ",
		    name);
}

/* ---- key and validation -------------------------------------------------- */

static void read_csr(const struct winacme *found, const cJSON *options,
		     struct winacme_renewal *renewal)
{
	const char *name;
	bool ec = options && plugin_of(options, &name) == PLUGIN_EC;

	str_copy(renewal->key_type, sizeof(renewal->key_type),
		 ec ? found->ec_type : found->rsa_type);
	renewal->key_reuse = json_bool(options, "ReusePrivateKey", false);
	if (json_bool(options, "OcspMustStaple", false))
		strlist_add(
			&renewal->losses,
			"OCSP must-staple is not asked for: public CAs have ended it");
}

static void read_validation(const cJSON *options, struct winacme_renewal *renewal)
{
	const char *name;

	renewal->port = json_int(options, "Port", 80);
	switch (plugin_of(options, &name)) {
	case PLUGIN_SELF_HOSTING:
		if (json_bool(options, "Https", false))
			strlist_add(&renewal->refusals,
				    "its http-01 responder speaks HTTPS behind a proxy");
		break;
	case PLUGIN_FILE_SYSTEM:
		renewal->webroot = text_of(options, "Path");
		if (!renewal->webroot)
			strlist_add(&renewal->refusals,
				    "its http-01 folder is that of an IIS site");
		break;
	default:
		say(&renewal->refusals, "it is validated by ", name);
	}
}

/* ---- where it goes ------------------------------------------------------- */

static struct winacme_store *add_store(struct winacme_renewal *renewal,
				       enum winacme_store_kind kind)
{
	struct winacme_store *store;

	renewal->stores = mem_realloc(renewal->stores,
				      (renewal->n_stores + 1) * sizeof(*renewal->stores));
	store = &renewal->stores[renewal->n_stores++];
	memset(store, 0, sizeof(*store));
	store->kind = kind;
	return store;
}

static void read_stores(const cJSON *list, struct winacme_renewal *renewal)
{
	struct winacme_store *store;
	const char *name;

	for (const cJSON *options = first_of(list); options;
	     options = next_of(list, options)) {
		switch (plugin_of(options, &name)) {
		case PLUGIN_CERTIFICATE_STORE:
			store = add_store(renewal, WINACME_STORE_WINDOWS);
			store->name = text_of(options, "StoreName");
			store->keep_existing = json_bool(options, "KeepExisting", false);
			add_strings(member(options, "AclRead"), &store->access);
			add_strings(member(options, "AclFullControl"), &store->access);
			break;
		case PLUGIN_PEM_FILES:
			store = add_store(renewal, WINACME_STORE_PEM);
			store->folder = text_of(options, "Path");
			store->file = text_of(options, "FileName");
			break;
		case PLUGIN_NO_STORE:
			break;
		default:
			say(&renewal->losses, "it is not kept any more in ", name);
		}
	}
}

static void read_installation(const cJSON *list, struct winacme_renewal *renewal)
{
	const char *name;

	for (const cJSON *options = first_of(list); options;
	     options = next_of(list, options)) {
		struct winacme_script script = { 0 };

		switch (plugin_of(options, &name)) {
		case PLUGIN_SCRIPT:
			script.script = text_of(options, "Script");
			script.parameters = text_of(options, "ScriptParameters");
			break;
		case PLUGIN_NO_INSTALLATION:
			continue;
		default:
			say(&renewal->losses, "it is not installed any more into ", name);
		}
		if (!script.script)
			continue;
		renewal->scripts = mem_realloc(renewal->scripts,
					       (renewal->n_scripts + 1) *
						       sizeof(*renewal->scripts));
		renewal->scripts[renewal->n_scripts++] = script;
	}
}

/* ---- history ------------------------------------------------------------- */

static const char *thumbprint_of(const cJSON *result)
{
	const cJSON *list = member(result, "Thumbprints");
	const cJSON *orders = member(result, "OrderResults"), *first;
	const char *one = json_string(result, "Thumbprint");

	if (cJSON_IsArray(list) && cJSON_IsString(list->child))
		return list->child->valuestring;
	first = cJSON_IsArray(orders) ? orders->child : NULL;
	return one ? one : json_string(first, "Thumbprint");
}

static void read_history(const cJSON *history, struct winacme_renewal *renewal)
{
	const cJSON *result;

	cJSON_ArrayForEach (result, history) {
		const char *thumbprint = thumbprint_of(result);

		if (!json_bool(result, "Success", false) || !thumbprint)
			continue;
		free(renewal->thumbprint);
		renewal->thumbprint = str_dup(thumbprint);
		for (char *c = renewal->thumbprint; *c; c++)
			*c = (char)toupper((unsigned char)*c);
	}
}

/* ---- the whole ----------------------------------------------------------- */

/* win-acme ignores a file whose name is not its id. */
static bool is_named_by_id(const char *path, const char *id)
{
	char *expected = str_printf("%s.renewal.json", id);
	bool same = str_equal_nocase(path_base(path), expected);

	free(expected);
	return same;
}

int winacme_renewal_read(const struct winacme *found, const char *path,
			 struct winacme_renewal *ret, struct err *err)
{
	struct winacme_renewal renewal = { 0 };
	cJSON *json = NULL;
	const char *id;

	if (winacme_json(path, &json, err))
		return -1;
	id = json_string(json, "Id");
	if (!id || !is_named_by_id(path, id)) {
		cJSON_Delete(json);
		return err_set(err, ERR_CONFIG,
			       "'%s' does not hold the id that its name says: win-acme "
			       "ignores it, and so does the import",
			       path);
	}
	renewal.path = str_dup(path);
	renewal.id = str_dup(id);
	renewal.friendly_name = text_of(json, "FriendlyName");
	if (!renewal.friendly_name)
		renewal.friendly_name = text_of(json, "LastFriendlyName");
	renewal.account = text_of(json, "Account");
	read_target(member(json, "TargetPluginOptions"), &renewal);
	read_order(member(json, "OrderPluginOptions"), &renewal);
	read_csr(found, member(json, "CsrPluginOptions"), &renewal);
	read_validation(member(json, "ValidationPluginOptions"), &renewal);
	read_stores(member(json, "StorePluginOptions"), &renewal);
	read_installation(member(json, "InstallationPluginOptions"), &renewal);
	read_history(member(json, "History"), &renewal);
	cJSON_Delete(json);
	*ret = renewal;
	return 0;
}

void winacme_renewal_clear(struct winacme_renewal *renewal)
{
	for (size_t i = 0; i < renewal->n_stores; i++) {
		free(renewal->stores[i].name);
		free(renewal->stores[i].folder);
		free(renewal->stores[i].file);
		strlist_clear(&renewal->stores[i].access);
	}
	for (size_t i = 0; i < renewal->n_scripts; i++) {
		free(renewal->scripts[i].script);
		free(renewal->scripts[i].parameters);
	}
	free(renewal->stores);
	free(renewal->scripts);
	free(renewal->path);
	free(renewal->name);
	free(renewal->id);
	free(renewal->friendly_name);
	free(renewal->account);
	free(renewal->webroot);
	free(renewal->thumbprint);
	strlist_clear(&renewal->hosts);
	strlist_clear(&renewal->refusals);
	strlist_clear(&renewal->losses);
	memset(renewal, 0, sizeof(*renewal));
}
