#include "config/issuer_types.h"

#include "base/arena.h"
#include "base/str.h"
#include "config/system.h"

const struct choice issuer_type_names[] = {
	{ "acme", ISSUER_ACME },       { "store", ISSUER_STORE },
	{ "none", ISSUER_NONE },       { "self-signed", ISSUER_SELF_SIGNED },
	{ "command", ISSUER_COMMAND }, { NULL, 0 },
};

static const struct choice *find(const char *name)
{
	for (const struct choice *c = issuer_type_names; c->name; c++) {
		if (str_equal(c->name, name))
			return c;
	}
	return NULL;
}

bool issuer_is_word(const char *name, enum issuer_type *ret_type)
{
	const struct choice *choice = find(name);

	if (!choice || choice->value == ISSUER_ACME || choice->value == ISSUER_COMMAND)
		return false;
	*ret_type = (enum issuer_type)choice->value;
	return true;
}

/* ---- words without an entry ---------------------------------------------- */

static const struct node *names_of(const struct node *certificate)
{
	const struct node *list = node_member(certificate, "issuers");

	return list && list->type == NODE_LIST ? list->first : NULL;
}

static void imply(struct reading *r, struct node *root, const struct node *name)
{
	struct arena *arena = r->values.arena;
	struct node_source source = { FROM_DEFAULT, name->place };
	struct node *issuers = node_member(root, "issuers"), *entry;
	enum issuer_type type;

	if (name->type != NODE_SCALAR || !issuer_is_word(name->text, &type) ||
	    (type == ISSUER_STORE && system_lacks_store(STORE_WINDOWS)))
		return;
	if (!issuers) {
		issuers = node_from_text(arena, source, "issuers", "{}");
		node_append(root, issuers);
	}
	if (node_is_null(issuers))
		issuers->type = NODE_MAP;
	if (issuers->type != NODE_MAP || node_member(issuers, name->text))
		return;
	entry = node_from_text(arena, source, arena_strdup(arena, name->text), "{}");
	node_append(entry, node_from_scalar(arena, source, "type", name->text));
	node_append(issuers, entry);
}

void issuers_imply(struct reading *r, struct node *root)
{
	const struct node *certificates = node_member(root, "certificates"), *c, *name;

	if (!certificates || certificates->type != NODE_MAP)
		return;
	for (c = certificates->first; c; c = c->next) {
		for (name = names_of(c); name; name = name->next)
			imply(r, root, name);
	}
}

/* ---- the types of a certificate's issuers -------------------------------- */

static const struct node *entry_of(const struct reading *r, const struct node *name)
{
	if (!name || name->type != NODE_SCALAR)
		return NULL;
	return node_member(node_member(r->root, "issuers"), name->text);
}

unsigned issuer_types_of(const struct reading *r, const struct node *certificate)
{
	unsigned types = 0;

	for (const struct node *name = names_of(certificate); name; name = name->next) {
		const struct node *type = node_member(entry_of(r, name), "type");
		const struct choice *choice = NULL;

		if (type && type->type == NODE_SCALAR)
			choice = find(type->text);
		types |= 1U << (choice ? choice->value : ISSUER_ACME);
	}
	return types ? types : 1U << ISSUER_ACME;
}

const struct node *issuer_first_of(const struct reading *r,
				   const struct node *certificate)
{
	return entry_of(r, names_of(certificate));
}

bool issuer_is_none(const struct reading *r)
{
	return issuer_types_of(r, r->certificate) & 1U << ISSUER_NONE;
}
