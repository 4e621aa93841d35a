/* cmd_protect.c - protect: a secret from standard input, sealed for this machine, as it
 * is written in the configuration. */
#include "daemon/windows/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/seal.h"
#include "base/str.h"
#include "base/windows/wide.h"
#include "daemon/windows/administrator.h"

#define SECRET_MAX_BYTES (16 * 1024)
#define SEALED_MAX_BYTES (64 * 1024)
#define LINE_MAX_CHARS 2048

/* One line, which the console does not show. */
static int read_console(HANDLE input, DWORD mode, struct buf *secret, struct err *err)
{
	wchar_t line[LINE_MAX_CHARS + 1];
	char *text;
	DWORD n = 0;
	BOOL done;

	fprintf(stderr, "secret (not shown): ");
	(void)fflush(stderr);
	(void)SetConsoleMode(input, (mode & ~(DWORD)ENABLE_ECHO_INPUT) |
					    ENABLE_LINE_INPUT | ENABLE_PROCESSED_INPUT);
	done = ReadConsoleW(input, line, LINE_MAX_CHARS, &n, NULL);
	(void)SetConsoleMode(input, mode);
	fprintf(stderr, "\n");
	if (!done)
		return err_os(err, "read the secret");
	line[n] = L'\0';
	text = utf8_from_wide(line);
	SecureZeroMemory(line, sizeof(line));
	(void)buf_puts(secret, text);
	str_free_secret(text);
	return 0;
}

static int read_pipe(HANDLE input, struct buf *secret, struct err *err)
{
	char bytes[1024];
	DWORD n;

	while (ReadFile(input, bytes, sizeof(bytes), &n, NULL) && n)
		if (buf_append(secret, bytes, n))
			break;
	SecureZeroMemory(bytes, sizeof(bytes));
	if (!buf_ok(secret))
		return err_set(err, ERR_CONFIG, "a secret has at most %d bytes",
			       SECRET_MAX_BYTES);
	return 0;
}

/* Without the line end that typing or `echo` puts behind it. */
static int read_secret(struct buf *secret, struct err *err)
{
	HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
	DWORD mode;
	int rc = GetConsoleMode(input, &mode) ? read_console(input, mode, secret, err)
					      : read_pipe(input, secret, err);

	if (rc)
		return -1;
	while (secret->len && strchr("\r\n", secret->data[secret->len - 1]))
		secret->data[--secret->len] = '\0';
	if (!secret->len)
		return err_set(
			err, ERR_CONFIG,
			"no secret came in: type it, or send it to standard input");
	return 0;
}

enum exit_code command_protect(const struct options *options)
{
	struct buf secret, sealed;
	enum exit_code code = EXIT_CODE_DONE;
	struct err err;
	char *text;

	(void)options;
	buf_init_secret(&secret, SECRET_MAX_BYTES);
	buf_init(&sealed, SEALED_MAX_BYTES);
	if (administrator_check(&err) || read_secret(&secret, &err) ||
	    seal(secret.data, secret.len, &sealed, &err)) {
		code = command_fail(&err);
	} else {
		text = base64url_encode(sealed.data, sealed.len);
		printf("{dpapi: \"%s\"}\n", text);
		free(text);
	}
	buf_release(&secret);
	buf_release(&sealed);
	return code;
}
