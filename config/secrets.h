/* secrets.h - {file: path}, {env: NAME}, {credential: name}, {dpapi: base64}: a secret is
 * never written in the configuration itself, unless sealed for this machine alone. Its
 * bytes are read once, at load, live outside the arena and are wiped; no sentence ever
 * contains them. */
#ifndef CONFIG_SECRETS_H
#define CONFIG_SECRETS_H

#include <stddef.h>

struct field;
struct frame;
struct node;
struct reading;

#define SECRET_MAX_BYTES 16384

/* Owns the bytes of every secret of one configuration. */
struct secret_list {
	char **items; /* NUL-terminated */
	size_t n;
};

/* Wipes and frees; a zeroed struct is fine. */
void secret_list_release(struct secret_list *list);

/* Keeps a copy of the bytes, until the list is released. Borrowed. */
const char *secret_list_add(struct secret_list *list, const char *bytes, size_t len);

/* Reads the secret that the map `node` points to into the struct secret at the field's
 * offset; complains by itself. */
void secret_read(struct reading *reading, const struct frame *frame,
		 const struct field *field, struct node *node, void *base);

#endif
