/* heartbeat.h - the daemon's sign of life, for `certrenewd watch` (daemon/watcher.h):
 * <state_dir>/heartbeat.json, written every minute, when a pass begins and when it ends.
 *
 * It says how the daemon itself thinks that things stand; whether that is true is for the
 * watcher to find out. Who reads it takes no lock: the file is replaced whole. */
#ifndef DAEMON_HEARTBEAT_H
#define DAEMON_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

#define HEARTBEAT_EVERY_MS 60000

struct heartbeat_target {
	char *name;
	char sha1[CERT_SHA1_HEX]; /* what it serves, seen by handshake; "": we do not
				     claim to know */
	bool told; /* it does not serve what it should, and somebody was told */
};

struct heartbeat_certificate {
	char *name;
	int64_t next_at;       /* when it is looked at again; 0: at once */
	int64_t busy_awake_ms; /* since when a pass works on it; 0: none does */
	bool failing; /* the last renewal or deployment failed, and it was told */
	struct heartbeat_target *targets;
	size_t n_targets;
};

struct heartbeat {
	int64_t pid, started_at, beat_at;
	int64_t beat_awake_ms; /* clock_awake_ms() */
	char boot_id[64];
	char config_sha256[65]; /* of the file whose contents are in force; "" unknown */
	bool stopped;           /* its last word: it was told to end */
	struct heartbeat_certificate *certificates;
	size_t n_certificates;
};

/* Frees what is in it; NULL is fine. */
void heartbeat_clear(struct heartbeat *beat);
void heartbeat_certificate_clear(struct heartbeat_certificate *certificate);

/* Borrowed; NULL when it says nothing of that name. */
const struct heartbeat_certificate *heartbeat_find(const struct heartbeat *beat,
						   const char *certificate);
const struct heartbeat_target *
heartbeat_find_target(const struct heartbeat_certificate *certificate,
		      const char *target);

/* Reads what is on disk about a certificate: name, targets and `failing` of *ret, which
 * the caller clears. Damaged files count as nothing known; a sentence each is added to
 * `damaged`, because reading them sets them aside. */
void heartbeat_look(const struct config *config,
		    const struct certificate_config *certificate,
		    struct heartbeat_certificate *ret, struct strlist *damaged);

/* The digest of the configuration file; "" when it cannot be read. */
void heartbeat_digest(const char *config_path, char out[65]);

/* Replaces the file in `state_dir`. */
int heartbeat_write(const char *state_dir, const struct heartbeat *beat, struct err *err);

/* Reads it; the caller clears *ret. ERR_NOT_FOUND: there is none. ERR_CONFIG: damaged,
 * and left as it is. */
int heartbeat_read(const char *state_dir, struct heartbeat *ret, struct err *err);

#endif
