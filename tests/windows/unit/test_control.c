/* The control channel over a named pipe: one request, its lines, its last one; who is not
 * there, and who may not come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
#include <uv.h>

#include "base/json.h"
#include "base/str.h"
#include "base/windows/wide.h"
#include "daemon/control.h"

#define REQUEST_MAX_BYTES (64 * 1024)

/* A daemon on a thread of its own: says "step", then the words that it was asked. */
struct server {
	uv_thread_t thread;
	uv_loop_t loop;
	uv_async_t end;
	struct control *control;
	char *path;
	struct err err;
	int rc;
};

static void answer(void *ctx, struct control_client *client, const cJSON *request)
{
	cJSON *line = cJSON_CreateObject();

	(void)ctx;
	json_set_string(line, "step", "looked");
	control_send(client, line);
	cJSON_Delete(line);
	control_finish(client, 3, json_string(request, "command"), NULL);
}

static void close_all(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void on_end(uv_async_t *end)
{
	struct server *server = end->data;

	control_close(server->control);
	uv_walk(&server->loop, close_all, NULL);
}

static void serve(void *arg)
{
	struct server *server = arg;

	(void)uv_run(&server->loop, UV_RUN_DEFAULT);
}

static void server_begin(struct server *server, const char *state_dir)
{
	memset(server, 0, sizeof(*server));
	server->path = control_path(state_dir);
	assert_int_equal(uv_loop_init(&server->loop), 0);
	server->end.data = server;
	assert_int_equal(uv_async_init(&server->loop, &server->end, on_end), 0);
	server->rc = control_new(&server->loop, server->path, answer, NULL,
				 &server->control, &server->err);
	assert_int_equal(server->rc, 0);
	assert_int_equal(uv_thread_create(&server->thread, serve, server), 0);
}

static void server_end(struct server *server)
{
	(void)uv_async_send(&server->end);
	assert_int_equal(uv_thread_join(&server->thread), 0);
	control_free(server->control);
	assert_int_equal(uv_loop_close(&server->loop), 0);
	free(server->path);
}

static void count(void *ctx, const cJSON *line)
{
	assert_string_equal(json_string(line, "step"), "looked");
	++*(int *)ctx;
}

static int call(const char *path, const char *word, int *lines, cJSON **last,
		struct err *err)
{
	cJSON *request = cJSON_CreateObject();
	int rc;

	json_set_string(request, "command", word);
	rc = control_call(path, request, count, lines, last, err);
	cJSON_Delete(request);
	return rc;
}

static void a_request_is_answered_line_by_line(void **state)
{
	struct server server;
	struct err err;
	cJSON *last;
	int lines;

	(void)state;
	server_begin(&server, "C:\\certrenewd test\\st\xc3\xa4te");
	for (int i = 0; i < 40; i++) {
		lines = 0;
		assert_int_equal(call(server.path, "sch\xc3\xb6n", &lines, &last, &err),
				 0);
		assert_int_equal(lines, 1);
		assert_int_equal(json_int(last, "exit", -1), 3);
		assert_string_equal(json_string(last, "text"), "sch\xc3\xb6n");
		cJSON_Delete(last);
	}
	server_end(&server);
}

static void nobody_listens_before_and_after(void **state)
{
	char *path = control_path("C:\\certrenewd test\\nobody");
	struct server server;
	struct err err;
	cJSON *last;
	int lines = 0;

	(void)state;
	assert_int_equal(call(path, "status", &lines, &last, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	server_begin(&server, "C:\\certrenewd test\\nobody");
	server_end(&server);
	assert_int_equal(call(path, "status", &lines, &last, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	free(path);
}

static void a_request_without_end_is_hung_up_on(void **state)
{
	struct server server;
	struct err err;
	cJSON *last;
	char *word = mem_calloc(1, 2 * REQUEST_MAX_BYTES);
	int lines = 0;

	(void)state;
	memset(word, 'x', 2 * REQUEST_MAX_BYTES - 1);
	server_begin(&server, "C:\\certrenewd test\\long");
	assert_int_equal(call(server.path, word, &lines, &last, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	free(word);
	server_end(&server);
}

static void one_state_directory_has_one_name(void **state)
{
	char *a = control_path("C:\\ProgramData\\certrenewd\\state");
	char *b = control_path("c:/programdata/CERTRENEWD/./state");
	char *c = control_path("C:\\ProgramData\\certrenewd\\other");

	(void)state;
	assert_true(str_starts(a, "\\\\.\\pipe\\certrenewd-"));
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	free(a);
	free(b);
	free(c);
}

/* Wine runs everything as one account: what the list says is all that can be shown. */
static void only_administrators_and_system_may_come_in(void **state)
{
	struct server server;
	PSECURITY_DESCRIPTOR security;
	wchar_t *path, *said;
	HANDLE pipe;

	(void)state;
	server_begin(&server, "C:\\certrenewd test\\access");
	path = wide_from_utf8(server.path);
	pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | READ_CONTROL, 0, NULL,
			   OPEN_EXISTING, 0, NULL);
	assert_true(pipe != INVALID_HANDLE_VALUE);
	assert_int_equal(GetSecurityInfo(pipe, SE_KERNEL_OBJECT,
					 DACL_SECURITY_INFORMATION, NULL, NULL, NULL,
					 NULL, &security),
			 ERROR_SUCCESS);
	assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorW(
		security, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &said, NULL));
	assert_non_null(wcsstr(said, L";;;SY)"));
	assert_non_null(wcsstr(said, L";;;BA)"));
	assert_null(wcsstr(said, L";;;WD)"));
	assert_null(wcsstr(said, L";;;AN)"));
	LocalFree(said);
	LocalFree(security);
	CloseHandle(pipe);
	free(path);
	server_end(&server);
}

#define SQUATTER L"squatter.exe" /* in the folder that the test runs in */

/* Somebody else's program has made a pipe of our name while no daemon ran. */
static void squat(const char *path)
{
	wchar_t *wide = wide_from_utf8(path);
	HANDLE pipe = CreateNamedPipeW(wide, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 4096,
				       4096, 0, NULL);

	free(wide);
	(void)ConnectNamedPipe(pipe, NULL);
	Sleep(30000);
}

/* A copy of this program under another name waits at the pipe. */
static HANDLE start_squatter(const char *path)
{
	STARTUPINFOW start = { .cb = sizeof(start) };
	wchar_t ours[MAX_PATH], line[2 * MAX_PATH];
	wchar_t *wide = wide_from_utf8(path);
	PROCESS_INFORMATION process;

	GetModuleFileNameW(NULL, ours, MAX_PATH);
	assert_true(CopyFileW(ours, SQUATTER, FALSE));
	swprintf(line, 2 * MAX_PATH, L"x squat %ls", wide);
	assert_true(CreateProcessW(SQUATTER, line, NULL, NULL, FALSE, 0, NULL, NULL,
				   &start, &process));
	for (int i = 0; i < 100 && !WaitNamedPipeW(wide, 100); i++)
		Sleep(50);
	CloseHandle(process.hThread);
	free(wide);
	return process.hProcess;
}

static void a_pipe_of_somebody_elses_program_is_not_spoken_to(void **state)
{
	char *path = control_path("C:\\certrenewd test\\squatted");
	struct err err;
	cJSON *last;
	HANDLE squatter;
	int lines = 0;

	(void)state;
	squatter = start_squatter(path);
	assert_int_equal(call(path, "status", &lines, &last, &err), -1);
	TerminateProcess(squatter, 0);
	WaitForSingleObject(squatter, 10000);
	CloseHandle(squatter);
	DeleteFileW(SQUATTER);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "which is neither the service 'certrenewd' nor "
					 "this program"));
	free(path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered_line_by_line),
		cmocka_unit_test(nobody_listens_before_and_after),
		cmocka_unit_test(a_request_without_end_is_hung_up_on),
		cmocka_unit_test(one_state_directory_has_one_name),
		cmocka_unit_test(only_administrators_and_system_may_come_in),
		cmocka_unit_test(a_pipe_of_somebody_elses_program_is_not_spoken_to),
	};

	if (argc == 3 && !strcmp(argv[1], "squat")) {
		squat(argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
