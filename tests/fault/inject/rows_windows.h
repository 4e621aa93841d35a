/* rows_windows.h - more rows of rows.h: what only Windows has. The libraries are in the
 * program there, with calls among themselves, and stay as they are. */

/* the certificate store and its keys: hooks/windows/windows_store_parts.h */
SEAM(store, key_container_name, 1)
SEAM(store, key_create, 3)
SEAM(store, key_delete, 1)
SEAM(store, key_proves, 2)
SEAM(store, key_security_get, 2)
SEAM(store, key_security_set, 2)
SEAM(store, entry_store_open, 4)
SEAM(store, entry_store_commit, 1)
SEAM_VALUE(store, entry_find, 0)
SEAM(store, entry_add, 4)
SEAM(store, entry_delete, 2)
SEAM(store, entry_archive, 2)
SEAM(store, entry_others_with, 4)
SEAM(store, record_read, 3)
SEAM(store, record_write, 3)
SEAM(store, record_remove, 2)
SEAM(store, record_list, 2)
SEAM(store, bindings_using, 2)
SEAM(store, windows_grant, 4)
SEAM(store, windows_check_access, 3)

/* the service control manager, the firewall */
SEAM(service, scm_open, 3)
SEAM(service, scm_account, 2)
SEAM(service, firewall_block, 2)
SEAM(service, firewall_unblock, 1)
