/* resolver_await.c - is the record there yet, where the CA will look? The rules are in
 * resolver.h: servers that answer must have it, those that do not are left out, and where
 * none answers our resolvers speak for them. */
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "hooks/resolver_parts.h"

#define ROUND_MS 3000
#define PAUSE_FIRST_MS 1000
#define PAUSE_MOST_MS 10000
#define SILENT_ROUNDS 2 /* then a server is left out */
#define SAID_MAX 160

struct place { /* one server of the zone */
	const char *server;
	bool seen;
	int silent; /* rounds without an answer */
	char said[SAID_MAX];
};

struct await {
	struct resolver *resolver;
	const char *name, *value;
	char *zone; /* NULL: not found so far */
	struct strlist servers;
	struct place *places;    /* one a server */
	char said[2 * SAID_MAX]; /* what our resolvers said, or why there is no zone */
};

/* ---- looking at answers -------------------------------------------------- */

/* Has the answer the value? Else what it says instead. */
static bool has_value(const struct dns_message *message, const char *name,
		      const char *value, char said[SAID_MAX])
{
	const char *owner = dns_message_owner(message, name), *other = NULL;
	const struct dns_record *record = NULL;
	char spare[16], *text;

	while ((record = dns_message_next(message, record, DNS_ANSWER, owner,
					  DNS_TYPE_TXT))) {
		if (str_equal(record->text, value))
			return true;
		other = record->text;
	}
	if (message->rcode != DNS_NOERROR)
		text = str_printf("answers %s", dns_rcode_name(message->rcode, spare));
	else if (other)
		text = str_printf("has other texts ('%.60s')", other);
	else
		text = str_dup("has no TXT record there");
	str_copy(said, SAID_MAX, text);
	str_make_printable(said);
	free(text);
	return false;
}

static void look(const struct await *await, const struct buf *query,
		 const struct resolver_send *send, struct place *place)
{
	struct dns_message message;
	struct err err;

	if (!send->answer.len) {
		place->silent++;
		str_copy(place->said, sizeof(place->said), "does not answer");
		return;
	}
	place->silent = 0;
	if (resolver_read_answer(query, &send->answer, &message, &err)) {
		str_copy(place->said, sizeof(place->said), err.text);
		return;
	}
	place->seen = has_value(&message, await->name, await->value, place->said);
	dns_message_release(&message);
}

/* ---- a round ------------------------------------------------------------- */

static bool left_out(const struct place *place)
{
	return place->silent >= SILENT_ROUNDS;
}

static int find_servers(struct await *await, struct err *err)
{
	struct err why;

	if (await->zone)
		return 0;
	if (resolver_zone(await->resolver, await->name, &await->zone, &await->servers,
			  &why)) {
		str_copy(await->said, sizeof(await->said), why.text);
		strlist_clear(&await->servers);
		return cancel_check(await->resolver->cancel, err);
	}
	await->places = mem_calloc(await->servers.n + 1, sizeof(*await->places));
	for (size_t i = 0; i < await->servers.n; i++)
		await->places[i].server = await->servers.items[i];
	return 0;
}

/* Asks every server that has not shown it yet, all at once. */
static int ask_servers(struct await *await, struct err *err)
{
	struct resolver_send *sends = mem_calloc(await->servers.n + 1, sizeof(*sends));
	size_t *which = mem_calloc(await->servers.n + 1, sizeof(*which)), n = 0;
	struct buf query;
	int rc = -1;

	buf_init(&query, DNS_MESSAGE_MAX);
	for (size_t i = 0; i < await->servers.n; i++) {
		if (await->places[i].seen || left_out(&await->places[i]))
			continue;
		which[n] = i;
		sends[n].server = await->places[i].server;
		buf_init(&sends[n++].answer, DNS_MESSAGE_MAX);
	}
	if (resolver_question(await->name, DNS_TYPE_TXT, false, &query, err) ||
	    resolver_send_all(&query, sends, n, ROUND_MS, await->resolver->cancel, err))
		goto out;
	for (size_t i = 0; i < n; i++)
		look(await, &query, &sends[i], &await->places[which[i]]);
	rc = 0;
out:
	for (size_t i = 0; i < n; i++)
		buf_release(&sends[i].answer);
	buf_release(&query);
	free(which);
	free(sends);
	return rc;
}

static bool nobody_answers(const struct await *await)
{
	for (size_t i = 0; i < await->servers.n; i++)
		if (!left_out(&await->places[i]))
			return false;
	return true;
}

static bool seen_everywhere(const struct await *await)
{
	for (size_t i = 0; i < await->servers.n; i++)
		if (!await->places[i].seen && !left_out(&await->places[i]))
			return false;
	return !nobody_answers(await);
}

/* Our resolvers in place of servers that cannot be reached. */
static bool resolvers_see_it(struct await *await)
{
	struct strlist values = { 0 };
	struct err err;
	bool seen = false;

	if (resolver_txt(await->resolver, await->name, &values, &err))
		str_copy(await->said, sizeof(await->said), err.text);
	else if (strlist_has(&values, await->value))
		seen = true;
	else
		str_copy(await->said, sizeof(await->said),
			 "our resolvers see other texts there");
	strlist_clear(&values);
	return seen;
}

/* *ret_seen: it is there, as far as can be seen from here. */
static int look_around(struct await *await, bool *ret_seen, struct err *err)
{
	*ret_seen = false;
	if (find_servers(await, err))
		return -1;
	if (!await->zone)
		return 0;
	if (!nobody_answers(await) && ask_servers(await, err))
		return -1;
	*ret_seen = nobody_answers(await) ? resolvers_see_it(await)
					  : seen_everywhere(await);
	return cancel_check(await->resolver->cancel, err);
}

/* ---- the sentence -------------------------------------------------------- */

static int tell(const struct await *await, int64_t timeout_s, struct err *err)
{
	struct buf who;

	buf_init(&who, sizeof(err->text) / 2);
	for (size_t i = 0; i < await->servers.n; i++)
		if (!await->places[i].seen && !left_out(&await->places[i]))
			buf_printf(&who, "%s'%s' %s", who.len ? ", " : "",
				   await->places[i].server, await->places[i].said);
	if (!await->zone)
		err_set(err, ERR_TRANSIENT, "its zone is not found: %s", await->said);
	else if (nobody_answers(await))
		err_set(err, ERR_TRANSIENT,
			"no server of zone '%s' answers here (is port 53 closed?), and "
			"%s",
			await->zone, await->said);
	else
		err_set(err, ERR_TRANSIENT,
			"%s; if this network sees another zone '%s' than the Internet, "
			"name public `resolvers`",
			buf_str(&who), await->zone);
	buf_release(&who);
	return err_wrap(err, "the TXT record '%s' is not seen everywhere after %lld s",
			await->name, (long long)timeout_s);
}

int resolver_await(struct resolver *resolver, const char *name, const char *value,
		   int64_t timeout_s, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_s * 1000, pause_ms = PAUSE_FIRST_MS;
	struct await await = { .resolver = resolver, .name = name, .value = value };
	bool seen = false;
	int rc = -1;

	while (!look_around(&await, &seen, err)) {
		int64_t left_ms = until_ms - clock_mono_ms();

		if (seen || left_ms <= 0) {
			rc = seen ? 0 : tell(&await, timeout_s, err);
			break;
		}
		if (clock_sleep_ms(pause_ms < left_ms ? pause_ms : left_ms,
				   resolver->cancel)) {
			cancel_check(resolver->cancel, err);
			break;
		}
		pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
	}
	strlist_clear(&await.servers);
	free(await.places);
	free(await.zone);
	return rc;
}
