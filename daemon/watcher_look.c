#include "daemon/watcher_look.h"

#include <stdlib.h>

#include <uv.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"

#define PROBE_TIMEOUT_S 5

/* A process of another account counts: we may not signal it. */
static bool is_alive(int64_t pid)
{
	int failed;

	if (pid <= 0 || pid > INT32_MAX)
		return false;
	failed = uv_kill((int)pid, 0);
	return !failed || failed == UV_EPERM;
}

static void look_at_daemon(const struct config *config, struct watcher_look *look)
{
	struct watcher_facts *facts = &look->facts;
	struct file_facts file;
	struct err ignored;

	if (!heartbeat_read(config->state_dir, &look->beat, &look->no_beat))
		facts->beat = &look->beat;
	facts->no_beat = look->no_beat.text;
	facts->alive = facts->beat && is_alive(look->beat.pid);
	facts->awake_ms = clock_awake_ms();
	clock_boot_id(look->boot_id);
	facts->boot_id = look->boot_id;
	heartbeat_digest(config->path, look->config_sha256);
	facts->config_sha256 = look->config_sha256;
	if (!file_inspect(config->path, &file, &ignored))
		facts->config_modified_at = file.modified_at;
}

static size_t count_endpoints(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_certificates; i++)
		for (size_t k = 0; k < config->certificates[i].n_targets; k++)
			n += config->certificates[i].targets[k].n_verify;
	return n;
}

static void look_at_target(const struct certificate_config *certificate,
			   const struct target *target, struct watcher_look *look)
{
	for (size_t i = 0; i < target->n_verify; i++) {
		struct watcher_endpoint *one =
			&look->endpoints[look->facts.n_endpoints++];

		one->certificate = certificate;
		one->target = target;
		one->where = target->verify[i].connect;
		probe_endpoint(&target->verify[i], PROBE_TIMEOUT_S, NULL, &one->seen);
	}
}

/* Endpoints first: a heartbeat that is read after them knows at least as much. */
void watcher_look(const struct config *config, struct watcher_look *ret)
{
	*ret = (struct watcher_look){ .facts.config = config };
	ret->endpoints = mem_calloc(count_endpoints(config) + 1, sizeof(*ret->endpoints));
	ret->facts.endpoints = ret->endpoints;
	for (size_t i = 0; i < config->n_certificates; i++)
		for (size_t k = 0; k < config->certificates[i].n_targets; k++)
			look_at_target(&config->certificates[i],
				       &config->certificates[i].targets[k], ret);
	look_at_daemon(config, ret);
}

void watcher_look_release(struct watcher_look *look)
{
	heartbeat_clear(&look->beat);
	free(look->endpoints);
	*look = (struct watcher_look){ 0 };
}
