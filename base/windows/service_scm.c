/* service_scm.c */
