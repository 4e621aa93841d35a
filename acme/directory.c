#include "acme/directory.h"

#include <stdlib.h>
#include <string.h>

#include "acme/url.h"
#include "base/json.h"
#include "base/str.h"

struct entry {
	const char *name;
	size_t offset;
	bool required;
};

#define AT(member) offsetof(struct acme_directory, member)

static const struct entry entries[] = {
	{ "newNonce", AT(new_nonce), true },
	{ "newAccount", AT(new_account), true },
	{ "newOrder", AT(new_order), true },
	{ "revokeCert", AT(revoke_cert), false },
	{ "keyChange", AT(key_change), false },
	{ "renewalInfo", AT(renewal_info), false },
};

static int read_entry(const cJSON *json, const struct entry *entry,
		      struct acme_directory *directory, struct err *err)
{
	const char *url = json_string(json, entry->name);
	char **slot = (char **)((char *)directory + entry->offset);

	if (url_is_https(url)) {
		*slot = str_dup(url);
		return 0;
	}
	if (!entry->required)
		return 0;
	if (!url)
		return err_set(err, ERR_TRANSIENT, "not an ACME directory: no '%s' in it",
			       entry->name);
	err_set(err, ERR_TRANSIENT,
		"not an ACME directory: '%s' is '%.200s', no https:// URL", entry->name,
		url);
	str_make_printable(err->text);
	return -1;
}

static char *printable_member(const cJSON *object, const char *name)
{
	const char *text = json_string(object, name);
	char *copy;

	if (!text || !*text || strlen(text) > URL_MAX)
		return NULL;
	copy = str_dup(text);
	str_make_printable(copy);
	return copy;
}

#define PROFILES_MAX 32
#define CAA_MAX 32

static void read_profiles(const cJSON *meta, struct acme_directory *directory)
{
	const cJSON *profiles = cJSON_GetObjectItemCaseSensitive(meta, "profiles");
	const cJSON *each;

	if (!cJSON_IsObject(profiles))
		return;
	cJSON_ArrayForEach (each, profiles) {
		const char *text = cJSON_GetStringValue(each);
		char *name, *words;

		if (directory->profiles.n == PROFILES_MAX)
			return;
		if (!each->string || !*each->string || strlen(each->string) > 128)
			continue;
		name = str_dup(each->string);
		words = str_ndup(text ? text : "", text ? strnlen(text, 500) : 0);
		str_make_printable(name);
		str_make_printable(words);
		strlist_add(&directory->profiles, name);
		strlist_add(&directory->profile_texts, words);
		free(words);
		free(name);
	}
}

static void read_caa_identities(const cJSON *meta, struct acme_directory *directory)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(meta, "caaIdentities");
	const cJSON *each;

	if (!cJSON_IsArray(list))
		return;
	cJSON_ArrayForEach (each, list) {
		const char *text = cJSON_GetStringValue(each);
		char *name;

		if (directory->caa_identities.n == CAA_MAX)
			return;
		if (!text || !*text || strlen(text) > 253)
			continue;
		name = str_dup(text);
		str_make_printable(name);
		for (char *c = name; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		strlist_add(&directory->caa_identities, name);
		free(name);
	}
}

int acme_directory_parse(const void *data, size_t len, struct acme_directory *ret,
			 struct err *err)
{
	struct acme_directory directory = { 0 };
	const cJSON *meta;
	cJSON *json = NULL;
	int rc = -1;

	if (json_parse(data, len, &json, err)) {
		err->kind = ERR_TRANSIENT;
		err_wrap(err, "not an ACME directory");
		goto out;
	}
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		if (read_entry(json, &entries[i], &directory, err))
			goto out;
	}
	meta = cJSON_GetObjectItemCaseSensitive(json, "meta");
	directory.terms_of_service = printable_member(meta, "termsOfService");
	directory.website = printable_member(meta, "website");
	directory.external_account_required = json_bool(meta, "externalAccountRequired",
							false);
	read_profiles(meta, &directory);
	read_caa_identities(meta, &directory);

	*ret = directory;
	directory = (struct acme_directory){ 0 };
	rc = 0;
out:
	acme_directory_clear(&directory);
	cJSON_Delete(json);
	return rc;
}

void acme_directory_clear(struct acme_directory *directory)
{
	if (!directory)
		return;
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		free(*(char **)((char *)directory + entries[i].offset));
	free(directory->terms_of_service);
	free(directory->website);
	strlist_clear(&directory->caa_identities);
	strlist_clear(&directory->profiles);
	strlist_clear(&directory->profile_texts);
	*directory = (struct acme_directory){ 0 };
}
