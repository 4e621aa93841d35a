"""A webhook receiver on loopback that remembers what it was told."""

import http.server
import json
import threading

from .waiting import wait_until


class Webhook:
    def __init__(self):
        self.alerts = []  # the parsed documents, in order
        self.requests = []  # (headers, body) of everything, refused or not
        self.answers = []  # statuses for the next requests; then 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.requests.append((self.headers, body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                if status < 300:
                    receiver.alerts.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, event):
        return [alert for alert in self.alerts if alert.get("event") == event]

    def wait_for(self, event, timeout=30):
        """The first alert of that event."""
        return wait_until(lambda: self.of(event), timeout, f"alert '{event}'")[0]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
