#include "daemon/watcher_look.h"

#include <stdlib.h>

#include <uv.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"

#define PROBE_TIMEOUT_S 5
#define PROBERS 8

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
	else
		facts->beat_damaged = look->no_beat.kind == ERR_CONFIG;
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

/* One of several that look at once: at every PROBERS-th endpoint. */
struct prober {
	uv_thread_t thread;
	bool running;
	struct watcher_endpoint *endpoints;
	size_t first, n;
};

static void look_at_some(void *arg)
{
	const struct prober *prober = arg;

	for (size_t i = prober->first; i < prober->n; i += PROBERS)
		probe_endpoint(prober->endpoints[i].endpoint, PROBE_TIMEOUT_S, NULL,
			       &prober->endpoints[i].seen);
}

/* Silent endpoints take their time, and there may be many: several at once. */
static void look_at_endpoints(struct watcher_look *look)
{
	struct prober probers[PROBERS] = { 0 };

	for (size_t i = 0; i < PROBERS; i++) {
		struct prober *prober = &probers[i];

		prober->endpoints = look->endpoints;
		prober->first = i;
		prober->n = look->facts.n_endpoints;
		prober->running = i < prober->n &&
				  !uv_thread_create(&prober->thread, look_at_some,
						    prober);
		if (!prober->running)
			look_at_some(prober); /* no thread to be had: one by one */
	}
	for (size_t i = 0; i < PROBERS; i++)
		if (probers[i].running)
			(void)uv_thread_join(&probers[i].thread);
}

static void list_target(const struct certificate_config *certificate,
			const struct target *target, struct watcher_look *look)
{
	for (size_t i = 0; i < target->n_verify; i++)
		look->endpoints[look->facts.n_endpoints++] = (struct watcher_endpoint){
			.certificate = certificate,
			.target = target,
			.endpoint = &target->verify[i],
		};
}

/* Endpoints first: a heartbeat that is read after them knows at least as much. */
void watcher_look(const struct config *config, struct watcher_look *ret)
{
	*ret = (struct watcher_look){ .facts.config = config };
	ret->endpoints = mem_calloc(count_endpoints(config) + 1, sizeof(*ret->endpoints));
	ret->facts.endpoints = ret->endpoints;
	for (size_t i = 0; i < config->n_certificates; i++)
		for (size_t k = 0; k < config->certificates[i].n_targets; k++)
			list_target(&config->certificates[i],
				    &config->certificates[i].targets[k], ret);
	look_at_endpoints(ret);
	look_at_daemon(config, ret);
}

void watcher_look_release(struct watcher_look *look)
{
	heartbeat_clear(&look->beat);
	free(look->endpoints);
	*look = (struct watcher_look){ 0 };
}
