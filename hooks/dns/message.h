/* message.h - DNS messages as bytes (RFC 1035, 2136, 3597, 6891, 8659, 8945): queries and
 * updates are built, answers are read. Pure: no sockets, no clock, no randomness.
 *
 * What is read is hostile. Names are at most 255 bytes and pointers in them lead
 * backwards only; records, strings and the message itself are bounded; nothing is taken
 * that goes over its own end. Names are texts without the dot at the end ("" is the
 * root), in the case they came in; bytes that do not print, dots and backslashes inside a
 * label are written as "\ddd". */
#ifndef HOOKS_DNS_MESSAGE_H
#define HOOKS_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define DNS_MESSAGE_MAX 65535
#define DNS_NAME_WIRE_MAX 255
#define DNS_NAME_TEXT_MAX 1024 /* each byte escaped, and the NUL */
#define DNS_RECORDS_MAX 512
#define DNS_UDP_BYTES 1232 /* what fits into any path: DNS flag day 2020 */

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_TSIG = 250,
	DNS_TYPE_CAA = 257,
};

enum dns_class { DNS_CLASS_IN = 1, DNS_CLASS_NONE = 254, DNS_CLASS_ANY = 255 };

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_YXDOMAIN = 6,
	DNS_YXRRSET = 7,
	DNS_NXRRSET = 8,
	DNS_NOTAUTH = 9,
	DNS_NOTZONE = 10,
	DNS_BADSIG = 16, /* these in a TSIG record's error only */
	DNS_BADKEY = 17,
	DNS_BADTIME = 18,
	DNS_BADTRUNC = 22,
};

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

/* ---- names --------------------------------------------------------------- */

/* Appends `text`, with or without a dot at the end, as labels. ERR_CONFIG with the name
 * when it is none: an empty or too long label, more than 255 bytes, a byte outside ASCII.
 */
int dns_name_write(const char *text, struct buf *out, struct err *err);

/* Reads the name at `*at` of a message and moves `*at` behind it. -1 when it is broken,
 * nothing else is told. */
int dns_name_read(const unsigned char *data, size_t len, size_t *at,
		  char out[DNS_NAME_TEXT_MAX]);

/* Is `name` the zone's own or below it? Case does not matter, a dot at the end neither.
 */
bool dns_name_is_below(const char *name, const char *zone);
bool dns_name_equal(const char *a, const char *b);

/* ---- building ------------------------------------------------------------ */

/* Starts a query in `out`, which must be empty: header, question and the EDNS record that
 * offers DNS_UDP_BYTES. `recurse`: ask on our behalf. ERR_CONFIG: not a name. */
int dns_query_build(uint16_t id, const char *name, enum dns_type type, bool recurse,
		    struct buf *out, struct err *err);

/* Starts an update (RFC 2136) of `zone` in `out`, which must be empty; without a change
 * it asks for nothing. ERR_CONFIG: not a name. */
int dns_update_build(uint16_t id, const char *zone, struct buf *out, struct err *err);

/* What is to become of one TXT record: added with that ttl, or this very one deleted. */
struct dns_txt_change { /* borrowed */
	const char *name, *value;
	uint32_t ttl_s;
	bool remove;
};

/* Appends a change to an update. ERR_CONFIG: not a name, or a value over 4000 bytes. */
int dns_update_txt(struct buf *update, const struct dns_txt_change *change,
		   struct err *err);

/* ---- reading ------------------------------------------------------------- */

struct dns_record {
	enum dns_section section;
	char *name;
	uint16_t type, class;
	uint32_t ttl_s;
	char *text;    /* NS, CNAME: the target; SOA: the primary's name; TXT: its strings
			  joined; A, AAAA: the address; CAA: the value; NULL: of another type
			  or class. A NUL byte in it is '?' */
	char *tag;     /* CAA */
	bool critical; /* CAA */
};

struct dns_tsig { /* RFC 8945 4.2 */
	bool present;
	size_t at;             /* offset of the record in the message */
	char *key, *algorithm; /* names */
	uint64_t signed_at;
	uint16_t fudge_s, original_id, error;
	size_t mac_at, mac_len;     /* offset in the message */
	size_t other_at, other_len; /* the same */
};

struct dns_message {
	uint16_t id;
	bool response, authoritative, truncated;
	uint8_t opcode;
	unsigned rcode; /* enum dns_rcode, or another */
	char *question; /* the first one's name; NULL: none */
	uint16_t question_type;
	struct dns_record *records; /* without OPT and TSIG */
	size_t n;
	struct dns_tsig tsig;
	struct arena *arena;
};

/* Reads a message. Fills *ret, to be released. ERR_REFUSED: malformed; says how. */
int dns_message_read(const void *data, size_t len, struct dns_message *ret,
		     struct err *err);
void dns_message_release(struct dns_message *message);

/* Is it the answer to the query or update `asked`: a response with its id and question
 * (which may be left out of an answer that is an error)? ERR_REFUSED with the reason. */
int dns_message_answers(const struct dns_message *message,
			const struct dns_message *asked, struct err *err);

/* Follows the CNAMEs of the answer section from `name`, 16 at most, and gives the name at
 * their end, borrowed from the message or from `name`. */
const char *dns_message_owner(const struct dns_message *message, const char *name);

/* The next record of that section, name and type behind `after` (NULL: the first); NULL:
 * there is none. `name` may be NULL: any. */
const struct dns_record *dns_message_next(const struct dns_message *message,
					  const struct dns_record *after,
					  enum dns_section section, const char *name,
					  enum dns_type type);

/* "NXDOMAIN"; "rcode 11" for those that have no name. */
const char *dns_rcode_name(unsigned rcode, char spare[16]);

#endif
