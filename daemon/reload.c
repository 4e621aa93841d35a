/* reload.c - from one configuration to the next while the daemon runs: certificates that
 * stay keep what was asked for them, those that go are said aloud, and a broken file
 * changes nothing. */
#include "daemon/loop.h"
#include "daemon/pipeline.h"
#include "hooks/mode.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/system.h"

static bool is_on_http(const struct config *config,
		       const struct certificate_config *certificate)
{
	char *folder = pipeline_folder(config, certificate->name);
	enum target_mode mode = MODE_HTTPS;
	struct err ignored;

	for (size_t i = 0; i < certificate->n_targets && mode != MODE_FALLBACK; i++)
		(void)target_mode_read(folder, certificate->targets[i].name, &mode,
				       &ignored);
	free(folder);
	return mode == MODE_FALLBACK;
}

static void tell_shrunk(struct loop *loop, const struct config *before,
			const struct config *after)
{
	char *what;

	for (size_t i = 0; i < before->n_certificates; i++) {
		const char *name = before->certificates[i].name;

		if (config_certificate(after, name))
			continue;
		what = str_printf(
			"certificate '%s' is no longer in the configuration: nobody "
			"renews it now",
			name);
		engine_tell(&loop->engine, EVENT_MANAGED_SET_SHRANK, what,
			    is_on_http(before, &before->certificates[i])
				    ? "it speaks plain HTTP since we took it there, and "
				      "nobody brings it back: put it back, then "
				      "`certrenewd fallback NAME off` before it goes"
				    : "put it back if that was not meant");
		free(what);
	}
}

/* The alert carries the first error, the log all of them. */
static int reject(struct loop *loop, const struct config_report *report, struct err *err)
{
	for (size_t i = 1; i < report->errors.n; i++)
		log_line(LOG_LEVEL_ERROR, NULL, NULL, "%s", report->errors.items[i]);
	err_set(err, ERR_CONFIG, "%s%s", report->errors.n ? report->errors.items[0] : "",
		report->errors.n > 1 ? " (and more)" : "");
	engine_tell(
		&loop->engine, EVENT_CONFIG_REJECTED, err->text,
		"the old configuration stays in force: run `certrenewd check-config`");
	agenda_tell(&loop->agenda);
	return -1;
}

void loop_config_is_good(struct loop *loop)
{
	engine_tell(&loop->engine, EVENT_RECOVERED, "the configuration is good", NULL);
	agenda_tell(&loop->agenda);
}

void loop_open_log(const struct config *config, const struct host *host)
{
	char *file = host_log_file(host);
	struct err err;

	if (log_configure(config, file, &err))
		log_line(LOG_LEVEL_WARNING, NULL, NULL, "%s", err.text);
	free(file);
}

void loop_log_warnings(const struct config *config, const struct config_report *report)
{
	struct strlist closed = { 0 };

	for (size_t i = 0; i < report->warnings.n; i++)
		log_line(LOG_LEVEL_WARNING, NULL, NULL, "%s", report->warnings.items[i]);
	system_closed_folders(config, &closed);
	for (size_t i = 0; i < closed.n; i++)
		log_line(LOG_LEVEL_WARNING, NULL, NULL, "%s", closed.items[i]);
	strlist_clear(&closed);
}

int loop_reload(struct loop *loop, struct err *err)
{
	const struct config *before = loop->config->config, *after;
	struct config_report report = { 0 };
	int rc = -1;

	if (config_load(before->path, true, &after, &report)) {
		reject(loop, &report, err);
		goto out;
	}
	if (!str_equal(after->state_dir, before->state_dir)) {
		strlist_add(&report.errors,
			    "state_dir cannot change while the daemon runs: "
			    "restart it");
		config_free(after);
		reject(loop, &report, err);
		goto out;
	}
	if (engine_use(&loop->engine, after, err)) {
		strlist_add(&report.errors, err->text);
		config_free(after);
		reject(loop, &report, err);
		goto out;
	}
	loop_open_log(after, loop->host);
	loop_log_warnings(after, &report);
	loop_config_is_good(loop);
	tell_shrunk(loop, before, after);
	loop_refuse(agenda_use(&loop->agenda, after));
	config_ref_release(loop->config);
	loop->config = config_ref_new(after, loop->engine.generation);
	notice_keep_only(loop->notice, after);
	pulse_configured(loop);
	engine_tell(&loop->engine, EVENT_RECOVERED, "the configuration is good", NULL);
	log_line(LOG_LEVEL_INFO, NULL, NULL,
		 "configuration read again: %zu certificate%s", after->n_certificates,
		 after->n_certificates == 1 ? "" : "s");
	rc = 0;
out:
	config_report_clear(&report);
	return rc;
}
