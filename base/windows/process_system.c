/* process_system.c */
