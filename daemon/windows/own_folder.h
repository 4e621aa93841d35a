/* own_folder.h - folders for SYSTEM and Administrators alone. Everybody may make folders
 * below ProgramData: one that was there before us, of somebody else, is refused. */
#ifndef DAEMON_WINDOWS_OWN_FOLDER_H
#define DAEMON_WINDOWS_OWN_FOLDER_H

#include "base/err.h"

/* Is it a folder (no link), owned by us, closed to all others? Else ERR_DENIED with the
 * account and the way out. */
int own_folder_check(const char *path, struct err *err);

/* Makes it with its parents where it is missing, and checks it. */
int own_folder_make(const char *path, struct err *err);

#endif
