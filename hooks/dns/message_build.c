/* message_build.c - queries and updates. */
#include <string.h>

#include "hooks/dns/message.h"

#define HEADER_BYTES 12
#define OPCODE_UPDATE 5U
#define RECURSE 0x0100U
#define STRING_MAX 255
#define TEXT_MAX 4000 /* of one record: nobody publishes more */

enum count { COUNT_QUESTION = 4, COUNT_UPDATE = 8, COUNT_ADDITIONAL = 10 };

static void put16(struct buf *out, unsigned value)
{
	const unsigned char bytes[] = { (unsigned char)(value >> 8),
					(unsigned char)value };

	buf_append(out, bytes, sizeof(bytes));
}

static void put32(struct buf *out, uint32_t value)
{
	put16(out, value >> 16);
	put16(out, value & 0xffffU);
}

static void count(struct buf *message, enum count which)
{
	unsigned char *at = message->data + which;

	if (++at[1] == 0)
		at[0]++;
}

static int begin(struct buf *out, uint16_t id, unsigned flags, const char *name,
		 struct err *err)
{
	put16(out, id);
	put16(out, flags);
	put32(out, 0);
	put32(out, 0);
	if (!buf_ok(out))
		return err_set(err, ERR_BUG, "a DNS message has no room for its header");
	count(out, COUNT_QUESTION);
	return dns_name_write(name, out, err);
}

static int end(const struct buf *out, struct err *err)
{
	return buf_ok(out) ? 0 : err_set(err, ERR_BUG, "a DNS message has no room left");
}

int dns_query_build(uint16_t id, const char *name, enum dns_type type, bool recurse,
		    struct buf *out, struct err *err)
{
	if (begin(out, id, recurse ? RECURSE : 0, name, err))
		return -1;
	put16(out, type);
	put16(out, DNS_CLASS_IN);
	buf_append(out, "", 1); /* the root: OPT, RFC 6891 6.1.2 */
	put16(out, DNS_TYPE_OPT);
	put16(out, DNS_UDP_BYTES);
	put32(out, 0);
	put16(out, 0);
	count(out, COUNT_ADDITIONAL);
	return end(out, err);
}

int dns_update_build(uint16_t id, const char *zone, struct buf *out, struct err *err)
{
	if (begin(out, id, OPCODE_UPDATE << 11, zone, err))
		return -1;
	put16(out, DNS_TYPE_SOA);
	put16(out, DNS_CLASS_IN);
	return end(out, err);
}

static void put_strings(struct buf *out, const char *text, size_t len)
{
	do {
		unsigned char n = (unsigned char)(len < STRING_MAX ? len : STRING_MAX);

		buf_append(out, &n, 1);
		buf_append(out, text, n);
		text += n;
		len -= n;
	} while (len);
}

int dns_update_txt(struct buf *update, const struct dns_txt_change *change,
		   struct err *err)
{
	size_t len = strlen(change->value);
	size_t strings = len ? (len + STRING_MAX - 1) / STRING_MAX : 1;

	if (len > TEXT_MAX)
		return err_set(err, ERR_CONFIG, "a text of %zu bytes is too long", len);
	if (dns_name_write(change->name, update, err))
		return -1;
	put16(update, DNS_TYPE_TXT);
	put16(update, change->remove ? DNS_CLASS_NONE : DNS_CLASS_IN);
	put32(update, change->remove ? 0 : change->ttl_s);
	put16(update, (unsigned)(len + strings));
	put_strings(update, change->value, len);
	count(update, COUNT_UPDATE);
	return end(update, err);
}
