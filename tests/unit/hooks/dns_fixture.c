#include "dns_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/http_client.h"
#include "base/str.h"
#include "hooks/resolver.h"
#include "tests/unit/acme/posix/child.h"
#include "tests/unit/base/tempdir.h"

static struct child services;
static char *folder, *url, *plain_url, *ca_bundle, *texts;
static char *cname_name, *cname_target;

int dns_start(void **state)
{
	const char *argv[] = { "/usr/bin/python3", DNS_SERVICES, NULL, NULL };
	char ports[64];
	int port, plain_port;

	(void)state;
	folder = tempdir_new();
	argv[2] = folder;
	child_start(&services, argv, ports, sizeof(ports));
	if (sscanf(ports, "%d %d", &port, &plain_port) != 2)
		return -1;
	url = str_printf("https://127.0.0.1:%d", port);
	plain_url = str_printf("http://127.0.0.1:%d", plain_port);
	ca_bundle = path_join(folder, "root.pem");
	return 0;
}

int dns_stop(void **state)
{
	(void)state;
	child_stop(&services);
	free(url);
	free(plain_url);
	free(ca_bundle);
	free(texts);
	free(cname_name);
	free(cname_target);
	tempdir_free(folder);
	return 0;
}

const char *dns_url(void)
{
	return url;
}

const char *dns_plain_url(void)
{
	return plain_url;
}

struct secret dns_secret(const char *text)
{
	return (struct secret){ .bytes = text, .len = strlen(text), .source = "a test" };
}

/* ---- the resolver -------------------------------------------------------- */

int __wrap_resolver_follow(struct resolver *resolver, const char *name, char **ret_name,
			   struct err *err);

int __wrap_resolver_follow(struct resolver *resolver, const char *name, char **ret_name,
			   struct err *err)
{
	(void)resolver;
	if (str_equal(name, cname_name) && !cname_target)
		return err_set(err, ERR_TRANSIENT, "no name server answers");
	*ret_name = str_dup(str_equal(name, cname_name) ? cname_target : name);
	return 0;
}

void dns_cname(const char *name, const char *target)
{
	free(cname_name);
	free(cname_target);
	cname_name = str_dup(name);
	cname_target = str_dup(target);
}

/* ---- the services -------------------------------------------------------- */

/* Gives what the services answer. */
static cJSON *ask(const char *method, const char *path, const char *body)
{
	const struct http_client_options options = { .ca_bundle = ca_bundle };
	char *address = str_printf("%s%s", url, path);
	struct http_request request = { .method = method,
					.url = address,
					.body = body,
					.body_len = body ? strlen(body) : 0 };
	struct http_response response = { 0 };
	struct http_client *client;
	cJSON *json = NULL;
	struct err err;

	if (http_client_new(&options, NULL, &client, &err) ||
	    http_client_perform(client, &request, &response, &err) ||
	    json_parse(response.body.data, response.body.len, &json, &err))
		fail_msg("%s", err.text);
	http_response_release(&response);
	http_client_free(client);
	free(address);
	return json;
}

void dns_control(const char *json)
{
	char *text = str_dup(json);

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	cJSON_Delete(ask("POST", "/control", text));
	free(text);
}

const cJSON *dns_seen(struct dns_world *world)
{
	cJSON_Delete(world->seen);
	world->seen = ask("GET", "/log", NULL);
	return world->seen;
}

int dns_count(struct dns_world *world, const char *method, int status)
{
	const cJSON *each;
	int n = 0;

	cJSON_ArrayForEach (each, cJSON_GetObjectItem(dns_seen(world), "log")) {
		if ((!method || str_equal(json_string(each, "method"), method)) &&
		    json_int(each, "status", 0) == status)
			n++;
	}
	return n;
}

const char *dns_texts(struct dns_world *world, const char *name)
{
	const cJSON *records = cJSON_GetObjectItem(dns_seen(world), "records"), *each;
	struct buf all;

	buf_init(&all, 64 * 1024);
	cJSON_ArrayForEach (each, cJSON_GetObjectItemCaseSensitive(records, name)) {
		buf_printf(&all, "%s%s", all.len ? " " : "", each->valuestring);
	}
	free(texts);
	texts = str_dup(buf_str(&all));
	buf_release(&all);
	return texts;
}

/* ---- a test's world ------------------------------------------------------ */

void dns_world_init(struct dns_world *world, enum dns_provider_type type,
		    const char *path)
{
	*world = (struct dns_world){ .folder = tempdir_new() };
	world->provider = (struct dns_provider){ .name = "mine",
						 .type = type,
						 .ttl_s = 60,
						 .timeout_s = 5,
						 .ca_bundle = ca_bundle };
	world->provider.url = str_printf("%s%s", url, path);
	world->work.provider = &world->provider;
	world->answer = (struct dns_answer){ .domain = "a.example.com",
					     .record = DNS_RECORD,
					     .value = DNS_VALUE,
					     .token = "a-t0ken",
					     .key_authorization = "a-t0ken.thumb" };
	dns_control("{'reset': true}");
	dns_cname(NULL, NULL);
}

void dns_world_release(struct dns_world *world)
{
	tempdir_free(world->folder);
	free((char *)world->provider.url);
	cJSON_Delete(world->seen);
}

void dns_must_present(struct dns_world *world, const char *value)
{
	world->answer.value = value;
	if (dns_present(&world->work, &world->answer, &world->err))
		fail_msg("%s", world->err.text);
}

void dns_must_withdraw(struct dns_world *world, const char *value)
{
	world->answer.value = value;
	if (dns_withdraw(&world->work, &world->answer, &world->err))
		fail_msg("%s", world->err.text);
}

void dns_must_fail(struct dns_world *world, enum err_kind kind, const char *part)
{
	assert_int_equal(dns_present(&world->work, &world->answer, &world->err), -1);
	if (world->err.kind != kind)
		fail_msg("it is '%s': %s", err_kind_name(world->err.kind),
			 world->err.text);
	assert_says(&world->err, "DNS provider 'mine': ");
	assert_says(&world->err, part);
}
