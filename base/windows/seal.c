/* seal.c - secrets at rest by DPAPI, bound to this machine and to an entropy that only
 * SYSTEM and Administrators can read. */
#include "base/seal.h"

#include <windows.h>

#include <dpapi.h>
#include <openssl/crypto.h>

#include "base/random.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define ENTROPY_BYTES 32
#define MAKING_WAIT_MS 10000
#define FLAGS (CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN)

bool seal_protects(void)
{
	return true;
}

/* 1: read, 0: there is none yet, -1: damaged, or not ours to read. */
static int entropy_read(HKEY key, unsigned char out[ENTROPY_BYTES], struct err *err)
{
	DWORD size = ENTROPY_BYTES;
	LSTATUS code = RegGetValueW(key, NULL, L"entropy", RRF_RT_REG_BINARY, NULL, out,
				    &size);

	if (code == ERROR_FILE_NOT_FOUND)
		return 0;
	if (code == ERROR_MORE_DATA || (!code && size != ENTROPY_BYTES))
		return err_set(err, ERR_CONFIG,
			       "the value 'entropy' in HKLM\\SOFTWARE\\certrenewd is "
			       "damaged: restore it from a backup");
	if (code)
		return err_windows(err, (unsigned long)code,
				   "read the value 'entropy' in "
				   "HKLM\\SOFTWARE\\certrenewd");
	return 1;
}

/* What is written here must be on disk before anything is sealed with it. */
static int entropy_write(HKEY key, unsigned char out[ENTROPY_BYTES], struct err *err)
{
	LSTATUS code;

	random_bytes(out, ENTROPY_BYTES);
	code = RegSetValueExW(key, L"entropy", 0, REG_BINARY, out, ENTROPY_BYTES);
	if (!code)
		code = RegFlushKey(key);
	if (code)
		return err_windows(err, (unsigned long)code,
				   "write the value 'entropy' in "
				   "HKLM\\SOFTWARE\\certrenewd");
	return 0;
}

/* Two processes that find none must not make two. */
static int entropy_make(HKEY key, unsigned char out[ENTROPY_BYTES], struct err *err)
{
	SECURITY_ATTRIBUTES attributes;
	HANDLE turn;
	DWORD got;
	int rc = -1;

	if (security_attributes_from(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)", &attributes, err))
		return -1;
	turn = CreateMutexW(&attributes, FALSE, L"Global\\certrenewd-entropy");
	security_attributes_release(&attributes);
	if (!turn)
		return err_os(err, "take the turn at making the machine's entropy");
	got = WaitForSingleObject(turn, MAKING_WAIT_MS);
	if (got != WAIT_OBJECT_0 && got != WAIT_ABANDONED) {
		err_set(err, ERR_TRANSIENT,
			"another process is making the machine's entropy");
		goto out;
	}
	rc = entropy_read(key, out, err);
	if (!rc)
		rc = entropy_write(key, out, err);
	else if (rc > 0)
		rc = 0;
	ReleaseMutex(turn);
out:
	CloseHandle(turn);
	return rc;
}

/* `make`: sealing makes it when it is missing; what was sealed without is not ours. */
static int entropy_get(bool make, unsigned char out[ENTROPY_BYTES], struct err *err)
{
	HKEY key;
	int rc;

	if (registry_open_ours(&key, err))
		return -1;
	rc = entropy_read(key, out, err);
	if (!rc && make)
		rc = entropy_make(key, out, err);
	else if (!rc)
		rc = err_set(err, ERR_CONFIG,
			     "nothing was sealed on this machine yet: it was sealed on "
			     "another one");
	else if (rc > 0)
		rc = 0;
	RegCloseKey(key);
	return rc;
}

static int append(struct buf *ret, const DATA_BLOB *blob, struct err *err)
{
	if (buf_append(ret, blob->pbData, blob->cbData) || !buf_ok(ret))
		return err_set(err, ERR_IO, "a secret is longer than it may be");
	return 0;
}

static void blob_wipe(DATA_BLOB *blob)
{
	if (!blob->pbData)
		return;
	OPENSSL_cleanse(blob->pbData, blob->cbData);
	LocalFree(blob->pbData);
}

int seal(const void *data, size_t len, struct buf *ret, struct err *err)
{
	unsigned char entropy[ENTROPY_BYTES];
	DATA_BLOB salt = { ENTROPY_BYTES, entropy }, in, out = { 0 };
	int rc = -1;

	in = (DATA_BLOB){ (DWORD)len, (BYTE *)data };
	if (entropy_get(true, entropy, err))
		goto out;
	if (!CryptProtectData(&in, L"certrenewd", &salt, NULL, NULL, FLAGS, &out)) {
		err_os(err, "seal a secret");
		goto out;
	}
	rc = append(ret, &out, err);
out:
	blob_wipe(&out);
	OPENSSL_cleanse(entropy, sizeof(entropy));
	return rc;
}

int unseal(const void *data, size_t len, struct buf *ret, struct err *err)
{
	unsigned char entropy[ENTROPY_BYTES];
	DATA_BLOB salt = { ENTROPY_BYTES, entropy }, in, out = { 0 };
	int rc = -1;

	in = (DATA_BLOB){ (DWORD)len, (BYTE *)data };
	if (entropy_get(false, entropy, err))
		goto out;
	if (!CryptUnprotectData(&in, NULL, &salt, NULL, NULL, FLAGS, &out)) {
		err_os(err, "open a sealed secret (it is damaged, or was sealed on "
			    "another machine)");
		err->kind = ERR_CONFIG;
		goto out;
	}
	rc = append(ret, &out, err);
out:
	blob_wipe(&out);
	OPENSSL_cleanse(entropy, sizeof(entropy));
	return rc;
}
