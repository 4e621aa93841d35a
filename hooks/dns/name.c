/* name.c - domain names between text and wire. */
#include <string.h>

#include "base/str.h"
#include "hooks/dns/message.h"

#define LABEL_MAX 63
#define POINTER 0xc0U

/* ---- text to wire -------------------------------------------------------- */

static bool digits(const char *text)
{
	for (int i = 0; i < 3; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* Reads one character of a label, escaped or not; -1: there is none such. */
static int take(const char **text)
{
	const char *at = *text;
	int byte;

	if (*at != '\\') {
		*text = at + 1;
		return *at > ' ' && *at < 0x7f ? *at : -1;
	}
	if (!digits(at + 1)) {
		*text = at + 2;
		return at[1] > ' ' && at[1] < 0x7f ? at[1] : -1;
	}
	byte = (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
	*text = at + 4;
	return byte < 256 ? byte : -1;
}

/* Reads a label up to its dot or the end. Its length; -1: too long or not one. */
static int take_label(const char **text, unsigned char out[LABEL_MAX])
{
	int len = 0, byte;

	while (**text && **text != '.') {
		byte = take(text);
		if (byte < 0 || len == LABEL_MAX)
			return -1;
		out[len++] = (unsigned char)byte;
	}
	return len;
}

static int to_wire(const char *text, unsigned char out[DNS_NAME_WIRE_MAX],
		   size_t *ret_len)
{
	unsigned char label[LABEL_MAX];
	size_t len = 0;
	int n;

	if (strcmp(text, ".") == 0)
		text++;
	while (*text) {
		n = take_label(&text, label);
		if (n <= 0 || len + (size_t)n + 2 > DNS_NAME_WIRE_MAX)
			return -1;
		out[len++] = (unsigned char)n;
		memcpy(out + len, label, (size_t)n);
		len += (size_t)n;
		if (*text == '.')
			text++;
	}
	out[len++] = 0;
	*ret_len = len;
	return 0;
}

int dns_name_write(const char *text, struct buf *out, struct err *err)
{
	unsigned char wire[DNS_NAME_WIRE_MAX];
	size_t len;

	if (to_wire(text, wire, &len))
		return err_set(err, ERR_CONFIG, "'%s' is no name for the DNS", text);
	if (buf_append(out, wire, len))
		return err_set(err, ERR_BUG, "a DNS message has no room for '%s'", text);
	return 0;
}

/* ---- wire to text -------------------------------------------------------- */

static size_t put_byte(char *out, size_t at, unsigned char byte)
{
	if (byte > ' ' && byte < 0x7f && byte != '.' && byte != '\\') {
		out[at++] = (char)byte;
		return at;
	}
	out[at++] = '\\';
	out[at++] = (char)('0' + byte / 100);
	out[at++] = (char)('0' + byte / 10 % 10);
	out[at++] = (char)('0' + byte % 10);
	return at;
}

struct reading { /* of one name */
	const unsigned char *data;
	size_t len;
	size_t at;    /* where we read */
	size_t floor; /* a pointer must lead below this: it can never turn in a circle */
	size_t after; /* behind the name where it began; 0: no pointer so far */
	size_t wire;  /* length of what was read, without compression */
};

/* 1: a label follows at reading->at, 0: the root, -1: broken. Pointers are followed. */
static int next_label(struct reading *reading)
{
	size_t target;

	while (reading->at < reading->len) {
		unsigned byte = reading->data[reading->at];

		if (!byte)
			return 0;
		if (byte <= LABEL_MAX)
			return reading->at + 1 + byte <= reading->len ? 1 : -1;
		if ((byte & POINTER) != POINTER || reading->at + 2 > reading->len)
			return -1;
		target = (byte & ~POINTER) << 8 | reading->data[reading->at + 1];
		if (target >= reading->floor)
			return -1;
		if (!reading->after)
			reading->after = reading->at + 2;
		reading->at = reading->floor = target;
	}
	return -1;
}

int dns_name_read(const unsigned char *data, size_t len, size_t *at,
		  char out[DNS_NAME_TEXT_MAX])
{
	struct reading reading = { data, len, *at, *at, 0, 1 };
	size_t n = 0;
	int more;

	while ((more = next_label(&reading)) == 1) {
		size_t label = data[reading.at];

		reading.wire += label + 1;
		if (reading.wire > DNS_NAME_WIRE_MAX)
			return -1;
		if (n)
			out[n++] = '.';
		for (size_t i = 1; i <= label; i++)
			n = put_byte(out, n, data[reading.at + i]);
		reading.at += label + 1;
	}
	if (more < 0)
		return -1;
	out[n] = '\0';
	*at = reading.after ? reading.after : reading.at + 1;
	return 0;
}

/* ---- comparing ----------------------------------------------------------- */

/* Without the dot at the end, where it is none of a label's own. */
static size_t length(const char *name)
{
	size_t len = strlen(name);

	return len && name[len - 1] == '.' && (len < 2 || name[len - 2] != '\\') ? len - 1
										 : len;
}

static bool same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char x = a[i], y = b[i];

		x = x >= 'A' && x <= 'Z' ? (char)(x + 'a' - 'A') : x;
		y = y >= 'A' && y <= 'Z' ? (char)(y + 'a' - 'A') : y;
		if (x != y)
			return false;
	}
	return true;
}

bool dns_name_equal(const char *a, const char *b)
{
	size_t len = length(a);

	return len == length(b) && same(a, b, len);
}

bool dns_name_is_below(const char *name, const char *zone)
{
	size_t len = length(name), tail = length(zone);

	if (!tail || dns_name_equal(name, zone))
		return true;
	return len > tail && name[len - tail - 1] == '.' &&
	       same(name + len - tail, zone, tail);
}
