#include "daemon/watcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/watch.h"

/* Takes `what`. */
static struct finding_of_watch *add(struct watcher_findings *list, enum event_kind kind,
				    char *what)
{
	list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
	list->items[list->n] = (struct finding_of_watch){
		.kind = kind,
		.severity = event_severity(kind),
		.what = what,
	};
	return &list->items[list->n++];
}

void watcher_findings_clear(struct watcher_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->items[i].what);
	free(findings->items);
	*findings = (struct watcher_findings){ 0 };
}

bool watcher_found(const struct watcher_findings *findings, const char *certificate,
		   const char *target)
{
	for (size_t i = 0; i < findings->n; i++)
		if (str_equal(findings->items[i].certificate, certificate) &&
		    (!target || str_equal(findings->items[i].target, target)))
			return true;
	return false;
}

/* ---- the daemon ---------------------------------------------------------- */

static bool same_boot(const struct watcher_facts *facts)
{
	return facts->beat && str_equal(facts->beat->boot_id, facts->boot_id);
}

/* How long the system was awake without a beat. */
static int64_t silence_ms(const struct watcher_facts *facts)
{
	int64_t silence = facts->awake_ms;

	if (same_boot(facts))
		silence -= facts->beat->beat_awake_ms;
	return silence < 0 ? 0 : silence;
}

/* Does the daemon live, so that it tells its own troubles? It may be restarting. */
static bool is_there(const struct watcher_facts *facts)
{
	bool gone = !facts->alive || (facts->beat && facts->beat->stopped);

	return same_boot(facts) &&
	       silence_ms(facts) < (gone ? WATCHER_DEAD_MS : WATCHER_STUCK_MS);
}

static void found_dead(struct watcher_findings *ret, char *what)
{
	add(ret, EVENT_DAEMON_DEAD, what)->todo =
		"nobody renews certificates now: start the daemon and read its log";
}

static void found_no_beat(const struct watcher_facts *facts, struct watcher_findings *ret)
{
	char *what = str_printf("the daemon gives no sign of life: %s", facts->no_beat);

	found_dead(ret, what);
	if (facts->beat_damaged)
		ret->items[ret->n - 1].todo =
			"see whether the daemon runs: one that lives writes this file "
			"anew within a minute; else start it and read its log";
}

static void judge_daemon(const struct watcher_facts *facts, struct watcher_findings *ret)
{
	const struct heartbeat *beat = facts->beat;
	int64_t silence = silence_ms(facts);
	char ago[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
	long long pid = beat ? (long long)beat->pid : 0;

	clock_format_duration(silence / 1000, ago);
	clock_format_people(beat ? beat->beat_at : 0, last);
	if (!beat) {
		if (facts->awake_ms >= WATCHER_BOOT_MS)
			found_no_beat(facts, ret);
	} else if (!same_boot(facts)) {
		if (silence >= WATCHER_BOOT_MS)
			found_dead(ret, str_printf("the daemon has not started since the "
						   "system booted %s ago; its last sign "
						   "of life is of %s",
						   ago, last));
	} else if (silence < WATCHER_DEAD_MS) {
		return;
	} else if (beat->stopped) {
		found_dead(ret, str_printf("the daemon was stopped at %s and was not "
					   "started again",
					   last));
	} else if (!facts->alive) {
		found_dead(ret,
			   str_printf("the daemon is dead: process %lld is gone, its "
				      "last sign of life is %s old (%s)",
				      pid, ago, last));
	} else if (silence >= WATCHER_STUCK_MS) {
		add(ret, EVENT_DAEMON_STUCK,
		    str_printf("the daemon is stuck: process %lld is there, but has "
			       "given no sign of life for %s (since %s)",
			       pid, ago, last))
			->todo = "restart the daemon; before that, gdb -p shows where it "
				 "hangs";
	}
}

static void judge_reload(const struct watcher_facts *facts, int64_t now,
			 struct watcher_findings *ret)
{
	const char *runs = facts->beat->config_sha256, *file = facts->config_sha256;
	char at[CLOCK_TEXT_MAX];

	if (!*runs || !*file || !strcmp(runs, file) ||
	    now - facts->config_modified_at < WATCHER_RELOAD_S)
		return;
	clock_format_people(facts->config_modified_at, at);
	add(ret, EVENT_CONFIG_REJECTED,
	    str_printf("the daemon runs with another configuration than '%s', which was "
		       "changed at %s",
		       facts->config->path, at))
		->todo = "certrenewd check-config, then certrenewd reload";
}

/* A daemon that lives goes on as before, and somebody may still be editing. */
static void judge_refused(const struct watcher_facts *facts, int64_t now,
			  struct watcher_findings *ret)
{
	if (is_there(facts) && now - facts->config_modified_at < WATCHER_RELOAD_S)
		return;
	add(ret, EVENT_CONFIG_REJECTED,
	    str_printf("the configuration is refused, and no daemon starts with it: %s",
		       facts->refused))
		->todo = "certrenewd check-config";
}

/* ---- its passes ---------------------------------------------------------- */

/* A pass may wait for an idle hour of each application. */
static int64_t pass_limit_ms(const struct certificate_config *certificate)
{
	int64_t limit = WATCHER_PASS_MS;

	for (size_t i = 0; i < certificate->n_targets; i++)
		limit += certificate->targets[i].wait_idle.at_most_s * 1000;
	return limit;
}

static void judge_pass(const struct watcher_facts *facts,
		       const struct certificate_config *config,
		       struct watcher_findings *ret)
{
	const struct heartbeat_certificate *one = heartbeat_find(facts->beat,
								 config->name);
	char text[CLOCK_TEXT_MAX];
	char *what = NULL;
	struct finding_of_watch *found;

	if (!one)
		return;
	if (one->busy_awake_ms) {
		int64_t busy_ms = facts->awake_ms - one->busy_awake_ms;

		clock_format_duration(busy_ms / 1000, text);
		if (busy_ms > pass_limit_ms(config))
			what = str_printf("the daemon has been at work on it for %s",
					  text);
	} else if (one->next_at &&
		   facts->beat->beat_at - one->next_at > WATCHER_OVERDUE_S) {
		clock_format_people(one->next_at, text);
		what = str_printf("it was to be looked at on %s, and the daemon has not "
				  "begun",
				  text);
	}
	if (!what)
		return;
	found = add(ret, EVENT_DAEMON_STUCK, what);
	found->certificate = config->name;
	found->todo = "read the log for what it waits for; restart the daemon";
}

/* ---- what is served ------------------------------------------------------ */

struct view { /* one endpoint, beside what the daemon says of it */
	const struct watcher_endpoint *endpoint;
	bool daemon; /* there is one that tells its own troubles */
	bool busy, told, failing;
	const char *sha1; /* what it says is served; "": it does not */
	int64_t now;
};

static struct view view_of(const struct watcher_facts *facts,
			   const struct watcher_endpoint *endpoint, int64_t now)
{
	struct view view = { .endpoint = endpoint, .sha1 = "", .now = now };
	const struct heartbeat_certificate *one = NULL;
	const struct heartbeat_target *target = NULL;

	view.daemon = is_there(facts);
	if (view.daemon)
		one = heartbeat_find(facts->beat, endpoint->certificate->name);
	if (one) {
		view.busy = one->busy_awake_ms != 0;
		view.failing = one->failing;
		target = heartbeat_find_target(one, endpoint->target->name);
	}
	if (target) {
		view.told = target->told;
		view.sha1 = target->sha1;
	}
	return view;
}

static struct finding_of_watch *add_served(const struct view *view, enum event_kind kind,
					   enum severity severity, char *what,
					   struct watcher_findings *ret)
{
	struct finding_of_watch *found = add(ret, kind, what);

	found->severity = severity;
	found->certificate = view->endpoint->certificate->name;
	found->target = view->endpoint->target->name;
	found->todo = "certrenewd status, certrenewd explain NAME, and the application's "
		      "log";
	return found;
}

static void judge_age(const struct view *view, struct watcher_findings *ret)
{
	const struct probe_result *seen = &view->endpoint->seen;
	struct watch_verdict verdict = watch_decide(
		&view->endpoint->certificate->renew_at, seen->not_before, seen->not_after,
		view->now);
	char end[CLOCK_TEXT_MAX], left[CLOCK_TEXT_MAX];

	clock_format_people(seen->not_after, end);
	clock_format_duration(seen->not_after - view->now, left);
	if (verdict.step == WATCH_EXPIRED)
		add_served(view, EVENT_SERVED_WRONG, SEVERITY_CRITICAL,
			   str_printf("%s serves a certificate that expired at %s",
				      view->endpoint->endpoint->connect, end),
			   ret);
	else if (verdict.step >= WATCH_WARNING && !view->failing && !view->told)
		add_served(view, EVENT_SERVED_WRONG,
			   verdict.step == WATCH_CRITICAL ? SEVERITY_CRITICAL
							  : SEVERITY_WARNING,
			   str_printf("%s serves a certificate that runs out in %s (%s), "
				      "and %s",
				      view->endpoint->endpoint->connect, left, end,
				      view->daemon ? "the daemon says that all is well"
						   : "no daemon is there to renew it"),
			   ret);
}

static void judge_tls(const struct view *view, struct watcher_findings *ret)
{
	const struct probe_result *seen = &view->endpoint->seen;

	judge_age(view, ret);
	if (!view->busy && *view->sha1 && strcmp(view->sha1, seen->sha1) != 0)
		add_served(view, EVENT_SERVED_WRONG, SEVERITY_WARNING,
			   str_printf("%s serves %s, not %s as the daemon says",
				      view->endpoint->endpoint->connect, seen->sha1,
				      view->sha1),
			   ret);
}

static void judge_endpoint(const struct view *view, struct watcher_findings *ret)
{
	const struct watcher_endpoint *endpoint = view->endpoint;

	if (endpoint->seen.kind == PROBE_TLS) {
		judge_tls(view, ret);
		return;
	}
	if (view->busy || view->told)
		return; /* a restart under way; or the daemon has told it itself */
	if (endpoint->seen.kind == PROBE_PLAIN)
		add_served(view, EVENT_SERVED_WRONG, SEVERITY_CRITICAL,
			   str_printf("%s does not speak TLS: %s",
				      endpoint->endpoint->connect, endpoint->seen.detail),
			   ret);
	else
		add_served(view, EVENT_SILENT, SEVERITY_WARNING,
			   str_printf("%s does not answer: %s",
				      endpoint->endpoint->connect, endpoint->seen.detail),
			   ret);
}

void watcher_decide(const struct watcher_facts *facts, int64_t now,
		    struct watcher_findings *ret)
{
	judge_daemon(facts, ret);
	if (facts->refused)
		judge_refused(facts, now, ret);
	if (is_there(facts)) {
		if (!facts->refused)
			judge_reload(facts, now, ret);
		for (size_t i = 0; i < facts->config->n_certificates; i++)
			judge_pass(facts, &facts->config->certificates[i], ret);
	}
	for (size_t i = 0; i < facts->n_endpoints; i++) {
		struct view view = view_of(facts, &facts->endpoints[i], now);

		judge_endpoint(&view, ret);
	}
}
