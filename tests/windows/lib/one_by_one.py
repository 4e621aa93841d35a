"""Between the CA and http.sys: Wine's loses requests that come at the same moment, and
Pebble looks three times at once. Here they wait for each other, and one that was lost all
the same is asked again."""

import socket
import threading

from .waiting import free_port

PATIENCE = (1, 1.5, 3)  # seconds


class OneByOne:
    """Listens on `port` on loopback, hands one connection after the other to `target`."""

    def __init__(self, target):
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._pass_on(client)

    def _pass_on(self, client):
        """A request without a body, and the answer until http.sys has said all of it."""
        client.settimeout(5)
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                request += self._more(client)
            head, rest = request.split(b"\r\n\r\n", 1)
            # Wine's compares the port that the request names with its own
            head = head.replace(b":%d\r\n" % self.port, b":%d\r\n" % self.target)
            client.sendall(self._asked(head + b"\r\nConnection: close\r\n\r\n" + rest))
        except (OSError, EOFError):
            pass  # whoever looked sees that nobody answered

    def _asked(self, request):
        for patience in PATIENCE:
            try:
                with socket.create_connection(("127.0.0.1", self.target), 5) as server:
                    server.settimeout(patience)
                    server.sendall(request)
                    return self._answer(server)
            except (TimeoutError, EOFError, ConnectionResetError):
                continue
        raise EOFError

    @staticmethod
    def _more(peer):
        data = peer.recv(65536)
        if not data:
            raise EOFError
        return data

    def _answer(self, server):
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more(server)
        head, body = answer.split(b"\r\n\r\n", 1)
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self._more(server)
        return head + b"\r\n\r\n" + body

    def close(self):
        self._listener.close()


def looked_at_through_one(make):
    """make(http_port=...) gives a Pebble; what it gives has `http_port` to listen on."""
    listen = free_port()
    door = OneByOne(listen)
    pebble = make(validate_at=door.port, http_port=listen)
    pebble.door, pebble.listen = door, f":{listen}"
    return pebble
