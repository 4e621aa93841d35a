/* channel.c - one alert to one receiver, once. */
#include "hooks/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/http_client.h"
#include "base/process.h"
#include "base/str.h"

#define TIMEOUT_S 30
#define MAX_ANSWER_BYTES ((size_t)64 * 1024)
#define FIRST_WORDS_BYTES 200
#define DEFAULT_PROGRAM_S 60
#define HTTP_TOO_MANY 429
#define HTTP_TIMEOUT 408

/* ---- secrets ------------------------------------------------------------- */

/* Account and way behind the host are what makes many webhooks secret. */
static void mask_url(char *text, const char *url)
{
	const char *host = strstr(url, "://"), *path, *at;

	if (!host)
		return;
	host += 3;
	path = host + strcspn(host, "/?#");
	at = memchr(host, '@', (size_t)(path - host));
	if (at)
		str_hide(text, host, (size_t)(at - host));
	str_hide(text, path, strlen(path));
}

/* "Bearer abc" is secret as a whole, and so is "abc" alone. */
static void mask_secrets(const struct channel *channel, char *text)
{
	const char *secret = channel->authorization, *blank;

	mask_url(text, channel->url);
	if (!secret)
		return;
	str_hide(text, secret, strlen(secret));
	blank = strchr(secret, ' ');
	if (blank)
		str_hide(text, blank + 1, strlen(blank + 1));
}

/* ---- webhook ------------------------------------------------------------- */

static int check_authorization(const char *authorization, struct err *err)
{
	for (const char *c = authorization; c && *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return err_set(err, ERR_CONFIG,
				       "authorization holds a control character: it must "
				       "be one line");
	}
	return 0;
}

static int judge(const struct http_response *response, struct err *err)
{
	char words[FIRST_WORDS_BYTES + 1] = "";
	const char *later = http_header(response, "retry-after");
	int64_t seconds;
	bool again;

	if (response->status >= 200 && response->status < 300)
		return 0;
	again = response->status >= 500 || response->status == HTTP_TOO_MANY ||
		response->status == HTTP_TIMEOUT;
	strncat(words, buf_str(&response->body), FIRST_WORDS_BYTES);
	str_make_printable(words);
	err_set(err, again ? ERR_TRANSIENT : ERR_REFUSED, "the webhook answered %ld%s%s",
		response->status, *words ? ": " : "", words);
	if (later && !clock_parse_retry_after(later, clock_wall(), &seconds))
		err->retry_after_s = (uint32_t)seconds;
	return -1;
}

static int post(const struct channel *channel, const char *json,
		struct http_client *client, struct err *err)
{
	char *authorization = NULL;
	const char *headers[] = { "Content-Type: application/json", NULL, NULL };
	struct http_request request = { .method = "POST",
					.url = channel->url,
					.headers = headers,
					.body = json,
					.body_len = strlen(json) };
	struct http_response response = { 0 };
	int rc = -1;

	if (channel->authorization) {
		authorization = str_printf("Authorization: %s", channel->authorization);
		headers[1] = authorization;
	}
	if (http_client_perform(client, &request, &response, err))
		goto out;
	mask_secrets(channel, (char *)response.body.data); /* it may echo them */
	rc = judge(&response, err);
	http_response_release(&response);
out:
	str_free_secret(authorization);
	return rc;
}

static int deliver_webhook(const struct channel *channel, const char *json,
			   const struct cancel *cancel, int64_t *ret_date,
			   int64_t *ret_mono_ms, struct err *err)
{
	/* config/ lets http:// through for loopback only. */
	struct http_client_options options = { .ca_bundle = channel->ca_bundle,
					       .proxy = channel->proxy,
					       .timeout_s = TIMEOUT_S,
					       .max_body_bytes = MAX_ANSWER_BYTES,
					       .allow_plain = str_starts(channel->url,
									 "http://") };
	struct http_client *client = NULL;
	int rc = -1;

	if (check_authorization(channel->authorization, err) ||
	    http_client_new(&options, cancel, &client, err))
		goto out;
	rc = post(channel, json, client, err);
	if (ret_date && !http_client_date(client, ret_date, ret_mono_ms))
		*ret_date = *ret_mono_ms = 0;
out:
	http_client_free(client);
	if (rc)
		mask_secrets(channel, err->text);
	return rc;
}

/* ---- program ------------------------------------------------------------- */

static int run_program(const struct channel *channel, const char *json,
		       const char *const *env, const struct cancel *cancel,
		       struct err *err)
{
	const struct program *program = &channel->program;
	struct process_spec spec = { .argv = program->argv,
				     .env = env,
				     .input = json,
				     .timeout_s = program->timeout_s ? program->timeout_s
								     : DEFAULT_PROGRAM_S,
				     .cancel = cancel };

	return process_run_ok(&spec, err);
}

int channel_deliver(const struct channel *channel, const char *json,
		    const char *const *env, const struct cancel *cancel,
		    int64_t *ret_date, int64_t *ret_mono_ms, struct err *err)
{
	int64_t date = 0, mono_ms = 0;
	int rc = -1;

	switch (channel->kind) {
	case CHANNEL_KIND_WEBHOOK:
		rc = deliver_webhook(channel, json, cancel, &date, &mono_ms, err);
		break;
	case CHANNEL_KIND_PROGRAM:
		rc = run_program(channel, json, env, cancel, err);
		break;
	}
	if (ret_date)
		*ret_date = date;
	if (ret_mono_ms)
		*ret_mono_ms = mono_ms;
	return rc ? err_wrap(err, "alert channel '%s'", channel->name) : 0;
}

/* ---- is it there? ---------------------------------------------------------- */

/* Whatever it answers: there is somebody. */
static int ask_webhook(const struct channel *channel, const struct cancel *cancel,
		       struct err *err)
{
	const struct http_client_options options = { .ca_bundle = channel->ca_bundle,
						     .proxy = channel->proxy,
						     .timeout_s = TIMEOUT_S,
						     .max_body_bytes = MAX_ANSWER_BYTES,
						     .allow_plain = str_starts(
							     channel->url, "http://") };
	const struct http_request request = { .method = "HEAD", .url = channel->url };
	struct http_response response = { 0 };
	struct http_client *client = NULL;
	int rc = -1;

	if (http_client_new(&options, cancel, &client, err) ||
	    http_client_perform(client, &request, &response, err))
		goto out;
	http_response_release(&response);
	rc = 0;
out:
	http_client_free(client);
	if (rc)
		mask_secrets(channel, err->text);
	return rc;
}

static int look_at_program(const struct channel *channel, struct err *err)
{
	const char *path = channel->program.argv[0];
	struct file_facts facts;

	if (file_inspect(path, &facts, err))
		return -1;
	return facts.type == FILE_REGULAR || facts.type == FILE_LINK
		       ? 0
		       : err_set(err, ERR_NOT_FOUND, "there is no program '%s'", path);
}

int channel_check(const struct channel *channel, const struct cancel *cancel,
		  struct err *err)
{
	return channel->kind == CHANNEL_KIND_WEBHOOK ? ask_webhook(channel, cancel, err)
						     : look_at_program(channel, err);
}
