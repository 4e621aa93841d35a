/* yaml.c - our configuration, made of their renewals. Text is quoted as JSON does it,
 * which YAML reads the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "daemon/winacme/winacme.h"

#define SCRIPT_MAX_BYTES ((size_t)256 * 1024)
#define TLS_JSON "\\config\\servers\\tls.json"
#define KEEP_EXISTING 100 /* versions: all that anybody has */

/* The vendor's scripts, each for one product. */
static const struct product {
	const char *script, *preset, *install_dir;
} products[] = {
	{ "xu-le.ps1", "xtract-universal", "C:\\Program Files\\XtractUniversal" },
	{ "bc-le.ps1", "board-connector", "C:\\Program Files\\BOARDConnector" },
	{ "yunio-le.ps1", "yunio", "C:\\Program Files\\Theobald Software\\yunIO" },
};

struct writing {
	const struct winacme *found;
	const struct winacme_renewal *renewal;
	struct buf *out;
	struct strlist *notes;
};

static void quoted(struct buf *out, const char *text)
{
	cJSON *json = cJSON_CreateString(text);
	char *printed = json_print(json);

	buf_puts(out, printed);
	free(printed);
	cJSON_Delete(json);
}

static void quoted_list(struct buf *out, char *const *items, size_t n)
{
	buf_puts(out, "[");
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? ", " : "");
		quoted(out, items[i]);
	}
	buf_puts(out, "]");
}

static void note(struct writing *w, const char *fmt, const char *what)
{
	char *text = str_printf("'%s': %s%s", w->renewal->name, fmt, what);

	strlist_add(w->notes, text);
	free(text);
}

/* ---- the vendor's scripts ------------------------------------------------ */

/* The name behind the last separator of either kind. */
static const char *script_name(const char *path)
{
	const char *name = path;

	for (const char *c = path; *c; c++)
		if (*c == '\\' || *c == '/')
			name = c + 1;
	return name;
}

static const struct product *product_of(const struct winacme_script *script)
{
	const char *name = script_name(script->script);

	for (size_t i = 0; i < sizeof(products) / sizeof(*products); i++)
		if (str_equal_nocase(name, products[i].script))
			return &products[i];
	return NULL;
}

static const char *find_nocase(const char *text, const char *what)
{
	size_t n = strlen(what);

	for (; *text; text++) {
		size_t i = 0;

		while (i < n && text[i] &&
		       tolower((unsigned char)text[i]) == tolower((unsigned char)what[i]))
			i++;
		if (i == n)
			return text;
	}
	return NULL;
}

/* The installation folder that the script itself names. Gives; NULL: none. */
static char *folder_in_script(const char *path)
{
	const char *begin, *found;
	char *folder = NULL;
	struct err ignored;
	struct buf text;

	buf_init(&text, SCRIPT_MAX_BYTES);
	if (!file_read(path, &text, &ignored)) {
		found = find_nocase(buf_str(&text), TLS_JSON);
		begin = found;
		while (begin && begin > buf_str(&text) && !strchr("\"'\r\n", begin[-1]))
			begin--;
		if (found && found > begin && isalpha((unsigned char)*begin))
			folder = str_ndup(begin, (size_t)(found - begin));
	}
	buf_release(&text);
	return folder;
}

/* ---- parts of a target --------------------------------------------------- */

static const struct winacme_store *first_store(const struct winacme_renewal *renewal)
{
	return renewal->n_stores ? &renewal->stores[0] : NULL;
}

static void write_windows_store(struct writing *w, const struct winacme_store *store)
{
	const char *name = store ? store->name : NULL;

	if (!name)
		name = w->found->default_store;
	if (!name) {
		name = "My";
		note(w, "win-acme chose the store by itself; 'My' is taken: check it",
		     "");
	}
	buf_puts(w->out, "        store: {type: windows, name: ");
	quoted(w->out, name);
	if (store && store->access.n) {
		buf_puts(w->out, ", access: ");
		quoted_list(w->out, store->access.items, store->access.n);
	}
	buf_puts(w->out, "}\n");
	if (store && store->keep_existing)
		buf_printf(w->out, "        retire: {keep: %d}\n", KEEP_EXISTING);
}

static void write_pem_path(struct writing *w, const struct winacme_store *store,
			   const char *key, const char *suffix)
{
	char *name = str_printf("%s%s.pem",
				store->file ? store->file : w->renewal->hosts.items[0],
				suffix);
	char *path = str_printf("%s%s%s", store->folder,
				strchr(store->folder, '\\') ? "\\" : "/", name);

	for (char *c = path; *c; c++)
		if (*c == '*')
			*c = '_'; /* as win-acme does */
	buf_printf(w->out, "          %s: ", key);
	quoted(w->out, path);
	buf_puts(w->out, "\n");
	free(path);
	free(name);
}

static void write_pem_store(struct writing *w, const struct winacme_store *store)
{
	buf_puts(w->out, "        store:\n"
			 "         type: files\n"
			 "         files:\n");
	write_pem_path(w, store, "key", "-key");
	write_pem_path(w, store, "cert", "-crt");
	write_pem_path(w, store, "chain", "-chain-only");
	write_pem_path(w, store, "fullchain", "-chain");
}

static void write_store(struct writing *w)
{
	const struct winacme_store *store = first_store(w->renewal);

	if (store && store->kind == WINACME_STORE_PEM && store->folder)
		write_pem_store(w, store);
	else
		write_windows_store(w, store);
	if (w->renewal->n_stores > 1)
		note(w, "only the first of its stores is taken over", "");
}

/* Splits as a command line: blanks part words, quotes of either kind hold them together.
 */
static void split(const char *text, struct strlist *ret)
{
	char *word = mem_calloc(strlen(text) + 1, 1), quote = '\0';
	bool any = false;
	size_t n = 0;

	for (const char *c = text;; c++) {
		if (!*c || (!quote && isspace((unsigned char)*c))) {
			word[n] = '\0';
			if (any)
				strlist_add(ret, word);
			any = false;
			n = 0;
			if (!*c)
				break;
		} else if (!quote && (*c == '"' || *c == '\'')) {
			quote = *c;
			any = true;
		} else if (quote && *c == quote) {
			quote = '\0';
		} else {
			word[n++] = *c;
			any = true;
		}
	}
	free(word);
}

static void write_script(struct writing *w, const struct winacme_script *script)
{
	struct strlist words = { 0 };

	strlist_add(&words, script->script);
	if (script->parameters)
		split(script->parameters, &words);
	buf_puts(w->out, "          - command: ");
	quoted_list(w->out, words.items, words.n);
	buf_puts(w->out, "\n");
	if (str_ends(script->script, ".ps1"))
		note(w,
		     "a PowerShell script is run for it; check that it ends with an exit "
		     "code other than 0 when it fails: ",
		     script->script);
	strlist_clear(&words);
}

/* ---- targets ------------------------------------------------------------- */

static void write_product(struct writing *w, const struct winacme_script *script,
			  const struct product *product)
{
	char *folder = folder_in_script(script->script);

	buf_printf(w->out,
		   "      - preset: %s # was %s\n        install_dir: ", product->preset,
		   product->script);
	quoted(w->out, folder ? folder : product->install_dir);
	buf_puts(w->out, "\n");
	if (!folder)
		note(w,
		     "the script does not say where the product is; the usual folder "
		     "is taken: check ",
		     product->install_dir);
	write_windows_store(w, first_store(w->renewal));
	free(folder);
}

static void write_other(struct writing *w)
{
	bool any = false;
	char *connect;

	buf_puts(w->out, "      - name: default\n");
	write_store(w);
	for (size_t i = 0; i < w->renewal->n_scripts; i++) {
		if (product_of(&w->renewal->scripts[i]))
			continue;
		buf_puts(w->out, any ? "" : "        run:\n");
		write_script(w, &w->renewal->scripts[i]);
		any = true;
	}
	connect = str_printf("%s:443", w->renewal->hosts.items[0]);
	buf_puts(w->out, "        verify: [{connect: ");
	quoted(w->out, connect);
	buf_puts(w->out, "}]\n");
	note(w,
	     "win-acme does not know where it is served nor which service to restart; "
	     "check 'verify' and add 'service'; assumed: ",
	     connect);
	free(connect);
}

static void write_targets(struct writing *w)
{
	const struct winacme_renewal *renewal = w->renewal;
	size_t known = 0;

	buf_puts(w->out, "    deploy:\n");
	for (size_t i = 0; i < renewal->n_scripts; i++) {
		const struct product *product = product_of(&renewal->scripts[i]);

		if (!product)
			continue;
		write_product(w, &renewal->scripts[i], product);
		known++;
	}
	if (!known || known < renewal->n_scripts)
		write_other(w);
}

/* ---- certificates and issuers -------------------------------------------- */

/* A named account of win-acme is another issuer to us. */
char *winacme_issuer(const struct winacme_endpoint *endpoint, const char *account)
{
	char *name = account ? str_printf("%s-%.20s", endpoint->issuer, account)
			     : str_dup(endpoint->issuer);

	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '-';
	return name;
}

static void write_certificate(struct writing *w, const struct winacme_endpoint *endpoint)
{
	const struct winacme_renewal *renewal = w->renewal;
	char *issuer = winacme_issuer(endpoint, renewal->account);

	buf_printf(w->out, "  %s:\n    hosts: ", renewal->name);
	quoted_list(w->out, renewal->hosts.items, renewal->hosts.n);
	buf_printf(w->out, "\n    issuers: [%s]\n    key: {type: %s, reuse: %s}\n",
		   issuer, renewal->key_type, renewal->key_reuse ? "yes" : "no");
	if (renewal->webroot) {
		buf_puts(w->out, "    challenge: {webroot: ");
		quoted(w->out, renewal->webroot);
		buf_puts(w->out, "}\n");
	} else {
		buf_printf(w->out, "    challenge: {listen: \":%lld\"}\n",
			   (long long)renewal->port);
	}
	write_targets(w);
	for (size_t i = 0; i < renewal->losses.n; i++)
		note(w, "", renewal->losses.items[i]);
	free(issuer);
}

static void write_issuer(struct writing *w, const struct winacme_endpoint *endpoint,
			 const char *account)
{
	char *issuer = winacme_issuer(endpoint, account);

	buf_printf(w->out, "  %s:\n    directory: ", issuer);
	quoted(w->out, endpoint->directory);
	buf_puts(w->out, "\n    agree_to_terms: yes # as agreed to in win-acme\n");
	if (w->found->proxy) {
		buf_puts(w->out, "    proxy: ");
		quoted(w->out, w->found->proxy);
		buf_puts(w->out, "\n");
	}
	free(issuer);
}

static void write_issuers(struct writing *w, const struct winacme_endpoint *endpoint)
{
	struct strlist accounts = { 0 };

	for (size_t i = 0; i < endpoint->n_renewals; i++) {
		const struct winacme_renewal *renewal = &endpoint->renewals[i];
		const char *account = renewal->account ? renewal->account : "";

		if (renewal->refusals.n || strlist_has(&accounts, account))
			continue;
		strlist_add(&accounts, account);
		write_issuer(w, endpoint, renewal->account);
	}
	strlist_clear(&accounts);
}

static void refuse(struct writing *w)
{
	for (size_t i = 0; i < w->renewal->refusals.n; i++)
		note(w, "not taken over, win-acme goes on with it: ",
		     w->renewal->refusals.items[i]);
}

void winacme_yaml(const struct winacme *found, struct buf *ret, struct strlist *notes)
{
	struct writing w = { .found = found, .out = ret, .notes = notes };

	for (size_t i = 0; i < found->losses.n; i++)
		strlist_add(notes, found->losses.items[i]);
	buf_printf(ret, "# made by `certrenewd import win-acme` of '%s'\nissuers:\n",
		   found->root);
	for (size_t i = 0; i < found->n_endpoints; i++) {
		if (found->endpoints[i].guessed) {
			char *text = str_printf(
				"issuer '%s': the directory URL is made of the folder's "
				"name: check %s",
				found->endpoints[i].issuer,
				found->endpoints[i].directory);

			strlist_add(notes, text);
			free(text);
		}
		write_issuers(&w, &found->endpoints[i]);
	}
	buf_puts(ret, "\ncertificates:\n");
	for (size_t i = 0; i < found->n_endpoints; i++)
		for (size_t k = 0; k < found->endpoints[i].n_renewals; k++) {
			w.renewal = &found->endpoints[i].renewals[k];
			if (w.renewal->refusals.n)
				refuse(&w);
			else
				write_certificate(&w, &found->endpoints[i]);
		}
	strlist_add(notes, "nobody is told yet when something goes wrong: add a channel "
			   "under 'alerts'");
}
