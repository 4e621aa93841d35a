/* json_scan.c - is it JSON, and where does each value stand (RFC 8259)? Recursion is
 * bounded by JSON_EDIT_DEPTH. Strings may hold bytes that are not UTF-8: the vendor's own
 * script writes the file in the system's code page. */
#include "hooks/json_scan.h"

#include <string.h>

void json_scan_place(const unsigned char *bytes, size_t at, size_t *ret_line,
		     size_t *ret_column)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		if (bytes[i] == '\n') {
			line++;
			column = 1;
		} else if ((bytes[i] & 0xC0) != 0x80) { /* not inside a character */
			column++;
		}
	}
	/* A byte order mark is no column. */
	if (line == 1 && at >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3))
		column--;
	*ret_line = line;
	*ret_column = column;
}

int json_scan_fail(const struct json_scan *scan, size_t at, const char *what,
		   struct err *err)
{
	size_t line, column;

	json_scan_place(scan->bytes, at, &line, &column);
	return err_set(err, ERR_CONFIG, "not JSON: line %zu, column %zu: %s", line,
		       column, what);
}

static int peek(const struct json_scan *scan)
{
	return scan->at < scan->len ? scan->bytes[scan->at] : -1;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void json_scan_space(struct json_scan *scan)
{
	int c = peek(scan);

	while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
		scan->at++;
		c = peek(scan);
	}
}

static int scan_escape(struct json_scan *scan, struct err *err)
{
	int c = peek(scan);

	if (c < 0)
		return json_scan_fail(scan, scan->at, "the string does not end", err);
	if (c != 'u') {
		if (!c || !strchr("\"\\/bfnrt", c))
			return json_scan_fail(scan, scan->at, "unknown escape", err);
		scan->at++;
		return 0;
	}
	scan->at++;
	for (int i = 0; i < 4; i++, scan->at++) {
		if (!is_hex(peek(scan)))
			return json_scan_fail(scan, scan->at,
					      "expected four hex digits after \\u", err);
	}
	return 0;
}

static int scan_string(struct json_scan *scan, struct err *err)
{
	size_t start = scan->at++;
	int c;

	while ((c = peek(scan)) != '"') {
		if (c < 0)
			return json_scan_fail(scan, start, "the string does not end",
					      err);
		if (c < 0x20)
			return json_scan_fail(scan, scan->at,
					      "a control character in a string", err);
		scan->at++;
		if (c == '\\' && scan_escape(scan, err))
			return -1;
	}
	scan->at++;
	return 0;
}

static int scan_digits(struct json_scan *scan, struct err *err)
{
	if (!is_digit(peek(scan)))
		return json_scan_fail(scan, scan->at, "expected a digit", err);
	while (is_digit(peek(scan)))
		scan->at++;
	return 0;
}

static int scan_number(struct json_scan *scan, struct err *err)
{
	if (peek(scan) == '-')
		scan->at++;
	if (peek(scan) == '0')
		scan->at++;
	else if (scan_digits(scan, err))
		return -1;
	if (peek(scan) == '.') {
		scan->at++;
		if (scan_digits(scan, err))
			return -1;
	}
	if (peek(scan) == 'e' || peek(scan) == 'E') {
		scan->at++;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->at++;
		return scan_digits(scan, err);
	}
	return 0;
}

static int scan_word(struct json_scan *scan, enum json_kind *ret, struct err *err)
{
	static const struct {
		const char *word;
		enum json_kind kind;
	} words[] = {
		{ "true", JSON_IS_TRUE },
		{ "false", JSON_IS_FALSE },
		{ "null", JSON_IS_NULL },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i].word);

		if (scan->len - scan->at < n ||
		    memcmp(scan->bytes + scan->at, words[i].word, n) != 0)
			continue;
		scan->at += n;
		*ret = words[i].kind;
		return 0;
	}
	return json_scan_fail(scan, scan->at, "expected a value", err);
}

int json_scan_member(struct json_scan *scan, bool first, struct json_span *ret_name,
		     struct json_span *ret_value, bool *ret_more, struct err *err)
{
	json_scan_space(scan);
	*ret_more = false;
	if (peek(scan) == '}') {
		scan->at++;
		return 0;
	}
	if (!first) {
		if (peek(scan) != ',')
			return json_scan_fail(scan, scan->at, "expected ',' or '}'", err);
		scan->at++;
		json_scan_space(scan);
	}
	if (peek(scan) != '"')
		return json_scan_fail(scan, scan->at, "expected a name in quotes", err);
	ret_name->kind = JSON_IS_STRING;
	ret_name->start = scan->at;
	if (scan_string(scan, err))
		return -1;
	ret_name->end = scan->at;
	json_scan_space(scan);
	if (peek(scan) != ':')
		return json_scan_fail(scan, scan->at, "expected ':'", err);
	scan->at++;
	json_scan_space(scan);
	if (json_scan_value(scan, ret_value, err))
		return -1;
	*ret_more = true;
	return 0;
}

static int scan_object(struct json_scan *scan, struct err *err)
{
	struct json_span name, value;
	bool more = true;

	scan->at++;
	for (bool first = true; more; first = false) {
		if (json_scan_member(scan, first, &name, &value, &more, err))
			return -1;
	}
	return 0;
}

static int scan_array(struct json_scan *scan, struct err *err)
{
	struct json_span value;

	scan->at++;
	json_scan_space(scan);
	if (peek(scan) == ']') {
		scan->at++;
		return 0;
	}
	for (;;) {
		json_scan_space(scan);
		if (json_scan_value(scan, &value, err))
			return -1;
		json_scan_space(scan);
		if (peek(scan) == ']')
			break;
		if (peek(scan) != ',')
			return json_scan_fail(scan, scan->at, "expected ',' or ']'", err);
		scan->at++;
	}
	scan->at++;
	return 0;
}

static int scan_nested(struct json_scan *scan, enum json_kind kind, struct err *err)
{
	int rc;

	if (scan->depth >= JSON_EDIT_DEPTH)
		return json_scan_fail(scan, scan->at, "nested too deep", err);
	scan->depth++;
	rc = kind == JSON_IS_OBJECT ? scan_object(scan, err) : scan_array(scan, err);
	scan->depth--;
	return rc;
}

int json_scan_value(struct json_scan *scan, struct json_span *ret, struct err *err)
{
	int c = peek(scan), rc;

	ret->start = scan->at;
	if (c == '{' || c == '[') {
		ret->kind = c == '{' ? JSON_IS_OBJECT : JSON_IS_ARRAY;
		rc = scan_nested(scan, ret->kind, err);
	} else if (c == '"') {
		ret->kind = JSON_IS_STRING;
		rc = scan_string(scan, err);
	} else if (c == '-' || is_digit(c)) {
		ret->kind = JSON_IS_NUMBER;
		rc = scan_number(scan, err);
	} else {
		rc = scan_word(scan, &ret->kind, err);
	}
	ret->end = scan->at;
	return rc;
}
