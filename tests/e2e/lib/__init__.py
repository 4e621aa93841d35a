"""The parts that the end-to-end tests and the demo are made of: a real CA (Pebble), a real
TLS application (xcapp), a real systemd (nspawn), and checks by programs that are not ours."""
