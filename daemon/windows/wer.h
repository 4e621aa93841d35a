/* wer.h - the three functions of <werapi.h> that we call; mingw's does not compile. */
#ifndef DAEMON_WINDOWS_WER_H
#define DAEMON_WINDOWS_WER_H

#include <windows.h>

#define WER_FAULT_REPORTING_FLAG_NOHEAP 1

/* As documented by Microsoft: kernel32 and wer.dll. */
HRESULT WINAPI WerSetFlags(DWORD flags);
/* `name`: the .exe's; `all_users`: needs an administrator. */
HRESULT WINAPI WerAddExcludedApplication(const wchar_t *name, BOOL all_users);
/* Its way back. */
HRESULT WINAPI WerRemoveExcludedApplication(const wchar_t *name, BOOL all_users);

#endif
