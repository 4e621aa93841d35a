#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <uv.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/log.h"
#include "tests/unit/base/tempdir.h"

/* Standard error into a file, and back. */
struct capture {
	char *dir, *path;
	int saved;
};

static void capture_begin(struct capture *capture)
{
	int fd;

	capture->dir = tempdir_new();
	capture->path = path_join(capture->dir, "stderr");
	fd = open(capture->path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	fflush(stderr);
	capture->saved = dup(STDERR_FILENO);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
}

/* Gives what was printed. */
static char *capture_end(struct capture *capture)
{
	char *text;

	fflush(stderr);
	assert_true(dup2(capture->saved, STDERR_FILENO) >= 0);
	close(capture->saved);
	text = get(capture->path);
	free(capture->path);
	tempdir_free(capture->dir);
	return text;
}

#define LOGGED(format, ...)                                                              \
	({                                                                               \
		struct capture c;                                                        \
		capture_begin(&c);                                                       \
		log_open(format);                                                        \
		log_line(__VA_ARGS__);                                                   \
		capture_end(&c);                                                         \
	})

/* Is `text` "<RFC 3339 time> <rest>" of just now? Frees it. */
static void assert_line(char *text, const char *rest)
{
	char time[32];
	int64_t at;

	assert_true(strlen(text) > 21);
	snprintf(time, sizeof(time), "%.20s", text);
	assert_int_equal(clock_parse_rfc3339(time, &at), 0);
	assert_true(at <= clock_wall() && at > clock_wall() - 60);
	assert_string_equal(text + 20, rest);
	free(text);
}

static void text_has_time_level_certificate_and_run_before_the_message(void **state)
{
	(void)state;
	assert_line(
		LOGGED(LOG_FORMAT_TEXT, LOG_LEVEL_INFO, "xu", "3f2a", "renewed: %d", 7),
		" info  cert=xu run=3f2a renewed: 7\n");
	assert_line(LOGGED(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, NULL, NULL, "%s", "no"),
		    " error no\n");
	assert_line(LOGGED(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, "xu", NULL, "hm"),
		    " warning cert=xu hm\n");
}

static void a_line_is_one_line_whatever_strangers_said(void **state)
{
	(void)state;
	assert_line(LOGGED(LOG_FORMAT_TEXT, LOG_LEVEL_INFO, NULL, NULL,
			   "a\nb\r\033[2Jc%s", "\xff"),
		    " info  a b ?[2Jc?\n");
}

static void a_very_long_message_is_cut_not_lost(void **state)
{
	char *text = LOGGED(LOG_FORMAT_TEXT, LOG_LEVEL_INFO, NULL, NULL, "%0100000d", 1);

	(void)state;
	assert_int_equal(strlen(text), 20 + strlen(" info  ") + 4095 + 1);
	free(text);
}

static void json_has_one_object_a_line(void **state)
{
	char *text = LOGGED(LOG_FORMAT_JSON, LOG_LEVEL_WARNING, "xu", "3f2a",
			    "say \"%s\"\n", "hi");
	cJSON *json = NULL;
	struct err err;
	int64_t at;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	assert_int_equal(clock_parse_rfc3339(json_string(json, "time"), &at), 0);
	assert_string_equal(json_string(json, "level"), "warning");
	assert_string_equal(json_string(json, "cert"), "xu");
	assert_string_equal(json_string(json, "run"), "3f2a");
	assert_string_equal(json_string(json, "message"), "say \"hi\" ");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	cJSON_Delete(json);
	free(text);
}

static void the_journal_gets_priorities_and_no_time(void **state)
{
	static const char *const expected[] = { "<6>info  cert=xu m\n",
						"<4>warning cert=xu m\n",
						"<3>error cert=xu m\n" };

	(void)state;
	for (int level = LOG_LEVEL_INFO; level <= LOG_LEVEL_ERROR; level++) {
		struct capture c;
		struct stat st;
		char *stream, *text;

		capture_begin(&c);
		assert_int_equal(fstat(STDERR_FILENO, &st), 0);
		stream = str_printf("%ju:%ju", (uintmax_t)st.st_dev,
				    (uintmax_t)st.st_ino);
		setenv("JOURNAL_STREAM", stream, 1);
		log_open(LOG_FORMAT_TEXT);
		log_line((enum log_level)level, "xu", NULL, "m");
		unsetenv("JOURNAL_STREAM");
		text = capture_end(&c);
		assert_string_equal(text, expected[level]);
		free(text);
		free(stream);
	}
}

static void an_inherited_journal_variable_does_not_fool_it(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "1:1", 1);
	assert_line(LOGGED(LOG_FORMAT_TEXT, LOG_LEVEL_INFO, NULL, NULL, "m"),
		    " info  m\n");
	unsetenv("JOURNAL_STREAM");
}

static void log_a_hundred(void *arg)
{
	for (int i = 0; i < 100; i++)
		log_line(LOG_LEVEL_INFO, arg, NULL, "%0500d", 0);
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	struct capture c;
	uv_thread_t threads[4];
	char *text, *line, *save = NULL;
	size_t lines = 0;

	(void)state;
	capture_begin(&c);
	log_open(LOG_FORMAT_TEXT);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(uv_thread_create(&threads[i], log_a_hundred, names[i]),
				 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(uv_thread_join(&threads[i]), 0);
	text = capture_end(&c);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		assert_int_equal(strlen(line), 20 + strlen(" info  cert=a ") + 500);
		lines++;
	}
	assert_int_equal(lines, 400);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			text_has_time_level_certificate_and_run_before_the_message),
		cmocka_unit_test(a_line_is_one_line_whatever_strangers_said),
		cmocka_unit_test(a_very_long_message_is_cut_not_lost),
		cmocka_unit_test(json_has_one_object_a_line),
		cmocka_unit_test(the_journal_gets_priorities_and_no_time),
		cmocka_unit_test(an_inherited_journal_variable_does_not_fool_it),
		cmocka_unit_test(lines_of_several_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
