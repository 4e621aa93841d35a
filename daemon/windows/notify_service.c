/* notify_service.c */
