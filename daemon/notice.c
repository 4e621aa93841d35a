#include "daemon/notice.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"

struct ear { /* one folder, listened to */
	uv_fs_event_t handle;
	struct notice *notice; /* NULL: being closed */
	struct ear *next;
	char *certificate;
	struct notice_folder folder;
	uint64_t device, inode; /* which folder the path led to; 0: none */
	bool has_handle;
	bool moved; /* the folder itself has changed, may be for another of its name */
};

struct notice {
	uv_loop_t *uv;
	notice_changed *changed;
	void *ctx;
	struct ear *ears;
	bool told; /* that there are no more watches to be had */
};

struct notice *notice_new(uv_loop_t *uv, notice_changed *changed, void *ctx)
{
	struct notice *notice = mem_calloc(1, sizeof(*notice));

	notice->uv = uv;
	notice->changed = changed;
	notice->ctx = ctx;
	return notice;
}

/* ---- one folder ---------------------------------------------------------- */

static void ear_free(struct ear *ear)
{
	free(ear->certificate);
	free(ear->folder.path);
	strlist_clear(&ear->folder.names);
	free(ear);
}

static void on_closed(uv_handle_t *handle)
{
	ear_free(handle->data);
}

static void ear_close(struct ear *ear)
{
	ear->notice = NULL;
	if (ear->has_handle)
		uv_close((uv_handle_t *)&ear->handle, on_closed);
	else
		ear_free(ear);
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct ear *ear = handle->data;

	(void)events;
	/* What happens to the folder itself comes under its own name. */
	if (status || (name && str_ends(ear->folder.path, name)))
		ear->moved = true;
	if (!ear->notice || (!status && !notice_matters(&ear->folder, name)))
		return;
	ear->notice->changed(ear->notice->ctx, ear->certificate);
}

static void identify(const char *path, uint64_t *ret_device, uint64_t *ret_inode)
{
	uv_fs_t request;

	*ret_device = *ret_inode = 0;
	if (!uv_fs_stat(NULL, &request, path, NULL)) {
		*ret_device = request.statbuf.st_dev;
		*ret_inode = request.statbuf.st_ino;
	}
	uv_fs_req_cleanup(&request);
}

/* The operator may raise a limit; certificates are kept alive without it too. */
static void tell_unheard(struct notice *notice, const struct ear *ear, int rc)
{
	if (notice->told || rc == UV_ENOENT || rc == UV_ENOTDIR)
		return;
	notice->told = true;
	log_line(LOG_LEVEL_WARNING, ear->certificate, NULL,
		 "changes in '%s' will be noticed by the next inspection only: %s",
		 ear->folder.path, uv_strerror(rc));
}

/* Listens, if the folder is there. */
static bool listen_to(struct notice *notice, struct ear *ear)
{
	int rc;

	identify(ear->folder.path, &ear->device, &ear->inode);
	if (!ear->inode && !ear->device)
		return false;
	rc = uv_fs_event_init(notice->uv, &ear->handle);
	if (!rc) {
		ear->has_handle = true;
		ear->handle.data = ear;
		uv_unref((uv_handle_t *)&ear->handle);
		rc = uv_fs_event_start(&ear->handle, on_event, ear->folder.path, 0);
	}
	if (rc) {
		ear->device = ear->inode = 0;
		tell_unheard(notice, ear, rc);
	}
	return !rc;
}

/* A new one of the same folder, because a handle is not started twice. */
static struct ear *ear_new(const char *certificate, const struct notice_folder *folder)
{
	struct ear *ear = mem_calloc(1, sizeof(*ear));

	ear->certificate = str_dup(certificate);
	ear->folder.path = str_dup(folder->path);
	for (size_t i = 0; i < folder->names.n; i++)
		strlist_add(&ear->folder.names, folder->names.items[i]);
	return ear;
}

static bool hears(const struct ear *ear)
{
	uint64_t device, inode;

	identify(ear->folder.path, &device, &inode);
	return (ear->inode || ear->device) && !ear->moved && device == ear->device &&
	       inode == ear->inode;
}

/* ---- all of them --------------------------------------------------------- */

static struct ear **find(struct notice *notice, const char *certificate, const char *path)
{
	struct ear **at = &notice->ears;

	while (*at && !(str_equal((*at)->certificate, certificate) &&
			(!path || str_equal((*at)->folder.path, path))))
		at = &(*at)->next;
	return at;
}

static struct ear *take(struct ear **at)
{
	struct ear *ear = *at;

	if (ear) {
		*at = ear->next;
		ear->next = NULL;
	}
	return ear;
}

static void add(struct notice *notice, struct ear *ear)
{
	ear->notice = notice;
	ear->next = notice->ears;
	notice->ears = ear;
}

void notice_follow(struct notice *notice, const char *certificate,
		   struct notice_folders *folders)
{
	struct ear *kept = NULL, *ear;

	for (size_t i = 0; i < folders->n; i++) {
		const struct notice_folder *folder = &folders->items[i];

		ear = take(find(notice, certificate, folder->path));
		if (ear && !hears(ear)) {
			ear_close(ear);
			ear = NULL;
		}
		if (!ear) {
			ear = ear_new(certificate, folder);
			(void)listen_to(notice, ear);
		}
		ear->next = kept;
		kept = ear;
	}
	while ((ear = take(find(notice, certificate, NULL))))
		ear_close(ear);
	while ((ear = take(&kept)))
		add(notice, ear);
	notice_folders_clear(folders);
}

void notice_keep_only(struct notice *notice, const struct config *config)
{
	struct ear **at = &notice->ears;

	while (*at)
		if (config_certificate(config, (*at)->certificate))
			at = &(*at)->next;
		else
			ear_close(take(at));
}

void notice_retry(struct notice *notice)
{
	for (struct ear **at = &notice->ears; *at; at = &(*at)->next) {
		struct ear *again, *before = *at;

		if (hears(before))
			continue;
		again = ear_new(before->certificate, &before->folder);
		again->notice = notice;
		again->next = before->next;
		*at = again;
		ear_close(before);
		if (listen_to(notice, again))
			notice->changed(notice->ctx, again->certificate);
	}
}

void notice_close(struct notice *notice)
{
	while (notice && notice->ears)
		ear_close(take(&notice->ears));
}

void notice_free(struct notice *notice)
{
	free(notice);
}
