/* http_socket.c */
