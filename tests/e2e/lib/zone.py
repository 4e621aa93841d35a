"""What Pebble's resolver is told to say, at the management port of pebble-challtestsrv."""

import json
import urllib.request


class PebbleZone:
    def __init__(self, pebble):
        self._base = f"http://127.0.0.1:{pebble.resolver_management}"

    def post(self, path, **document):
        request = urllib.request.Request(self._base + path, json.dumps(document).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def publish(self, name, values):
        self.post("/clear-txt", host=f"{name}.")
        for value in values:
            self.post("/set-txt", host=f"{name}.", value=value)

    def cname(self, name, target):
        self.post("/set-cname", host=f"{name}.", target=f"{target}.")

    def no_cname(self, name):
        self.post("/clear-cname", host=f"{name}.")
