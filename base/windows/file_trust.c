/* file_trust.c */
