/* journal_stream.c */
