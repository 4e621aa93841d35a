/* rows.h - the seams: every function at which the product meets the system or a library,
 * and how it fails. Read by seam.c (one gate a row) and by CMake (one --wrap a row).
 *
 *     SEAM(group, name, argument of its struct err, counted from 0)     returns -1
 *     SEAM_VALUE(group, name, what it returns)
 *     SEAM_KILL(group, name)                                           cannot fail
 *
 * No include guard: a list is read as often as somebody needs it. */

/* base/files.h */
SEAM(files, file_read, 2)
SEAM(files, file_inspect, 2)
SEAM(files, link_read, 2)
SEAM(files, dir_list, 2)
SEAM(files, dir_find, 3)
SEAM(files, dir_glob, 2)
SEAM(files, file_replace, 4)
SEAM(files, dir_make, 2)
SEAM(files, file_rename, 2)
SEAM(files, file_remove, 1)
SEAM(files, tree_remove, 1)
SEAM(files, file_resolve_trusted, 2)
SEAM(files, file_replace_keeping, 4)
SEAM(files, link_replace, 2)
SEAM(files, file_set_access, 4)
SEAM(files, file_check_replaceable, 1)
SEAM(files, file_check_trusted, 1)
SEAM(files, file_check_secret, 1)
SEAM(files, file_lock_take, 2)
SEAM(files, access_check, 4)
SEAM(files, append_file_open, 3)
SEAM_VALUE(files, append_file_write, -1)
SEAM_VALUE(files, append_file_rename, -1)

/* base/process.h, base/service.h */
SEAM(process, process_run, 2)
SEAM(process, process_run_ok, 1)
SEAM_VALUE(process, process_self_path, 0)
SEAM(service, service_inspect, 2)
SEAM(service, service_apply, 2)
SEAM(service, service_start, 2)
SEAM(service, unit_inspect, 2)
SEAM(service, unit_act, 4)

/* secrets and keys */
SEAM(keys, seal, 3)
SEAM(keys, unseal, 3)
SEAM(keys, key_generate, 2)
SEAM(keys, key_to_pem, 2)
SEAM(keys, key_from_pem, 3)
SEAM_KILL(keys, random_bytes)
SEAM_KILL(keys, random_hex)

/* the network */
SEAM(net, http_client_new, 3)
SEAM(net, http_client_perform, 3)
SEAM(net, http_server_start, 5)
SEAM_VALUE(net, port_owner, 0)
SEAM(net, http01_serve, 4)
SEAM(net, http01_check, 2)
SEAM(net, webroot_serve, 3)
SEAM(net, webroot_withdraw, 2)
SEAM(net, webroot_check, 1)
SEAM(net, tls_alpn01_serve, 5)
SEAM(net, tls_alpn01_check, 2)
SEAM(net, tls_listener_start, 4)
SEAM_KILL(net, probe_endpoint)
SEAM(net, probe_http, 3)
SEAM(net, probe_verify, 6)
SEAM(net, resolver_new, 3)
SEAM(net, resolver_txt, 3)
SEAM(net, resolver_follow, 3)
SEAM(net, resolver_zone, 4)
SEAM(net, resolver_caa, 3)
SEAM(net, resolver_await, 4)
SEAM(net, control_listener_new, 5)
SEAM(net, control_connect, 2)
SEAM(net, system_check_state_dir, 1)
SEAM(net, system_become_owner_of, 1)
