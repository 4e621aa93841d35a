/* world_files.c - base/files.h over memory: names, reading, looking. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

static uint32_t hash_of(const char *path, size_t len)
{
	uint64_t hash = 14695981039346656037U ^ len, word;

	for (; len >= sizeof(word); path += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, path, sizeof(word));
		hash = (hash ^ word) * 1099511628211U;
		hash ^= hash >> 32;
	}
	for (; len; len--)
		hash = (hash ^ (unsigned char)*path++) * 1099511628211U;
	return (uint32_t)(hash ^ (hash >> 32));
}

static uint32_t hash_of_folder(const char *path)
{
	const char *last = strrchr(path, '/');

	return last ? hash_of(path, (size_t)(last - path)) : 0;
}

struct node *files_find(const char *path)
{
	struct memory_files *files = &world->files;
	size_t len = strlen(path);
	uint32_t hash = hash_of(path, len);

	for (size_t i = files->buckets[hash % BUCKETS]; i; i = files->nodes[i - 1].next)
		if (files->nodes[i - 1].hash == hash &&
		    files->nodes[i - 1].path_len == len &&
		    !memcmp(files->nodes[i - 1].path, path, len))
			return &files->nodes[i - 1];
	return NULL;
}

static void find_links(struct memory_files *files)
{
	files->n_links = 0;
	for (size_t i = 0; i < files->n; i++) {
		if (files->nodes[i].type != FILE_LINK)
			continue;
		if (files->n_links == LINKS_MAX)
			abort();
		files->links[files->n_links++] = i;
	}
	files->links_known = true;
}

/* The link that stands in the way of `path`: a part of it, or all. */
static const struct node *link_on_the_way(const char *path, bool follow_last)
{
	struct memory_files *files = &world->files;
	size_t len = strlen(path);

	if (!files->links_known)
		find_links(files);
	for (size_t i = 0; i < files->n_links; i++) {
		const struct node *node = &files->nodes[files->links[i]];

		if (node->path_len <= len && !memcmp(path, node->path, node->path_len) &&
		    (path[node->path_len] == '/' ||
		     (!path[node->path_len] && follow_last)))
			return node;
	}
	return NULL;
}

char *files_real(const char *path, bool follow_last)
{
	char *real = str_dup(path);
	const struct node *link;

	while (strlen(real) > 1 && str_ends(real, "/"))
		real[strlen(real) - 1] = '\0';
	while ((link = link_on_the_way(real, follow_last)) != NULL) {
		char *folder = path_parent(link->path);
		char *to = path_join(folder, link->data);
		char *next = str_printf("%s%s", to, real + strlen(link->path));

		free(folder);
		free(to);
		free(real);
		real = next;
	}
	return real;
}

struct node *files_follow(const char *path)
{
	char *real = files_real(path, true);
	struct node *node = files_find(real);

	free(real);
	return node;
}

struct node *files_add(const char *path, enum file_type type, uint32_t mode)
{
	struct memory_files *files = &world->files;
	size_t len = strlen(path), *bucket;
	struct node *node;

	if (files->n == files->cap) {
		files->cap = files->cap ? files->cap * 2 : 256;
		files->nodes = mem_realloc(files->nodes,
					   files->cap * sizeof(*files->nodes));
	}
	node = &files->nodes[files->n++];
	*node = (struct node){ .path = str_dup(path),
			       .path_len = len,
			       .hash = hash_of(path, len),
			       .folder_hash = hash_of_folder(path),
			       .type = type,
			       .mode = mode,
			       .modified_at = true_now() + world->wall_offset_s };
	bucket = &files->buckets[node->hash % BUCKETS];
	node->next = *bucket;
	*bucket = files->n;
	if (type == FILE_LINK)
		files->links_known = false;
	return node;
}

void files_set(struct node *node, char *data, size_t len)
{
	if (node->data && node->len == len && !memcmp(node->data, data, len)) {
		free(data);
		return;
	}
	free(node->tree);
	free(node->data);
	node->tree = NULL;
	node->data = data;
	node->len = len;
}

/* Where the number of this node stands: in its bucket, or in the one before it. */
static size_t *place_of(struct memory_files *files, const struct node *node)
{
	size_t number = (size_t)(node - files->nodes) + 1;
	size_t *at = &files->buckets[node->hash % BUCKETS];

	while (*at != number)
		at = &files->nodes[*at - 1].next;
	return at;
}

void files_drop(struct node *node)
{
	struct memory_files *files = &world->files;
	struct node *last = &files->nodes[files->n - 1];

	files->links_known = false;
	*place_of(files, node) = node->next;
	if (last != node)
		*place_of(files, last) = (size_t)(node - files->nodes) + 1;
	files->n--;
	free(node->path);
	free(node->data);
	free(node->tree);
	*node = *last;
}

static bool is_below(const struct node *node, const char *folder, size_t len)
{
	return node->path_len > len && node->path[len] == '/' &&
	       !memcmp(node->path, folder, len);
}

void files_remove(const char *path)
{
	struct memory_files *files = &world->files;
	size_t len = strlen(path);

	for (size_t i = files->n; i-- > 0;)
		if (is_below(&files->nodes[i], path, len) ||
		    !strcmp(files->nodes[i].path, path))
			files_drop(&files->nodes[i]);
}

void files_make_folder(const char *path)
{
	char *parent = path_parent(path);

	if (strlen(parent) > 1 && !files_find(parent))
		files_make_folder(parent);
	if (!files_find(path))
		files_add(path, FILE_DIRECTORY, 0755);
	free(parent);
}

void files_put(const char *path, const char *text, uint32_t mode)
{
	char *real = files_real(path, true), *parent = path_parent(real);
	struct node *node;

	files_make_folder(parent);
	node = files_find(real);
	if (!node)
		node = files_add(real, FILE_REGULAR, mode);
	files_set(node, str_dup(text), strlen(text));
	node->modified_at = true_now() + world->wall_offset_s;
	free(parent);
	free(real);
}

size_t files_count(const char *folder, const char *suffix)
{
	size_t n = 0, len = strlen(folder);

	for (size_t i = 0; i < world->files.n; i++)
		if (is_below(&world->files.nodes[i], folder, len) &&
		    (!suffix || strstr(world->files.nodes[i].path, suffix)))
			n++;
	return n;
}

struct memory_files files_copy(const char *folder)
{
	struct memory_files copy = { 0 };

	for (size_t i = 0; i < world->files.n; i++) {
		const struct node *node = &world->files.nodes[i];
		struct node *to;

		if (!is_below(node, folder, strlen(folder)))
			continue;
		copy.nodes = mem_realloc(copy.nodes, (copy.n + 1) * sizeof(*copy.nodes));
		to = &copy.nodes[copy.n++];
		*to = *node;
		to->path = str_dup(node->path);
		to->tree = NULL;
		to->data = node->data ? str_ndup(node->data, node->len) : NULL;
	}
	return copy;
}

void files_restore(const char *folder, const struct memory_files *copy)
{
	for (size_t i = world->files.n; i-- > 0;)
		if (is_below(&world->files.nodes[i], folder, strlen(folder)))
			files_drop(&world->files.nodes[i]);
	for (size_t i = 0; i < copy->n; i++) {
		const struct node *from = &copy->nodes[i];
		struct node *node = files_add(from->path, from->type, from->mode);

		node->data = from->data ? str_ndup(from->data, from->len) : NULL;
		node->len = from->len;
	}
}

/* ---- base/files.h: reading ------------------------------------------------ */

int file_read(const char *path, struct buf *ret, struct err *err)
{
	const struct node *node = files_follow(path);

	if (!node) {
		errno = ENOENT;
		return err_os(err, "open '%s'", path);
	}
	if (node->type != FILE_REGULAR)
		return err_set(err, ERR_IO, "'%s' is no regular file", path);
	if (buf_append(ret, node->data ? node->data : "", node->len))
		return err_set(err, ERR_IO, "'%s' is larger than %zu bytes", path,
			       ret->max);
	return 0;
}

int file_inspect(const char *path, struct file_facts *ret, struct err *err)
{
	char *real = files_real(path, false);
	const struct node *node = files_find(real);

	(void)err;
	*ret = (struct file_facts){ .type = FILE_ABSENT };
	if (node)
		*ret = (struct file_facts){ .type = node->type,
					    .size_bytes = (int64_t)node->len,
					    .modified_at = node->modified_at,
					    .mode = node->mode,
					    .owner = "root" };
	free(real);
	return 0;
}

int link_read(const char *path, char **ret_target, struct err *err)
{
	char *real = files_real(path, false);
	const struct node *node = files_find(real);

	free(real);
	if (!node || node->type != FILE_LINK) {
		errno = node ? EINVAL : ENOENT;
		return err_os(err, "read link '%s'", path);
	}
	*ret_target = str_dup(node->data);
	return 0;
}

int dir_list(const char *path, struct strlist *ret, struct err *err)
{
	const struct node *folder = files_follow(path);

	if (!folder || folder->type != FILE_DIRECTORY) {
		errno = folder ? ENOTDIR : ENOENT;
		return err_os(err, "open folder '%s'", path);
	}
	for (size_t i = 0; i < world->files.n; i++) {
		const struct node *node = &world->files.nodes[i];

		if (node->folder_hash == folder->hash &&
		    is_below(node, folder->path, folder->path_len) &&
		    !strchr(node->path + folder->path_len + 1, '/'))
			strlist_add(ret, node->path + folder->path_len + 1);
	}
	strlist_sort(ret);
	return 0;
}

int dir_find(const char *root, const char *suffix, struct strlist *ret, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < world->files.n; i++) {
		const struct node *node = &world->files.nodes[i];

		if (node->type == FILE_REGULAR && is_below(node, root, strlen(root)) &&
		    str_ends(node->path, suffix))
			strlist_add(ret, node->path);
	}
	strlist_sort(ret);
	return 0;
}

/* `*` within a component; enough for `config/server*`. */
static bool matches(const char *pattern, const char *path)
{
	for (; *pattern; pattern++, path++) {
		if (*pattern == '*') {
			for (;; path++) {
				if (matches(pattern + 1, path))
					return true;
				if (!*path || *path == '/')
					return false;
			}
		}
		if (*pattern != *path && !(*pattern == '?' && *path && *path != '/'))
			return false;
	}
	return !*path;
}

int dir_glob(const char *pattern, struct strlist *ret, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < world->files.n; i++)
		if (matches(pattern, world->files.nodes[i].path))
			strlist_add(ret, world->files.nodes[i].path);
	strlist_sort(ret);
	return 0;
}
