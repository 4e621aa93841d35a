/* clock.c - reading Windows' clocks, sleeping, and the machine's zone. */
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/cancel.h"
#include "base/random.h"
#include "base/str.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define CANCEL_SLICE_MS 100
#define TICKS_PER_S INT64_C(10000000)
#define EPOCH_S INT64_C(11644473600) /* from 1601, Windows' year one, to 1970 */
#define BOOT_ID_DIGITS 32

static int64_t ticks_of(const FILETIME *time)
{
	return (int64_t)((uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime);
}

int64_t clock_wall(void)
{
	FILETIME now;

	GetSystemTimePreciseAsFileTime(&now);
	return ticks_of(&now) / TICKS_PER_S - EPOCH_S;
}

/* Counts through sleep and hibernation, which QueryUnbiasedInterruptTime() does not. */
int64_t clock_mono_ms(void)
{
	return (int64_t)GetTickCount64();
}

int64_t clock_awake_ms(void)
{
	ULONGLONG ticks = 0;

	(void)QueryUnbiasedInterruptTime(&ticks);
	return (int64_t)(ticks / (TICKS_PER_S / 1000));
}

static bool read_id(HKEY key, wchar_t *text, DWORD size_bytes)
{
	return !RegGetValueW(key, NULL, L"id", RRF_RT_REG_SZ, NULL, text, &size_bytes) &&
	       *text;
}

/* A volatile key of the registry lives exactly as long as the running system: the boot
 * time itself moves whenever somebody sets the clock. Of two processes that write the
 * first id at one moment the last one wins, and both read what won. */
static bool read_or_make_id(HKEY parent, wchar_t *text, DWORD size_bytes)
{
	char hex[BOOT_ID_DIGITS + 1];
	wchar_t *made;
	HKEY key;
	bool got;

	if (RegCreateKeyExW(parent, L"boot", 0, NULL, REG_OPTION_VOLATILE,
			    KEY_READ | KEY_WRITE, NULL, &key, NULL))
		return false;
	got = read_id(key, text, size_bytes);
	if (!got) {
		random_hex(hex, BOOT_ID_DIGITS);
		made = wide_from_utf8(hex);
		(void)RegSetValueExW(key, L"id", 0, REG_SZ, (const BYTE *)made,
				     (DWORD)sizeof(wchar_t) * (BOOT_ID_DIGITS + 1));
		free(made);
		got = read_id(key, text, size_bytes);
	}
	RegCloseKey(key);
	return got;
}

/* Without the right to our key the id is our process: who compares it then believes that
 * the machine was rebooted, which is the careful answer. */
void clock_boot_id(char out[64])
{
	wchar_t text[64] = L"";
	struct err err;
	char *id;
	HKEY ours;

	snprintf(out, 64, "process-%lu", (unsigned long)GetCurrentProcessId());
	if (registry_open_ours(&ours, &err))
		return;
	if (read_or_make_id(ours, text, sizeof(text))) {
		id = utf8_from_wide(text);
		str_copy(out, 64, id);
		free(id);
	}
	RegCloseKey(ours);
}

int clock_sleep_ms(int64_t ms, const struct cancel *cancel)
{
	int64_t until = clock_mono_ms() + ms, left = ms;

	while (left > 0 && !cancel_requested(cancel)) {
		Sleep(left > CANCEL_SLICE_MS ? CANCEL_SLICE_MS : (DWORD)left);
		left = until - clock_mono_ms();
	}
	return cancel_requested(cancel) ? -1 : 0;
}

/* Seconds east of UTC, by the rules of that year. -1: not an instant Windows knows. */
static int zone_offset(int64_t at, int *ret_offset_s)
{
	TIME_ZONE_INFORMATION zone;
	SYSTEMTIME utc, local;
	FILETIME time, there;
	uint64_t ticks;

	if (at < -EPOCH_S || at > INT64_MAX / TICKS_PER_S - EPOCH_S)
		return -1;
	ticks = (uint64_t)(at + EPOCH_S) * (uint64_t)TICKS_PER_S;
	time.dwLowDateTime = (DWORD)ticks;
	time.dwHighDateTime = (DWORD)(ticks >> 32);
	if (!FileTimeToSystemTime(&time, &utc) ||
	    !GetTimeZoneInformationForYear(utc.wYear, NULL, &zone) ||
	    !SystemTimeToTzSpecificLocalTime(&zone, &utc, &local) ||
	    !SystemTimeToFileTime(&local, &there))
		return -1;
	*ret_offset_s = (int)((ticks_of(&there) - (int64_t)ticks) / TICKS_PER_S);
	return 0;
}

/* Windows' own names of zones are long and in the language of the installation, and their
 * initials mislead (WEST): the offset says it better. */
void clock_local_zone(int64_t at, int *ret_offset_s, char name[16])
{
	int offset = 0, minutes;

	snprintf(name, 16, "UTC");
	if (zone_offset(at, &offset))
		offset = 0;
	*ret_offset_s = offset;
	minutes = abs(offset) / 60 % 1440;
	if (minutes % 60)
		snprintf(name, 16, "UTC%c%d:%02d", offset < 0 ? '-' : '+', minutes / 60,
			 minutes % 60);
	else if (minutes)
		snprintf(name, 16, "UTC%c%d", offset < 0 ? '-' : '+', minutes / 60);
}
