/* Windows's own rules, but for the letters that older ones map away: "ß" must not become
 * "ss", which is somebody else's name (IDNA 2008, non-transitional, as the POSIX twin).
 * A name with one of them is checked by the system and encoded here (RFC 3492). */
#include "config/idn.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/windows/wide.h"

#define IDN_MAX 1024 /* characters; no host name is longer than 253 */

enum { SHARP_S = 0x00df, FINAL_SIGMA = 0x03c2, SIGMA = 0x03c3, NON_JOINER = 0x200c };
enum { JOINER = 0x200d };

/* ---- punycode, RFC 3492 6 ------------------------------------------------ */

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700 };
enum { INITIAL_BIAS = 72, INITIAL_N = 128 };

static uint32_t adapt(uint32_t delta, uint32_t n_points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / n_points;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void put_digit(struct buf *out, uint32_t digit)
{
	char c = (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);

	buf_append(out, &c, 1);
}

static void put_number(struct buf *out, uint32_t number, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;

		if (number < t)
			break;
		put_digit(out, t + (number - t) % (BASE - t));
		number = (number - t) / (BASE - t);
	}
	put_digit(out, number);
}

static uint32_t smallest_from(const uint32_t *points, size_t n, uint32_t from)
{
	uint32_t smallest = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		if (points[i] >= from && points[i] < smallest)
			smallest = points[i];
	}
	return smallest;
}

/* At most IDN_MAX points below 0x110000: nothing overflows 32 bits by more than a wrong
 * label, which is then too long for a name. */
static void put_label(struct buf *out, const uint32_t *points, size_t n)
{
	uint32_t next = INITIAL_N, delta = 0, bias = INITIAL_BIAS, done = 0, basic;

	buf_puts(out, "xn--");
	for (size_t i = 0; i < n; i++) {
		if (points[i] < INITIAL_N && ++done)
			buf_append(out, &(char){ (char)points[i] }, 1);
	}
	basic = done;
	if (basic)
		buf_puts(out, "-");
	while (done < n) {
		uint32_t point = smallest_from(points, n, next);

		delta += (point - next) * (done + 1);
		for (size_t i = 0; i < n; i++) {
			delta += points[i] < point;
			if (points[i] != point)
				continue;
			put_number(out, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			done++;
			delta = 0;
		}
		delta++;
		next = point + 1;
	}
}

/* ---- names with a letter that must stay ---------------------------------- */

static bool has(const wchar_t *name, wchar_t letter)
{
	return wcschr(name, letter) != NULL;
}

/* Composed (NFC) and in lower case; 0: it is no text. */
static int fold(const wchar_t *name, wchar_t out[IDN_MAX])
{
	wchar_t composed[IDN_MAX];

	if (NormalizeString(NormalizationC, name, -1, composed, IDN_MAX) <= 0)
		return 0;
	return LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_LOWERCASE, composed, -1, out,
			     IDN_MAX, NULL, NULL, 0);
}

/* Would the name do with harmless letters for those? */
static bool is_right_otherwise(const wchar_t *name)
{
	wchar_t other[IDN_MAX], ascii[IDN_MAX];
	size_t i = 0;

	for (; name[i]; i++)
		other[i] = name[i] == SHARP_S       ? L's'
			   : name[i] == FINAL_SIGMA ? (wchar_t)SIGMA
						    : name[i];
	other[i] = L'\0';
	return IdnToAscii(0, other, -1, ascii, IDN_MAX) > 0;
}

static size_t next_label(const wchar_t **at, uint32_t points[IDN_MAX], bool *ret_basic)
{
	const wchar_t *c = *at;
	size_t n = 0;

	*ret_basic = true;
	for (; *c && *c != L'.'; c++) {
		uint32_t point = *c;

		if (IS_HIGH_SURROGATE(c[0]) && IS_LOW_SURROGATE(c[1])) {
			point = 0x10000 + ((point - 0xd800) << 10) +
				((uint32_t)c[1] - 0xdc00);
			c++;
		}
		*ret_basic = *ret_basic && point < INITIAL_N;
		points[n++] = point;
	}
	*at = c;
	return n;
}

/* Gives the name with every label in ASCII. */
static char *encode(const wchar_t *name)
{
	uint32_t points[IDN_MAX];
	struct buf out;

	buf_init(&out, (size_t)8 * IDN_MAX);
	for (;; name++) {
		bool basic;
		size_t n = next_label(&name, points, &basic);

		for (size_t i = 0; basic && i < n; i++)
			buf_append(&out, &(char){ (char)points[i] }, 1);
		if (!basic)
			put_label(&out, points, n);
		if (!*name)
			break;
		buf_puts(&out, ".");
	}
	return buf_steal(&out);
}

int idn_to_ascii(const char *utf8, char **ret_ascii, const char **ret_why)
{
	wchar_t *wide = wide_from_utf8(utf8);
	wchar_t name[IDN_MAX], ascii[IDN_MAX];
	int rc = -1;

	if (fold(wide, name) <= 0) {
		*ret_why = "it is too long, or no text";
		goto out;
	}
	if (has(name, JOINER) || has(name, NON_JOINER)) {
		*ret_why = "it has a joiner in it, which cannot be seen: leave it out";
		goto out;
	}
	if (!is_right_otherwise(name)) {
		*ret_why = "it has characters that no name may have";
		goto out;
	}
	if (has(name, SHARP_S) || has(name, FINAL_SIGMA)) {
		*ret_ascii = encode(name);
	} else {
		(void)IdnToAscii(0, name, -1, ascii, IDN_MAX); /* as just seen */
		*ret_ascii = utf8_from_wide(ascii);
	}
	rc = 0;
out:
	free(wide);
	return rc;
}
