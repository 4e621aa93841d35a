/* route53_xml.c - Route 53's documents. */
#include "hooks/dns/route53_xml.h"

#include <stdlib.h>
#include <string.h>

#include "hooks/dns/xml.h"

#define NAME_MAX_BYTES 1024
#define VALUES_MAX 1000
#define TTL_DIGITS 10

static bool is_id(const char *text)
{
	size_t len = strlen(text);

	return len && len < sizeof(((struct route53_change *)0)->id) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789") == len;
}

/* "/hostedzone/Z1" and "/change/C1" end in the id. */
static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Is `listed`, with a dot at its end and octal escapes, this name? */
static bool is_name(const char *listed, const char *name)
{
	char plain[NAME_MAX_BYTES];
	size_t n = 0;

	for (; *listed && n + 1 < sizeof(plain); listed++) {
		char octal[4] = "";
		long c;
		char *end;

		plain[n++] = *listed;
		if (*listed != '\\')
			continue;
		str_copy(octal, sizeof(octal), listed + 1);
		c = strtol(octal, &end, 8);
		if (end != octal + 3 || c <= 0 || c > 0xFF)
			return false;
		plain[n - 1] = (char)c;
		listed += 3;
	}
	if (n && plain[n - 1] == '.')
		n--;
	plain[n] = '\0';
	return str_equal_nocase(plain, name);
}

/* ---- zones --------------------------------------------------------------- */

#define ZONES "/ListHostedZonesByNameResponse"
#define ZONE ZONES "/HostedZones/HostedZone"

struct zones {
	const char *name;
	struct strlist *ids;
	char id[64];
	bool named, private, complete;
};

static int zones_element(void *ctx, const char *path, const char *text, struct err *err)
{
	struct zones *zones = ctx;

	(void)err;
	if (str_equal(path, ZONE "/Id"))
		str_copy(zones->id, sizeof(zones->id), last_part(text));
	else if (str_equal(path, ZONE "/Name"))
		zones->named = is_name(text, zones->name);
	else if (str_equal(path, ZONE "/Config/PrivateZone"))
		zones->private = !str_equal(text, "false");
	else if (str_equal(path, ZONES))
		zones->complete = true;
	if (!str_equal(path, ZONE))
		return 0;
	if (zones->named && !zones->private && is_id(zones->id))
		strlist_add(zones->ids, zones->id);
	zones->named = zones->private = false;
	*zones->id = '\0';
	return 0;
}

int route53_read_zones(const char *data, size_t len, const char *name,
		       struct strlist *ids, struct err *err)
{
	struct zones zones = { .name = name, .ids = ids };

	if (xml_walk(data, len, zones_element, &zones, err))
		return -1;
	return zones.complete ? 0 : err_set(err, ERR_REFUSED, "this is no list of zones");
}

/* ---- records ------------------------------------------------------------- */

#define SETS "/ListResourceRecordSetsResponse"
#define SET SETS "/ResourceRecordSets/ResourceRecordSet"

struct sets {
	const char *name;
	struct route53_set *found, item;
	bool named, is_txt, complete;
};

void route53_set_clear(struct route53_set *set)
{
	strlist_clear(&set->values);
	*set = (struct route53_set){ 0 };
}

static int64_t ttl_of(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n < TTL_DIGITS && !text[n] ? strtoll(text, NULL, 10) : 0;
}

/* The end of a set: keeps it if it is the one. */
static void end_set(struct sets *sets)
{
	if (sets->named && sets->is_txt) {
		bool special = sets->item.special || sets->found->ttl_s;

		route53_set_clear(sets->found);
		*sets->found = sets->item;
		sets->found->special = special;
		sets->item = (struct route53_set){ 0 };
	}
	route53_set_clear(&sets->item);
	sets->named = sets->is_txt = false;
}

static int sets_element(void *ctx, const char *path, const char *text, struct err *err)
{
	struct sets *sets = ctx;

	if (str_equal(path, SET "/Name"))
		sets->named = is_name(text, sets->name);
	else if (str_equal(path, SET "/Type"))
		sets->is_txt = str_equal(text, "TXT");
	else if (str_equal(path, SET "/TTL"))
		sets->item.ttl_s = ttl_of(text);
	else if (str_equal(path, SET "/SetIdentifier") ||
		 str_equal(path, SET "/AliasTarget"))
		sets->item.special = true;
	else if (str_equal(path, SET "/ResourceRecords/ResourceRecord/Value"))
		strlist_add(&sets->item.values, text);
	else if (str_equal(path, SET))
		end_set(sets);
	else if (str_equal(path, SETS))
		sets->complete = true;
	if (sets->item.values.n > VALUES_MAX)
		return err_set(err, ERR_REFUSED, "a set of more than %d records",
			       VALUES_MAX);
	return 0;
}

int route53_read_set(const char *data, size_t len, const char *name,
		     struct route53_set *ret, struct err *err)
{
	struct route53_set found = { 0 };
	struct sets sets = { .name = name, .found = &found };
	int rc = xml_walk(data, len, sets_element, &sets, err);

	route53_set_clear(&sets.item);
	if (!rc && !sets.complete)
		rc = err_set(err, ERR_REFUSED, "this is no list of records");
	if (rc)
		route53_set_clear(&found);
	else
		*ret = found;
	return rc;
}

/* ---- changes and errors -------------------------------------------------- */

static int change_element(void *ctx, const char *path, const char *text, struct err *err)
{
	struct route53_change *change = ctx;

	(void)err;
	if (str_ends(path, "Response/ChangeInfo/Id") && is_id(last_part(text)))
		str_copy(change->id, sizeof(change->id), last_part(text));
	else if (str_ends(path, "Response/ChangeInfo/Status"))
		change->in_sync = str_equal(text, "INSYNC");
	return 0;
}

int route53_read_change(const char *data, size_t len, struct route53_change *ret,
			struct err *err)
{
	struct route53_change change = { .id = "" };

	if (xml_walk(data, len, change_element, &change, err))
		return -1;
	if (!*change.id)
		return err_set(err, ERR_REFUSED, "this is no answer to a change");
	*ret = change;
	return 0;
}

static int error_element(void *ctx, const char *path, const char *text, struct err *err)
{
	struct route53_error *error = ctx;

	(void)err;
	if (str_equal(path, "/ErrorResponse/Error/Code"))
		str_copy(error->code, sizeof(error->code), text);
	else if (str_equal(path, "/ErrorResponse/Error/Message") ||
		 (str_equal(path, "/InvalidChangeBatch/Messages/Message") &&
		  !*error->message))
		str_copy(error->message, sizeof(error->message), text);
	else if (str_equal(path, "/InvalidChangeBatch"))
		str_copy(error->code, sizeof(error->code), "InvalidChangeBatch");
	return 0;
}

void route53_read_error(const char *data, size_t len, struct route53_error *ret)
{
	struct err ignored;

	*ret = (struct route53_error){ .code = "" };
	if (xml_walk(data, len, error_element, ret, &ignored))
		*ret = (struct route53_error){ .code = "" };
	str_make_printable(ret->code);
	str_make_printable(ret->message);
}

/* ---- writing ------------------------------------------------------------- */

static void add_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			buf_puts(out, "&amp;");
		else if (*text == '<')
			buf_puts(out, "&lt;");
		else if (*text == '>')
			buf_puts(out, "&gt;");
		else
			buf_append(out, text, 1);
	}
}

void route53_write_change(const char *name, bool upsert, const struct route53_set *set,
			  struct buf *out)
{
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<ChangeResourceRecordSetsRequest "
		      "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">"
		      "<ChangeBatch><Changes><Change>");
	buf_printf(out, "<Action>%s</Action>", upsert ? "UPSERT" : "DELETE");
	buf_puts(out, "<ResourceRecordSet><Name>");
	add_text(out, name);
	buf_printf(out, ".</Name><Type>TXT</Type><TTL>%lld</TTL><ResourceRecords>",
		   (long long)set->ttl_s);
	for (size_t i = 0; i < set->values.n; i++) {
		buf_puts(out, "<ResourceRecord><Value>");
		add_text(out, set->values.items[i]);
		buf_puts(out, "</Value></ResourceRecord>");
	}
	buf_puts(out, "</ResourceRecords></ResourceRecordSet></Change></Changes>"
		      "</ChangeBatch></ChangeResourceRecordSetsRequest>");
}
