#include "daemon/job.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/state_file.h"
#include "daemon/versions.h"

#define FILE_MAX_BYTES ((size_t)512 * 1024)

/* One row a member of the file. */
enum member_type { MEMBER_INT, MEMBER_COUNT, MEMBER_TEXT };

struct member {
	const char *name;
	enum member_type type;
	size_t offset, size;
};

#define MEMBER(owner, type, member)                                                      \
	{                                                                                \
#member, type, offsetof(struct owner, member),                           \
			sizeof(((struct owner *)0)->member)                              \
	}

static const struct member job_members[] = {
	MEMBER(job, MEMBER_INT, version),
	MEMBER(job, MEMBER_TEXT, order_url),
	MEMBER(job, MEMBER_TEXT, order_issuer),
	MEMBER(job, MEMBER_TEXT, order_directory),
	MEMBER(job, MEMBER_INT, order_version),
	MEMBER(job, MEMBER_TEXT, ari_id),
	MEMBER(job, MEMBER_INT, ari_at),
	MEMBER(job, MEMBER_INT, ari_start),
	MEMBER(job, MEMBER_INT, ari_end),
	MEMBER(job, MEMBER_INT, ari_ask_again_at),
	MEMBER(job, MEMBER_COUNT, ari_failures),
	MEMBER(job, MEMBER_TEXT, ari_explanation),
	MEMBER(job, MEMBER_COUNT, rounds_since_expiry),
	MEMBER(job, MEMBER_INT, inspected_files_at),
	MEMBER(job, MEMBER_INT, inspected_endpoints_at),
	MEMBER(job, MEMBER_INT, heal_at),
	MEMBER(job, MEMBER_INT, last_renewed_at),
	MEMBER(job, MEMBER_TEXT, last_issuer),
	MEMBER(job, MEMBER_TEXT, revoke_sha1),
	MEMBER(job, MEMBER_INT, revoke_reason),
	MEMBER(job, MEMBER_INT, revoke_with_key),
	MEMBER(job, MEMBER_INT, revoked_at),
	MEMBER(job, MEMBER_TEXT, revoked),
	MEMBER(job, MEMBER_TEXT, burnt_keys),
	MEMBER(job, MEMBER_TEXT, last_directory),
	MEMBER(job, MEMBER_TEXT, chain_root),
	MEMBER(job, MEMBER_TEXT, told_notes),
	MEMBER(job, MEMBER_TEXT, told_sha1),
	MEMBER(job, MEMBER_TEXT, told_runs),
	MEMBER(job, MEMBER_INT, spares_try_at),
	MEMBER(job, MEMBER_INT, persist_until),
	MEMBER(job, MEMBER_INT, persist_look_at),
	MEMBER(job, MEMBER_COUNT, persist_step),
};

static const struct member failures_members[] = {
	MEMBER(failures, MEMBER_COUNT, count), MEMBER(failures, MEMBER_INT, first_at),
	MEMBER(failures, MEMBER_INT, last_at), MEMBER(failures, MEMBER_INT, next_at),
	MEMBER(failures, MEMBER_TEXT, text),   MEMBER(failures, MEMBER_COUNT, by_breaker),
};

static const struct member issuer_members[] = {
	MEMBER(issuer_record, MEMBER_TEXT, name),
	MEMBER(issuer_record, MEMBER_COUNT, refusals),
	MEMBER(issuer_record, MEMBER_INT, failed_at),
	MEMBER(issuer_record, MEMBER_TEXT, text),
};

static const struct member target_members[] = {
	MEMBER(target_record, MEMBER_TEXT, target),
	MEMBER(target_record, MEMBER_INT, older_version),
};

#define N_JOB (sizeof(job_members) / sizeof(*job_members))
#define N_FAILURES (sizeof(failures_members) / sizeof(*failures_members))
#define N_ISSUER (sizeof(issuer_members) / sizeof(*issuer_members))
#define N_TARGET (sizeof(target_members) / sizeof(*target_members))

/* A member that is missing stays zero: files of older versions are fine. */
static int read_member(const cJSON *object, const struct member *member, char *base)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, member->name);
	const char *text = cJSON_GetStringValue(item);
	int64_t number;

	if (!item)
		return 0;
	number = text ? -1 : json_int(object, member->name, -1);
	switch (member->type) {
	case MEMBER_INT:
		if (number < 0)
			return -1;
		memcpy(base + member->offset, &number, sizeof(number));
		return 0;
	case MEMBER_COUNT:
		if (number < 0 || number > INT32_MAX)
			return -1;
		memcpy(base + member->offset, &(unsigned){ (unsigned)number },
		       sizeof(unsigned));
		return 0;
	case MEMBER_TEXT:
		if (!text || strlen(text) >= member->size)
			return -1;
		memcpy(base + member->offset, text, strlen(text) + 1);
		return 0;
	}
	return -1;
}

static void write_member(cJSON *object, const struct member *member, const char *base)
{
	int64_t number = 0;
	unsigned count = 0;

	switch (member->type) {
	case MEMBER_INT:
		memcpy(&number, base + member->offset, sizeof(number));
		json_set_int(object, member->name, number);
		break;
	case MEMBER_COUNT:
		memcpy(&count, base + member->offset, sizeof(count));
		json_set_int(object, member->name, count);
		break;
	case MEMBER_TEXT:
		json_set_string(object, member->name, base + member->offset);
		break;
	}
}

static int read_members(const cJSON *object, const struct member *members, size_t n,
			void *ret, const char **ret_bad)
{
	for (size_t i = 0; i < n; i++) {
		if (read_member(object, &members[i], ret)) {
			*ret_bad = members[i].name;
			return -1;
		}
	}
	return 0;
}

static int read_failures(const cJSON *file, const char *name, struct failures *ret,
			 const char **ret_bad)
{
	const cJSON *object = cJSON_GetObjectItemCaseSensitive(file, name);

	if (!object)
		return 0;
	*ret_bad = name;
	if (!cJSON_IsObject(object))
		return -1;
	return read_members(object, failures_members, N_FAILURES, ret, ret_bad);
}

/* NULL where there is none. */
static int find_list(const cJSON *file, const char *name, const cJSON **ret,
		     const char **ret_bad)
{
	*ret = cJSON_GetObjectItemCaseSensitive(file, name);
	if (!*ret)
		return 0;
	*ret_bad = name;
	return cJSON_IsArray(*ret) ? 0 : -1;
}

static int read_issuers(const cJSON *file, struct job *ret, const char **ret_bad)
{
	const cJSON *list, *each;
	size_t n = 0;

	if (find_list(file, "issuers", &list, ret_bad))
		return -1;
	cJSON_ArrayForEach (each, list) {
		if (n == JOB_ISSUERS || !cJSON_IsObject(each) ||
		    read_members(each, issuer_members, N_ISSUER, &ret->issuers[n++],
				 ret_bad))
			return -1;
	}
	return 0;
}

/* Those that were configured once: by and by their rows give way. */
static int read_targets(const cJSON *file, struct job *ret, const char **ret_bad)
{
	const cJSON *list, *each;
	size_t n = 0;

	if (find_list(file, "targets", &list, ret_bad))
		return -1;
	cJSON_ArrayForEach (each, list) {
		struct target_record *row = &ret->targets[n];

		if (n++ == JOB_TARGETS || !cJSON_IsObject(each) ||
		    read_members(each, target_members, N_TARGET, row, ret_bad) ||
		    read_failures(each, "fallback", &row->fallback, ret_bad) ||
		    read_failures(each, "older", &row->older, ret_bad))
			return -1;
	}
	return 0;
}

/* One row a kind of work that may fail in a row. */
static const struct {
	const char *name;
	size_t offset;
} kinds[] = {
	{ "renewal", offsetof(struct job, renewal) },
	{ "deployment", offsetof(struct job, deployment) },
};

#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* Into a zeroed *ret, which is of use only when it succeeds. */
static int from_json(const cJSON *file, struct job *ret, const char **ret_bad)
{
	if (read_members(file, job_members, N_JOB, ret, ret_bad))
		return -1;
	for (size_t i = 0; i < N_KINDS; i++) {
		void *at = (char *)ret + kinds[i].offset;

		if (read_failures(file, kinds[i].name, at, ret_bad))
			return -1;
	}
	if (read_issuers(file, ret, ret_bad) || read_targets(file, ret, ret_bad))
		return -1;
	return 0;
}

/* What can be known without the file. */
static int rebuild(const char *folder, struct job *ret, struct err *err)
{
	int64_t *versions = NULL;
	size_t n = 0;

	if (versions_list(folder, &versions, &n, err))
		return -1;
	*ret = (struct job){ .version = n ? versions[n - 1] : 0 };
	free(versions);
	return 0;
}

int job_read(const char *folder, struct job *ret, bool *ret_damaged, struct err *err)
{
	char *path = path_join(folder, "job.json");
	const char *bad = NULL;
	cJSON *file = NULL;
	struct err listing;
	int rc = -1;

	memset(ret, 0, sizeof(*ret)); /* read in place: it is large */
	if (state_file_read(path, FILE_MAX_BYTES, &file, err))
		goto out;
	if (file && from_json(file, ret, &bad)) {
		memset(ret, 0, sizeof(*ret));
		cJSON_Delete(file);
		file = NULL;
		err_set(err, ERR_CONFIG, "damaged: '%s': member '%s'", path, bad);
		if (state_file_set_aside(path, err))
			goto out;
	}
	if (!file && rebuild(folder, ret, &listing)) {
		*err = listing;
		goto out;
	}
	*ret_damaged = err->kind != ERR_NONE;
	rc = 0;
out:
	cJSON_Delete(file);
	free(path);
	return rc;
}

/* Gives the object of `members`. */
static cJSON *to_json(const void *facts, const struct member *members, size_t n)
{
	cJSON *object = cJSON_CreateObject();

	if (!object)
		abort();
	for (size_t i = 0; i < n; i++)
		write_member(object, &members[i], facts);
	return object;
}

static cJSON *issuers_to_json(const struct job *job)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < JOB_ISSUERS; i++)
		if (job->issuers[i].name[0] &&
		    !cJSON_AddItemToArray(
			    list, to_json(&job->issuers[i], issuer_members, N_ISSUER)))
			abort();
	return list;
}

static bool is_needed(const struct target_record *row)
{
	return row->fallback.count || row->older.count || row->older_version;
}

static cJSON *targets_to_json(const struct job *job)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < JOB_TARGETS; i++) {
		const struct target_record *row = &job->targets[i];
		cJSON *object;

		if (!is_needed(row))
			continue;
		object = to_json(row, target_members, N_TARGET);
		if (!cJSON_AddItemToObject(
			    object, "fallback",
			    to_json(&row->fallback, failures_members, N_FAILURES)) ||
		    !cJSON_AddItemToObject(
			    object, "older",
			    to_json(&row->older, failures_members, N_FAILURES)) ||
		    !cJSON_AddItemToArray(list, object))
			abort();
	}
	return list;
}

int job_write(const char *folder, const struct job *job, struct err *err)
{
	char *path = path_join(folder, "job.json");
	cJSON *file = to_json(job, job_members, N_JOB);
	int rc = -1;

	for (size_t i = 0; i < N_KINDS; i++)
		if (!cJSON_AddItemToObject(file, kinds[i].name,
					   to_json((const char *)job + kinds[i].offset,
						   failures_members, N_FAILURES)))
			abort();
	if (!cJSON_AddItemToObject(file, "issuers", issuers_to_json(job)) ||
	    !cJSON_AddItemToObject(file, "targets", targets_to_json(job)))
		abort();
	if (dir_make(folder, FILE_SECRET, err) || json_write_file(path, file, err))
		goto out;
	rc = 0;
out:
	cJSON_Delete(file);
	free(path);
	return rc;
}

struct issuer_record *job_issuer(struct job *job, const char *name)
{
	struct issuer_record *row = &job->issuers[0];

	for (size_t i = 0; i < JOB_ISSUERS; i++) {
		if (str_equal(job->issuers[i].name, name))
			return &job->issuers[i];
		if (job->issuers[i].failed_at < row->failed_at)
			row = &job->issuers[i];
	}
	*row = (struct issuer_record){ 0 };
	str_copy(row->name, sizeof(row->name), name);
	return row;
}

static int64_t failed_last_at(const struct target_record *row)
{
	return row->fallback.last_at > row->older.last_at ? row->fallback.last_at
							  : row->older.last_at;
}

/* Rows without failures give way first. */
static bool gives_way_to(const struct target_record *row,
			 const struct target_record *other)
{
	if (!is_needed(row) || !is_needed(other))
		return !is_needed(row) && is_needed(other);
	return failed_last_at(row) < failed_last_at(other);
}

struct target_record *job_target(struct job *job, const char *target)
{
	struct target_record *row = &job->targets[0];

	for (size_t i = 0; i < JOB_TARGETS; i++) {
		if (str_equal(job->targets[i].target, target))
			return &job->targets[i];
		if (gives_way_to(&job->targets[i], row))
			row = &job->targets[i];
	}
	*row = (struct target_record){ 0 };
	str_copy(row->target, sizeof(row->target), target);
	return row;
}

const struct target_record *job_target_of(const struct job *job, const char *target)
{
	static const struct target_record none = { 0 };

	for (size_t i = 0; i < JOB_TARGETS; i++)
		if (str_equal(job->targets[i].target, target))
			return &job->targets[i];
	return &none;
}

struct failures *job_fallback(struct job *job, const char *target)
{
	return &job_target(job, target)->fallback;
}

const struct failures *job_fallback_of(const struct job *job, const char *target)
{
	return &job_target_of(job, target)->fallback;
}

void job_forget_failures(struct job *job)
{
	memset(&job->renewal, 0, sizeof(job->renewal));
	memset(&job->deployment, 0, sizeof(job->deployment));
	memset(job->targets, 0, sizeof(job->targets));
	job->rounds_since_expiry = 0;
}

/* Files of older versions do not know the directory. */
bool job_came_from(const struct job *job, const char *issuer, const char *directory)
{
	return job->last_issuer[0] && str_equal(job->last_issuer, issuer) &&
	       (!job->last_directory[0] || str_equal(job->last_directory, directory));
}
