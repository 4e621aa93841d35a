/* port_owner.c */
