#include "hooks/placeholders.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cert.h"
#include "base/files.h"

#define ARGUMENT_MAX_BYTES ((size_t)32 * 1024)

enum value {
	VALUE_EMPTY,
	VALUE_COMMON_NAME,
	VALUE_STORE_PATH,
	VALUE_FRIENDLY_NAME,
	VALUE_THUMBPRINT,
	VALUE_RENEWAL,
	VALUE_STORE_TYPE,
	VALUE_OLD_COMMON_NAME,
	VALUE_OLD_THUMBPRINT,
	VALUES
};

/* win-acme, Plugins/InstallationPlugins/Script/Script.cs. */
static const struct {
	const char *word;
	enum value value;
} words[] = {
	{ "{0}", VALUE_COMMON_NAME },
	{ "{1}", VALUE_EMPTY },
	{ "{2}", VALUE_EMPTY },
	{ "{3}", VALUE_STORE_PATH },
	{ "{4}", VALUE_FRIENDLY_NAME },
	{ "{5}", VALUE_THUMBPRINT },
	{ "{6}", VALUE_EMPTY },
	{ "{7}", VALUE_RENEWAL },
	{ "{CertCommonName}", VALUE_COMMON_NAME },
	{ "{CachePassword}", VALUE_EMPTY },
	{ "{CacheFile}", VALUE_EMPTY },
	{ "{StorePath}", VALUE_STORE_PATH },
	{ "{CertFriendlyName}", VALUE_FRIENDLY_NAME },
	{ "{CertThumbprint}", VALUE_THUMBPRINT },
	{ "{CacheFolder}", VALUE_EMPTY },
	{ "{RenewalId}", VALUE_RENEWAL },
	{ "{StoreType}", VALUE_STORE_TYPE },
	{ "{OldCertCommonName}", VALUE_OLD_COMMON_NAME },
	{ "{OldCertFriendlyName}", VALUE_OLD_COMMON_NAME },
	{ "{OldCertThumbprint}", VALUE_OLD_THUMBPRINT },
};

/* ---- values -------------------------------------------------------------- */

/* The name that people see: the common name, or the first host where there is none. */
static char *name_of(const struct cert *cert)
{
	const char *name = cert_common_name(cert);

	return str_dup(name ? name : cert_names(cert)[0]);
}

static char *store_path(const struct store *store)
{
	const char *path = store->type == STORE_WINDOWS ? store->name : store->path;

	if (store->type == STORE_FILES)
		path = store->fullchain ? store->fullchain : store->cert;
	if (store->type == STORE_FILES && path)
		return path_parent(path);
	return str_dup(path);
}

static const char *store_type(const struct store *store)
{
	static const char *const names[] = {
		[STORE_NONE] = "None",
		[STORE_DIRECTORY] = "PemFiles",
		[STORE_FILES] = "PemFiles",
		[STORE_WINDOWS] = "CertificateStore",
	};

	return names[store->type];
}

/* Of our own versions: the one with that thumbprint. */
static char *old_name(const struct deployment *deployment, const char *sha1)
{
	char *pattern = path_join(deployment->folder, "versions/*/fullchain.pem");
	struct strlist files = { 0 };
	char *name = NULL;
	struct err ignored;

	(void)dir_glob(pattern, &files, &ignored);
	for (size_t i = 0; i < files.n && !name; i++) {
		struct cert *cert = NULL;

		if (!cert_load(files.items[i], &cert, &ignored) &&
		    str_equal_nocase(cert_sha1(cert), sha1))
			name = name_of(cert);
		cert_free(cert);
	}
	strlist_clear(&files);
	free(pattern);
	return name;
}

static bool is_thumbprint(const char *text)
{
	return strlen(text) == CERT_SHA1_HEX - 1 &&
	       strspn(text, "0123456789abcdefABCDEF") == CERT_SHA1_HEX - 1;
}

static void collect(const struct member *member, char *values[VALUES])
{
	const struct deployment *deployment = member->deployment;
	const struct cert *cert = deployment->material->cert;
	const struct store *store = &member->target->store;
	const char *old = member->journal.old_sha1;

	if (!is_thumbprint(
		    old)) /* the application's file says it: whoever writes there */
		old = "";
	values[VALUE_COMMON_NAME] = name_of(cert);
	values[VALUE_STORE_PATH] = store_path(store);
	values[VALUE_FRIENDLY_NAME] = store->friendly_name ? str_dup(store->friendly_name)
							   : name_of(cert);
	values[VALUE_THUMBPRINT] = str_dup(cert_sha1(cert));
	values[VALUE_RENEWAL] = str_dup(path_base(deployment->folder));
	values[VALUE_STORE_TYPE] = str_dup(store_type(store));
	values[VALUE_OLD_THUMBPRINT] = str_dup(old);
	if (old[0])
		values[VALUE_OLD_COMMON_NAME] = old_name(deployment, old);
}

/* ---- expansion ----------------------------------------------------------- */

/* Puts the value of the word that `text` begins with; 0: it begins with none. */
static size_t put_word(char *const values[VALUES], const char *text, struct buf *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const char *value = values[words[i].value];

		if (!str_starts(text, words[i].word))
			continue;
		buf_puts(out, value ? value : "");
		return strlen(words[i].word);
	}
	return 0;
}

static void expand(char *const values[VALUES], const char *argument, struct strlist *ret)
{
	struct buf out;
	size_t step;

	buf_init(&out, ARGUMENT_MAX_BYTES);
	for (; *argument; argument += step) {
		step = *argument == '{' ? put_word(values, argument, &out) : 0;
		if (!step) {
			buf_append(&out, argument, 1);
			step = 1;
		}
	}
	strlist_add(ret, buf_str(&out));
	buf_release(&out);
}

void placeholders_expand(const struct member *member, const char *const *argv,
			 struct strlist *ret)
{
	char *values[VALUES] = { NULL };

	if (!argv || !argv[0])
		return;
	collect(member, values);
	strlist_add(ret, argv[0]);
	for (argv++; *argv; argv++)
		expand(values, *argv, ret);
	for (size_t i = 0; i < VALUES; i++)
		free(values[i]);
}
