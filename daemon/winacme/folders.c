/* folders.c - where win-acme keeps things: settings.json beside the program, a
 * configuration folder, one folder below it for each CA. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "daemon/winacme/winacme.h"

#define RENEWAL_SUFFIX ".renewal.json"

static const char *const clients[] = { "win-acme", "simple-acme" };

/* Folder names are base URIs without scheme and without what no file name may have. */
static const struct {
	const char *folder, *issuer, *directory;
} authorities[] = {
	{ "acme-v02.api.letsencrypt.org", "letsencrypt",
	  "https://acme-v02.api.letsencrypt.org/directory" },
	{ "acme-staging-v02.api.letsencrypt.org", "letsencrypt-staging",
	  "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "acme.zerossl.comv2DV90", "zerossl", "https://acme.zerossl.com/v2/DV90" },
	{ "dv.acme-v02.api.pki.goog", "google",
	  "https://dv.acme-v02.api.pki.goog/directory" },
	{ "api.buypass.com", "buypass", "https://api.buypass.com/acme/directory" },
};

/* ---- settings.json ------------------------------------------------------- */

static const cJSON *section(const cJSON *settings, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(settings, name);
}

static void set_key_types(const cJSON *settings, struct winacme *found)
{
	const cJSON *csr = section(settings, "Csr"), *old = section(settings, "Security");
	int64_t bits = json_int(section(csr, "Rsa"), "KeyBits",
				json_int(old, "RSAKeyBits", 3072));
	const char *curve = json_string(section(csr, "Ec"), "CurveName");

	if (!curve)
		curve = json_string(old, "ECCurve");
	if (bits != 2048 && bits != 3072 && bits != 4096) {
		strlist_add(&found->losses, "its RSA key length is none of 2048, 3072 "
					    "and 4096: 3072 is used");
		bits = 3072;
	}
	str_copy(found->rsa_type, sizeof(found->rsa_type),
		 bits == 2048   ? "rsa-2048"
		 : bits == 4096 ? "rsa-4096"
				: "rsa-3072");
	str_copy(found->ec_type, sizeof(found->ec_type),
		 curve && strstr(curve, "256") ? "ec-p256" : "ec-p384");
}

static void note_losses(const cJSON *settings, struct winacme *found)
{
	const cJSON *notification = section(settings, "Notification");
	const cJSON *script = section(settings, "Execution");
	const char *server = json_string(notification, "SmtpServer");
	char *text;

	if (server && *server) {
		text = str_printf("mail by '%s' is not taken over: add a channel under "
				  "'alerts'",
				  server);
		strlist_add(&found->losses, text);
		free(text);
	}
	if (json_string(script, "DefaultPreExecutionScript") ||
	    json_string(script, "DefaultPostExecutionScript"))
		strlist_add(&found->losses,
			    "the scripts that run before and after every renewal are not "
			    "taken over: name them under 'run' of a target");
	if (json_string(section(settings, "Proxy"), "Username"))
		strlist_add(&found->losses,
			    "the proxy's user name and password are not taken over");
}

static void set_proxy(const cJSON *settings, struct winacme *found)
{
	const char *url = json_string(section(settings, "Proxy"), "Url");

	if (!url || str_equal_nocase(url, "[System]") ||
	    str_equal_nocase(url, "[WinHttp]"))
		return;
	found->proxy = str_dup(*url ? url : "none");
}

static void take_settings(const cJSON *settings, struct winacme *found)
{
	const char *store = json_string(
		section(section(settings, "Store"), "CertificateStore"), "DefaultStore");

	const char *uri = json_string(section(settings, "Acme"), "DefaultBaseUri");

	if (uri && str_starts(uri, "https://"))
		found->base_uri = str_dup(uri);
	set_key_types(settings, found);
	set_proxy(settings, found);
	note_losses(settings, found);
	if (store && *store)
		found->default_store = str_dup(store);
}

static bool is_folder(const char *path)
{
	struct file_facts facts;
	struct err ignored;

	return !file_inspect(path, &facts, &ignored) && facts.type == FILE_DIRECTORY;
}

/* Where the settings say that the endpoints are. Gives. */
static char *root_of_settings(const cJSON *settings, const struct winacme *found)
{
	const char *path = json_string(section(settings, "Client"), "ConfigurationPath");
	char *shared, *below;

	if (!path || !*path) {
		shared = winacme_shared_folder();
		below = path_join(shared ? shared : "", found->client);
		free(shared);
		return below;
	}
	below = path_join(path, found->client); /* the quirk of win-acme */
	if (is_folder(below))
		return below;
	free(below);
	return str_dup(path);
}

/* Reads `<folder>/settings.json` where there is one: true, and root and client are set.
 */
static bool read_settings(const char *folder, struct winacme *found)
{
	char *path = path_join(folder, "settings.json");
	cJSON *settings = NULL;
	const char *client;
	struct err err;
	bool read = !winacme_json(path, &settings, &err);

	if (!read && err.kind != ERR_NOT_FOUND)
		strlist_add(&found->losses, err.text);
	if (read) {
		client = json_string(section(settings, "Client"), "ClientName");
		found->client = str_dup(client && *client ? client : clients[0]);
		found->root = root_of_settings(settings, found);
		found->settings = path;
		take_settings(settings, found);
	} else {
		free(path);
	}
	cJSON_Delete(settings);
	return read;
}

/* ---- endpoints ----------------------------------------------------------- */

static size_t count_renewals(const char *folder)
{
	struct strlist files = { 0 };
	struct err ignored;
	size_t n = 0;

	if (!dir_find(folder, RENEWAL_SUFFIX, &files, &ignored))
		n = files.n;
	strlist_clear(&files);
	return n;
}

/* A name for the configuration, made of the folder's. Gives. */
static char *issuer_name(const char *folder)
{
	char *name = str_dup(folder);

	for (char *c = name; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
	if (strlen(name) > 63)
		name[63] = '\0';
	return name;
}

/* Is this what win-acme makes of the URI: scheme and user gone, and every character that
 * no file name may have? */
static bool is_folder_of(const char *uri, const char *folder)
{
	const char *rest = uri + strlen("https://"), *at = strchr(rest, '@');
	char *clean = str_dup(at ? at + 1 : rest), *out = clean;
	bool same;

	for (const char *c = clean; *c; c++)
		if (!strchr("\"<>|:*?\\/", *c))
			*out++ = *c;
	*out = '\0';
	same = str_equal_nocase(clean, folder);
	free(clean);
	return same;
}

/* win-acme asks "<base>/directory" where the base has no path of its own. Gives. */
static char *directory_of(const char *uri)
{
	const char *path = strchr(uri + strlen("https://"), '/');

	if (path && path[1])
		return str_dup(uri);
	return str_printf("%s%sdirectory", uri, path ? "" : "/");
}

static void name_authority(const struct winacme *found, struct winacme_endpoint *endpoint,
			   const char *folder)
{
	for (size_t i = 0; i < sizeof(authorities) / sizeof(*authorities); i++) {
		if (!str_equal_nocase(folder, authorities[i].folder))
			continue;
		endpoint->issuer = str_dup(authorities[i].issuer);
		endpoint->directory = str_dup(authorities[i].directory);
		return;
	}
	endpoint->issuer = issuer_name(folder);
	if (found->base_uri && is_folder_of(found->base_uri, folder)) {
		endpoint->directory = directory_of(found->base_uri);
		return;
	}
	endpoint->directory = str_printf("https://%s/directory", folder);
	endpoint->guessed = true;
}

static void read_renewals(struct winacme *found, struct winacme_endpoint *endpoint)
{
	struct strlist files = { 0 };
	struct err err;

	if (dir_find(endpoint->folder, RENEWAL_SUFFIX, &files, &err))
		strlist_add(&found->losses, err.text);
	endpoint->renewals = mem_calloc(files.n + 1, sizeof(*endpoint->renewals));
	for (size_t i = 0; i < files.n; i++) {
		if (winacme_renewal_read(found, files.items[i],
					 &endpoint->renewals[endpoint->n_renewals], &err))
			strlist_add(&found->losses, err.text);
		else
			endpoint->n_renewals++;
	}
	strlist_clear(&files);
}

static void add_endpoint(struct winacme *found, const char *folder)
{
	char *signer = path_join(folder, "Signer_v2");
	struct winacme_endpoint *endpoint;
	struct file_facts facts;
	struct err ignored;

	found->endpoints = mem_realloc(found->endpoints,
				       (found->n_endpoints + 1) * sizeof(*endpoint));
	endpoint = &found->endpoints[found->n_endpoints++];
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->folder = str_dup(folder);
	endpoint->has_account = !file_inspect(signer, &facts, &ignored) &&
				facts.type == FILE_REGULAR;
	endpoint->task = str_printf("%s renew (%s)", found->client, path_base(folder));
	name_authority(found, endpoint, path_base(folder));
	read_renewals(found, endpoint);
	free(signer);
}

/* Each folder below the root that has a renewal; or the root itself, when it is one. */
static void find_endpoints(struct winacme *found)
{
	struct strlist names = { 0 };
	struct err ignored;

	(void)dir_list(found->root, &names, &ignored);
	for (size_t i = 0; i < names.n; i++) {
		char *folder = path_join(found->root, names.items[i]);

		if (str_ends(names.items[i], RENEWAL_SUFFIX)) {
			add_endpoint(found, found->root);
			free(folder);
			break;
		}
		if (is_folder(folder) && count_renewals(folder))
			add_endpoint(found, folder);
		free(folder);
	}
	strlist_clear(&names);
}

/* ---- the whole ----------------------------------------------------------- */

static const char *client_of(const char *root)
{
	for (size_t i = 0; i < sizeof(clients) / sizeof(*clients); i++)
		if (strstr(root, clients[i]))
			return clients[i];
	return clients[0];
}

static void try_root(const char *root, struct winacme *found)
{
	if (!read_settings(root, found)) {
		found->root = str_dup(root);
		found->client = str_dup(client_of(root));
		take_settings(NULL, found);
	}
	find_endpoints(found);
}

static void try_default_roots(struct winacme *found, struct strlist *looked)
{
	char *shared = winacme_shared_folder();

	for (size_t i = 0; shared && i < sizeof(clients) / sizeof(*clients); i++) {
		char *root = path_join(shared, clients[i]);

		winacme_clear(found);
		strlist_add(looked, root);
		try_root(root, found);
		free(root);
		if (found->n_endpoints)
			break;
	}
	free(shared);
}

/* "[Manual] xu.example.com" -> "xu-example-com". Gives. */
static char *plain_name(const struct winacme_renewal *renewal)
{
	const char *text = renewal->friendly_name, *end;
	char *name, *out;

	if (text && text[0] == '[' && (end = strchr(text, ']')) != NULL)
		text = end + 1;
	while (text && *text == ' ')
		text++;
	if ((!text || !*text) && renewal->hosts.n)
		text = renewal->hosts.items[0];
	if (!text || !*text)
		text = renewal->id;
	name = str_ndup(text, strlen(text) > 56 ? 56 : strlen(text));
	out = name;
	for (const char *c = name; *c; c++)
		if (isalnum((unsigned char)*c))
			*out++ = (char)tolower((unsigned char)*c);
		else if (out > name && out[-1] != '-')
			*out++ = '-';
	while (out > name && out[-1] == '-')
		out--;
	*out = '\0';
	if (!*name) {
		free(name);
		name = str_dup("imported");
	}
	return name;
}

/* Every renewal gets a name of its own. */
static void name_renewals(struct winacme *found)
{
	struct strlist taken = { 0 };

	for (size_t i = 0; i < found->n_endpoints; i++)
		for (size_t k = 0; k < found->endpoints[i].n_renewals; k++) {
			struct winacme_renewal *renewal =
				&found->endpoints[i].renewals[k];
			char *plain = plain_name(renewal);

			renewal->name = str_dup(plain);
			for (int n = 2; strlist_has(&taken, renewal->name); n++) {
				free(renewal->name);
				renewal->name = str_printf("%s-%d", plain, n);
			}
			strlist_add(&taken, renewal->name);
			free(plain);
		}
	strlist_clear(&taken);
}

static int say_nothing_there(const char *path, const struct strlist *looked,
			     struct err *err)
{
	if (!path && !looked->n)
		return err_set(err, ERR_CONFIG,
			       "give win-acme's program or configuration folder with "
			       "--path");
	return err_set(err, ERR_NOT_FOUND,
		       "no renewals of win-acme in '%s'%s%s%s: give its program or "
		       "configuration folder with --path",
		       path ? path : looked->items[0], path ? "" : " or '",
		       path ? "" : looked->items[1], path ? "" : "'");
}

int winacme_read(const char *path, struct winacme *ret, struct err *err)
{
	struct strlist looked = { 0 };
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	if (path)
		try_root(path, ret);
	else
		try_default_roots(ret, &looked);
	name_renewals(ret);
	if (!ret->n_endpoints) {
		rc = say_nothing_there(path, &looked, err);
		winacme_clear(ret);
	}
	strlist_clear(&looked);
	return rc;
}

void winacme_clear(struct winacme *found)
{
	for (size_t i = 0; i < found->n_endpoints; i++) {
		struct winacme_endpoint *endpoint = &found->endpoints[i];

		for (size_t k = 0; k < endpoint->n_renewals; k++)
			winacme_renewal_clear(&endpoint->renewals[k]);
		free(endpoint->renewals);
		free(endpoint->folder);
		free(endpoint->issuer);
		free(endpoint->directory);
		free(endpoint->task);
	}
	free(found->endpoints);
	free(found->client);
	free(found->settings);
	free(found->root);
	free(found->proxy);
	free(found->default_store);
	free(found->base_uri);
	strlist_clear(&found->losses);
	memset(found, 0, sizeof(*found));
}
