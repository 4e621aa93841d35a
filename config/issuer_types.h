/* issuer_types.h - acme, store, none, self-signed, command: what a certificate needs
 * depends on who issues it, and a word may stand for an issuer without an entry. Asked of
 * the tree, while it is read. */
#ifndef CONFIG_ISSUER_TYPES_H
#define CONFIG_ISSUER_TYPES_H

#include <stdbool.h>

#include "config/config.h"
#include "config/fields.h"

/* For `type:`. */
extern const struct choice issuer_type_names[];

/* Is the name one of the words that stand for an issuer (store, none, self-signed), of
 * which type? *ret_type is set only then. */
bool issuer_is_word(const char *name, enum issuer_type *ret_type);

/* Adds an entry to `issuers` of the whole file for each such word that a certificate
 * names and that has none. Not for `store` where a folder must be said. */
void issuers_imply(struct reading *reading, struct node *root);

/* The types of all issuers that a certificate's map names: bits of 1 << enum issuer_type.
 * What is unknown counts as ACME, so that nothing follows from a typing error. */
unsigned issuer_types_of(const struct reading *reading, const struct node *certificate);

/* The entry of the first of them; NULL: none. Borrowed. */
const struct node *issuer_first_of(const struct reading *reading,
				   const struct node *certificate);

/* Is it only watched: is `none` among the issuers of the certificate that is read? */
bool issuer_is_none(const struct reading *reading);

#endif
