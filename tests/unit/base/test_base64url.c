#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/random.h"

static void encodes_to(const char *bytes, const char *expected)
{
	char *text = base64url_encode(bytes, strlen(bytes));

	assert_string_equal(text, expected);
	free(text);
}

static void decodes_to(const char *text, const char *expected, size_t len)
{
	struct buf out;

	buf_init(&out, 64);
	assert_int_equal(base64_any_decode(text, &out), 0);
	assert_int_equal(out.len, len);
	assert_memory_equal(buf_str(&out), expected, len);
	buf_release(&out);
}

static void is_refused(const char *text)
{
	struct buf out;

	buf_init(&out, 64);
	if (base64_any_decode(text, &out) == 0)
		fail_msg("'%s' was decoded", text);
	buf_release(&out);
}

static void the_vectors_of_rfc_4648_hold_without_padding(void **state)
{
	(void)state;
	encodes_to("", "");
	encodes_to("f", "Zg");
	encodes_to("fo", "Zm8");
	encodes_to("foo", "Zm9v");
	encodes_to("foob", "Zm9vYg");
	encodes_to("fooba", "Zm9vYmE");
	encodes_to("foobar", "Zm9vYmFy");
}

static void the_alphabet_is_the_one_for_urls(void **state)
{
	(void)state;
	encodes_to("\xfb\xff\xbf", "-_-_");
}

static void eab_keys_are_read_in_both_alphabets_padded_or_not(void **state)
{
	(void)state;
	decodes_to("", "", 0);
	decodes_to("-_-_", "\xfb\xff\xbf", 3);
	decodes_to("+/+/", "\xfb\xff\xbf", 3);
	decodes_to("Zg", "f", 1);
	decodes_to("Zg==", "f", 1);
	decodes_to("Zm8=", "fo", 2);
	decodes_to("Zm9vYg", "foob", 4);
	decodes_to("AAA", "\0\0", 2);
}

static void what_no_encoder_writes_is_refused(void **state)
{
	(void)state;
	is_refused("Z");     /* 6 bits are no byte */
	is_refused("Zm9vY"); /* cut short */
	is_refused("Zg=");   /* padding of the wrong length */
	is_refused("Zm8=="); /* likewise */
	is_refused("Zm9v====");
	is_refused("=");
	is_refused("Zg==Zg==");
	is_refused("Zm9v Yg");
	is_refused("Zm9v\n");
	is_refused("Zm9v*A");
	is_refused("+_+_"); /* both alphabets */
	is_refused("Zh");   /* bits left over: the last letter was lost or changed */
	is_refused("\xc3\xa4");
}

static void what_does_not_fit_is_refused(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_int_equal(base64_any_decode("Zm9vYmFy", &out), -1);
	assert_false(buf_ok(&out));
	buf_release(&out);
}

static void random_bytes_of_every_length_survive_the_way_there_and_back(void **state)
{
	unsigned char bytes[64];

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		char *text;

		random_bytes(bytes, len);
		text = base64url_encode(bytes, len);
		assert_int_equal(strlen(text), (len * 8 + 5) / 6);
		decodes_to(text, (const char *)bytes, len);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648_hold_without_padding),
		cmocka_unit_test(the_alphabet_is_the_one_for_urls),
		cmocka_unit_test(eab_keys_are_read_in_both_alphabets_padded_or_not),
		cmocka_unit_test(what_no_encoder_writes_is_refused),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(
			random_bytes_of_every_length_survive_the_way_there_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
