/* kinds.c - the table of field types: which shapes each takes, who reads it, and how it
 * is described to the operator. */
#include <assert.h>

#include "config/addresses.h"
#include "config/readers.h"

#define SCALAR(reader, converter) .scalar = true, .read = (reader), .convert = (converter)
#define LIST(reader, converter) .list = true, .read = (reader), .convert = (converter)

static const struct field_kind kinds[] = {
	[FIELD_TEXT] = { SCALAR(read_text, NULL), .expected = "text" },
	[FIELD_NAME] = { SCALAR(read_converted, value_name),
			 .expected = "a name of up to 63 letters, digits, '-' and '_'" },
	[FIELD_UNIT] = { SCALAR(read_converted, value_unit), .expected = "a systemd unit",
			 .example = "nginx.service" },
	[FIELD_ACCOUNT] = { SCALAR(read_converted, value_account),
			    .expected = "the name or number of an account" },
	[FIELD_PATH] = { SCALAR(read_converted, value_path), .expected = "a path" },
	[FIELD_TRUSTED] = { SCALAR(read_trusted, value_path), .expected = "a path" },
	[FIELD_ABSOLUTE] = { SCALAR(read_converted, value_absolute),
			     .expected = "an absolute path" },
	[FIELD_TLS_JSON] = { SCALAR(read_tls_json, value_absolute),
			     .expected = "an absolute path, {path: PATH} or none",
			     .map = true },
	[FIELD_HTTPS] = { SCALAR(read_converted, address_https),
			  .expected = "an https:// URL" },
	[FIELD_WEBHOOK] = { SCALAR(read_converted, address_webhook),
			    .expected = "an https:// URL" },
	[FIELD_PROXY] = { SCALAR(read_or_none, address_proxy),
			  .expected = "the URL of a proxy or none",
			  .example = "http://proxy:3128" },
	[FIELD_LISTEN] = { SCALAR(read_converted, address_listen),
			   .expected = "an address and port to listen on",
			   .example = "\":80\" or \"127.0.0.1:8080\"" },
	[FIELD_ENDPOINT] = { SCALAR(read_converted, address_endpoint),
			     .expected = "a host and port",
			     .example = "\"127.0.0.1:443\"" },
	[FIELD_SERVER_NAME] = { SCALAR(read_or_none, address_host),
				.expected = "a host name or none" },
	[FIELD_WORD] = { SCALAR(read_word, NULL) },
	[FIELD_CHOICE] = { SCALAR(read_choice, NULL) },
	[FIELD_FLAG] = { SCALAR(read_flag, NULL) },
	[FIELD_FLAGS] = { LIST(read_flags, NULL), .expected = "a list of " },
	[FIELD_NUMBER] = { SCALAR(read_number, NULL), .expected = "a whole number" },
	[FIELD_DURATION] = { SCALAR(read_duration, NULL), .expected = "a duration",
			     .example = "90s, 15m, 24h or 30d" },
	[FIELD_PATIENCE] = { SCALAR(read_patience, NULL), .expected = "no or a duration",
			     .example = "90s, 15m, 24h or 30d" },
	[FIELD_SIZE] = { SCALAR(read_size, NULL), .expected = "a size",
			 .example = "500k or 10M" },
	[FIELD_SWITCH] = { SCALAR(read_switch, NULL), .expected = "yes or no" },
	[FIELD_MODE] = { SCALAR(read_mode, NULL), .expected = "an octal mode",
			 .example = "0640" },
	[FIELD_RENEW_AT] = { SCALAR(read_renew_at, NULL),
			     .expected =
				     "a fraction such as 1/3 or a duration such as 30d" },
	[FIELD_SECRET] = { .map = true,
			   .read = secret_read,
			   .expected = "{file: PATH}, {env: NAME}, {credential: "
				       "NAME} or {dpapi: BASE64}" },
	[FIELD_HOSTS] = { LIST(read_list, address_host),
			  .expected = "a list of host names", .example = "[a.example]" },
	[FIELD_CONTACTS] = { LIST(read_list, address_contact),
			     .expected = "a list of addresses",
			     .example = "[mailto:ops@example.com]" },
	[FIELD_NAMES] = { LIST(read_list, value_name), .expected = "a list of names" },
	[FIELD_PATHS] = { LIST(read_list, value_absolute),
			  .expected = "a list of absolute paths" },
	[FIELD_ACCOUNTS] = { LIST(read_list, value_account),
			     .expected = "a list of accounts" },
	[FIELD_WORDS] = { LIST(read_list, NULL), .expected = "a list of " },
	[FIELD_COMMAND] = { LIST(read_command, NULL),
			    .expected = "a program and its arguments",
			    .example = "[/usr/bin/x, arg]" },
	[FIELD_MAINTENANCE] = { LIST(read_maintenance, NULL),
				.expected = "a list of days and times",
				.example = "[\"Sat,Sun 22:00-04:00\"]" },
	[FIELD_SECTION] = { .map = true,
			    .scalar = true,
			    .read = read_section,
			    .expected = "a map" },
	[FIELD_SECTIONS] = { LIST(read_each, NULL), .expected = "a list of maps" },
	[FIELD_NAMED] = { .map = true, .read = read_each, .expected = "a map of names" },
};

static_assert(sizeof(kinds) / sizeof(*kinds) == FIELD_TYPES, "a row per type");

const struct field_kind *field_kind(enum field_type type)
{
	return &kinds[type];
}
